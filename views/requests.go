package views

import "slipway/views/ui"

// Requests is the list at /requests.
type Requests struct {
	Facts      []ui.Fact
	Filters    ui.Filters
	Sorts      ui.Sorts // keys: number, title, state, tenant, asked
	Rows       []RequestRow
	Pager      ui.Pager
	CSV        string
	MayRequest bool
}

// Approvals is the queue at /approvals, oldest first.
type Approvals struct {
	Facts   []ui.Fact
	Filters ui.Filters
	Rows    []QueueRow
	Pager   ui.Pager
	CSV     string
	ForMe   int // how many of all this person may decide on
	All     int // how many wait in all, as far as this person may see
}

// Runs is the list at /runs.
type Runs struct {
	Facts   []ui.Fact
	Filters ui.Filters
	Sorts   ui.Sorts // keys: title, state, tenant, started
	Rows    []RunRow
	Pager   ui.Pager
	CSV     string
}

func (a Approvals) title() string {
	switch {
	case a.ForMe > 0:
		return ui.Count(a.ForMe) + " " + one(a.ForMe, "waits", "wait") + " for you"
	case a.All > 0:
		return ui.Count(a.All) + " " + one(a.All, "waits", "wait") + " for somebody else"
	}
	return "Nothing waits for approval"
}
