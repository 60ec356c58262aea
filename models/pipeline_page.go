package models

import "time"

// PipelineRow is a pipeline in a list.
type PipelineRow struct {
	ID          string
	TenantSlug  string
	Name        string
	Kind        PipelineKind
	ServiceName string
	Repository  string // of the source: owner/name, or empty
	Branch      string
	Paused      bool
	State       ObjectState
	LastID      string // newest execution; empty: none yet
	LastNumber  int
	LastState   ExecutionState
	LastAt      time.Time // wall time
	LastCommit  string
	LastMessage string
	Moving      bool
	ReadAt      time.Time
	Cells       []StageCell // in the order of its stages
	UpdatedAt   time.Time
}

// StageCell is what runs in one stage of a pipeline.
type StageCell struct {
	EnvironmentID string
	Environment   string
	Stage         Stage
	State         ObjectState // of the environment
	Image         string      // empty: none yet
	Tag           string      // of its build; empty: not known
	Commit        string
	Since         time.Time // product time at which it was deployed; zero: not known
	Waiting       bool      // a promotion to it is open
	Blocked       bool      // ...and a gate or a freeze keeps it
	Frozen        bool
}

// PipelinePage is what a pipeline's page shows of the object itself.
type PipelinePage struct {
	Pipeline   Pipeline
	Tenant     Tenant
	Connection *Connection // nil: it needs none
	Failure    *Failure
	Open       []RequestRow
	Requests   []RequestRow
	Runs       []RunRow
	Entries    []AuditEntry
	Receipt    *Receipt
}

// PipelineDelivery is what a pipeline's page shows of what goes through it.
type PipelineDelivery struct {
	Stages     []StageStatus
	Executions []Execution     // newest first, at most 20; without Stages' actions' outputs
	More       bool            // there are older ones
	Promotions []Promotion     // open ones first, then the newest ended, at most 20
	Orders     []PipelineOrder // open, or failed within the last hour
	Waivers    []Waiver        // active
	Freezes    []StageFreeze   // active, of its environments
	Figures    DeliveryFigures
}

// StageStatus is one stage of a pipeline as it stands.
type StageStatus struct {
	PipelineStage
	Runs      StageCell
	Open      *Promotion  // waits for gates, a decision, or its run
	Previous  *Deployment // what a roll-back would bring back; nil: nothing ran healthy before
	Execution *Execution  // the newest that reached it
}

// DeliveryFigures are of Slipway's own records over a window, for the last stage of a pipeline.
type DeliveryFigures struct {
	Environment string        // that they are about
	Window      time.Duration // product time
	Deployments int           // that succeeded, roll-backs left out
	Failed      int           // that failed, or were rolled back
	PerWeek     float64
	LeadTime    Duration // median from commit to running; zero: not known
	LeadKnown   int      // of how many deployments the commit's time is known
	FailureRate float64  // 0 to 1: failed of all that were tried; NaN never: zero when nothing was tried
}

// FiguresWindow is over how long the figures of delivery are counted.
const FiguresWindow = 28 * 24 * time.Hour

// ExecutionPage is all that an execution's page shows.
type ExecutionPage struct {
	Pipeline   Pipeline
	Execution  Execution
	Builds     []Build
	Scan       *ImageScan
	Evidence   []Evidence // of its image, newest first, without files
	Promotions []Promotion
	Orders     []PipelineOrder
	Behind     *Execution // the older one that it waits behind
}

// PromotionPage is all that a promotion's page shows.
type PromotionPage struct {
	Promotion   Promotion
	Pipeline    Pipeline
	Environment Environment
	Evidence    []Evidence // of its image, newest first, without files
	Scan        *ImageScan
	Waivers     []Waiver
	Freeze      *StageFreeze
	Older       *Promotion // an open one to the same stage that must be answered first
}

// ConnectionPage is all that a connection's page shows.
type ConnectionPage struct {
	Connection Connection
	Tenant     Tenant
	Pipelines  []PipelineRow
	Failure    *Failure
	Open       []RequestRow
	Requests   []RequestRow
	Runs       []RunRow
	Entries    []AuditEntry
	Receipt    *Receipt
}

// PipelineChoices is what the form for a pipeline can offer: the tenant's own.
type PipelineChoices struct {
	Tenant       Tenant
	Services     []Choice
	Connections  []Connection
	Environments []EnvironmentChoice
	Taken        map[string]bool // names of pipelines
}

// EnvironmentChoice is an environment that a pipeline can deliver to.
type EnvironmentChoice struct {
	ID        string
	Name      string
	Stage     Stage
	ServiceID string
	State     ObjectState
}

// WhereRow is one service in "what is where", with a cell per environment that runs it.
type WhereRow struct {
	ServiceID string
	Service   string
	Pipelines []string // names
	Cells     []StageCell
}

// ServiceImage is one image of a service, with where it runs.
type ServiceImage struct {
	Build    Build  // zero but for Digest when no pipeline built it
	Pipeline string // name
	Number   int    // of the execution; zero: none
	Scan     *ImageScan
	Runs     []StageCell
}

// EnvironmentDelivery is what an environment's page shows of what is delivered to it.
type EnvironmentDelivery struct {
	TenantID  string
	Now       *Deployment // that brought what runs; nil: none is known
	Previous  *Deployment // what a roll-back would bring back; nil: nothing ran healthy before
	Pipelines []string    // names of those that deliver to it
	Open      []Promotion
	Freeze    *StageFreeze
}
