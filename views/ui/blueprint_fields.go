package ui

import "strings"

// BlueprintFields are the questions a blueprint asks: those that need an answer in sight, the rest folded with good defaults.
// Each question's name is the input's own name. Whatever is folded is sent all the same.
type BlueprintFields struct {
	Asked    []Field
	Advanced []Field
	Changed  []string // titles of folded questions whose answer is not the default
}

// All are the questions in the order in which they stand on the page.
func (b BlueprintFields) All() []Field {
	return append(append([]Field{}, b.Asked...), b.Advanced...)
}

// Empty tells whether nothing is asked.
func (b BlueprintFields) Empty() bool { return len(b.Asked)+len(b.Advanced) == 0 }

// open shows the folded questions when one of them needs a change, or nothing else is asked.
func (b BlueprintFields) open() bool {
	return len(FieldErrors(b.Advanced...)) > 0 || len(b.Asked) == 0
}

func (b BlueprintFields) note() string {
	switch n := len(b.Changed); {
	case n == 0:
		return Plural(len(b.Advanced), "setting with a good default", "settings with good defaults")
	case n <= 3:
		return "changed: " + strings.Join(b.Changed, ", ")
	default:
		return Plural(n, "setting is", "settings are") + " not the default"
	}
}
