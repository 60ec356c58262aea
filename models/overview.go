package models

import (
	"time"

	"github.com/shopspring/decimal"
)

// NavCounts stand beside the navigation on every page.
type NavCounts struct {
	Approvals int      // requests that wait for this person's decision
	Runs      int      // runs going on that this person may see
	Failing   int      // environments that fail and this person may see
	Freezes   []Freeze // what stops new runs at the moment and the actor may see
}

// RequestRow is a request in a list, with what its current plan says in short.
type RequestRow struct {
	Request
	TenantSlug     string // empty while the tenant does not exist
	Tally          map[Action]int
	HasPlan        bool
	MonthlyNow     decimal.Decimal
	MonthlyPlanned decimal.Decimal
	Needed         int // approvals that are demanded in all
	Given          int // approvals that count
}

// TenantRow is a tenant in a list.
type TenantRow struct {
	Tenant
	AccountsAll    int
	AccountsActive int // AWS said ACTIVE
}

// RunRow is a run in a list.
type RunRow struct {
	Run
	RequestNumber int64
	RequestState  RequestState
	TenantSlug    string
	StepsAll      int
	StepsEnded    int
	Current       string   // title of the step under way
	CurrentAt     int      // its position, from 1
	Usual         Duration // median of past runs of this kind; zero under five of them
}

// RequestPage is all that a request's page shows. What the reader may do is decided from Request and the actor.
type RequestPage struct {
	Request   Request
	Requester Person
	Tenant    *Tenant // nil while it does not exist
	Plan      *Plan   // current plan; nil before the first
	Approvals []Approval
	Comments  []Comment
	Run       *RunRow // nil before it first ran
	Failure   *Failure
	NewGroups []string // groups of the inputs that nobody has signed in with
}

// RunPage is all that a run's page shows.
type RunPage struct {
	Run     Run // with its steps
	Request Request
	Tenant  *Tenant // nil while it does not exist
	Events  []RunEvent
	Slot    *QueuePlace // while an account creation waits for its slot
	Usual   Duration

	Resources []RunResource // of its stacks, by step and start
}

// GroupPeople is one group of a tenant and who has signed in with it.
type GroupPeople struct {
	Role   TenantRole
	Group  string
	People []Person // those seen last, at most 20
	Total  int
}

// TenantPage is all that a tenant's page shows.
type TenantPage struct {
	Tenant   Tenant // with its accounts
	Request  Request
	Plan     *Plan // of the request that made it
	Groups   []GroupPeople
	Requests []RequestRow
	Runs     []RunRow
	Entries  []AuditEntry // newest first, at most 20
	Failure  *Failure     // of its last run, while the tenant is broken
	Access   []AccountAccess
	Closing  *Request // that closes it now, or has closed it
	Receipt  *Receipt // once it is closed
}

// HomePage is what / shows: worst first.
type HomePage struct {
	Waiting    []RequestRow // the actor may decide on them, oldest first
	WaitingAll int
	Failing    []RequestRow // failed, plan_failed; newest first
	FailingAll int
	Running    []RunRow
	Mine       []RequestRow // newest first
	MineAll    int
	Drafts     []SavedForm
	Budgets    []Tenant // those whose estimate is nearest to or beyond the budget
	Tenants    int
	Broken     []BrokenGlass // of the last 7 days, newest first; for platform admins
}

// BrokenGlass is an approval that one admin gave alone.
type BrokenGlass struct {
	RequestID string
	Number    int64
	Title     string
	By        string
	Reason    string
	At        time.Time
}

// RuleActivity is what one rule decided lately.
type RuleActivity struct {
	RuleID  string
	Plans   int // plans it judged in the last 30 days
	Matched int
	Last    time.Time // zero: never matched
	Recent  []RuleHit // newest first, at most 5
}

// RuleHit is one plan that a rule matched.
type RuleHit struct {
	RequestID string
	Number    int64
	Title     string
	Effect    string
	Message   string
	At        time.Time
}
