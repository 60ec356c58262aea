package models

import (
	"fmt"
	"time"
)

// The object types that a tenant's accounts hold.
const (
	NetworkObject     ObjectType = "network"
	ZoneObject        ObjectType = "zone"
	ServiceObject     ObjectType = "service"
	EnvironmentObject ObjectType = "environment"
)

// Stage says what an environment is for; it decides the account.
type Stage string

// The stages, in the order in which something goes live.
const (
	Dev        Stage = "dev"
	Staging    Stage = "staging"
	Production Stage = "prod"
)

// Stages lists the stages in order.
func Stages() []Stage { return []Stage{Dev, Staging, Production} }

// Class of the account that a stage runs in.
func (s Stage) Class() Class {
	if s == Production {
		return Prod
	}
	return NonProd
}

// Environment is a blueprint instance of a tenant.
type Environment struct {
	ID           string
	TenantID     string
	TenantSlug   string
	Name         string
	Stage        Stage
	NetworkID    string // empty: it stands on none
	ServiceID    string // empty: it runs no image
	ServiceName  string
	Repository   string // URI of the service's repository, for pushing images
	Image        string // repository@sha256:...; empty: waiting for a first image
	Hibernated   bool
	Host         string            // empty: it has no name of its own
	Usage        map[string]string // changes to the blueprint's usage assumption
	EmptyBuckets bool              // consent, given at order time, that expiry may empty buckets
	ExpiresAt    time.Time         // product time; zero: never
	ExpiryWarned string            // the last warning that was given: 7d, 1d, 2h
	HibernatedAt time.Time         // when expiry hibernated it; zero: it did not
	State        ObjectState
	Estimate     *Estimate
	RequestID    string // the request that made it
	CreatedAt    time.Time
	UpdatedAt    time.Time
	Stack        Stack
}

// Network is where environments of one account and region live.
type Network struct {
	ID         string
	TenantID   string
	TenantSlug string
	AccountID  string
	Class      Class
	Region     string
	Name       string // <class>-<region>, for addresses and titles
	Registered bool   // an existing VPC that Slipway did not make
	CIDR       string // of the pool; empty for a registered one
	State      ObjectState
	Estimate   *Estimate
	RequestID  string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Stack      Stack // its Outputs are what environments are given, for a registered one too
}

// NetworkName is what a network is called within its tenant.
func NetworkName(class Class, region string) string { return string(class) + "-" + region }

// Zone is the hosted zone of one account.
type Zone struct {
	ID          string
	TenantID    string
	AccountID   string
	Name        string // <tenant>-<class>.<base domain>
	DelegatedAt time.Time
	State       ObjectState
	Stack       Stack
}

// ZoneName is the name of an account's hosted zone.
func ZoneName(tenant string, class Class, base string) string {
	return fmt.Sprintf("%s-%s.%s", tenant, class, base)
}

// Service is what a tenant builds and deploys: a name and one image repository.
type Service struct {
	ID         string
	TenantID   string
	TenantSlug string
	Name       string
	AccountID  string
	Class      Class // of the account its repository is in
	State      ObjectState
	Estimate   *Estimate
	RequestID  string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Stack      Stack
}

// Bounds of an environment's life and names.
const (
	MaxLife        = 365                // days
	DefaultLife    = 30                 // days of a nonprod environment, unless asked otherwise
	HibernateFor   = 7 * 24 * time.Hour // from the end to the request for deletion
	MaxAccept      = 90                 // days that drift may be let be
	maxInputs      = 100
	maxInputLength = 2000
)

// ExpiryWarnings are how long before its end an environment warns, longest first, with the word that is kept.
func ExpiryWarnings() []ExpiryWarning {
	return []ExpiryWarning{{"7d", 7 * 24 * time.Hour, "in 7 days"}, {"1d", 24 * time.Hour, "tomorrow"}, {"2h", 2 * time.Hour, "in 2 hours"}}
}

// ExpiryWarning is one warning before an environment's end.
type ExpiryWarning struct {
	Key    string
	Before time.Duration
	Words  string
}
