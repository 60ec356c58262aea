package price

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/models/blueprint"
)

// Global is the region of prices that are the same wherever a service is used from.
const Global = "global"

// EstimateTemplate walks a resolved template by resource type and prices what it would make in a region: what is fixed, and what is
// paid by use at the assumption u. Unlike Estimate it borrows no price of another region: what the file has no price for there is named
// as not estimated, and so is what is known only later and every type that it does not know.
func (l *List) EstimateTemplate(part, region string, r *blueprint.Resolved, u Usage) Estimate {
	w := &walk{list: l, part: part, region: region, r: r, u: u, got: map[string]*counted{}, uses: map[string]bool{}}
	for _, res := range r.Resources {
		estimate, known := types[res.Type]
		switch {
		case !known:
			w.unknown(res)
		case estimate != nil:
			estimate(w, res)
		}
	}
	w.runJobs()
	return w.estimate()
}

// walk is one EstimateTemplate under way.
type walk struct {
	list         *List
	part, region string
	r            *blueprint.Resolved
	u            Usage
	got          map[string]*counted // by thing
	uses         map[string]bool     // usage keys
	left         []string            // what is not estimated, in words
	notes        []string
	others       []otherType
	jobs         []job
}

// counted is how many of a thing a template has, and which resources made them so many.
type counted struct {
	n         decimal.Decimal // things, or units of what is used
	size      string          // what people are told, where that is not n
	resources []string
}

type otherType struct {
	name      string
	resources []string
}

// at is the account of a thing; one that the table lacks is not estimated, and said so.
func (w *walk) at(key, usage string, from ...string) *counted {
	t, ok := thingOf(key, usage)
	if !ok {
		w.leave(fmt.Sprintf("%s: nothing is known of what it is paid for", key))
		return &counted{}
	}
	c := w.got[t.id()]
	if c == nil {
		c = &counted{}
		w.got[t.id()] = c
	}
	for _, id := range from {
		if !slices.Contains(c.resources, id) {
			c.resources = append(c.resources, id)
		}
	}
	return c
}

// count adds n things that are there the whole month.
func (w *walk) count(key string, n decimal.Decimal, from ...string) {
	if n.IsZero() {
		return
	}
	c := w.at(key, "", from...)
	c.n = c.n.Add(n)
}

// use says that a resource takes part in what is paid by use. The assumption is for the whole template, however many do.
func (w *walk) use(key, usage, from string) {
	w.uses[usage] = true
	n, assumed := w.u[usage]
	if !assumed {
		t, _ := thingOf(key, usage)
		w.leave(t.many + ": no amount is assumed")
		return
	}
	w.at(key, usage, from).n = n
}

// leave names once what is not estimated.
func (w *walk) leave(what string) {
	if !slices.Contains(w.left, what) {
		w.left = append(w.left, what)
	}
}

func (w *walk) note(what string) {
	if !slices.Contains(w.notes, what) {
		w.notes = append(w.notes, what)
	}
}

func (w *walk) unknown(res blueprint.ResolvedResource) {
	i := slices.IndexFunc(w.others, func(o otherType) bool { return o.name == res.Type })
	if i < 0 {
		w.others, i = append(w.others, otherType{name: res.Type}), len(w.others)
	}
	w.others[i].resources = append(w.others[i].resources, res.ID)
}

// row is the price of a thing in the walk's region, or the one that is the same everywhere.
func (l *List) row(key, region string) (Row, bool) {
	for _, at := range []string{region, Global} {
		if r, ok := l.byRegion[[2]string{key, at}]; ok {
			return r, true
		}
	}
	return Row{}, false
}

// estimate turns what was counted into lines.
func (w *walk) estimate() Estimate {
	e := Estimate{Region: w.region, Notes: w.notes}
	for _, k := range usageKeys {
		if w.uses[k.Key] {
			e.Uses = append(e.Uses, k.Key)
		}
	}
	var elsewhere []string
	for _, t := range things {
		c := w.got[t.id()]
		if c == nil {
			continue
		}
		size := c.size
		if size == "" {
			size = t.sized(c.n)
		}
		row, ok := w.list.row(t.key, w.region)
		_, atOrigin := w.list.row(t.key, w.list.Origin)
		switch {
		case !ok && atOrigin:
			e.Unpriced = e.Unpriced || !c.n.IsZero()
			elsewhere = append(elsewhere, t.item(size))
		case !ok:
			e.Unpriced = e.Unpriced || !c.n.IsZero()
			w.leave(fmt.Sprintf("%s: the price file has no price %s", t.item(size), t.key))
		case row.Unit != t.unit:
			e.Unpriced = e.Unpriced || !c.n.IsZero()
			w.leave(fmt.Sprintf("%s: the price file has %s for one %s, not for one %s", t.item(size), t.key, row.Unit, t.unit))
		default:
			quantity := t.quantity(c.n)
			e.Lines = append(e.Lines, Line{
				CostLine: models.CostLine{Item: t.item(size), Part: w.part, Planned: quantity.Mul(row.Price)}, Name: t.many, Size: size, Resources: c.resources,
				Key: t.key, Unit: t.units, Quantity: quantity, UnitPrice: row.Price, Usage: t.usage, Source: row.Source, Day: row.Date,
			})
			if e.Date == "" || row.Date < e.Date {
				e.Date = row.Date
			}
		}
	}
	if len(elsewhere) > 0 {
		e.NotEstimated = append(e.NotEstimated, fmt.Sprintf("Without a price for %s in the price file: %s", w.region, strings.Join(elsewhere, "; ")))
	}
	e.NotEstimated = append(e.NotEstimated, w.left...)
	for _, o := range w.others {
		e.NotEstimated = append(e.NotEstimated, fmt.Sprintf("%s (%s): what this type costs is not known to Slipway", o.name, strings.Join(o.resources, ", ")))
	}
	return e
}
