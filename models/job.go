package models

// JournalKind names a kind of background work. Names are stored: never rename a shipped one.
type JournalKind string

// The kinds of background work. All of it is journaled: a job is only a wake-up.
const (
	PlanWork  JournalKind = "plan"  // compute a request's plan; object is the request
	RunWork   JournalKind = "run"   // execute the steps of a run; object is the request
	UndoWork  JournalKind = "undo"  // take a failed run back; object is the request
	VendWork  JournalKind = "vend"  // hold a creation slot until AWS has ended a CreateAccount; object is the account
	DriftWork JournalKind = "drift" // compare a stack with its account; object is the environment
)

// WakeArgs is the one job argument: which journal row to look at, and as of which generation.
type WakeArgs struct {
	JournalID  string `json:"journal_id"`
	Generation int64  `json:"generation"`
}

// Queue is the queue of River that wakes a kind of work. What is read again in minutes never stands in the way of what people wait for.
func (k JournalKind) Queue() string {
	if k == CollectWork || k == WatchWork {
		return "collect"
	}
	return "default"
}

// Kind is the stored name of the job.
func (WakeArgs) Kind() string { return "wake" }
