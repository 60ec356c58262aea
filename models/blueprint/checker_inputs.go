package blueprint

import (
	"maps"
	"slices"
	"strings"
)

// parameters checks that each parameter of the template is either asked for or given, and that what is asked fits it.
func (a *agreement) parameters() {
	schema, err := a.inputs()
	if err != nil {
		path, words, _ := strings.Cut(err.Error(), ": ")
		if words == "" {
			path, words, _ = strings.Cut(err.Error(), " ")
		}
		a.tell("inputs", path, "%s", words)
		return
	}
	for _, f := range schema.fields {
		a.input(f, schema.kinds[f.Name])
	}
	for _, name := range slices.Sorted(maps.Keys(a.Given)) {
		a.given(name, a.Given[name], schema.kinds[name] != "")
	}
	for _, p := range a.t.Parameters {
		if schema.kinds[p.Name] == "" && a.Given[p.Name] == "" {
			a.tell("parameter", "given", "parameter %s of the template is neither an input nor given", p.Name)
		}
		if p.NoEcho {
			a.tell("secret", "given."+p.Name, "parameter %s is kept from view, but no secret is ever passed: make the secret in the template", p.Name)
		}
	}
}

func (a *agreement) input(f Field, kind string) {
	path := "inputs.properties." + f.Name
	if secretName.MatchString(f.Name) {
		a.tell("secret", path, "asks for a secret; forms never take one: let the template make it, with GenerateSecretString or empty")
	}
	p, ok := a.t.Parameter(f.Name)
	if !ok {
		a.tell("parameter", path, "input %s is no parameter of the template", f.Name)
		return
	}
	list := p.Type == "CommaDelimitedList" || strings.HasPrefix(p.Type, "List<")
	if (kind == "integer" || kind == "number") != (p.Type == "Number") && !list && len(f.Choices) == 0 {
		a.tell("parameter", path, "is of type %s, but the parameter of type %s", kind, p.Type)
	}
	for _, c := range f.Choices {
		if err := p.accepts(c.Value); err != nil {
			a.tell("parameter", path+".enum", "choice %q: the parameter %v", c.Value, err)
		}
		if kind == "string" && c.Value == "" && f.Required {
			a.tell("parameter", path+".enum", "an empty choice answers nothing")
		}
	}
	hasDefault := f.Default != ""
	switch {
	case hasDefault && p.accepts(f.Default) != nil:
		a.tell("parameter", path+".default", "%q: the parameter %v", f.Default, p.accepts(f.Default))
	case hasDefault && p.Default != nil && *p.Default != f.Default:
		a.tell("parameter", path+".default", "is %q, but the template's default is %q", f.Default, *p.Default)
	case !f.Required && !hasDefault && p.Default == nil && f.Type != TextField:
		a.tell("parameter", path, "may stay empty, so it needs a default here or in the template")
	case !f.Required && !hasDefault && f.Type == TextField && p.accepts("") != nil:
		a.tell("parameter", path, "may stay empty, but the parameter %v", p.accepts(""))
	}
	if hasDefault {
		if _, problems := a.Validate(a.with(f.Name, f.Default)); problems[f.Name] != "" {
			a.tell("inputs", path+".default", "%q does not pass the schema: %s", f.Default, problems[f.Name])
		}
	}
}

// with is a form in which only one input is filled.
func (a *agreement) with(name, value string) map[string]string { return map[string]string{name: value} }

func (a *agreement) given(name, source string, asked bool) {
	path := "given." + name
	if _, ok := a.t.Parameter(name); !ok {
		a.tell("parameter", path, "%s is no parameter of the template", name)
	}
	if asked {
		a.tell("parameter", path, "parameter %s is an input and given at once", name)
	}
	if !IsGivenSource(source) {
		a.tell("given", path, "Slipway has no %q to give; it has %s and baseline.<output>", source, oneOf(GivenSources))
		return
	}
	if need := sourceNeeds(source); need != "" && !slices.Contains(a.Needs, need) && a.Kind != KindSupport {
		a.tell("given", path, "takes %s, so needs must name %s", source, need)
	}
	object, _, _ := strings.Cut(source, ".")
	if slices.Contains([]string{"environment", "image", "hibernated"}, object) && a.Kind != KindEnvironment {
		a.tell("given", path, "only an environment has %s", source)
	}
	if slices.Contains([]string{"pipeline", "connection", "workflows"}, object) && a.Kind != KindSupport {
		a.tell("given", path, "only what delivers is given %s", source)
	}
	if source == "network.cidr" && a.Kind != KindNetwork {
		a.tell("given", path, "only a network is given a block of addresses")
	}
}
