package models

import "github.com/shopspring/decimal"

// Estimate is what something costs per month, and in words what that leaves out.
type Estimate struct {
	Lines        []EstimateLine `json:"lines"`
	NotEstimated []string       `json:"not_estimated"`
	Notes        []string       `json:"notes,omitempty"`    // what is there and costs nothing now, in words
	Uses         []string       `json:"uses,omitempty"`     // usage keys that something here rests on, with or without an assumption
	Unpriced     bool           `json:"unpriced,omitempty"` // things that the price file has no price for here are left out, so that the sum is too low by what they cost
	Region       string         `json:"region"`             // whose prices they are: the region asked for, or the file's origin when any of its prices stands in
	Date         string         `json:"date"`               // the oldest day among the prices used; empty when there are none
}

// EstimateLine is one position of an estimate with where its amount comes from. Planned is the amount: Quantity times UnitPrice; Now is zero.
type EstimateLine struct {
	CostLine
	Name      string          `json:"name"`      // what Compare matches by: "NAT gateways", whatever their number
	Size      string          `json:"size"`      // how many: "2", "1.5 vCPU", "5 GB"
	Resources []string        `json:"resources"` // logical ids it came from
	Key       string          `json:"key"`       // of the price
	Unit      string          `json:"unit"`      // of Quantity, for people: gateway hours; empty for what is paid by the month
	Quantity  decimal.Decimal `json:"quantity"`
	UnitPrice decimal.Decimal `json:"unit_price"`
	Usage     string          `json:"usage,omitempty"` // key of the assumption it rests on; empty: fixed
	Source    string          `json:"source"`          // who said the price
	Day       string          `json:"day"`             // and when
}

// CostLines are the positions as a plan keeps and hashes them.
func (e Estimate) CostLines() []CostLine {
	out := make([]CostLine, len(e.Lines))
	for i, l := range e.Lines {
		out[i] = l.CostLine
	}
	return out
}

// Fixed are the positions that are paid whether or not anything is used, and their sum.
func (e Estimate) Fixed() ([]EstimateLine, decimal.Decimal) {
	return e.some(func(l EstimateLine) bool { return l.Usage == "" })
}

// ByUse are the positions that rest on an assumption, and their sum.
func (e Estimate) ByUse() ([]EstimateLine, decimal.Decimal) {
	return e.some(func(l EstimateLine) bool { return l.Usage != "" })
}

func (e Estimate) some(belongs func(EstimateLine) bool) (lines []EstimateLine, sum decimal.Decimal) {
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

// Total is the sum of all positions; nothing costs nothing.
func (e *Estimate) Total() decimal.Decimal {
	if e == nil {
		return decimal.Zero
	}
	return e.Monthly()
}
