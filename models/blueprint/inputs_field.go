package blueprint

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// field reads one property as a question, and its place.
func (s *inputsSchema) field(name string, v any) (f Field, order float64, err error) {
	path := "inputs.properties." + name
	p, ok := v.(map[string]any)
	if !ok {
		return f, 0, fmt.Errorf("%s must be a map", path)
	}
	if !logicalID.MatchString(name) {
		return f, 0, fmt.Errorf("%s: a name has letters and digits only", path)
	}
	for key := range p {
		if !slices.Contains(inputKeys, key) {
			return f, 0, fmt.Errorf("%s: %s is not supported", path, key)
		}
	}
	kind, _ := p["type"].(string)
	if !slices.Contains([]string{"string", "integer", "number", "boolean"}, kind) {
		return f, 0, fmt.Errorf("%s: type must be string, integer, number or boolean", path)
	}
	s.kinds[name] = kind
	f = Field{Name: name, Title: name, Advanced: true, Whole: kind == "integer"}
	unit, hint := "", ""
	for key, to := range map[string]*string{"title": &f.Title, "description": &f.Help, "x-unit": &unit, "pattern": &f.Pattern, "x-error": &hint} {
		if v, given := p[key]; given {
			if *to, ok = v.(string); !ok {
				return f, 0, fmt.Errorf("%s.%s must be text", path, key)
			}
		}
	}
	f.Unit, s.words[name] = unit, hint
	if v, given := p["x-advanced"]; given {
		if f.Advanced, ok = v.(bool); !ok {
			return f, 0, fmt.Errorf("%s.x-advanced must be true or false", path)
		}
	}
	if f.Min, f.Max, f.MaxLength, order, err = limits(path, p); err != nil {
		return f, 0, err
	}
	if f.Choices, err = choices(path, p); err != nil {
		return f, 0, err
	}
	if v, given := p["default"]; given {
		text, scalar := plainText(v)
		if !scalar || !kindOf(v, kind) {
			return f, 0, fmt.Errorf("%s.default is not of type %s", path, kind)
		}
		f.Default = text
	} else if kind == "boolean" {
		f.Default = "false"
	}
	f.Type = controlOf(kind, f.Choices)
	return f, order, nil
}

func controlOf(kind string, choices []Choice) FieldType {
	switch {
	case len(choices) > 0:
		return ChoiceField
	case kind == "boolean":
		return FlagField
	case kind == "string":
		return TextField
	}
	return NumberField
}

func limits(path string, p map[string]any) (low, high *float64, length int, order float64, err error) {
	read := map[string]*float64{}
	for _, key := range []string{"minimum", "maximum", "maxLength", "x-order"} {
		v, given := p[key]
		if !given {
			continue
		}
		n, ok := v.(json.Number)
		if !ok {
			return nil, nil, 0, 0, fmt.Errorf("%s.%s must be a number", path, key)
		}
		x, err := n.Float64()
		if err != nil {
			return nil, nil, 0, 0, fmt.Errorf("%s.%s must be a number", path, key)
		}
		read[key] = &x
	}
	order = math.MaxInt32 // those without a place come last
	if at := read["x-order"]; at != nil {
		order = *at
	}
	if n := read["maxLength"]; n != nil {
		length = int(*n)
	}
	return read["minimum"], read["maximum"], length, order, nil
}

// choices are the values of an enum with the words for them.
func choices(path string, p map[string]any) ([]Choice, error) {
	list, ok := p["enum"].([]any)
	if p["enum"] != nil && (!ok || len(list) == 0 || len(list) > maxChoices) {
		return nil, fmt.Errorf("%s.enum must be a list of 1 to %d values", path, maxChoices)
	}
	labels, ok := p["x-labels"].(map[string]any)
	if p["x-labels"] != nil && !ok {
		return nil, fmt.Errorf("%s.x-labels must be a map of values to words", path)
	}
	var out []Choice
	for _, v := range list {
		value, ok := plainText(v)
		if !ok {
			return nil, fmt.Errorf("%s.enum must be a list of texts or numbers", path)
		}
		c := Choice{Value: value, Label: value}
		if text, ok := labels[value].(string); ok {
			c.Label = text
		}
		out = append(out, c)
	}
	for value := range labels {
		if !slices.ContainsFunc(out, func(c Choice) bool { return c.Value == value }) {
			return nil, fmt.Errorf("%s.x-labels has words for %q, which is no choice", path, value)
		}
	}
	return out, nil
}

// plainText is a JSON scalar as a template's parameter takes it.
func plainText(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case bool:
		return strconv.FormatBool(x), true
	case json.Number:
		return x.String(), true
	}
	return "", false
}

func kindOf(v any, kind string) bool {
	switch v.(type) {
	case string:
		return kind == "string"
	case bool:
		return kind == "boolean"
	case json.Number:
		return kind == "integer" || kind == "number"
	}
	return false
}
