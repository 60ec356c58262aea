package blueprint

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

var numberForm = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,9})?$`)

// validate does the work of Meta.Validate.
func (s *inputsSchema) validate(in map[string]string) (clean, problems map[string]string) {
	problems = map[string]string{}
	for name := range in {
		if s.kinds[name] == "" {
			problems[name] = "This blueprint does not ask for this."
		}
	}
	values := map[string]any{}
	for _, f := range s.fields {
		text, given := in[f.Name]
		if given && s.kinds[f.Name] != "string" {
			text = strings.TrimSpace(text)
		}
		if !given || text == "" && (f.Type != TextField || f.Required) {
			text = f.Default
		}
		if text == "" && (f.Default == "" || f.Type != TextField || f.Required) {
			if f.Required {
				problems[f.Name] = "This is needed."
			}
			continue // the template has its own default
		}
		v, problem := s.value(f, text)
		if problem != "" {
			problems[f.Name] = problem
			continue
		}
		values[f.Name] = v
	}
	s.judge(values, problems)
	if len(problems) > 0 {
		return nil, problems
	}
	clean = make(map[string]string, len(values))
	for name, v := range values {
		clean[name], _ = plainText(v) // value made nothing else
	}
	return clean, nil
}

// value gives a text the schema's type.
func (s *inputsSchema) value(f Field, text string) (v any, problem string) {
	switch s.kinds[f.Name] {
	case "boolean":
		if text != "true" && text != "false" {
			return nil, "This is yes or no."
		}
		return text == "true", ""
	case "integer":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !numberForm.MatchString(text) {
			return nil, "Enter a whole number."
		}
		return json.Number(strconv.FormatInt(n, 10)), ""
	case "number":
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !numberForm.MatchString(text) {
			return nil, "Enter a number."
		}
		return json.Number(strconv.FormatFloat(n, 'f', -1, 64)), ""
	}
	switch {
	case len(text) > maxParameter:
		return nil, fmt.Sprintf("This is longer than %d bytes.", maxParameter)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return nil, "Some characters cannot be used here."
	case strings.Contains(text, "{{"):
		return nil, "This may not hold {{: AWS would read it as a reference."
	}
	return text, ""
}

// judge asks the schema, once per value that could be read.
func (s *inputsSchema) judge(values map[string]any, problems map[string]string) {
	instance := make(map[string]any, len(values))
	maps.Copy(instance, values)
	var refused *jsonschema.ValidationError
	err := s.compiled.Validate(instance)
	if errors.As(err, &refused) {
		s.tell(refused, problems)
	} else if err != nil {
		problems[""] = "These values cannot be checked."
	}
	if err != nil && len(problems) == 0 { // a condition of several inputs together, without a name
		problems[""] = "These values do not go together."
	}
}

// tell puts each cause beside its field.
func (s *inputsSchema) tell(e *jsonschema.ValidationError, problems map[string]string) {
	for _, cause := range e.Causes {
		s.tell(cause, problems)
	}
	if len(e.Causes) > 0 {
		return
	}
	if missing, ok := e.ErrorKind.(*kind.Required); ok {
		for _, name := range missing.Missing {
			if problems[name] == "" {
				problems[name] = "This is needed."
			}
		}
		return
	}
	if len(e.InstanceLocation) != 1 {
		return
	}
	name := e.InstanceLocation[0]
	i := slices.IndexFunc(s.fields, func(f Field) bool { return f.Name == name })
	if i < 0 || problems[name] != "" {
		return
	}
	problems[name] = s.words[name]
	if problems[name] == "" {
		problems[name] = refusal(s.fields[i], e.ErrorKind)
	}
}

// refusal says in words what a value should have been.
func refusal(f Field, why jsonschema.ErrorKind) string {
	switch k := why.(type) {
	case *kind.Enum:
		var labels []string
		for _, c := range f.Choices {
			labels = append(labels, c.Value)
		}
		if len(labels) > 0 {
			return "Choose one of " + oneOf(labels) + "."
		}
	case *kind.MinLength:
		return fmt.Sprintf("Enter at least %s.", plural(k.Want, "character"))
	case *kind.MaxLength:
		return fmt.Sprintf("Enter at most %s.", plural(k.Want, "character"))
	case *kind.Minimum:
		n, _ := k.Want.Float64()
		return "Enter at least " + amount(n, f.Unit) + "."
	case *kind.Maximum:
		n, _ := k.Want.Float64()
		return "Enter at most " + amount(n, f.Unit) + "."
	case *kind.MultipleOf:
		n, _ := k.Want.Float64()
		return "Enter a multiple of " + amount(n, f.Unit) + "."
	case *kind.Pattern:
		return "This is not a valid " + strings.ToLower(f.Title) + "."
	case *kind.Const:
		return fmt.Sprintf("With the other choices this must be %v.", k.Want)
	}
	return "This value cannot be used here."
}

func amount(n float64, unit string) string {
	return strings.TrimSpace(strconv.FormatFloat(n, 'f', -1, 64) + " " + unit)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}
