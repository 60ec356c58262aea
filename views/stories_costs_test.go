package views

import (
	"strconv"
	"time"

	"slipway/views/chart"
	"slipway/views/ui"
)

func costStories() []story {
	in := func(name string, d Costs) story { return story{name, CostsPage(admin(), d)} }
	full := costsOf("")
	tenant := costsOf("payments")
	tenant.Budget = &CostBudget{State: ui.State{Label: "Expected to pass", Tone: ui.Warn}, Bar: costBar(71, 92, 88, "warn"), Facts: []ui.Pair{{Label: "Budget", Value: "$2,500 a month"}, {Label: "Spent", Value: "$1,912.40 (76 %)"}, {Label: "AWS expects", Value: "$2,610.00 (104 %)"}},
		Words: "By AWS Budgets: billed, with credits, refunds and tax. Owners are told at 80 and 100 %.", Differs: "AWS holds $2,000, Slipway $2,500", FixURL: "/tenants/payments/change", ReadNote: "Read 23 Nov, 06:00 UTC."}
	tenant.Actuals = []CostActual{{Tenant: "payments", Name: "api-prod", Blueprint: "ecs-web-service 1.2.0", Estimate: "$118.24", Actual: "$121.90", Miss: "+3.1 %", Note: "30 days since 24 Oct"},
		{Tenant: "payments", Name: "sandbox", Blueprint: "static-site 1.0.0", Estimate: "not estimated", Actual: "too early to say", Miss: "not known", Note: "1 day of 3"}}
	capped := costsOf("")
	capped.Calls = []ui.Callout{{ID: "costs-state", Tone: ui.Warn, Title: "The daily cap on asking for costs is reached", Text: "The figures are of 22 November, 06:00 UTC. Reading goes on tomorrow, UTC."}}
	capped.Meter.State = ui.State{Label: "Capped since 06:02 UTC", Tone: ui.Warn}
	denied := costsOf("")
	denied.Calls = []ui.Callout{{ID: "costs-state", Tone: ui.Fail, Title: "Slipway may not read costs", Text: "The figures are of 20 November, 06:00 UTC.", Next: "The platform team has to grant it to slipway-org (deploy/aws/org.yaml).",
		Facts: []ui.Pair{{Label: "Missing permission", Value: "ce:GetCostAndUsage"}}}}
	stale := costsOf("payments")
	stale.Calls = []ui.Callout{{ID: "costs-state", Tone: ui.Warn, Title: "The costs are older than they should be", Text: "The figures are of 19 November, 06:00 UTC. No round has ended since."}}
	stale.Month, stale.Table = nil, CostTable{}
	wide := costsOf("")
	wide.Title = long
	wide.Table.Rows = []CostShare{{Name: long, Sub: hostile, Tag: long, Amount: "$1,234,567.89", Share: "100.0 %", Change: "+$1,234,567.89 (+1,234.5 %)", Tone: ui.Warn, Apart: "−$123,456.78", Bar: costBar(100, 0, 60, "fail"), Budget: "$1,234,567.89 of $1,000,000, $2,345,678.90 expected"}}
	wide.Narrowed = []CostChip{{Label: "Only the service", Value: hostile + long, URL: "/costs"}}
	empty := Costs{Title: "The organization: no data for November 2026", Empty: &ui.Empty{Title: "No costs yet", Text: "Slipway asks AWS Cost Explorer once a day, and thirteen months back the first time.", URL: "/admin/collectors", Word: "Look at the collectors", Icon: ui.IconRefreshCw}}
	member := costsOf("")
	member.Title, member.Meter, member.Cells = "Your tenants have cost $612.00 so far in November", nil, member.Cells[:3]
	return []story{in("costs", full), in("costs-tenant", tenant), in("costs-capped", capped), in("costs-denied", denied), in("costs-stale", stale), in("costs-long", wide), in("costs-empty", empty),
		{"costs-member", CostsPage(developer(), member)},
		{"fragment-environment-cost", environmentCost(EnvironmentCost{Title: "Cost in November", Note: "effective, data to 22 Nov", Cells: []CostFigure{{Label: "So far", Value: "$84.20", Note: "22 days"}, {Label: "Estimate per month", Value: "$118.24"},
			{Label: "Actual per month", Value: "$121.90", Note: "+3.1 % against the estimate, 30 days since 24 Oct"}}, Chart: costMonthChart("cost-chart"), More: "/tenants/payments/costs"})},
		{"fragment-environment-cost-none", environmentCost(EnvironmentCost{Title: "Cost in November", Note: "effective", Empty: "No data: no day of November was read yet. Costs are read once a day, up to the day before."})},
	}
}

func costBar(spent, to, mark float64, tone string) *ui.Bar {
	b := &ui.Bar{Label: "payments: spent and expected against the budget", Segs: []ui.Seg{{Width: spent, Tone: tone}}, Mark: mark}
	if to > spent {
		b.Segs = append(b.Segs, ui.Seg{From: spent, Width: to - spent, Tone: tone, Planned: true})
	}
	return b
}

func costUSD(v float64) string { return "$" + strconv.FormatFloat(v, 'f', 2, 64) }

func costMonthChart(id string) *chart.Chart {
	first := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	s := chart.Series{Name: "effective usage", Tone: chart.First, Stroke: chart.Filled}
	for i := range 22 {
		p := chart.Known(first.AddDate(0, 0, i), float64(i+1)*27.5, costUSD(float64(i+1)*27.5))
		if i == 9 {
			p = chart.Gap(p.At)
		}
		s.Points = append(s.Points, p)
	}
	return &chart.Chart{ID: id, Caption: "November 2026, added up day by day", Label: "Effective usage of November 2026: $605.00 by 22 November.", From: first, To: first.AddDate(0, 1, -1), Scale: chart.Days, Tall: true, Unit: costUSD,
		Series: []chart.Series{s, {Name: "at this pace", Tone: chart.First, Stroke: chart.Dashed, Points: []chart.Point{chart.Known(first.AddDate(0, 0, 21), 605, "$605.00"), chart.Known(first.AddDate(0, 1, -1), 825, "$825.00")}}},
		Levels: []chart.Level{{Name: "budget", Tone: chart.Bad, Value: 900, Text: "$900"}}}
}

func costsOf(tenant string) Costs {
	year := chart.Series{Name: "effective usage", Tone: chart.First, Stroke: chart.Columns}
	for i := range 13 {
		p := chart.Known(time.Date(2025, time.Month(11+i), 1, 0, 0, 0, 0, time.UTC), 500+float64(i)*20, costUSD(500+float64(i)*20))
		p.Planned = i == 12
		year.Points = append(year.Points, p)
	}
	d := Costs{Tenant: tenant, Title: "The organization has cost $612.00 so far in November", MonthOf: "November 2026", Basis: "effective usage", CSV: "/costs?format=csv", Measured: "effective, per month of 730 h, over up to 30 days to 22 Nov",
		Facts:   []ui.Fact{{Label: "Data to", Value: "22 Nov"}, {Label: "Read", When: ago(3 * time.Hour)}, {Text: "month not final: AWS may still change it"}, {Text: "from AWS Cost Explorer"}},
		Filters: ui.Filters{URL: "/costs", Label: "Month and basis", Fields: []ui.Filter{{Name: "month", Label: "Month", Kind: "select", Value: "2026-11", Options: []ui.Option{{Value: "2026-11", Label: "November 2026"}}}}},
		Tabs:    []CostTab{{"Tenants", "/costs?by=tenant", true}, {"AWS services", "/costs?by=service", false}, {"Environments", "/costs?by=environment", false}, {"Accounts", "/costs?by=account", false}},
		Cells: []CostFigure{{Label: "Effective usage", Value: "$612.00", Note: "22 days"}, {Label: "At this pace, by month's end", Value: "$834.55", Note: "AWS expects $840.10 of $6,500"},
			{Label: "Same days of October", Value: "+$40.91", Side: "+7.2 %", Note: "then $571.08"}, {Label: "Unallocated", Value: "$101.00", Side: "16.5 %", Note: "in accounts of no tenant", URL: "/costs?only=unallocated"},
			{Label: "Credits, refunds and tax", Value: "$88.32", Note: "−$20.83 credits, $0.00 refunds, $109.15 tax"}},
		Month: costMonthChart("month-chart"), Year: &chart.Chart{ID: "year-chart", Caption: "Usage by month", Label: "Usage of the last 13 months.", From: year.Points[0].At, To: year.Points[12].At, Scale: chart.Months, Unit: costUSD, Series: []chart.Series{year}},
		Table: CostTable{Caption: "November 2026 by tenant", First: "Tenant", Budgets: tenant == "", Apart: true, Before: "change against the same days of October", More: "1,200 more are in the sum and in the CSV file.",
			Rows: []CostShare{{Name: "payments", Sub: "Payments", URL: "/tenants/payments/costs", Amount: "$511.00", Share: "83.5 %", Change: "+$120.00 (+30.7 %)", Tone: ui.Warn, Apart: "$88.32", Bar: costBar(76, 92, 88, "warn"), Budget: "$1,912.40 of $2,500, $2,610.00 expected"},
				{Name: "Unallocated", Sub: "in accounts that no tenant had on the day", URL: "/costs?only=unallocated", Amount: "$101.00", Share: "16.5 %", Change: "no data", Apart: "$0.00"}},
			Sum: CostShare{Name: "All", Amount: "$612.00", Share: "100.0 %", Change: "+$40.91 (+7.2 %)", Apart: "$88.32"}},
		Errors: []CostError{{Blueprint: "ecs-web-service", Measured: "12 measured, 3 not yet", Estimate: "$1,418.00", Actual: "$1,760.00", Miss: "+24.1 %", Tone: ui.Warn, Range: "−3.0 to +61.2 %"},
			{Blueprint: "static-site", Measured: "0 measured, 1 not yet", Estimate: "no data", Actual: "no data", Miss: "not known"}},
		Meter: &CostMeter{Calls: "3 pages of answers", Spent: "$0.03", Cap: "$2.00", Bar: ui.Bar{Label: "$0.03 of $2.00", Segs: []ui.Seg{{Width: 1.5, Tone: "1"}}}, State: ui.State{Label: "Below the cap", Tone: ui.OK},
			Again: &ui.Post{URL: "/costs/again", Label: "Read thirteen months again", Icon: ui.IconRefreshCw, Kind: ui.Quiet, Small: true, CSRF: "token"}}}
	if tenant != "" {
		d.Title, d.Meter, d.Errors = tenant+" has cost $612.00 so far in November", nil, nil
	}
	return d
}
