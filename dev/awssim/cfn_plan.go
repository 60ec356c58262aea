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
	Kind     string // begin, made, configured, done, fail, restore, delete, deleted, skip, cleanup, finish
	ID       string // logical id, empty for the stack
	Change   string // Add, Modify or Replace: what begin does
	Status   string // of the stack, for finish and cleanup
	Reason   string
	Resource *cfnResource `json:",omitempty"` // what begin makes of it; what delete removes, when it is not the current one
	Revert   bool         `json:",omitempty"` // what was changed by hand goes with this change
	Since    *time.Time   `json:",omitempty"` // when it was first asked whether the resource is ready
	Waits    string       `json:",omitempty"` // what it said then
	due      time.Time
	current  *cfnResource  // as it stands when the step comes
	waits    []string      // resources whose steps come first
	pause    time.Duration // between the last of them and this
}

// inputs are what a stack's definition is resolved with.
func (s *cfnStack) inputs(d cfnDefinition) blueprint.Inputs {
	return blueprint.Inputs{Parameters: d.Parameters, Account: s.Account, Region: s.Region, StackName: s.Name, StackID: s.ID, Tags: d.Tags}
}

// planned is one resource of an operation about to start.
type planned struct {
	res    *cfnResource
	change string // Keep, Add, Modify or Replace
	revert bool   // take back what was changed by hand
}

// work decides for every resource of a definition what happens to it, and works out its
// properties, with the ids of what will be there by then.
func (c *Call) work(s *cfnStack, d cfnDefinition, old map[string]*cfnResource) ([]planned, []cfnOutput, error) {
	t, err := d.template()
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
		return planned{res: res, change: "Add"}
	}
	changes := blueprint.Diff(single(old.resolved()), single(r))
	if len(changes) > 0 && (changes[0].Action == blueprint.Add || changes[0].Replacement == blueprint.ReplacementTrue) {
		res.Physical, res.Attributes = identify(s, r, s.Operation)
		res.succeed(old)
		return planned{res: res, change: "Replace"}
	}
	res.Physical, res.Attributes, res.Operation = old.Physical, old.Attributes, old.Operation
	res.Status, res.Reason, res.At = old.Status, old.Reason, old.At
	if len(changes) == 0 {
		return planned{res: res, change: "Keep"}
	}
	return planned{res: res, change: "Modify"}
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

// begin schedules what an operation does from at on: everything that has what it needs goes
// on at the same time.
func (c *Call) begin(ctx context.Context, s *cfnStack, all []planned, verb string, at time.Time) error {
	pause := c.pause(s, time.Second)
	behind := map[string]map[string]bool{} // what a resource stands on that changes: itself, or through those that do not
	end := cfnStep{Kind: "finish", Status: "CREATE_COMPLETE", due: at.Add(pause), pause: pause}
	if verb != "CREATE" {
		end.Kind, end.Status = "cleanup", "UPDATE_COMPLETE"
	}
	var steps []cfnStep
	for _, p := range all {
		first := map[string]bool{}
		for _, d := range p.res.Depends {
			maps.Copy(first, behind[d])
		}
		behind[p.res.ID] = first
		if p.change == "Keep" {
			continue
		}
		behind[p.res.ID] = map[string]bool{p.res.ID: true}
		step := cfnStep{Kind: "begin", ID: p.res.ID, Change: p.change, Resource: p.res, Revert: p.revert, due: at.Add(pause), waits: slices.Sorted(maps.Keys(first))}
		steps, end.waits = append(steps, step), append(end.waits, p.res.ID)
	}
	return c.schedule(ctx, s, append(steps, end)...)
}

func failureWords(r *cfnResource, reason string) string {
	if reason != "" {
		return reason
	}
	service := strings.Split(r.Type, "::")[1]
	return fmt.Sprintf(`Resource handler returned message: "Internal failure (Service: %s, Status Code: 500, Request ID: %s)" (RequestToken: %s, HandlerErrorCode: GeneralServiceException)`,
		service, newRequestID(), newRequestID())
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
