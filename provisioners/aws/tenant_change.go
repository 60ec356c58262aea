package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/provisioners"
)

// stepSave changes Slipway's own row of a tenant. The name is stored: never rename it.
const stepSave = "tenant.save"

// Changing plans and makes changes of a tenant's groups and budget: who is let in comes before anybody is let out, and a person who is
// in both never loses access in between. It keeps no state of its own.
type Changing struct{ *Tenants }

// NewChanging makes the provisioner of tenant.change.
func NewChanging(t *Tenants) Changing { return Changing{t} }

// Kind of request that it serves.
func (c Changing) Kind() models.RequestKind { return models.ChangeTenant }

// Steps are named by the plan's changes, in their order.
func (c Changing) Steps(plan models.Plan) ([]provisioners.Step, error) {
	slug := plan.Content.Object
	var steps []provisioners.Step
	seen := map[string]bool{}
	for _, part := range plan.Content.Parts {
		for _, ch := range part.Changes {
			if seen[ch.Step] {
				continue
			}
			seen[ch.Step] = true
			p := place{Tenants: c.Tenants, slug: slug, class: part.Class, part: part, step: ch.Step}
			s, known := p.peopleStep()
			switch {
			case known:
			case ch.Step == stepSave:
				s = p.save()
			case ch.Step == stepBudget:
				s = otherBudget{p}.step()
			default:
				return nil, fmt.Errorf("the plan names step %s, which no change of a tenant has", ch.Step)
			}
			s.Name, s.Part = ch.Step, part.Name
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// tenantFields are what a change may set of the row, by the plan's path.
var tenantFields = []struct {
	path string
	get  func(models.Tenant) string
	set  func(*models.Tenant, string) error
}{
	{"/OwnerGroup", func(t models.Tenant) string { return t.OwnerGroup }, func(t *models.Tenant, v string) error { t.OwnerGroup = v; return nil }},
	{"/DeveloperGroup", func(t models.Tenant) string { return t.DeveloperGroup }, func(t *models.Tenant, v string) error { t.DeveloperGroup = v; return nil }},
	{"/ViewerGroup", func(t models.Tenant) string { return t.ViewerGroup }, func(t *models.Tenant, v string) error { t.ViewerGroup = v; return nil }},
	{"/Budget", func(t models.Tenant) string { return t.Budget.String() }, func(t *models.Tenant, v string) (err error) {
		t.Budget, err = decimal.NewFromString(v)
		return err
	}},
}

// save writes the tenant's row: from then on its new groups have their roles in Slipway.
func (p place) save() provisioners.Step {
	return provisioners.Step{Title: "Change tenant " + p.slug, Find: func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		tenant, err := p.registry.Tenant(ctx, run.ObjectID)
		if err != nil {
			return absent, err
		}
		for _, f := range tenantFields {
			if to := p.property(f.path); to != "" && to != f.get(tenant) {
				return absent, nil
			}
		}
		return present, nil
	}, Start: func(ctx context.Context, run *provisioners.Run) error { return p.write(ctx, run, false) },
		Undo: func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
			err := p.write(ctx, run, true)
			return presence(err == nil), err
		}}
}

// write sets the fields that the plan names, or puts those back that still are as the run has left them.
func (p place) write(ctx context.Context, run *provisioners.Run, back bool) error {
	var bad error
	err := p.registry.SaveTenant(ctx, actorOf(run), run.ObjectID, func(t *models.Tenant) {
		for _, f := range tenantFields {
			from, to := p.was(f.path), p.property(f.path)
			if to == "" || back && f.get(*t) != to {
				continue
			}
			if back {
				to = from
			}
			if err := f.set(t, to); err != nil {
				bad = fmt.Errorf("read %s of the plan: %w", strings.TrimPrefix(f.path, "/"), err)
			}
		}
	})
	if bad != nil {
		return bad
	}
	return err
}

// was is what a path was when the plan was made.
func (p place) was(path string) string {
	for _, ch := range p.changes() {
		for _, prop := range ch.Properties {
			if prop.Path == path && prop.Before != nil {
				return *prop.Before
			}
		}
	}
	return ""
}

func changeInputs(r models.Request) (models.ChangeTenantInputs, error) {
	var in models.ChangeTenantInputs
	if err := json.Unmarshal(r.Inputs, &in); err != nil {
		return in, fmt.Errorf("read the inputs of request %s: %w", r.ID, err)
	}
	return in, nil
}
