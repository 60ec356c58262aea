package price

import (
	"slices"

	"slipway/models"
)

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
