package blueprint

import (
	"regexp"
	"slices"
	"strings"
)

const (
	unknownOpen  = "{{known after apply: "
	unknownClose = "}}"
	mask         = "****"
)

// Unknown is the marker that stands for a value known only after its resource is made.
func Unknown(name string) string { return unknownOpen + name + unknownClose }

// IsUnknown says whether a resolved value holds something that is known only later.
func IsUnknown(v any) bool {
	switch x := v.(type) {
	case string:
		return strings.Contains(x, unknownOpen)
	case []any:
		return slices.ContainsFunc(x, IsUnknown)
	case map[string]any:
		for _, c := range x {
			if IsUnknown(c) {
				return true
			}
		}
	}
	return false
}

var markers = regexp.MustCompile(regexp.QuoteMeta(unknownOpen) + `[^}]*` + regexp.QuoteMeta(unknownClose))

// ReplaceUnknown puts text in the place of every marker in a resolved value.
func ReplaceUnknown(v any, text string) any {
	switch x := v.(type) {
	case string:
		return markers.ReplaceAllLiteralString(x, text)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = ReplaceUnknown(x[i], text)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, c := range x {
			out[k] = ReplaceUnknown(c, text)
		}
		return out
	}
	return v
}
