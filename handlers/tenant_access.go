package handlers

import (
	"cmp"
	"slices"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

// Portal says whether people get into accounts through Slipway, and where they do.
type Portal struct {
	Configured bool   // IAM Identity Center is
	URL        string // of the access portal; empty: accounts are not linked
}

// accessOf shows each role of each account with what was last seen of it: the row of the role's group, or else nothing was assigned yet.
// Access that was taken away from another group is not shown.
func accessOf(now time.Time, p Portal, t models.Tenant, seen []models.AccountAccess) views.PeoplesAccess {
	d := views.PeoplesAccess{Configured: p.Configured}
	if !p.Configured {
		return d
	}
	groups := map[models.TenantRole]string{models.Owner: t.OwnerGroup, models.Developer: t.DeveloperGroup, models.Viewer: t.ViewerGroup}
	for _, a := range t.Accounts {
		if a.State == models.Deleted {
			continue
		}
		people := views.AccountPeople{Name: a.Name, Class: a.Class}
		for _, role := range []models.TenantRole{models.Owner, models.Developer, models.Viewer} {
			people.Rows = append(people.Rows, accessRow(now, p, a, role, groups[role], seen))
		}
		for _, x := range seen { // of groups that are not the tenant's any more, and could not be taken out
			if x.AccountID == a.ID && x.Group != groups[x.Role] && x.State != models.AccessRemoved {
				people.Rows = append(people.Rows, seenAccess(now, p, a, x))
			}
		}
		d.Accounts = append(d.Accounts, people)
	}
	return d
}

// accessRow is the newest that was seen of a group in a role. One group in two roles with the same permission set has one assignment.
func accessRow(now time.Time, p Portal, a models.Account, role models.TenantRole, group string, seen []models.AccountAccess) views.AccessRow {
	var own []models.AccountAccess
	for _, x := range seen {
		if x.AccountID == a.ID && x.Group == group {
			own = append(own, x)
		}
	}
	slices.SortStableFunc(own, func(x, y models.AccountAccess) int {
		return cmp.Or(stale(x, role)-stale(y, role), y.At.Compare(x.At))
	})
	if len(own) == 0 {
		return views.AccessRow{Role: role, Group: group}
	}
	row := seenAccess(now, p, a, own[0])
	row.Role = role
	return row
}

// stale puts the role's own row first, and living ones before those that were taken away.
func stale(x models.AccountAccess, role models.TenantRole) int {
	n := 0
	if x.State == models.AccessRemoved {
		n += 2
	}
	if x.Role != role {
		n++
	}
	return n
}

func seenAccess(now time.Time, p Portal, a models.Account, x models.AccountAccess) views.AccessRow {
	row := views.AccessRow{Role: x.Role, Group: x.Group, Set: cmp.Or(x.SetName, x.PermissionSet), State: x.State, Detail: x.Detail, Seen: ui.Ago(now, x.At)}
	if x.State == models.AccessAssigned {
		row.URL = models.PortalLink(p.URL, a.AWSID, x.SetName)
	}
	return row
}
