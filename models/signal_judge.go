package models

import (
	"fmt"
	"strings"
	"time"
)

// How long before its end a certificate counts. ACM renews one that it can prove sixty days before.
const (
	CertificateWarns = 30 * 24 * time.Hour
	certificateFails = 7 * 24 * time.Hour
	rolloutTime      = 20 * time.Minute // so long may a deployment take before missing tasks count
)

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}

// GapVital is a part that could not be read.
func GapVital(kind VitalKind, name, id string, gap ReadGap) Vital {
	v := Vital{Kind: kind, Name: name, ID: id, State: Unread, Words: "Slipway cannot read " + gap.What + gap.why(), Gap: &gap}
	if kind == VitalHistory { // what was says nothing about what is
		v.State = NoData
	}
	return v
}

// why says in a few words what stands in the way.
func (g ReadGap) why() string {
	switch g.Kind {
	case GapDenied:
		if g.Permission != "" {
			return ": " + g.Permission + " is missing"
		}
		return ": AWS refuses it"
	case GapThrottled:
		return ": AWS asks to slow down"
	case GapUnavailable:
		return ": AWS does not answer"
	case GapSkewed:
		return ": its clock is off"
	case GapAbsent:
		return ": AWS does not know it"
	}
	return ""
}

// JudgeStack says how a stack stands. status is CloudFormation's own word; empty: there is none.
func JudgeStack(name, status, reason string, since time.Time) Vital {
	v := Vital{Kind: VitalStack, Name: name, State: Healthy, Words: "The stack is as it should be", Since: since}
	switch {
	case status == "" || status == "DELETE_COMPLETE":
		v.State, v.Words = Failing, "The stack is gone"
	case status == "ROLLBACK_COMPLETE":
		v.State, v.Words = Failing, "The stack could not be made"
	case status == "UPDATE_ROLLBACK_COMPLETE":
		v.Words = "The last change of the stack was rolled back"
	case status == "UPDATE_ROLLBACK_FAILED":
		v.State, v.Words = Failing, "The roll-back of the stack stopped"
	case strings.HasSuffix(status, "_FAILED"):
		v.State, v.Words = Failing, "CloudFormation says "+status
	case strings.HasSuffix(status, "_IN_PROGRESS"):
		v.Words = "CloudFormation works on the stack"
	}
	if v.State == Failing && reason != "" {
		v.Words += ": " + strings.TrimSuffix(clipWords(reason, 200), ".")
	}
	return v
}

// JudgeTasks says how a service runs: its tasks, and the deployment that is under way.
func JudgeTasks(name, id string, running, desired int, rollout *Rollout, now time.Time) Vital {
	v := Vital{Kind: VitalTasks, Name: name, ID: id, State: Healthy, Have: running, Want: desired, Rollout: rollout}
	if desired == 0 {
		v.Words = "no task should run"
		if running > 0 {
			v.Words = plural(running, "1 task ends", "%d tasks end")
		}
		return v
	}
	v.Words = fmt.Sprintf("%d of %s", running, plural(desired, "1 task runs", "%d tasks run"))
	deploying := rollout != nil && rollout.State == "IN_PROGRESS" && now.Sub(rollout.Began) < rolloutTime
	switch {
	case rollout != nil && rollout.State == "FAILED":
		v.State = Degraded
		v.Words += ", and the deployment failed"
	case rollout != nil && rollout.State == "IN_PROGRESS" && rollout.Failed > 0:
		v.State = Degraded
		v.Words += ", and the deployment cannot start its tasks: " + plural(rollout.Failed, "1 has failed", "%d have failed")
	case deploying:
		v.Words += ", a deployment is under way"
		return v
	case running < desired:
		v.State = Degraded
	}
	if running == 0 {
		v.State = Failing
	}
	return v
}

// JudgeTargets says how many of an environment's targets take requests. all counts those that should.
func JudgeTargets(name string, healthy, all, starting int, tasks *Vital) Vital {
	v := Vital{Kind: VitalTargets, Name: name, State: Healthy, Have: healthy, Want: all, Words: fmt.Sprintf("%d of %s", healthy, plural(all, "1 target is healthy", "%d targets are healthy"))}
	switch {
	case all == 0 && tasks != nil && tasks.Gap == nil && tasks.Want == 0:
		v.Words = "no target is needed"
	case all == 0:
		v.State, v.Words = NoData, "No target is registered"
	case healthy == 0 && starting < all:
		v.State = Failing
	case healthy+starting < all:
		v.State = Degraded
	}
	return v
}

// Alarm is an alarm as CloudWatch describes it.
type Alarm struct {
	Name      string
	Logical   string // its logical id in the stack
	Words     string // its description
	State     string // CloudWatch's own word
	Reason    string
	Since     time.Time
	Errors    bool // it watches for server errors
	Composite bool
}

// JudgeAlarm says what an alarm says. One that watches for server errors says that requests fail.
func JudgeAlarm(a Alarm) Vital {
	v := Vital{Kind: VitalAlarm, Name: a.Logical, ID: a.Name, State: Healthy, Words: a.Logical + " is quiet", Since: a.Since}
	switch a.State {
	case "ALARM":
		v.State, v.Firm, v.Words = Degraded, true, strings.TrimSuffix(a.Words, ".")
		if v.Words == "" {
			v.Words = "The alarm " + a.Logical + " rings"
		}
		if a.Errors {
			v.State = Failing
		}
	case "INSUFFICIENT_DATA":
		v.State, v.Words = NoData, a.Logical+" has no data yet"
	}
	return v
}

// JudgeCertificate says how long a certificate is good for. status is ACM's own word.
func JudgeCertificate(name, id, status string, expires, now time.Time) Vital {
	v := Vital{Kind: VitalCertificate, Name: name, ID: id, State: Healthy, Expires: expires, ReadAt: now, Words: "The certificate is good"}
	left := expires.Sub(now)
	switch {
	case status == "PENDING_VALIDATION":
		v.State, v.Words = NoData, "The certificate is not proved yet"
	case status == "EXPIRED" || status == "ISSUED" && !expires.IsZero() && left <= 0:
		v.State, v.Words = Failing, "The certificate has expired"
	case status != "ISSUED":
		v.State, v.Words = Failing, "ACM says that the certificate is "+strings.ToLower(strings.ReplaceAll(status, "_", " "))
	case expires.IsZero():
	case left < certificateFails:
		v.State, v.Words = Failing, "The certificate expires "+inDays(left)+" and was not renewed"
	case left < CertificateWarns:
		v.State, v.Words = Degraded, "The certificate expires "+inDays(left)+" and was not renewed"
	default:
		v.Words = "The certificate is good until " + expires.UTC().Format("2 January 2006")
	}
	return v
}

func inDays(left time.Duration) string {
	return plural(int(left/(24*time.Hour)), "in 1 day", "in %d days")
}

// clipWords cuts a text at a number of characters.
func clipWords(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return strings.TrimSpace(string(r[:most-1])) + "…"
	}
	return s
}
