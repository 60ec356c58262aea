package models

import (
	"encoding/json"
	"time"
)

// WatchWork reads the executions of a pipeline and does what people asked of them; object is the pipeline.
const WatchWork JournalKind = "watch"

// Trigger says what started an execution.
type Trigger string

// The triggers.
const (
	TriggerPush     Trigger = "push"
	TriggerImage    Trigger = "image"
	TriggerManual   Trigger = "manual"
	TriggerCreation Trigger = "creation" // CodePipeline starts one by itself when it is made
	TriggerWorkflow Trigger = "workflow" // of GitHub Actions
	TriggerOther    Trigger = "other"
)

// ExecutionState is how an execution, a stage or an action of one stands.
type ExecutionState string

// The states. Only stages and actions are waiting or not yet reached.
const (
	ExecutionAhead      ExecutionState = "" // not reached
	ExecutionWaiting    ExecutionState = "waiting"
	ExecutionRunning    ExecutionState = "running"
	ExecutionStopping   ExecutionState = "stopping"
	ExecutionStopped    ExecutionState = "stopped"
	ExecutionSucceeded  ExecutionState = "succeeded"
	ExecutionFailed     ExecutionState = "failed"
	ExecutionSuperseded ExecutionState = "superseded" // a newer one took its place
)

// Ended tells whether nothing moves any more.
func (s ExecutionState) Ended() bool {
	return s == ExecutionStopped || s == ExecutionSucceeded || s == ExecutionFailed || s == ExecutionSuperseded
}

// Commit is what an execution delivers.
type Commit struct {
	ID      string
	Message string
	Author  string
	Branch  string
	At      time.Time // wall time; zero: not known
}

// Execution is one way through a pipeline. Times are wall time, as AWS or CI gave them.
type Execution struct {
	ID         string
	PipelineID string
	TenantID   string
	Number     int    // within its pipeline, for people
	ExternalID string // CodePipeline's id, or run id and attempt of a workflow: 123456.1
	Trigger    Trigger
	TriggerBy  string // who or what, in AWS's or the host's words
	Commit     Commit
	State      ExecutionState
	Stages     []ExecutionStage
	Digest     string // of the image that it built: sha256:...
	Link       string // https address of its page at AWS or the source host
	StartedAt  time.Time
	EndedAt    time.Time // zero: it moves
	SeenAt     time.Time
}

// ExecutionStage is one stage of an execution.
type ExecutionStage struct {
	Name          string            `json:"name"`
	State         ExecutionState    `json:"state"`
	EnvironmentID string            `json:"environment_id,omitempty"` // of a deploy stage
	Behind        string            `json:"behind,omitempty"`         // external id of the execution that it waits behind
	Actions       []ExecutionAction `json:"actions"`
}

// ExecutionAction is one action of a stage.
type ExecutionAction struct {
	Name      string            `json:"name"`
	Kind      string            `json:"kind"` // source, build, approval, deploy, other
	State     ExecutionState    `json:"state"`
	StartedAt time.Time         `json:"started_at,omitzero"`
	EndedAt   time.Time         `json:"ended_at,omitzero"`
	Words     string            `json:"words,omitempty"` // AWS's summary or error, as text
	ErrorCode string            `json:"error_code,omitempty"`
	External  string            `json:"external,omitempty"`  // id of the build
	Link      string            `json:"link,omitempty"`      // https
	LogGroup  string            `json:"log_group,omitempty"` // of CloudWatch Logs
	LogStream string            `json:"log_stream,omitempty"`
	Outputs   map[string]string `json:"outputs,omitempty"` // output variables: IMAGE_DIGEST, CommitId, ...
}

// WaitingApproval is a deploy stage of CodePipeline that waits for Slipway's answer. Its token never leaves memory.
type WaitingApproval struct {
	ExternalID  string // of the execution
	Environment string // name
	Key         string // lower case hex SHA-256 of the token: the same waiting has the same key
	Since       time.Time
	Until       time.Time // when CodePipeline gives up
}

// PipelineReading is what one look at a pipeline has brought.
type PipelineReading struct {
	At         time.Time         // wall time
	Executions []Execution       // by ExternalID, without id and number; newest first
	Approvals  []WaitingApproval // all that wait now, when the look is whole
	Gap        *ReadGap          // why nothing could be read
	Next       json.RawMessage   // the look goes on with it; nil: it is whole
}

// PipelineOrder is what a person asked of an execution.
type PipelineOrder struct {
	ID          string
	PipelineID  string
	Verb        string // start, stop, retry
	ExecutionID string
	ExternalID  string
	Stage       string // retry: as CodePipeline names it
	PersonID    string
	Person      string
	AskedAt     time.Time // product time
	DoneAt      time.Time // zero: open
	Failure     string    // in words
}

// Build is an image that a pipeline built; one per pipeline and digest.
type Build struct {
	ID           string
	TenantID     string
	ServiceID    string
	PipelineID   string
	ExecutionID  string
	Digest       string
	Tag          string
	Passed       bool
	Commit       Commit
	Link         string
	RegisteredAt time.Time // wall time
}

// LogLine is one line of a build's log.
type LogLine struct {
	Number int       // from 1 within what was read
	At     time.Time // wall time
	Text   string    // plain text: escape codes and control characters are gone
	Cut    bool      // it was longer
}

// LogPage is a part of a build's log.
type LogPage struct {
	Lines []LogLine
	Next  string // where the log goes on: CloudWatch's token; empty: it has not begun
	Whole bool   // nothing follows now
	Gap   *ReadGap
	Link  string // https address of the whole log at AWS
}
