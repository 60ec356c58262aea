package blueprint

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	parameterKeys = []string{"Type", "Default", "Description", "AllowedValues", "AllowedPattern", "ConstraintDescription", "MinLength", "MaxLength", "MinValue", "MaxValue", "NoEcho"}
	resourceKeys  = []string{"Type", "Properties", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata", "CreationPolicy", "UpdatePolicy"}
	outputKeys    = []string{"Value", "Description", "Condition", "Export"}
	policies      = []string{"Delete", "Retain", "Snapshot", "RetainExceptOnCreate"}
	parameterType = regexp.MustCompile(`^(String|Number|CommaDelimitedList|List<Number>|(List<)?AWS::[A-Za-z0-9]+::[A-Za-z0-9:.]+(<[A-Za-z0-9:<>.]+>)?>?)$`)
)

func (t *Template) entry(v any, path string, known []string) (map[string]any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, t.errorf(path, "must be a map")
	}
	for key := range m {
		if !slices.Contains(known, key) {
			return nil, t.errorf(path+"."+key, "unknown key; known are %s", oneOf(known))
		}
	}
	return m, nil
}

func (t *Template) readParameters(m map[string]any, doc *yaml.Node) error {
	s, order, err := t.section(m, doc, "Parameters", maxParameters)
	if err != nil {
		return err
	}
	for _, name := range order {
		path := "Parameters." + name
		e, err := t.entry(s[name], path, parameterKeys)
		if err != nil {
			return err
		}
		p := Parameter{Name: name}
		for key, to := range map[string]*string{"Type": &p.Type, "Description": &p.Description, "AllowedPattern": &p.AllowedPattern, "ConstraintDescription": &p.ConstraintDescription} {
			if *to, err = t.text(e, path, key); err != nil {
				return err
			}
		}
		if !parameterType.MatchString(p.Type) {
			return t.errorf(path, "unknown parameter type %q", p.Type)
		}
		if err := t.parameterLimits(&p, e, path); err != nil {
			return err
		}
		t.Parameters = append(t.Parameters, p)
	}
	return nil
}

func (t *Template) parameterLimits(p *Parameter, e map[string]any, path string) error {
	if v, ok := e["Default"]; ok {
		text, ok := scalarText(v)
		if !ok {
			return t.errorf(path+".Default", "must be text")
		}
		p.Default = &text
	}
	if v, ok := e["AllowedValues"]; ok {
		list, ok := v.([]any)
		if !ok {
			return t.errorf(path+".AllowedValues", "must be a list")
		}
		for _, v := range list {
			text, ok := scalarText(v)
			if !ok {
				return t.errorf(path+".AllowedValues", "must be a list of texts")
			}
			p.AllowedValues = append(p.AllowedValues, text)
		}
	}
	if p.AllowedPattern != "" {
		if _, err := anchored(p.AllowedPattern); err != nil {
			return t.errorf(path+".AllowedPattern", "%v", err)
		}
	}
	for key, to := range map[string]**int64{"MinLength": &p.MinLength, "MaxLength": &p.MaxLength} {
		if v, ok := e[key]; ok {
			n, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
			if err != nil {
				return t.errorf(path+"."+key, "must be a whole number")
			}
			*to = &n
		}
	}
	for key, to := range map[string]**float64{"MinValue": &p.MinValue, "MaxValue": &p.MaxValue} {
		if v, ok := e[key]; ok {
			n, err := strconv.ParseFloat(fmt.Sprint(v), 64)
			if err != nil {
				return t.errorf(path+"."+key, "must be a number")
			}
			*to = &n
		}
	}
	if v, ok := e["NoEcho"]; ok {
		switch fmt.Sprint(v) {
		case "true":
			p.NoEcho = true
		case "false":
		default:
			return t.errorf(path+".NoEcho", "must be true or false")
		}
	}
	return nil
}

func anchored(pattern string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return re, nil
}

func (t *Template) readResources(m map[string]any, doc *yaml.Node) error {
	s, order, err := t.section(m, doc, "Resources", maxResources)
	if err != nil {
		return err
	}
	if len(order) == 0 {
		return fmt.Errorf("the template has no resources")
	}
	for _, id := range order {
		path := "Resources." + id
		e, err := t.entry(s[id], path, resourceKeys)
		if err != nil {
			return err
		}
		r := Resource{ID: id, properties: e["Properties"]}
		for key, to := range map[string]*string{"Type": &r.Type, "Condition": &r.Condition, "DeletionPolicy": &r.DeletionPolicy, "UpdateReplacePolicy": &r.UpdateReplacePolicy} {
			if *to, err = t.text(e, path, key); err != nil {
				return err
			}
		}
		if r.Type == "" {
			return t.errorf(path, "has no Type")
		}
		for key, v := range map[string]string{"DeletionPolicy": r.DeletionPolicy, "UpdateReplacePolicy": r.UpdateReplacePolicy} {
			if v != "" && (!slices.Contains(policies, v) || key == "UpdateReplacePolicy" && v == "RetainExceptOnCreate") {
				return t.errorf(path+"."+key, "%q is none of %s", v, oneOf(policies))
			}
		}
		switch d := e["DependsOn"].(type) {
		case nil:
		case string:
			r.DependsOn = []string{d}
		case []any:
			for _, v := range d {
				name, ok := v.(string)
				if !ok {
					return t.errorf(path+".DependsOn", "must be a name or a list of names")
				}
				r.DependsOn = append(r.DependsOn, name)
			}
		default:
			return t.errorf(path+".DependsOn", "must be a name or a list of names")
		}
		if r.accepts, err = t.exceptions(e["Metadata"], path+".Metadata"); err != nil {
			return err
		}
		if r.ExpectedDrift, err = t.expectedDrift(e["Metadata"], path+".Metadata"); err != nil {
			return err
		}
		t.Resources = append(t.Resources, r)
	}
	return nil
}

// exceptions reads Metadata.Slipway.Accept: the hand rules a resource does without, each
// with its reason.
func (t *Template) exceptions(metadata any, path string) (map[string]string, error) {
	m, _ := metadata.(map[string]any)
	if m["Slipway"] == nil {
		return nil, nil
	}
	e, err := t.entry(m["Slipway"], path+".Slipway", []string{"Accept", "ExpectedDrift"})
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	given, _ := e["Accept"].(map[string]any)
	for rule, why := range given {
		reason, _ := why.(string)
		if !slices.ContainsFunc(append(workloadRules, handRules...), func(h handRule) bool { return h.name == rule }) || reason == "" {
			return nil, t.errorf(path+".Slipway.Accept."+rule, "must name a rule and give the reason")
		}
		out[rule] = reason
	}
	return out, nil
}

// expectedDrift reads Metadata.Slipway.ExpectedDrift: the properties that something else than CloudFormation moves, each with its reason.
func (t *Template) expectedDrift(metadata any, path string) (map[string]string, error) {
	m, _ := metadata.(map[string]any)
	slipway, _ := m["Slipway"].(map[string]any)
	if slipway["ExpectedDrift"] == nil {
		return nil, nil
	}
	path += ".Slipway.ExpectedDrift"
	given, ok := slipway["ExpectedDrift"].(map[string]any)
	if !ok {
		return nil, t.errorf(path, "must be a map from property path to reason")
	}
	out := map[string]string{}
	for property, why := range given {
		reason, _ := why.(string)
		if !strings.HasPrefix(property, "/") || reason == "" {
			return nil, t.errorf(path+"."+property, "must be a path like /DefaultActions/*/ForwardConfig, with the reason")
		}
		out[property] = reason
	}
	return out, nil
}

func (t *Template) readOutputs(m map[string]any, doc *yaml.Node) error {
	s, order, err := t.section(m, doc, "Outputs", maxOutputs)
	if err != nil {
		return err
	}
	for _, name := range order {
		path := "Outputs." + name
		e, err := t.entry(s[name], path, outputKeys)
		if err != nil {
			return err
		}
		o := Output{Name: name, value: e["Value"]}
		if o.value == nil {
			return t.errorf(path, "has no Value")
		}
		for key, to := range map[string]*string{"Description": &o.Description, "Condition": &o.Condition} {
			if *to, err = t.text(e, path, key); err != nil {
				return err
			}
		}
		if v, ok := e["Export"]; ok {
			export, err := t.entry(v, path+".Export", []string{"Name"})
			if err != nil {
				return err
			}
			o.export = export["Name"]
		}
		t.Outputs = append(t.Outputs, o)
	}
	return nil
}

// scalarText is a scalar as CloudFormation hands it on: as text.
func scalarText(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case bool:
		return strconv.FormatBool(x), true
	case int64:
		return strconv.FormatInt(x, 10), true
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), true
	}
	return "", false
}
