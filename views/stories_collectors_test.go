package views

import (
	"time"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// collectorStories tell the page of the collectors.
func collectorStories() []story {
	filters := ui.Filters{URL: urls.Collectors, Label: "Filter targets", Fields: []ui.Filter{{Name: "q", Label: "Account or region", Kind: "search"}}}
	health := CollectorRow{Name: "health", Title: "Health of environments", Words: "Stacks, services, targets and alarms.", URL: "/admin/collectors?collector=health#targets", Every: "5 m 00 s", Read: ago(2 * time.Minute), Targets: 3, Fine: 3, Calls: "21", Throttles: "0"}
	costs := CollectorRow{Name: "costs", Title: "Costs by day", Words: "By account, service and environment.", URL: "/admin/collectors?collector=costs#targets", Every: "24 h 00 m", Read: ago(9 * time.Hour), Targets: 1, Fine: 1, Calls: "4", Throttles: "0", Metered: "4"}
	target := CollectTargetRow{ID: "t1", Collector: "health", Title: health.Title, Account: "payments-nonprod", AWSID: "600000000001", AccountURL: "/tenants/payments/accounts/nonprod", Region: "us-east-1",
		State: models.CollectOK, Read: ago(2 * time.Minute), Since: ago(40 * time.Hour), Due: ui.In(now, now.Add(3*time.Minute)), Took: "1.2 s", Calls: "7", Throttles: "0"}
	org := CollectTargetRow{ID: "t2", Collector: "costs", Title: costs.Title, State: models.CollectOK, Read: ago(9 * time.Hour), Since: ago(400 * time.Hour), Due: ui.In(now, now.Add(15*time.Hour)), Took: "3.4 s", Calls: "4", Throttles: "0"}
	well := Collectors{Rows: []CollectorRow{costs, health}, Targets: []CollectTargetRow{org, target}, All: 2, Filters: filters, Reload: urls.Collectors, RunURL: urls.RunCollector, CSRF: "token"}

	ill, denied, down, part := well, target, target, target
	health.Fine, health.Late, health.Throttles, health.Working = 0, true, "3", true
	health.Troubled = []ui.Pair{{Label: "Cannot read", Value: "1"}, {Label: "No answer", Value: "1"}, {Label: "Read in part", Value: "1"}}
	denied.State, denied.Read, denied.Gaps = models.CollectDenied, ui.When{}, []GapRow{{What: "health of environments", Kind: models.GapDenied, Permission: "ecs:DescribeServices", Words: "ECS DescribeServices in account 600000000001: not authorized. " + hostile}}
	down.ID, down.State, down.Late, down.Throttles, down.Gaps = "t3", models.CollectFailed, true, "3", []GapRow{{What: "health of environments", Kind: models.GapThrottled, Words: "AWS asks to slow down."}}
	part.ID, part.State, part.Working, part.By, part.Gaps = "t4", models.CollectPartial, true, "Mara Lindqvist", []GapRow{{What: "the alarms", Kind: models.GapUnavailable, Words: "No answer."}, {What: "the tasks", Kind: models.GapSkewed, Words: "The clock is off."}}
	late := org
	late.Late, late.Gaps = true, []GapRow{{What: "costs", Kind: models.GapCapped, Words: "2.00 USD are spent today."}}
	ill.Rows, ill.Targets, ill.All, ill.Working = []CollectorRow{costs, health}, []CollectTargetRow{denied, down, part, late}, 1204, true
	wide := well
	wide.Rows = []CollectorRow{{Name: long, Title: long, Words: long, URL: "/", Every: long, Targets: 5, Never: true, Metered: "1,000,000", Calls: "1,000,000", Throttles: "1,000,000", Troubled: []ui.Pair{{Label: long, Value: long}}}}
	wide.Targets = []CollectTargetRow{{ID: "x", Collector: long, Title: long, Account: long, AWSID: long, Region: long, State: models.CollectDenied, Took: long, Calls: long, Throttles: long, By: long, Gaps: []GapRow{{What: long, Kind: models.GapAbsent, Permission: long, Words: long}}}}
	none := Collectors{Rows: []CollectorRow{{Name: "health", Title: "Health of environments", Words: "Stacks, services, targets and alarms.", URL: "/", Every: "5 m 00 s", Calls: "0", Throttles: "0"}}, Filters: filters, Reload: urls.Collectors}
	missed := none
	missed.Filters.Set = true
	in := func(name string, d Collectors) story { return story{name, CollectorsPage(admin(), d)} }
	return []story{in("collectors", well), in("collectors-ill", ill), in("collectors-long", wide), in("collectors-empty", none), in("collectors-missed", missed)}
}
