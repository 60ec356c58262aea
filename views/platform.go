package views

import (
	"github.com/a-h/templ"

	"slipway/models"
	"slipway/views/ui"
)

// Platform is whether the organization still has what Slipway needs.
type Platform struct {
	At       ui.When
	By       string
	Checking bool
	Failure  string
	Items    []PrerequisiteRow
	Roles    []RoleHealthRow
	CheckURL string // empty: this person only reads
	CSRF     string
	Work     templ.Component // queue and run figures; nil: none
}

// PrerequisiteRow is one prerequisite.
type PrerequisiteRow struct {
	ID, Title string
	State     models.PrerequisiteState
	Found     string
	Next      string
	Commands  []ui.Command
	Details   []string
}

var prerequisiteStates = map[models.PrerequisiteState]ui.State{
	models.PrerequisiteMet:    {Label: "Met", Tone: ui.OK},
	models.PrerequisiteUnmet:  {Label: "Not met", Tone: ui.Fail},
	models.PrerequisiteUnseen: {Label: "Cannot read", Tone: ui.Warn},
}

func (r PrerequisiteRow) state() ui.State { return prerequisiteStates[r.State] }

func (d Platform) facts() []ui.Fact {
	met := 0
	for _, i := range d.Items {
		if i.State == models.PrerequisiteMet {
			met++
		}
	}
	var f []ui.Fact
	if len(d.Items) > 0 {
		f = append(f, ui.Fact{Value: ui.Count(met) + " of " + ui.Plural(len(d.Items), "prerequisite", "prerequisites") + " met"})
	}
	if d.By == models.NightlyHealth {
		return append(f, ui.Fact{Label: "Looked at", When: d.At})
	}
	return append(f, ui.Fact{Label: "Looked at", When: d.At}, ui.Fact{Label: "for", Value: d.By})
}

func (d Platform) state() ui.State {
	switch {
	case d.Checking:
		return ui.State{Label: "Looking", Tone: ui.Run}
	case len(d.Items) == 0:
		return ui.State{Label: "Not looked at yet", Tone: ui.Idle}
	}
	worst := ui.State{Label: "All met", Tone: ui.OK}
	for _, i := range d.Items {
		switch i.State {
		case models.PrerequisiteUnmet:
			return ui.State{Label: "Not all met", Tone: ui.Fail}
		case models.PrerequisiteUnseen:
			worst = ui.State{Label: "Not all can be read", Tone: ui.Warn}
		}
	}
	return worst
}

// platformCure says what puts a role outside of tenants' accounts right.
const platformCure = "Deploy org.yaml or dns.yaml again, as this version of Slipway ships it, with the parameters of this installation."
