package blueprint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// readParameters checks the given values against their declarations, and adds defaults.
func (r *resolver) readParameters(out *Resolved) error {
	for name := range r.in.Parameters {
		if _, ok := r.t.Parameter(name); !ok {
			return fmt.Errorf("parameter %s is not in the template", name)
		}
	}
	for _, p := range r.t.Parameters {
		v, given := r.in.Parameters[p.Name]
		if !given && p.Default == nil {
			return fmt.Errorf("parameter %s must have a value", p.Name)
		}
		if !given {
			v = *p.Default
		}
		if err := p.accepts(v); err != nil {
			return fmt.Errorf("parameter %s %w", p.Name, err)
		}
		out.Parameters[p.Name] = v
		if p.NoEcho {
			out.Parameters[p.Name] = mask
			if r.in.Masked {
				v = mask
			}
		}
		r.parameters[p.Name] = v
		if p.Type == "CommaDelimitedList" || strings.HasPrefix(p.Type, "List<") {
			list := []any{}
			for _, item := range strings.Split(v, ",") {
				if item = strings.TrimSpace(item); item != "" || v != "" {
					list = append(list, item)
				}
			}
			r.parameters[p.Name] = list
		}
	}
	return nil
}

const maxParameter = 4096

// accepts says why a value is not one the parameter may have.
func (p Parameter) accepts(v string) error {
	if len(v) > maxParameter {
		return fmt.Errorf("is longer than %d bytes", maxParameter)
	}
	if strings.Contains(v, unknownOpen) {
		return fmt.Errorf("may not hold %q", unknownOpen)
	}
	if strings.HasPrefix(p.Type, "AWS::SSM::Parameter::Value") {
		return fmt.Errorf("is read from Systems Manager, which is not supported; pass the value itself")
	}
	values := []string{v}
	if p.Type == "CommaDelimitedList" || strings.HasPrefix(p.Type, "List<") {
		values = strings.Split(v, ",")
	}
	for _, v := range values {
		v = strings.TrimSpace(v)
		if len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, v) {
			return p.refuse("must be one of %s", oneOf(p.AllowedValues))
		}
		if p.AllowedPattern != "" {
			re, err := anchored(p.AllowedPattern)
			if err != nil {
				return err
			}
			if !re.MatchString(v) {
				return p.refuse("must match pattern %s", p.AllowedPattern)
			}
		}
		if p.Type != "Number" && p.Type != "List<Number>" {
			continue
		}
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return p.refuse("must be a number")
		}
		if p.MinValue != nil && n < *p.MinValue || p.MaxValue != nil && n > *p.MaxValue {
			return p.refuse("is out of its range")
		}
	}
	if n := int64(len(v)); p.MinLength != nil && n < *p.MinLength || p.MaxLength != nil && n > *p.MaxLength {
		return p.refuse("is too short or too long")
	}
	return nil
}

func (p Parameter) refuse(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if p.ConstraintDescription != "" {
		text += ": " + p.ConstraintDescription
	}
	return fmt.Errorf("%s", text)
}

// condition evaluates a named condition once. seen holds the names on the way, so that a
// circle is found.
func (r *resolver) condition(name string, seen []string) (bool, error) {
	if v, done := r.conditions[name]; done {
		return v, nil
	}
	expr, ok := r.t.conditions[name]
	if !ok {
		return false, fmt.Errorf("there is no condition %q", name)
	}
	if slices.Contains(seen, name) {
		return false, r.t.errorf("Conditions."+name, "conditions refer to each other in a circle")
	}
	v, err := r.truth(expr, append(seen, name))
	if err != nil {
		return false, r.t.errorf("Conditions."+name, "%v", err)
	}
	r.conditions[name] = v
	return v, nil
}

func (r *resolver) truth(v any, seen []string) (bool, error) {
	c, ok := v.(call)
	if !ok {
		return false, fmt.Errorf("a condition is made of And, Or, Not, Equals and Condition")
	}
	if c.fn == "Condition" {
		name, ok := c.arg.(string)
		if !ok {
			return false, fmt.Errorf("function Condition takes a name")
		}
		return r.condition(name, seen)
	}
	args, ok := c.arg.([]any)
	if !ok {
		return false, fmt.Errorf("%s takes a list", c.fn)
	}
	switch c.fn {
	case "Equals":
		if len(args) != 2 {
			return false, fmt.Errorf("function Equals takes two values")
		}
		a, err := r.eval(args[0])
		if err != nil {
			return false, err
		}
		b, err := r.eval(args[1])
		if err != nil {
			return false, err
		}
		if IsUnknown(a) || IsUnknown(b) {
			return false, fmt.Errorf("a condition may not depend on what is known only later")
		}
		left, ok1 := scalarText(a)
		right, ok2 := scalarText(b)
		if !ok1 || !ok2 {
			return false, fmt.Errorf("function Equals compares texts")
		}
		return left == right, nil
	case "Not":
		if len(args) != 1 {
			return false, fmt.Errorf("function Not takes a list of one condition")
		}
		b, err := r.truth(args[0], seen)
		return !b, err
	case "And", "Or":
		return r.all(c.fn, args, seen)
	}
	return false, fmt.Errorf("%s is not a condition", c.fn)
}

// all joins conditions by And or Or. Every one is evaluated, so that a mistake in it is told.
func (r *resolver) all(fn string, args []any, seen []string) (bool, error) {
	if len(args) < 2 || len(args) > 10 {
		return false, fmt.Errorf("%s takes 2 to 10 conditions", fn)
	}
	and := fn == "And"
	result := and
	for _, a := range args {
		b, err := r.truth(a, seen)
		if err != nil {
			return false, err
		}
		if b != and {
			result = b
		}
	}
	return result, nil
}
