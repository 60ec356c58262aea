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

// Estimate and Line are kept by plans and objects, so their types are in models.
type (
	Estimate = models.Estimate
	Line     = models.EstimateLine
)

// Estimate prices the fixed part of some items, one line each. Where the file has no price of the region, the line says that it is the
// list price of the file's origin; no factor between regions is guessed.
func (l *List) Estimate(part, region string, items []Item) Estimate {
	e := Estimate{Region: region}
	for _, it := range items {
		from, name := region, it.Name
		amount, ok := l.Line(it.Key, from, it.Quantity)
		if !ok && region != l.Origin {
			from, name = l.Origin, fmt.Sprintf("%s (%s list price)", it.Name, l.Origin)
			amount, ok = l.Line(it.Key, from, it.Quantity)
		}
		if !ok {
			e.NotEstimated = append(e.NotEstimated, fmt.Sprintf("%s: the price file has no fixed price %s", it.Name, it.Key))
			continue
		}
		if from != region {
			e.Region = from
		}
		row := l.byRegion[[2]string{it.Key, from}]
		if e.Date == "" || row.Date < e.Date {
			e.Date = row.Date
		}
		line := Line{CostLine: models.CostLine{Item: name, Part: part, Planned: amount}, Name: name, Size: it.Quantity.String(),
			Key: it.Key, Quantity: it.Quantity, UnitPrice: row.Price, Source: row.Source, Day: row.Date}
		if row.Unit == "hour" {
			line.Unit, line.Quantity = "hours", it.Quantity.Mul(whole(HoursPerMonth))
		}
		e.Lines = append(e.Lines, line)
	}
	if e.Region != region {
		e.NotEstimated = append(e.NotEstimated, fmt.Sprintf("How prices in %s differ from those in %s", region, l.Origin))
	}
	return e
}
