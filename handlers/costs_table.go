package handlers

import (
	"fmt"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

var costColumns = map[models.CostGroup]string{models.GroupTenant: "Tenant", models.GroupService: "AWS service", models.GroupEnvironment: "Environment", models.GroupAccount: "Account"}

// table is the month by one cut. Its sum is over all lines, shown or not.
func (v costView) table() views.CostTable {
	by := v.page.Query.By
	t := views.CostTable{Caption: v.month() + " by " + string(by), First: costColumns[by], Budgets: by == models.GroupTenant && !v.page.Query.Narrow()}
	_, _, comparable := v.page.Same()
	if comparable {
		t.Before = "change against the same days of " + v.page.Query.Month.AddDate(0, -1, 0).Format("January")
	}
	sum := models.CostItem{}
	for _, l := range v.page.Lines {
		sum.Now, sum.Before = sum.Now.Plus(l.Now), sum.Before.Plus(l.Before)
		t.Apart = t.Apart || !l.Now.On(v.basis).Apart().IsZero()
	}
	for i, l := range v.page.Lines {
		if i == costRows {
			t.More = fmt.Sprintf("%s more are in the sum and in the CSV file.", ui.Count(len(v.page.Lines)-costRows))
			break
		}
		t.Rows = append(t.Rows, v.row(l, sum, comparable))
	}
	t.Sum = v.row(sum, sum, comparable)
	t.Sum.Name, t.Sum.Sub, t.Sum.URL, t.Sum.Tag, t.Sum.Budget = "All", "", "", "", ""
	return t
}

func (v costView) row(l, sum models.CostItem, comparable bool) views.CostShare {
	now, before := l.Now.On(v.basis), l.Before.On(v.basis)
	r := views.CostShare{Amount: ui.USD(now.Usage), Share: shareOf(now.Usage, sum.Now.On(v.basis).Usage), Apart: ui.USD(now.Apart()), Change: "no data"}
	if comparable {
		percent, tone := percentChange(now.Usage, before.Usage)
		r.Change, r.Tone = ui.Delta(now.Usage.Sub(before.Usage)), tone
		if percent != "" {
			r.Change += " (" + percent + ")"
		}
	}
	v.name(&r, l)
	if l.Spend != nil {
		r.Bar, r.Budget = budgetBarOf(l.TenantSlug, *l.Spend)
	}
	return r
}

// name says what a line is and where more of it is shown.
func (v costView) name(r *views.CostShare, l models.CostItem) {
	q := v.page.Query
	switch q.By {
	case models.GroupTenant:
		r.Name, r.Sub, r.URL = l.Key, l.Name, urls.With(urls.TenantCosts(l.TenantSlug), "month", v.in.Month, "basis", v.in.Basis)
		if l.Unallocated {
			r.Name, r.Sub, r.URL = "Unallocated", "in accounts that no tenant had on the day", v.with("only", "unallocated", "by", "account")
		}
	case models.GroupService:
		r.Name, r.URL = l.Key, v.with("service", l.Key, "by", string(costGroups[v.page.Tenant != nil][narrowedTo(v.page.Tenant != nil)]))
		if l.Key == "" {
			r.Name, r.Sub, r.URL = "No service", "credits, refunds and tax, which AWS names by account", ""
		}
	case models.GroupEnvironment:
		r.Name, r.Tag = l.Key, l.TenantSlug
		if v.page.Tenant != nil {
			r.Tag = ""
		}
		if l.TenantSlug != "" && l.Key != "" {
			r.URL = urls.With(urls.TenantCosts(l.TenantSlug), "environment", l.Key, "by", "account", "month", v.in.Month, "basis", v.in.Basis)
		}
		if l.Key == "" {
			r.Name, r.Sub = "No environment", "shared in the account, or not tagged"
		}
	case models.GroupAccount:
		r.Name, r.Sub, r.Tag = ui.AccountNumber(l.Key), l.Name, l.TenantSlug
		if v.page.Tenant != nil {
			r.Tag = ""
		}
	}
	if l.Unallocated && q.By != models.GroupTenant {
		r.Tag = "unallocated"
	}
}

// narrowedTo is the cut that a service's link leads to: by tenant, or on a tenant's page by account.
func narrowedTo(tenant bool) int {
	if tenant {
		return 2
	}
	return 0
}

// budgetBarOf draws a month against its budget, by AWS Budgets: spent is solid, expected hatched.
func budgetBarOf(slug string, s models.Spend) (*ui.Bar, string) {
	switch {
	case s.State == "":
		return nil, "not read yet"
	case s.State == models.BudgetAbsent:
		return nil, "AWS has no budget"
	case s.State == models.BudgetForeign:
		return nil, "AWS's budget is not monthly in USD"
	case s.Actual == nil:
		return nil, "AWS has not computed it"
	}
	top := decimal.Max(s.Budget, *s.Actual)
	if s.Forecast != nil {
		top = decimal.Max(top, *s.Forecast)
	}
	at := func(d decimal.Decimal) float64 { return share(d, top) }
	tone := "1"
	switch p := s.Percent(models.SpendActual); {
	case p.GreaterThanOrEqual(decimal.NewFromInt(100)):
		tone = "fail"
	case p.GreaterThanOrEqual(decimal.NewFromInt(80)):
		tone = "warn"
	}
	bar := &ui.Bar{Segs: []ui.Seg{{From: 0, Width: at(*s.Actual), Tone: tone}}, Mark: at(s.Budget)}
	words := fmt.Sprintf("%s of %s", ui.USD(*s.Actual), ui.Dollars(s.Budget))
	if f := s.Forecast; f != nil {
		words += ", " + ui.USD(*f) + " expected"
		if f.GreaterThan(*s.Actual) {
			bar.Segs = append(bar.Segs, ui.Seg{From: at(*s.Actual), Width: at(f.Sub(*s.Actual)), Tone: tone, Planned: true})
		}
	}
	bar.Label = slug + ": " + words
	return bar, words
}

// shareOf writes a share in percent; empty when there is no whole.
func shareOf(part, whole decimal.Decimal) string {
	if !whole.IsPositive() {
		return ""
	}
	return part.Mul(decimal.NewFromInt(100)).DivRound(whole, 1).StringFixed(1) + " %"
}

// percentChange writes a change in percent; more than a fifth up deserves a look.
func percentChange(now, before decimal.Decimal) (string, ui.Tone) {
	if !before.IsPositive() {
		return "", ""
	}
	p := now.Sub(before).Mul(decimal.NewFromInt(100)).DivRound(before, 1)
	tone := ui.Tone("")
	if p.GreaterThan(decimal.NewFromInt(20)) {
		tone = ui.Warn
	}
	return signed(p) + " %", tone
}

// signed writes a number with its sign.
func signed(p decimal.Decimal) string {
	switch {
	case p.IsNegative():
		return "−" + p.Neg().StringFixed(1)
	case p.IsPositive():
		return "+" + p.StringFixed(1)
	}
	return "0.0"
}
