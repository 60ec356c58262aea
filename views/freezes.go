package views

import "slipway/views/ui"

// Freezes are what stops new runs, now and before.
type Freezes struct {
	Now    []FreezeRow
	Past   []FreezeRow
	Form   FreezeForm
	MayAdd bool // admins; auditors only read
	CSRF   string
}

// FreezeRow is one freeze.
type FreezeRow struct {
	ID     string
	Whose  string // a tenant's short name, or all tenants
	URL    string // of the tenant; empty for all
	Reason string
	By     string
	From   ui.When
	Until  ui.When
	Ended  string // how a past one ended
	Key    string
}

// FreezeForm begins a freeze.
type FreezeForm struct {
	Tenant string `form:"tenant"`
	Reason string `form:"reason"`
	Until  string `form:"until"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

func (d Freezes) fields() []ui.Field {
	f := d.Form
	all := []ui.Field{
		{Name: "tenant", Label: "Whose new runs stop", Hint: "A tenant's short name, or * for all.", Value: f.Tenant, Mono: true, Max: 20},
		{Name: "reason", Label: "Why", Hint: "Everybody who waits reads it.", Kind: "textarea", Rows: 3, Value: f.Reason, Max: 500},
		{Name: "until", Label: "Until (UTC)", Hint: "At most 30 days ahead. It ends by itself, and you can lift it before.", Kind: "datetime-local", Value: f.Until},
	}
	for i := range all {
		all[i].ID, all[i].Error = all[i].Name, f.Errors[all[i].Name]
	}
	return all
}
