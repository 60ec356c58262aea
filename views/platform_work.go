package views

import "slipway/views/ui"

// PlatformWork is the half of the platform page that says whether work gets done.
type PlatformWork struct {
	Queue     []WorkRow
	Late      string // how late the oldest due work is; empty: nothing is late
	Stuck     bool   // so late that somebody has to look
	Processes []ProcessRow
	Calls     []CallsRow
	Runs      []OutcomeRow
	Sweep     SweepFacts
	Kept      []KeptRow
	Never     string // what no sweep removes
}

// WorkRow is the open work of one kind.
type WorkRow struct {
	Name                         string
	Due, Leased, Lapsed, Waiting string
	Oldest                       string // empty: nothing of it is late
	Dead                         bool   // a process died over some of it
}

// ProcessRow is one process of Slipway.
type ProcessRow struct {
	Owner, Role, Version string
	Started, Seen        ui.When
	Gone                 bool
}

// CallsRow counts calls into one account.
type CallsRow struct {
	Account, Name string
	URL           string // the tenant's page; empty: it is none of a tenant's accounts
	Calls         string
	Throttles     string
	Share         string // throttled, of all
	Much          bool   // so much that runs take longer for it
}

// OutcomeRow is how runs of one kind ended.
type OutcomeRow struct {
	Name        string
	Ended       string
	Succeeded   string // share
	Failed      string
	Median, P95 string
	Bad         bool // more than one in ten failed
}

// SweepFacts are about the nightly sweep.
type SweepFacts struct {
	Started, Ended, Due ui.When
	Removed             []ui.Pair
}

// KeptRow is for how long one kind of rows is kept.
type KeptRow struct{ What, Since, Age, Note string }

func (d PlatformWork) facts() []ui.Fact {
	late := ui.Fact{Text: "Nothing is late."}
	if d.Late != "" {
		late = ui.Fact{Label: "Oldest due work is late by", Value: d.Late}
	}
	return []ui.Fact{late}
}

func (f SweepFacts) facts() []ui.Fact {
	switch {
	case f.Started.At.IsZero():
		return []ui.Fact{{Text: "The nightly sweep has not run yet."}}
	case f.Ended.At.IsZero():
		return []ui.Fact{{Label: "The nightly sweep goes on since", When: f.Started}}
	}
	return []ui.Fact{{Label: "Last swept", When: f.Ended}, {Label: "Next", When: f.Due}}
}
