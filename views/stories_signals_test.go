package views

import (
	"math"
	"time"

	"slipway/models"
	"slipway/views/chart"
	"slipway/views/ui"
	"slipway/views/urls"
)

func healthRowsTold() []HealthRow {
	row := func(name string, stage models.Stage, c models.Condition, reason string, since, read time.Duration) HealthRow {
		return HealthRow{Tenant: "payments", Name: name, Stage: stage, Region: "eu-west-1", State: Condition(c), Reason: reason, Since: ago(since), Read: ago(read)}
	}
	rows := []HealthRow{
		row("orders-prod", models.Production, models.Failing, "0 of 4 tasks run, and the deployment cannot start its tasks: 12 have failed, and 2 more", 12*time.Minute, 2*time.Minute),
		row("orders-staging", models.Staging, models.Degraded, "5 of 100 requests to orders-staging take longer than 1 seconds", 72*time.Minute, 2*time.Minute),
		row("reports", models.Dev, models.Degraded, "The certificate expires in 20 days and was not renewed", 10*24*time.Hour, 2*time.Minute),
		row("ledger-prod", models.Production, models.Unread, "Slipway cannot read its alarms: cloudwatch:DescribeAlarms is missing", 3*time.Hour, 42*time.Minute),
		row("shop-new", models.Dev, models.NoData, "No round has looked at it yet", 0, 0),
		row("orders-dev", models.Dev, models.Healthy, "2 of 2 tasks run, 2 of 2 targets are healthy, all 6 alarms are quiet", 9*24*time.Hour, 2*time.Minute),
		row("night", models.Dev, models.Healthy, "No task should run, no target is needed", 30*time.Hour, 2*time.Minute),
	}
	rows[1].Later = "The last round found it healthy; the next one has to confirm that."
	rows[1].Notes = []ui.State{{Label: "3 drifted", Tone: ui.Warn}, {Label: "Ends in 6 d", Tone: ui.Warn, Icon: ui.IconClock}}
	rows[3].Late = true
	rows[4].Since, rows[4].Read = ui.When{}, ui.When{}
	rows[6].Notes = []ui.State{{Label: "Hibernates", Tone: ui.Idle, Icon: ui.IconSnowflake}}
	return rows
}

func healthParts() []HealthPart {
	out := func(word string) ui.Out {
		return ui.Out{Word: word, URL: "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:"}
	}
	return []HealthPart{
		{Kind: "Tasks", State: Condition(models.Failing), Text: "0 of 4 tasks run, and the deployment cannot start its tasks: 12 have failed", Since: ago(12 * time.Minute), Console: out("Service")},
		{Kind: "Targets", State: Condition(models.Failing), Text: "0 of 4 targets are healthy", Since: ago(11 * time.Minute), Console: out("Targets")},
		{Kind: "Alarm", State: Condition(models.Degraded), Text: "MissingTasks: Fewer tasks of orders-prod run than should", Since: ago(9 * time.Minute), Console: out("Alarm")},
		{Kind: "Certificate", State: Condition(models.Unread), Text: "Slipway cannot read its certificate: acm:DescribeCertificate is missing", Permission: "acm:DescribeCertificate",
			Gap: "ACM DescribeCertificate in account 209355718840: User is not authorized to perform: acm:DescribeCertificate. Allow acm:DescribeCertificate to slipway-read (see deploy/aws)."},
		{Kind: "Stack", State: Condition(models.Healthy), Text: "The stack is as it should be", Console: out("Stack")},
	}
}

func environmentHealthTold() *EnvironmentHealth {
	return &EnvironmentHealth{Row: healthRowsTold()[0], Parts: healthParts(), Account: urls.Account("payments", "prod"), SignalURL: urls.Signals("payments", "orders-prod", "3h"),
		Changes: []HealthChange{{At: ago(12 * time.Minute), State: Condition(models.Failing), Reason: "0 of 4 tasks run"}, {At: ago(9 * 24 * time.Hour), State: Condition(models.Healthy), Reason: "4 of 4 tasks run"}},
		Alarms:  []AlarmChange{{At: ago(9 * time.Minute), Alarm: "MissingTasks", State: AlarmState("ALARM"), Reason: "Threshold Crossed: 3 out of the last 3 datapoints were greater than the threshold (0.0)."}},
		Links:   []ui.Out{{Word: "Dashboard in CloudWatch", URL: "https://eu-west-1.console.aws.amazon.com/cloudwatch/home"}, {Word: "Traces in X-Ray", URL: "https://eu-west-1.console.aws.amazon.com/cloudwatch/home#xray:traces/query"}}}
}

// wave is a series with the shape of a day, a gap and a deployment after which it is worse.
func wave(from time.Time, height float64, broken bool) []chart.Point {
	var points []chart.Point
	for i := range 180 {
		at := from.Add(time.Duration(i) * time.Minute)
		if i > 70 && i < 82 {
			points = append(points, chart.Gap(at))
			continue
		}
		v := height * (1 + 0.3*math.Sin(float64(i)/25) + 0.08*math.Sin(float64(i)*1.7))
		if broken && i > 150 {
			v *= 2.5
		}
		points = append(points, chart.Known(at, math.Round(v*100)/100, ""))
	}
	return points
}

func signalsTold() Signals {
	from := now.Add(-3 * time.Hour)
	mark := []chart.Mark{{At: from.Add(150 * time.Minute), Title: "REQ-1848 Deploy to orders-prod, 08:44 UTC"}}
	unit := func(word string) func(float64) string {
		return func(v float64) string { return ui.Count(int(v)) + word }
	}
	draw := func(id, title, now string, word string, series ...chart.Series) SignalChart {
		return SignalChart{ID: id, Title: title, Now: now, Chart: chart.Chart{ID: id, Caption: title + " of payments / orders-prod", Label: title + " from 06:14 to 09:14 UTC, now " + now, From: from, To: from.Add(3 * time.Hour), Scale: chart.Clock,
			Unit: unit(word), Series: series, Marks: mark, Note: "Where the line has a gap, CloudWatch has no figure."}}
	}
	s := Signals{Tenant: "payments", Name: "orders-prod", Stage: models.Production, Read: ago(20 * time.Second), Charged: 8, Links: environmentHealthTold().Links,
		Deployed: []Deployed{{Title: "REQ-1848 Deploy to orders-prod", URL: urls.Run(id1), State: RequestState(models.Succeeded), At: ago(30 * time.Minute)}},
		Charts: []SignalChart{
			draw("sig-requests", "Requests", "412/min", "/min", chart.Series{Name: "requests a minute", Tone: chart.First, Stroke: chart.Filled, Points: wave(from, 400, false)}),
			draw("sig-errors", "Errors", "38/min", "/min", chart.Series{Name: "answers of 500 and above, a minute", Tone: chart.Bad, Points: wave(from, 12, true)}),
			draw("sig-latency", "Latency", "p50 84 ms, p95 610 ms, p99 1.4 s", " ms", chart.Series{Name: "p50", Tone: chart.First, Points: wave(from, 80, true)}, chart.Series{Name: "p95", Tone: chart.Second, Points: wave(from, 240, true)},
				chart.Series{Name: "p99", Tone: chart.Third, Points: wave(from, 500, true)}),
			{ID: "sig-load", Title: "Saturation", None: "CloudWatch has no figure of it in this time. That is not zero: nothing has come to it, or it is too new."},
		}}
	for _, r := range models.SignalRanges() {
		s.Ranges = append(s.Ranges, RangeLink{Words: r.Words, URL: urls.Signals("payments", "orders-prod", r.Name), Current: r.Name == "3h"})
	}
	return s
}

func signalStories() []story {
	full := Health{Tally: HealthTally{Failing: 1, Degraded: 2, Unread: 1, NoData: 1, Healthy: 26, All: 31}, Rows: healthRowsTold(), CSV: "/health?format=csv", MayAsk: true, Pager: ui.Pager{Label: "7 of 31 environments", Next: "/health?after=x"},
		Sorts: ui.Sorts{"worst": {URL: "/health?sort=worst", Dir: "descending"}, "name": {URL: "/health?sort=name"}, "stage": {URL: "/health?sort=stage"}}, Filters: ui.Filters{URL: urls.Health, Label: "Filter environments"}}
	well, stale, wide, none := full, full, full, full
	well.Tally, well.Rows = HealthTally{Healthy: 2, All: 2}, healthRowsTold()[5:]
	stale.Tally.Late, stale.Tally.Oldest = 4, ago(42*time.Minute)
	wide.Tally = HealthTally{Failing: 1234, All: 5000, Late: 1}
	wide.Rows = []HealthRow{{Tenant: "a-twenty-letter-slug", Name: "a-twenty-letter-name", Stage: models.Production, Region: "ap-southeast-2", State: Condition(models.Failing), Reason: long + " " + hostile, Later: long, Since: ago(400 * 24 * time.Hour), Late: true}}
	wide.Tenant = long
	none.Rows, none.Tally, none.Filters.Set = nil, HealthTally{}, true
	wall := Wall{Tally: stale.Tally, Rows: healthRowsTold()[:4], More: 3, At: ui.At(now), Link: urls.HealthWall}
	sick, env := environment(), environment()
	sick.Health = environmentHealthTold()
	env.Health = &EnvironmentHealth{Row: healthRowsTold()[4]}
	home := Home{Now: ui.At(now), Tenants: 1, CSRF: "token", Health: HealthPanel{Tally: full.Tally, Rows: healthRowsTold()[:3]}}
	home.Mine = requestRows()[3:4]
	tenant := readyTenant()
	tenant.Health = &HealthPanel{Tenant: "payments", Tally: full.Tally, Rows: healthRowsTold()[:4]}
	calm := readyTenant()
	calm.Health = &HealthPanel{Tenant: "payments", Tally: well.Tally}
	gap, odd := signalsTold(), signalsTold()
	gap.Charts, gap.Charged, gap.Gap = nil, 0, &SignalGap{Title: "Slipway cannot read the signals of this environment", Permission: "cloudwatch:GetMetricData", Account: urls.Account("payments", "prod"),
		Text: "CloudWatch GetMetricData in account 209355718840: User is not authorized to perform: cloudwatch:GetMetricData. Allow cloudwatch:GetMetricData to slipway-read (see deploy/aws)."}
	odd.Charts, odd.Charged = []SignalChart{{ID: "sig-requests", Title: "Requests", None: "It has no load balancer that would count requests."}}, 0
	return []story{
		{"health", HealthPage(admin(), full)}, {"health-well", HealthPage(developer(), well)}, {"health-stale", HealthPage(admin(), stale)}, {"health-long", HealthPage(admin(), wide)},
		{"health-none", HealthPage(admin(), none)}, {"health-empty", HealthPage(developer(), Health{MayAsk: true})}, {"health-empty-viewer", HealthPage(developer(), Health{})}, {"fragment-health", HealthContent(full)},
		{"health-wall", WallPage(wall)}, {"health-wall-well", WallPage(Wall{Tally: well.Tally, At: ui.At(now), Link: urls.HealthWall})}, {"fragment-wall", WallContent(wall)},
		{"environment-failing", EnvironmentPage(admin(), sick)}, {"environment-no-health", EnvironmentPage(admin(), env)}, {"home-failing", HomePage(admin(), home)},
		{"tenant-failing", TenantPage(admin(), tenant)}, {"tenant-well", TenantPage(admin(), calm)},
		{"signals", SignalsPage(admin(), signalsTold())}, {"signals-denied", SignalsPage(admin(), gap)}, {"signals-missing", SignalsPage(admin(), odd)}, {"fragment-signals", SignalsContent(signalsTold())},
	}
}
