package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/models"
	"slipway/models/price"
	"slipway/provisioners"
)

// Stacks is what plans and steps of networks, zones, services and environments share. It keeps no state of its own.
type Stacks struct {
	clients *Clients
	books   provisioners.Objects
	prices  *price.List
}

// NewStacks makes what the provisioners of stacks share.
func NewStacks(c *Clients, books provisioners.Objects, prices *price.List) *Stacks {
	return &Stacks{clients: c, books: books, prices: prices}
}

// The steps of things with a stack. Names are stored: never rename one. Each has the object's type in front: environment.stack.
const (
	stepObjectRecord  = "record"  // make Slipway's own row
	stepObjectStack   = "stack"   // execute the change set and follow it
	stepObjectOutcome = "outcome" // write down what came of it
	stepObjectEmpty   = "empty"
	stepObjectRemove  = "remove"
	stepObjectReceipt = "receipt"
	stepZoneDelegate  = "delegate"
	stepNetworkVerify = "verify"
	stepHandshake     = "handshake" // a person finishes a connection
	stepNote          = "note"      // Slipway's own row only
)

// object is one thing with a stack as a plan or a step sees it: its share of the plan says where it is and whose.
type object struct {
	*Stacks
	typ   models.ObjectType
	part  models.PlanPart
	named string // what its steps' names begin with; empty: its type
}

// objectOf reads what a part is about from its owner tags.
func (s *Stacks) objectOf(part models.PlanPart) object {
	o := object{Stacks: s, part: part, typ: models.EnvironmentObject}
	for typ, tag := range nameTags {
		if part.Tags[tag] != "" && part.Tags[models.TagEnvironment] == "" {
			o.typ = typ
		}
	}
	return o
}

// nameTags are the tags that name an object, by its type.
var nameTags = map[models.ObjectType]string{models.EnvironmentObject: models.TagEnvironment, models.NetworkObject: models.TagNetwork, models.ServiceObject: models.TagService,
	models.ZoneObject: models.TagZone, models.ConnectionObject: models.TagConnection, models.PipelineObject: models.TagPipeline, models.IdentityProviderObject: models.TagWorkflows}

// id is the object's opaque id: the owner tag of everything in its stack.
func (o object) id() string { return o.part.Tags[models.TagObject] }

// tenant is the slug of the tenant that owns it.
func (o object) tenant() string { return o.part.Tags[models.TagTenant] }

// words names it within a sentence: "environment orders-dev".
func (o object) words() string {
	if o.part.Name == "" {
		return string(o.typ)
	}
	return strings.ToLower(o.part.Name[:1]) + o.part.Name[1:]
}

// step is the stored name of one of its steps.
func (o object) step(verb string) string {
	if o.named != "" {
		return o.named + "." + verb
	}
	return string(o.typ) + "." + verb
}

// stack is its stack in the session of a run.
func (o object) stack(run *provisioners.Run) stack { return o.stackFor(workOf(run)) }

func (o object) stackFor(w who) stack {
	return stack{clients: o.clients, account: o.part.Account, region: o.part.Region, name: o.part.StackName, who: w}
}

// changes are the plan's changes of one of its steps.
func (o object) changes(step string) []models.Change {
	var own []models.Change
	for _, ch := range o.part.Changes {
		if ch.Step == step {
			own = append(own, ch)
		}
	}
	return own
}

// look and act put the meaning of AWS's errors around a step's functions.
func (o object) look(fn func(context.Context, *provisioners.Run) (provisioners.Result, error)) func(context.Context, *provisioners.Run) (provisioners.Result, error) {
	return func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		res, err := fn(ctx, run)
		return res, permitted(err, run.Waited)
	}
}

func (o object) act(fn func(context.Context, *provisioners.Run) error) func(context.Context, *provisioners.Run) error {
	return func(ctx context.Context, run *provisioners.Run) error {
		return permitted(fn(ctx, run), run.Waited)
	}
}

// permissionLimit is how long a step waits for a permission that somebody has to give back.
const permissionLimit = 24 * time.Hour

// permitted is judge for accounts that were reached before: there a refusal means that somebody took a permission away, so what needs
// it waits, says which one, and goes on by itself once it is there again.
func permitted(err error, waited time.Duration) error {
	var e *CallError
	if errors.As(err, &e) && waited < permissionLimit {
		if m := e.meaning(); m.fresh {
			return provisioners.Wait{For: "a permission", Words: e.fill(m.what) + " " + e.fill(m.next)}
		}
	}
	return judge(err, waited, false)
}

// around are the steps that a part's changes do not name, as they change nothing in an account: Slipway's own row before them, what
// came of them after.
var around = map[models.StackMode]struct{ before, after []string }{
	models.StackCreate:  {[]string{stepObjectRecord}, []string{stepObjectOutcome}},
	models.StackUpdate:  {nil, []string{stepObjectOutcome}},
	models.StackRevert:  {nil, []string{stepObjectOutcome}},
	models.StackRecover: {nil, []string{stepObjectOutcome}},
	models.StackDelete:  {nil, []string{stepObjectReceipt}},
}

// stepsOf are the steps that a plan's changes name, in their order, so that what was approved decides what is done.
func (s *Stacks) stepsOf(plan models.Plan) ([]provisioners.Step, error) {
	var steps []provisioners.Step
	for _, part := range plan.Content.Parts {
		o := s.objectOf(part)
		var names []string
		for _, verb := range around[part.Mode].before {
			names = append(names, o.step(verb))
		}
		for _, ch := range part.Changes {
			if ch.Step != "" && !slices.Contains(names, ch.Step) {
				names = append(names, ch.Step)
			}
		}
		for _, verb := range around[part.Mode].after {
			names = append(names, o.step(verb))
		}
		for _, name := range names {
			step, err := o.build(name)
			if err != nil {
				return nil, err
			}
			steps = append(steps, step)
		}
	}
	return steps, nil
}

// build makes the step of a name: the object's type and one of the words above.
func (o object) build(name string) (provisioners.Step, error) {
	typ, verb, _ := strings.Cut(name, ".")
	build := map[string]func() provisioners.Step{stepObjectRecord: o.recordStep, stepObjectStack: o.stackStep, stepObjectOutcome: o.outcomeStep, stepNote: o.noteStep,
		stepObjectEmpty: o.emptyStep, stepObjectRemove: o.removeStep, stepObjectReceipt: o.receiptStep, stepZoneDelegate: o.delegateStep, stepHandshake: o.handshakeStep}[verb]
	if o.registered() {
		build = map[string]func() provisioners.Step{stepObjectRecord: o.recordStep, stepNetworkVerify: o.verifyStep, stepObjectOutcome: o.registeredOutcome, stepObjectReceipt: o.receiptStep}[verb]
	}
	if build == nil || typ != string(o.typ) {
		return provisioners.Step{}, fmt.Errorf("the plan names step %q in part %q", name, o.part.Name)
	}
	step := build()
	step.Name, step.Part = name, o.part.Name
	return step, nil
}
