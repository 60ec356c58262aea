package models

import "time"

// Swept names a kind of rows that the nightly sweep removes. Names are stored: never rename a shipped one.
type Swept string

// What is removed when it is old, and nothing else ever is.
const (
	SweptSessions      Swept = "sessions"
	SweptSignIns       Swept = "sign_ins"
	SweptLogouts       Swept = "logout_tokens"
	SweptCITokens      Swept = "ci_tokens"
	SweptDrafts        Swept = "drafts"
	SweptKeys          Swept = "idempotency_keys"
	SweptEvents        Swept = "step_events"
	SweptWork          Swept = "finished_work"
	SweptDrifts        Swept = "drift_checks"
	SweptHealth        Swept = "health_changes"
	SweptAlarms        Swept = "alarm_changes"
	SweptNotices       Swept = "notifications"
	SweptCalls         Swept = "aws_calls"
	SweptProcesses     Swept = "processes"
	SweptCosts         Swept = "cost_days"
	SweptSpends        Swept = "tenant_spends"
	SweptMeter         Swept = "metered_calls"
	SweptOrders        Swept = "pipeline_orders"
	SweptEvidence      Swept = "evidence"
	SweptScans         Swept = "image_scans"
	SweptExecutions    Swept = "pipeline_executions"
	SweptJobs          Swept = "queue_jobs"
	SweptDiscardedJobs Swept = "discarded_jobs"
)

// Retention says how long one kind of rows is kept.
type Retention struct {
	Name  Swept
	What  string // as people say it
	Since string // what the age is counted from
	Age   time.Duration
	Note  string // what stays, or who removes it
}

const day = 24 * time.Hour

var retentions = []Retention{
	{SweptSessions, "Sessions", "their end", day, "A form that is posted too late still becomes a draft of its person."},
	{SweptSignIns, "Sign-ins that came to nothing", "their expiry", time.Hour, ""},
	{SweptLogouts, "Sign-outs by the provider", "their expiry", time.Hour, "So long, one that is sent again is known."},
	{SweptCITokens, "Tokens of workflows that were accepted", "their expiry", time.Hour, "So long, one that is sent again is known. Only a hash of them is kept."},
	{SweptDrafts, "Drafts of forms", "the last save", DraftLife, ""},
	{SweptKeys, "Idempotency keys of forms", "the submit", 7 * day, "The request or comment itself stays; the same form sent later than that is a new one."},
	{SweptEvents, "Step events of runs", "the end of the run", 90 * day, "Run, steps, resources and result stay. A run that failed keeps its events until it is over for good."},
	{SweptWork, "Finished background work", "its begin", 30 * day, ""},
	{SweptDrifts, "Drift checks", "their start", 90 * day, "The newest of each environment, and an acceptance in force, stay."},
	{SweptHealth, "Changes of environments' health", "the change", 90 * day, "The health itself is kept as long as the environment."},
	{SweptAlarms, "Changes of alarms", "the change", 90 * day, "CloudWatch itself keeps them for 30 days."},
	{SweptNotices, "Notifications", "their event", 90 * day, "One that is still to be sent stays until it is sent or given up."},
	{SweptCalls, "Counts of AWS calls", "their hour", 30 * day, ""},
	{SweptProcesses, "Processes of Slipway", "their last sign of life", day, ""},
	{SweptCosts, "Costs by day", "their day", 400 * day, "So long, the same days of the year before are there to compare with."},
	{SweptSpends, "Months of budgets, with what was told of them", "their month", 1125 * day, "Three years."},
	{SweptMeter, "Counts of calls that cost money", "their day", 400 * day, ""},
	{SweptOrders, "What people asked of executions", "it was done", 90 * day, "The audit entry stays."},
	{SweptEvidence, "Evidence that CI posted, with its files", "it was posted", 400 * day, "That of an image that runs somewhere stays. What a promotion was judged by stays with the promotion."},
	{SweptScans, "Scans of images", "they were last read", 400 * day, "Those of an image that runs somewhere stay."},
	{SweptExecutions, "Executions of pipelines", "their end", 400 * day, "The newest of each pipeline, and those that built an image or asked for a promotion, stay."},
	{SweptJobs, "Wake-ups in the queue", "their end", day, "The queue removes them itself, all the time."},
	{SweptDiscardedJobs, "Wake-ups that failed for good", "their end", 7 * day, "The queue removes them itself, all the time."},
}

// Retentions lists what is removed and when, in the order in which it is swept.
func Retentions() []Retention { return append([]Retention(nil), retentions...) }

// KeptFor is the age at which rows of a kind are removed; zero for a kind that nobody removes.
func KeptFor(name Swept) time.Duration {
	for _, r := range retentions {
		if r.Name == name {
			return r.Age
		}
	}
	return 0
}

// KeptForEver is what no sweep touches, as people say it.
func KeptForEver() []string {
	return []string{"audit entries and their seals", "requests, plans and rules' results", "approvals and comments", "runs and steps", "receipts", "blueprint versions", "builds", "promotions and deployments",
		"waivers of gates and freezes of stages"}
}

// sweepHour is when the nightly sweep is due, UTC.
const sweepHour = 3

// NextSweep is the next night's sweep after a time.
func NextSweep(after time.Time) time.Time {
	y, m, d := after.UTC().Date()
	next := time.Date(y, m, d, sweepHour, 0, 0, 0, time.UTC)
	if !next.After(after) {
		next = next.Add(day)
	}
	return next
}

// SweepReport is what the last nightly sweep did, or the one that is going on has done so far.
type SweepReport struct {
	Started time.Time // product time; zero: none has begun yet
	Ended   time.Time // zero: it goes on
	Due     time.Time // when the next one may begin
	Removed map[Swept]int64
}
