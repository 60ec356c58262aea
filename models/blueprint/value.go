package blueprint

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits of a template, CloudFormation's own where it has one.
const (
	MaxBytes      = 1 << 20
	maxDepth      = 60
	maxNodes      = 60_000 // counted after aliases are followed, so that a small file cannot unfold into a huge one
	maxMarks      = 80_000 // lines and commas: a cheap bound before anything is parsed
	maxResources  = 500
	maxParameters = 200
	maxOutputs    = 200
	maxMappings   = 200
)

// call is an intrinsic function and its argument, whatever way it was written.
type call struct {
	fn  string // without "Fn::"
	arg any
}

// functions lists the intrinsics a template may use. ImportValue parses, so that Check can
// say why it is refused.
var functions = []string{
	"Ref", "Condition", "And", "Base64", "Cidr", "Equals", "FindInMap", "GetAtt", "GetAZs", "If", "ImportValue",
	"Join", "Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString",
}

// reader turns YAML nodes into values: map[string]any, []any, string, bool, int64, float64,
// nil and call. It remembers the line of every path.
type reader struct {
	nodes   int
	lines   map[string]int
	aliases []string // paths
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d: %s", n.Line, fmt.Sprintf(format, args...))
}

func (r *reader) value(n *yaml.Node, path string, depth int) (any, error) {
	r.nodes++
	switch {
	case depth > maxDepth:
		return nil, r.fail(n, "nested deeper than %d levels", maxDepth)
	case r.nodes > maxNodes:
		return nil, r.fail(n, "more than %d values", maxNodes)
	case n.Kind == yaml.AliasNode:
		r.aliases = append(r.aliases, path)
		return r.value(n.Alias, path, depth+1)
	}
	r.lines[path] = n.Line
	fn, short := shortForm(n)
	var v any
	var err error
	switch n.Kind {
	case yaml.MappingNode:
		v, err = r.mapping(n, path, depth)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			child, err := r.value(item, path+"["+strconv.Itoa(i)+"]", depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, child)
		}
		v = list
	case yaml.ScalarNode:
		v, err = r.scalar(n, short)
	default:
		err = r.fail(n, "unexpected document structure")
	}
	if err != nil || !short {
		return v, err
	}
	if !slices.Contains(functions, fn) {
		return nil, r.fail(n, "unknown intrinsic function !%s", fn)
	}
	if at, ok := v.(string); ok && fn == "GetAtt" {
		id, attr, dotted := strings.Cut(at, ".")
		if !dotted {
			return nil, r.fail(n, "!GetAtt %s names no attribute", at)
		}
		v = []any{id, attr}
	}
	return call{fn, v}, nil
}

func shortForm(n *yaml.Node) (string, bool) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") && n.Tag != "!" {
		return n.Tag[1:], true
	}
	return "", false
}

func (r *reader) mapping(n *yaml.Node, path string, depth int) (any, error) {
	m := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode {
			return nil, r.fail(k, "a key must be text")
		}
		if k.Tag == "!!merge" {
			return nil, r.fail(k, "CloudFormation does not know merge keys (<<)")
		}
		if _, twice := m[k.Value]; twice {
			return nil, r.fail(k, "%q is given twice", k.Value)
		}
		child, err := r.value(n.Content[i+1], join(path, k.Value), depth+1)
		if err != nil {
			return nil, err
		}
		m[k.Value] = child
	}
	for k, arg := range m {
		name, long := strings.CutPrefix(k, "Fn::")
		if !long && (k != "Ref" || len(m) > 1) {
			continue
		}
		if !slices.Contains(functions, name) || (long && (name == "Ref" || name == "Condition")) {
			return nil, r.fail(n, "unknown intrinsic function %s", k)
		}
		if len(m) > 1 {
			return nil, r.fail(n, "%s must be the only key of its map", k)
		}
		if at, ok := arg.(string); ok && name == "GetAtt" {
			id, attr, _ := strings.Cut(at, ".")
			arg = []any{id, attr}
		}
		return call{name, arg}, nil
	}
	return m, nil
}

// scalar keeps dates as the text they are written as ("2012-10-17" is a policy version) and
// numbers with leading zeros too (they are account ids).
func (r *reader) scalar(n *yaml.Node, short bool) (any, error) {
	if strings.Contains(n.Value, unknownOpen) {
		return nil, r.fail(n, "%q is reserved", unknownOpen)
	}
	if strings.ContainsRune(n.Value, 0) {
		return nil, r.fail(n, "a value holds a NUL character")
	}
	if short {
		return n.Value, nil
	}
	switch n.Tag {
	case "!!null":
		return nil, nil
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			return n.Value, nil
		}
		return b, nil
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil && strconv.FormatInt(i, 10) == n.Value {
			return i, nil
		}
	case "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil && decimalNumber.MatchString(n.Value) {
			return f, nil
		}
	case "!!binary":
		return nil, r.fail(n, "binary values are not allowed")
	}
	return n.Value, nil
}

var decimalNumber = regexp.MustCompile(`^-?(0|[1-9]\d{0,14})\.\d{1,15}$`)

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
