package models

import "time"

// HealthLate is after which time without a reading health is shown as old: two rounds and a minute were missed.
const HealthLate = 11 * time.Minute

// HealthRow is an environment in a list of health. Times but DriftUntil and ExpiresAt are wall time.
type HealthRow struct {
	ID         string
	TenantSlug string
	Name       string
	Stage      Stage
	Region     string
	Account    string // 12 digits; empty while it has none
	Blueprint  string
	State      ObjectState
	Hibernated bool
	Condition  Condition
	Reason     string // empty: no round has looked at it yet
	Since      time.Time
	ReadAt     time.Time // the last round that could read something of it; zero: none
	TriedAt    time.Time // the last round
	Seen       Condition // what the last round found instead, to be confirmed by the next; empty: nothing else
	Drift      DriftState
	Drifted    int
	DriftUntil time.Time // until when somebody accepted it, in product time; zero: nobody did
	ExpiresAt  time.Time
	CreatedAt  time.Time
}

// Late tells whether what is known is older than it should be. What was made just now is not late.
func (r HealthRow) Late(wall time.Time) bool {
	switch {
	case r.State == Creating || r.State == Deleting:
		return false
	case r.ReadAt.IsZero():
		return !r.TriedAt.IsZero() || wall.Sub(r.CreatedAt) > HealthLate
	}
	return wall.Sub(r.ReadAt) > HealthLate
}

// HealthTally counts environments by their condition, as far as the reader may see them.
type HealthTally struct {
	By     map[Condition]int
	All    int
	Late   int       // whose last reading is older than it should be
	Oldest time.Time // wall time of the oldest of those readings; zero: there is none, or one was never read
}

// Bad counts those that are failing or degraded.
func (t HealthTally) Bad() int { return t.By[Failing] + t.By[Degraded] }

// HealthChange is one change of an environment's health.
type HealthChange struct {
	At     time.Time // wall time
	Was    Condition
	State  Condition
	Reason string
}

// EnvironmentHealth is what is known of how one environment runs.
type EnvironmentHealth struct {
	HealthRow
	Vitals  []Vital        // worst first
	Changes []HealthChange // newest first, at most 20
	Alarms  []AlarmChange  // newest first, at most 50
	Access  string         // name of the permission set that lets the reader into the account; empty: none
}

// Unwell are the environments that are not healthy, worst first: a few of them, and how all stand.
type Unwell struct {
	Rows  []HealthRow
	Tally HealthTally
}

// SignalRange is how far back the four signals are shown.
type SignalRange struct {
	Name   string // in addresses
	Words  string
	Length time.Duration
	Period time.Duration // of one point
}

// SignalRanges lists what can be chosen. CloudWatch keeps points of a minute for 15 days.
func SignalRanges() []SignalRange {
	return []SignalRange{{"1h", "1 hour", time.Hour, time.Minute}, {"3h", "3 hours", 3 * time.Hour, time.Minute}, {"12h", "12 hours", 12 * time.Hour, 5 * time.Minute},
		{"1d", "1 day", 24 * time.Hour, 10 * time.Minute}, {"7d", "7 days", 7 * 24 * time.Hour, time.Hour}}
}

// SignalRangeOf finds a range by its name; without one it is three hours.
func SignalRangeOf(name string) (SignalRange, bool) {
	if name == "" {
		name = "3h"
	}
	for _, r := range SignalRanges() {
		if r.Name == name {
			return r, true
		}
	}
	return SignalRange{}, false
}

// signalLag is how long CloudWatch needs until it has a minute's figures.
const signalLag = 2 * time.Minute

// Window is the part of time that a range shows at a moment. It ends and begins at whole periods, so that everybody who looks within one
// sees the same points.
func (r SignalRange) Window(wall time.Time) (from, to time.Time) {
	to = wall.UTC().Add(-signalLag).Truncate(r.Period)
	return to.Add(-r.Length), to
}

// SignalKind is one of the series that the four signals are drawn from.
type SignalKind string

// The series.
const (
	SignalRequests SignalKind = "requests" // per minute
	SignalErrors   SignalKind = "errors"   // per minute, answers of 500 and above
	SignalP50      SignalKind = "p50"      // seconds
	SignalP95      SignalKind = "p95"
	SignalP99      SignalKind = "p99"
	SignalCPU      SignalKind = "cpu" // percent of what tasks have
	SignalMemory   SignalKind = "memory"
)

// SignalPoint is one point; nil: CloudWatch has none, which is not zero.
type SignalPoint struct {
	At    time.Time
	Value *float64
}

// Signals are the series of one environment over a window.
type Signals struct {
	From, To time.Time
	Period   time.Duration
	ReadAt   time.Time                    // wall time
	Series   map[SignalKind][]SignalPoint // those that the environment has a metric for, a point per period
	None     []SignalKind                 // those of which it has no resource that would measure them
	Gap      *ReadGap                     // why nothing could be read
	Metered  int                          // metrics that AWS charges for
}

// Deployed is a run of Slipway on an environment, as signals show it.
type Deployed struct {
	RunID   string
	Number  int64
	Title   string
	State   RequestState
	Started time.Time // product time
	Ended   time.Time
}

// SignalSource is what the signals of an environment are read from.
type SignalSource struct {
	Environment Environment
	Deployed    []Deployed // runs that ended or began in the window, oldest first
	Access      string     // name of the permission set that lets the reader into the account; empty: none
}
