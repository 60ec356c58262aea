package price

import (
	"slices"

	"github.com/shopspring/decimal"

	"slipway/models"
)

// Line is one position of an estimate with where its amount comes from. Planned is the amount: Quantity times UnitPrice; Now is zero.
type Line struct {
	models.CostLine
	Name      string   // what Compare matches by: "NAT gateways", whatever their number
	Size      string   // how many: "2", "1.5 vCPU", "5 GB"
	Resources []string // logical ids it came from
	Key       string   // of the price
	Unit      string   // of Quantity, for people: gateway hours; empty for what is paid by the month
	Quantity  decimal.Decimal
	UnitPrice decimal.Decimal
	Usage     string // key of the assumption it rests on; empty: fixed
	Source    string // who said the price
	Day       string // and when
}

// CostLines are the positions as a plan keeps and hashes them.
func (e Estimate) CostLines() []models.CostLine {
	out := make([]models.CostLine, len(e.Lines))
	for i, l := range e.Lines {
		out[i] = l.CostLine
	}
	return out
}

// Fixed are the positions that are paid whether or not anything is used, and their sum.
func (e Estimate) Fixed() ([]Line, decimal.Decimal) {
	return e.some(func(l Line) bool { return l.Usage == "" })
}

// ByUse are the positions that rest on an assumption, and their sum.
func (e Estimate) ByUse() ([]Line, decimal.Decimal) {
	return e.some(func(l Line) bool { return l.Usage != "" })
}

func (e Estimate) some(belongs func(Line) bool) (lines []Line, sum decimal.Decimal) {
	for _, l := range e.Lines {
		if belongs(l) {
			lines, sum = append(lines, l), sum.Add(l.Planned)
		}
	}
	return lines, sum
}

// Monthly is the sum of all positions, in USD.
func (e Estimate) Monthly() decimal.Decimal {
	_, fixed := e.Fixed()
	_, use := e.ByUse()
	return fixed.Add(use)
}

// Compare puts two estimates of one object beside each other: what its template costs now, and what it would cost. Positions that are
// nothing on both sides are left out; those that end come last.
func Compare(before, after Estimate) []models.CostLine {
	same := func(a, b Line) bool {
		return a.Key == b.Key && a.Usage == b.Usage && a.Name == b.Name && a.Part == b.Part
	}
	var out []models.CostLine
	for _, l := range after.Lines {
		c := l.CostLine
		if i := slices.IndexFunc(before.Lines, func(b Line) bool { return same(b, l) }); i >= 0 {
			c.Now = before.Lines[i].Planned
			if was := before.Lines[i].Size; was != l.Size {
				c.Item = l.Name + ", " + was + " to " + l.Size
			}
		}
		if !c.Now.IsZero() || !c.Planned.IsZero() {
			out = append(out, c)
		}
	}
	for _, b := range before.Lines {
		gone := !slices.ContainsFunc(after.Lines, func(l Line) bool { return same(b, l) })
		if gone && !b.Planned.IsZero() {
			out = append(out, models.CostLine{Item: b.Item, Part: b.Part, Now: b.Planned})
		}
	}
	return out
}
