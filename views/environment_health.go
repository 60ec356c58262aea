package views

import (
	"slipway/models"
	"slipway/views/chart"
	"slipway/views/ui"
	"slipway/views/urls"
)

// EnvironmentHealth is how one environment runs: the whole, its parts worst first, and how it came about.
type EnvironmentHealth struct {
	Row       HealthRow
	Parts     []HealthPart
	Changes   []HealthChange
	Alarms    []AlarmChange
	Links     []ui.Out // into the AWS console
	Account   string   // the page that says what Slipway may not do in the account; empty: it may do all that was asked
	SignalURL string   // the signals' fragment; empty: there is nothing that would have any
}

// HealthPart is one part of an environment's health.
type HealthPart struct {
	Kind       string // "Tasks"
	State      ui.State
	Text       string
	Gap        string // why it is not known, in AWS's words and what to do
	Permission string // that is missing
	Since      ui.When
	Console    ui.Out
}

// HealthChange is one change of an environment's health.
type HealthChange struct {
	At     ui.When
	State  ui.State
	Reason string
}

// AlarmChange is one change of an alarm.
type AlarmChange struct {
	At     ui.When
	Alarm  string
	State  ui.State
	Reason string
}

// AlarmState is how pages show CloudWatch's own word.
func AlarmState(word string) ui.State {
	switch word {
	case "ALARM":
		return ui.State{Label: "Alarm", Tone: ui.Fail, Icon: ui.IconBell}
	case "OK":
		return ui.State{Label: "OK", Tone: ui.OK}
	case "INSUFFICIENT_DATA":
		return ui.State{Label: "No data", Tone: ui.Idle}
	}
	return ui.State{Label: word, Tone: ui.Idle}
}

// Signals are the four golden signals of an environment over a range.
type Signals struct {
	Tenant   string
	Name     string
	Stage    models.Stage
	Ranges   []RangeLink
	Charts   []SignalChart
	Gap      *SignalGap // nothing could be read
	Read     ui.When
	Deployed []Deployed
	Links    []ui.Out
	Charged  int // metrics that AWS charges for this look
}

// RangeLink leads to the same page over another range.
type RangeLink struct {
	Words   string
	URL     string
	Current bool
}

// SignalChart is one signal: its picture, or why there is none.
type SignalChart struct {
	ID    string
	Title string
	Now   string // the last figure, with its unit; empty: none is known
	None  string // why there is no picture, in words; empty: there is one
	Chart chart.Chart
}

// SignalGap is why nothing could be read.
type SignalGap struct {
	Title      string
	Text       string
	Permission string
	Account    string // the page that says what is missing in the account
}

// Deployed is a run on the environment within the range.
type Deployed struct {
	Title string
	URL   string
	State ui.State
	At    ui.When
}

func (d Signals) place(p ui.Page) ui.Page {
	return p.On(ui.AtHealth, "Signals of "+d.Tenant+" / "+d.Name, ui.Crumb{Label: "Health", URL: urls.Health}, ui.Crumb{Label: d.Tenant + " / " + d.Name, URL: urls.Environment(d.Tenant, d.Name)},
		ui.Crumb{Label: "Signals"})
}

// cost says what a look costs. 1,000 metrics cost one US cent.
func (d Signals) cost() string {
	return "Read from CloudWatch when somebody looks, and kept for a minute: " + ui.Plural(d.Charged, "metric", "metrics") + ", which AWS charges for (0.01 USD for 1,000)."
}

func countWords(n int, one, many string) string {
	if n == 0 {
		return ""
	}
	return ui.Plural(n, one, many)
}
