package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/models/blueprint"
)

// cfnStep is one thing that is going to happen to a stack.
type cfnStep struct {
	Kind     string // begin, made, done, fail, delete, deleted, skip, cleanup, finish
	ID       string // logical id, empty for the stack
	Change   string // Add, Modify or Replace: what begin does
	Status   string // of the stack, for finish and cleanup
	Reason   string
	Resource *cfnResource `json:",omitempty"` // what begin makes of it; what delete removes, when it is not the current one
	due      time.Time
}

// schedule keeps the steps of a stack in the order they are due.
func (c *Call) schedule(ctx context.Context, s *cfnStack, steps []cfnStep) error {
	slices.SortStableFunc(steps, func(a, b cfnStep) int { return a.due.Compare(b.due) })
	for _, step := range steps {
		if _, err := c.Tx.Exec(ctx, `INSERT INTO stack_steps (stack, due_at, body) VALUES ($1, $2, $3)`, s.ID, step.due, step); err != nil {
			return fmt.Errorf("schedule %s: %w", s.Name, err)
		}
	}
	return nil
}

// inputs are what a stack's definition is resolved with.
func (s *cfnStack) inputs(d cfnDefinition) blueprint.Inputs {
	return blueprint.Inputs{Parameters: d.Parameters, Account: s.Account, Region: s.Region, StackName: s.Name, StackID: s.ID, Tags: d.Tags}
}

// planned is one resource of an operation about to start.
type planned struct {
	res    *cfnResource
	change string // Keep, Add, Modify or Replace
}

// work decides for every resource of a definition what happens to it, and works out its
// properties, with the ids of what will be there by then.
func (c *Call) work(s *cfnStack, d cfnDefinition, old map[string]*cfnResource) ([]planned, []cfnOutput, error) {
	t, err := blueprint.Parse([]byte(d.Template))
	if err != nil {
		return nil, nil, fmt.Errorf("template of %s: %w", s.Name, err)
	}
	var all []planned
	made := map[string]*cfnResource{}
	in := s.inputs(d)
	in.Attr = func(id, attr string) (any, bool) { return made[id].attribute(attr) }
	in.Each = func(r blueprint.ResolvedResource) {
		p := c.decide(s, r, old[r.ID])
		made[r.ID] = p.res
		all = append(all, p)
	}
	resolved, err := t.Resolve(in)
	if err != nil {
		return nil, nil, err
	}
	var outputs []cfnOutput
	for _, o := range resolved.Outputs {
		outputs = append(outputs, cfnOutput{o.Name, o.Value, o.Description, o.Export})
	}
	return all, outputs, nil
}

// attribute is what Ref and GetAtt get of a resource.
func (r *cfnResource) attribute(name string) (any, bool) {
	if r == nil || r.Physical == "" {
		return nil, false
	}
	if name == "Ref" {
		return r.Physical, true
	}
	v, ok := r.Attributes[name]
	for outer := name; !ok && strings.Contains(outer, "."); { // an attribute of a nested stack or custom object
		outer = outer[:strings.LastIndexByte(outer, '.')]
		if _, known := r.Attributes[outer]; known {
			return strings.ToLower(r.Physical + "." + name), true
		}
	}
	return v, ok
}

// decide says what becomes of one resource. Its properties are read as JSON has them, so
// that they compare with what was stored.
func (c *Call) decide(s *cfnStack, r blueprint.ResolvedResource, old *cfnResource) planned {
	r.Properties = asJSON(r.Properties)
	res := &cfnResource{ID: r.ID, Type: r.Type, Properties: r.Properties, Tags: r.Tags, Depends: r.DependsOn, DeletionPolicy: r.DeletionPolicy, UpdateReplacePolicy: r.UpdateReplacePolicy, Operation: s.Operation}
	if old == nil || !old.live() {
		res.Physical, res.Attributes = identify(s, r, s.Operation)
		return planned{res, "Add"}
	}
	changes := blueprint.Diff(single(old.resolved()), single(r))
	if len(changes) > 0 && (changes[0].Action == blueprint.Add || changes[0].Replacement == blueprint.ReplacementTrue) {
		res.Physical, res.Attributes = identify(s, r, s.Operation)
		return planned{res, "Replace"}
	}
	res.Physical, res.Attributes, res.Operation = old.Physical, old.Attributes, old.Operation
	res.Status, res.Reason, res.At = old.Status, old.Reason, old.At
	if len(changes) == 0 {
		return planned{res, "Keep"}
	}
	return planned{res, "Modify"}
}

func single(r blueprint.ResolvedResource) *blueprint.Resolved {
	return &blueprint.Resolved{Resources: []blueprint.ResolvedResource{r}}
}

func (r *cfnResource) resolved() blueprint.ResolvedResource {
	return blueprint.ResolvedResource{ID: r.ID, Type: r.Type, Properties: r.Properties, Tags: r.Tags, DependsOn: r.Depends, DeletionPolicy: r.DeletionPolicy, UpdateReplacePolicy: r.UpdateReplacePolicy}
}

func asJSON(m map[string]any) map[string]any {
	out := map[string]any{}
	if b, err := json.Marshal(m); err == nil { // maps, lists and scalars always marshal
		_ = json.Unmarshal(b, &out)
	}
	return out
}

// begin freezes what an operation does from at on: everything that has what it needs goes
// on at the same time.
func (c *Call) begin(ctx context.Context, s *cfnStack, all []planned, verb string, at time.Time) error {
	ready := map[string]time.Time{}
	var steps []cfnStep
	end := at
	for _, p := range all {
		start := at.Add(c.pause(s, time.Second))
		for _, d := range p.res.Depends {
			if t := ready[d]; t.After(start) {
				start = t
			}
		}
		ready[p.res.ID] = start
		if p.change == "Keep" {
			if err := c.saveResource(ctx, s, p.res); err != nil {
				return err
			}
			continue
		}
		took := c.duration(s, p.res.Type, p.res.ID, p.change)
		fault, failing, err := c.fault(ctx, s.Account, s.Name, p.res.ID)
		if err != nil {
			return err
		}
		steps = append(steps, cfnStep{Kind: "begin", ID: p.res.ID, Change: p.change, Resource: p.res, due: start})
		if p.change != "Modify" {
			steps = append(steps, cfnStep{Kind: "made", ID: p.res.ID, Change: p.change, due: start.Add(took * 3 / 10)})
		}
		last := cfnStep{Kind: "done", ID: p.res.ID, Change: p.change, due: start.Add(took)}
		if failing {
			last = cfnStep{Kind: "fail", ID: p.res.ID, Change: p.change, Reason: failureWords(p.res, fault), due: start.Add(took * 6 / 10)}
		}
		steps = append(steps, last)
		ready[p.res.ID] = start.Add(took)
		if t := ready[p.res.ID]; t.After(end) {
			end = t
		}
	}
	end = end.Add(c.pause(s, time.Second))
	if verb == "CREATE" {
		steps = append(steps, cfnStep{Kind: "finish", Status: "CREATE_COMPLETE", due: end})
	} else {
		steps = append(steps, cfnStep{Kind: "cleanup", Status: "UPDATE_COMPLETE", due: end})
	}
	return c.schedule(ctx, s, steps)
}

func failureWords(r *cfnResource, reason string) string {
	if reason != "" {
		return reason
	}
	service := strings.Split(r.Type, "::")[1]
	return fmt.Sprintf(`Resource handler returned message: "Internal failure (Service: %s, Status Code: 500, Request ID: %s)" (RequestToken: %s, HandlerErrorCode: GeneralServiceException)`,
		service, newRequestID(), newRequestID())
}

// removals schedules the deletion of resources, what needs others first. The policy decides
// whether one is really removed. It returns when the last one is gone.
func (c *Call) removals(s *cfnStack, list []*cfnResource, at time.Time, retain func(*cfnResource) bool) ([]cfnStep, time.Time) {
	needed := map[string][]string{} // by whom
	for _, r := range list {
		for _, d := range r.Depends {
			needed[d] = append(needed[d], r.ID)
		}
	}
	gone := map[string]time.Time{}
	var steps []cfnStep
	end := at
	left := slices.Clone(list)
	for len(left) > 0 {
		var next []*cfnResource
		for _, r := range slices.Backward(left) {
			waits := slices.ContainsFunc(needed[r.ID], func(id string) bool {
				return id != r.ID && slices.ContainsFunc(left, func(x *cfnResource) bool { return x.ID == id })
			})
			if waits {
				next = append([]*cfnResource{r}, next...)
				continue
			}
			start := at
			for _, id := range needed[r.ID] {
				if gone[id].After(start) {
					start = gone[id]
				}
			}
			took := c.duration(s, r.Type, r.ID, "DELETE")
			if retain(r) {
				steps = append(steps, cfnStep{Kind: "skip", ID: r.ID, Resource: r, due: start})
				took = 0
			} else {
				steps = append(steps, cfnStep{Kind: "delete", ID: r.ID, Resource: r, due: start}, cfnStep{Kind: "deleted", ID: r.ID, Resource: r, due: start.Add(took)})
			}
			gone[r.ID] = start.Add(took)
			if gone[r.ID].After(end) {
				end = gone[r.ID]
			}
		}
		if len(next) == len(left) { // a circle cannot be, but must not hang either
			for _, r := range next {
				steps = append(steps, cfnStep{Kind: "delete", ID: r.ID, Resource: r, due: end}, cfnStep{Kind: "deleted", ID: r.ID, Resource: r, due: end})
			}
			break
		}
		left = next
	}
	return steps, end
}

// byID maps a stack's live resources.
func byID(list []*cfnResource) map[string]*cfnResource {
	out := map[string]*cfnResource{}
	for _, r := range list {
		if r.live() {
			out[r.ID] = r
		}
	}
	return out
}

// newOperation gives the stack's next operation its id.
func (s *cfnStack) newOperation(kind, token string) {
	s.Operation, s.OperationType, s.Token, s.Failed = newRequestID(), kind, token, nil
	s.Operations = append([]cfnOperation{{s.Operation, kind}}, s.Operations...)
	if len(s.Operations) > 10 {
		s.Operations = s.Operations[:10]
	}
}

func (d cfnDefinition) clone() cfnDefinition {
	d.Parameters, d.Tags = maps.Clone(d.Parameters), maps.Clone(d.Tags)
	return d
}
