package models

import "time"

// CIToken is what a workflow's own token says of it, as every source host is understood. Whoever has one is believed only as far as a
// pipeline's source allows (see CIToken.MayActFor).
type CIToken struct {
	Kind         PipelineKind // of the pipelines that tokens of this host act for
	Issuer       string
	Subject      string
	ID           string // jti: a token is accepted once
	ExpiresAt    time.Time
	Repository   string // owner/name; names can be registered again by somebody else
	RepositoryID string // numeric, never given to another repository
	Owner        string
	OwnerID      string // numeric
	Ref          string // whole: refs/heads/main
	SHA          string // of the commit
	RunID        string
	Attempt      string
	Actor        string // who started the run, as the host says it
	Environment  string // of the job, at the host; empty: none
	Event        string // what started the run, in the host's word
	Pushed       bool   // it was started by what only people who may write to the repository can do
	Link         string // https address of the run; empty: not known
}

// Run names the run as executions do: 123456.1.
func (t CIToken) Run() string { return t.RunID + "." + t.Attempt }

// Who is what audit entries and pages call the workflow.
func (t CIToken) Who() string {
	if t.Actor == "" {
		return t.Repository
	}
	return t.Repository + " (" + t.Actor + ")"
}

// CIComponent is the system component that acts for workflows.
const CIComponent = "ci"

// CIHost reads the claims of one kind of source host. The signature, the issuer, the audience and the times have been checked.
type CIHost struct {
	Name string // for people
	Read func(issuer string, claims []byte) (CIToken, error)
}

// CIRefused is a token that was turned down, or did not allow what was asked. Nothing but an audit entry is kept of it.
type CIRefused struct {
	Code     string // one word of few, by which refusals are counted: never rename one
	TenantID string // of the pipeline that it was about; empty: of none that the sender has shown to know
	Pipeline string // its id
	Name     string // tenant/name
	Err      *Error // what the sender is told
	Audit    string // what the audit log is told beside; empty: the same
}

// Error is what the sender is told.
func (r *CIRefused) Error() string { return r.Err.Error() }

// Unwrap gives the error that decides the answer.
func (r *CIRefused) Unwrap() error { return r.Err }

// CIRefusal makes one that is about no pipeline.
func CIRefusal(kind Kind, code, format string, args ...any) *CIRefused {
	return &CIRefused{Code: code, Err: Errorf(kind, format, args...)}
}

// CIAnswer is what a workflow reads of a promotion that it asked for.
type CIAnswer struct {
	ID          string         `json:"id"`
	State       PromotionState `json:"state"`
	Ended       bool           `json:"ended"` // nothing follows
	Reason      string         `json:"reason,omitempty"`
	Environment string         `json:"environment"`
	Digest      string         `json:"digest"`
	Gates       []CIGate       `json:"gates"`
	Request     int64          `json:"request,omitempty"` // its number, once there is one
	TenantSlug  string         `json:"-"`
}

// CIGate is how one gate stands.
type CIGate struct {
	Gate  Gate      `json:"gate"`
	State GateState `json:"state"`
	Words string    `json:"words"`
}

// CIBuild is what a workflow reads of a build that it registered.
type CIBuild struct {
	ID        string `json:"id"`
	Pipeline  string `json:"pipeline"` // tenant/name
	Digest    string `json:"digest"`
	Execution int    `json:"execution"` // its number on the pipeline's page
	Known     bool   `json:"known"`     // it was registered before; there is one build of an image
}

// CIEvidence is what a workflow reads of evidence that it posted.
type CIEvidence struct {
	ID       string   `json:"id"`
	Pipeline string   `json:"pipeline"` // tenant/name
	Digest   string   `json:"digest"`
	Gate     Gate     `json:"gate"`
	Result   CIResult `json:"result"`
}
