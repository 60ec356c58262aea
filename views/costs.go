package views

import (
	"slipway/views/chart"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Costs is a page of costs: the organization's, or a tenant's.
type Costs struct {
	Tenant   string // slug; empty: the organization's
	Title    string // what is true
	Facts    []ui.Fact
	Filters  ui.Filters
	Tabs     []CostTab
	Narrowed []CostChip
	Calls    []ui.Callout // what is not as it should be
	Cells    []CostFigure
	Budget   *CostBudget
	Month    *chart.Chart // nil: nothing of it is known
	MonthOf  string       // November 2026
	Basis    string       // as a sentence says it
	Year     *chart.Chart
	Table    CostTable
	Actuals  []CostActual
	Errors   []CostError
	Measured string // over which days estimates were compared
	Meter    *CostMeter
	CSV      string
	Empty    *ui.Empty
}

// CostTab is one cut of the same money.
type CostTab struct {
	Label string
	URL   string
	On    bool
}

// CostChip is what the page is narrowed to, with the way back.
type CostChip struct{ Label, Value, URL string }

// CostFigure is one figure of the strip.
type CostFigure struct {
	Label string
	URL   string
	Value string
	Side  string // beside the value
	Bar   *ui.Bar
	Note  string
	Tone  ui.Tone // of Side
}

// CostBudget is how a tenant's month stands against its budget, by AWS Budgets.
type CostBudget struct {
	State    ui.State
	Bar      *ui.Bar // nil: AWS says nothing
	Facts    []ui.Pair
	Words    string // what the figures mean, or why there are none
	Differs  string // that AWS holds another limit
	FixURL   string // where the budget is changed; empty: not by this person
	ReadNote string
}

// CostTable is the month by one cut.
type CostTable struct {
	Caption string
	First   string // its first column
	Budgets bool   // has a column with budgets
	Apart   bool   // has a column with what is not usage
	Rows    []CostShare
	More    string // what is not shown, in words
	Sum     CostShare
	Before  string // what Change compares with; empty: nothing to compare with
}

// CostShare is one row of it.
type CostShare struct {
	Name   string
	Sub    string
	URL    string
	Tag    string
	Amount string
	Share  string
	Change string
	Tone   ui.Tone // of Change
	Apart  string
	Bar    *ui.Bar
	Budget string // what the bar says, in words
}

// CostActual is an environment's estimate beside what it costs.
type CostActual struct {
	Tenant    string
	Name      string
	Blueprint string
	Estimate  string
	Actual    string
	Miss      string // +12.4 %
	Tone      ui.Tone
	Note      string
}

// CostError is how far a blueprint's estimates are off.
type CostError struct {
	Blueprint string
	Measured  string
	Estimate  string
	Actual    string
	Miss      string
	Tone      ui.Tone
	Range     string
}

// CostMeter is what was paid today for asking.
type CostMeter struct {
	Calls string
	Spent string
	Cap   string
	Bar   ui.Bar
	State ui.State
	Again *ui.Post // has all of it read anew; nil: not by this person
}

// EnvironmentCost is the panel of an environment's page. Nil figures are words.
type EnvironmentCost struct {
	Title string
	Note  string // how far the data goes
	Calls []ui.Callout
	Cells []CostFigure
	Chart *chart.Chart
	Empty string // why there is nothing to draw
	More  string // address of the tenant's costs
}

func (d Costs) crumbs() []ui.Crumb {
	if d.Tenant == "" {
		return []ui.Crumb{{Label: "Costs"}}
	}
	return []ui.Crumb{{Label: "Tenants", URL: urls.Tenants}, {Label: d.Tenant, URL: urls.Tenant(d.Tenant)}, {Label: "Costs"}}
}

func (d Costs) section() ui.Section {
	if d.Tenant == "" {
		return ui.AtCosts
	}
	return ui.AtTenants
}

func toneText(t ui.Tone) string {
	switch t {
	case ui.Warn:
		return "text-warn"
	case ui.Fail:
		return "text-fail"
	case ui.OK:
		return "text-ok"
	}
	return "s-muted"
}

func (t CostTable) cols() []ui.Col {
	cols := []ui.Col{{Label: t.First}, {Label: "So far", Num: true}, {Label: "Share", Num: true}, {Label: "Change", Num: true}}
	if t.Apart {
		cols = append(cols, ui.Col{Label: "Credits, refunds, tax", Num: true})
	}
	if t.Budgets {
		cols = append(cols, ui.Col{Label: "Budget"})
	}
	return cols
}
