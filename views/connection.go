package views

import (
	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Connection is a connection's page.
type Connection struct {
	Tenant    string
	Name      string
	Provider  models.SourceHost
	Class     models.Class
	Status    models.ConnectionStatus
	StatusAt  ui.When
	State     models.ObjectState
	Made      ui.When
	Stack     StackFacts
	Progress  string
	RunID     string
	Failure   *Failure
	Finish    ui.Out // where a person finishes it, while it is pending
	Pipelines []PipelineRow
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
}

// ConnectionRow is one connection in a list.
type ConnectionRow struct {
	Tenant   string
	Name     string
	Provider models.SourceHost
	Class    models.Class
	State    ui.State
}

// ConnectionState says where a connection stands for people: AWS's word once its stack is there.
func ConnectionState(s models.ObjectState, status models.ConnectionStatus) ui.State {
	if s == models.Ready || s == models.Creating && status == models.ConnectionPending {
		return ConnectionStatus(status)
	}
	return ObjectState(s)
}

func (d Connection) title() string { return d.Tenant + " / " + d.Name }

// moving tells whether the page asks for itself: also while a person is at it in the console.
func (d Connection) moving() bool {
	return inMotion(d.State) || d.Status == models.ConnectionPending && d.State != models.Deleted
}

func (d Connection) place(p ui.Page) ui.Page {
	return p.On(ui.AtPipelines, "Connection "+d.title(), ui.Crumb{Label: "Pipelines", URL: urls.Pipelines}, ui.Crumb{Label: d.Tenant, URL: urls.Tenant(d.Tenant)}, ui.Crumb{Label: d.Name})
}

func (d Connection) facts() []ui.Fact {
	return []ui.Fact{{Label: "to", Value: string(d.Provider)}, {Label: "Tenant", Value: d.Tenant, URL: urls.Tenant(d.Tenant)}, {Label: "Account", Value: ui.AccountNumber(d.Stack.Account), Text: string(d.Class)}, {Label: "Made", When: d.Made}}
}
