package ui

// Field is one question of a form. A wrong answer keeps what was typed and says beside it what to do.
type Field struct {
	ID       string // unique on the page; the input's id
	Name     string
	Label    string
	Hint     string
	Error    string
	Value    string
	Kind     string // text (default), textarea, number, email
	Mono     bool   // names and codes
	Max      int    // length the browser stops at; 0: none
	Rows     int    // of a textarea
	Mode     string // inputmode: decimal, numeric
	Optional bool
	Prefix   string // unit before the input
	CheckURL string // asked when the answer changed; replaces this field
	Place    string // placeholder, only for what the label already says
}

// Choice is one box of a checkbox group.
type Choice struct {
	Value   string
	Label   string
	Text    string
	Aside   string
	Checked bool
}

// Choices is a checkbox group.
type Choices struct {
	ID      string
	Name    string
	Label   string
	Hint    string
	Error   string
	Choices []Choice
}

// FieldError leads from the summary to its field.
type FieldError struct{ ID, Label, Text string }

func (f Field) describedBy() string { return describedBy(f.ID, f.Hint, f.Error) }

func (c Choices) describedBy() string { return describedBy(c.ID, c.Hint, c.Error) }

func describedBy(id, hint, err string) string {
	switch {
	case hint != "" && err != "":
		return id + "-h " + id + "-e"
	case hint != "":
		return id + "-h"
	case err != "":
		return id + "-e"
	}
	return ""
}

func (f Field) kind() string {
	if f.Kind == "" {
		return "text"
	}
	return f.Kind
}
