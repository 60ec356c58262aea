package aws

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"slipway/models"
	"slipway/provisioners"
)

// notConfigured is what plans say where nothing lets people in.
const notConfigured = "IAM Identity Center is not configured: nobody gets access to the AWS accounts through Slipway."

// roleGroups are a tenant's groups by role.
type roleGroups map[models.TenantRole]string

func groupsOf(in models.TenantInputs) roleGroups {
	return roleGroups{models.Owner: in.OwnerGroup, models.Developer: in.DeveloperGroup, models.Viewer: in.ViewerGroup}
}

// groupsOfTenant are those of a tenant that exists.
func groupsOfTenant(t models.Tenant) roleGroups {
	return roleGroups{models.Owner: t.OwnerGroup, models.Developer: t.DeveloperGroup, models.Viewer: t.ViewerGroup}
}

// letPeopleIn adds to an account's part what lets the tenant's groups in, and to the draft what its readers must know of it. It is the
// last of what is done in an account: its policies and baseline come first.
func (t *Tenants) letPeopleIn(ctx context.Context, w who, part *models.PlanPart, groups roleGroups, d *provisioners.Draft) error {
	if !t.clients.IdentityCenter.On() {
		d.Notes = unique(append(d.Notes, notConfigured))
		return nil
	}
	grants, notes, err := t.grants(ctx, w, part.Class, groups)
	if err != nil {
		return err
	}
	d.Notes = unique(append(d.Notes, notes...))
	for _, g := range grants {
		part.Changes = append(part.Changes, g.change(fmt.Sprintf("%s.%s.%s", stepPeople, part.Class, g.role), models.Add))
	}
	return nil
}

// grants are the assignments that a class of accounts should have. Two roles of one group with the same permission set are one of them.
func (t *Tenants) grants(ctx context.Context, w who, class models.Class, groups roleGroups) (all []grant, notes []string, err error) {
	api := t.clients.people(w, lookAtAccess)
	for _, role := range tenantRoles {
		g := grant{role: role, group: groups[role], set: t.clients.IdentityCenter.set(role, class)}
		if slices.ContainsFunc(all, func(have grant) bool { return have.group == g.group && have.set == g.set }) {
			continue
		}
		if g.setName, err = api.setName(ctx, g.set); err != nil {
			return nil, nil, err
		}
		if g.setName == "" {
			return nil, nil, noSetFor(g, class)
		}
		id, err := api.groupID(ctx, g.group)
		if err != nil {
			return nil, nil, err
		}
		if id == "" {
			notes = append(notes, fmt.Sprintf("The group %s is not in the identity store of IAM Identity Center yet; the run waits for it.", g.group))
		}
		all = append(all, g)
	}
	return all, notes, nil
}

// stale are the assignments of an account that Slipway has made and that are not wanted: of groups or permission sets that were replaced,
// or all of them. Those that somebody else made are not Slipway's to take away.
func (t *Tenants) stale(ctx context.Context, w who, tenant string, account models.Account, wanted []grant) ([]grant, error) {
	rows, err := t.registry.Access(ctx, tenant)
	if err != nil || account.AWSID == "" {
		return nil, err
	}
	api := t.clients.people(w, lookAtAccess)
	var all []grant
	for _, row := range rows {
		g := grant{role: row.Role, group: row.Group, groupID: row.GroupID, set: row.PermissionSet, setName: row.SetName}
		same := func(o grant) bool { return o.group == g.group && o.set == g.set }
		if row.AccountID != account.ID || row.State == models.AccessRemoved || g.groupID == "" || slices.ContainsFunc(wanted, same) || slices.ContainsFunc(all, same) {
			continue
		}
		there, err := api.has(ctx, account.AWSID, g)
		if err != nil {
			return nil, err
		}
		if there {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b grant) int {
		return cmp.Or(cmp.Compare(a.role, b.role), cmp.Compare(a.group, b.group), cmp.Compare(a.set, b.set))
	})
	return all, nil
}

// removals are the changes that end all access that Slipway gave to an account, in one step.
func (t *Tenants) removals(ctx context.Context, w who, account models.Account) ([]models.Change, error) {
	if !t.clients.IdentityCenter.On() {
		return nil, nil
	}
	gone, err := t.stale(ctx, w, account.TenantID, account, nil)
	var changes []models.Change
	for _, g := range gone {
		changes = append(changes, g.change(stepAccessRemove+"."+string(account.Class), models.Delete))
	}
	return changes, err
}
