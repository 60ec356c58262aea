package handlers

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// costRows is how many lines a page shows; the file has all.
const costRows = 100

// costView turns what the store knows of costs into a page for one reader.
type costView struct {
	page  models.CostPage
	basis models.CostBasis
	in    costsParams
	actor models.Actor
	csrf  string
	with  func(pairs ...string) string
}

var basisWords = map[models.CostBasis]string{models.Effective: "effective", models.Billed: "billed"}

func (v costView) month() string { return v.page.Query.Month.Format("January 2006") }

func (v costView) current() bool { return v.page.Query.Month.Equal(models.MonthOf(v.page.Wall)) }

func (v costView) view() views.Costs {
	d := views.Costs{Title: v.title(), Facts: v.facts(), MonthOf: v.month(), Basis: basisWords[v.basis] + " usage", CSV: v.with("format", "csv"), Calls: v.callouts(), Filters: v.filters(), Tabs: v.tabs(),
		Narrowed: v.narrowed()}
	if v.page.Tenant != nil {
		d.Tenant = v.page.Tenant.Slug
	}
	d.Meter = v.meter()
	if known := v.page.Months(); !v.readOnce() {
		d.Empty = v.empty()
		return d
	} else if len(known) > 0 {
		d.Year = v.year(known)
	}
	d.Month, d.Cells, d.Table, d.Budget = v.monthChart(), v.cells(), v.table(), v.budget()
	d.Actuals, d.Errors, d.Measured = v.actuals(), v.errors(), v.measured()
	return d
}

// readOnce tells whether any day was ever read, or AWS Budgets has said something.
func (v costView) readOnce() bool {
	for _, d := range v.page.Days {
		if d.Read {
			return true
		}
	}
	return false
}

func (v costView) title() string {
	who := "The organization"
	switch {
	case v.page.Tenant != nil:
		who = v.page.Tenant.Slug
	case !v.page.SeesAll:
		who = "Your tenants"
	}
	verb := "has"
	if v.page.Tenant == nil && !v.page.SeesAll {
		verb = "have"
	}
	m := v.page.Of(v.page.Query.Month)
	if m.Read == 0 {
		return fmt.Sprintf("%s: no data for %s", who, v.month())
	}
	used := ui.USD(m.Amounts.On(v.basis).Usage)
	if !v.current() {
		return fmt.Sprintf("%s cost %s in %s", who, used, v.month())
	}
	return fmt.Sprintf("%s %s cost %s so far in %s", who, verb, used, v.page.Query.Month.Format("January"))
}

// facts are how far the data goes, how old it is and whether AWS may still change it.
func (v costView) facts() []ui.Fact {
	last := v.page.LastDay()
	if last.IsZero() {
		return []ui.Fact{{Text: "no day of it was read"}}
	}
	m := v.page.Of(v.page.Query.Month)
	facts := []ui.Fact{{Label: "Data to", Value: last.Format("2 Jan")}, {Label: "Read", When: ui.Ago(v.page.Wall, v.page.ReadAt())}}
	switch {
	case m.Final:
		facts = append(facts, ui.Fact{Text: "month final"})
	default:
		facts = append(facts, ui.Fact{Text: "month not final: AWS may still change it"})
	}
	if missing := last.Day() - m.Read; missing > 0 {
		facts = append(facts, ui.Fact{Value: ui.Plural(missing, "day", "days"), Text: "without data"})
	}
	return append(facts, ui.Fact{Text: sourceWords(v.page.Source)})
}

func (v costView) filters() ui.Filters {
	months := []ui.Option{}
	for m := models.MonthOf(v.page.Wall); !m.Before(models.FirstCostDay(v.page.Wall)); m = m.AddDate(0, -1, 0) {
		months = append(months, ui.Option{Value: m.Format("2006-01"), Label: m.Format("January 2006")})
	}
	url := urls.Costs
	if v.page.Tenant != nil {
		url = urls.TenantCosts(v.page.Tenant.Slug)
	}
	keepAll := keep("by", v.in.By)
	for _, k := range []struct{ name, value string }{{"service", v.in.Service}, {"environment", v.in.Environment}, {"only", v.in.Only}} {
		keepAll = append(keepAll, keep(k.name, k.value)...)
	}
	return ui.Filters{URL: url, Label: "Month and basis", Set: v.in.Month+v.in.Basis != "", Keep: keepAll, Fields: []ui.Filter{
		{Name: "month", Label: "Month", Kind: "select", Value: v.page.Query.Month.Format("2006-01"), Options: months},
		{Name: "basis", Label: "Basis", Kind: "select", Value: string(v.basis), Options: []ui.Option{{Value: string(models.Effective), Label: "Effective (amortized)"}, {Value: string(models.Billed), Label: "Billed (unblended)"}}}}}
}

func (v costView) tabs() (tabs []views.CostTab) {
	words := map[models.CostGroup]string{models.GroupTenant: "Tenants", models.GroupService: "AWS services", models.GroupEnvironment: "Environments", models.GroupAccount: "Accounts"}
	for _, g := range costGroups[v.page.Tenant != nil] {
		if g == models.GroupTenant && v.page.Query.Unallocated || g == models.GroupEnvironment && v.page.Query.Service != "" || g == models.GroupService && v.page.Query.Environment != "" {
			continue // AWS does not tell, or it says nothing
		}
		tabs = append(tabs, views.CostTab{Label: words[g], URL: v.with("by", string(g)), On: g == v.page.Query.By})
	}
	return tabs
}

func (v costView) narrowed() (chips []views.CostChip) {
	q := v.page.Query
	if q.Service != "" {
		chips = append(chips, views.CostChip{Label: "Only the service", Value: q.Service, URL: v.with("service", "", "by", "service")})
	}
	if q.Environment != "" {
		chips = append(chips, views.CostChip{Label: "Only the environment", Value: q.Environment, URL: v.with("environment", "", "by", "environment")})
	}
	if q.Unallocated {
		chips = append(chips, views.CostChip{Label: "Only what is", Value: "unallocated", URL: v.with("only", "", "by", "")})
	}
	return chips
}

// cells are the strip: so far, the end of the month, the month before, what nobody has, what is no usage.
func (v costView) cells() []views.CostFigure {
	cells := []views.CostFigure{v.soFar(), v.ahead(), v.compared()}
	if cell, ok := v.nobody(); ok {
		cells = append(cells, cell)
	}
	return append(cells, v.apart())
}

func (v costView) soFar() views.CostFigure {
	m := v.page.Of(v.page.Query.Month)
	c := views.CostFigure{Label: strings.ToUpper(basisWords[v.basis][:1]) + basisWords[v.basis][1:] + " usage", Value: "no data"}
	if m.Read > 0 {
		c.Value, c.Note = ui.USD(m.Amounts.On(v.basis).Usage), ui.Plural(m.Read, "day", "days")
	}
	return c
}

// ahead is where the month goes: on the same basis, a straight line. What AWS expects stands with the budget, on AWS's basis.
func (v costView) ahead() views.CostFigure {
	m := v.page.Of(v.page.Query.Month)
	c := views.CostFigure{Label: "At this pace, by month's end", Value: "no data"}
	if m.Read == 0 {
		return c
	}
	if m.Complete() {
		return views.CostFigure{Label: "The whole month", Value: ui.USD(m.Amounts.On(v.basis).Usage), Note: "every day was read"}
	}
	c.Value = ui.USD(*m.Straight(v.basis))
	budget, forecast, known, all := v.sums()
	if v.page.Query.Narrow() || budget.IsZero() {
		return c
	}
	c.Note = "budget " + ui.Dollars(budget)
	if known > 0 {
		c.Note = fmt.Sprintf("AWS expects %s of %s", ui.USD(forecast), ui.Dollars(budget))
	}
	if known > 0 && known < all {
		c.Note += fmt.Sprintf(", for %d of %d tenants", known, all)
	}
	return c
}

// sums are the budgets and forecasts of all tenants of the page; a forecast is known of some.
func (v costView) sums() (budget, forecast decimal.Decimal, known, all int) {
	for _, s := range v.page.Spends {
		if s.Tenant.State == models.Deleted {
			continue
		}
		all++
		budget = budget.Add(s.Tenant.Budget)
		if s.Spend.Forecast != nil {
			known++
			forecast = forecast.Add(*s.Spend.Forecast)
		}
	}
	return budget, forecast, known, all
}

func (v costView) compared() views.CostFigure {
	before := v.page.Query.Month.AddDate(0, -1, 0)
	c := views.CostFigure{Label: "Against the same days of " + before.Format("January"), Value: "no data"}
	now, then, ok := v.page.Same()
	if !ok {
		c.Note = "not all of those days were read"
		return c
	}
	change := now.On(v.basis).Usage.Sub(then.On(v.basis).Usage)
	c.Value, c.Note = ui.Delta(change), "then "+ui.USD(then.On(v.basis).Usage)
	c.Side, c.Tone = percentChange(now.On(v.basis).Usage, then.On(v.basis).Usage)
	return c
}

// nobody is the share without an owner, which is never hidden.
func (v costView) nobody() (views.CostFigure, bool) {
	if v.page.Tenant == nil && !v.page.SeesAll || v.page.Query.Narrow() {
		return views.CostFigure{}, false
	}
	c := views.CostFigure{Label: "Unallocated", URL: v.with("only", "unallocated", "by", "account", "service", ""), Note: "in accounts of no tenant"}
	if v.page.Tenant != nil {
		c = views.CostFigure{Label: "Shared in the accounts", URL: v.with("by", "environment"), Note: "carries no environment: network, logs, support"}
	}
	if v.page.LastDay().IsZero() {
		c.Value = "no data"
		return c, true
	}
	c.Value = ui.USD(v.page.Unallocated.On(v.basis).Usage)
	c.Side = shareOf(v.page.Unallocated.On(v.basis).Usage, v.page.Of(v.page.Query.Month).Amounts.On(v.basis).Usage)
	return c, true
}

func (v costView) apart() views.CostFigure {
	a := v.page.Of(v.page.Query.Month).Amounts.On(v.basis)
	c := views.CostFigure{Label: "Credits, refunds and tax", Value: "no data"}
	if v.page.LastDay().IsZero() {
		return c
	}
	c.Value, c.Note = ui.USD(a.Apart()), fmt.Sprintf("%s credits, %s refunds, %s tax", ui.USD(a.Credit), ui.USD(a.Refund), ui.USD(a.Tax))
	if v.page.Query.Cut() == models.ByEnvironment && v.page.Query.Environment != "" {
		c.Value, c.Note = "not told apart", "AWS names none of them for an environment"
	}
	return c
}

// measured says over which days estimates were compared.
func (v costView) measured() string {
	last := time.Time{}
	for _, d := range v.page.Days {
		if d.Read {
			last = d.Day
		}
	}
	return fmt.Sprintf("effective, per month of 730 h, over up to %d days to %s", models.MeasureDays, last.Format("2 Jan"))
}
