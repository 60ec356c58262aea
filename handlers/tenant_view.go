package handlers

import (
	"fmt"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// tenantView turns what the store knows of a tenant into its page.
func tenantView(now time.Time, a models.Actor, t models.TenantPage) views.Tenant {
	d := views.Tenant{
		Slug: t.Tenant.Slug, Name: t.Tenant.DisplayName, Description: t.Tenant.Description, State: t.Tenant.State, CostCentre: t.Tenant.CostCentre,
		Made: ui.Ago(now, t.Tenant.CreatedAt), RequestID: t.Request.ID, RequestNumber: number(t.Request.Number), RunID: t.Request.RunID,
		Failure: views.FailureOf(t.Failure), Budget: ui.Dollars(t.Tenant.Budget), Requests: rowsOf(now, t.Requests, requestRow),
		Runs: rowsOf(now, t.Runs, runRow), SeesAll: a.SeesAll(), Accounts: accountCards(now, t.Tenant),
	}
	lifeView(&d, now, a, t)
	_, d.CanRetry = t.Request.MayMove(a, models.Running)
	for _, r := range t.Runs {
		if r.ID == t.Request.RunID && t.Tenant.State == models.Creating {
			d.Progress = runNote(r)
		}
		if t.Tenant.State == models.Changing && r.EndedAt.IsZero() && r.Kind.Object() == models.TenantObject {
			d.NowRun, d.Progress = r.ID, runNote(r)
		}
	}
	if e := t.Tenant.Estimate; e != nil {
		d.Estimate, d.Share, d.Left = ui.USD(*e), share(*e, t.Tenant.Budget), left(*e, t.Tenant.Budget)
	}
	if t.Plan != nil {
		d.PriceNote, d.NotEstimated = priceNote(t.Plan.Notes), t.Plan.Notes.NotEstimated
	}
	for _, g := range t.Groups {
		d.Members = append(d.Members, memberGroup(now, g))
	}
	d.Activity = activities(now, t.Entries)
	return d
}

func memberGroup(now time.Time, g models.GroupPeople) views.MemberGroup {
	m := views.MemberGroup{Role: g.Role, Group: g.Group, More: max(0, g.Total-len(g.People))}
	for _, p := range g.People {
		m.People = append(m.People, views.PersonSeen{Name: p.Name, Email: p.Email, Seen: ui.Ago(now, p.GroupsSeenAt)})
	}
	return m
}

// priceNote says whose prices an estimate used, and of which day.
func priceNote(n models.PlanNotes) string {
	if n.PriceDate == "" {
		return ""
	}
	day := n.PriceDate
	if t, err := time.Parse(time.DateOnly, day); err == nil {
		day = t.Format("2 Jan 2006")
	}
	return fmt.Sprintf("%s list prices of %s", n.Region, day)
}

func requestURL(id string) string { return urls.Request(id) }

func runURL(id string) string { return urls.Run(id) }
