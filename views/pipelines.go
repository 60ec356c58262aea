package views

import (
	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Pipelines is the list of pipelines.
type Pipelines struct {
	Facts   []ui.Fact
	Filters ui.Filters
	Rows    []PipelineRow
	Sorts   ui.Sorts
	Pager   ui.Pager
	CSV     string
	MayAsk  bool // this person may order one
}

// PipelineRow is one pipeline in a list.
type PipelineRow struct {
	Tenant  string
	Name    string
	Kind    models.PipelineKind
	Service string
	Source  string // owner/name and branch; empty: an image starts it
	State   ui.State
	Last    LastExecution
	Cells   []StageCell
}

// LastExecution is the newest execution of a pipeline; Number is zero before the first.
type LastExecution struct {
	Number int
	State  models.ExecutionState
	Words  string // short commit and what it says
	At     ui.When
}

// StageCell is what runs in one stage, as small as it can be said.
type StageCell struct {
	Environment string
	Tenant      string
	State       ui.State
	Version     string // tag, short commit or short digest; empty: nothing runs
	Image       string // in full, for who asks
	Since       ui.When
}

func (c StageCell) url() string { return urls.Environment(c.Tenant, c.Environment) }

// PipelineState is how pages show where a pipeline stands: a pause is said before all else that is well.
func PipelineState(s models.ObjectState, paused bool) ui.State {
	if paused && s == models.Ready {
		return ui.State{Label: "Paused", Tone: ui.Warn, Icon: ui.IconCirclePause}
	}
	return ObjectState(s)
}

// CellState says what a cell shows, worst first.
func CellState(c models.StageCell) ui.State {
	switch {
	case c.State == models.Broken:
		return ui.State{Label: "Broken", Tone: ui.Fail}
	case c.Blocked:
		return ui.State{Label: "Blocked", Tone: ui.Fail, Icon: ui.IconShield}
	case c.Frozen:
		return ui.State{Label: "Frozen", Tone: ui.Warn, Icon: ui.IconSnowflake}
	case c.Waiting:
		return ui.State{Label: "Waits for a promotion", Tone: ui.Wait}
	case inMotion(c.State):
		return ui.State{Label: "Being changed", Tone: ui.Run}
	case c.Image == "":
		return ui.State{Label: "Nothing runs yet", Tone: ui.Idle}
	}
	return ui.State{Label: "Runs", Tone: ui.OK}
}

// Version is what people call an image: its tag, its commit, or the head of its digest.
func Version(tag, commit, image string) string {
	switch {
	case tag != "" && tag != commit:
		return tag
	case commit != "":
		return ui.Short(commit)
	case image != "":
		return ShortDigest(image)
	}
	return ""
}

func (d Pipelines) empty() ui.Empty {
	switch {
	case d.Filters.Set:
		return ui.Empty{Title: "No pipeline matches", Text: "Nothing you may see fits these filters.", URL: urls.Pipelines, Word: "Show all pipelines"}
	case d.MayAsk:
		return ui.Empty{Title: "No pipeline yet", Text: "A pipeline takes a service from its repository through stages, each one of your environments, with gates in between. Choose the service, the repository and the stages; you see the plan and its cost before anyone approves.",
			URL: urls.NewPipeline, Word: "Order the first one", Icon: ui.IconPlus}
	}
	return ui.Empty{Title: "No pipeline yet", Text: "Owners and developers of a tenant order them at Pipelines, New pipeline. As soon as one exists that you may see, it appears here."}
}

// Where says what runs where in a tenant.
type Where struct {
	Tenant  string
	Columns []string // stages that something runs in, in their order
	Rows    []WhereRow
	MayAsk  bool
}

// WhereRow is one service; Cells are by column: the environments of that stage that run it.
type WhereRow struct {
	Service   string
	Pipelines []string
	Cells     [][]StageCell
}

func (d Where) empty() ui.Empty {
	e := ui.Empty{Title: "Nothing runs here yet", Text: "As soon as a service has an image in an environment, its version and age stand here."}
	if d.MayAsk {
		e.URL, e.Word, e.Icon = urls.OrderEnvironment(d.Tenant), "Order an environment", ui.IconPlus
	}
	return e
}

func (d Where) place(p ui.Page) ui.Page {
	return p.On(ui.AtTenants, "What is where in "+d.Tenant, ui.Crumb{Label: "Tenants", URL: urls.Tenants}, ui.Crumb{Label: d.Tenant, URL: urls.Tenant(d.Tenant)}, ui.Crumb{Label: "What is where"})
}
