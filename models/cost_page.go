package models

import (
	"time"

	"github.com/shopspring/decimal"
)

// CostGroup is by what a table of costs is cut.
type CostGroup string

// The groups.
const (
	GroupTenant      CostGroup = "tenant"
	GroupService     CostGroup = "service"
	GroupEnvironment CostGroup = "environment"
	GroupAccount     CostGroup = "account"
)

// CostQuery is what a page of costs takes from its address.
type CostQuery struct {
	Month       time.Time // first day; zero: the current one
	By          CostGroup
	Service     string // narrows to one service
	Environment string // narrows to one value of the tag, on a tenant's page
	Unallocated bool   // narrows to what no tenant had
}

// Narrow tells whether the query asks for a part of the costs only.
func (q CostQuery) Narrow() bool { return q.Service != "" || q.Environment != "" || q.Unallocated }

// Cut is the cut whose rows answer the query.
func (q CostQuery) Cut() CostCut {
	if q.By == GroupEnvironment || q.Environment != "" {
		return ByEnvironment
	}
	return ByService
}

// Charges are amounts by category, in USD. They are shown apart and never silently netted.
type Charges struct{ Usage, Credit, Refund, Tax decimal.Decimal }

// Add counts an amount in.
func (c *Charges) Add(category ChargeCategory, d decimal.Decimal) {
	switch category {
	case Usage:
		c.Usage = c.Usage.Add(d)
	case Credit:
		c.Credit = c.Credit.Add(d)
	case Refund:
		c.Refund = c.Refund.Add(d)
	case Tax:
		c.Tax = c.Tax.Add(d)
	}
}

// Plus adds all of other.
func (c Charges) Plus(other Charges) Charges {
	return Charges{c.Usage.Add(other.Usage), c.Credit.Add(other.Credit), c.Refund.Add(other.Refund), c.Tax.Add(other.Tax)}
}

// Total is all of it together.
func (c Charges) Total() decimal.Decimal {
	return decimal.Sum(c.Usage, c.Credit, c.Refund, c.Tax)
}

// Apart is what is not usage.
func (c Charges) Apart() decimal.Decimal { return c.Total().Sub(c.Usage) }

// Amounts are the same charges on both bases.
type Amounts struct{ Effective, Billed Charges }

// On is one basis.
func (a Amounts) On(b CostBasis) Charges {
	if b == Billed {
		return a.Billed
	}
	return a.Effective
}

// Plus adds all of other.
func (a Amounts) Plus(other Amounts) Amounts {
	return Amounts{a.Effective.Plus(other.Effective), a.Billed.Plus(other.Billed)}
}

// Add counts an amount in, on both bases.
func (a *Amounts) Add(category ChargeCategory, effective, billed decimal.Decimal) {
	a.Effective.Add(category, effective)
	a.Billed.Add(category, billed)
}

// CostDay is what one day cost. A day that was not read has no amounts: it is no day without costs.
type CostDay struct {
	Day       time.Time
	Read      bool
	Estimated bool
	ReadAt    time.Time
	Amounts   Amounts
}

// CostMonth is what one month has cost, and how much of it is known.
type CostMonth struct {
	Month   time.Time
	Read    int // days that were read
	Days    int // days that it has had so far: the current one has none of today
	Final   bool
	Amounts Amounts
}

// CostItem is one row of a table of costs.
type CostItem struct {
	Key         string // slug, service, tag value or account number; empty: what has none
	Name        string // of a tenant or account
	TenantSlug  string
	Unallocated bool
	Now         Amounts // of the month, so far
	Before      Amounts // of the same days of the month before
	Spend       *Spend  // by tenant
}

// CostPage is all that a page of costs shows.
type CostPage struct {
	Query        CostQuery
	Wall         time.Time
	Source       CostSource
	Tenant       *Tenant   // nil: the organization's page
	SeesAll      bool      // the organization's sums are shown; otherwise those of the reader's tenants
	Days         []CostDay // of all months, oldest first
	Lines        []CostItem
	Unallocated  Amounts // of the month: what no tenant had, or on a tenant's page what carries no environment
	Spends       []TenantSpend
	Environments []EnvironmentCost
	Costs        []CollectStatus
	Budgets      []CollectStatus
	Meter        *CostMeter // for those who see all
}

// TenantSpend is a tenant with its spend.
type TenantSpend struct {
	Tenant Tenant
	Spend  Spend
}

// MonthDays are the page's days of a month.
func (p CostPage) MonthDays(month time.Time) (days []CostDay) {
	for _, d := range p.Days {
		if MonthOf(d.Day).Equal(month) {
			days = append(days, d)
		}
	}
	return days
}

// Months sums the days up by month, oldest first.
func (p CostPage) Months() (all []CostMonth) {
	for _, d := range p.Days {
		month := MonthOf(d.Day)
		if n := len(all); n == 0 || !all[n-1].Month.Equal(month) {
			all = append(all, CostMonth{Month: month, Final: true})
		}
		m := &all[len(all)-1]
		m.Days++
		m.Final = m.Final && d.Read && !d.Estimated
		if d.Read {
			m.Read++
			m.Amounts = m.Amounts.Plus(d.Amounts)
		}
	}
	for i := range all {
		all[i].Final = all[i].Final && all[i].Days == DaysIn(all[i].Month)
	}
	return all
}

// Of is one month's sum; its Read is zero when nothing is known of it.
func (p CostPage) Of(month time.Time) CostMonth {
	for _, m := range p.Months() {
		if m.Month.Equal(month) {
			return m
		}
	}
	return CostMonth{Month: month}
}

// LastDay is the last day of the month that was read; zero: none was.
func (p CostPage) LastDay() (day time.Time) {
	for _, d := range p.MonthDays(p.Query.Month) {
		if d.Read {
			day = d.Day
		}
	}
	return day
}

// ReadAt is when the newest of the month's days was read; zero: none was.
func (p CostPage) ReadAt() (at time.Time) {
	for _, d := range p.MonthDays(p.Query.Month) {
		if d.ReadAt.After(at) {
			at = d.ReadAt
		}
	}
	return at
}

// Same is what the month has cost up to its last day read, and the same days of the month before. ok: all of those days were read.
func (p CostPage) Same() (now, before Amounts, ok bool) {
	last := p.LastDay()
	if last.IsZero() {
		return now, before, false
	}
	ok = true
	until, whole := SameDay(last)
	for _, d := range p.MonthDays(p.Query.Month) {
		if d.Read {
			now = now.Plus(d.Amounts)
		}
		ok = ok && (d.Read || d.Day.After(last))
	}
	earlier := p.MonthDays(p.Query.Month.AddDate(0, -1, 0))
	for _, d := range earlier {
		if !d.Day.After(until) {
			ok, before = ok && d.Read, before.Plus(d.Amounts)
		}
	}
	return now, before, ok && len(earlier) == whole
}

// SameDay is the same day of the month before, or its last when it is shorter or the day is a month's last, and how many days that month has.
func SameDay(day time.Time) (same time.Time, days int) {
	before := MonthOf(day).AddDate(0, -1, 0)
	days = DaysIn(before)
	n := min(day.Day(), days)
	if day.Day() == DaysIn(day) {
		n = days
	}
	return before.AddDate(0, 0, n-1), days
}

// Complete tells whether the month is over and all of it was read.
func (m CostMonth) Complete() bool { return m.Read == DaysIn(m.Month) }

// Straight is what the month would come to if each day took what those so far have on average; nil: none was read.
func (m CostMonth) Straight(b CostBasis) *decimal.Decimal {
	if m.Read == 0 {
		return nil
	}
	d := m.Amounts.On(b).Usage.Mul(decimal.NewFromInt(int64(DaysIn(m.Month)))).DivRound(decimal.NewFromInt(int64(m.Read)), 2)
	return &d
}
