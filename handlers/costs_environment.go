package handlers

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/views"
	"slipway/views/chart"
	"slipway/views/ui"
	"slipway/views/urls"
)

// environmentCosts reads the panel of an environment's page.
type environmentCosts interface {
	EnvironmentCosts(ctx context.Context, a models.Actor, tenant, name string) (models.CostPage, error)
}

// environmentCostView turns what the store knows of an environment's costs into its panel.
func environmentCostView(p models.CostPage, tenant string, a models.Actor) views.EnvironmentCost {
	v := costView{page: p, basis: models.Effective, actor: a, with: func(...string) string { return "" }}
	month := p.Query.Month
	d := views.EnvironmentCost{Title: "Cost in " + month.Format("January"), Note: "effective", Calls: v.callouts(), More: urls.With(urls.TenantCosts(tenant), "by", string(models.GroupEnvironment))}
	last := p.LastDay()
	if last.IsZero() {
		d.Empty = "No data: no day of " + month.Format("January") + " was read yet. Costs are read once a day, up to the day before."
		return d
	}
	d.Note = "effective, data to " + last.Format("2 Jan")
	m := p.Of(month)
	used := m.Amounts.Effective.Usage
	d.Cells = []views.CostFigure{{Label: "So far", Value: ui.USD(used), Note: ui.Plural(m.Read, "day", "days")}}
	if lead := m.Straight(models.Effective); lead != nil && !m.Complete() {
		d.Cells = append(d.Cells, views.CostFigure{Label: "At this pace", Value: ui.USD(*lead)})
	}
	d.Chart = v.monthChart()
	d.Chart.ID = "cost-chart"
	if len(p.Environments) == 1 {
		d.Cells = append(d.Cells, estimateCells(p.Environments[0])...)
		estimateLine(d.Chart, p.Environments[0], month)
	}
	return d
}

func estimateCells(e models.EnvironmentCost) []views.CostFigure {
	row := actualRow(e)
	cells := []views.CostFigure{{Label: "Estimate per month", Value: row.Estimate}, {Label: "Actual per month", Value: row.Actual, Note: row.Note}}
	if e.Error() != nil {
		cells[1].Note, cells[1].Tone = row.Miss+" against the estimate, "+row.Note, row.Tone
	}
	return cells
}

// estimateLine draws along what the estimate would come to, day by day.
func estimateLine(c *chart.Chart, e models.EnvironmentCost, month time.Time) {
	if e.Estimate == nil {
		return
	}
	s := chart.Series{Name: "estimate", Tone: chart.Quiet, Stroke: chart.Dotted}
	day := e.Estimate.Mul(decimal.NewFromInt(24)).DivRound(decimal.NewFromInt(730), 6)
	for i := range models.DaysIn(month) {
		s.Points = append(s.Points, point(month.AddDate(0, 0, i), day.Mul(decimal.NewFromInt(int64(i+1))).Round(2)))
	}
	c.Series = append(c.Series, s)
}
