package price

import (
	"fmt"

	"github.com/shopspring/decimal"

	"slipway/models"
)

// Item is a number of units of one price, as a blueprint's cost model names them.
type Item struct {
	Key      string
	Quantity decimal.Decimal
	Name     string // for people: "A key of the account's own"
}

// Estimate is the fixed monthly cost of some items, and in words what it leaves out.
type Estimate struct {
	Lines        []models.CostLine // Planned is set, Now is zero
	NotEstimated []string
}

// Estimate prices the fixed part of some items, one line each. Where the file has no price of the region, the line says that it is the
// list price of the file's origin; no factor between regions is guessed.
func (l *List) Estimate(part, region string, items []Item) Estimate {
	var e Estimate
	foreign := false
	for _, it := range items {
		amount, ok := l.Line(it.Key, region, it.Quantity)
		name := it.Name
		if !ok && region != l.Origin {
			if amount, ok = l.Line(it.Key, l.Origin, it.Quantity); ok {
				name, foreign = fmt.Sprintf("%s (%s list price)", it.Name, l.Origin), true
			}
		}
		if !ok {
			e.NotEstimated = append(e.NotEstimated, fmt.Sprintf("%s: the price file has no fixed price %s", it.Name, it.Key))
			continue
		}
		e.Lines = append(e.Lines, models.CostLine{Item: name, Part: part, Planned: amount})
	}
	if foreign {
		e.NotEstimated = append(e.NotEstimated, fmt.Sprintf("How prices in %s differ from those in %s", region, l.Origin))
	}
	return e
}
