package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"slipway/models"
	"slipway/provisioners"
)

// stepAccountRecord makes Slipway's row of one more account that is made for a tenant. The name is stored: never rename it.
const stepAccountRecord = "account.record"

// Additions plans and works what brings one account to a tenant that is there: a new one, one that is enrolled, or one that was enrolled
// by hand and moves. It keeps no state of its own.
type Additions struct {
	*Tenants
	kind models.RequestKind
}

// Additions serve the kinds of request that are about one account of a tenant.
func (t *Tenants) Additions() []provisioners.Provisioner {
	return []provisioners.Provisioner{Additions{t, models.AddAccount}, Additions{t, models.EnrolAccount}, Additions{t, models.MoveAccount}}
}

// Kind of request that it serves.
func (a Additions) Kind() models.RequestKind { return a.kind }

// Steps are named by the plan's changes. The tenant's slug is the object's name.
func (a Additions) Steps(plan models.Plan) ([]provisioners.Step, error) {
	return a.stepsOf(plan, plan.Content.Object)
}

// Plan says what the account would bring, with what is there already.
func (a Additions) Plan(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	d, err := a.plan(ctx, p)
	return d, judge(err, 0, false)
}

func (a Additions) plan(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	var in models.AccountInputs
	if err := json.Unmarshal(p.Request.Inputs, &in); err != nil {
		return provisioners.Draft{}, fmt.Errorf("read the inputs of request %s: %w", p.Request.ID, err)
	}
	tenant, err := a.registry.Tenant(ctx, p.Request.ObjectID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	if a.kind == models.MoveAccount {
		return a.planMove(ctx, p, in, tenant)
	}
	whole := models.TenantInputs{Slug: tenant.Slug, CostCentre: tenant.CostCentre, Budget: tenant.Budget,
		OwnerGroup: tenant.OwnerGroup, DeveloperGroup: tenant.DeveloperGroup, ViewerGroup: tenant.ViewerGroup, Classes: []models.Class{in.Class}}
	if a.kind == models.EnrolAccount {
		whole.Enrol = []models.AccountInputs{in}
	}
	d, err := a.accountParts(ctx, p, whole, tenant)
	if err != nil {
		return d, err
	}
	if a.kind == models.AddAccount {
		record := models.Change{Step: stepAccountRecord + "." + string(in.Class), LogicalID: "Record", Type: "Account in Slipway", Action: models.Add,
			Properties: []models.PropertyChange{after("/Name", tenant.Slug+"-"+string(in.Class))}}
		d.Parts[0].Changes = slices.Insert(d.Parts[0].Changes, 0, record)
	}
	pulls, err := a.pulls(ctx, tenant, in.Class, d.Parts[0].Account)
	if err != nil {
		return d, err
	}
	d.Parts = append(append(d.Parts, pulls...), a.widerBudget(tenant, in.Class))
	return d, a.compareWith(ctx, p, tenant, &d, a.Steps)
}

// widerBudget is the tenant's budget over one more account.
func (t *Tenants) widerBudget(tenant models.Tenant, class models.Class) models.PlanPart {
	var have, all []string
	for _, c := range models.Classes() {
		there := slices.ContainsFunc(tenant.Accounts, func(a models.Account) bool { return a.Class == c && a.AWSID != "" && a.State != models.Deleted })
		if there && c != class {
			have = append(have, string(c))
		}
		if there || c == class {
			all = append(all, string(c))
		}
	}
	part := t.budgetPart(models.TenantInputs{Slug: tenant.Slug, Budget: tenant.Budget})
	ch := &part.Changes[0]
	if len(have) == 0 {
		*ch = t.budgetPart(models.TenantInputs{Slug: tenant.Slug, Budget: tenant.Budget, Classes: []models.Class{class}}).Changes[0]
		return part
	}
	ch.Action, ch.Note = models.Modify, "It watches one more account."
	for i := range ch.Properties {
		if ch.Properties[i].Path == budgetAccounts {
			ch.Properties[i] = models.PropertyChange{Path: budgetAccounts, Before: sdk.String(join(have)), After: sdk.String(join(all))}
		}
	}
	return part
}

// recordAccount makes Slipway's own row of a new account of a tenant that is there.
func (p place) recordAccount() provisioners.Step {
	return provisioners.Step{Title: "Register account " + p.name(), Find: func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		tenant, err := p.registry.Tenant(ctx, run.ObjectID)
		if err != nil {
			return absent, err
		}
		for _, a := range tenant.Accounts {
			if a.Class == p.class && a.State != models.Deleted {
				return provisioners.Result{Found: provisioners.Present, Outputs: map[string]string{"row": a.ID}}, nil
			}
		}
		return absent, nil
	}, Start: func(ctx context.Context, run *provisioners.Run) error {
		_, err := p.registry.EnsureAccount(ctx, actorOf(run), run.RequestID, p.class, nil)
		return err
	}, Stays: "the name " + p.name() + " stays taken"}
}

// planMove plans the way of an account that was enrolled where it stood into the unit of its class.
func (a Additions) planMove(ctx context.Context, p provisioners.Planning, in models.AccountInputs, tenant models.Tenant) (provisioners.Draft, error) {
	i := slices.IndexFunc(tenant.Accounts, func(row models.Account) bool { return row.Class == in.Class && row.State != models.Deleted })
	if i < 0 || !tenant.Accounts[i].ByHand {
		return provisioners.Draft{}, lacking("Tenant %s has no %s account whose roles are kept by hand.", "There is nothing to move.", tenant.Slug, in.Class)
	}
	row := tenant.Accounts[i]
	in.AWSID, in.Move = row.AWSID, true
	org := organizationsClient(a.clients.org(askedBy(p), lookAtOrganization))
	f := findings{}
	var err error
	if f.policies, err = a.unitPolicies(ctx, org, in.Class); err != nil {
		return provisioners.Draft{}, err
	}
	if err := a.planEnrolment(ctx, askedBy(p), org, in, owner{tenant.ID, tenant.Slug}, &f); err != nil {
		return provisioners.Draft{}, err
	}
	e, suffix := *f.enrol, "."+string(in.Class)
	part := models.PlanPart{Name: "Account " + tenant.Slug + "-" + string(in.Class), Account: row.AWSID, Class: in.Class, Region: a.clients.Region}
	part.Changes = append(part.Changes, models.Change{Step: stepDetach + suffix, LogicalID: models.ManualStack, Type: "CloudFormation stack", Action: models.Delete,
		Note: "A person deletes it, with the command that the run shows. From then until the stack set has delivered its own, Slipway cannot get into the account: nothing else runs there."})
	if !e.inside() {
		part.Changes = append(part.Changes, moving(stepMove+suffix, e.at.parent(), e.unit.units[0]))
		part.Changes = append(part.Changes, moved(stepMove+suffix, e.at.path, e.unit)...)
	}
	inherits(&part, f.policies)
	a.addAccess(&part)
	return provisioners.Draft{Region: a.clients.Region, PriceDate: a.prices.Date, PriceDigest: a.prices.Digest, Parts: []models.PlanPart{part}, Notes: f.notes}, nil
}
