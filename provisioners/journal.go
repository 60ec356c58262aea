package provisioners

import (
	"context"
	"time"

	"slipway/models"
)

// The journal's words are in models, so that models/store can implement it.
type (
	// Job is a journal row in this worker's hands.
	Job = models.Job
	// Next says how a job goes on.
	Next = models.NextCall
	// RunState is what the journal knows of a run.
	RunState = models.RunRecord
	// Begin is what the engine found out before a run's first call.
	Begin = models.RunBegin
	// StepChange is what a call made of a step.
	StepChange = models.StepChange
	// RunChange ends a run or leads it elsewhere.
	RunChange = models.RunChange
	// Outcome is everything that one call of a run writes.
	Outcome = models.CallOutcome
	// Planned is a computed plan, or why there is none.
	Planned = models.Planned
	// VendOutcome is what one call made of a creation.
	VendOutcome = models.VendOutcome
)

// ErrStale says that another worker has taken the journal row since.
var ErrStale = models.ErrStale

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

// Runs is what the engine reads and writes of runs.
type Runs interface {
	LoadRun(ctx context.Context, job Job) (RunState, error)
	// Facts gathers what rules may look at, as of now.
	Facts(ctx context.Context, requestID string) (models.RuleFacts, error)
	// BeginRun checks the approvals again, takes the locks, makes the run and its steps and moves the request to running; or voids it,
	// or writes down what it waits for. Either way it ends the job.
	BeginRun(ctx context.Context, job Job, begin Begin) error
	// Intend commits that Start (or Undo) is about to be called.
	Intend(ctx context.Context, job Job, change StepChange) error
	EndCall(ctx context.Context, job Job, out Outcome) error
}

// Plans is what the planner reads and writes.
type Plans interface {
	// LockForPlan takes the locks of a request in planning, once what it waits for has ended. Not ok: it is not in planning any more (job
	// done), another request holds a lock or must end first (job asleep for retry), or that one ended without what this one needs; the
	// outcome is written.
	LockForPlan(ctx context.Context, job Job, retry time.Duration) (req models.Request, ok bool, err error)
	// PutOffPlan writes down what the planner waits for and ends the job until then.
	PutOffPlan(ctx context.Context, job Job, waiting models.WaitingOn, next Next) error
	// FinishPlan writes the plan and moves the request on.
	FinishPlan(ctx context.Context, job Job, plan Planned) error
}

// Vends is what the creation of accounts reads and writes.
type Vends interface {
	// TakeSlot takes a creation slot when one is free and nobody waits in front; ok tells whether the account holds one.
	TakeSlot(ctx context.Context, job Job, slots int) (state models.VendRecord, ok bool, err error)
	// Keep commits the job's state without ending it: the intent of a creation.
	Keep(ctx context.Context, job Job, state any) error
	EndVend(ctx context.Context, job Job, out VendOutcome) error
}
