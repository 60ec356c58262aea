package models

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// How an environment's actual cost is measured.
const (
	MeasureDays = 30 // at most: the last days that were read
	MeasureMin  = 3  // under this many, it is too early to say
)

// EnvironmentCost is an environment's estimate beside what it costs.
type EnvironmentCost struct {
	TenantSlug string
	Name       string
	Stage      Stage
	Blueprint  string
	Version    string
	Hibernated bool
	Estimate   *decimal.Decimal // USD per month; nil: there is none
	From       time.Time        // first day that is measured: all of it under today's order
	Days       int              // days that were read since
	Sum        decimal.Decimal  // what those cost, effective
}

// daysPerMonth is 730 hours, as estimates count.
var daysPerMonth = decimal.NewFromInt(730).Div(decimal.NewFromInt(24))

// Actual is what the environment costs per month, by the days that were measured; nil: too early to say.
func (e EnvironmentCost) Actual() *decimal.Decimal {
	if e.Days < MeasureMin {
		return nil
	}
	d := e.Sum.Mul(daysPerMonth).DivRound(decimal.NewFromInt(int64(e.Days)), 2)
	return &d
}

// Error is how far the actual cost is from the estimate, in percent of the estimate; nil: one of them is not known, or nothing was estimated.
func (e EnvironmentCost) Error() *decimal.Decimal {
	actual := e.Actual()
	if actual == nil || e.Estimate == nil || !e.Estimate.IsPositive() {
		return nil
	}
	return off(*actual, *e.Estimate)
}

func off(actual, estimate decimal.Decimal) *decimal.Decimal {
	d := actual.Sub(estimate).Mul(decimal.NewFromInt(100)).DivRound(estimate, 1)
	return &d
}

// BlueprintError is how far the estimates of a blueprint's environments are from what they cost, together.
type BlueprintError struct {
	Blueprint string
	Measured  int // environments with both figures
	Others    int // those without
	Estimate  decimal.Decimal
	Actual    decimal.Decimal
	Low, High decimal.Decimal // percent, of single environments
}

// Error is that of all measured environments together, in percent of their estimates; nil: none was measured.
func (b BlueprintError) Error() *decimal.Decimal {
	if b.Measured == 0 {
		return nil
	}
	return off(b.Actual, b.Estimate)
}

// BlueprintErrors sums environments up by blueprint, the one that is furthest off first.
func BlueprintErrors(environments []EnvironmentCost) []BlueprintError {
	by := map[string]*BlueprintError{}
	for _, e := range environments {
		b := by[e.Blueprint]
		if b == nil {
			b = &BlueprintError{Blueprint: e.Blueprint}
			by[e.Blueprint] = b
		}
		miss := e.Error()
		if miss == nil {
			b.Others++
			continue
		}
		if b.Measured == 0 || miss.LessThan(b.Low) {
			b.Low = *miss
		}
		if b.Measured == 0 || miss.GreaterThan(b.High) {
			b.High = *miss
		}
		b.Measured++
		b.Estimate, b.Actual = b.Estimate.Add(*e.Estimate), b.Actual.Add(*e.Actual())
	}
	var all []BlueprintError
	for _, b := range by {
		all = append(all, *b)
	}
	weight := func(b BlueprintError) decimal.Decimal {
		if e := b.Error(); e != nil {
			return e.Abs()
		}
		return decimal.NewFromInt(-1)
	}
	slices.SortFunc(all, func(a, b BlueprintError) int {
		return cmp.Or(weight(b).Cmp(weight(a)), cmp.Compare(a.Blueprint, b.Blueprint))
	})
	return all
}
