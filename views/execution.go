package views

import (
	"fmt"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Execution is an execution's page.
type Execution struct {
	Tenant     string
	Pipeline   string
	Number     int
	State      models.ExecutionState
	Trigger    models.Trigger
	By         string
	Commit     string // in full
	Message    string
	Author     string
	Branch     string
	CommitAt   ui.When
	Started    ui.When
	Took       string
	Link       ui.Out
	Digest     string
	Tag        string
	Stages     []ExecutionStage
	Scan       Scan
	Evidence   []EvidenceRow
	Promotions []PromotionRow
	Orders     []PipelineOrder
	Behind     *Behind
	Stop       *ui.Action // nil: nothing runs, or this person may not
	Reading    Reading
	Live       bool
}

// ExecutionStage is one stage of an execution.
type ExecutionStage struct {
	Name    string
	State   models.ExecutionState
	EnvURL  string // of a deploy stage
	Behind  string // what it waits behind, in words
	Actions []ExecutionAction
	Retry   *ui.Action // nil: it did not fail, or this person may not
}

// ExecutionAction is one action of a stage.
type ExecutionAction struct {
	Name    string
	Kind    string
	State   models.ExecutionState
	Took    string
	Words   string
	Code    string
	LogURL  string // empty: it writes none
	Link    ui.Out
	Outputs []ui.Pair
}

// Behind is the older execution whose approval must be answered first.
type Behind struct {
	Number    int
	URL       string
	RejectURL string // of its open promotion; empty: nothing to reject, or this person may not
}

// Scan is what ECR found in an image.
type Scan struct {
	State  ui.State
	Counts []ui.Pair
	Words  string
	At     ui.When
	Source string
}

// EvidenceRow is what CI said of an image at one gate.
type EvidenceRow struct {
	Gate    string
	State   ui.State
	Words   string
	Link    ui.Out
	File    string
	FileURL string
	Size    string
	By      string
	At      ui.When
}

// Executions are all executions of a pipeline.
type Executions struct {
	Tenant   string
	Pipeline string
	Rows     []ExecutionRow
	Pager    ui.Pager
	Filters  ui.Filters
}

// ExecutionLog is the log of one action of an execution, as text.
type ExecutionLog struct {
	Tenant   string
	Pipeline string
	Number   int
	Stage    string
	Action   string
	State    models.ExecutionState
	Lines    []LogRow
	From     int    // lines that are left out before these
	MoreURL  string // asks for what follows; empty: nothing does
	Grows    bool   // the page asks for what follows by itself
	NextURL  string // the page that begins where this one ends; empty: it shows all there is
	Gap      string
	GapNext  string
	Link     ui.Out
	FileURL  string
}

// LogRow is one line.
type LogRow struct {
	N    int
	Time ui.When
	Text string
	Cut  bool
}

func (r LogRow) id() string { return fmt.Sprintf("L%d", r.N) }

func (d Execution) title() string { return fmt.Sprintf("%s / %s #%d", d.Tenant, d.Pipeline, d.Number) }

func (d Execution) url() string { return urls.Execution(d.Tenant, d.Pipeline, d.Number) }

func pipelineCrumbs(tenant, pipeline string, more ...ui.Crumb) []ui.Crumb {
	crumbs := []ui.Crumb{{Label: "Pipelines", URL: urls.Pipelines}, {Label: tenant, URL: urls.Tenant(tenant)}, {Label: pipeline, URL: urls.Pipeline(tenant, pipeline)}}
	return append(crumbs, more...)
}

func (d Execution) place(p ui.Page) ui.Page {
	p.Live = d.Live
	return p.On(ui.AtPipelines, "Execution "+d.title(), pipelineCrumbs(d.Tenant, d.Pipeline, ui.Crumb{Label: fmt.Sprintf("#%d", d.Number)})...)
}

func (d Execution) facts() []ui.Fact {
	facts := []ui.Fact{{Text: "Started " + TriggerWords(d.Trigger)}}
	if d.Trigger == models.TriggerPush || d.Trigger == models.TriggerImage || d.Trigger == models.TriggerWorkflow || d.Trigger == models.TriggerOther {
		facts[0].Text = "Started by " + TriggerWords(d.Trigger)
	}
	return append(facts, ui.Fact{Value: d.By}, ui.Fact{When: d.Started}, ui.Fact{Label: "Took", Value: d.Took})
}

func (d Executions) place(p ui.Page) ui.Page {
	return p.On(ui.AtPipelines, "Executions of "+d.Pipeline, pipelineCrumbs(d.Tenant, d.Pipeline, ui.Crumb{Label: "Executions"})...)
}

func (d ExecutionLog) title() string {
	return fmt.Sprintf("Log of %s in #%d", d.Action, d.Number)
}

func (d ExecutionLog) place(p ui.Page) ui.Page {
	return p.On(ui.AtPipelines, d.title(), pipelineCrumbs(d.Tenant, d.Pipeline, ui.Crumb{Label: fmt.Sprintf("#%d", d.Number), URL: urls.Execution(d.Tenant, d.Pipeline, d.Number)}, ui.Crumb{Label: "Log of " + d.Action})...)
}
