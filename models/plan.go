package models

import (
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"
)

// Action is what a plan would do to one thing.
type Action string

// The actions of a plan, most destructive first; pages show them in this order.
const (
	Delete  Action = "delete"
	Replace Action = "replace"
	Modify  Action = "change"
	Add     Action = "add"
	Exists  Action = "exists" // already there as asked: shown, not run
)

// Plan is what a request would do. Content is frozen and hashed; Notes may change without a new decision.
type Plan struct {
	ID         string
	RequestID  string
	Number     int    // 1 for the first plan of a request
	Hash       string // lower case hex SHA-256 over the RFC 8785 form of Content
	Content    PlanContent
	Notes      PlanNotes
	ComputedAt time.Time // product time
}

// PlanContent is what an approval is bound to: content only, no id or time that AWS or Slipway makes up on the way.
type PlanContent struct {
	Kind       RequestKind     `json:"kind"`
	ObjectType ObjectType      `json:"object_type"`
	Object     string          `json:"object"` // the object's name
	Inputs     json.RawMessage `json:"inputs"`
	Parts      []PlanPart      `json:"parts"`
	Cost       []CostLine      `json:"cost"`
	Rules      []RuleRef       `json:"rules"`
}

// PlanPart is the plan's share in one place: an account and region, or the organization itself.
type PlanPart struct {
	Name         string            `json:"name"`              // "Account payments-nonprod", "Organization"
	Account      string            `json:"account,omitempty"` // 12 digits; empty while it does not exist
	Class        Class             `json:"class,omitempty"`
	Region       string            `json:"region,omitempty"`
	Blueprint    string            `json:"blueprint,omitempty"` // name@version of the template
	Digest       string            `json:"digest,omitempty"`    // SHA-256 of the blueprint's folder
	TemplateHash string            `json:"template_hash,omitempty"`
	StackName    string            `json:"stack_name,omitempty"`
	Mode         StackMode         `json:"mode,omitempty"` // what is done to the stack; empty: it is made
	Parameters   map[string]string `json:"parameters,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"`
	Changes      []Change          `json:"changes"`
}

// StackMode says what a plan part does to its stack.
type StackMode string

// The modes. The empty mode is a creation, as the first plans had no other.
const (
	StackCreate  StackMode = "create"
	StackUpdate  StackMode = "update"
	StackRevert  StackMode = "revert"  // put back what drifted
	StackRecover StackMode = "recover" // continue a roll-back that stopped
	StackDelete  StackMode = "delete"
)

// Change is one thing that a plan would do.
type Change struct {
	Step        string           `json:"step"`       // name of the run's step that does it
	LogicalID   string           `json:"logical_id"` // name within its part
	Type        string           `json:"type"`       // AWS::S3::Bucket, or words for what has no such type
	Action      Action           `json:"action"`
	Replacement string           `json:"replacement,omitempty"` // True, False, Conditional
	Note        string           `json:"note,omitempty"`        // consequence in words
	Properties  []PropertyChange `json:"properties,omitempty"`
}

// PropertyChange is one property before and after, as AWS would say it; nil means not set.
type PropertyChange struct {
	Path   string  `json:"path"`
	Before *string `json:"before"`
	After  *string `json:"after"`
}

// CostLine is one monthly position of a plan, in USD.
type CostLine struct {
	Item    string          `json:"item"`
	Part    string          `json:"part,omitempty"`
	Now     decimal.Decimal `json:"now"`
	Planned decimal.Decimal `json:"planned"`
}

// RuleRef is a rule that took part, as far as it is hashed.
type RuleRef struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	Effect  string `json:"effect"` // deny, warn, require, approve, or none when it did not match
}

// PlanNotes is what pages show beside the content; none of it needs a new decision.
type PlanNotes struct {
	Rules        []RuleOutcome `json:"rules"`
	Demands      []Demand      `json:"demands"`
	RuleDemands  []Demand      `json:"rule_demands"`          // as the rules ask; Demands has what nobody could give sent to the platform admins
	ApprovedBy   string        `json:"approved_by,omitempty"` // rule id, when a rule approves
	PriceDate    string        `json:"price_date"`            // day of the price file
	PriceDigest  string        `json:"price_digest"`
	NotEstimated []string      `json:"not_estimated"`
	Estimate     *Estimate     `json:"estimate,omitempty"` // of what is planned, position by position
	Problems     []PlanProblem `json:"problems,omitempty"` // what AWS said of single resources
	Region       string        `json:"region"`             // whose prices they are
	UsualTime    Duration      `json:"usual_time"`         // median of past runs; zero under five of them
	WorstTime    Duration      `json:"worst_time"`         // 95th percentile of past runs
	PastRuns     int           `json:"past_runs"`
	Approvers    []string      `json:"approvers"`  // names of people who could approve now
	NewGroups    []string      `json:"new_groups"` // groups never seen at a sign-in
	Notes        []string      `json:"notes"`      // for people, for example "prices changed since the approval"
	RulesLoaded  string        `json:"rules_digest"`
}

// PlanProblem is what AWS's validation said of one resource of a change set.
type PlanProblem struct {
	LogicalID string `json:"logical_id"`
	Path      string `json:"path,omitempty"`
	Message   string `json:"message"`
	Fatal     bool   `json:"fatal,omitempty"` // the change set cannot be executed
}

// Duration is a time span that JSON keeps in milliseconds.
type Duration int64

// Std is the duration as the standard library knows it.
func (d Duration) Std() time.Duration { return time.Duration(d) * time.Millisecond }

// Milliseconds makes a Duration.
func Milliseconds(d time.Duration) Duration { return Duration(d.Milliseconds()) }

// RuleOutcome is what one rule said of one plan.
type RuleOutcome struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	Title   string `json:"title"`
	Effect  string `json:"effect"`  // deny, warn, require, approve
	Matched bool   `json:"matched"` // an evaluation error counts as a matched deny
	Message string `json:"message"`
	Error   string `json:"error,omitempty"`
}

// Tally counts a plan's changes by action.
func (c PlanContent) Tally() map[Action]int {
	n := map[Action]int{}
	for _, p := range c.Parts {
		for _, ch := range p.Changes {
			n[ch.Action]++
		}
	}
	return n
}

// Monthly sums what the plan's objects cost per month now and planned, in USD.
func (c PlanContent) Monthly() (now, planned decimal.Decimal) {
	for _, l := range c.Cost {
		now, planned = now.Add(l.Now), planned.Add(l.Planned)
	}
	return now, planned
}

// Empty tells whether nothing would be done.
func (c PlanContent) Empty() bool {
	n := c.Tally()
	return n[Add]+n[Modify]+n[Replace]+n[Delete] == 0
}
