package blueprint

import (
	"slices"
	"strconv"
	"strings"
)

var pseudoParameters = []string{"AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix"}

// walk checks the functions inside a value. early is true where no resource exists yet.
func (c *checker) walk(path string, v any, early bool) {
	switch x := v.(type) {
	case map[string]any:
		for k, child := range x {
			c.walk(join(path, k), child, early)
		}
	case []any:
		for i, child := range x {
			c.walk(path+"["+strconv.Itoa(i)+"]", child, early)
		}
	case call:
		c.function(path, x, early)
		if _, text := x.arg.(string); !text {
			c.walk(path, x.arg, early)
		}
	}
}

func (c *checker) function(path string, f call, early bool) {
	if conditionOnly := []string{"And", "Or", "Not", "Equals", "Condition"}; !early && slices.Contains(conditionOnly, f.fn) {
		c.errorf("function", path, "%s belongs into Conditions", f.fn)
		return
	}
	for _, u := range usesOf(f) {
		c.use(path, f.fn, u, early)
	}
	args, _ := f.arg.([]any)
	if n, ok := arity[f.fn]; ok && (len(args) < n[0] || len(args) > n[1]) {
		c.errorf("function", path, "%s takes %s", f.fn, n.words())
		return
	}
	switch f.fn {
	case "ImportValue":
		c.errorf("import", path, "ImportValue freezes the other stack; pass the value as a parameter")
	case "If":
		name, ok := args[0].(string)
		if !ok {
			c.errorf("function", path, "If takes a condition's name first")
		}
		c.conditionName(path, name)
	case "Condition":
		name, _ := f.arg.(string)
		c.conditionName(path, name)
	case "FindInMap":
		c.mapping(path, args)
	case "Ref":
		if _, ok := f.arg.(string); !ok {
			c.errorf("function", path, "Ref takes a name")
		}
	case "GetAtt":
		if _, ok := args[0].(string); !ok {
			c.errorf("function", path, "GetAtt takes a resource and an attribute")
		}
	case "Sub":
		c.substitution(path, f.arg)
	}
}

type bounds [2]int

func (b bounds) words() string {
	if b[0] == b[1] {
		return "a list of " + strconv.Itoa(b[0])
	}
	return "a list of " + strconv.Itoa(b[0]) + " to " + strconv.Itoa(b[1])
}

var arity = map[string]bounds{
	"If": {3, 3}, "Equals": {2, 2}, "Not": {1, 1}, "And": {2, 10}, "Or": {2, 10}, "GetAtt": {2, 2},
	"Join": {2, 2}, "Select": {2, 2}, "Split": {2, 2}, "FindInMap": {3, 4}, "Cidr": {2, 3},
}

func (c *checker) use(path, fn string, u use, early bool) {
	if strings.HasPrefix(u.name, "AWS::") {
		if !slices.Contains(pseudoParameters, u.name) {
			c.errorf("ref", path, "there is no pseudo parameter %s", u.name)
		}
		return
	}
	c.used["name "+u.name] = true
	if _, ok := c.t.Parameter(u.name); ok && u.attr == "" && fn != "GetAtt" {
		return
	}
	r, ok := c.t.Resource(u.name)
	switch {
	case !ok:
		c.errorf("ref", path, "%q is neither a parameter nor a resource", u.name)
	case early:
		c.errorf("ref", path, "a condition may not refer to a resource")
	case u.attr == "*" || u.attr == "" && fn != "GetAtt":
	default:
		if s, known := Schema(r.Type); known && !s.Has(u.attr) {
			c.errorf("attribute", path, "%s has no attribute %q", r.Type, u.attr)
		}
	}
}

func (c *checker) mapping(path string, args []any) {
	name, ok := args[0].(string)
	if !ok {
		return
	}
	c.used["mapping "+name] = true
	m, ok := c.t.mappings[name]
	if !ok {
		c.errorf("mapping", path, "there is no mapping %q", name)
		return
	}
	first, ok1 := args[1].(string)
	second, ok2 := args[2].(string)
	if ok1 && m[first] == nil && len(args) == 3 {
		c.errorf("mapping", path, "mapping %s has no key %q", name, first)
	} else if ok1 && ok2 && m[first][second] == nil && len(args) == 3 {
		c.errorf("mapping", path, "mapping %s has no key %q, %q", name, first, second)
	}
}

func (c *checker) substitution(path string, arg any) {
	text, ok := arg.(string)
	if args, list := arg.([]any); list {
		if len(args) != 2 {
			c.errorf("function", path, "Sub takes a text, or a text and a map")
			return
		}
		text, ok = args[0].(string)
		local, isMap := args[1].(map[string]any)
		if !isMap {
			c.errorf("function", path, "Sub takes a text and a map")
			return
		}
		for name := range local {
			if !strings.Contains(text, "${"+name+"}") {
				c.add(LevelWarning, "unused", path, "the text does not use ${%s}", name)
			}
		}
	}
	switch {
	case !ok:
		c.errorf("function", path, "Sub takes a text, or a text and a map")
	case !placeholder.MatchString(text):
		c.add(LevelWarning, "useless-sub", path, "Sub has nothing to substitute")
	case strings.Count(text, "${") != len(placeholder.FindAllString(text, -1)):
		c.errorf("function", path, "Sub has a ${ that is never closed")
	}
}
