package blueprint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Levels of a Problem. A template with an error is refused; a warning is shown.
const (
	LevelError   = "error"
	LevelWarning = "warning"
)

// Problem is something wrong in a template.
type Problem struct {
	File    string `json:"file,omitempty"` // empty while only the template is looked at
	Level   string `json:"level"`
	Rule    string `json:"rule"`           // stable name, to be named in an exception
	Path    string `json:"path,omitempty"` // "Resources.Topic.Properties.Name"
	Line    int    `json:"line,omitempty"` // 0 when unknown
	Message string `json:"message"`
}

// String is a line as compilers write one: file:line: level: place: what (rule).
func (p Problem) String() string {
	at := ""
	switch {
	case p.File != "" && p.Line > 0:
		at = fmt.Sprintf("%s:%d: ", p.File, p.Line)
	case p.File != "":
		at = p.File + ": "
	case p.Line > 0:
		at = fmt.Sprintf("line %d: ", p.Line)
	}
	at += p.Level
	if p.Path != "" {
		at += ": " + p.Path
	}
	return fmt.Sprintf("%s: %s (%s)", at, p.Message, p.Rule)
}

// checker is one Check under way.
type checker struct {
	t        *Template
	problems []Problem
	used     map[string]bool // parameters, mappings and conditions that something mentions
}

const maxProblems = 200 // more tell nobody anything

func (c *checker) add(level, rule, path, format string, args ...any) {
	if len(c.problems) >= maxProblems {
		return
	}
	c.problems = append(c.problems, Problem{Level: level, Rule: rule, Path: shorten(path), Line: nearest(c.t.lines, path), Message: shorten(fmt.Sprintf(format, args...))})
}

func (c *checker) errorf(rule, path, format string, args ...any) {
	c.add(LevelError, rule, path, format, args...)
}

// Errors are the problems that refuse a template.
func Errors(all []Problem) []Problem {
	return slices.DeleteFunc(slices.Clone(all), func(p Problem) bool { return p.Level != LevelError })
}

// Check looks for everything that can be known to be wrong without asking AWS, in the order
// of the file. A clean template has no problem at all.
func (t *Template) Check() []Problem {
	c := &checker{t: t, used: map[string]bool{}}
	for _, path := range t.aliases {
		c.add(LevelWarning, "alias", path, "CloudFormation does not promise to read YAML aliases; write the value out")
	}
	for _, p := range t.Parameters {
		c.parameter(p)
	}
	circles := t.circles()
	for _, name := range t.order {
		c.walk("Conditions."+name, t.conditions[name], true)
		if circles[name] {
			c.errorf("condition-circle", "Conditions."+name, "refers to itself")
		}
	}
	for _, r := range t.Resources {
		c.resource(r)
	}
	for _, o := range t.Outputs {
		path := "Outputs." + o.Name
		c.conditionName(path+".Condition", o.Condition)
		c.walk(path+".Value", o.value, false)
		c.walk(path+".Export.Name", o.export, false)
	}
	if left := t.circle(); len(left) > 0 {
		c.errorf("circle", "Resources."+left[0], "circular dependency between %s", oneOf(left))
	}
	c.unused()
	for _, rule := range handRules {
		rule.check(c)
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return c.problems
}

// circles names the conditions that lead back to themselves, each found once.
func (t *Template) circles() map[string]bool {
	const under, done = 1, 2
	state, found := map[string]int{}, map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		state[name] = under
		for _, next := range conditionNames(t.conditions[name]) {
			switch state[next] {
			case under:
				found[next] = true
			case 0:
				visit(next)
			}
		}
		state[name] = done
	}
	for _, name := range t.order {
		if state[name] == 0 {
			visit(name)
		}
	}
	return found
}

func conditionNames(v any) []string {
	switch x := v.(type) {
	case []any:
		var out []string
		for _, item := range x {
			out = append(out, conditionNames(item)...)
		}
		return out
	case call:
		if name, ok := x.arg.(string); ok && x.fn == "Condition" {
			return []string{name}
		}
		return conditionNames(x.arg)
	}
	return nil
}

// circle names the resources that wait for each other, as if every branch of every condition
// counted: CloudFormation refuses a circle also where conditions would never let it happen.
func (t *Template) circle() []string {
	needs := map[string][]string{}
	for _, res := range t.Resources {
		needs[res.ID] = append((*resolver)(nil).mentions(res.properties), res.DependsOn...)
	}
	left := t.Resources
	for {
		waiting := map[string]bool{}
		for _, res := range left {
			waiting[res.ID] = true
		}
		var still []Resource
		for _, res := range left {
			if slices.ContainsFunc(needs[res.ID], func(n string) bool { return waiting[n] }) {
				still = append(still, res)
			}
		}
		if len(still) == len(left) {
			break
		}
		left = still
	}
	var names []string
	for _, res := range left {
		names = append(names, res.ID)
	}
	return names
}

func (c *checker) parameter(p Parameter) {
	path := "Parameters." + p.Name
	if p.Default != nil {
		if err := p.accepts(*p.Default); err != nil && !strings.HasPrefix(p.Type, "AWS::SSM") {
			c.errorf("default", path+".Default", "the default %v", err)
		}
	}
	if p.NoEcho && p.Default != nil && *p.Default != "" {
		c.errorf("secret-default", path+".Default", "a parameter that is kept from view may not have its value in the template")
	}
	if strings.HasPrefix(p.Type, "AWS::SSM::Parameter::Value") {
		c.errorf("ssm-parameter", path+".Type", "is read from Systems Manager, which is not supported; pass the value itself")
	}
}

func (c *checker) resource(r Resource) {
	path := "Resources." + r.ID
	c.conditionName(path+".Condition", r.Condition)
	for _, name := range r.DependsOn {
		if _, ok := c.t.Resource(name); !ok {
			c.errorf("depends-on", path+".DependsOn", "there is no resource %q", name)
		} else if name == r.ID {
			c.errorf("depends-on", path+".DependsOn", "a resource cannot wait for itself")
		}
	}
	if _, twice := c.t.Parameter(r.ID); twice {
		c.errorf("name", path, "a parameter has the same name")
	}
	c.walk(path+".Properties", r.properties, false)
	if strings.HasPrefix(r.Type, "Custom::") || r.Type == "AWS::CloudFormation::CustomResource" || r.Type == "AWS::CloudFormation::Macro" {
		c.errorf("custom-resource", path+".Type", "custom resources run code of their own and are not supported")
		return
	}
	s, ok := Schema(r.Type)
	if !ok {
		c.errorf("type", path+".Type", "there is no resource type %s", r.Type)
		return
	}
	c.object(s, path+".Properties", r.properties, s.res.Properties)
}

func (c *checker) conditionName(path, name string) {
	if name == "" {
		return
	}
	c.used["condition "+name] = true
	if _, ok := c.t.conditions[name]; !ok {
		c.errorf("condition", path, "there is no condition %q", name)
	}
}

func (c *checker) unused() {
	for _, p := range c.t.Parameters {
		if !c.used["name "+p.Name] {
			c.add(LevelWarning, "unused", "Parameters."+p.Name, "nothing uses this parameter")
		}
	}
	for _, name := range c.t.order {
		if !c.used["condition "+name] {
			c.add(LevelWarning, "unused", "Conditions."+name, "nothing uses this condition")
		}
	}
	for name := range c.t.mappings {
		if !c.used["mapping "+name] {
			c.add(LevelWarning, "unused", "Mappings."+name, "nothing uses this mapping")
		}
	}
}
