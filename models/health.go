package models

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// HealthWork checks whether Slipway's roles are as they should be; object is the account, or PlatformHealthID.
const HealthWork JournalKind = "rolehealth"

// PlatformHealthID is the object of the check of the organization's set-up: no account's row.
const PlatformHealthID = "00000000-0000-4000-8000-00000000a115"

// HealthState says how a role, or all of an account's, stand.
type HealthState string

// The health states, best first.
const (
	HealthOK      HealthState = "healthy" // every action is granted, and all is as deploy/aws says
	HealthDiffers HealthState = "differs" // every action is granted, but something is not as deploy/aws says
	HealthMissing HealthState = "missing" // an action that Slipway uses is not granted
	HealthUnseen  HealthState = "unseen"  // Slipway cannot see it
)

var healthRank = map[HealthState]int{HealthOK: 0, HealthDiffers: 1, HealthMissing: 2, HealthUnseen: 3}

// RoleHealth is what the last check of an account's roles found, and whether another is under way.
type RoleHealth struct {
	State    HealthState // empty: never checked
	At       time.Time   // product time of the last result
	By       string      // who asked for it: a name, or NightlyHealth
	Since    time.Time   // since when it is healthy, or not
	Checking bool
	Asked    string // by whom, while Checking
	Roles    []RoleCheck
	Failure  string // why the last check could not be made at all
}

// NightlyHealth is who asked for a check that nobody asked for.
const NightlyHealth = "daily"

// Healthy tells whether nothing has to be done about it.
func (h RoleHealth) Healthy() bool { return h.State == HealthOK }

// Missing counts the actions that are not granted.
func (h RoleHealth) Missing() int {
	n := 0
	for _, r := range h.Roles {
		n += len(r.Missing())
	}
	return n
}

// RoleCheck is what a check found of one role.
type RoleCheck struct {
	Role        string           `json:"role"` // slipway-deploy
	ARN         string           `json:"arn"`
	Unseen      *HealthUnseenWhy `json:"unseen,omitempty"` // Slipway cannot get at it; nothing below is known then
	Blind       []string         `json:"blind,omitempty"`  // what of it could not be compared, in words
	Differences []RoleDifference `json:"differences,omitempty"`
	Actions     []ActionCheck    `json:"actions,omitempty"`
}

// HealthUnseenWhy is why Slipway cannot see a role, and what its trust policy must hold so that it can.
type HealthUnseenWhy struct {
	Said  string   `json:"said"` // AWS's answer
	Trust []string `json:"trust"`
}

// ActionCheck is the answer to whether a role may do one thing.
type ActionCheck struct {
	Action    string `json:"action"`
	Resource  string `json:"resource"`
	Needed    string `json:"needed"` // for what, in words
	Granted   bool   `json:"granted"`
	Denied    string `json:"denied,omitempty"`    // what denies it: a statement of a policy, the organization; adding a statement does not help then
	Statement string `json:"statement,omitempty"` // to add, as JSON; empty when granted
}

// RoleDifference is one statement of a role that is not as deploy/aws says. Want is empty for one that should not be there, Have for
// one that is missing.
type RoleDifference struct {
	Place string `json:"place"` // trust policy, policy deploy, permission boundary, managed policies
	Sid   string `json:"sid"`
	Want  string `json:"want,omitempty"`
	Have  string `json:"have,omitempty"`
}

// Missing lists the actions that are not granted.
func (r RoleCheck) Missing() []ActionCheck {
	var out []ActionCheck
	for _, a := range r.Actions {
		if !a.Granted {
			out = append(out, a)
		}
	}
	return out
}

// State is the role's own.
func (r RoleCheck) State() HealthState {
	switch {
	case r.Unseen != nil:
		return HealthUnseen
	case len(r.Missing()) > 0:
		return HealthMissing
	case len(r.Blind) > 0:
		return HealthUnseen
	case len(r.Differences) > 0:
		return HealthDiffers
	}
	return HealthOK
}

// WorstHealth is the state of several roles together.
func WorstHealth(roles []RoleCheck) HealthState {
	if len(roles) == 0 {
		return HealthUnseen
	}
	return slices.MaxFunc(roles, func(a, b RoleCheck) int { return cmp.Compare(healthRank[a.State()], healthRank[b.State()]) }).State()
}

// Words says in one line how the roles stand; empty while they were never checked.
func (h RoleHealth) Words() string {
	switch h.State {
	case HealthOK:
		return "Slipway's roles may do all they need."
	case HealthDiffers:
		return "Slipway's roles may do all they need, but they are not as the set-up says."
	case HealthMissing:
		if h.Missing() == 1 {
			return "1 permission is missing."
		}
		return fmt.Sprintf("%d permissions are missing.", h.Missing())
	case HealthUnseen:
		return "Slipway cannot see all of its roles."
	}
	return ""
}

// MayCheckHealth tells whether the actor may have the roles of a tenant's accounts checked: its owners and platform admins.
func (a Actor) MayCheckHealth(tenantID string) bool {
	return a.Has(PlatformAdmin) || a.TenantRole(tenantID) == Owner
}

// AccountPage is all that the page of an account shows.
type AccountPage struct {
	Tenant  Tenant
	Account Account
	Health  RoleHealth
	Entries []AuditEntry // latest about it
}

// PrerequisiteState says whether the organization has what Slipway needs.
type PrerequisiteState string

// The prerequisite states.
const (
	PrerequisiteMet    PrerequisiteState = "met"
	PrerequisiteUnmet  PrerequisiteState = "unmet"
	PrerequisiteUnseen PrerequisiteState = "unseen" // it could not be read
)

// Prerequisite is one thing that the organization must have before Slipway can work in it.
type Prerequisite struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	State    PrerequisiteState `json:"state"`
	Found    string            `json:"found"`              // what there is, in words
	Next     string            `json:"next,omitempty"`     // what to do, in words
	Commands []string          `json:"commands,omitempty"` // to run, in the account that Next names
	Details  []string          `json:"details,omitempty"`
}

// PlatformHealth is how the organization's set-up stood when the worker last looked.
type PlatformHealth struct {
	At       time.Time
	By       string
	Checking bool
	Asked    string
	Failure  string
	Items    []Prerequisite
	Roles    []RoleCheck // slipway-org, slipway-dns
}
