package blueprint

import (
	"fmt"
	"maps"
	"slices"
)

// Inputs are what a template is resolved with.
type Inputs struct {
	Parameters map[string]string
	Account    string // empty: not known yet
	Region     string
	StackName  string
	StackID    string // empty: not known yet
	Partition  string // aws when empty
	Tags       map[string]string

	// Attr answers for a resource: attr is an attribute, or "Ref". False means that it is
	// known only after the resource is made. A nil Attr knows nothing.
	Attr func(logicalID, attr string) (any, bool)
	// Each is told of every resource, in order, before what depends on it is resolved.
	Each func(ResolvedResource)
	// Masked replaces the values of NoEcho parameters by ****.
	Masked bool
}

// Resolved is a template with everything worked out that its inputs tell.
type Resolved struct {
	Resources  []ResolvedResource // what others need comes first
	Skipped    []string           // resources whose condition is false
	Outputs    []ResolvedOutput
	Parameters map[string]string // defaults included, NoEcho values always masked
	Conditions map[string]bool
}

// ResolvedResource is one resource to make. Properties holds maps, lists, text, bool, int64
// and float64 in the types of the schema; a value known only later holds Unknown markers.
type ResolvedResource struct {
	ID, Type            string
	Properties          map[string]any
	Tags                map[string]string // the resource's and the stack's, when the type has tags
	DependsOn           []string          // declared and found in references, sorted
	DeletionPolicy      string            // Delete, Retain, Snapshot or RetainExceptOnCreate
	UpdateReplacePolicy string
	Condition           string // the condition that let it in, empty without one
	References          map[string][]Reference
}

// Reference is a use of another resource's attribute inside a property.
type Reference struct{ Resource, Attribute string }

// ResolvedOutput is one output of a stack.
type ResolvedOutput struct {
	Name, Description, Value string
	Export                   string // empty when it is not exported
}

// Find returns a resource by its logical id.
func (r *Resolved) Find(id string) (ResolvedResource, bool) {
	i := slices.IndexFunc(r.Resources, func(x ResolvedResource) bool { return x.ID == id })
	if i < 0 {
		return ResolvedResource{}, false
	}
	return r.Resources[i], true
}

// resolver is one Resolve under way.
type resolver struct {
	t          *Template
	in         Inputs
	parameters map[string]any // string or []any
	conditions map[string]bool
	refs       []Reference // of the property being resolved
	spent      int
}

// Resolve works out parameters, conditions, functions and order.
func (t *Template) Resolve(in Inputs) (*Resolved, error) {
	if in.Partition == "" {
		in.Partition = "aws"
	}
	r := &resolver{t: t, in: in, parameters: map[string]any{}, conditions: map[string]bool{}}
	out := &Resolved{Parameters: map[string]string{}, Conditions: r.conditions}
	if err := r.readParameters(out); err != nil {
		return nil, err
	}
	for _, name := range t.order {
		if _, err := r.condition(name, nil); err != nil {
			return nil, err
		}
	}
	for _, res := range t.Resources {
		in, err := r.included(res.Condition)
		if err != nil {
			return nil, t.errorf("Resources."+res.ID, "%v", err)
		}
		if !in {
			out.Skipped = append(out.Skipped, res.ID)
		}
	}
	order, err := r.order(out.Skipped)
	if err != nil {
		return nil, err
	}
	for _, id := range order {
		res, err := r.resource(id)
		if err != nil {
			return nil, err
		}
		out.Resources = append(out.Resources, res)
		if in.Each != nil {
			in.Each(res)
		}
	}
	return out, r.outputs(out)
}

func (r *resolver) resource(id string) (ResolvedResource, error) {
	src, _ := r.t.Resource(id)
	path := "Resources." + id
	res := ResolvedResource{ID: id, Type: src.Type, Condition: src.Condition, DeletionPolicy: src.DeletionPolicy, UpdateReplacePolicy: src.UpdateReplacePolicy,
		Properties: map[string]any{}, References: map[string][]Reference{}}
	if res.DeletionPolicy == "" {
		res.DeletionPolicy = "Delete"
	}
	if res.UpdateReplacePolicy == "" {
		res.UpdateReplacePolicy = "Delete"
	}
	properties, ok := src.properties.(map[string]any)
	if src.properties != nil && !ok {
		return res, r.t.errorf(path+".Properties", "must be a map")
	}
	schema, known := Schema(src.Type)
	depends := slices.Clone(src.DependsOn)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		r.refs = nil
		v, err := r.eval(properties[name])
		if err != nil {
			return res, r.t.errorf(path+".Properties."+name, "%v", err)
		}
		for _, ref := range r.refs {
			depends = append(depends, ref.Resource)
		}
		if len(r.refs) > 0 {
			res.References[name] = r.refs
		}
		if _, none := v.(noValue); none {
			continue
		}
		if known {
			v = schema.coerce(schema.res.Properties[name].Shape, v)
		}
		res.Properties[name] = v
	}
	slices.Sort(depends)
	res.DependsOn = slices.Compact(depends)
	res.Tags = r.tags(schema, res.Properties)
	return res, nil
}

// tags joins the stack's tags with the resource's own, which win.
func (r *resolver) tags(s TypeSchema, properties map[string]any) map[string]string {
	if s.TagProperty == "" {
		return nil
	}
	tags := maps.Clone(r.in.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	switch own := properties[s.TagProperty].(type) {
	case map[string]any:
		for k, v := range own {
			tags[k], _ = scalarText(v)
		}
	case []any:
		for _, item := range own {
			if m, ok := item.(map[string]any); ok {
				key, _ := scalarText(m["Key"])
				tags[key], _ = scalarText(m["Value"])
			}
		}
	}
	return tags
}

func (r *resolver) outputs(out *Resolved) error {
	for _, o := range r.t.Outputs {
		path := "Outputs." + o.Name
		in, err := r.included(o.Condition)
		if err != nil {
			return r.t.errorf(path, "%v", err)
		}
		if !in {
			continue
		}
		res := ResolvedOutput{Name: o.Name, Description: o.Description}
		for _, part := range []struct {
			from any
			to   *string
		}{{o.value, &res.Value}, {o.export, &res.Export}} {
			if part.from == nil {
				continue
			}
			v, err := r.eval(part.from)
			if err != nil {
				return r.t.errorf(path, "%v", err)
			}
			text, ok := scalarText(v)
			if !ok {
				return r.t.errorf(path, "the value must be text")
			}
			*part.to = text
		}
		out.Outputs = append(out.Outputs, res)
	}
	return nil
}

func (r *resolver) included(condition string) (bool, error) {
	if condition == "" {
		return true, nil
	}
	v, ok := r.conditions[condition]
	if !ok {
		return false, fmt.Errorf("there is no condition %q", condition)
	}
	return v, nil
}
