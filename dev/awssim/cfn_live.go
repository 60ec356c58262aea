package awssim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// What a resource really is: as declared, with what its service changed and what was changed
// by hand behind the stack's back laid over it.

// actualProperties is what a resource really looks like; false when it is not there any more.
func (c *Call) actualProperties(ctx context.Context, s *cfnStack, r *cfnResource) (map[string]any, bool, error) {
	if r.gone {
		return nil, false, nil
	}
	properties := asJSON(r.Properties)
	if fn := behaviourOf(r.Type).live; fn != nil {
		live, exists, err := fn(ctx, c, s, r)
		if err != nil || !exists {
			return nil, false, err
		}
		properties = asJSON(live)
	}
	for _, pointer := range slices.Sorted(maps.Keys(r.byHand)) {
		if err := place(properties, pointer, r.byHand[pointer]); err != nil { // the declaration has another shape by now
			continue
		}
	}
	return properties, true, nil
}

// actual are a stack's resources with the declared properties as they really are; what is not
// there any more is left out.
func (c *Call) actual(ctx context.Context, s *cfnStack, declared map[string]*cfnResource) (map[string]*cfnResource, error) {
	out := map[string]*cfnResource{}
	for id, r := range declared {
		if behaviourOf(r.Type).undriftable {
			out[id] = r
			continue
		}
		properties, exists, err := c.actualProperties(ctx, s, r)
		if err != nil {
			return nil, err
		}
		if !exists {
			continue
		}
		really := *r
		really.Properties, _ = seen(r.Properties, properties, false).(map[string]any)
		out[id] = &really
	}
	return out, nil
}

// whole says whether a property is compared to the last key, for every part of it counts.
func whole(property string) bool {
	return strings.HasSuffix(property, "Document") || strings.HasSuffix(property, "Policy")
}

// seen is the part of actual that somebody sees who looks only at what is declared.
func seen(declared, actual any, all bool) any {
	switch d := declared.(type) {
	case map[string]any:
		a, ok := actual.(map[string]any)
		if !ok || all {
			return actual
		}
		out := map[string]any{}
		for k, v := range d {
			if there, ok := a[k]; ok {
				out[k] = seen(v, there, whole(k))
			}
		}
		return out
	case []any:
		a, ok := actual.([]any)
		if !ok || all {
			return actual
		}
		out := slices.Clone(a)
		for i := range min(len(a), len(d)) {
			out[i] = seen(d[i], a[i], false)
		}
		return out
	}
	return actual
}

var pointerEscapes, pointerPlain = strings.NewReplacer("~", "~0", "/", "~1"), strings.NewReplacer("~1", "/", "~0", "~")

func escapePointer(name string) string { return pointerEscapes.Replace(name) }

// pointed finds what a JSON pointer names.
func pointed(v any, pointer string) (any, bool) {
	for _, part := range strings.Split(pointer, "/")[1:] {
		switch x := v.(type) {
		case map[string]any:
			next, ok := x[pointerPlain.Replace(part)]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// place puts a value where a JSON pointer says, nil takes away what is there. Only the last
// part may be new; a list may grow by one.
func place(properties map[string]any, pointer string, value any) error {
	parts := strings.Split(pointer, "/")
	if len(parts) < 2 || parts[0] != "" || slices.Contains(parts[1:], "") {
		return fmt.Errorf("%q is not a path like /Name or /List/0/Name", pointer)
	}
	_, err := placed(properties, parts[1:], value)
	return err
}

// placed is v with the value in it: a list may have to be another one.
func placed(v any, parts []string, value any) (any, error) {
	if len(parts) == 0 {
		return value, nil
	}
	name := pointerPlain.Replace(parts[0])
	switch x := v.(type) {
	case map[string]any:
		inner, there := x[name]
		if !there && len(parts) > 1 {
			return nil, fmt.Errorf("there is no %s", name)
		}
		next, err := placed(inner, parts[1:], value)
		if err != nil {
			return nil, err
		}
		if x[name] = next; next == nil {
			delete(x, name)
		}
		return x, nil
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i > len(x) || (i == len(x) && len(parts) > 1) {
			return nil, fmt.Errorf("there is no %s in a list of %d", name, len(x))
		}
		if i == len(x) {
			return append(slices.Clone(x), value), nil
		}
		next, err := placed(x[i], parts[1:], value)
		if err != nil {
			return nil, err
		}
		if next == nil {
			return slices.Delete(slices.Clone(x), i, i+1), nil
		}
		x[i] = next
		return x, nil
	}
	return nil, fmt.Errorf("%s is inside a value that has no parts", name)
}

// setByHand keeps what a resource is in spite of its declaration.
func (c *Call) setByHand(ctx context.Context, s *cfnStack, id string, byHand map[string]any) error {
	if byHand == nil {
		byHand = map[string]any{}
	}
	if _, err := c.Tx.Exec(ctx, `UPDATE stack_resources SET live = $3 WHERE stack = $1 AND id = $2`, s.ID, id, byHand); err != nil {
		return fmt.Errorf("keep what %s of %s really is: %w", id, s.Name, err)
	}
	return nil
}

// forgetDrift is for a resource that takes the place of another.
func (c *Call) forgetDrift(ctx context.Context, s *cfnStack, r *cfnResource) error {
	if len(r.byHand) == 0 && !r.gone && r.drift == nil {
		return nil
	}
	r.byHand, r.gone, r.drift = nil, false, nil
	if _, err := c.Tx.Exec(ctx, `UPDATE stack_resources SET live = '{}', gone = false, drift = NULL WHERE stack = $1 AND id = $2`, s.ID, r.ID); err != nil {
		return fmt.Errorf("forget the drift of %s of %s: %w", r.ID, s.Name, err)
	}
	return nil
}

// overwrite forgets what was changed by hand where an update wrote; a revert writes all.
func (c *Call) overwrite(ctx context.Context, s *cfnStack, r *cfnResource, revert bool) error {
	if revert || r.Old == nil {
		return c.forgetDrift(ctx, s, r)
	}
	if len(r.byHand) == 0 && r.drift == nil {
		return nil
	}
	written := left(r.Old.Properties, r.Properties)
	kept := maps.Clone(r.byHand)
	maps.DeleteFunc(kept, func(pointer string, _ any) bool {
		_, yes := written["/"+strings.Split(pointer, "/")[1]]
		return yes
	})
	r.byHand, r.drift = kept, nil
	if _, err := c.Tx.Exec(ctx, `UPDATE stack_resources SET drift = NULL WHERE stack = $1 AND id = $2`, s.ID, r.ID); err != nil {
		return fmt.Errorf("forget the drift of %s of %s: %w", r.ID, s.Name, err)
	}
	return c.setByHand(ctx, s, r.ID, kept)
}
