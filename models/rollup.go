package models

import (
	"encoding/json"
	"time"
)

// CollectWork reads one target of a collector; object is the target's row.
const CollectWork JournalKind = "collect"

// CollectorName names a collector. Names are stored: never rename a shipped one.
type CollectorName string

// CollectScope says what a collector has its targets over.
type CollectScope int

// The scopes.
const (
	OverOrganization CollectScope = iota // one target
	OverAccounts                         // one per account and region in which environments live
)

// CollectorInfo says what a collector reads, and how often, in product time.
type CollectorInfo struct {
	Name   CollectorName
	Title  string
	Words  string // what it reads, for people
	Source string // of AWS
	Every  time.Duration
	Scope  CollectScope
}

// CollectState says how the last round of a target ended. The empty state: none has ended yet.
type CollectState string

// The states, best first. What an earlier round has read stays, with its age, whatever a later one meets.
const (
	CollectOK      CollectState = "ok"
	CollectPartial CollectState = "partial"     // some of it could not be read
	CollectDenied  CollectState = "cannot_read" // AWS refused it all; a person has to do something
	CollectFailed  CollectState = "failed"      // AWS did not answer, or not in time; it passes by itself
)

// GapKind says why something could not be read.
type GapKind string

// The kinds of gaps.
const (
	GapDenied      GapKind = "denied"      // a permission is missing
	GapThrottled   GapKind = "throttled"   // AWS asked for fewer calls
	GapUnavailable GapKind = "unavailable" // no answer: the region or the service is down, or the network is
	GapSkewed      GapKind = "skewed"      // Slipway's clock differs too much from AWS's
	GapCapped      GapKind = "capped"      // the daily limit of paid calls is reached
	GapAbsent      GapKind = "absent"      // AWS does not know it
)

// Passes tells whether asking again soon may help.
func (k GapKind) Passes() bool { return k == GapThrottled || k == GapUnavailable }

// ReadGap is something that could not be read. It is neither zero nor nothing.
type ReadGap struct {
	What       string  `json:"what"` // as the end of "cannot read": the alarms, costs by service
	Kind       GapKind `json:"kind"`
	Permission string  `json:"permission,omitempty"` // the IAM action that is missing, when AWS says so
	Words      string  `json:"words"`                // what AWS said and what to do, for people
}

// CollectTarget is what one round of a collector reads.
type CollectTarget struct {
	ID         string
	Collector  CollectorName
	AccountID  string // the account's row; empty, as all of the account is: the organization
	AWSID      string
	TenantID   string
	TenantSlug string
	Class      Class
	Region     string
	ReadAt     time.Time       // wall time of the last reading; zero: none yet
	Cursor     json.RawMessage // where the round goes on; nil: it begins
}

// Reading is what one call of a collector has brought. It is written whole, with the target's state, or not at all.
type Reading struct {
	Source  string // of AWS: cost_explorer, budgets, ...
	At      time.Time
	From    time.Time // the period it speaks of; zero: the moment of At
	To      time.Time
	Gaps    []ReadGap       // what could not be read; the rest stands
	Metered int             // calls that AWS charges for
	Next    json.RawMessage // the round goes on with it as the cursor; nil: it is over
	Costs   *CostReading
	Budgets []BudgetReading // nil: the reading is about something else; empty: AWS has none

	Environments []EnvironmentReading // of the collector of health
}

// CollectRound is what a round has come to; it is the state of its journal row between calls.
type CollectRound struct {
	Began     time.Time       `json:"began"` // wall time
	Cursor    json.RawMessage `json:"cursor,omitempty"`
	Gaps      []ReadGap       `json:"gaps,omitempty"`
	Read      bool            `json:"read,omitempty"` // something was read
	Calls     int64           `json:"calls,omitempty"`
	Throttles int64           `json:"throttles,omitempty"`
	Metered   int             `json:"metered,omitempty"`
}

// maxGaps bounds what one round keeps; the first say it all.
const maxGaps = 50

// Add counts a reading in.
func (r *CollectRound) Add(reading Reading) {
	r.Read = r.Read || !reading.At.IsZero()
	r.Metered += reading.Metered
	r.Cursor = reading.Next
	for _, g := range reading.Gaps {
		if len(r.Gaps) < maxGaps {
			r.Gaps = append(r.Gaps, g)
		}
	}
}

// State is how the round has ended.
func (r CollectRound) State() CollectState {
	switch {
	case len(r.Gaps) == 0:
		return CollectOK
	case r.Read:
		return CollectPartial
	}
	for _, g := range r.Gaps {
		if !g.Kind.Passes() {
			return CollectDenied
		}
	}
	return CollectFailed
}

// CollectStatus is how one target stands.
type CollectStatus struct {
	ID         string
	Collector  CollectorName
	AccountID  string
	AWSID      string
	Account    string // its name; empty: the organization
	TenantSlug string
	Class      Class
	Region     string
	State      CollectState
	ReadAt     time.Time // wall time of the last reading; zero: never
	EndedAt    time.Time // wall time of the end of the last round
	Since      time.Time // wall time since when the state is what it is
	Gaps       []ReadGap
	Took       time.Duration // the last round
	Calls      int64         // of the last round
	Throttles  int64
	Metered    int
	Working    bool
	By         string    // who asked for the round under way, or the last; empty: its turn came
	Due        time.Time // product time of the next round
}

// Late tells whether a target's figures are older than they should be: two turns and a minute were missed.
func (s CollectStatus) Late(wall time.Time, every time.Duration) bool {
	return s.ReadAt.IsZero() || wall.Sub(s.ReadAt) > 2*every+time.Minute
}

// CollectorFigures sum up a collector's targets.
type CollectorFigures struct {
	Name                               CollectorName
	Targets, OK, Partial, Denied, Fail int
	Never, Working                     int
	Oldest                             time.Time // wall time of the oldest last reading
	Calls, Throttles                   int64     // of the last round of each target
	Metered                            int
}

// CollectPage is all that the page of the collectors shows.
type CollectPage struct {
	Collectors []CollectorFigures
	Targets    []CollectStatus // worst first
	All        int             // targets that the filter lets through, shown or not
}

// CollectFilter narrows the list of targets. Empty fields let everything through.
type CollectFilter struct {
	Collector CollectorName
	State     CollectState
	Text      string // part of the account's number or name, or of the region
}
