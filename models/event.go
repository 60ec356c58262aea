package models

import (
	"fmt"
	"slices"
	"time"
)

// EventKind is what happened, as people choose what they are told of. Kinds are stored: never rename a shipped one.
type EventKind string

// The kinds of events.
const (
	TellApprovers  EventKind = "approve"     // a plan waits for the reader's decision
	TellDecided    EventKind = "decided"     // approved, rejected, sent back, expired or withdrawn by somebody else
	TellFailed     EventKind = "failed"      // a plan or run that stopped; a person decides
	TellBlocked    EventKind = "blocked"     // a run that waits for a permission or a person
	TellDone       EventKind = "done"        // a request that has reached its end
	TellBreakGlass EventKind = "break_glass" // an admin approved alone
	TellExpiry     EventKind = "expiry"      // an environment's end comes near, or has come
	TellFreeze     EventKind = "freeze"      // new runs are stopped, or go on again
	TellRoleLost   EventKind = "role_lost"   // Slipway cannot do its work in an account any more
	TellHealth     EventKind = "health"      // an environment is not healthy any more, or is again
	TellBudget     EventKind = "budget"      // a tenant's month passes 80 or 100 % of its budget
	TellGate       EventKind = "gate"        // a promotion fails a gate
	TellTest       EventKind = "test"        // somebody asked for a message to see one
)

// EventChoice is one kind as people choose it.
type EventChoice struct {
	Kind   EventKind
	Title  string
	Words  string
	Forced bool // cannot be switched off
}

// EventChoices lists what people choose from, in the order of their pages. All of it is on until somebody says otherwise.
func EventChoices() []EventChoice {
	return []EventChoice{
		{TellApprovers, "A plan waits for my approval", "A plan that you could decide on now, and that is not your own.", false},
		{TellDecided, "My request was decided", "Approved, rejected, sent back for changes, expired, or withdrawn by somebody else.", false},
		{TellFailed, "My request failed", "Its plan could not be made, or its run stopped.", false},
		{TellBlocked, "A run waits for somebody", "Your request waits for a person or a permission. Platform admins hear of missing permissions, too.", false},
		{TellDone, "My request is done", "Done, undone or given up.", false},
		{TellExpiry, "An environment ends", "Warnings before its end, and the end itself: for the tenant's owners and whoever ordered it.", false},
		{TellBudget, "A budget is passed", "A tenant's month reaches 80 or 100 % of its budget, so far or by AWS's forecast: for its owners.", false},
		{TellHealth, "An environment is not healthy", "For owners and developers of its tenant: it is failing or degraded, or healthy again.", false},
		{TellGate, "A promotion fails a gate", "For owners and developers of its tenant: an image does not get to a stage before it passes, or somebody waives the gate.", false},
		{TellFreeze, "Runs are frozen", "New runs of your tenants, or all of them, are stopped or go on again.", false},
		{TellRoleLost, "Slipway lost a role", "For platform admins: an account in which a permission is missing.", false},
		{TellBreakGlass, "The glass was broken", "For platform admins: somebody approved alone. It is always sent.", true},
	}
}

// EventKinds lists the kinds that webhooks can be narrowed to.
func EventKinds() []EventKind {
	var kinds []EventKind
	for _, c := range EventChoices() {
		kinds = append(kinds, c.Kind)
	}
	return kinds
}

// Event is something that people are told of. The store writes it in the transaction that it describes (tx.tell), so that none is lost;
// who is told is found out later, by right.
type Event struct {
	ID         string
	Kind       EventKind
	Object     ObjectType // what it is about; with a request: the request's object
	ObjectID   string
	ObjectName string
	TenantID   string // whose members may be told; empty: no tenant's
	RequestID  string // the request it is about; empty: none
	State      string // of the request, an expiry's warning, what is waited for, or the destination of a test
	PlanID     string // the plan that waits for approval
	PlanHash   string
	PersonID   string // told besides those whom the kind says: who ordered an environment, who asked for a test
	ByID       string // who did it, and so knows
	ByName     string
	Subject    string    // one line, without a full stop
	Words      string    // what happened and what to do, for people
	At         time.Time // product time; the store sets it
}

// RequestEvent is what people are told when a request has reached a state; false: nothing.
func RequestEvent(by Actor, r Request) (Event, bool) {
	e := Event{Object: r.ObjectType, ObjectID: r.ObjectID, ObjectName: r.ObjectName, TenantID: r.TenantID, RequestID: r.ID, State: string(r.State),
		PlanID: r.PlanID, PlanHash: r.PlanHash, ByID: by.Person.ID, ByName: by.Name()}
	name := fmt.Sprintf("REQ-%d %s", r.Number, r.Title)
	switch r.State {
	case AwaitingApproval:
		e.Kind, e.Subject = TellApprovers, name+" waits for your approval"
		e.Words = r.RequesterName + " asks for it. Look at its plan and decide."
	case Approved:
		if by.IsSystem() { // by a rule at once, or by approvals that were given and told before
			return Event{}, false
		}
		e.Kind, e.Subject, e.Words = TellDecided, name+" is approved", by.Name()+" has approved it. Its run starts by itself."
	case Rejected:
		e.Kind, e.Subject, e.Words = TellDecided, name+" is rejected", by.Name()+" has rejected it: "+r.Reason
	case ChangesRequested:
		e.Kind, e.Subject, e.Words = TellDecided, name+" needs changes", by.Name()+" asks for changes: "+r.Reason
	case Expired:
		e.Kind, e.Subject, e.Words = TellDecided, name+" has expired", r.Reason+" Ask again if it is still wanted."
	case Cancelled:
		e.Kind, e.Subject, e.Words = TellDecided, name+" is withdrawn", by.Name()+" has withdrawn it."
	case PlanFailed:
		e.Kind, e.Subject, e.Words = TellFailed, name+" could not be planned", r.Reason
	case Failed:
		e.Kind, e.Subject, e.Words = TellFailed, name+" has failed", r.Reason+" Look at the run, then retry, undo or give it up."
	case Succeeded, NoChange:
		e.Kind, e.Subject, e.Words = TellDone, name+" is done", "It has ended well."
	case Undone:
		e.Kind, e.Subject, e.Words = TellDone, name+" is undone", "What could be taken back is taken back. The run names what stays."
	case Abandoned:
		e.Kind, e.Subject, e.Words = TellDone, name+" was given up", "What was made stays as it is."
	default:
		return Event{}, false
	}
	return e, true
}

// GlassEvent is what all admins are told when one of them has approved alone.
func GlassEvent(by Actor, r Request, reason string) Event {
	return Event{Kind: TellBreakGlass, Object: r.ObjectType, ObjectID: r.ObjectID, ObjectName: r.ObjectName, TenantID: r.TenantID, RequestID: r.ID, PlanID: r.PlanID, PlanHash: r.PlanHash,
		ByID: by.Person.ID, ByName: by.Name(), Subject: fmt.Sprintf("%s broke the glass on REQ-%d %s", by.Name(), r.Number, r.Title),
		Words: by.Name() + " approved it alone: " + reason}
}

// EndEvent is what people are told of an environment's end: a warning before it, or with the empty warning that it has come.
func EndEvent(e Environment, ordered, warning string) Event {
	ev := Event{Kind: TellExpiry, Object: EnvironmentObject, ObjectID: e.ID, ObjectName: e.Name, TenantID: e.TenantID, State: warning, PersonID: ordered, ByName: "expiry",
		Subject: fmt.Sprintf("%s of %s has reached its end", e.Name, e.TenantSlug)}
	for _, w := range ExpiryWarnings() {
		if w.Key == warning {
			ev.Subject = fmt.Sprintf("%s of %s ends %s", e.Name, e.TenantSlug, w.Words)
			ev.Words = "Its end is " + e.ExpiresAt.UTC().Format("2 January 2006, 15:04 MST") + ". Extend it on its page if it is still needed; otherwise it is put to sleep and, a week later, deleted."
		}
	}
	return ev
}

// TestOf is a message that somebody asked for to see one: to themselves, or to a destination.
func TestOf(by Actor, destination string) Event {
	e := Event{Kind: TellTest, State: destination, ByID: by.Person.ID, ByName: by.Name(), Subject: "Slipway sends a test", Words: by.Name() + " asked for this message. It says that it arrives."}
	if destination == "" {
		e.PersonID = by.Person.ID
	}
	return e
}

// blockers are what a request waits for when somebody has to do something, as WaitingOn.For says it.
var blockers = []string{"a permission", "a person"}

// Blocks tells whether somebody must do something before what waits goes on.
func (w *WaitingOn) Blocks() bool { return w != nil && slices.Contains(blockers, w.For) }

// BlockedEvent is what people are told when a request begins to wait for somebody.
func BlockedEvent(r Request, w WaitingOn) Event {
	return Event{Kind: TellBlocked, Object: r.ObjectType, ObjectID: r.ObjectID, ObjectName: r.ObjectName, TenantID: r.TenantID, RequestID: r.ID, State: w.For,
		ByName: "engine", Subject: fmt.Sprintf("REQ-%d %s waits for %s", r.Number, r.Title, w.For), Words: w.Words}
}

// Standing is what is true of an event's request when a message is about to leave.
type Standing struct {
	Request  *Request // nil: it has none
	Missing  []Demand // what is still demanded of its plan
	Decided  []string // person ids that have approved the plan already
	Warned   string   // an environment's last warning
	ByItself bool     // Slipway itself asked for the request
}

// Concerns tells whether the person may and should hear of the event. Nobody is told of what they did themselves, but of a broken glass.
func (e Event) Concerns(a Actor, s Standing) bool {
	if a.Person.ID == "" || a.Person.Issuer == SystemIssuer {
		return false
	}
	mine := a.Person.ID == e.PersonID
	switch e.Kind {
	case TellTest:
		return mine
	case TellBreakGlass, TellRoleLost:
		return a.Has(PlatformAdmin)
	case TellBudget:
		return a.TenantRole(e.TenantID) == Owner
	case TellExpiry:
		return mine || a.TenantRole(e.TenantID) == Owner
	case TellHealth, TellGate:
		return a.TenantRole(e.TenantID).Includes(Developer)
	case TellFreeze:
		if e.ByID == a.Person.ID {
			return false
		}
		return a.Has(PlatformAdmin) || slices.ContainsFunc(a.Memberships, func(m Membership) bool {
			return (e.TenantID == "" || m.TenantID == e.TenantID) && m.Role.Includes(Developer)
		})
	}
	switch {
	case s.Request == nil || e.ByID == a.Person.ID:
		return false
	case e.Kind == TellApprovers:
		return s.awaits(a)
	case e.Kind == TellBlocked && e.State == "a permission" && a.Has(PlatformAdmin):
		return true
	}
	return s.asked(a)
}

// awaits tells whether the person's decision is still demanded.
func (s Standing) awaits(a Actor) bool {
	r := s.Request
	if a.Person.ID == r.RequesterID || slices.Contains(r.InputsBy, a.Person.ID) || slices.Contains(s.Decided, a.Person.ID) {
		return false
	}
	for _, d := range s.Missing {
		if d.Role == string(PlatformAdmin) && a.Has(PlatformAdmin) || d.Role == string(Owner) && a.TenantRole(r.TenantID) == Owner {
			return true
		}
	}
	return false
}

// asked tells whether the person asked for the request, or owns the tenant for which Slipway itself did.
func (s Standing) asked(a Actor) bool {
	if s.ByItself {
		return a.TenantRole(s.Request.TenantID) == Owner
	}
	return a.Person.ID == s.Request.RequesterID
}

// Over tells why a message of the event would be about what is no more so; empty while it holds.
func (e Event) Over(s Standing) string {
	if e.Kind == TellExpiry && e.State != "" && e.State != s.Warned {
		return "The environment got another end, or a newer warning."
	}
	if s.Request == nil {
		return ""
	}
	now := s.Request.State
	switch e.Kind {
	case TellApprovers:
		if now != AwaitingApproval || s.Request.PlanHash != e.PlanHash {
			return fmt.Sprintf("The request is %s now, or has another plan.", now.Words())
		}
	case TellFailed:
		if string(now) != e.State {
			return fmt.Sprintf("The request is %s now.", now.Words())
		}
	case TellDecided:
		if e.State == string(ChangesRequested) && now != ChangesRequested {
			return fmt.Sprintf("The request is %s now.", now.Words())
		}
	case TellBlocked:
		if !s.Request.Waiting.Blocks() {
			return "The request waits for nobody any more."
		}
	}
	return ""
}

// Forced tells whether everybody whom the kind concerns is told, whatever they chose.
func (k EventKind) Forced() bool {
	return k == TellTest || slices.ContainsFunc(EventChoices(), func(c EventChoice) bool { return c.Kind == k && c.Forced })
}
