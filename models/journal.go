package models

import (
	"encoding/json"
	"errors"
	"time"
)

// ErrStale says that another worker has taken the journal row since: what this one knows no longer counts.
var ErrStale = errors.New("the journal row was taken by another worker")

// Job is a journal row in a worker's hands, until its lease lapses.
type Job struct {
	ID         string
	Kind       JournalKind
	ObjectID   string
	Generation int64
	Owner      string
	Attempts   int             // calls that ended in an error since the last success
	State      json.RawMessage // what the kind of work keeps between calls
}

// NextCall says how a job goes on after its transaction: done, or awake again after Delay.
type NextCall struct {
	Done     bool
	Delay    time.Duration
	Attempts int
	State    any // encoded as JSON; nil keeps what is there
}

// RunRecord is what the journal knows of a request's run when a job begins.
type RunRecord struct {
	Request Request
	Plan    Plan
	Run     Run // zero before it first ran; steps in their order
}

// RunBegin is what the engine found out before a run's first call.
type RunBegin struct {
	Void  string // why the approval no longer counts; empty when it does
	Steps []Step
	Locks []Lock
	Notes []string      // for the run's log: what changed without voiding
	Retry time.Duration // when to ask for the locks again
}

// StepEvent is one line for the run's log; Key makes it idempotent within its step.
type StepEvent struct {
	Key, Level, Text string
	At               time.Time
}

// StepChange is what a call made of a step.
type StepChange struct {
	StepID  string
	State   StepState
	Intent  bool
	Tries   int
	Outputs map[string]string // merged into what is there
	Cursor  json.RawMessage
	Waiting *WaitingOn
	Failure *Failure
	Events  []StepEvent
}

// RunChange ends a run or leads it elsewhere.
type RunChange struct {
	To      RequestState // succeeded, failed, planning, undone
	Failure *Failure
	Reason  string
}

// CallOutcome is everything that one call of a run writes, in one transaction.
type CallOutcome struct {
	Step *StepChange
	Run  *RunChange
	Next NextCall
}

// Planned is a computed plan, or why there is none.
type Planned struct {
	Content   PlanContent
	Canonical []byte // the RFC 8785 form that was hashed
	Hash      string
	Notes     PlanNotes
	Verdict   Verdict
	Failure   string // in words for the requester; empty when there is a plan
}

// VendRecord is what the journal knows of an account's creation.
type VendRecord struct {
	Account   Account
	Tenant    Tenant
	RequestID string
	RunID     string
	StartedBy string // person id: the source identity of AWS sessions
	Slot      CreationSlot
}

// VendOutcome is what one call made of a creation. What is empty stays as it was.
type VendOutcome struct {
	CreateID string
	AWSID    string
	AWSState string
	Outcome  string // created, refused, failed or lost: frees the slot
	Failure  *Failure
	Next     NextCall
}

// Gauges is what the store counts for the metrics.
type Gauges struct {
	Queue map[JournalKind]int  // open journal rows
	Late  time.Duration        // how far the most overdue row is past due
	Runs  map[RequestState]int // requests with a run, in live states
	Tail  int                  // audit entries not sealed yet
}
