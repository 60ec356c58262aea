package views

import (
	"slipway/views/ui"
	"slipway/views/urls"
)

// AdminBackstage is what Backstage reads with, and how it is set up.
type AdminBackstage struct {
	CSRF      string
	MayEdit   bool // admins; auditors only read
	PublicURL string
	Origins   []string // that may show frames
	Good      []CatalogTokenRow
	Past      []CatalogTokenRow
	Form      CatalogTokenForm
	Token     string // just made, shown once
	TokenOf   string
}

// CatalogTokenRow is one token.
type CatalogTokenRow struct {
	ID        string
	Name      string
	By        string
	At        ui.When
	Used      ui.When // zero: never
	RevokedBy string
	Revoked   ui.When // zero: it is good
}

// CatalogTokenForm makes a token.
type CatalogTokenForm struct {
	Name string `form:"name"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

func (f CatalogTokenForm) field() ui.Field {
	return ui.Field{ID: "token-name", Name: "name", Label: "Name", Hint: "Which Backstage reads with it, for example production.", Value: f.Name, Max: 60, Error: f.Errors["name"]}
}

func (d AdminBackstage) tokenCallout() ui.Callout {
	return ui.Callout{ID: "secret", Tone: ui.Warn, Title: "The token of " + d.TokenOf, Text: "Whoever has it reads the catalogue of all tenants. It is shown only now.", Next: "Copy it before you leave this page.", Focus: true}
}

func (d AdminBackstage) tokenCommands() []ui.Command {
	return []ui.Command{
		{Label: "Location, for app-config.yaml: its address is the secret", Lines: []string{"target: " + d.PublicURL + urls.CatalogBy(d.Token)}},
		{Label: "Or as a header, for an entity provider", Lines: []string{"Authorization: Bearer " + d.Token}},
	}
}
