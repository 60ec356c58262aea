package blueprint

import "strings"

// subUses lists the names inside a Sub's text, without those its own map gives.
func subUses(arg any) []use {
	text, _ := arg.(string)
	var local map[string]any
	if args, ok := arg.([]any); ok && len(args) == 2 {
		text, _ = args[0].(string)
		local, _ = args[1].(map[string]any)
	}
	var out []use
	for _, m := range placeholder.FindAllString(text, -1) {
		name := strings.TrimSpace(m[2 : len(m)-1])
		if _, own := local[name]; own || strings.HasPrefix(name, "!") {
			continue
		}
		id, attr, _ := strings.Cut(name, ".")
		out = append(out, use{id, attr})
	}
	return out
}
