package handlers

import (
	"fmt"
	"strconv"
	"strings"

	"slipway/models/blueprint"
	"slipway/views/ui"
)

// picksUpTo is how many choices stand in sight with their words; more become a list that opens.
const picksUpTo = 4

// blueprintFields draws a blueprint's questions. What was not answered shows its default; errors are by the input's own name. check,
// when there is one, makes the address that is asked about one answer.
func blueprintFields(fields []blueprint.Field, answers, errors map[string]string, check func(name string) string) ui.BlueprintFields {
	var out ui.BlueprintFields
	for _, f := range fields {
		value, answered := answers[f.Name]
		if !answered {
			value = f.Default
		}
		q := blueprintField(f, value)
		q.Error = errors[f.Name]
		if check != nil {
			q.CheckURL = check(f.Name)
		}
		if f.Required || !f.Advanced {
			out.Asked = append(out.Asked, q)
			continue
		}
		if value != f.Default {
			out.Changed = append(out.Changed, f.Title)
		}
		out.Advanced = append(out.Advanced, q)
	}
	return out
}

func blueprintField(f blueprint.Field, value string) ui.Field {
	q := ui.Field{ID: f.Name, Name: f.Name, Label: f.Title, Hint: f.Help, Value: value, Optional: !f.Required && f.Type == blueprint.TextField, Max: f.MaxLength}
	switch f.Type {
	case blueprint.NumberField:
		q.Mode, q.Suffix, q.Max = "decimal", f.Unit, 20
		if f.Whole {
			q.Mode = "numeric"
		}
		q.Hint = hintWith(f.Help, bounds(f))
	case blueprint.FlagField:
		q.Kind, q.Options = "select", []ui.Option{{Value: "true", Label: "Yes"}, {Value: "false", Label: "No"}}
	case blueprint.ChoiceField:
		choices(&q, f, value)
	default:
		q.Label = strings.TrimSpace(q.Label + unitOf(f.Unit))
		if q.Max == 0 {
			q.Max = 2000
		}
	}
	return q
}

// choices stand in sight where they are few and say more than their value.
func choices(q *ui.Field, f blueprint.Field, value string) {
	q.Kind = "select"
	if len(f.Choices) <= picksUpTo && says(f.Choices) {
		q.Kind = "pick"
	}
	if value == "" && q.Kind == "select" {
		q.Options = append(q.Options, ui.Option{Label: "Choose"})
	}
	for _, c := range f.Choices {
		label, text, _ := strings.Cut(c.Label, ": ")
		q.Options = append(q.Options, ui.Option{Value: c.Value, Label: c.Label})
		q.Picks = append(q.Picks, ui.Choice{Value: c.Value, Label: label, Text: text, Checked: c.Value == value})
	}
}

func says(choices []blueprint.Choice) bool {
	for _, c := range choices {
		if c.Label != c.Value {
			return true
		}
	}
	return false
}

func unitOf(unit string) string {
	if unit == "" {
		return ""
	}
	return ", " + unit
}

func bounds(f blueprint.Field) string {
	number := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	switch {
	case f.Min != nil && f.Max != nil:
		return fmt.Sprintf("%s to %s.", number(*f.Min), number(*f.Max))
	case f.Min != nil:
		return "At least " + number(*f.Min) + "."
	case f.Max != nil:
		return "At most " + number(*f.Max) + "."
	}
	return ""
}

func hintWith(help, more string) string { return strings.TrimSpace(help + " " + more) }

// fieldNames are the names under which a blueprint's answers are sent.
func fieldNames(fields []blueprint.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}
