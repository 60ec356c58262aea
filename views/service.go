package views

import (
	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Service is a service's page.
type Service struct {
	Tenant       string
	Name         string
	State        models.ObjectState
	Class        models.Class
	Made         ui.When
	Stack        StackFacts
	Repository   string // URI; empty before it exists
	Commands     []ui.Command
	Progress     string
	RunID        string
	Failure      *Failure
	Estimate     *ui.Estimate     // nil: not known
	Environments []EnvironmentRow // that run it
	Images       []ImageRow
	Pipelines    []PipelineRow
	PipelineURL  string // where a pipeline for it is ordered; empty: this person may not
	OrderURL     string // order form with the service filled in; empty: this person may not
	Groups       []ResourceGroup
	Resources    int
	Actions      []ui.Action
	Open         []RequestRow
	Requests     []RequestRow
	Runs         []RunRow
	Activity     []ui.Entry
	Receipt      *Receipt
	SeesAll      bool
}

func (d Service) title() string { return d.Tenant + " / " + d.Name }

func (d Service) moving() bool { return inMotion(d.State) }

func inMotion(s models.ObjectState) bool {
	return s == models.Creating || s == models.Changing || s == models.Deleting
}

func (d Service) place(p ui.Page) ui.Page {
	return p.On(ui.AtServices, "Service "+d.title(), ui.Crumb{Label: "Services", URL: urls.Services}, ui.Crumb{Label: d.Tenant, URL: urls.Tenant(d.Tenant)}, ui.Crumb{Label: d.Name})
}

func (d Service) facts() []ui.Fact {
	all := []ui.Fact{{Label: "Tenant", Value: d.Tenant, URL: urls.Tenant(d.Tenant)}}
	if d.Stack.Account != "" {
		all = append(all, ui.Fact{Label: "Repository in account", Value: ui.AccountNumber(d.Stack.Account), Text: string(d.Class)})
	}
	return append(all, ui.Fact{Label: "Region", Value: d.Stack.Region}, ui.Fact{Label: "Made", When: d.Made})
}

// objectBanner is what stands over the page of a service or network that is not simply ready.
func objectBanner(s models.ObjectState, progress, what string, failure *Failure) (ui.Callout, bool) {
	c := ui.Callout{ID: "now", Tone: ui.Run, Text: orElse(progress, "Its run has not started yet."), Title: movingTitle(s)}
	switch s {
	case models.Creating, models.Changing, models.Deleting:
	case models.Broken:
		c = ui.Callout{Title: "The " + what + " is not complete", Text: "Its run stopped before the end. What was made stays as it is until somebody retries or abandons the run."}
		if failure != nil {
			c = failure.callout("now")
		}
		c.ID, c.Tone = "now", ui.Fail
	case models.Deleted:
		c.Tone, c.Title, c.Text = ui.Idle, "This "+what+" is deleted", "The receipt below says what is gone and what is left."
	default:
		return c, false
	}
	return c, true
}

// Network is a network's page.
type Network struct {
	Tenant       string
	Name         string // <class>-<region>
	State        models.ObjectState
	Registered   bool // an existing VPC that Slipway did not make
	CIDR         string
	Version      string
	Made         ui.When
	Stack        StackFacts
	VPC          string
	Subnets      []SubnetGroup
	Zones        string // availability zones
	Zone         *ZoneFacts
	Progress     string
	RunID        string
	Failure      *Failure
	Estimate     *ui.Estimate // nil: not known
	Environments []EnvironmentRow
	OrderURL     string
	Groups       []ResourceGroup
	Resources    int
	Actions      []ui.Action
	Open         []RequestRow
	Requests     []RequestRow
	Runs         []RunRow
	Activity     []ui.Entry
	Receipt      *Receipt
	SeesAll      bool
}

// SubnetGroup is the public or the private subnets.
type SubnetGroup struct {
	Label string
	IDs   []string
}

// ZoneFacts is the hosted zone of the network's account.
type ZoneFacts struct {
	Name      string
	State     models.ObjectState
	Delegated ui.When // zero: the parent zone does not lead to it yet
	Servers   []string
}

func (d Network) title() string { return d.Tenant + " / " + d.Name }

func (d Network) moving() bool { return inMotion(d.State) }

func (d Network) place(p ui.Page) ui.Page {
	return p.On(ui.AtTenants, "Network "+d.title(), ui.Crumb{Label: "Tenants", URL: urls.Tenants}, ui.Crumb{Label: d.Tenant, URL: urls.Tenant(d.Tenant)}, ui.Crumb{Label: d.Name})
}

func (d Network) facts() []ui.Fact {
	all := []ui.Fact{{Label: "Tenant", Value: d.Tenant, URL: urls.Tenant(d.Tenant)}}
	if d.Stack.Account != "" {
		all = append(all, ui.Fact{Label: "Account", Value: ui.AccountNumber(d.Stack.Account)})
	}
	all = append(all, ui.Fact{Label: "Region", Value: d.Stack.Region})
	if d.Registered {
		return append(all, ui.Fact{Text: "An existing VPC, registered"}, ui.Fact{Label: "Since", When: d.Made})
	}
	if d.Version != "" {
		all = append(all, ui.Fact{Label: "Blueprint", Value: "network " + d.Version})
	}
	return append(all, ui.Fact{Label: "Made", When: d.Made})
}

func (z ZoneFacts) state() ui.State {
	switch {
	case z.State == models.Ready && !z.Delegated.At.IsZero():
		return ui.State{Label: "Answers", Tone: ui.OK}
	case z.State == models.Ready:
		return ui.State{Label: "Not delegated yet", Tone: ui.Warn}
	}
	return ObjectState(z.State)
}
