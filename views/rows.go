package views

import (
	"fmt"

	"slipway/models"
	"slipway/views/ui"
)

// QueueRow is one request that waits for a decision.
type QueueRow struct {
	ID    string // request id
	Title string // Create tenant logistics-returns
	Who   string // requester's name
	Where string // "new accounts nonprod and prod", or account and region
	Tally map[models.Action]int
	Delta string // "+$4.10/mo"; empty when nothing is estimated
	Up    bool   // costs rise noticeably: shown in the tone of a warning
	Asked ui.When
	Old   bool   // waits longer than a day
	Given string // "1 of 2 given"; empty when one is enough
	// Promotion is what the request brings to a stage, when it does.
	Promotion *PromotionBrief
}

// RequestRow is one request in a list.
type RequestRow struct {
	ID     string
	Number string // REQ-1847
	Title  string
	State  models.RequestState
	Note   string // what it waits for, or why it ended; may be empty
	Who    string // requester
	Tally  map[models.Action]int
	Delta  string
	Asked  ui.When
}

// RunRow is one run in a list.
type RunRow struct {
	ID       string
	Number   string // of its request: REQ-1847
	Title    string
	State    models.RequestState // of the run's request: running, stopping, failed, succeeded ...
	Note     string              // "Step 4 of 9: Wait for access", or the failure in one line
	Started  ui.When
	Took     string  // "7 m 12 s"
	Usual    string  // "usually 12 m"; empty under five past runs
	Progress float64 // percent of the steps that ended
}

// BudgetCell compares a tenant's estimate with its budget. Neither is what AWS has billed, and the page says so.
type BudgetCell struct {
	Tenant   string  // slug
	Estimate string  // "$118.24"
	Budget   string  // "of $2,500"
	Share    float64 // percent of the budget
	Note     string  // "$2,381.76 left"
}

// budgetBar is hatched, because an estimate is planned money, not spent money.
func budgetBar(label string, share float64) ui.Bar {
	tone := "1"
	switch {
	case share > 100:
		tone = "fail"
	case share > 90:
		tone = "warn"
	}
	scale := max(100, share)
	return ui.Bar{Label: label, Segs: []ui.Seg{{Width: share / scale * 100, Tone: tone, Planned: true}}, Mark: 100 / scale * 100}
}

// PersonSeen is somebody whose groups gave a role at the last sign-in.
type PersonSeen struct {
	Name  string
	Email string // empty when the provider did not verify one
	Seen  ui.When
}

// col makes a column that can be sorted by when sorts knows its key.
func col(label, key string, sorts ui.Sorts) ui.Col {
	return ui.Col{Label: label, SortURL: sorts[key].URL, Dir: sorts[key].Dir}
}

func numCol(label, key string, sorts ui.Sorts) ui.Col {
	c := col(label, key, sorts)
	c.Num = true
	return c
}

func dropCol(c ui.Col) ui.Col {
	c.Drop = true
	return c
}

// stepsBar fills what ended in the tone of the run and hatches what is still to come.
func stepsBar(r RunRow) ui.Bar {
	tone := string(RequestState(r.State).Tone)
	b := ui.Bar{Label: fmt.Sprintf("%.0f percent of the steps ended", r.Progress), Segs: []ui.Seg{{Width: r.Progress, Tone: tone}}}
	if liveRequest(r.State) {
		b.Segs = append(b.Segs, ui.Seg{From: r.Progress, Width: 100 - r.Progress, Tone: "idle", Planned: true})
	}
	return b
}
