package views

import (
	"slipway/models"
	"slipway/views/ui"
)

// AdminNotifications is the delivery log, and where notifications go besides people's e-mail.
type AdminNotifications struct {
	CSRF         string
	MayEdit      bool // admins; auditors only read
	Destinations []DestinationRow
	Networks     []AllowedRow
	Hook         HookForm
	Network      AllowForm
	Secret       string // of the webhook just added, shown once
	SecretOf     string
	Rows         []NoticeRow
	Filters      ui.Filters
	Pager        ui.Pager
	CSV          string
	Facts        []ui.Fact
}

// DestinationRow is one place that messages go to.
type DestinationRow struct {
	Name       string // stored name: smtp, webhook:config, webhook:<id>
	Title      string
	Note       string // host, form and events
	State      ui.State
	Error      string
	Until      ui.When // nothing is sent before
	OK         ui.When // last success
	Pending    int
	RemoveID   string // a webhook of the database
	Testable   bool
	PendingURL string
}

// AllowedRow is one allowed network. FromConfig ones are not changed here.
type AllowedRow struct {
	ID         string
	Block      string
	Note       string
	FromConfig bool
	By         string
	At         ui.When
}

// HookForm adds a webhook.
type HookForm struct {
	Name  string   `form:"name"`
	URL   string   `form:"url"`
	Form  string   `form:"form"`
	Kinds []string `form:"kinds"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

// AllowForm allows a network.
type AllowForm struct {
	Block string `form:"block"`
	Note  string `form:"note"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

func (f HookForm) fields() []ui.Field {
	all := []ui.Field{
		{Name: "name", Label: "Name", Value: f.Name, Max: 60},
		{Name: "url", Label: "Address", Hint: "Kept encrypted and never shown again. It is called from the workers, without a proxy, and must not redirect.", Value: f.URL, Mono: true, Max: 2000},
		{Name: "form", Label: "What it gets", Kind: "pick", Value: f.Form, Picks: []ui.Choice{
			{Value: string(models.SignedHook), Label: "Signed JSON", Text: "Headers of Standard Webhooks; the secret is shown once.", Checked: f.Form != string(models.SlackHook)},
			{Value: string(models.SlackHook), Label: "Slack", Text: "A text, as Slack's incoming webhooks take it.", Checked: f.Form == string(models.SlackHook)}}},
	}
	for i := range all {
		all[i].ID, all[i].Error = "hook-"+all[i].Name, f.Errors[all[i].Name]
	}
	return all
}

func (f HookForm) kinds() ui.Choices {
	c := ui.Choices{ID: "hook-kinds", Name: "kinds", Label: "Of what", Hint: "None ticked means all.", Error: f.Errors["kinds"]}
	for _, k := range models.EventChoices() {
		x := ui.Choice{Value: string(k.Kind), Label: hookWords[k.Kind]}
		for _, chosen := range f.Kinds {
			x.Checked = x.Checked || chosen == x.Value
		}
		c.Choices = append(c.Choices, x)
	}
	return c
}

// hookWords are the kinds of events as a webhook's owner reads them, to whom nothing is "mine".
var hookWords = map[models.EventKind]string{
	models.TellApprovers: "Plans that wait for approval", models.TellDecided: "Decisions", models.TellFailed: "Failures", models.TellBlocked: "Runs that wait for somebody",
	models.TellDone: "Requests that are done", models.TellExpiry: "Ends of environments", models.TellHealth: "Health of environments", models.TellBudget: "Budgets that are passed", models.TellGate: "Gates that fail", models.TellFreeze: "Freezes", models.TellRoleLost: "Lost roles", models.TellBreakGlass: "Broken glass",
}

func (f AllowForm) fields() []ui.Field {
	all := []ui.Field{
		{Name: "block", Label: "Block", Hint: "For example 10.20.0.0/16. Webhooks may then reach every address in it.", Value: f.Block, Mono: true, Max: 50},
		{Name: "note", Label: "Note", Hint: "What is there.", Value: f.Note, Optional: true, Max: 200},
	}
	for i := range all {
		all[i].ID, all[i].Error = "net-"+all[i].Name, f.Errors[all[i].Name]
	}
	return all
}

func (d AdminNotifications) secretCallout() ui.Callout {
	return ui.Callout{ID: "secret", Tone: ui.Warn, Title: "The secret of " + d.SecretOf, Text: "Its receiver checks the signature of every call with it. It is shown only now.", Next: "Copy it before you leave this page.", Focus: true}
}
