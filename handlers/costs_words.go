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

func sourceWords(s models.CostSource) string {
	if s == models.FOCUS {
		return "from the FOCUS export"
	}
	return "from AWS Cost Explorer"
}

// callouts say what is not as it should be: that AWS refuses, does not answer, was not asked because of the cap, or leaves something out.
// Whatever was read before stays on the page, with its age.
func (v costView) callouts() (all []ui.Callout) {
	for _, s := range v.page.Costs {
		all = append(all, collectCallouts(v.page, s, "costs", v.actor, models.CostCollectEvery)...)
	}
	for _, s := range v.page.Budgets {
		all = append(all, collectCallouts(v.page, s, "budgets", v.actor, models.BudgetCollectEvery)...)
	}
	return all
}

func collectCallouts(p models.CostPage, s models.CollectStatus, what string, a models.Actor, every time.Duration) (all []ui.Callout) {
	age := "Nothing was read before."
	if !s.ReadAt.IsZero() {
		age = "The figures are of " + s.ReadAt.UTC().Format("2 January, 15:04 UTC") + "."
	}
	c := ui.Callout{ID: what + "-state", Tone: ui.Warn}
	if len(s.Gaps) > 0 { // the first says it all
		g := s.Gaps[0]
		switch {
		case g.Kind == models.GapCapped:
			c.Title, c.Text = "The daily cap on asking for costs is reached", age+" Reading goes on tomorrow, UTC."
		case g.Kind == models.GapDenied:
			c.Tone, c.Title, c.Text = ui.Fail, "Slipway may not read "+what, age
			if g.Permission != "" {
				c.Facts = []ui.Pair{{Label: "Missing permission", Value: g.Permission}}
			}
			c.Next = "The platform team has to grant it to slipway-org (deploy/aws/org.yaml)."
		case g.Kind == models.GapSkewed:
			c.Title, c.Text = "AWS refuses Slipway's clock", age+" "+g.Words
		case s.State == models.CollectFailed:
			c.Title, c.Text = "AWS did not answer for "+what, age+" It is asked again by itself."
		default:
			c.Title, c.Text = "Cannot read "+g.What, g.Words
		}
	}
	if len(s.Gaps) > 1 {
		c.Text += fmt.Sprintf(" %s more could not be read.", ui.Count(len(s.Gaps)-1))
	}
	if c.Title == "" && s.State != "" && s.Late(p.Wall, every) {
		c.Title, c.Text = "The "+what+" are older than they should be", age+" No round has ended since."
	}
	if c.Title == "" {
		return nil
	}
	if a.SeesAll() {
		c.Facts = append(c.Facts, ui.Pair{Label: "Details", Value: "Admin, collectors"})
	}
	return []ui.Callout{c}
}

// empty says why there is nothing at all, and what to do.
func (v costView) empty() *ui.Empty {
	e := &ui.Empty{Title: "No costs yet", Text: "Slipway asks AWS Cost Explorer once a day, and thirteen months back the first time. What it reads appears here; today's costs come tomorrow."}
	switch {
	case v.page.Meter != nil && v.page.Meter.Cap.LessThan(models.CostCallPrice):
		e.Title, e.Text = "Costs are switched off", "SLIPWAY_COST_DAILY_CAP allows no paid call to AWS Cost Explorer. Set it to what asking may cost per day, 2.00 for example, and restart."
	case v.page.SeesAll:
		e.URL, e.Word, e.Icon = urls.Collectors, "Look at the collectors", ui.IconRefreshCw
	case v.page.Tenant != nil:
		e.URL, e.Word = urls.Tenant(v.page.Tenant.Slug), "Back to "+v.page.Tenant.Slug
	case len(v.actor.Memberships) == 0:
		e.Text = "Costs are shown for tenants. As soon as you belong to one, its costs appear here."
	}
	return e
}

// budget is how a tenant's month stands against its budget.
func (v costView) budget() *views.CostBudget {
	if v.page.Tenant == nil || len(v.page.Spends) == 0 {
		return nil
	}
	t, s := v.page.Spends[0].Tenant, v.page.Spends[0].Spend
	b := &views.CostBudget{Facts: []ui.Pair{{Label: "Budget", Value: ui.Dollars(s.Budget) + " a month"}}, State: ui.State{Label: "Not read yet", Tone: ui.Idle}}
	b.Bar, b.Words = budgetBarOf(t.Slug, s)
	switch {
	case b.Bar == nil:
		b.Words = map[models.BudgetState]string{"": "AWS Budgets was not read for this month.", models.BudgetAbsent: "AWS has no budget slw-" + t.Slug + ", so nothing is known by it. Changing the tenant's budget makes it again.",
			models.BudgetForeign: "Somebody changed slw-" + t.Slug + " outside of Slipway: it is not a monthly cost budget in USD.", models.BudgetOK: "AWS has not computed what it comes to yet."}[s.State]
		if s.State != "" {
			b.State = ui.State{Label: "No data", Tone: ui.Warn}
		}
	default:
		b.State = budgetState(s)
		b.Facts = append(b.Facts, ui.Pair{Label: "Spent", Value: ui.USD(*s.Actual) + " (" + s.Percent(models.SpendActual).StringFixed(0) + " %)"})
		if s.Forecast != nil {
			b.Facts = append(b.Facts, ui.Pair{Label: "AWS expects", Value: ui.USD(*s.Forecast) + " (" + s.Percent(models.SpendForecast).StringFixed(0) + " %)"})
		} else {
			b.Facts = append(b.Facts, ui.Pair{Label: "AWS expects", Value: "no forecast yet"})
		}
		if v.current() {
			b.Facts = append(b.Facts, ui.Pair{Label: "Even pace, today", Value: ui.USD(models.Pace(s.Budget, v.page.Wall))})
		}
		b.Words = "By AWS Budgets: billed, with credits, refunds and tax. Owners are told at 80 and 100 %."
	}
	if s.Differs() {
		b.Differs = "AWS holds " + ui.Dollars(s.Limit) + ", Slipway " + ui.Dollars(s.Budget)
		if v.actor.MayRunTenant(t.ID) {
			b.FixURL = urls.Tenant(t.Slug) + "/change"
		}
	}
	if !s.ReadAt.IsZero() {
		b.ReadNote = "Read " + s.ReadAt.UTC().Format("2 Jan, 15:04 UTC") + "."
	}
	return b
}

func budgetState(s models.Spend) ui.State {
	hundred, eighty := decimal.NewFromInt(100), decimal.NewFromInt(80)
	actual, forecast := s.Percent(models.SpendActual), s.Percent(models.SpendForecast)
	switch {
	case actual.GreaterThanOrEqual(hundred):
		return ui.State{Label: "Passed", Tone: ui.Fail}
	case forecast != nil && forecast.GreaterThanOrEqual(hundred):
		return ui.State{Label: "Expected to pass", Tone: ui.Warn}
	case actual.GreaterThanOrEqual(eighty):
		return ui.State{Label: "Above 80 %", Tone: ui.Warn}
	}
	return ui.State{Label: "Within", Tone: ui.OK}
}

func (v costView) meter() *views.CostMeter {
	m := v.page.Meter
	if m == nil {
		return nil
	}
	d := &views.CostMeter{Calls: ui.Plural(m.Calls, "page", "pages") + " of answers", Spent: ui.USD(m.Spent), Cap: ui.USD(m.Cap), State: ui.State{Label: "Below the cap", Tone: ui.OK},
		Bar: ui.Bar{Label: fmt.Sprintf("%s of %s", ui.USD(m.Spent), ui.USD(m.Cap)), Segs: []ui.Seg{{Width: share(m.Spent, m.Cap), Tone: "1"}}}}
	if v.actor.Has(models.PlatformAdmin) {
		d.Again = &ui.Post{URL: urls.ReadCosts, Label: "Read thirteen months again", Icon: ui.IconRefreshCw, Kind: ui.Quiet, Small: true, CSRF: v.csrf}
	}
	if !m.Refused.IsZero() {
		d.State = ui.State{Label: "Capped since " + m.Refused.UTC().Format("15:04 UTC"), Tone: ui.Warn}
		d.Bar.Segs[0].Tone = "warn"
	}
	return d
}

func (v costView) actuals() (rows []views.CostActual) {
	if v.page.Tenant == nil {
		return nil
	}
	for _, e := range v.page.Environments {
		rows = append(rows, actualRow(e))
	}
	return rows
}

func actualRow(e models.EnvironmentCost) views.CostActual {
	r := views.CostActual{Tenant: e.TenantSlug, Name: e.Name, Blueprint: strings.TrimSpace(e.Blueprint + " " + e.Version), Estimate: "not estimated", Actual: "too early to say", Note: ui.Plural(e.Days, "day", "days")}
	if e.Estimate != nil {
		r.Estimate = ui.USD(*e.Estimate)
	}
	if a := e.Actual(); a != nil {
		r.Actual = ui.USD(*a)
		r.Note += " since " + e.From.Format("2 Jan")
	} else {
		r.Note = fmt.Sprintf("%s of %d", r.Note, models.MeasureMin)
	}
	r.Miss, r.Tone = missWords(e.Error())
	return r
}

// missWords writes how far an estimate is off.
func missWords(p *decimal.Decimal) (string, ui.Tone) {
	if p == nil {
		return "not known", ""
	}
	tone := ui.Tone("")
	if p.Abs().GreaterThan(decimal.NewFromInt(20)) {
		tone = ui.Warn
	}
	return signed(*p) + " %", tone
}

func (v costView) errors() (rows []views.CostError) {
	for _, b := range models.BlueprintErrors(v.page.Environments) {
		r := views.CostError{Blueprint: b.Blueprint, Measured: fmt.Sprintf("%d measured, %d not yet", b.Measured, b.Others), Estimate: "no data", Actual: "no data"}
		if b.Measured > 0 {
			r.Estimate, r.Actual, r.Range = ui.USD(b.Estimate), ui.USD(b.Actual), signed(b.Low)+" to "+signed(b.High)+" %"
		}
		r.Miss, r.Tone = missWords(b.Error())
		rows = append(rows, r)
	}
	return rows
}
