package models

import (
	"time"

	"github.com/shopspring/decimal"
)

// EnvironmentRow is an environment in a list.
type EnvironmentRow struct {
	ID         string
	TenantSlug string
	Name       string
	Stage      Stage
	Region     string
	Account    string // 12 digits; empty while it has none
	Blueprint  string
	Version    string
	Newest     string // newest version that is offered; empty: none is newer
	Service    string
	Image      string
	Hibernated bool
	State      ObjectState
	Status     string // CloudFormation's own word
	Drift      DriftState
	Drifted    int // resources
	Monthly    *decimal.Decimal
	ExpiresAt  time.Time
	UpdatedAt  time.Time
}

// EnvironmentPage is all that an environment's page shows. What the reader may do is decided from it and the actor.
type EnvironmentPage struct {
	Environment Environment
	Tenant      Tenant
	Newer       []string     // versions that it can be upgraded to, oldest first
	Drift       *Drift       // newest check; nil before the first
	Receipt     *Receipt     // once it is deleted
	Open        []RequestRow // requests on it that have not ended
	Requests    []RequestRow // newest first, at most 20
	Runs        []RunRow     // newest first, at most 10
	Events      []RunEvent   // of its last run, newest first, at most 20
	Entries     []AuditEntry // newest first, at most 20
	Failure     *Failure     // of its last run, while it is broken
}

// ServiceRow is a service in a list.
type ServiceRow struct {
	ID           string
	TenantSlug   string
	Name         string
	Class        Class
	Repository   string // URI; empty before it exists
	State        ObjectState
	Environments int
	Monthly      *decimal.Decimal
	UpdatedAt    time.Time
}

// ServicePage is all that a service's page shows.
type ServicePage struct {
	Service      Service
	Tenant       Tenant
	Environments []EnvironmentRow // that run it
	Receipt      *Receipt
	Open         []RequestRow
	Requests     []RequestRow
	Runs         []RunRow
	Entries      []AuditEntry
	Failure      *Failure
}

// NetworkPage is all that a network's page shows.
type NetworkPage struct {
	Network      Network
	Tenant       Tenant
	Zone         *Zone // of its account; nil without a base domain
	Environments []EnvironmentRow
	Receipt      *Receipt
	Open         []RequestRow
	Requests     []RequestRow
	Runs         []RunRow
	Entries      []AuditEntry
	Failure      *Failure
}

// OrderChoices is what a tenant's order form can offer: its own accounts, networks and services, and what is on its way.
type OrderChoices struct {
	Tenant   Tenant // with its accounts
	Networks []Choice
	Services []Choice
	Taken    map[string]bool // names of environments that are taken
	Count    int             // environments that are not deleted
	Monthly  decimal.Decimal // estimate of them all
}

// Choice is one network or service that exists or is asked for.
type Choice struct {
	ID        string
	Name      string // of a network: <class>-<region>
	Class     Class
	Region    string
	State     ObjectState // empty while it is only asked for
	RequestID string      // of the open request that makes it; empty: none
}

// CIDRPool is a block of addresses of one region, from which networks get theirs.
type CIDRPool struct {
	ID        string
	Region    string
	Block     string // CIDR
	Size      int    // prefix length of one network
	Note      string
	Used      int // blocks that networks hold
	Capacity  int // blocks in all
	CreatedBy string
	CreatedAt time.Time
}

// CIDRUse is one block of a pool and who holds it.
type CIDRUse struct {
	Block      string
	TenantSlug string
	Network    string
	Since      time.Time
}

// BlueprintUse counts the environments that run one version of a blueprint, as far as the reader may see them.
type BlueprintUse struct {
	Version      string
	Environments []EnvironmentRow
}
