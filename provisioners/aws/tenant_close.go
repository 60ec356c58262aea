package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"slipway/models"
	"slipway/provisioners"
)

// Closing plans and makes the end of tenants: everything that they have, then their accounts. It keeps no state but what planning has read.
type Closing struct {
	*Stacks
	tenants  *Tenants
	registry provisioners.Registry

	mu    sync.Mutex
	plans map[string]*slice // by request
}

// NewClosing makes the provisioner of tenant.close.
func NewClosing(t *Tenants, s *Stacks) *Closing {
	return &Closing{Stacks: s, tenants: t, registry: t.registry, plans: map[string]*slice{}}
}

// Kind of request that it serves.
func (c *Closing) Kind() models.RequestKind { return models.CloseTenant }

// The steps of a tenant's end. Names are stored: never rename one. Those of accounts are followed by the account's class; those of what
// the accounts hold begin with content, the object's type and name, and end with the words of object.go.
const (
	stepRefuse       = "tenant.refuse"
	stepEndReceipt   = "tenant.receipt"
	stepBudgetRemove = "tenant.budget.remove"
	stepScan         = "account.scan"
	stepSuspend      = "account.suspend"
	stepClose        = "account.close"
	stepRelease      = "account.release"

	verbUndelegate = "undelegate"
)

// ending is one account, or the organization, as the end of a tenant sees it: its part of the plan says where it is and whose.
type ending struct {
	*Closing
	part models.PlanPart
}

func (e ending) tenant() string { return e.part.Tags[models.TagTenant] }

// row is the id of Slipway's own row of the account.
func (e ending) row() string { return e.part.Tags[tagAccountRow] }

// name of the account.
func (e ending) name() string { return strings.TrimPrefix(e.part.Name, "Account ") }

func (e ending) step(name string) string { return name + "." + string(e.part.Class) }

// change is the plan's change of one of its steps; not ok: the plan does not name it.
func (e ending) change(step string) (models.Change, bool) {
	i := slices.IndexFunc(e.part.Changes, func(ch models.Change) bool { return ch.Step == step })
	if i < 0 {
		return models.Change{}, false
	}
	return e.part.Changes[i], true
}

// beforeOf is a property of a change as the plan found it.
func wasBefore(ch models.Change, path string) string {
	for _, p := range ch.Properties {
		if p.Path == path && p.Before != nil {
			return *p.Before
		}
	}
	return ""
}

// content is one thing in the tenant's accounts as its end sees it.
func (c *Closing) content(part models.PlanPart) object {
	o := c.objectOf(part)
	o.named = "content." + string(o.typ) + "." + o.name()
	return o
}

// baseline is the baseline stack of one account as its end sees it.
func (c *Closing) baseline(part models.PlanPart) object {
	return object{Stacks: c.Stacks, typ: models.TenantObject, part: part, named: stepBaseline + "." + string(part.Class)}
}

// Steps are in the order in which a tenant can end: nothing new is asked for, what it has goes, the accounts are searched and the receipt
// is written while Slipway's roles still work, then people lose their access, and the accounts are closed at the very end.
func (c *Closing) Steps(plan models.Plan) ([]provisioners.Step, error) {
	if err := json.Unmarshal(plan.Content.Inputs, &models.CloseTenantInputs{}); err != nil {
		return nil, fmt.Errorf("read the inputs of plan %s: %w", plan.ID, err)
	}
	steps := []provisioners.Step{c.refuseStep(plan.Content.Object)}
	var accounts []ending
	var organization *ending
	for _, part := range plan.Content.Parts {
		e := ending{Closing: c, part: part}
		switch {
		case part.Tags[models.TagObject] != "":
			steps = append(steps, c.contentSteps(c.content(part))...)
		case part.Mode == models.StackDelete:
			steps = append(steps, stackEnd(c.baseline(part))...)
		case part.Tags[tagAccountRow] != "":
			accounts = append(accounts, e)
		default:
			organization = &e
		}
	}
	if organization == nil {
		return nil, fmt.Errorf("plan %s does not say what becomes of the tenant itself", plan.ID)
	}
	steps = append(steps, named(accounts, map[string]func(ending) provisioners.Step{stepScan: ending.scanStep})...)
	steps = append(steps, c.receiptOf(*organization, plan))
	steps = append(steps, named(accounts, map[string]func(ending) provisioners.Step{stepAccessRemove: ending.accessStep})...)
	if _, ok := organization.change(stepBudgetRemove); ok {
		steps = append(steps, organization.budgetStep())
	}
	steps = append(steps, named(accounts, map[string]func(ending) provisioners.Step{stepSuspend: ending.suspendStep})...)
	return append(steps, named(accounts, map[string]func(ending) provisioners.Step{stepClose: ending.closeStep, stepRelease: ending.releaseStep})...), nil
}

// named are the steps of one stage that the plan names, account by account.
func named(accounts []ending, stage map[string]func(ending) provisioners.Step) []provisioners.Step {
	var steps []provisioners.Step
	for _, e := range accounts {
		for _, name := range sortedKeys(stage) {
			if _, ok := e.change(e.step(name)); ok {
				s := stage[name](e)
				s.Name, s.Part = e.step(name), e.part.Name
				steps = append(steps, s)
			}
		}
	}
	return steps
}

// contentSteps end one thing: what is in it, what names it, its stack, and Slipway's row of it.
func (c *Closing) contentSteps(o object) []provisioners.Step {
	var steps []provisioners.Step
	if len(o.changes(o.step(verbUndelegate))) > 0 {
		s := o.undelegateStep()
		s.Name, s.Part = o.step(verbUndelegate), o.part.Name
		steps = append(steps, s)
	}
	steps = append(steps, stackEnd(o)...)
	return append(steps, provisioners.Step{Name: o.step(stepObjectReceipt), Part: o.part.Name, Title: "Look for what is left of " + o.words(),
		Find: o.look(func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
			return c.endContent(ctx, run, o)
		}), Stays: o.words() + " is gone"})
}

// stackEnd empties and deletes a stack, as far as the plan names that.
func stackEnd(o object) []provisioners.Step {
	var steps []provisioners.Step
	for _, verb := range []string{stepObjectEmpty, stepObjectRemove} {
		if len(o.changes(o.step(verb))) == 0 {
			continue
		}
		s := o.emptyStep()
		if verb == stepObjectRemove {
			s = o.removeStep()
		}
		s.Name, s.Part = o.step(verb), o.part.Name
		steps = append(steps, s)
	}
	return steps
}

// refuseStep lets nothing new begin, and compares what the tenant has with what was approved.
func (c *Closing) refuseStep(slug string) provisioners.Step {
	return provisioners.Step{Name: stepRefuse, Title: "Refuse new requests about " + slug, Part: "Slipway",
		Find: func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
			tenant, err := c.registry.Tenant(ctx, run.ObjectID)
			if err != nil || tenant.ClosingAt.IsZero() {
				return absent, err
			}
			return present, c.unplanned(ctx, run, tenant)
		},
		Start: func(ctx context.Context, run *provisioners.Run) error {
			return c.registry.BeginClosing(ctx, actorOf(run), run.RequestID)
		},
		Undo: func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
			return present, c.registry.StopClosing(ctx, actorOf(run), run.RequestID)
		}}
}

// unplanned says what the tenant has that the plan does not name: it was made between plan and approval.
func (c *Closing) unplanned(ctx context.Context, run *provisioners.Run, tenant models.Tenant) error {
	contents, err := c.registry.Contents(ctx, run.ObjectID)
	if err != nil {
		return err
	}
	planned := map[string]bool{}
	for _, part := range run.Plan.Content.Parts {
		planned[part.Tags[models.TagObject]], planned[part.Tags[tagAccountRow]] = true, true
	}
	var said []string
	for _, st := range contents {
		if !planned[st.ObjectID] {
			said = append(said, fmt.Sprintf("there is %s %s, which the plan does not name", st.ObjectType, st.ObjectName))
		}
	}
	for _, a := range tenant.Accounts {
		if a.State != models.Deleted && !planned[a.ID] {
			said = append(said, fmt.Sprintf("there is account %s, which the plan does not name", a.Name))
		}
	}
	if len(said) > 0 {
		return provisioners.Mismatch{Words: strings.Join(said, "; ")}
	}
	return nil
}

// accessStep ends what IAM Identity Center gives people in the account.
func (e ending) accessStep() provisioners.Step {
	s := place{Tenants: e.tenants, slug: e.tenant(), class: e.part.Class, part: e.part, step: e.step(stepAccessRemove)}.letOut()
	back := s.Undo
	s.Undo = func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		a, err := e.registry.Account(ctx, e.row())
		if err != nil || a.State == models.Deleted { // closed or released: nobody of the tenant gets into it again
			return presence(err == nil), err
		}
		return back(ctx, run)
	}
	return s
}

// look and act put the meaning of AWS's errors around a step's functions.
func (e ending) look(fn func(context.Context, *provisioners.Run) (provisioners.Result, error)) func(context.Context, *provisioners.Run) (provisioners.Result, error) {
	return object{}.look(fn)
}

func (e ending) act(fn func(context.Context, *provisioners.Run) error) func(context.Context, *provisioners.Run) error {
	return object{}.act(fn)
}
