package views

import (
	"slipway/models/blueprint"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Blueprints is the catalogue.
type Blueprints struct {
	Groups   []BlueprintGroup
	MayOrder bool
}

// BlueprintGroup is the blueprints of one kind.
type BlueprintGroup struct {
	ID    string
	Title string
	Text  string
	Cards []BlueprintCard
}

// BlueprintCard is one blueprint in the catalogue.
type BlueprintCard struct {
	Name     string
	Title    string
	Icon     ui.Icon
	Text     string
	State    ui.State
	Version  string // newest that is offered, else newest
	Versions int
	Stages   []string
	From     string // "$23.10"; empty: no price
	Why      string // why it cannot be ordered
}

// Blueprint is a blueprint's page.
type Blueprint struct {
	BlueprintCard
	Kind     blueprint.Kind
	Needs    []string
	OrderURL string // empty: not ordered by a form of its own, or not by this reader
	Built    []BuiltGroup
	BuiltN   int
	Gates    []GateRow
	Controls []ControlRow
	Cost     BlueprintCost
	Uses     int
	Releases []BlueprintVersion
}

// BuiltGroup is what a blueprint makes of one AWS service.
type BuiltGroup struct {
	ID        string
	Service   string
	Resources []Built
}

// Built is one resource that a blueprint makes.
type Built struct {
	ID, Type  string
	Condition string // empty: always
}

// GateRow is a security gate of the guide.
type GateRow struct {
	Gate, How string
	Met       bool
}

// ControlRow is a published best practice that a resource meets.
type ControlRow struct{ ID, Title, Resource string }

// BlueprintCost is what a version costs by stage and size.
type BlueprintCost struct {
	Version  string
	Region   string
	Sizes    []string // empty name: there are none
	Rows     []CostByStage
	Chosen   string // "dev, size S"
	Estimate *ui.Estimate
	Failed   string
}

// CostByStage is one row of the table: a stage, or a class of account.
type CostByStage struct {
	Label string
	Cells []CostCell
}

// CostCell is one sum, which leads to how it is made.
type CostCell struct {
	Size, Amount, URL string
	Chosen            bool
}

// BlueprintVersion is one version with what is known of it.
type BlueprintVersion struct {
	Version  string
	State    ui.State
	Reason   string
	Origin   string
	Digest   string
	Seen     ui.When
	From     []string // versions that it can be upgraded from
	Breaking bool
	Notes    string
	Checks   []CheckRow
	Problems []ProblemRow
	Uses     []EnvironmentRow
	Open     bool
}

// CheckRow is what one tool said.
type CheckRow struct {
	ID       string
	Tool     string
	Version  string
	State    ui.State
	Problems []ProblemRow
	Accepted []ProblemRow
}

// ProblemRow is one finding at its place.
type ProblemRow struct {
	Place string // template.yaml:12
	Rule  string
	Text  string
	Fatal bool
}

var blueprintStates = map[blueprint.State]ui.State{
	blueprint.Offered:    {Label: "Offered", Tone: ui.OK},
	blueprint.Deprecated: {Label: "Deprecated", Tone: ui.Warn},
	blueprint.Hidden:     {Label: "Hidden", Tone: ui.Idle},
	blueprint.Refused:    {Label: "Refused", Tone: ui.Fail},
	blueprint.Withdrawn:  {Label: "Withdrawn", Tone: ui.Idle, Icon: ui.IconMinus},
}

// BlueprintState is how pages show what may be done with a version.
func BlueprintState(s blueprint.State) ui.State {
	if st, ok := blueprintStates[s]; ok {
		return st
	}
	return ui.State{Label: string(s), Tone: ui.Idle}
}

var checkStates = map[string]ui.State{
	blueprint.CheckPassed: {Label: "Passed", Tone: ui.OK},
	blueprint.CheckFailed: {Label: "Failed", Tone: ui.Fail},
	blueprint.CheckNotRun: {Label: "Not run", Tone: ui.Idle},
}

// CheckState is how pages show what a tool said.
func CheckState(s string) ui.State {
	if st, ok := checkStates[s]; ok {
		return st
	}
	return ui.State{Label: s, Tone: ui.Idle}
}

// blueprintIcons are those of the sprite that a blueprint may name.
var blueprintIcons = map[string]ui.Icon{
	"globe": ui.IconGlobe, "network": ui.IconNetwork, "package": ui.IconPackage, "calendar-clock": ui.IconCalendar, "panels-top-left": ui.IconPanels, "signpost": ui.IconSignpost,
	"rocket": ui.IconRocket, "boxes": ui.IconBoxes, "shield": ui.IconShield, "users": ui.IconUsers,
}

// BlueprintIcon is the icon that a blueprint names; one that the sprite lacks is the general one.
func BlueprintIcon(name string) ui.Icon {
	if icon, ok := blueprintIcons[name]; ok {
		return icon
	}
	return ui.IconLayers
}

func (d Blueprint) place(p ui.Page) ui.Page {
	return p.On(ui.AtBlueprints, d.Title, ui.Crumb{Label: "Blueprints", URL: urls.Blueprints}, ui.Crumb{Label: d.Name})
}

func sizeLabel(s string) string {
	if s == "" {
		return "Per month"
	}
	return "Size " + s
}

func (v BlueprintVersion) note() string {
	words := ""
	if len(v.Uses) > 0 {
		words = ui.Plural(len(v.Uses), "environment runs it", "environments run it")
	}
	if len(v.Problems) > 0 {
		if words != "" {
			words += ", "
		}
		words += ui.Plural(len(v.Problems), "problem", "problems")
	}
	return words
}
