package blueprint

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// noValue is what Ref AWS::NoValue leaves: its key or item disappears.
type noValue struct{}

// maxSpent bounds what a template resolves to, in values and in sixteenths of text: a mapping
// may be used ten thousand times.
const maxSpent = 1_000_000

func (r *resolver) spend(v any) error {
	r.spent++
	switch x := v.(type) {
	case string:
		r.spent += len(x) / 16
	case []any:
		r.spent += len(x)
	}
	if r.spent > maxSpent {
		return fmt.Errorf("the template unfolds into too much")
	}
	return nil
}

// eval works out a value. Maps and lists are new, so that nothing is shared with the template.
func (r *resolver) eval(v any) (any, error) {
	if err := r.spend(v); err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, c := range x {
			e, err := r.eval(c)
			if err != nil {
				return nil, err
			}
			if _, none := e.(noValue); !none && e != nil {
				out[k] = e
			}
		}
		return out, nil
	case []any:
		out := make([]any, 0, len(x))
		for _, c := range x {
			e, err := r.eval(c)
			if err != nil {
				return nil, err
			}
			if _, none := e.(noValue); !none {
				out = append(out, e)
			}
		}
		return out, nil
	case call:
		out, err := r.call(x)
		if err != nil {
			return nil, err
		}
		return out, r.spend(out)
	}
	return v, nil
}

func (r *resolver) call(c call) (any, error) {
	switch c.fn {
	case "Ref":
		name, ok := c.arg.(string)
		if !ok {
			return nil, fmt.Errorf("function Ref takes a name")
		}
		return r.ref(name)
	case "If":
		return r.choose(c.arg)
	case "Condition", "And", "Or", "Not", "Equals":
		return nil, fmt.Errorf("%s belongs into Conditions", c.fn)
	case "ImportValue":
		return nil, fmt.Errorf("function ImportValue is not supported: pass the value as a parameter, for exports freeze their stack")
	case "Sub":
		return r.sub(c.arg)
	}
	arg, err := r.eval(c.arg)
	if err != nil {
		return nil, err
	}
	if text, ok := arg.(string); ok {
		switch c.fn {
		case "GetAZs":
			return r.zones(text)
		case "Base64":
			if IsUnknown(text) {
				return text, nil
			}
			return base64.StdEncoding.EncodeToString([]byte(text)), nil
		}
	}
	if c.fn == "ToJsonString" {
		b, err := json.Marshal(arg)
		return string(b), err
	}
	args, ok := arg.([]any)
	if !ok {
		return nil, fmt.Errorf("%s has the wrong kind of argument", c.fn)
	}
	fn, ok := listFunctions[c.fn]
	if !ok {
		return nil, fmt.Errorf("%s has the wrong kind of argument", c.fn)
	}
	return fn(r, args)
}

var listFunctions map[string]func(*resolver, []any) (any, error)

func init() {
	listFunctions = map[string]func(*resolver, []any) (any, error){
		"GetAtt": (*resolver).getAtt, "Join": (*resolver).join, "Select": (*resolver).pick, "Split": (*resolver).split,
		"FindInMap": (*resolver).findInMap, "Cidr": (*resolver).cidr,
		"Length": func(_ *resolver, list []any) (any, error) { return int64(len(list)), nil },
	}
}

func (r *resolver) choose(arg any) (any, error) {
	args, ok := arg.([]any)
	if !ok || len(args) != 3 {
		return nil, fmt.Errorf("function If takes a condition's name and two values")
	}
	name, _ := args[0].(string)
	yes, ok := r.conditions[name]
	if !ok {
		return nil, fmt.Errorf("there is no condition %q", name)
	}
	if yes {
		return r.eval(args[1])
	}
	return r.eval(args[2])
}

func (r *resolver) ref(name string) (any, error) {
	if strings.HasPrefix(name, "AWS::") {
		return r.pseudo(name)
	}
	if v, ok := r.parameters[name]; ok {
		if list, ok := v.([]any); ok {
			return append([]any{}, list...), nil
		}
		return v, nil
	}
	return r.attribute(name, "Ref")
}

func (r *resolver) pseudo(name string) (any, error) {
	known := map[string]string{
		"AWS::AccountId": r.in.Account, "AWS::Region": r.in.Region, "AWS::StackName": r.in.StackName,
		"AWS::StackId": r.in.StackID, "AWS::Partition": r.in.Partition, "AWS::URLSuffix": "amazonaws.com",
	}
	switch v, ok := known[name]; {
	case name == "AWS::NoValue":
		return noValue{}, nil
	case name == "AWS::NotificationARNs":
		return []any{}, nil
	case !ok:
		return nil, fmt.Errorf("there is no pseudo parameter %s", name)
	case v == "":
		return Unknown(name), nil
	default:
		return v, nil
	}
}

// attribute asks for what only a made resource knows.
func (r *resolver) attribute(id, attr string) (any, error) {
	res, ok := r.t.Resource(id)
	if !ok {
		return nil, fmt.Errorf("%q is neither a parameter nor a resource", id)
	}
	if in, err := r.included(res.Condition); err != nil || !in {
		return nil, fmt.Errorf("%q is not made, because its condition %s is false", id, res.Condition)
	}
	r.refs = append(r.refs, Reference{id, attr})
	if r.in.Attr != nil {
		if v, known := r.in.Attr(id, attr); known {
			return v, nil
		}
	}
	if attr == "Ref" {
		return Unknown(id), nil
	}
	return Unknown(id + "." + attr), nil
}

func (r *resolver) getAtt(args []any) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("function GetAtt takes a resource and an attribute")
	}
	id, ok1 := args[0].(string)
	attr, ok2 := args[1].(string)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("function GetAtt takes a resource and an attribute")
	}
	return r.attribute(id, attr)
}

var placeholder = regexp.MustCompile(`\$\{[^{}$]*\}`)

func (r *resolver) sub(arg any) (any, error) {
	text, ok := arg.(string)
	local := map[string]any{}
	if args, list := arg.([]any); list && len(args) == 2 {
		text, ok = args[0].(string)
		given, isMap := args[1].(map[string]any)
		if !isMap {
			return nil, fmt.Errorf("function Sub takes a text and a map")
		}
		v, err := r.eval(given)
		if err != nil {
			return nil, err
		}
		local = v.(map[string]any)
	}
	if !ok {
		return nil, fmt.Errorf("function Sub takes a text, or a text and a map")
	}
	var failed error
	out := placeholder.ReplaceAllStringFunc(text, func(m string) string {
		name := strings.TrimSpace(m[2 : len(m)-1])
		if literal, is := strings.CutPrefix(name, "!"); is {
			return "${" + literal + "}"
		}
		v, found := local[name]
		if !found {
			var err error
			if id, attr, dotted := strings.Cut(name, "."); dotted {
				v, err = r.attribute(id, attr)
			} else {
				v, err = r.ref(name)
			}
			if err != nil && failed == nil {
				failed = err
			}
		}
		text, ok := scalarText(v)
		if !ok && failed == nil {
			failed = fmt.Errorf("${%s} is not a text", name)
		}
		return text
	})
	if failed != nil {
		return nil, failed
	}
	return out, nil
}
