package views

import (
	"slipway/models"
	"slipway/views/ui"
)

// AdminRoles is the mapping of identity provider groups to platform roles.
type AdminRoles struct {
	Rows   []MappingRow
	Form   MappingForm
	MayAdd bool // admins; auditors only read
}

// MappingRow is one group with the role it grants.
type MappingRow struct {
	ID         string
	Group      string
	Role       models.PlatformRole
	FromConfig bool   // break-glass: set by SLIPWAY_ADMIN_GROUPS, not changed here
	Last       bool   // the last mapping that grants platform-admin cannot be removed
	By         string // who added it
	At         ui.When
}

// MappingForm adds a mapping.
type MappingForm struct {
	Group string `form:"group"`
	Role  string `form:"role"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

// AdminRules is what the rules engine works with.
type AdminRules struct {
	Source    string  // file the rules were read from, or "shipped with Slipway"
	Digest    string  // SHA-256 of it
	Loaded    ui.When // when the good version was read
	Problem   string  // why the newest version was not taken; empty when it was
	ProblemAt ui.When
	Rows      []RuleRow
}

// RuleRow is one rule with what it decided lately.
type RuleRow struct {
	ID         string
	Version    int
	Title      string
	Effect     string // deny, warn, require, approve
	Expression string // CEL
	Message    string
	Demand     string // "2 of platform-admin"; only for require
	Kinds      string // kinds of request it looks at; empty: all
	Checked    int    // plans it looked at in the period
	Matched    int    // plans it spoke on
	Lately     []RuleVerdict
}

// RuleVerdict is one plan that a rule spoke on.
type RuleVerdict struct {
	Number string // REQ-1847
	ID     string // request id
	Title  string
	When   ui.When
	Error  string // it could not be evaluated; counts as a deny
}

var ruleEffects = map[string]ui.State{
	"deny":    {Label: "Denies", Tone: ui.Fail},
	"warn":    {Label: "Warns", Tone: ui.Warn},
	"require": {Label: "Wants a person", Tone: ui.Wait},
	"approve": {Label: "Approves", Tone: ui.OK, Icon: ui.IconScale},
}

func (f MappingForm) groupField() ui.Field {
	return ui.Field{ID: "group", Name: "group", Label: "Group", Hint: "As your identity provider sends it.", Value: f.Group, Error: f.Errors["group"], Mono: true, Max: 256}
}

func effectState(effect string) ui.State {
	if s, ok := ruleEffects[effect]; ok {
		return s
	}
	return ui.State{Label: effect, Tone: ui.Idle}
}
