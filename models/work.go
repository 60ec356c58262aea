package models

import "time"

// WorkFigures say whether Slipway gets its work done: what waits, who works, how AWS takes it, and how runs end. Every replica reads the same.
type WorkFigures struct {
	Queue     []QueueFigure
	Processes []Process      // seen within the last hour, newest sign of life first
	Accounts  []AccountCalls // of the last CallsWindow, most throttled first
	Runs      []RunFigure    // begun within the last RunsWindow and over, by kind
	Sweep     SweepReport
}

// How far back the figures look.
const (
	CallsWindow   = 24 * time.Hour      // wall time
	RunsWindow    = 30 * 24 * time.Hour // product time
	ProcessWindow = time.Hour           // wall time
)

// QueueFigure is how many open rows of one kind of background work the journal holds.
type QueueFigure struct {
	Kind    JournalKind
	Due     int           // its time has come and nobody has it yet
	Leased  int           // a call is in flight
	Lapsed  int           // a process died over it; any worker's next sweep takes it
	Waiting int           // for AWS, a person, or its next look
	Oldest  time.Duration // how late the oldest due or lapsed row is
}

// Process is one process of Slipway, by its own word.
type Process struct {
	Owner   string // as in leases
	Role    string // all, web, worker
	Version string
	Started time.Time // wall time
	Seen    time.Time // wall time
}

// ProcessEvery is how often a process gives a sign of life; one that was not seen for three times that is taken for gone.
const ProcessEvery = 15 * time.Second

// Gone tells whether a process gave no sign of life for too long.
func (p Process) Gone(wall time.Time) bool { return wall.Sub(p.Seen) > 3*ProcessEvery }

// AccountCalls counts attempts of AWS calls into one account.
type AccountCalls struct {
	Account   string // 12 digits, or "other" for those past the number that is told apart
	Tenant    string // slug; empty: none of Slipway's tenant accounts
	Name      string
	Calls     int64
	Throttles int64
}

// RunFigure is how the runs of one kind ended.
type RunFigure struct {
	Kind      RequestKind
	Succeeded int
	Failed    int      // failed, undone or abandoned
	Median    Duration // of those that succeeded at the first attempt; zero: none did
	P95       Duration
}

// Rate is the share that succeeded, from 0 to 1; zero when none ended.
func (f RunFigure) Rate() float64 {
	if f.Succeeded+f.Failed == 0 {
		return 0
	}
	return float64(f.Succeeded) / float64(f.Succeeded+f.Failed)
}
