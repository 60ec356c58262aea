package views

import (
	"fmt"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Run is a run's page. RunLive shows all of it but the frame, so one event of the stream carries the whole truth.
type Run struct {
	ID            string
	RequestID     string
	RequestNumber string // REQ-1839
	Title         string // Create tenant storefront
	Kind          models.RequestKind
	State         models.RequestState
	Attempt       int // 1 for the first
	Started       ui.When
	ApprovedBy    string // names, or "rule dev-under-50"
	PlanHash      string
	Tenant        string // slug; empty when it has no page yet

	Failure    *Failure // set when it failed: why
	Queue      *Queue   // set while an account waits for the creation slot
	Wait       *Waiting // what the current step waits for, when it is not AWS at work
	StopNote   string   // while stopping: what still ends; when failed: what remains and what was made
	Elapsed    string   // "11 m 32 s so far", "took 12 m 40 s"
	Usual      string   // "similar runs take 13 m"; empty under five of them
	Steps      []ui.StepRow
	Ended      int // steps that ended
	Log        []ui.LogLine
	LogTitle   string // "Events", "Events of step 5"
	LogTotal   int    // lines there are in all
	LogSwept   string // why there are none any more; may be empty
	LogAllURL  string // page with all of them; empty when all are shown
	Accounts   []AccountCard
	Tree       []TreePart
	Roots      []TreeResource // root causes first, while it stands still
	Stacks     bool           // it works on a stack: its resources appear once CloudFormation begins
	ObjectURL  string         // page of what it makes or changes; may be empty
	ObjectName string
	MayStop    bool
	MayRetry   bool
	RetryLater string // why retry is not possible now: "once undone"; empty otherwise
	MayAbandon bool
	Undo       *Undo // this person may take the failed run back; nil otherwise

	CSRF string
}

// Queue is the place in front of the account creation slot.
type Queue struct {
	Ahead int // accounts that wait in front
	Slots int // how many may be created at once
	Busy  int // how many are being created
}

func (q Queue) words() string {
	slots := ui.Plural(q.Slots, "account is", "accounts are")
	switch {
	case q.Ahead == 0 && q.Busy >= q.Slots:
		return "This account is next. AWS creates accounts one after the other here; " + slots + " being created."
	case q.Ahead == 0:
		return "This account is next."
	}
	return fmt.Sprintf("%s in front of this one. At most %s created at a time.", ui.Plural(q.Ahead, "account waits", "accounts wait"), slots)
}

func (r Run) live() bool { return liveRequest(r.State) }

func (r Run) title() string { return "Run of " + r.RequestNumber + ": " + RequestState(r.State).Label }

func (r Run) place(p ui.Page) ui.Page {
	p.Live = r.live()
	return p.On(ui.AtRuns, r.title(), ui.Crumb{Label: "Runs", URL: urls.Runs}, ui.Crumb{Label: r.RequestNumber})
}

func (r Run) facts() []ui.Fact {
	all := []ui.Fact{{Label: "Run of", Value: r.RequestNumber, URL: urls.Request(r.RequestID)}, {Label: "Started", When: r.Started}}
	if r.ApprovedBy != "" {
		all = append(all, ui.Fact{Label: "Approved by", Value: r.ApprovedBy})
	}
	if r.Attempt > 1 {
		all = append(all, ui.Fact{Label: "Attempt", Value: fmt.Sprint(r.Attempt)})
	}
	all = append(all, ui.Fact{Label: "Plan", Value: ui.Short(r.PlanHash), Code: true})
	if r.Tenant != "" {
		all = append(all, ui.Fact{Label: "Tenant", Value: r.Tenant, URL: urls.Tenant(r.Tenant)})
	}
	return all
}

func (r Run) stepsNote() string {
	if r.Usual == "" {
		return r.Elapsed
	}
	return r.Elapsed + ", " + r.Usual
}

func (r Run) say() string {
	return fmt.Sprintf("%s: %d of %d steps ended", RequestState(r.State).Label, r.Ended, len(r.Steps))
}

func (r Run) failedStep() int {
	for _, s := range r.Steps {
		if s.State == models.StepFailed {
			return s.N
		}
	}
	return 0
}

func (r Run) retryLabel() string {
	if n := r.failedStep(); n > 0 {
		return fmt.Sprintf("Retry from step %d", n)
	}
	return "Go on"
}

// TreePart is the resources of one stack of a run.
type TreePart struct {
	Name  string
	Steps []TreeStep
}

// TreeStep is the resources that one step moves.
type TreeStep struct {
	ID        string // unique on the page
	Title     string
	State     ui.State
	Open      bool
	Moved     int // resources that ended
	Resources []TreeResource
}

// TreeResource is one resource as a run saw it move.
type TreeResource struct {
	LogicalID string
	Type      string
	State     ui.State
	Word      string // CloudFormation's own
	Reason    string
	Took      string // "1 m 26 s"; so far while it moves
	Root      bool   // the earliest real failure
}

func (r Run) treeCount() string {
	n := 0
	for _, p := range r.Tree {
		for _, s := range p.Steps {
			n += len(s.Resources)
		}
	}
	return countOrNone(n)
}

func (r Run) asideLabel() string {
	if r.Stacks {
		return "Resources"
	}
	return "Accounts"
}
