// Package blueprint reads CloudFormation templates: it parses and checks them against the
// schema of every AWS resource type, works out what they resolve to, and says what a change
// of one would do. It does no I/O.
package blueprint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a parsed CloudFormation template. Parse makes one.
type Template struct {
	Description string
	Parameters  []Parameter // in the order of the file, like Resources and Outputs
	Resources   []Resource
	Outputs     []Output

	mappings   map[string]map[string]map[string]any
	conditions map[string]any
	order      []string // names of the conditions, as in the file
	lines      map[string]int
	aliases    []string // paths of YAML aliases
}

// Parameter is one declared parameter.
type Parameter struct {
	Name, Type, Description string
	Default                 *string // nil: a value must be given
	AllowedValues           []string
	AllowedPattern          string
	ConstraintDescription   string
	MinLength, MaxLength    *int64
	MinValue, MaxValue      *float64
	NoEcho                  bool
}

// Resource is one declared resource. Its properties are seen through Resolve.
type Resource struct {
	ID, Type            string
	Condition           string
	DependsOn           []string
	DeletionPolicy      string // empty when the file does not say
	UpdateReplacePolicy string
	ExpectedDrift       map[string]string // property path to the reason why it moves by itself; * stands for one segment

	properties any
	accepts    map[string]string // hand rule to the reason why it does not apply
}

// Output is one declared output.
type Output struct {
	Name, Description, Condition string

	value, export any
}

var (
	logicalID = regexp.MustCompile(`^[A-Za-z0-9]{1,255}$`)
	sections  = []string{"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Transform", "Resources", "Outputs", "Hooks"}
)

// Parse reads a template in YAML or JSON. It checks structure only; Check does the rest.
func Parse(src []byte) (*Template, error) {
	if len(src) > MaxBytes {
		return nil, fmt.Errorf("the template has %d bytes, more than %d", len(src), MaxBytes)
	}
	doc, err := document(src)
	if err != nil {
		return nil, err
	}
	r := &reader{lines: map[string]int{}}
	top, err := r.value(doc, "", 0)
	if err != nil {
		return nil, err
	}
	m, ok := top.(map[string]any)
	if !ok {
		return nil, errors.New("a template is a map with a Resources section")
	}
	t := &Template{lines: r.lines, aliases: r.aliases}
	for key := range m {
		if !slices.Contains(sections, key) {
			return nil, fmt.Errorf("line %d: unknown section %q", r.lines[key], key)
		}
	}
	for _, unsupported := range []string{"Transform", "Rules", "Hooks"} {
		if _, ok := m[unsupported]; ok {
			return nil, fmt.Errorf("line %d: %s is not supported; write plain resources", r.lines[unsupported], unsupported)
		}
	}
	if v, ok := m["AWSTemplateFormatVersion"]; ok && v != "2010-09-09" {
		return nil, fmt.Errorf("line %d: AWSTemplateFormatVersion must be 2010-09-09", r.lines["AWSTemplateFormatVersion"])
	}
	if t.Description, err = t.text(m, "", "Description"); err != nil {
		return nil, err
	}
	for _, read := range []func(map[string]any, *yaml.Node) error{t.readParameters, t.readMappings, t.readConditions, t.readResources, t.readOutputs} {
		if err := read(m, doc); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// document is the single YAML document of src. JSON that YAML cannot read (tabs, surrogate
// pairs) is written anew first; its lines are lost.
func document(src []byte) (*yaml.Node, error) {
	if many := bytes.Count(src, []byte(",")) + bytes.Count(src, []byte("\n")); many > maxMarks {
		return nil, fmt.Errorf("more than %d lines and commas", maxMarks)
	}
	var n yaml.Node
	err := yaml.Unmarshal(src, &n)
	if err != nil && json.Valid(src) {
		var v any
		if err := json.Unmarshal(src, &v); err != nil {
			return nil, fmt.Errorf("read JSON: %w", err)
		}
		b, merr := json.Marshal(v)
		if merr != nil {
			return nil, fmt.Errorf("read JSON: %w", merr)
		}
		n = yaml.Node{}
		err = yaml.Unmarshal(b, &n)
	}
	if err != nil {
		return nil, fmt.Errorf("read YAML: %w", err)
	}
	if n.Kind != yaml.DocumentNode || len(n.Content) != 1 {
		return nil, errors.New("the template is empty")
	}
	return n.Content[0], nil
}

// Line is where a path of a Problem stands in the file, 0 when unknown.
func (t *Template) Line(path string) int { return t.lines[path] }

func (t *Template) errorf(path, format string, args ...any) error {
	return fmt.Errorf("line %d: %s: %s", t.lines[path], path, fmt.Sprintf(format, args...))
}

func (t *Template) text(m map[string]any, path, key string) (string, error) {
	switch v := m[key].(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	default:
		return "", t.errorf(join(path, key), "must be text")
	}
}

// section returns a section's entries and their names in the order of the file.
func (t *Template) section(m map[string]any, doc *yaml.Node, name string, most int) (map[string]any, []string, error) {
	v, ok := m[name]
	if !ok || v == nil {
		return nil, nil, nil
	}
	s, ok := v.(map[string]any)
	if !ok {
		return nil, nil, t.errorf(name, "must be a map")
	}
	if len(s) > most {
		return nil, nil, t.errorf(name, "has %d entries, more than %d", len(s), most)
	}
	var order []string
	for i := 0; i+1 < len(doc.Content); i += 2 {
		n := doc.Content[i+1]
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		if doc.Content[i].Value != name {
			continue
		}
		for j := 0; j+1 < len(n.Content); j += 2 {
			order = append(order, n.Content[j].Value)
		}
	}
	for _, id := range order {
		if !logicalID.MatchString(id) {
			return nil, nil, t.errorf(join(name, id), "a name has letters and digits only")
		}
	}
	return s, order, nil
}

func (t *Template) readMappings(m map[string]any, doc *yaml.Node) error {
	s, order, err := t.section(m, doc, "Mappings", maxMappings)
	if err != nil {
		return err
	}
	t.mappings = map[string]map[string]map[string]any{}
	for _, name := range order {
		path := "Mappings." + name
		top, ok := s[name].(map[string]any)
		if !ok {
			return t.errorf(path, "must be a map of maps")
		}
		t.mappings[name] = map[string]map[string]any{}
		for key, v := range top {
			second, ok := v.(map[string]any)
			if !ok {
				return t.errorf(path+"."+key, "must be a map")
			}
			for k, v := range second {
				if _, isMap := v.(map[string]any); isMap || hasCall(v) {
					return t.errorf(path+"."+key+"."+k, "must be text or a list, without functions")
				}
			}
			t.mappings[name][key] = second
		}
	}
	return nil
}

func (t *Template) readConditions(m map[string]any, doc *yaml.Node) error {
	s, order, err := t.section(m, doc, "Conditions", maxParameters)
	if err != nil {
		return err
	}
	t.conditions, t.order = map[string]any{}, order
	for _, name := range order {
		t.conditions[name] = conditionForm(s[name])
	}
	return nil
}

// conditionForm reads {Condition: Name} as the function it is inside Conditions; elsewhere
// such a map is a property (of an IAM statement, say).
func conditionForm(v any) any {
	switch x := v.(type) {
	case map[string]any:
		if name, ok := x["Condition"].(string); ok && len(x) == 1 {
			return call{"Condition", name}
		}
	case call:
		return call{x.fn, conditionForm(x.arg)}
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = conditionForm(x[i])
		}
		return out
	}
	return v
}

func hasCall(v any) bool {
	switch x := v.(type) {
	case call:
		return true
	case []any:
		return slices.ContainsFunc(x, hasCall)
	case map[string]any:
		for _, c := range x {
			if hasCall(c) {
				return true
			}
		}
	}
	return false
}

// Resource finds a declared resource by its logical id.
func (t *Template) Resource(id string) (Resource, bool) {
	i := slices.IndexFunc(t.Resources, func(r Resource) bool { return r.ID == id })
	if i < 0 {
		return Resource{}, false
	}
	return t.Resources[i], true
}

// Parameter finds a declared parameter by its name.
func (t *Template) Parameter(name string) (Parameter, bool) {
	i := slices.IndexFunc(t.Parameters, func(p Parameter) bool { return p.Name == name })
	if i < 0 {
		return Parameter{}, false
	}
	return t.Parameters[i], true
}

func oneOf(list []string) string { return strings.Join(list, ", ") }
