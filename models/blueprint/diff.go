package blueprint

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// What happens to a resource, in CloudFormation's words.
const (
	Add    = "Add"
	Modify = "Modify"
	Remove = "Remove"

	ReplacementTrue        = "True"
	ReplacementFalse       = "False"
	ReplacementConditional = "Conditional"
)

// ResourceChange is what a change of a stack does to one resource.
type ResourceChange struct {
	ID, Type    string
	Action      string // Add, Modify or Remove
	Replacement string // for Modify: True, False or Conditional
	Policy      string // what becomes of the old one: Delete, Retain, Snapshot, ReplaceAndDelete, ReplaceAndRetain; empty when it stays
	Details     []PropertyChange
}

// PropertyChange is one property that becomes different.
type PropertyChange struct {
	Attribute     string // Properties, Tags, DeletionPolicy or UpdateReplacePolicy
	Name          string // the top-level property
	Path          string // "/Properties/A/B"
	Before, After any    // nil when absent; After may hold Unknown markers
	Replaces      string // never, maybe or always
	Because       *Reference
}

// Diff says what it takes to get from before to after; a nil before is an empty stack, a nil
// after is its deletion. Changes come in after's order, removals last and in reverse.
func Diff(before, after *Resolved) []ResourceChange {
	if before == nil {
		before = &Resolved{}
	}
	if after == nil {
		after = &Resolved{}
	}
	var changes []ResourceChange
	for _, a := range after.Resources {
		b, existed := before.Find(a.ID)
		switch {
		case !existed || b.Type != a.Type:
			changes = append(changes, ResourceChange{ID: a.ID, Type: a.Type, Action: Add, Details: additions(a)})
		default:
			if c, differs := modification(b, a); differs {
				changes = append(changes, c)
			}
		}
	}
	for _, b := range slices.Backward(before.Resources) {
		if a, stays := after.Find(b.ID); !stays || a.Type != b.Type {
			policy := b.DeletionPolicy
			if policy == "RetainExceptOnCreate" {
				policy = "Retain"
			}
			changes = append(changes, ResourceChange{ID: b.ID, Type: b.Type, Action: Remove, Policy: policy})
		}
	}
	return changes
}

func additions(r ResolvedResource) []PropertyChange {
	var out []PropertyChange
	for _, name := range slices.Sorted(maps.Keys(r.Properties)) {
		out = append(out, PropertyChange{Attribute: "Properties", Name: name, Path: "/Properties/" + name, After: r.Properties[name], Replaces: ReplaceNever})
	}
	return out
}

func modification(b, a ResolvedResource) (ResourceChange, bool) {
	s, _ := Schema(a.Type)
	c := ResourceChange{ID: a.ID, Type: a.Type, Action: Modify, Replacement: ReplacementFalse}
	names := map[string]bool{}
	for name := range b.Properties {
		names[name] = true
	}
	for name := range a.Properties {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if name == s.TagProperty {
			continue
		}
		p := s.res.Properties[name]
		d := differ{s: s, name: name, refs: a.References[name]}
		d.compare("/Properties/"+name, b.Properties[name], a.Properties[name], p.Shape, s.Replacement(name))
		c.Details = append(c.Details, d.out...)
	}
	if !maps.Equal(b.Tags, a.Tags) {
		c.Details = append(c.Details, PropertyChange{Attribute: "Tags", Name: s.TagProperty, Path: "/Tags", Before: tagValue(b.Tags), After: tagValue(a.Tags), Replaces: s.Replacement(s.TagProperty)})
	}
	for _, p := range []struct{ name, before, after string }{
		{"DeletionPolicy", b.DeletionPolicy, a.DeletionPolicy}, {"UpdateReplacePolicy", b.UpdateReplacePolicy, a.UpdateReplacePolicy},
	} {
		if p.before != p.after {
			c.Details = append(c.Details, PropertyChange{Attribute: p.name, Path: "/" + p.name, Before: p.before, After: p.after, Replaces: ReplaceNever})
		}
	}
	for _, d := range c.Details {
		switch {
		case d.Replaces == ReplaceAlways && !IsUnknown(d.After):
			c.Replacement = ReplacementTrue
		case d.Replaces != ReplaceNever && c.Replacement == ReplacementFalse:
			c.Replacement = ReplacementConditional
		}
	}
	if c.Replacement == ReplacementTrue {
		c.Policy = "ReplaceAndDelete"
		if a.UpdateReplacePolicy != "Delete" {
			c.Policy = "ReplaceAnd" + a.UpdateReplacePolicy
		}
	}
	return c, len(c.Details) > 0
}

func tagValue(tags map[string]string) any {
	if len(tags) == 0 {
		return nil
	}
	out := map[string]any{}
	for k, v := range tags {
		out[k] = v
	}
	return out
}

// differ walks one property down to the parts that differ.
type differ struct {
	s    TypeSchema
	name string
	refs []Reference
	out  []PropertyChange
}

func (d *differ) compare(path string, before, after any, sh *shape, replaces string) {
	if same(before, after) {
		return
	}
	b, ok1 := before.(map[string]any)
	a, ok2 := after.(map[string]any)
	if ok1 && ok2 && sh != nil && sh.Kind == "ref" {
		fields := d.s.svc.Types[sh.Ref].Properties
		names := map[string]bool{}
		for k := range b {
			names[k] = true
		}
		for k := range a {
			names[k] = true
		}
		for _, k := range slices.Sorted(maps.Keys(names)) {
			inner := stronger(replaces, fields[k].Replaces)
			d.compare(path+"/"+k, b[k], a[k], fields[k].Shape, inner)
		}
		return
	}
	bl, ok1 := before.([]any)
	al, ok2 := after.([]any)
	if ok1 && ok2 && len(bl) == len(al) && sh != nil && sh.Kind == "array" {
		for i := range al {
			d.compare(path+"/"+strconv.Itoa(i), bl[i], al[i], sh.Elem, replaces)
		}
		return
	}
	c := PropertyChange{Attribute: "Properties", Name: d.name, Path: path, Before: before, After: after, Replaces: replaces}
	if IsUnknown(after) && len(d.refs) > 0 {
		c.Because = &d.refs[0]
	}
	d.out = append(d.out, c)
}

// same compares values as AWS does, to whom 7 and 7.0 are one number: what was resolved from a
// literal, from a parameter or read back from JSON has not the same type.
func same(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, same)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, same)
	case int64:
		if y, ok := b.(float64); ok {
			return float64(x) == y
		}
	case float64:
		if y, ok := b.(int64); ok {
			return x == float64(y)
		}
	}
	return reflect.DeepEqual(a, b)
}

// stronger is what a nested property replaces: the parent says more, unless it says never.
func stronger(parent, own string) string {
	switch {
	case own == "yes" || parent == ReplaceAlways:
		return ReplaceAlways
	case own == "maybe" || parent == ReplaceMaybe:
		return ReplaceMaybe
	}
	return ReplaceNever
}

// Update resolves a template over an existing stack and says what would change. in.Attr
// answers for what exists; the attributes of a resource that will be replaced count as
// unknown, and so what refers to them changes too.
func (t *Template) Update(before *Resolved, in Inputs) (*Resolved, []ResourceChange, error) {
	replaced := map[string]bool{}
	existing := in.Attr
	in.Attr = func(id, attr string) (any, bool) {
		if replaced[id] || existing == nil {
			return nil, false
		}
		return existing(id, attr)
	}
	for {
		after, err := t.Resolve(in)
		if err != nil {
			return nil, nil, err
		}
		changes := Diff(before, after)
		more := false
		for _, c := range changes {
			if c.Action == Modify && c.Replacement != ReplacementFalse && !replaced[c.ID] {
				replaced[c.ID], more = true, true
			}
		}
		if !more {
			return after, changes, nil
		}
	}
}
