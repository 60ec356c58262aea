// Package provisioners plans requests and runs approved plans: small steps that look before they act, kept in a journal
// that survives a crash at any point. It knows no cloud; provisioners/aws brings the steps.
package provisioners

import (
	"context"
	"encoding/json"
	"time"

	"slipway/models"
)

// Found says what a look at the world showed.
type Found int

// What Find and Poll may answer. Absent from Poll means that what was started is gone, and the step starts again with Find.
const (
	Absent  Found = iota // not there: Start may run
	Working              // there, not finished: Poll goes on
	Present              // there as planned: the step is done
	More                 // a page was read; go on from Result.Cursor in the next job
	Onward               // a stage of the step is over: Find is asked again, and Start may run for the next stage
)

// Result is the answer of one short look. Outputs and events are journaled with it in one transaction.
type Result struct {
	Found   Found
	Outputs map[string]string // ids and ARNs that later steps need; merged into the step's; never a secret
	Events  []Event
	Cursor  json.RawMessage   // where a paged look goes on
	Waiting *models.WaitingOn // what it waits for, in words
	Delay   time.Duration     // when to look again; zero: the engine's table of delays decides
}

// Event is one line for the run's log; Key makes it idempotent within its step.
type Event = models.StepEvent

// Step is one outside change. A crash can hide that Start ran, so Start is never called without Find saying "not there".
type Step struct {
	Name  string // stored in the journal: never rename a shipped step
	Title string // for people: "Create account payments-nonprod"
	Part  string // the plan part it belongs to
	Find  func(context.Context, *Run) (Result, error)
	Start func(context.Context, *Run) error           // the intent is committed before it; what it adds to Run.Outputs is kept, unless a crash hides it; nil: Find must become Present by itself
	Poll  func(context.Context, *Run) (Result, error) // read-only, until Present; nil: Find is asked again
	Undo  func(context.Context, *Run) (Result, error) // nil: cannot be taken back; repeated until Present (= taken back)
	Stays string                                      // what remains after an undo, in words; empty: nothing
}

// Run is what a step may know of the run it belongs to.
type Run struct {
	ID        string
	RequestID string
	Kind      models.RequestKind
	ObjectID  string
	TenantID  string
	Attempt   int
	StartedBy string // person id: the source identity of AWS sessions
	Plan      models.Plan
	Step      string                       // name of the step that is asked
	Outputs   map[string]string            // outputs of this step so far
	Earlier   map[string]map[string]string // outputs of the steps before, by step name
	Cursor    json.RawMessage
	Waited    time.Duration // wall time since this step was first looked at in this attempt
}

// Output reads what an earlier step left; empty when it left nothing of that name.
func (r *Run) Output(step, key string) string { return r.Earlier[step][key] }

// Planning is what a provisioner may know while it plans.
type Planning struct {
	Request models.Request
	Now     time.Time // product time
}

// Draft is a plan before rules, cost of time and approvers were added.
type Draft struct {
	Parts        []models.PlanPart
	Cost         []models.CostLine
	NotEstimated []string
	PriceDate    string
	PriceDigest  string
	Region       string
	Estimate     *models.Estimate     // of what is planned, position by position; nil: Cost says it all
	Problems     []models.PlanProblem // what AWS's validation said of single resources
	Notes        []string             // for people: what the plan cannot show as a change
}

// Provisioner plans one kind of request and says which steps a frozen plan needs. It keeps no state of its own.
type Provisioner interface {
	Kind() models.RequestKind
	Plan(context.Context, Planning) (Draft, error) // read-only looks at the world
	Steps(models.Plan) ([]Step, error)             // the same steps for the same plan, always
}

// Wait is returned by a step that must be asked again later; it uses up no attempt.
type Wait struct {
	For   string // "AWS", "a creation slot", "a person"
	Words string
	Delay time.Duration
	Until time.Time // product time at which it is expected to end; zero: not known
	Clean bool      // of Start: it was answered and has made nothing, so that a person may stop the run here
}

// Error says what is waited for.
func (w Wait) Error() string { return "waits for " + w.For + ": " + w.Words }

// Final is an error that no repetition cures: the run stops in failed, with what a person needs to act.
type Final struct {
	Failure models.Failure
	Err     error
}

// Error is the failure's cause for the log.
func (f Final) Error() string {
	if f.Err != nil {
		return f.Failure.What + ": " + f.Err.Error()
	}
	return f.Failure.What
}

// Unwrap gives the cause.
func (f Final) Unwrap() error { return f.Err }

// Mismatch is returned when what is left no longer matches what was approved: nothing of that part was started, done steps stay done,
// and the request is planned again for a new decision.
type Mismatch struct {
	Words string // what differs, for the approvers
}

// Error says what differs.
func (m Mismatch) Error() string { return "the approved plan no longer matches: " + m.Words }

// Described is an error that knows what to tell a person once retries are used up; provisioners/aws gives AWS's code and request id so.
type Described interface {
	error
	Describe() models.Failure
}
