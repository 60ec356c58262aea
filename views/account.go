package views

import (
	"fmt"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Account is the page of one AWS account of a tenant.
type Account struct {
	Tenant   string
	Card     AccountCard
	ByHand   bool // its roles come from a stack that a person made
	Health   AccountHealth
	Activity []ui.Entry
	SeesAll  bool
}

func (d Account) url() string { return urls.Account(d.Tenant, string(d.Card.Class)) }

func (d Account) facts() []ui.Fact {
	f := []ui.Fact{{Label: "Tenant", Value: d.Tenant, URL: urls.Tenant(d.Tenant)}}
	if d.Card.AWSID != "" {
		f = append(f, ui.Fact{Label: "AWS account", Value: ui.AccountNumber(d.Card.AWSID)})
	}
	if d.ByHand {
		return append(f, ui.Fact{Label: "Roles", Value: "kept up to date by hand"})
	}
	return append(f, ui.Fact{Label: "Roles", Value: "delivered by the stack set"})
}

// AccountHealth is how Slipway's roles in an account stand. It asks for itself while a check is under way.
type AccountHealth struct {
	URL      string // of the page that shows it
	State    models.HealthState
	Words    string // in one line
	At       ui.When
	By       string // who asked for the check
	Since    ui.When
	Checking bool
	Asked    string // by whom, while checking
	Failure  string // why the last check could not be made
	ByHand   bool   // its roles come from a stack that a person made
	Roles    []RoleHealthRow
	CheckURL string // empty: this person may not ask for a check, or none is possible
	CSRF     string
}

// RoleHealthRow is one role.
type RoleHealthRow struct {
	Name, ARN   string
	State       models.HealthState
	Actions     []ActionRow // all that was asked for
	Said        string      // AWS's answer, when the role cannot be assumed
	Trust       []string    // what to check then
	Blind       []string    // what could not be compared
	Missing     []ActionRow
	Additions   []ui.Command // statements to add
	Differences []PolicyDifference
}

// ActionRow is one thing that a role should be allowed to do.
type ActionRow struct {
	Action, Needed string
	Granted        bool
	Denied         string // what denies it
}

// PolicyDifference is a statement that is not as the set-up says.
type PolicyDifference struct {
	Place, Sid, Want, Have string
}

func (d PolicyDifference) words() string {
	what := d.Place
	if d.Sid != "" {
		what += ", statement " + d.Sid
	}
	switch {
	case d.Have == "":
		return what + ": is missing"
	case d.Want == "":
		return what + ": should not be there"
	}
	return what + ": is another one"
}

func (r RoleHealthRow) count() string {
	if len(r.Actions) == 0 {
		return ""
	}
	granted := 0
	for _, a := range r.Actions {
		if a.Granted {
			granted++
		}
	}
	return fmt.Sprintf("%d of %s granted", granted, ui.Plural(len(r.Actions), "permission", "permissions"))
}

var healthStates = map[models.HealthState]ui.State{
	models.HealthOK:      {Label: "Healthy", Tone: ui.OK},
	models.HealthDiffers: {Label: "Not as set up", Tone: ui.Warn},
	models.HealthMissing: {Label: "Permissions missing", Tone: ui.Fail},
	models.HealthUnseen:  {Label: "Cannot see", Tone: ui.Fail},
}

// HealthState shows how a role, or an account's roles together, stand.
func HealthState(s models.HealthState) ui.State {
	if known, ok := healthStates[s]; ok {
		return known
	}
	return ui.State{Label: "Not checked yet", Tone: ui.Idle}
}

func (d AccountHealth) state() ui.State {
	if d.Checking {
		return ui.State{Label: "Checking", Tone: ui.Run}
	}
	return HealthState(d.State)
}

func (d AccountHealth) asked() string {
	if d.Asked == models.NightlyHealth || d.Asked == "" {
		return "The daily check is under way."
	}
	return d.Asked + " asked for a check. It is under way."
}

func (d AccountHealth) by() string {
	if d.By == models.NightlyHealth {
		return "by the daily check"
	}
	return "asked for by " + d.By
}

// cure says what puts a role right.
func (d AccountHealth) cure() string {
	if d.ByHand {
		return "Update the stack slipway-spoke-manual in this account with deploy/aws/spoke.yaml as this version of Slipway ships it. It is kept up to date by hand."
	}
	return "Update the stack set slipway-spoke with deploy/aws/spoke.yaml as this version of Slipway ships it, or deploy it to this account again."
}

// ill lists what is to be done; nil when all is well.
func (r RoleHealthRow) ill() bool {
	return r.Said != "" || len(r.Blind) > 0 || len(r.Missing) > 0 || len(r.Differences) > 0
}
