package views

import (
	"slipway/models"
	"slipway/views/ui"
)

// Tenants is the list at /tenants.
type Tenants struct {
	Facts      []ui.Fact // "48 teams, 71 accounts"
	Filters    ui.Filters
	Sorts      ui.Sorts // keys: slug, state, cost_centre, budget, estimate, created
	Rows       []TenantRow
	Pager      ui.Pager
	CSV        string // address of the same rows as CSV
	MayRequest bool
}

// TenantRow is one tenant in the list.
type TenantRow struct {
	Slug       string
	Name       string
	CostCentre string
	State      models.ObjectState
	Accounts   string // "2 of 2 active", "none yet"
	Budget     string // "$2,500"
	Estimate   string // "$118.24"; empty when not known
	Share      float64
	Made       ui.When
}

// TenantForm is what the tenant form holds, as typed. Handlers decode into it and send it back with Errors.
type TenantForm struct {
	Slug           string   `form:"slug"`
	DisplayName    string   `form:"display_name"`
	Description    string   `form:"description"`
	OwnerGroup     string   `form:"owner_group"`
	DeveloperGroup string   `form:"developer_group"`
	ViewerGroup    string   `form:"viewer_group"`
	CostCentre     string   `form:"cost_centre"`
	Budget         string   `form:"budget"`
	Classes        []string `form:"classes"`

	NonprodFrom    string `form:"nonprod_from"` // where the account comes from: new (default), move, stay
	NonprodAccount string `form:"nonprod_account"`
	ProdFrom       string `form:"prod_from"`
	ProdAccount    string `form:"prod_account"`

	Do string `form:"do"` // plan (default) or draft

	CSRF  string `form:"_csrf"`
	Key   string `form:"_key"`   // idempotency: submitting twice lands on the same request
	Draft string `form:"_draft"` // id of the saved form this continues; may be empty

	Errors map[string]string `form:"-"` // field name to message
}

// NewTenant is the page around the tenant form, for a new request or for changed inputs of one.
type NewTenant struct {
	Form         TenantForm
	GroupPattern string  // how group names look here, in words or as a pattern; may be empty
	Approvers    string  // "a platform-admin: Jonas Weil or Noor Haddad"; empty: by the rules
	UsualTime    string  // "14 m, worst 22 m"; empty under five past runs
	Restored     ui.When // a draft was restored, saved then; zero: none
	RestoredWhy  string  // "Your session had ended"; may be empty

	EditID     string // request whose inputs are changed; empty for a new one
	EditNumber string // REQ-1847
	EditReason string // what the approver asked to change
	EditBy     string // who asked
}

const (
	slugHint  = "3 to 20 lower case letters, digits and single hyphens. Becomes part of account names and addresses and never changes."
	groupHint = "A group of your identity provider"
)

// fields are the questions in order, with typed values and messages.
func (f TenantForm) fields(edit bool) []ui.Field {
	all := []ui.Field{
		{Name: "slug", Label: "Short name", Hint: slugHint, Value: f.Slug, Mono: true, Max: 60},
		{Name: "display_name", Label: "Display name", Hint: "How people know the team, for example Payments.", Value: f.DisplayName, Max: 120},
		{Name: "description", Label: "What it is for", Value: f.Description, Kind: "textarea", Rows: 2, Optional: true, Max: 1000},
		{Name: "owner_group", Label: "Owners", Hint: groupHint + ". Owners approve what the rules let them approve.", Value: f.OwnerGroup, Mono: true, Max: 256},
		{Name: "developer_group", Label: "Developers", Hint: groupHint + ". Developers ask for things.", Value: f.DeveloperGroup, Mono: true, Max: 256},
		{Name: "viewer_group", Label: "Viewers", Hint: groupHint + ". Viewers read.", Value: f.ViewerGroup, Mono: true, Max: 256},
		{Name: "cost_centre", Label: "Cost centre", Hint: "As finance writes it, for example CC-4100.", Value: f.CostCentre, Max: 80},
		{Name: "budget", Label: "Monthly budget, US dollars", Hint: "AWS warns at 80 % and 100 % of it. Nothing is switched off.", Value: f.Budget, Prefix: "$", Mode: "decimal", Max: 20},
	}
	for i := range all {
		all[i].ID = all[i].Name
		all[i].Error = f.Errors[all[i].Name]
		all[i].CheckURL = checkURL(all[i].Name, edit)
	}
	return all
}

func (f TenantForm) field(name string, edit bool) ui.Field {
	for _, x := range f.fields(edit) {
		if x.Name == name {
			return x
		}
	}
	for _, c := range models.Classes() {
		if x := f.number(c); x.Name == name {
			return x
		}
	}
	return ui.Field{}
}

func (f TenantForm) choices() ui.Choices {
	has := map[string]bool{}
	for _, c := range f.Classes {
		has[c] = true
	}
	return ui.Choices{
		ID: "classes", Name: "classes", Label: "AWS accounts", Error: f.Errors["classes"],
		Hint: "Each is an AWS account of the tenant's own. An environment's stage decides which one it goes to.",
		Choices: []ui.Choice{
			{Value: string(models.NonProd), Label: "nonprod", Text: classText(models.NonProd), Checked: has[string(models.NonProd)], More: f.origin(models.NonProd)},
			{Value: string(models.Prod), Label: "prod", Text: classText(models.Prod), Checked: has[string(models.Prod)], More: f.origin(models.Prod)},
		},
	}
}

// errors are the messages in the order of the questions.
func (f TenantForm) errors(edit bool) []ui.FieldError {
	var all []ui.FieldError
	for _, x := range f.fields(edit) {
		if x.Error != "" {
			all = append(all, ui.FieldError{ID: x.ID, Label: x.Label, Text: x.Error})
		}
	}
	return append(all, f.choices().Errors()...)
}
