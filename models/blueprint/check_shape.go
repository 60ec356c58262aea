package blueprint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// object checks a map against the properties its type declares.
func (c *checker) object(s TypeSchema, path string, v any, declared map[string]property) {
	if _, computed := v.(call); computed {
		return
	}
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		c.errorf("shape", path, "must be a map")
		return
	}
	for name, child := range m {
		p, known := declared[name]
		if !known {
			c.errorf("property", join(path, name), "unknown property%s", suggestion(name, declared))
			continue
		}
		if child == nil {
			c.errorf("null", join(path, name), "null values are not allowed")
			continue
		}
		c.shape(s, join(path, name), child, p.Shape)
	}
	for name, p := range declared {
		if p.Required == 1 && m[name] == nil {
			c.errorf("required", path, "misses the required property %s", name)
		}
	}
}

func suggestion(name string, declared map[string]property) string {
	for other := range declared {
		if strings.EqualFold(other, name) || other == name+"s" || name == other+"s" {
			return "; did you mean " + other + "?"
		}
	}
	return ""
}

// shape checks a value against a type. What a function yields is checked where it is chosen
// from given values (If), and for being a list or not.
func (c *checker) shape(s TypeSchema, path string, v any, sh *shape) {
	if sh == nil {
		return
	}
	if f, computed := v.(call); computed {
		c.computed(s, path, f, sh)
		return
	}
	switch sh.Kind {
	case "ref":
		c.object(s, path, v, s.svc.Types[sh.Ref].Properties)
	case "array":
		list, ok := v.([]any)
		if !ok {
			c.errorf("shape", path, "must be a list")
			return
		}
		for i, item := range list {
			c.shape(s, path+"["+strconv.Itoa(i)+"]", item, sh.Elem)
		}
	case "map":
		m, ok := v.(map[string]any)
		if !ok {
			c.errorf("shape", path, "must be a map")
			return
		}
		for k, item := range m {
			c.shape(s, join(path, k), item, sh.Elem)
		}
	case "tag":
		c.tag(path, v)
	case "union":
		c.union(s, path, v, sh)
	case "json", "unknown":
	default:
		c.scalar(path, v, sh)
	}
}

func (c *checker) computed(s TypeSchema, path string, f call, sh *shape) {
	if args, ok := f.arg.([]any); ok && f.fn == "If" && len(args) == 3 {
		c.shape(s, path+"[1]", args[1], sh)
		c.shape(s, path+"[2]", args[2], sh)
		return
	}
	texts := []string{"Sub", "Join", "Base64", "ToJsonString"}
	lists := []string{"Split", "Cidr", "GetAZs"}
	isText := slices.Contains([]string{"string", "integer", "number", "boolean", "date-time"}, sh.Kind)
	if slices.Contains(texts, f.fn) && (sh.Kind == "array" || sh.Kind == "map" || sh.Kind == "ref" || sh.Kind == "tag") {
		c.errorf("shape", path, "%s yields text, but %s is wanted", f.fn, kindWords(sh.Kind))
	}
	if slices.Contains(lists, f.fn) && isText {
		c.errorf("shape", path, "%s yields a list, but one value is wanted", f.fn)
	}
	if name, ok := f.arg.(string); ok && f.fn == "Ref" {
		if _, ok := c.t.Resource(name); ok && (sh.Kind == "array" || sh.Kind == "map" || sh.Kind == "ref") {
			c.errorf("shape", path, "Ref of a resource is one text, but %s is wanted", kindWords(sh.Kind))
		}
		if p, ok := c.t.Parameter(name); ok {
			list := p.Type == "CommaDelimitedList" || strings.HasPrefix(p.Type, "List<")
			if list && isText {
				c.errorf("shape", path, "the parameter %s is a list, but one value is wanted", name)
			}
			if !list && sh.Kind == "array" && !strings.HasPrefix(p.Type, "AWS::SSM") {
				c.errorf("shape", path, "the parameter %s is one value, but a list is wanted", name)
			}
		}
	}
}

func kindWords(kind string) string {
	if kind == "array" {
		return "a list"
	}
	return "a map"
}

func (c *checker) tag(path string, v any) {
	m, ok := v.(map[string]any)
	if !ok || m["Key"] == nil || m["Value"] == nil {
		c.errorf("tag", path, "a tag has a Key and a Value")
		return
	}
	for name := range m {
		if name != "Key" && name != "Value" {
			c.errorf("property", join(path, name), "unknown property")
		}
	}
	if key, ok := m["Key"].(string); ok && strings.HasPrefix(strings.ToLower(key), "aws:") {
		c.errorf("tag", path, "tag keys that begin with aws: belong to AWS")
	}
}

// union accepts a value that one member accepts; the problems of the closest one are told.
func (c *checker) union(s TypeSchema, path string, v any, sh *shape) {
	var best []Problem
	for i, member := range sh.Union {
		try := &checker{t: c.t, used: c.used}
		try.shape(s, path, v, member)
		if len(try.problems) == 0 {
			return
		}
		if i == 0 || len(try.problems) < len(best) {
			best = try.problems
		}
	}
	for _, p := range best {
		c.add(p.Level, p.Rule, p.Path, "%s", p.Message)
	}
}

func (c *checker) scalar(path string, v any, sh *shape) {
	text, ok := scalarText(v)
	if !ok {
		c.errorf("shape", path, "must be one value, of type %s", sh.Kind)
		return
	}
	var err error
	switch sh.Kind {
	case "integer":
		_, err = strconv.ParseInt(text, 10, 64)
	case "number":
		_, err = strconv.ParseFloat(text, 64)
	case "boolean":
		if text != "true" && text != "false" {
			err = fmt.Errorf("not true or false")
		}
	}
	if err != nil {
		c.errorf("shape", path, "%q is not of type %s", text, sh.Kind)
		return
	}
	if len(sh.Enum) == 0 {
		return
	}
	var allowed []string
	for _, e := range sh.Enum {
		allowed = append(allowed, fmt.Sprint(e))
	}
	if !slices.Contains(allowed, text) {
		c.errorf("enum", path, "%q is none of %s", text, oneOf(allowed[:min(len(allowed), 20)]))
	}
}
