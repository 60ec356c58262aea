package models

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// SpendBasis says which of a budget's figures is meant.
type SpendBasis string

// The figures.
const (
	SpendActual   SpendBasis = "actual"
	SpendForecast SpendBasis = "forecast"
)

// SpendMarks are the shares of a budget, in percent, whose passing is told.
func SpendMarks() []int { return []int{80, 100} }

// Spend is how a tenant's month stands against its budget, by AWS Budgets: billed, with credits, refunds and tax.
type Spend struct {
	Month    time.Time
	State    BudgetState // empty: never read
	Budget   decimal.Decimal
	Limit    decimal.Decimal // as AWS holds it
	Actual   *decimal.Decimal
	Forecast *decimal.Decimal
	ReadAt   time.Time // wall time
}

// SpendFresh is for how long a reading says something; older ones are shown with their age, and rules do not know them.
const SpendFresh = 36 * time.Hour

// Figure is one of the figures; nil: not known.
func (s Spend) Figure(b SpendBasis) *decimal.Decimal {
	if b == SpendForecast {
		return s.Forecast
	}
	return s.Actual
}

// Percent is a figure's share of the budget that Slipway holds; nil: not known.
func (s Spend) Percent(b SpendBasis) *decimal.Decimal {
	f := s.Figure(b)
	if f == nil || !s.Budget.IsPositive() {
		return nil
	}
	p := f.Mul(decimal.NewFromInt(100)).DivRound(s.Budget, 1)
	return &p
}

// Known tells whether the reading says something about a month at a time.
func (s Spend) Known(wall time.Time) bool {
	return s.State == BudgetOK && s.Actual != nil && s.Month.Equal(MonthOf(wall)) && wall.Sub(s.ReadAt) <= SpendFresh
}

// Differs tells whether AWS holds another limit than Slipway.
func (s Spend) Differs() bool { return s.State == BudgetOK && !s.Limit.Equal(s.Budget) }

// Pace is what of the budget would be spent by the end of a day if each day took the same.
func Pace(budget decimal.Decimal, day time.Time) decimal.Decimal {
	return budget.Mul(decimal.NewFromInt(int64(day.UTC().Day()))).DivRound(decimal.NewFromInt(int64(DaysIn(day))), 2)
}

// SpendAlert is a share of the budget that a figure has passed.
type SpendAlert struct {
	Basis   SpendBasis
	Percent int
	Figure  decimal.Decimal
}

// Passed lists what a month's figures have passed and told says nothing of yet, the lowest share first.
func (s Spend) Passed(told []SpendAlert) []SpendAlert {
	if s.State != BudgetOK || !s.Budget.IsPositive() {
		return nil
	}
	var all []SpendAlert
	for _, basis := range []SpendBasis{SpendActual, SpendForecast} {
		for _, mark := range SpendMarks() {
			f := s.Figure(basis)
			if f == nil || f.Mul(decimal.NewFromInt(100)).LessThan(s.Budget.Mul(decimal.NewFromInt(int64(mark)))) {
				continue
			}
			if !slices.ContainsFunc(told, func(a SpendAlert) bool { return a.Basis == basis && a.Percent == mark }) {
				all = append(all, SpendAlert{basis, mark, *f})
			}
		}
	}
	return all
}

// BudgetEvent is what a tenant's owners are told when its month passes a share of its budget.
func BudgetEvent(t Tenant, s Spend, a SpendAlert) Event {
	e := Event{Kind: TellBudget, Object: TenantObject, ObjectID: t.ID, ObjectName: t.Slug, TenantID: t.ID, State: fmt.Sprintf("%s %d", a.Basis, a.Percent), ByName: "costs"}
	month, budget := s.Month.Format("January 2006"), "$"+s.Budget.StringFixed(2)
	if a.Basis == SpendForecast {
		e.Subject = fmt.Sprintf("%s is forecast to pass %d %% of its budget", t.Slug, a.Percent)
		e.Words = fmt.Sprintf("AWS expects $%s by the end of %s; the budget is %s. Nothing is stopped. The tenant's costs page shows where it goes.", a.Figure.StringFixed(2), month, budget)
		return e
	}
	e.Subject = fmt.Sprintf("%s has passed %d %% of its budget", t.Slug, a.Percent)
	e.Words = fmt.Sprintf("%s has cost $%s so far; the budget is %s. Nothing is stopped. The tenant's costs page shows where it goes.", month, a.Figure.StringFixed(2), budget)
	return e
}
