package views

import (
	"slipway/models"
	"slipway/views/ui"
)

// Request is a request's page: plan, cost, rules, who must approve, discussion, decision.
type Request struct {
	ID        string
	Number    string // REQ-1847
	Title     string // Create tenant logistics-returns
	Kind      models.RequestKind
	State     models.RequestState
	Requester string
	Asked     ui.When
	Facts     []ui.Fact // account, region, stage, as far as they apply
	TenantURL string    // the tenant's page once it exists; empty before

	ObjectURL  string // page of what it is about, once it ran
	ObjectWord string

	Promotion *PromotionBrief // that it carries out; nil: it is none

	Life   Life     // notes under the stages of its life
	Reason string   // why it is in its state: reject reason, what to change, why the plan was voided
	By     string   // who gave the reason; empty for Slipway itself
	Failed *Failure // plan failed or run failed: why
	Wait   *Waiting // what it waits for

	Plan      *Plan  // nil before the first plan is ready
	PlanGood  string // "good for 21 h 54 m", "3 h old, is computed again when approved"
	Demands   []Demand
	DemandWhy string // why so many, in words; may be empty
	Rules     []Rule
	Effect    []ui.Pair // monthly, usual time, undo, template
	Inputs    []Input
	Comments  []Comment

	RunID   string // empty before it first ran
	RunNote string // "Step 4 of 9: Wait for access"
	Undo    *Undo  // this person may take the failed run back; nil otherwise

	MayDecide  bool   // this person may approve, reject or ask for changes now
	Glass      *Glass // break-glass is on and this person is an admin; nil otherwise
	WhyNot     string // why this person may not; shown in the bar's place while it waits
	MayReplan  bool   // may have the plan computed again
	MayCancel  bool
	MayEdit    bool // may change the inputs: plan failed or changes asked for
	MayComment bool

	CSRF string
	Key  string // idempotency key of this page's forms; handlers scope it by route
}

// Glass is the way around four eyes: one admin approves alone.
type Glass struct {
	Fresh bool // the person has signed in for it in the last five minutes
}

// Life is what stands under each stage of a request's life. Empty notes are left blank.
type Life struct {
	Asked   string // "2 h 06 m ago"
	Planned string // "took 48 s"
	Decided string // "1 of 2 given", "by rule dev-under-50"
	Ran     string // "usually 14 m", "took 12 m 40 s"
	Ended   string
	HadPlan bool
}

// Waiting says what a live request waits for.
type Waiting struct {
	Words string // "two accounts wait in front for the creation slot"
	Since ui.When
	Until ui.When // zero: no limit
	URL   string  // page of what it waits for; may be empty

	Person  bool     // somebody must do something outside of Slipway
	Link    ui.Out   // where; may be empty
	Command []string // or how, on a command line
}

// Plan is what the request would do, as it was hashed.
type Plan struct {
	Hash         string // in full; pages show the first eight digits
	Tally        map[models.Action]int
	Total        int // things looked at, existing ones included
	Parts        []PlanPart
	Cost         []CostRow
	CostNow      string // "$442.87"
	CostPlanned  string
	CostDelta    string
	PriceNote    string       // "eu-west-1 list prices of 20 Nov 2026"
	NotEstimated []string     // what the cost leaves out
	BudgetNote   string       // "8 % of the budget of $2,500"
	Notes        []string     // "prices changed since the approval"
	Estimate     *ui.Estimate // position by position; nil for plans without one
	Problems     []PlanSaid   // what AWS said of what the plan does not change
}

// PlanSaid is what AWS said of one resource.
type PlanSaid struct {
	Resource string
	ui.Said
}

// PlanParameter is one value that a stack is given. What people did not answer, Slipway takes from what the stack stands on.
type PlanParameter struct {
	Name, Value string
	Answered    bool
}

// PlanPart is the plan's share in one place.
type PlanPart struct {
	ID      string // unique on the page
	Name    string // "Account payments-nonprod", "Organization"
	Note    string // account number, region, baseline version
	Changes []ui.Change
	Folds   []ui.Fold   // many harmless changes of a kind behind one row
	There   []ui.Change // what exists already, when it is too little to fold

	Parameters []PlanParameter
}

// CostRow is one monthly position.
type CostRow struct {
	Item    string
	Part    string // which account; may be empty
	Now     string
	Planned string
	Delta   string
	Dir     int // 1 rises, -1 falls, 0 stays
}

// Demand is one decision that is needed or was given.
type Demand struct {
	Who   string // "A platform-admin", "An owner of payments", "Rule dev-under-50"
	Note  string // "you, Jonas Weil or Noor Haddad", "Ines Okafor"
	When  ui.When
	State DemandState
}

// DemandState is where one needed decision stands.
type DemandState string

// The states of a demand.
const (
	DemandWaiting  DemandState = "waiting"
	DemandApproved DemandState = "approved"
	DemandRejected DemandState = "rejected"
	DemandChanges  DemandState = "changes"
	DemandDropped  DemandState = "dropped" // given for an earlier plan that differed
	DemandByRule   DemandState = "rule"    // a rule approved, no person
	DemandNobody   DemandState = "nobody"  // no one can give it now
)

// Rule is what one rule said of the plan.
type Rule struct {
	ID      string
	Title   string
	Effect  string // pass, warn, deny, require, approve
	Message string
	Error   string // the rule could not be evaluated, which counts as a deny
}

// Input is one answer of the form.
type Input struct {
	Label string
	Value string
	Mark  string // "nobody with this group has signed in yet"; empty: nothing to mark
	Code  bool
}

// Comment is one contribution to the discussion.
type Comment struct {
	Who  string
	Role string // owner, platform-admin, requester
	Body string
	When ui.When
}

var demandStates = map[DemandState]ui.State{
	DemandWaiting:  {Label: "Waiting", Tone: ui.Wait},
	DemandApproved: {Label: "Approved", Tone: ui.OK},
	DemandRejected: {Label: "Rejected", Tone: ui.Fail},
	DemandChanges:  {Label: "Asked for changes", Tone: ui.Warn},
	DemandDropped:  {Label: "For an earlier plan", Tone: ui.Idle},
	DemandByRule:   {Label: "Approved by rule", Tone: ui.OK, Icon: ui.IconScale},
	DemandNobody:   {Label: "Nobody can", Tone: ui.Fail},
}

var ruleStates = map[string]ui.State{
	"pass":    {Label: "Passes", Tone: ui.OK},
	"warn":    {Label: "Warns", Tone: ui.Warn},
	"deny":    {Label: "Denies", Tone: ui.Fail},
	"require": {Label: "Wants a person", Tone: ui.Wait},
	"approve": {Label: "Approves", Tone: ui.OK, Icon: ui.IconScale},
}

func ruleState(r Rule) ui.State {
	if r.Error != "" {
		return ui.State{Label: "Broken, denies", Tone: ui.Fail}
	}
	if s, ok := ruleStates[r.Effect]; ok {
		return s
	}
	return ui.State{Label: r.Effect, Tone: ui.Idle}
}
