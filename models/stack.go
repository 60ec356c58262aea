package models

import "time"

// Stack is the CloudFormation side of an object: a network, zone, service, environment, connection, pipeline or identity provider has exactly one.
type Stack struct {
	ObjectID   string
	ObjectType ObjectType
	ObjectName string
	TenantID   string
	TenantSlug string
	CostCentre string
	AccountID  string // row of the account it is in
	Account    string // 12 digits
	Class      Class
	Region     string
	Name       string // slw-<tenant>-...
	StackID    string // ARN; empty before CloudFormation made it
	Status     string // CloudFormation's own word; empty: never read, or there is none
	Reason     string // CloudFormation's own words to it
	StatusAt   time.Time
	Blueprint  string // name
	Version    string
	Digest     string            // of the blueprint version it was last made or changed with
	Inputs     map[string]string // what people chose
	Parameters map[string]string // what the template was given, all of it
	Outputs    map[string]string
	Resources  []StackResource // as last read
	State      ObjectState     // of the object
}

// StackResource is one resource of a stack as CloudFormation last listed it.
type StackResource struct {
	LogicalID  string    `json:"logical_id"`
	PhysicalID string    `json:"physical_id"`
	Type       string    `json:"type"`
	Status     string    `json:"status"`
	Reason     string    `json:"reason,omitempty"`
	At         time.Time `json:"at"` // when AWS changed it last
}

// StackRef is where a stack is or will be.
type StackRef struct {
	Account string // 12 digits
	Region  string
	Name    string
}

// Names of stacks. They are what makes a stack idempotent, so they come from names that never change.

// NetworkStack is the name of a tenant's network stack; one per account and region.
func NetworkStack(tenant string) string { return "slw-" + tenant + "-network" }

// ZoneStack is the name of the stack with an account's hosted zone; one per account.
func ZoneStack(tenant string) string { return "slw-" + tenant + "-zone" }

// ServiceStack is the name of the stack with a service's image repository.
func ServiceStack(tenant, service string) string { return "slw-" + tenant + "-svc-" + service }

// EnvironmentStack is the name of an environment's stack.
func EnvironmentStack(tenant, environment string) string {
	return "slw-" + tenant + "-env-" + environment
}

// ConnectionStack is the name of a connection's stack.
func ConnectionStack(tenant, connection string) string { return "slw-" + tenant + "-con-" + connection }

// PipelineStack is the name of a pipeline's stack.
func PipelineStack(tenant, pipeline string) string { return "slw-" + tenant + "-pipe-" + pipeline }

// IdentityProviderStack is the name of the stack with an account's identity provider for workflows; one per account.
func IdentityProviderStack(tenant string) string { return "slw-" + tenant + "-workflows" }

// The tags of every stack, and through it of everything in it. They stay constant over an object's life: a changed stack tag would
// show every resource as modified.
const (
	TagTenant      = "slipway:tenant"
	TagClass       = "slipway:class"
	TagCostCentre  = "slipway:cost-centre"
	TagBlueprint   = "slipway:blueprint"
	TagObject      = "slipway:object" // opaque id of the object: the owner tag that re-scans look for
	TagEnvironment = "slipway:environment"
	TagStage       = "slipway:stage"
	TagNetwork     = "slipway:network"
	TagService     = "slipway:service"
	TagZone        = "slipway:zone"
	TagConnection  = "slipway:connection"
	TagPipeline    = "slipway:pipeline"
	TagWorkflows   = "slipway:workflows" // an account's identity provider
)

// Blueprints that are ordered through objects of their own.
const (
	NetworkBlueprint = "network"
	ZoneBlueprint    = "hosted-zone"
	ServiceBlueprint = "image-repository"

	ConnectionBlueprint       = "connection"
	CodePipelineBlueprint     = "codepipeline"
	GitHubActionsBlueprint    = "github-actions"
	IdentityProviderBlueprint = "workflow-identity"
)

// DriftState is the outcome of comparing a stack with what the account holds.
type DriftState string

// The drift states.
const (
	DriftUnknown  DriftState = ""         // never checked
	DriftChecking DriftState = "checking" // CloudFormation compares
	DriftNone     DriftState = "none"
	DriftFound    DriftState = "drifted"
	DriftFailed   DriftState = "failed" // the check itself could not be made
)

// Drift is what one check found.
type Drift struct {
	ID          string
	ObjectID    string
	State       DriftState
	StartedAt   time.Time
	EndedAt     time.Time
	By          string   // who asked: a person's name, or "nightly"
	DetectionID string   // CloudFormation's id of the comparison
	Checked     int      // resources that CloudFormation compared
	NotChecked  []string // types that CloudFormation cannot compare, each once
	Resources   []ResourceDrift
	Failure     string
	Accepted    time.Time // until when a person lets it be; zero: not accepted
	AcceptedBy  string
	Reason      string
}

// ResourceDrift is one resource that is not as declared.
type ResourceDrift struct {
	LogicalID  string          `json:"logical_id"`
	PhysicalID string          `json:"physical_id"`
	Type       string          `json:"type"`
	Status     string          `json:"status"` // MODIFIED, DELETED
	Properties []PropertyDrift `json:"properties,omitempty"`
	Expected   bool            `json:"expected,omitempty"` // the blueprint says that this moves by itself, such as blue/green weights
}

// PropertyDrift is one property, declared and actual.
type PropertyDrift struct {
	Path     string `json:"path"`
	Declared string `json:"declared"`
	Actual   string `json:"actual"`
	Kind     string `json:"kind"` // ADD, REMOVE, NOT_EQUAL
}

// Unexpected lists the resources that drifted without the blueprint saying they would.
func (d Drift) Unexpected() []ResourceDrift {
	var list []ResourceDrift
	for _, r := range d.Resources {
		if !r.Expected {
			list = append(list, r)
		}
	}
	return list
}

// Receipt is the proof at the end of a deletion.
type Receipt struct {
	ID         string
	ObjectType ObjectType
	ObjectID   string
	ObjectName string
	TenantID   string
	RequestID  string
	Gone       []ReceiptLine
	Left       []ReceiptLine // found by the owner tag, or retained by the template
	ScannedIn  []string      // regions that were looked through
	CannotSee  []string      // what could not be looked at, in words
	Emptied    []string      // "bucket slw-...: 12 objects"
	At         time.Time
}

// ReceiptLine is one thing that is gone or left.
type ReceiptLine struct {
	LogicalID string `json:"logical_id,omitempty"`
	ID        string `json:"id"` // physical id or ARN
	Type      string `json:"type"`
	Why       string `json:"why,omitempty"`  // why it is left
	Cost      string `json:"cost,omitempty"` // what it still costs a month, in USD, or words where that is not known
}

// EmptySecret is a secret of a stack that has no value yet: a person gives it one in AWS, Slipway neither reads nor writes any.
type EmptySecret struct {
	LogicalID  string
	ARN        string
	ConsoleURL string
	Command    string // one line for the aws command line
}
