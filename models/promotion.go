package models

import "time"

// PromoteWork leads a promotion on: gates, request, answer; object is the promotion.
const PromoteWork JournalKind = "promote"

// PromotionState is where a promotion stands.
type PromotionState string

// The states of a promotion.
const (
	PromotionChecking   PromotionState = "checking"  // its gates are being judged
	PromotionBlocked    PromotionState = "blocked"   // a gate fails or waits: for evidence, a waiver, or somebody who rejects it
	PromotionHeld       PromotionState = "held"      // a freeze of the stage, a pause, or an environment that cannot take it now
	PromotionRequested  PromotionState = "requested" // its request is planned, decided or run
	PromotionSucceeded  PromotionState = "succeeded" // it runs there
	PromotionFailed     PromotionState = "failed"
	PromotionRejected   PromotionState = "rejected"
	PromotionSuperseded PromotionState = "superseded" // its execution ended otherwise, or a newer one took its place
)

// Ended tells whether nothing follows.
func (s PromotionState) Ended() bool {
	switch s {
	case PromotionSucceeded, PromotionFailed, PromotionRejected, PromotionSuperseded:
		return true
	}
	return false
}

// Asker is what asked for a promotion.
type Asker string

// The askers.
const (
	AskedByPipeline Asker = "codepipeline"
	AskedByWorkflow Asker = "workflow"
	AskedByPerson   Asker = "person"
)

// AnswerState is how CodePipeline was told what became of a promotion; empty: it does not wait.
type AnswerState string

// The states of the answer.
const (
	AnswerDue  AnswerState = "due"
	AnswerSent AnswerState = "sent"
	AnswerLate AnswerState = "late" // CodePipeline had given up; what runs goes on
	AnswerGone AnswerState = "gone" // somebody else answered, or its execution ended
)

// PromotionApproval is the action of CodePipeline that a promotion answers.
type PromotionApproval struct {
	Key   string    `json:"key"` // see WaitingApproval
	Stage string    `json:"stage"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`           // wall time at which CodePipeline gives up
	Words string    `json:"words,omitempty"` // what it was told, or why not
}

// Promotion moves an image to a stage. What it brings about is a request like every other.
type Promotion struct {
	ID            string
	TenantID      string
	TenantSlug    string
	PipelineID    string
	Pipeline      string // name
	PipelineKind  PipelineKind
	EnvironmentID string
	Environment   string // name
	Stage         Stage
	ServiceID     string
	ServiceName   string
	ExecutionID   string
	Execution     int // number; zero: none
	BuildID       string
	Commit        Commit // zero: not known
	Image         string // repository@sha256:...
	Was           string // what ran there when it was asked for; empty: nothing
	Rollback      bool
	AskedBy       Asker
	AskedByName   string
	PersonID      string
	State         PromotionState
	Reason        string       // in words: why it stands where it does
	Gates         []GateResult // all gates in order, as last judged
	RequestID     string
	RequestNumber int64
	RequestState  RequestState
	Waiting       *WaitingOn // what its request waits for
	Approval      *PromotionApproval
	Answer        AnswerState
	AnsweredAt    time.Time // wall time
	CreatedAt     time.Time // product time
	EndedAt       time.Time // product time
}

// Digest is the image's digest.
func (p Promotion) Digest() string { return DigestOf(p.Image) }

// DigestOf is the digest of an image that is named by it; empty when it is not.
func DigestOf(image string) string {
	for i := len(image) - 1; i >= 0; i-- {
		if image[i] == '@' {
			return image[i+1:]
		}
	}
	return ""
}

// PromotionFacts is what the request of a promotion carries with its inputs: approvers sign it, and rules see it.
type PromotionFacts struct {
	ID        string       `json:"id"`
	Pipeline  string       `json:"pipeline"` // name
	AskedBy   Asker        `json:"asked_by"`
	Asker     string       `json:"asker"`
	Commit    string       `json:"commit,omitempty"`
	Was       string       `json:"was,omitempty"`
	Rollback  bool         `json:"rollback,omitempty"`
	Automatic bool         `json:"automatic,omitempty"` // the stage's promotions may be approved by a rule
	Gates     []GateResult `json:"gates"`
}

// Count tells how many gates stand in a state.
func (f *PromotionFacts) Count(s GateState) int {
	n := 0
	if f != nil {
		for _, g := range f.Gates {
			if g.State == s {
				n++
			}
		}
	}
	return n
}

// StageFreeze stops promotions to an environment until a moment.
type StageFreeze struct {
	ID            string
	TenantID      string
	EnvironmentID string
	Environment   string
	Reason        string
	ByID          string
	By            string
	At            time.Time // product time
	Until         time.Time // product time
	LiftedAt      time.Time // zero: not lifted before its end
	LiftedBy      string
}

// Active tells whether it holds at a moment.
func (f StageFreeze) Active(now time.Time) bool { return f.LiftedAt.IsZero() && now.Before(f.Until) }

// Deployment is an image that ran, or was to run, in an environment.
type Deployment struct {
	ID            string
	EnvironmentID string
	Environment   string
	PipelineID    string // empty: past every pipeline
	PromotionID   string
	BuildID       string
	RequestID     string
	RequestNumber int64
	Image         string
	Rollback      bool
	Succeeded     bool
	BeganAt       time.Time // product time
	EndedAt       time.Time // product time
	CommitAt      time.Time // wall time; zero: not known
	HealthyAt     time.Time // wall time; zero: never seen healthy
	ReplacedAt    time.Time // product time; zero: it runs, if it succeeded
}
