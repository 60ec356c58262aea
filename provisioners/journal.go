package provisioners

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"slipway/models"
)

// ErrStale says that another worker has taken the journal row since: what this one knows no longer counts.
var ErrStale = errors.New("the journal row was taken by another worker")

// Job is a journal row in this worker's hands, until its lease lapses.
type Job struct {
	ID         string
	Kind       models.JournalKind
	ObjectID   string
	Generation int64
	Owner      string
	Attempts   int             // calls that ended in an error since the last success
	State      json.RawMessage // what the kind of work keeps between calls
}

// Next says how a job goes on after its transaction: done, or awake again after Delay.
type Next struct {
	Done     bool
	Delay    time.Duration
	Attempts int
	State    any // encoded as JSON; nil keeps what is there
}

// Journal is the engine's memory. models/store implements it; every write carries the job's generation and answers ErrStale when the
// row has a newer one.
type Journal interface {
	Leases
	Runs
	Plans
	Vends
}

// Leases is the part of the journal that every kind of work shares. Times are the database's.
type Leases interface {
	// Take leases the row for the call; nil when the wake-up is older than the row, the row is done, leased or not yet due.
	Take(ctx context.Context, wake models.WakeArgs, owner string, lease time.Duration) (*Job, error)
	// Renew prolongs the lease; ErrStale when the row was taken by another worker or the lease is gone.
	Renew(ctx context.Context, job Job, lease time.Duration) error
	// Sweep takes rows with a lapsed lease, or without one and over grace past due, away from whoever had them and wakes them anew.
	Sweep(ctx context.Context, grace time.Duration) (int, error)
	// Release gives back every lease of a worker that stops.
	Release(ctx context.Context, owner string) error
	// End writes the outcome of a job that has nothing else to write.
	End(ctx context.Context, job Job, next Next) error
}

// RunState is what the journal knows of a request's run when a job begins.
type RunState struct {
	Request models.Request
	Plan    models.Plan
	Run     models.Run // zero before it first ran; steps in their order
}

// Begin is what the engine found out before a run's first call.
type Begin struct {
	Void  string // why the approval no longer counts; empty when it does
	Steps []models.Step
	Locks []models.Lock
	Notes []string // for the run's log: what changed without voiding
}

// StepChange is what a call made of a step.
type StepChange struct {
	StepID  string
	State   models.StepState
	Intent  bool
	Tries   int
	Outputs map[string]string // merged into what is there
	Cursor  json.RawMessage
	Waiting *models.WaitingOn
	Failure *models.Failure
	Events  []Event
}

// RunChange ends a run or leads it elsewhere.
type RunChange struct {
	To      models.RequestState // succeeded, failed, planning, undone
	Failure *models.Failure
	Reason  string
}

// Outcome is everything that one call of a run writes, in one transaction.
type Outcome struct {
	Step *StepChange
	Run  *RunChange
	Next Next
}

// Runs is what the engine reads and writes of runs.
type Runs interface {
	LoadRun(ctx context.Context, job Job) (RunState, error)
	// Facts gathers what rules may look at, as of now.
	Facts(ctx context.Context, requestID string) (models.RuleFacts, error)
	// BeginRun checks the approvals again, takes the locks, makes the run and its steps and moves the request to running; or voids it,
	// or writes down what it waits for. Either way it ends the job.
	BeginRun(ctx context.Context, job Job, begin Begin, retry time.Duration) error
	// Intend commits that Start (or Undo) is about to be called.
	Intend(ctx context.Context, job Job, change StepChange) error
	EndCall(ctx context.Context, job Job, out Outcome) error
}

// Planned is a computed plan, or why there is none.
type Planned struct {
	Content   models.PlanContent
	Canonical []byte // the RFC 8785 form that was hashed
	Hash      string
	Notes     models.PlanNotes
	Verdict   models.Verdict
	Failure   string // in words for the requester; empty when there is a plan
}

// Plans is what the planner reads and writes.
type Plans interface {
	// LockForPlan takes the locks of a request in planning. Not ok: it is not in planning any more (job done), or another holds a lock
	// (job asleep); the outcome is written.
	LockForPlan(ctx context.Context, job Job, locks func(models.Request) []models.Lock, retry time.Duration) (req models.Request, ok bool, err error)
	// FinishPlan writes the plan and moves the request on.
	FinishPlan(ctx context.Context, job Job, plan Planned) error
}

// VendState is what the journal knows of an account's creation.
type VendState struct {
	Vending Vending
	Slot    models.CreationSlot
}

// VendOutcome is what one call made of a creation. A zero Outcome keeps the slot.
type VendOutcome struct {
	Creation Creation
	Outcome  string // created, refused, failed or lost: frees the slot
	Failure  *models.Failure
	Next     Next
}

// Vends is what the creation of accounts reads and writes.
type Vends interface {
	// TakeSlot takes a creation slot when one is free and nobody waits in front; ok tells whether the account holds one.
	TakeSlot(ctx context.Context, job Job, slots int) (state VendState, ok bool, err error)
	// Keep commits the job's state without ending it: the intent of a creation.
	Keep(ctx context.Context, job Job, state any) error
	EndVend(ctx context.Context, job Job, out VendOutcome) error
}
