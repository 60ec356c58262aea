package aws

import (
	"context"
	"fmt"
	"slices"

	"slipway/models"
	"slipway/provisioners"
)

// Plan shows groups and budget before and after, and which assignments that adds and ends in each account.
func (c Changing) Plan(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	d, err := c.plan(ctx, p)
	return d, judge(err, 0, false)
}

func (c Changing) plan(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	in, err := changeInputs(p.Request)
	if err != nil {
		return provisioners.Draft{}, err
	}
	tenant, err := c.registry.Tenant(ctx, p.Request.ObjectID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	then := tenant
	then.OwnerGroup, then.DeveloperGroup, then.ViewerGroup, then.Budget = in.OwnerGroup, in.DeveloperGroup, in.ViewerGroup, in.Budget
	d := provisioners.Draft{Region: c.clients.Region, PriceDate: c.prices.Date, PriceDigest: c.prices.Digest}
	var afterwards []models.PlanPart
	accounts := livingAccounts(tenant)
	for _, a := range accounts {
		part, gone, err := c.planPeople(ctx, askedBy(p), then, a, &d)
		if err != nil {
			return d, err
		}
		if len(part.Changes) > 0 {
			d.Parts = append(d.Parts, part)
		}
		if len(gone.Changes) > 0 {
			afterwards = append(afterwards, gone)
		}
	}
	if ch := rowChange(tenant, then); len(ch.Properties) > 0 {
		d.Parts = append(d.Parts, models.PlanPart{Name: "Slipway", Changes: []models.Change{ch}})
	}
	if len(accounts) > 0 {
		part, err := c.planBudget(ctx, askedBy(p), then, accounts)
		if err != nil {
			return d, err
		}
		d.Parts = append(d.Parts, part)
	}
	d.Parts = append(d.Parts, afterwards...)
	return d, c.compareWith(ctx, p, tenant, &d, c.Steps)
}

// livingAccounts are the tenant's accounts that AWS has made, in the order of their classes.
func livingAccounts(t models.Tenant) []models.Account {
	var all []models.Account
	for _, class := range models.Classes() {
		i := slices.IndexFunc(t.Accounts, func(a models.Account) bool { return a.Class == class && a.AWSID != "" && a.State != models.Deleted })
		if i >= 0 {
			all = append(all, t.Accounts[i])
		}
	}
	return all
}

// planPeople is what is assigned in one account, and what ends there once everything else is done.
func (c Changing) planPeople(ctx context.Context, w who, then models.Tenant, a models.Account, d *provisioners.Draft) (in, out models.PlanPart, err error) {
	name := "Account " + then.Slug + "-" + string(a.Class)
	in = models.PlanPart{Name: name, Account: a.AWSID, Class: a.Class}
	out = models.PlanPart{Name: name + ", afterwards", Account: a.AWSID, Class: a.Class}
	if err := c.letPeopleIn(ctx, w, &in, groupsOfTenant(then), d); err != nil || !c.clients.IdentityCenter.On() {
		return in, out, err
	}
	var wanted []grant
	for _, ch := range in.Changes {
		wanted = append(wanted, grantOf(ch))
	}
	gone, err := c.stale(ctx, w, then.ID, a, wanted)
	for _, g := range gone {
		out.Changes = append(out.Changes, g.change(fmt.Sprintf("%s.%s.%s", stepAccessRemove, a.Class, g.role), models.Delete))
	}
	return in, out, err
}

// rowChange is what changes of Slipway's own row.
func rowChange(before, then models.Tenant) models.Change {
	ch := models.Change{Step: stepSave, LogicalID: before.Slug, Type: "Tenant", Action: models.Modify}
	for _, f := range tenantFields {
		if from, to := f.get(before), f.get(then); from != to {
			ch.Properties = append(ch.Properties, models.PropertyChange{Path: f.path, Before: &from, After: &to})
		}
	}
	return ch
}
