package views

import (
	"fmt"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Pipeline is a pipeline's page.
type Pipeline struct {
	Tenant   string
	Name     string
	Kind     models.PipelineKind
	State    models.ObjectState
	Paused   bool
	Service  string
	Class    models.Class
	Made     ui.When
	Stack    StackFacts
	Progress string
	RunID    string
	Failure  *Failure

	Live       bool      // the page listens
	Reading    Reading   // how old what is shown is
	Source     []ui.Pair // what starts it, label and value
	Connection *ConnectionBrief
	Stages     []StageBox
	Executions []ExecutionRow
	More       bool
	Orders     []PipelineOrder
	Promotions []PromotionRow
	Gates      GateTable
	Waivers    []WaiverRow
	Freezes    []StageFreezeRow
	Figures    Figures
	Workflow   *WorkflowFile

	Start     *ui.Action // nil: this person may not start it, or nothing could be started
	WaiveURL  string     // empty: this person may not
	FreezeURL string     // empty: this person may not
	Estimate  *ui.Estimate
	Groups    []ResourceGroup
	Resources int
	Actions   []ui.Action
	Open      []RequestRow
	Requests  []RequestRow
	Runs      []RunRow
	Activity  []ui.Entry
	Receipt   *Receipt
	SeesAll   bool
	CSRF      string
}

// Reading says how old what AWS said is, and how often it is asked.
type Reading struct {
	At    ui.When
	Every string // "every 10 s while something moves"; empty: a workflow tells by itself
	Gap   string // why the last reading failed; empty: it did not
	Next  string // what to do about it
}

// ConnectionBrief is the connection that a pipeline is started through.
type ConnectionBrief struct {
	Name  string
	URL   string
	State ui.State
}

// StageBox is one stage of a pipeline as it stands.
type StageBox struct {
	Position  int
	Name      string // of the environment
	URL       string
	Stage     models.Stage
	Automatic bool
	State     ui.State
	Version   string
	Image     string // in full
	Commit    string
	Since     ui.When
	Execution *ExecutionBrief // the newest that reached it
	Wait      *StageWait      // a promotion is open
	Gates     []GateCount
	Steps     []Step // what can be done now, best first
}

// ExecutionBrief leads to an execution.
type ExecutionBrief struct {
	Number int
	URL    string
}

// StageWait is an open promotion to a stage.
type StageWait struct {
	URL     string
	State   models.PromotionState
	Version string
	Image   string
	Words   string
	Since   ui.When
	Until   ui.When // when CodePipeline gives up; zero: it does not wait
}

// GateCount is how many gates of a stage stand in a state.
type GateCount struct {
	State ui.State
	N     int
}

// Step is one thing that can be done now: a link to where it is done.
type Step struct {
	URL   string
	Label string
	Icon  ui.Icon
}

// ExecutionRow is one execution in a table.
type ExecutionRow struct {
	URL     string
	Number  int
	State   models.ExecutionState
	Trigger models.Trigger
	By      string
	Commit  string
	Message string
	Author  string
	Started ui.When
	Took    string
	Stages  []StageMark
}

// StageMark is one stage of an execution, by icon and name.
type StageMark struct {
	Name  string
	State ui.State
}

// PipelineOrder is what a person asked of an execution.
type PipelineOrder struct {
	State ui.State
	Words string
	At    ui.When
}

// PromotionRow is one promotion in a list.
type PromotionRow struct {
	URL         string
	State       models.PromotionState
	Environment string
	Version     string
	Image       string
	Words       string
	By          string
	Rollback    bool
	At          ui.When
}

// GateTable is gates by stages.
type GateTable struct {
	Stages []string
	Rows   []PipelineGate
}

// PipelineGate is one gate in each stage.
type PipelineGate struct {
	Title string
	Text  string // what it says when it passes
	Own   bool   // Slipway checks it itself
	Cells []GateCell
}

// GateCell is one gate's result.
type GateCell struct {
	State ui.State
	Words string
	At    ui.When
}

// WaiverRow is a waiver in force.
type WaiverRow struct {
	Gate        string
	Environment string
	Image       string // head of the digest; empty: whatever image
	Reason      string
	By          string
	Until       ui.When
	EndURL      string // empty: this person may not
	Key         string
}

// StageFreezeRow is a freeze of a stage in force.
type StageFreezeRow struct {
	Environment string
	Reason      string
	By          string
	At          ui.When
	Until       ui.When
	LiftURL     string // empty: this person may not
	Key         string
}

// Figures are three of delivery, in words.
type Figures struct {
	Environment string
	Window      string
	Rows        []Figure
}

// Figure is one number with what it means.
type Figure struct{ Label, Value, Text string }

// WorkflowFile is what a repository of GitHub Actions is given.
type WorkflowFile struct {
	Path string
	Text string
	URL  string // to save it
}

func (d Pipeline) title() string { return d.Tenant + " / " + d.Name }

func (d Pipeline) url() string { return urls.Pipeline(d.Tenant, d.Name) }

func (d Pipeline) place(p ui.Page) ui.Page {
	p.Live = d.Live
	return p.On(ui.AtPipelines, "Pipeline "+d.title(), ui.Crumb{Label: "Pipelines", URL: urls.Pipelines}, ui.Crumb{Label: d.Tenant, URL: urls.Tenant(d.Tenant)}, ui.Crumb{Label: d.Name})
}

func (d Pipeline) facts() []ui.Fact {
	return []ui.Fact{{Value: PipelineKind(d.Kind)}, {Label: "delivers", Value: d.Service, URL: urls.Service(d.Tenant, d.Service)}, {Label: "Account", Value: ui.AccountNumber(d.Stack.Account), Text: string(d.Class)},
		{Label: "Made", When: d.Made}}
}

// say is what a screen reader hears when the page has changed.
func (d Pipeline) say() string {
	words := d.title() + ": " + PipelineState(d.State, d.Paused).Label
	for _, s := range d.Stages {
		words += ". " + s.Name + " " + s.State.Label
		if s.Version != "" {
			words += " " + s.Version
		}
	}
	return words
}

func (d Pipeline) emptyExecutions() string {
	if d.Kind == models.GitHubActions {
		return "None yet. Commit the workflow file below; each of its runs registers its build here."
	}
	return "None yet. CodePipeline starts one by itself when it is made, and then at each push."
}

func (r ExecutionRow) name() string { return fmt.Sprintf("#%d", r.Number) }

func (b ExecutionBrief) name() string { return fmt.Sprintf("#%d", b.Number) }

// FiguresOf says the three figures with their definitions.
func FiguresOf(f models.DeliveryFigures) Figures {
	days := int(f.Window.Hours() / 24)
	out := Figures{Environment: f.Environment, Window: ui.Plural(days, "day", "days")}
	tried := f.Deployments + f.Failed
	lead := Figure{Label: "Lead time", Value: "not known", Text: "Median time from commit to running there. No commit's time is known yet."}
	if f.LeadKnown > 0 {
		lead.Value = ui.Span(f.LeadTime.Std())
		lead.Text = fmt.Sprintf("Median time from commit to running there; of %s the commit's time is known.", ui.Plural(f.LeadKnown, "deployment", "deployments"))
	}
	rate := Figure{Label: "Change failure rate", Value: "nothing tried", Text: "Share of deployments that failed or were rolled back afterwards."}
	if tried > 0 {
		rate.Value = fmt.Sprintf("%.0f %%", 100*f.FailureRate)
		rate.Text += fmt.Sprintf(" %s of %s.", ui.Count(f.Failed), ui.Count(tried))
	}
	out.Rows = []Figure{
		{Label: "Deployment frequency", Value: fmt.Sprintf("%.1f a week", f.PerWeek), Text: fmt.Sprintf("Deployments that succeeded, roll-backs left out: %s.", ui.Count(f.Deployments))}, lead, rate}
	return out
}
