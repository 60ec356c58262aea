package models

import (
	"time"

	"github.com/shopspring/decimal"
)

// CostSource says who measured a cost. Names are stored: never rename a shipped one.
type CostSource string

// The sources of cost. One of them is the record of a month; the others stand beside it and are never added to it.
const (
	CostExplorer CostSource = "cost_explorer"
	FOCUS        CostSource = "focus"
)

// CostCut is one way in which the same money is cut up. Sums are made within one cut, never over both.
type CostCut string

// The cuts: Cost Explorer groups by two keys at a time, and the account is always one of them.
const (
	ByService     CostCut = "service"     // usage by account and service; credits, refunds and tax by account
	ByEnvironment CostCut = "environment" // usage by account and the tag slipway:environment
)

// ChargeCategory is what kind of money it is.
type ChargeCategory string

// The categories. Usage is everything that is none of the others: on-demand, reservations and savings plans, support, discounts.
const (
	Usage  ChargeCategory = "usage"
	Credit ChargeCategory = "credit"
	Refund ChargeCategory = "refund"
	Tax    ChargeCategory = "tax"
)

// CostBasis names one of two amounts that are never mixed.
type CostBasis string

// The bases.
const (
	Effective CostBasis = "effective" // amortized: what was paid in advance lies on the days that used it
	Billed    CostBasis = "billed"    // unblended: as the invoice says, on the day it was charged
)

// CostRow is what one account was charged on one day, in one cut.
type CostRow struct {
	Day         time.Time // midnight UTC
	Account     string    // 12 digits
	Cut         CostCut
	Category    ChargeCategory
	Service     string // AWS's own name; empty in the other cut, and for what has none
	Environment string // value of the tag; empty in the other cut, and for what is not tagged
	Billed      decimal.Decimal
	Effective   decimal.Decimal
}

// CostDayRead says that one whole day was read, with or without rows: a day that cost nothing differs from one that nobody read.
type CostDayRead struct {
	Day       time.Time
	Estimated bool // AWS may still change it
}

// CostReading replaces the rows of the days that it names, whole, for its source.
type CostReading struct {
	Source CostSource
	Days   []CostDayRead
	Rows   []CostRow
}

// BudgetState says what AWS has of a tenant's budget.
type BudgetState string

// The states of a budget in AWS.
const (
	BudgetOK      BudgetState = "ok"
	BudgetAbsent  BudgetState = "absent"  // AWS has no such budget
	BudgetForeign BudgetState = "foreign" // it is not monthly or not in USD: somebody changed it outside of Slipway
)

// BudgetReading is what AWS Budgets says of one budget. A round names every budget of Slipway's that there is: a tenant that is not among
// them has none.
type BudgetReading struct {
	TenantSlug string
	State      BudgetState
	Limit      decimal.Decimal  // USD per month, as AWS holds it
	Actual     *decimal.Decimal // billed, with credits, refunds and tax; nil: AWS says none
	Forecast   *decimal.Decimal // to the end of the month; nil: AWS has none yet
}

// MonthOf is the first day of a time's month, in UTC.
func MonthOf(t time.Time) time.Time {
	y, m, _ := t.UTC().Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
}

// DayOf is the midnight at which a time's day began, in UTC.
func DayOf(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// DaysIn is how many days a month has.
func DaysIn(month time.Time) int { return MonthOf(month).AddDate(0, 1, -1).Day() }

// CostMonths is how many months are read and shown, the current one included.
const CostMonths = 13

// FirstCostDay is the first day of the oldest month that is read and shown.
func FirstCostDay(wall time.Time) time.Time { return MonthOf(wall).AddDate(0, 1-CostMonths, 0) }

// The collectors of cost.
const (
	CostCollector   CollectorName = "costs"
	BudgetCollector CollectorName = "budgets"
)

// How often they read, in product time.
const (
	CostCollectEvery   = 24 * time.Hour
	BudgetCollectEvery = 4 * time.Hour
)
