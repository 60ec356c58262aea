package handlers

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/views/chart"
	"slipway/views/ui"
)

// axisUSD writes an amount short enough for an axis.
func axisUSD(v float64) string {
	d := decimal.NewFromFloat(v)
	switch {
	case d.IsZero():
		return "0"
	case d.Abs().GreaterThanOrEqual(decimal.NewFromInt(10_000)):
		return ui.Dollars(d.Div(decimal.NewFromInt(1000)).Round(1)) + "k"
	case d.Abs().LessThan(decimal.NewFromInt(1)):
		return "$" + d.Round(4).String()
	}
	return ui.Dollars(d.Round(2))
}

func point(at time.Time, d decimal.Decimal) chart.Point {
	return chart.Known(at, d.InexactFloat64(), ui.USD(d))
}

// monthChart draws the month, added up day by day, against the month before, and where it leads.
func (v costView) monthChart() *chart.Chart {
	month := v.page.Query.Month
	if v.page.LastDay().IsZero() {
		return nil
	}
	end := month.AddDate(0, 1, -1)
	c := &chart.Chart{ID: "month-chart", Caption: v.month() + ", added up day by day", From: month, To: end, Scale: chart.Days, Tall: true, Unit: axisUSD}
	actual := chart.Series{Name: basisWords[v.basis] + " usage", Tone: chart.First, Stroke: chart.Filled, Points: v.addUp(month)}
	c.Series = []chart.Series{actual, v.earlier(month)}
	m := v.page.Of(month)
	last := v.page.LastDay()
	sum := m.Amounts.On(v.basis).Usage
	c.Label = fmt.Sprintf("%s of %s, added up: %s by %s.", actual.Name, v.month(), ui.USD(sum), last.Format("2 January"))
	if lead := m.Straight(v.basis); lead != nil && !m.Complete() && last.Before(end) {
		c.Series = append(c.Series, chart.Series{Name: "at this pace", Tone: chart.First, Stroke: chart.Dashed, Points: []chart.Point{
			{At: last, Value: value64(sum), Text: ui.USD(sum)}, {At: end, Value: value64(*lead), Text: ui.USD(*lead)}}})
		c.Label += " At this pace " + ui.USD(*lead) + " by month's end."
	}
	v.against(c)
	return c
}

func value64(d decimal.Decimal) *float64 {
	f := d.InexactFloat64()
	return &f
}

// addUp sums the days of a month up. A day that was not read is a gap; the sum goes on after it, and the page says how many days it lacks.
func (v costView) addUp(month time.Time) (points []chart.Point) {
	sum := decimal.Zero
	for _, d := range v.page.MonthDays(month) {
		if !d.Read {
			points = append(points, chart.Gap(d.Day))
			continue
		}
		sum = sum.Add(d.Amounts.On(v.basis).Usage)
		points = append(points, point(d.Day, sum))
	}
	return points
}

// earlier is the month before, laid over this one's days.
func (v costView) earlier(month time.Time) chart.Series {
	before := month.AddDate(0, -1, 0)
	s := chart.Series{Name: before.Format("January"), Tone: chart.Quiet, Stroke: chart.Line}
	for i, p := range v.addUp(before) {
		if p.At = month.AddDate(0, 0, i); p.At.Before(month.AddDate(0, 1, 0)) {
			s.Points = append(s.Points, p)
		}
	}
	return s
}

// against draws the budget and the line along which it would be spent evenly.
func (v costView) against(c *chart.Chart) {
	budget, _, _, _ := v.sums()
	if v.page.Query.Narrow() || !budget.IsPositive() {
		return
	}
	c.Levels = []chart.Level{{Name: "budget", Tone: chart.Bad, Value: budget.InexactFloat64(), Text: ui.Dollars(budget)}}
	pace := chart.Series{Name: "even pace", Tone: chart.Quiet, Stroke: chart.Dotted}
	for day := c.From; !day.After(c.To); day = day.AddDate(0, 0, 1) {
		pace.Points = append(pace.Points, point(day, models.Pace(budget, day)))
	}
	c.Series = append(c.Series, pace)
	last := v.page.LastDay()
	spent := v.page.Of(v.page.Query.Month).Amounts.On(v.basis).Usage
	gap := spent.Sub(models.Pace(budget, last))
	side := " below the even pace of the budget."
	if gap.IsPositive() {
		side = " above the even pace of the budget."
	}
	c.Label += " " + ui.USD(gap.Abs()) + side
}

// year draws the last thirteen months.
func (v costView) year(months []models.CostMonth) *chart.Chart {
	s := chart.Series{Name: basisWords[v.basis] + " usage", Tone: chart.First, Stroke: chart.Columns}
	for _, m := range months {
		p := chart.Gap(m.Month)
		if m.Read > 0 {
			p = point(m.Month, m.Amounts.On(v.basis).Usage)
			p.Planned = !m.Complete()
		}
		s.Points = append(s.Points, p)
	}
	last := months[len(months)-1]
	return &chart.Chart{ID: "year-chart", Caption: "Usage by month", From: months[0].Month, To: last.Month, Scale: chart.Months, Unit: axisUSD, Series: []chart.Series{s},
		Label: fmt.Sprintf("%s of the last %d months, to %s in %s.", s.Name, len(months), ui.USD(last.Amounts.On(v.basis).Usage), last.Month.Format("January 2006"))}
}
