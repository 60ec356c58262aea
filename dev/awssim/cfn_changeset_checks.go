package awssim

import (
	"context"
	"reflect"
	"strings"

	"slipway/models/blueprint"
)

// earlyChecks are the validations CloudFormation does before a change set is ready. It
// returns the names of those that failed; DescribeEvents has what they found.
func (c *Call) earlyChecks(ctx context.Context, s *cfnStack, cs *cfnChangeSet, off bool) (string, error) {
	if off {
		return "", nil
	}
	cs.Operation = newRequestID()
	s.Operations = append([]cfnOperation{{cs.Operation, "CREATE_CHANGESET"}}, s.Operations...)
	read, err := readText(cs.Definition.Template)
	if err != nil {
		return "", err
	}
	failed := ""
	for _, p := range read.problems() {
		switch p.Rule {
		case "property", "required", "shape", "enum", "null", "tag":
		default:
			continue // a rule of ours, not of CloudFormation
		}
		id := strings.Split(strings.TrimPrefix(p.Path, "Resources."), ".")[0]
		if err := c.found(ctx, s, cs, id, cfnValidation{"PROPERTY_VALIDATION", "/" + strings.ReplaceAll(p.Path, ".", "/"), p.Message}); err != nil {
			return "", err
		}
		failed = "AWS::EarlyValidation::PropertyValidation"
	}
	if failed != "" {
		return failed, nil
	}
	if failed, err := c.injectedFindings(ctx, s, cs); failed != "" || err != nil {
		return failed, err
	}
	for _, change := range cs.Changes {
		if change.Action != blueprint.Add {
			continue
		}
		name := cs.named(change, s)
		if name == "" {
			continue
		}
		taken, err := c.taken(ctx, s, change.Type, name)
		if err != nil {
			return "", err
		}
		if change.Type == "AWS::IAM::Role" && !taken {
			_, taken, err = c.role(ctx, s.Account, name)
		}
		if change.Type == "AWS::S3::Bucket" && !taken && err == nil {
			_, taken, err = c.bucket(ctx, name)
		}
		if err != nil {
			return "", err
		}
		if taken {
			reason := "Resource of type '" + change.Type + "' with identifier '" + name + "' already exists."
			if err := c.found(ctx, s, cs, change.ID, cfnValidation{"NAME_CONFLICT_VALIDATION", "/Resources/" + change.ID, reason}); err != nil {
				return "", err
			}
			failed = "AWS::EarlyValidation::ResourceExistenceCheck"
		}
	}
	return failed, nil
}

// named is the physical id a new resource is going to have, empty when CloudFormation
// makes one up.
func (cs *cfnChangeSet) named(change blueprint.ResourceChange, s *cfnStack) string {
	props := cs.After[change.ID]
	r := blueprint.ResolvedResource{ID: change.ID, Type: change.Type, Properties: props}
	one, _ := identify(s, r, "one")
	two, _ := identify(s, r, "two")
	if one != two || blueprint.IsUnknown(one) {
		return ""
	}
	return one
}

func (c *Call) found(ctx context.Context, s *cfnStack, cs *cfnChangeSet, logical string, v cfnValidation) error {
	typ := ""
	for _, change := range cs.Changes {
		if change.ID == logical {
			typ = change.Type
		}
	}
	return c.event(ctx, s, cfnEvent{Logical: logical, Type: typ, Operation: cs.Operation, Kind: "VALIDATION_ERROR", Status: "FAILED", Reason: v.Reason, At: c.Now, Validation: &v})
}

// workOut says what would change, by the stack's resources as they are.
func (c *Call) workOut(ctx context.Context, s *cfnStack, cs *cfnChangeSet, t *blueprint.Template) error {
	all, err := c.resources(ctx, s.ID)
	if err != nil {
		return err
	}
	have := byID(all)
	if cs.Mode == revertDrift {
		if have, err = c.compareAll(ctx, s, cs, all, have); err != nil {
			return err
		}
	}
	before := &blueprint.Resolved{}
	for _, r := range all {
		if r, there := have[r.ID]; there {
			before.Resources = append(before.Resources, r.resolved())
		}
	}
	in := s.inputs(cs.Definition)
	in.Attr = func(id, attr string) (any, bool) { return have[id].attribute(attr) }
	after, changes, err := t.Update(before, in)
	if err != nil {
		return err
	}
	cs.Changes, cs.Before, cs.After, cs.Physical = changes, map[string]map[string]any{}, map[string]map[string]any{}, map[string]string{}
	secrets := secretValues(t, cs.Definition.Parameters, s.Definition.Parameters)
	for id, properties := range cs.Previous {
		cs.Previous[id] = hidden(properties, secrets).(map[string]any)
	}
	for i, change := range changes {
		if r, ok := before.Find(change.ID); ok {
			cs.Before[change.ID], cs.Physical[change.ID] = hidden(r.Properties, secrets).(map[string]any), have[change.ID].Physical
		}
		if r, ok := after.Find(change.ID); ok {
			cs.After[change.ID] = hidden(r.Properties, secrets).(map[string]any)
		}
		for j, d := range change.Details {
			changes[i].Details[j].Before, changes[i].Details[j].After = hidden(d.Before, secrets), hidden(d.After, secrets)
		}
	}
	return nil
}

// compareAll is for a change set that takes back what was changed by hand: it notes what
// drifted, and answers the resources as they really are.
func (c *Call) compareAll(ctx context.Context, s *cfnStack, cs *cfnChangeSet, all []*cfnResource, have map[string]*cfnResource) (map[string]*cfnResource, error) {
	really, err := c.actual(ctx, s, have)
	if err != nil {
		return nil, err
	}
	cs.Previous, cs.Drift = map[string]map[string]any{}, map[string]string{}
	for _, r := range all {
		if !r.live() {
			continue
		}
		cs.Previous[r.ID] = asJSON(r.Properties)
		now, there := really[r.ID]
		switch {
		case behaviourOf(r.Type).undriftable:
			cs.Drift[r.ID] = "UNSUPPORTED"
		case !there:
			cs.Drift[r.ID] = "DELETED"
		case reflect.DeepEqual(asJSON(r.Properties), asJSON(now.Properties)):
			cs.Drift[r.ID] = "IN_SYNC"
		default:
			cs.Drift[r.ID] = "MODIFIED"
		}
	}
	return really, nil
}

// injectedFindings are those that rules ask for.
func (c *Call) injectedFindings(ctx context.Context, s *cfnStack, cs *cfnChangeSet) (failed string, err error) {
	for _, change := range cs.Changes {
		why, failing, err := c.fault(ctx, s.Account, s.Name, change.ID, validationError)
		if err != nil {
			return "", err
		}
		if failing {
			failed = "AWS::EarlyValidation::PropertyValidation"
			if err := c.found(ctx, s, cs, change.ID, cfnValidation{"PROPERTY_VALIDATION", "/Resources/" + change.ID + "/Properties", why}); err != nil {
				return "", err
			}
		}
	}
	return failed, nil
}

func secretValues(t *blueprint.Template, values ...map[string]string) []string {
	var out []string
	for _, p := range t.Parameters {
		for _, m := range values {
			if v := m[p.Name]; p.NoEcho && v != "" {
				out = append(out, v)
			}
		}
	}
	return out
}

// hidden replaces secret values inside a value.
func hidden(v any, secrets []string) any {
	switch x := v.(type) {
	case string:
		for _, s := range secrets {
			x = strings.ReplaceAll(x, s, "****")
		}
		return x
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = hidden(x[i], secrets)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, item := range x {
			out[k] = hidden(item, secrets)
		}
		return out
	}
	return v
}
