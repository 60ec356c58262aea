package models

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// CollectHealth is the collector of how environments run.
const CollectHealth CollectorName = "health"

// Condition is how an environment runs, as far as AWS tells. RoleHealth is something else: it is about Slipway's own roles.
type Condition string

// The conditions, worst first. Not to know is worse than to have nothing to know.
const (
	Failing  Condition = "failing"  // it does not serve, or its stack is not as it should be
	Degraded Condition = "degraded" // it serves, but something of it is not as it should be
	Unread   Condition = "unknown"  // Slipway cannot read something that would tell
	NoData   Condition = "no_data"  // there is nothing to tell yet
	Healthy  Condition = "healthy"
)

// Conditions lists them, worst first.
func Conditions() []Condition { return []Condition{Failing, Degraded, Unread, NoData, Healthy} }

// Words is the condition as a sentence goes on: orders-dev is ...
func (c Condition) Words() string {
	switch c {
	case Unread:
		return "not known"
	case NoData:
		return "without data"
	}
	return string(c)
}

// Bad tells whether somebody should do something about it.
func (c Condition) Bad() bool { return c == Failing || c == Degraded }

func (c Condition) weight() int { return len(Conditions()) - slices.Index(Conditions(), c) }

// Rank orders environments: the worst condition has the highest, and among equals production comes before what is before it.
func (c Condition) Rank(s Stage) int { return 10*(c.weight()-1) + slices.Index(Stages(), s) }

// VitalKind is what a part of an environment's health is read from.
type VitalKind string

// The kinds of vitals, in the order in which equals are shown. They are stored: never rename a shipped one.
const (
	VitalStack       VitalKind = "stack"
	VitalTasks       VitalKind = "tasks"
	VitalTargets     VitalKind = "targets"
	VitalAlarm       VitalKind = "alarm"
	VitalCertificate VitalKind = "certificate"
	VitalHistory     VitalKind = "history" // of the alarms: only ever a gap
)

var vitalOrder = []VitalKind{VitalStack, VitalTasks, VitalTargets, VitalAlarm, VitalCertificate, VitalHistory}

// Vital is one part of an environment's health, as one round found it.
type Vital struct {
	Kind    VitalKind `json:"kind"`
	Name    string    `json:"name"` // as people know it: the service, the logical id of an alarm
	ID      string    `json:"id,omitempty"`
	State   Condition `json:"state"`
	Words   string    `json:"words"`
	Since   time.Time `json:"since,omitzero"` // as AWS says it
	Firm    bool      `json:"firm,omitempty"` // AWS has judged it over several periods: it counts without a second look
	Gap     *ReadGap  `json:"gap,omitempty"`  // why it is not known
	Have    int       `json:"have,omitempty"` // tasks that run, targets that are healthy
	Want    int       `json:"want,omitempty"` // of how many
	Rollout *Rollout  `json:"rollout,omitempty"`
	Expires time.Time `json:"expires,omitzero"` // of a certificate
	ReadAt  time.Time `json:"read_at,omitzero"`
	Owed    bool      `json:"owed,omitempty"` // an alarm has changed, and how could not be read yet
}

// Rollout is the deployment of a service that is under way or ended last.
type Rollout struct {
	State  string    `json:"state"` // ECS's own word: IN_PROGRESS, COMPLETED, FAILED
	Reason string    `json:"reason,omitempty"`
	Began  time.Time `json:"began,omitzero"`
	Failed int       `json:"failed,omitempty"` // tasks that could not start
}

// AlarmChange is one change of an alarm, as CloudWatch keeps it.
type AlarmChange struct {
	Alarm  string    `json:"alarm"`
	At     time.Time `json:"at"`
	State  string    `json:"state"` // CloudWatch's own word
	Reason string    `json:"reason"`
}

// EnvironmentReading is what one round found of one environment. Every part that was looked for is in it, also one that is a gap.
type EnvironmentReading struct {
	EnvironmentID string
	Vitals        []Vital
	Changes       []AlarmChange
}

// Read tells whether something of it could be read.
func (r EnvironmentReading) Read() bool {
	return slices.ContainsFunc(r.Vitals, func(v Vital) bool { return v.Gap == nil })
}

// WatchedEnvironment is an environment as the collector needs it: where it is, and which of its resources tell how it runs.
type WatchedEnvironment struct {
	ID         string
	Name       string
	TenantSlug string
	Stage      Stage
	Hibernated bool
	Waiting    bool // for its first image
	Stack      Stack
	Vitals     []Vital // of the round before
}

// Watchable are the types of resources that tell how an environment runs.
func Watchable() []string {
	return []string{"AWS::ECS::Cluster", "AWS::ECS::Service", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm",
		"AWS::CloudWatch::Dashboard", "AWS::CertificateManager::Certificate"}
}

// Assessment is what one round says of an environment as a whole.
type Assessment struct {
	State  Condition
	Reason string
	Since  time.Time // as AWS says it; zero: it does not
	Firm   bool
	Vitals []Vital // worst first
}

// Assess puts the vitals of one round together: the worst says how the whole is and why. What cannot be read hides nothing that is bad.
func Assess(vitals []Vital) Assessment {
	sorted := slices.Clone(vitals)
	slices.SortStableFunc(sorted, func(a, b Vital) int {
		return cmp.Or(b.State.weight()-a.State.weight(), slices.Index(vitalOrder, a.Kind)-slices.Index(vitalOrder, b.Kind), strings.Compare(a.Name, b.Name))
	})
	a := Assessment{State: NoData, Reason: "Nothing of it could be looked at yet.", Vitals: sorted}
	if len(sorted) == 0 {
		return a
	}
	worst := sorted[0]
	a.State, a.Reason, a.Since, a.Firm = worst.State, worst.Words, worst.Since, worst.Firm
	if !a.State.Bad() {
		a.Firm = false
	}
	switch more := 0; a.State {
	case Healthy:
		a.Reason, a.Since = wellWords(sorted), time.Time{}
	case NoData:
		if slices.ContainsFunc(sorted, func(v Vital) bool { return v.State == Healthy && v.Kind != VitalHistory }) {
			a.State, a.Reason, a.Since = Healthy, wellWords(sorted), time.Time{}
		}
	default:
		for _, v := range sorted[1:] {
			if v.State == a.State || v.State.Bad() {
				more++
			}
		}
		if more > 0 {
			a.Reason += plural(more, ", and 1 more", ", and %d more")
		}
	}
	return a
}

// wellWords says what was looked at and is well.
func wellWords(vitals []Vital) string {
	var parts []string
	alarms := 0
	for _, v := range vitals {
		switch {
		case v.State != Healthy:
		case v.Kind == VitalAlarm:
			alarms++
		case v.Kind == VitalTasks, v.Kind == VitalTargets:
			parts = append(parts, v.Words)
		}
	}
	if alarms > 0 {
		parts = append(parts, plural(alarms, "its alarm is quiet", "all %d alarms are quiet"))
	}
	if len(parts) == 0 {
		return "Its stack is as it should be"
	}
	return strings.Join(parts, ", ")
}
