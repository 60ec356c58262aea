package models

import "time"

const (
	roundsToTurn = 2         // equal rounds that change a state
	calmAfter    = time.Hour // so long after a change, an alarm alone does not change the state
)

// Course is how an environment's health goes on from round to round: what counts, and what the last rounds found instead.
type Course struct {
	State  Condition
	Reason string
	Since  time.Time // wall time, or what AWS says
	Turned time.Time // when State changed last

	Seen   Condition // what the last rounds found, while it is not State; empty: they found State
	SeenAt time.Time
	Rounds int

	Told Condition // what people were told of and not yet that it is over; empty: nothing
}

// Tale is what people are told of a change.
type Tale string

// The tales.
const (
	TaleNone  Tale = ""
	TaleBegan Tale = "began" // it is not healthy, or worse than was told
	TaleEnded Tale = "ended" // it is healthy again
)

// After is the course after one more round. A state changes when two rounds in a row have found another, so that what flaps floods
// nobody. An alarm of AWS counts at once, because AWS has judged it over several periods already; within the hour after a change it does
// not. From no data to healthy needs no second look. A change to what is not healthy, and that getting worse, is told once, and its end once.
func (c Course) After(a Assessment, at time.Time) (next Course, turned bool, tale Tale) {
	next = c
	if next.State == "" {
		next.State, next.Since = NoData, at
	}
	if a.State == next.State {
		next.Reason, next.Seen, next.SeenAt, next.Rounds = a.Reason, "", time.Time{}, 0
		return next, false, TaleNone
	}
	if a.State == c.Seen || a.State.Bad() && c.Seen.Bad() {
		next.Rounds++
	} else {
		next.Rounds, next.SeenAt = 1, at
	}
	next.Seen = a.State
	firm := a.Firm && (c.Turned.IsZero() || at.Sub(c.Turned) >= calmAfter)
	if next.Rounds < roundsToTurn && !firm && (next.State != NoData || a.State != Healthy) {
		return next, false, TaleNone
	}
	since := next.SeenAt
	if a.Firm && !a.Since.IsZero() && a.Since.Before(since) {
		since = a.Since
	}
	first := next.State == NoData && a.State == Healthy
	next = Course{State: a.State, Reason: a.Reason, Since: since, Turned: at, Told: c.Told}
	if first {
		next.Turned = c.Turned
	}
	switch {
	case a.State == Healthy && c.Told != "":
		next.Told, tale = "", TaleEnded
	case a.State.Bad() && a.State.weight() > toldWeight(c.Told):
		next.Told, tale = a.State, TaleBegan
	}
	return next, true, tale
}

func toldWeight(told Condition) int {
	if told == "" {
		return 0
	}
	return told.weight()
}

// HealthEvent is what a tenant's people are told when one of its environments is not healthy any more, or is again.
func HealthEvent(e Environment, c Course, tale Tale) Event {
	ev := Event{Kind: TellHealth, Object: EnvironmentObject, ObjectID: e.ID, ObjectName: e.Name, TenantID: e.TenantID, State: string(c.State), ByName: "health"}
	name := e.Name + " of " + e.TenantSlug
	if tale == TaleEnded {
		ev.Subject, ev.Words = name+" is healthy again", c.Reason+"."
		return ev
	}
	ev.Subject = name + " is " + c.State.Words() + ": " + c.Reason
	ev.Words = c.Reason + ", since " + c.Since.UTC().Format("15:04 MST") + ". Its page shows what it was read from, its four signals and what was deployed."
	return ev
}
