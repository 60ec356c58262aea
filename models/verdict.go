package models

import (
	"time"

	"github.com/shopspring/decimal"
)

// RuleFacts is what rules may look at. The planner and the engine fill it the same way, so that the same world gives the same verdict.
type RuleFacts struct {
	Request   Request
	Requester Person
	Roles     []PlatformRole // the requester's, under today's mapping
	Tenant    *Tenant        // nil while it does not exist
	Content   PlanContent    // without Rules: those are the answer
	NewGroups []string       // groups of the inputs that no sign-in has ever carried
	Now       time.Time      // product time

	Unpriced     bool            // the estimate leaves out what has no price in its region
	Environment  *Environment    // the one the request is about; nil for other objects and while it does not exist
	Environments int             // of the tenant, this one left out
	Monthly      decimal.Decimal // what those are estimated to cost, in USD
	Pipelines    []string        // names of those that deliver to the request's environment
	Spend        *Spend          // how the tenant's month stands against its budget; nil: not known, or too old to say
}

// Verdict is what all rules together said of one plan.
type Verdict struct {
	Outcomes   []RuleOutcome
	Demands    []Demand // who must approve; empty only when Denied or ApprovedBy is set
	Denied     bool
	ApprovedBy string // id of the rule that approves; empty when a person is asked
	Digest     string // of the rules file, lower case hex
}

// Refs is the hashed form of the outcomes: id, version and effect, in the file's order.
func (v Verdict) Refs() []RuleRef {
	refs := make([]RuleRef, 0, len(v.Outcomes))
	for _, o := range v.Outcomes {
		effect := "none"
		if o.Matched {
			effect = o.Effect
		}
		refs = append(refs, RuleRef{ID: o.ID, Version: o.Version, Effect: effect})
	}
	return refs
}

// Refusals lists the messages of the rules that deny.
func (v Verdict) Refusals() []string {
	var said []string
	for _, o := range v.Outcomes {
		if o.Matched && o.Effect == "deny" {
			said = append(said, o.Message)
		}
	}
	return said
}

// Higher tells whether some role must now give more approvals than before.
func Higher(before, now []Demand) bool {
	asked := map[string]int{}
	for _, d := range before {
		asked[d.Role] = max(asked[d.Role], d.Count)
	}
	for _, d := range now {
		if d.Count > asked[d.Role] {
			return true
		}
	}
	return false
}
