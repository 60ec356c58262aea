package models

import (
	"encoding/json"
	"time"
)

// StepState is where one step of a run stands.
type StepState string

// Step states. A crash leaves a step as it was: pending, running or waiting; the journal then looks before it acts.
const (
	StepPending StepState = "pending"
	StepRunning StepState = "running" // its intent is committed; Start may have run
	StepWaiting StepState = "waiting" // AWS works, or something else must happen first
	StepDone    StepState = "done"
	StepSkipped StepState = "skipped" // already there as planned
	StepFailed  StepState = "failed"
	StepUndone  StepState = "undone"
)

// Run is the execution of an approved plan: one per request; a retry is a new attempt in it.
type Run struct {
	ID         string
	RequestID  string
	Kind       RequestKind
	Title      string
	TenantID   string
	PlanID     string
	PlanHash   string
	State      RequestState // running, stopping, succeeded, failed, undoing, undone, abandoned
	Attempt    int
	ApprovedBy string
	StartedBy  string // person id that the AWS sessions carry as source identity
	StartedAt  time.Time
	EndedAt    time.Time
	Failure    *Failure
	Steps      []Step

	EventsCleared time.Time // when the lines of its log were swept; zero: they are there
}

// Step is one outside change of a run, as the journal knows it.
type Step struct {
	ID        string
	RunID     string
	Position  int
	Name      string // never renamed once shipped
	Title     string
	Part      string // the plan part it belongs to
	State     StepState
	Attempt   int               // run attempt it last ran in
	Tries     int               // calls that ended in an error in this attempt
	Intent    bool              // Start was announced and may have run, in this or an earlier attempt
	Outputs   map[string]string // what later steps need: ids and ARNs, never a secret
	Cursor    json.RawMessage   // where a paged look goes on
	Waiting   *WaitingOn
	Failure   *Failure
	StartedAt time.Time
	EndedAt   time.Time
}

// Failure says why something ended: in plain words, with what the platform team needs to look it up.
type Failure struct {
	What      string `json:"what"`                 // plain words
	Cause     string `json:"cause"`                // with the numbers
	Code      string `json:"code,omitempty"`       // AWS error code
	RequestID string `json:"request_id,omitempty"` // AWS request id
	Owner     string `json:"owner"`                // who acts: "Platform team", "Requester", "AWS"
	Next      string `json:"next"`                 // what to do
}

// RunEvent is one line of a run's log.
type RunEvent struct {
	ID     int64
	RunID  string
	StepID string
	At     time.Time
	Level  string // info, warn, fail
	Text   string
	Key    string // makes an event idempotent within its step, for example AWS's event id
}

// QueuePlace tells how many accounts wait in front for a creation slot.
type QueuePlace struct {
	Ahead int
	Slots int
	Busy  int
}

// RunResource is one resource of a stack as a run saw it move.
type RunResource struct {
	Step       string // of the run
	LogicalID  string
	PhysicalID string
	Type       string
	Status     string // CloudFormation's own word
	Reason     string
	StartedAt  time.Time // wall time, as AWS gave it; zero in a change: as it was
	EndedAt    time.Time // zero: it still moves
	Root       bool      // the earliest real failure, not one that it caused
}
