package blueprint

import (
	"fmt"
	"strconv"
	"strings"
)

func (r *resolver) join(args []any) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("function Join takes a separator and a list")
	}
	sep, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("function Join takes a separator and a list")
	}
	if text, ok := args[1].(string); ok && IsUnknown(text) {
		return text, nil
	}
	list, ok := args[1].([]any)
	if !ok {
		return nil, fmt.Errorf("function Join takes a separator and a list")
	}
	parts := make([]string, len(list))
	for i, v := range list {
		if parts[i], ok = scalarText(v); !ok {
			return nil, fmt.Errorf("function Join joins texts")
		}
	}
	return strings.Join(parts, sep), nil
}

func (r *resolver) pick(args []any) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("function Select takes an index and a list")
	}
	text, _ := scalarText(args[0])
	i, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("function Select takes an index and a list")
	}
	if text, ok := args[1].(string); ok && IsUnknown(text) {
		return text, nil // an item of a list that is known only later
	}
	list, ok := args[1].([]any)
	if !ok {
		return nil, fmt.Errorf("function Select takes an index and a list")
	}
	if i < 0 || i >= len(list) {
		return nil, fmt.Errorf("function Select asks for item %d of %d", i, len(list))
	}
	return list[i], nil
}

func (r *resolver) split(args []any) (any, error) {
	sep, text, ok := twoTexts(args)
	if !ok || sep == "" {
		return nil, fmt.Errorf("function Split takes a separator and a text")
	}
	if IsUnknown(text) {
		return text, nil
	}
	out := []any{}
	for _, part := range strings.Split(text, sep) {
		out = append(out, part)
	}
	return out, nil
}

func twoTexts(args []any) (a, b string, ok bool) {
	if len(args) != 2 {
		return "", "", false
	}
	a, ok1 := args[0].(string)
	b, ok2 := args[1].(string)
	return a, b, ok1 && ok2
}
