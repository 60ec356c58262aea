package models

import (
	"encoding/json"
	"slices"
	"time"
)

// RequestState is where a request stands between a form and its end.
type RequestState string

// Request states; moves says who leads from one to another.
const (
	Draft            RequestState = "draft"             // a saved form: no name, lock or number
	Planning         RequestState = "planning"          // the planner looks at the world; holds locks
	PlanFailed       RequestState = "plan_failed"       // the plan could not be made; the requester decides
	ChangesRequested RequestState = "changes_requested" // an approver asked for other inputs
	AwaitingApproval RequestState = "awaiting_approval" // frozen plan in the queue; holds no lock
	Approved         RequestState = "approved"          // the engine takes it next
	Running          RequestState = "running"           // holds locks
	Stopping         RequestState = "stopping"          // ends at the next safe point; holds locks
	Failed           RequestState = "failed"            // stopped by a final error; a person decides
	Undoing          RequestState = "undoing"           // takes back what can be; holds locks
	Succeeded        RequestState = "succeeded"         // final
	NoChange         RequestState = "no_change"         // final: the world already is as asked
	Rejected         RequestState = "rejected"          // final
	Expired          RequestState = "expired"           // final
	Cancelled        RequestState = "cancelled"         // final
	Undone           RequestState = "undone"            // final
	Abandoned        RequestState = "abandoned"         // final: what was made stays as it is
)

// RequestStates lists all states in the order of a request's life.
func RequestStates() []RequestState {
	return []RequestState{Draft, Planning, PlanFailed, ChangesRequested, AwaitingApproval, Approved, Running, Stopping, Failed, Undoing,
		Succeeded, NoChange, Rejected, Expired, Cancelled, Undone, Abandoned}
}

// Mover is one of those who may move a request.
type Mover string

// The movers. A person is checked by rights (see MayMove), the others are components.
const (
	ByRequester Mover = "requester" // the person who asked; an admin where the table says so
	ByApprover  Mover = "approver"  // by decision, bound to a plan hash
	ByPlanner   Mover = "planner"
	ByEngine    Mover = "engine"
	ByClock     Mover = "clock"
	ByAdmin     Mover = "admin"
	ByOwner     Mover = "owner" // an owner of the tenant
)

// moves is the one table of who may lead a request from where to where. A state without a row is final. The engine cancels what nobody
// can go on with, because the tenant is being closed.
var moves = map[RequestState]map[RequestState][]Mover{
	Draft:            {Planning: {ByRequester}},
	Planning:         {AwaitingApproval: {ByPlanner}, Approved: {ByPlanner}, NoChange: {ByPlanner}, PlanFailed: {ByPlanner}, Cancelled: {ByRequester, ByOwner, ByAdmin, ByEngine}},
	PlanFailed:       {Planning: {ByRequester}, Cancelled: {ByRequester, ByOwner, ByAdmin, ByEngine}, Expired: {ByClock}},
	ChangesRequested: {Planning: {ByRequester}, Cancelled: {ByRequester, ByOwner, ByAdmin, ByEngine}, Expired: {ByClock}},
	AwaitingApproval: {Approved: {ByApprover}, Rejected: {ByApprover}, ChangesRequested: {ByApprover},
		Planning: {ByRequester, ByApprover, ByAdmin, ByEngine}, Cancelled: {ByRequester, ByOwner, ByAdmin, ByEngine}, Expired: {ByClock}},
	Approved: {Running: {ByEngine}, Planning: {ByEngine}, Cancelled: {ByRequester, ByOwner, ByAdmin, ByEngine}},
	Running:  {Succeeded: {ByEngine}, Failed: {ByEngine}, Stopping: {ByRequester, ByOwner, ByAdmin}, Planning: {ByEngine}},
	Stopping: {Failed: {ByEngine}, Succeeded: {ByEngine}},
	Failed: {Running: {ByRequester, ByOwner, ByAdmin}, Planning: {ByRequester, ByOwner, ByAdmin},
		Undoing: {ByOwner, ByAdmin}, Abandoned: {ByOwner, ByAdmin, ByEngine}}, // by the engine when a deletion of its object has succeeded
	Undoing: {Undone: {ByEngine}, Failed: {ByEngine}},
}

// Effects says what becomes of what a request holds while it is in a state.
type Effects struct {
	HoldsLock  bool          // lock rows exist
	FreesName  bool          // a reserved name is given back, unless the object exists
	ExpireIn   time.Duration // product time after which the clock ends the state; zero: never
	ToFailed   bool          // a request that has run once ends this way in Failed instead
	SweepsPlan bool          // change sets made for the plan are deleted
}

var effects = map[RequestState]Effects{
	Planning:         {HoldsLock: true},
	PlanFailed:       {ExpireIn: 14 * 24 * time.Hour, SweepsPlan: true},
	ChangesRequested: {ExpireIn: 14 * 24 * time.Hour, SweepsPlan: true},
	AwaitingApproval: {ExpireIn: 14 * 24 * time.Hour},
	Running:          {HoldsLock: true},
	Stopping:         {HoldsLock: true},
	Undoing:          {HoldsLock: true},
	Succeeded:        {SweepsPlan: true}, // those of attempts that failed before
	NoChange:         {FreesName: true, SweepsPlan: true},
	Rejected:         {FreesName: true, ToFailed: true, SweepsPlan: true},
	Expired:          {FreesName: true, ToFailed: true, SweepsPlan: true},
	Cancelled:        {FreesName: true, ToFailed: true, SweepsPlan: true},
	Undone:           {FreesName: true, SweepsPlan: true},
	Abandoned:        {FreesName: true, SweepsPlan: true},
}

// DraftLife is how long a saved form is kept, in wall time.
const DraftLife = 30 * 24 * time.Hour

// PlanLife is how old a plan may be, in product time, before it is computed again when opened or approved.
const PlanLife = 24 * time.Hour

// Effects of the state.
func (s RequestState) Effects() Effects { return effects[s] }

// Final tells whether nothing leads out of the state.
func (s RequestState) Final() bool { return len(moves[s]) == 0 }

// Words is the state as a person reads it.
func (s RequestState) Words() string { return stateWords[s] }

var stateWords = map[RequestState]string{
	Draft: "a draft", Planning: "being planned", PlanFailed: "without a plan", ChangesRequested: "back for changes",
	AwaitingApproval: "awaiting approval", Approved: "approved", Running: "running", Stopping: "stopping", Failed: "failed", Undoing: "being undone",
	Succeeded: "done", NoChange: "done without a change", Rejected: "rejected", Expired: "expired", Cancelled: "cancelled", Undone: "undone", Abandoned: "abandoned",
}

// WaitingOn says in words what a live request waits for.
type WaitingOn struct {
	For   string    `json:"for"`            // another request, a person, a permission, a place in a queue
	Words string    `json:"words"`          // shown as it stands
	Ref   string    `json:"ref,omitempty"`  // id of what is waited for, when it has a page
	Since time.Time `json:"since"`          // product time
	Until time.Time `json:"until,omitzero"` // product time; zero: no limit

	Link    string   `json:"link,omitempty"`    // https address outside of Slipway where a person does what is waited for
	Action  string   `json:"action,omitempty"`  // what that address is for, as a button says it: "Create the stack in AWS"
	Command []string `json:"command,omitempty"` // the same on a command line, by line, for who prefers it
}

// Request is what someone asks for, from form to end.
type Request struct {
	ID            string
	Number        int64 // for people: REQ-1847
	Kind          RequestKind
	ObjectType    ObjectType
	ObjectID      string // the object it is about; set from the start, also while the object does not exist
	ObjectName    string // slug or name, for titles
	TenantID      string // empty while the tenant does not exist
	Title         string // "Create tenant logistics-returns"
	State         RequestState
	Inputs        json.RawMessage
	InputsBy      []string // person ids that wrote or edited the inputs; none of them may approve
	RequesterID   string
	RequesterName string
	Key           string // idempotency key of the form
	PlanID        string // current plan; empty before the first
	PlanHash      string
	RunID         string // empty until it first ran
	Waiting       *WaitingOn
	Reason        string    // why it is in its state: reject reason, plan failure, void reason
	StateSince    time.Time // product time
	CreatedAt     time.Time
	SubmittedAt   time.Time
	EndedAt       time.Time
}

// HasRun tells whether a run was ever started for it.
func (r Request) HasRun() bool { return r.RunID != "" }

// Move changes the state as the table allows for the mover, or says in words why not.
// A request that has run once ends by a decision on its rest in Failed, and by "nothing left to do" in Succeeded.
func (r *Request) Move(to RequestState, by Mover) error {
	movers, ok := moves[r.State][to]
	if !ok {
		return Errorf(Conflict, "This request is %s, so it cannot become %s.", r.State.Words(), to.Words())
	}
	if !slices.Contains(movers, by) {
		return Errorf(Conflict, "This request is %s; that move is not the %s's.", r.State.Words(), by)
	}
	if r.HasRun() {
		switch {
		case to.Effects().ToFailed:
			to = Failed
		case to == NoChange:
			to = Succeeded
		}
	}
	r.State = to
	return nil
}

// MoversOf lists in which capacities the actor may move the request, strongest right first.
func (r Request) MoversOf(a Actor) []Mover {
	if a.IsSystem() {
		return nil
	}
	var m []Mover
	if a.Has(PlatformAdmin) {
		m = append(m, ByAdmin)
	}
	if a.TenantRole(r.TenantID) == Owner {
		m = append(m, ByOwner)
	}
	if a.Person.ID == r.RequesterID && a.Person.ID != "" {
		m = append(m, ByRequester)
	}
	return m
}

// MayMove tells whether the person may lead the request to a state now, and in which capacity. Decisions go through MayDecide instead.
func (r Request) MayMove(a Actor, to RequestState) (Mover, bool) {
	for _, by := range r.MoversOf(a) {
		if slices.Contains(moves[r.State][to], by) {
			return by, true
		}
	}
	return "", false
}

// VisibleTo tells whether the request exists for the actor: its requester, its tenant's members, admins and auditors.
func (r Request) VisibleTo(a Actor) bool {
	return a.SeesTenant(r.TenantID) || a.Person.ID != "" && a.Person.ID == r.RequesterID
}

// Decision is what an approver says of exactly one plan.
type Decision string

// The decisions. Reject and ask need a reason.
const (
	Approve       Decision = "approve"
	Reject        Decision = "reject"
	AskForChanges Decision = "changes"
)

// Approval is a decision on one plan hash, by a person or, for Approve only, by a rule.
type Approval struct {
	ID         string
	RequestID  string
	PlanHash   string
	Decision   Decision
	PersonID   string // empty when a rule decided
	PersonName string
	Role       string // the right it was given with: platform-admin or owner
	RuleID     string // the rule that approved
	Reason     string
	BreakGlass bool
	Dropped    bool // a later plan differed, so it no longer counts
	At         time.Time
}

// Demand is how many people of a role must approve.
type Demand struct {
	Role  string   `json:"role"` // platform-admin or owner
	Count int      `json:"count"`
	Rules []string `json:"rules,omitempty"` // ids of the rules that ask for it
}

// MayDecide says why the actor may not decide on the plan; nil when they may, with the role their decision counts for.
func (r Request) MayDecide(a Actor, demands []Demand) (string, error) {
	switch {
	case a.IsSystem():
		return "", Errorf(Forbidden, "A component of Slipway can never approve.")
	case r.State != AwaitingApproval:
		return "", Errorf(Conflict, "This request is %s, so there is nothing to decide.", r.State.Words())
	case a.Person.ID == r.RequesterID || slices.Contains(r.InputsBy, a.Person.ID):
		return "", Errorf(Forbidden, "You asked for this yourself, so somebody else must decide.")
	}
	for _, d := range demands {
		if d.Role == string(PlatformAdmin) && a.Has(PlatformAdmin) || d.Role == string(Owner) && a.TenantRole(r.TenantID) == Owner {
			return d.Role, nil
		}
	}
	if a.Has(PlatformAdmin) {
		return string(PlatformAdmin), nil
	}
	return "", Errorf(Forbidden, "The rules do not let you decide on this plan.")
}

// Missing says what is still demanded after the approvals: N approvals are N people, and each counts once.
func Missing(demands []Demand, given []Approval) []Demand {
	var left []Demand
	for _, d := range demands {
		people := map[string]bool{}
		for _, a := range given {
			if a.Decision == Approve && !a.Dropped && a.Role == d.Role && a.PersonID != "" {
				people[a.PersonID] = true
			}
		}
		if n := d.Count - len(people); n > 0 {
			left = append(left, Demand{Role: d.Role, Count: n, Rules: d.Rules})
		}
	}
	return left
}
