package handlers

import (
	"testing"

	"slipway/models/blueprint"
	"slipway/views/ui"
)

func webFields(t *testing.T) []blueprint.Field {
	t.Helper()
	m := blueprint.Meta{Inputs: map[string]any{
		"type": "object", "additionalProperties": false, "required": []any{"Size"},
		"properties": map[string]any{
			"Size":             map[string]any{"type": "string", "title": "Size", "enum": []any{"S", "M", "L"}, "x-labels": map[string]any{"S": "Small: one task", "M": "Medium: two tasks", "L": "Large: four tasks"}, "x-order": 1, "x-advanced": false},
			"LogRetentionDays": map[string]any{"type": "integer", "title": "Keep logs", "description": "How long lines stay.", "default": 30, "minimum": 1, "maximum": 365, "x-unit": "days"},
			"Tracing":          map[string]any{"type": "boolean", "title": "Traces", "default": true},
			"HealthPath":       map[string]any{"type": "string", "title": "Health check path", "default": "/healthz", "maxLength": 100},
		}}}
	fields, err := m.Fields()
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

// TestBlueprintFields: what needs an answer stands in sight, the rest is folded with its default, and typed values and messages return.
func TestBlueprintFields(t *testing.T) {
	fields := webFields(t)
	b := blueprintFields(fields, map[string]string{"LogRetentionDays": "9999", "Tracing": "false"}, map[string]string{"LogRetentionDays": "Enter at most 365 days."}, func(n string) string { return "/check?" + n })
	if len(b.Asked) != 1 || len(b.Advanced) != 3 || b.Asked[0].Kind != "pick" || b.Asked[0].Picks[1].Text != "two tasks" || b.Asked[0].Picks[1].Checked {
		t.Fatalf("asked %+v\nadvanced %+v", b.Asked, b.Advanced)
	}
	by := map[string]ui.Field{}
	for _, f := range b.All() {
		by[f.Name] = f
	}
	days := by["LogRetentionDays"]
	if days.Value != "9999" || days.Error == "" || days.Suffix != "days" || days.Mode != "numeric" || days.Hint != "How long lines stay. 1 to 365." || days.CheckURL != "/check?LogRetentionDays" {
		t.Errorf("days: %+v", days)
	}
	if f := by["Tracing"]; f.Kind != "select" || f.Value != "false" {
		t.Errorf("a flag: %+v", f)
	}
	if f := by["HealthPath"]; f.Value != "/healthz" || f.Max != 100 || !f.Optional {
		t.Errorf("a text: %+v", f)
	}
	if len(b.Changed) != 2 {
		t.Errorf("changed: %v", b.Changed)
	}
	if e := ui.FieldErrors(b.All()...); len(e) != 1 || e[0].ID != "LogRetentionDays" {
		t.Errorf("errors: %v", e)
	}
}

func TestManyChoicesBecomeAList(t *testing.T) {
	f := blueprint.Field{Name: "Days", Type: blueprint.ChoiceField}
	for _, v := range []string{"1", "2", "3", "4", "5"} {
		f.Choices = append(f.Choices, blueprint.Choice{Value: v, Label: v + " days"})
	}
	if q := blueprintField(f, ""); q.Kind != "select" || len(q.Options) != 6 || q.Options[0].Value != "" {
		t.Errorf("five choices, none made: %+v", q)
	}
	f.Choices = f.Choices[:2]
	if q := blueprintField(f, "2"); q.Kind != "pick" || !q.Picks[1].Checked {
		t.Errorf("two choices: %+v", q)
	}
}
