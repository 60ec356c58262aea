package views

import (
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// now is the moment all stories are told at.
var now = time.Date(2026, 11, 23, 9, 14, 0, 0, time.UTC)

func ago(d time.Duration) ui.When { return ui.Ago(now, now.Add(-d)) }

func at(d time.Duration) ui.When { return ui.At(now.Add(-d)) }

func ptr(s string) *string { return &s }

const (
	id1     = "0190b9a0-0000-7000-8000-000000000001"
	id2     = "0190b9a0-0000-7000-8000-000000000002"
	hash1   = "9f3ca17e5be0d1c2a4b6c8d0e2f4061829304152637485960a1b2c3d4e5f6071"
	hostile = `<script>alert(1)</script>"'&`
)

var long = strings.Repeat("averylongwordwithoutanybreak", 6)

func admin() ui.Page {
	return ui.Page{Name: "Mara Lindqvist", Role: "platform-admin", CSRF: "token", Path: "/", Approvals: 4, Runs: 2, SeesAudit: true, SeesAdmin: true, MayRequest: true, Simulated: true}
}

func developer() ui.Page {
	return ui.Page{Name: "Tomasz Reiter", Role: "developer of payments", CSRF: "token", Path: "/", MayRequest: true}
}

// story is one page with one kind of data.
type story struct {
	name string
	page templ.Component
}

func stories() []story {
	var all []story
	for _, some := range [][]story{homeStories(), tenantStories(), requestStories(), runStories(), adminStories(), bareStories(), estimateStories(), environmentStories(), objectStories(), poolStories(),
		formStories(), treeStories(), orderStories(), blueprintStories(), planStories(),
		freezeStories(),
		backstageStories(),
		frameStories(),
		healthStories(),
		collectorStories(),
		signalStories(),
		costStories(),
		notificationStories(),
		workStories(),
		tenantLifeStories(),
		accessStories(),
		deliveryStories(),
	} {
		all = append(all, some...)
	}
	return all
}

func homeStories() []story {
	full := Home{
		Now: ui.At(now), WaitingAll: 4, FailingAll: 2, MineAll: 27, Tenants: 48, MayRequest: true, MayDecide: true, CSRF: "token",
		Waiting: queueRows(), Running: runRows()[:2], Mine: requestRows()[:3],
		Failing: []FailRow{
			{State: ui.State{Label: "Run failed", Tone: ui.Fail}, Title: "Create tenant storefront", Tenant: "storefront", Text: "Step 2 of 11. AWS refused to create the account: the organization has no accounts left (10 of 10).", URL: urls.Run(id1), Action: "Open run", Since: ago(14 * time.Minute)},
			{State: ui.State{Label: "Plan failed", Tone: ui.Fail}, Title: "Create tenant search", Text: "Slipway may not list the accounts of the organization.", URL: urls.Request(id2), Action: "Open request", Since: ago(3 * time.Hour)},
		},
		Drafts: []DraftRow{{ID: id1, Title: "New tenant logistics", Saved: ago(26 * time.Hour), Why: "saved when your session ended"}, {ID: id2, Title: "New tenant, no name yet", Saved: ago(72 * time.Hour)}},
		Budgets: []BudgetCell{
			{Tenant: "payments", Estimate: "$2,612.30", Budget: "of $2,500", Share: 104.5, Note: "$112.30 over"},
			{Tenant: "data-platform", Estimate: "$970.00", Budget: "of $1,000", Share: 97, Note: "$30.00 left"},
			{Tenant: "storefront", Estimate: "$18.24", Budget: "of $1,200", Share: 1.5, Note: "$1,181.76 left"},
			{Tenant: "search", Estimate: "$4.10", Budget: "of $800", Share: 0.5, Note: "$795.90 left"},
			{Tenant: "ledger", Estimate: "$4.10", Budget: "of $600", Share: 0.7, Note: "$595.90 left"},
		},
	}
	calm := Home{Now: ui.At(now), Tenants: 1, Mine: requestRows()[3:4], MineAll: 1, MayRequest: true, CSRF: "token"}
	wide := full
	wide.Waiting = []QueueRow{{ID: id1, Title: long, Who: long, Where: long, Tally: map[models.Action]int{models.Delete: 1234, models.Replace: 234, models.Modify: 345, models.Add: 5678}, Delta: "−$1,234,567.89/mo", Asked: ago(400 * 24 * time.Hour), Old: true, Given: "1 of 2 given"}}
	wide.Drafts = []DraftRow{{ID: id1, Title: long, Saved: ago(time.Hour), Why: long}}
	wide.Failing = []FailRow{{State: ui.State{Label: "Run failed", Tone: ui.Fail}, Title: long, Tenant: "a-twenty-letter-slug", Text: long, URL: "/runs/x", Action: "Open run", Since: ago(time.Hour)}}
	watch := full
	watch.Watch = Watch{Broken: environmentRows()[4:5], BrokenAll: 1, Expiring: environmentRows()[:1], ExpiringAll: 3, Drifted: environmentRows()[1:2], DriftedAll: 1}
	return []story{
		{"home-watch", HomePage(admin(), watch)},
		{"home", HomePage(admin(), full)}, {"home-calm", HomePage(developer(), calm)}, {"home-long", HomePage(admin(), wide)},
		{"home-fresh", HomePage(developer(), Home{Now: ui.At(now), MayRequest: true})}, {"home-fresh-auditor", HomePage(ui.Page{Name: "auditor", Role: "auditor", SeesAudit: true}, Home{Now: ui.At(now)})},
	}
}

func queueRows() []QueueRow {
	add := map[models.Action]int{models.Add: 11}
	return []QueueRow{
		{ID: id1, Title: "Create tenant logistics-returns", Who: "Jonas Weil", Where: "new accounts nonprod and prod", Tally: add, Delta: "+$4.10/mo", Asked: ago(27 * time.Hour), Old: true},
		{ID: id2, Title: "Update payments / api-prod to web-service 3.3.1", Who: "Tomasz Reiter", Where: "2093-5571-8840, eu-west-1", Tally: map[models.Action]int{models.Delete: 1, models.Replace: 1, models.Modify: 3, models.Add: 3}, Delta: "+$216.92/mo", Up: true, Asked: ago(126 * time.Minute), Given: "1 of 2 given"},
		{ID: id1, Title: "Create tenant search", Who: "Aiko Mori", Where: "new account nonprod", Tally: add, Delta: "+$2.05/mo", Asked: ago(40 * time.Minute)},
		{ID: id2, Title: "Deploy to environment orders-prod", Who: "CodePipeline", Where: "payments", Tally: map[models.Action]int{models.Modify: 2}, Delta: "+$0.00/mo", Asked: ago(4 * time.Minute),
			Promotion: &PromotionBrief{Commit: "4be0d1c2a4b6", From: digest2, To: digest1, Counts: []GateCount{{State: GateState(models.GateWaived), N: 1}, {State: GateState(models.GatePass), N: 5}, {State: GateState(models.GateUnset), N: 4}}}},
		{ID: id2, Title: "Extend search / load-test by 14 days", Who: "Aiko Mori", Tally: map[models.Action]int{}, Asked: ago(20 * time.Second)},
	}
}

func requestRows() []RequestRow {
	add := map[models.Action]int{models.Add: 11}
	states := models.RequestStates()[1:]
	var rows []RequestRow
	for i, s := range states {
		rows = append(rows, RequestRow{ID: id1, Number: fmt.Sprintf("REQ-%d", 1847-i), Title: "Create tenant team-" + string(rune('a'+i)), State: s, Who: "Tomasz Reiter", Tally: add, Delta: "+$4.10/mo", Asked: ago(time.Duration(i+1) * 3 * time.Hour)})
	}
	rows[0].Tally, rows[0].Delta, rows[1].Tally, rows[1].Delta = nil, "", nil, ""
	rows[3].Note = "waits for Jonas Weil or Noor Haddad"
	return rows
}

func runRows() []RunRow {
	return []RunRow{
		{ID: id1, Number: "REQ-1844", Title: "Create tenant ledger", State: models.Running, Note: "Step 4 of 11: Wait for access to ledger-nonprod", Started: ago(7 * time.Minute), Took: "7 m 12 s", Usual: "usually 12 m", Progress: 36},
		{ID: id2, Number: "REQ-1843", Title: "Create tenant identity-edge", State: models.Stopping, Note: "Step 9 of 11: Create the baseline stack", Started: ago(11 * time.Minute), Took: "11 m 02 s", Progress: 82},
		{ID: id1, Number: "REQ-1839", Title: "Create tenant storefront", State: models.Failed, Note: "The organization has no accounts left", Started: ago(26 * time.Hour), Took: "48 s", Progress: 9},
		{ID: id2, Number: "REQ-1822", Title: "Create tenant payments", State: models.Succeeded, Started: ago(9 * 24 * time.Hour), Took: "12 m 40 s", Progress: 100},
		{ID: id2, Number: "REQ-1801", Title: "Create tenant " + long, State: models.Abandoned, Note: long, Started: ago(40 * 24 * time.Hour), Took: "3 d 4 h", Progress: 50},
	}
}
