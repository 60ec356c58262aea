package ui

// Field is one question of a form. A wrong answer keeps what was typed and says beside it what to do.
type Field struct {
	ID       string // unique on the page; the input's id
	Name     string
	Label    string
	Hint     string
	Error    string
	Good     string // what was found right with the answer; not shown beside an error
	GoodCode string // the name that follows from it
	Value    string
	Kind     string // text (default), textarea, number, email, date, select, pick: one of a few, all in sight
	Mono     bool   // names and codes
	Max      int    // length the browser stops at; 0: none
	Rows     int    // of a textarea
	Mode     string // inputmode: decimal, numeric
	Optional bool
	Prefix   string   // unit before the input
	Suffix   string   // unit after it
	Options  []Option // of a select
	Picks    []Choice // of a pick
	More     []Field  // of a pick: see Choices.More
	CheckURL string   // asked when the answer changed; replaces this field
	Place    string   // placeholder, only for what the label already says
}

// Choice is one box of a checkbox group, or one of those of which exactly one holds.
type Choice struct {
	Value   string
	Label   string
	Text    string
	Aside   string
	Checked bool
	More    []Field // asked only while the box is checked; without a style that can tell, always in sight
}

// Choices is a checkbox group, or with One a group of which exactly one holds.
type Choices struct {
	One     bool
	ID      string
	Name    string
	Label   string
	Hint    string
	Error   string
	Choices []Choice
	More    []Field // asked unless the first one is chosen; without a style that can tell, always in sight

	CheckURL string // asked when another one is chosen; replaces the group
}

// FieldError leads from the summary to its field.
type FieldError struct{ ID, Label, Text string }

// FieldErrors are the messages of a form's questions, in their order, for the summary over it.
func FieldErrors(fields ...Field) []FieldError {
	var all []FieldError
	for _, f := range fields {
		if f.Error != "" {
			all = append(all, FieldError{ID: f.ID, Label: f.Label, Text: f.Error})
		}
		for _, p := range f.Picks {
			all = append(all, FieldErrors(p.More...)...)
		}
		all = append(all, FieldErrors(f.More...)...)
	}
	return all
}

// Errors are the messages of a group of boxes and of what its boxes ask in turn.
func (c Choices) Errors() []FieldError {
	var all []FieldError
	if c.Error != "" && len(c.Choices) > 0 {
		all = append(all, FieldError{ID: c.boxID(0), Label: c.Label, Text: c.Error})
	}
	for _, x := range c.Choices {
		all = append(all, FieldErrors(x.More...)...)
	}
	return append(all, FieldErrors(c.More...)...)
}

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

func (f Field) choices() Choices {
	return Choices{One: true, ID: f.ID, Name: f.Name, Label: f.Label, Hint: f.Hint, Error: f.Error, Choices: f.Picks, More: f.More, CheckURL: f.CheckURL}
}

// boxID is the id of one box. The first of a group of which one holds has the group's own, so that a summary's link leads into it.
func (c Choices) boxID(i int) string {
	if c.One && i == 0 {
		return c.ID
	}
	return c.ID + "-" + c.Choices[i].Value
}

func (c Choices) groupID() string {
	if c.One {
		return c.ID + "-f"
	}
	return c.ID
}
