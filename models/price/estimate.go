package price

import (
	"fmt"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"slipway/models"
)

// Resource is a thing whose cost is asked for.
type Resource struct {
	Type string // AWS::KMS::Key
	ID   string // logical id, for what is not estimated
}

// Estimate is the fixed monthly cost of some resources, and in words what it leaves out.
type Estimate struct {
	Lines        []models.CostLine // Planned is set, Now is zero
	NotEstimated []string
}

// Estimate adds up what resources cost by being there, one line per type. Where the file has no price of the region, the line says
// that it is the list price of the file's origin; no factor between regions is guessed.
func (l *List) Estimate(part, region string, resources []Resource) Estimate {
	count := map[string]int{}
	for _, r := range resources {
		count[r.Type]++
	}
	var e Estimate
	foreign := false
	for _, typ := range slices.Sorted(maps.Keys(count)) {
		m, known := l.models[typ]
		n := decimal.NewFromInt(int64(count[typ]))
		switch {
		case !known:
			e.NotEstimated = append(e.NotEstimated, fmt.Sprintf("%s: the price file has no price for it", typ))
			continue
		case m.Free:
			continue
		case m.Usage != "":
			e.NotEstimated = append(e.NotEstimated, m.Item+": "+m.Usage)
		}
		if len(m.Fixed) == 0 {
			continue
		}
		amount, stoodIn := l.fixed(m, region, n)
		item := m.Item
		if count[typ] > 1 {
			item = fmt.Sprintf("%d × %s", count[typ], m.Item)
		}
		if stoodIn {
			item += fmt.Sprintf(" (%s list price)", l.Origin)
			foreign = true
		}
		e.Lines = append(e.Lines, models.CostLine{Item: item, Part: part, Planned: amount})
	}
	if foreign {
		e.NotEstimated = append(e.NotEstimated, fmt.Sprintf("How prices in %s differ from %s: the price file has none for %s", region, l.Origin, region))
	}
	return e
}

// fixed sums a type's fixed parts; stoodIn tells that some price is the origin's.
func (l *List) fixed(m Model, region string, n decimal.Decimal) (sum decimal.Decimal, stoodIn bool) {
	for _, p := range m.Fixed {
		amount, ok := l.Line(p.Key, region, p.Quantity.Mul(n))
		if !ok {
			amount, _ = l.Line(p.Key, l.Origin, p.Quantity.Mul(n)) // Load made sure that it is there
			stoodIn = true
		}
		sum = sum.Add(amount)
	}
	return sum, stoodIn
}
