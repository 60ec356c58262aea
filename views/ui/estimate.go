package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models/price"
)

// Estimate is what something costs per month, for the order form, the plan and the page of what was made.
type Estimate struct {
	ID      string // unique on the page: a live form swaps it, and opened lines stay open by ids made from it
	Total   string // $148.50; empty when nothing has a price in the region
	AtLeast bool   // prices are missing: the sum is too low by what they cost
	Delta   string // optional: the difference to now
	Dir     int    // of Delta: 1 dearer, -1 cheaper
	Region  string
	Dated   string // 1 Jul 2024, or 1 Jul 2024 to 23 Nov 2026
	Groups  []EstimateGroup
	Notes   []string // what is there and costs nothing now
	Left    []string // what is not estimated
}

// EstimateGroup is what is fixed, or what is paid by use.
type EstimateGroup struct {
	ID    string
	Title string
	Text  string // optional, under the title
	Sum   string
	Open  bool
	Lines []EstimateLine
}

// EstimateLine is one position. Sum and From are shown on demand.
type EstimateLine struct {
	ID     string
	Item   string
	Amount string
	Sum    string // how the amount is made: 1,460 gateway hours at $0.045
	From   string // the resources it came from
	Price  string // who said the price, and when
}

// EstimateOptions are what a page knows beside the estimate.
type EstimateOptions struct {
	ID      string
	Assumed string           // whose assumption it is: "Size S", "Your own"
	Folded  bool             // a narrow panel shows the groups' sums only
	Was     *decimal.Decimal // what it costs now, where it exists
}

// EstimateFrom puts an estimate into words.
func EstimateFrom(e price.Estimate, o EstimateOptions) Estimate {
	out := Estimate{ID: o.ID, AtLeast: e.Unpriced, Region: e.Region, Dated: dated(e.Lines), Notes: e.Notes, Left: e.NotEstimated}
	total := e.Monthly()
	if len(e.Lines) > 0 || !e.Unpriced {
		out.Total = USD(total)
		if o.Was != nil {
			d := total.Sub(*o.Was)
			out.Delta, out.Dir = Delta(d), d.Round(2).Sign()
		}
	}
	fixed, fixedSum := e.Fixed()
	use, useSum := e.ByUse()
	text := "At the amounts that each line names."
	if o.Assumed != "" {
		text = o.Assumed + ", at the amounts that each line names."
	}
	for _, g := range []struct {
		id, title, text string
		lines           []price.Line
		sum             decimal.Decimal
	}{{"fixed", "Fixed", "", fixed, fixedSum}, {"use", "By use", text, use, useSum}} {
		if len(g.lines) == 0 {
			continue
		}
		group := EstimateGroup{ID: o.ID + "-" + g.id, Title: g.title, Text: g.text, Sum: USD(g.sum), Open: !o.Folded}
		for _, l := range g.lines {
			group.Lines = append(group.Lines, estimateLine(group.ID, l))
		}
		out.Groups = append(out.Groups, group)
	}
	return out
}

func estimateLine(group string, l price.Line) EstimateLine {
	sum := fmt.Sprintf("%s at %s a month", quantity(l.Quantity), unitPrice(l.UnitPrice))
	if l.Unit != "" {
		sum = fmt.Sprintf("%s %s at %s", quantity(l.Quantity), l.Unit, unitPrice(l.UnitPrice))
	}
	return EstimateLine{ID: group + "-" + strings.ReplaceAll(l.Key, ".", "-") + "-" + strings.ReplaceAll(l.Usage, "_", "-"), Item: l.Item, Amount: USD(l.Planned), Sum: sum,
		From: strings.Join(l.Resources, ", "), Price: l.Source + ", " + day(l.Day)}
}

// quantity groups thousands and keeps every decimal.
func quantity(d decimal.Decimal) string { return group(d.String()) }

// unitPrice keeps every decimal, and at least the cents: $0.000111, $3.00.
func unitPrice(d decimal.Decimal) string {
	if d.Equal(d.Round(2)) {
		return USD(d)
	}
	return "$" + d.String()
}

func day(date string) string {
	d, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return d.Format("2 Jan 2006")
}

// dated is the day of the prices, or from when to when they are.
func dated(lines []price.Line) string {
	var days []string
	for _, l := range lines {
		days = append(days, l.Day)
	}
	if len(days) == 0 {
		return ""
	}
	oldest, newest := slices.Min(days), slices.Max(days)
	if oldest == newest {
		return day(oldest)
	}
	return day(oldest) + " to " + day(newest)
}

// UsageFields asks for the amounts that an estimate rests on: keys are Estimate.Uses, typed and problems as price.ParseUsage takes and
// gives them. Names are prefix and key.
func UsageFields(prefix string, keys []string, typed, problems map[string]string) []Field {
	var out []Field
	for _, k := range price.UsageKeys() {
		if slices.Contains(keys, k.Key) {
			out = append(out, Field{ID: prefix + strings.ReplaceAll(k.Key, "_", "-"), Name: prefix + k.Key, Label: k.Title + ", " + k.Unit, Hint: k.Help, Value: typed[k.Key],
				Error: problems[k.Key], Mode: "decimal", Max: 19, Optional: true})
		}
	}
	return out
}

// UsageNames are the names of all fields that UsageFields can ask.
func UsageNames(prefix string) []string {
	names := price.UsageNames()
	for i, key := range names {
		names[i] = prefix + key
	}
	return names
}

func (e Estimate) dir() string {
	switch {
	case e.Dir > 0:
		return "s-up"
	case e.Dir < 0:
		return "s-down"
	}
	return "s-muted"
}
