package models

import "time"

// The object types of delivery.
const (
	ConnectionObject       ObjectType = "connection"
	IdentityProviderObject ObjectType = "identity_provider"
	PipelineObject         ObjectType = "pipeline"
)

// PipelinesComponent is who asks, by System, for what pipelines deliver. It has a person row of its own.
const PipelinesComponent = "pipelines"

// SourceHost is where a connection leads, as CodeConnections names it.
type SourceHost string

// The source hosts that connections are offered for.
const (
	GitHub    SourceHost = "GitHub"
	GitLab    SourceHost = "GitLab"
	Bitbucket SourceHost = "Bitbucket"
)

// SourceHosts lists them in the order of forms.
func SourceHosts() []SourceHost { return []SourceHost{GitHub, GitLab, Bitbucket} }

// ConnectionStatus is a connection's state in AWS's own word; empty: never read.
type ConnectionStatus string

// The states of a connection.
const (
	ConnectionPending   ConnectionStatus = "PENDING" // until a person finishes it in the console
	ConnectionAvailable ConnectionStatus = "AVAILABLE"
	ConnectionError     ConnectionStatus = "ERROR"
)

// Connection is a tenant's link to a source host in one account.
type Connection struct {
	ID         string
	TenantID   string
	TenantSlug string
	Name       string
	Provider   SourceHost
	AccountID  string
	Class      Class
	Status     ConnectionStatus
	StatusAt   time.Time // wall time
	State      ObjectState
	Estimate   *Estimate
	RequestID  string // the request that made it
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Stack      Stack // its output ConnectionArn is what pipelines are given
}

// IdentityProvider is what an account trusts to say who a workflow is; one per account and issuer.
type IdentityProvider struct {
	ID        string
	TenantID  string
	AccountID string
	Issuer    string // https address
	State     ObjectState
	Stack     Stack
}

// PipelineKind says what moves a pipeline. Names are stored: never rename one.
type PipelineKind string

// The kinds of pipelines.
const (
	CodePipeline  PipelineKind = "codepipeline"   // CodePipeline and CodeBuild in the tenant's account
	GitHubActions PipelineKind = "github-actions" // the repository's own workflow, which asks Slipway by its own token
)

// PipelineKinds lists them in the order of forms.
func PipelineKinds() []PipelineKind { return []PipelineKind{CodePipeline, GitHubActions} }

// SourceKind says what starts an execution of a CodePipeline.
type SourceKind string

// The kinds of sources.
const (
	SourceConnection SourceKind = "connection" // a push to a branch, through a connection
	SourceImage      SourceKind = "image"      // an image pushed to the service's repository, under a tag
)

// PipelineSource is where a pipeline's work comes from.
type PipelineSource struct {
	Kind         SourceKind `json:"kind,omitempty"`          // codepipeline
	Repository   string     `json:"repository,omitempty"`    // owner/name
	RepositoryID string     `json:"repository_id,omitempty"` // github-actions: numeric, as the host counts; names can be registered again by somebody else, numbers cannot
	OwnerID      string     `json:"owner_id,omitempty"`      // github-actions: numeric
	Branch       string     `json:"branch,omitempty"`        // the only one that is delivered
	Paths        []string   `json:"paths,omitempty"`         // codepipeline, connection: what starts it, as globs; empty: every push
	Tag          string     `json:"tag,omitempty"`           // codepipeline, image
}

// PipelineStage is one environment that a pipeline delivers to, with what must hold before it does.
type PipelineStage struct {
	Environment    string     `json:"environment"`              // name
	EnvironmentID  string     `json:"environment_id,omitempty"` // set by the store
	Stage          Stage      `json:"stage,omitempty"`          // of the environment; set by the store
	Automatic      bool       `json:"automatic,omitempty"`      // its promotions may be approved by a rule
	Gates          []Gate     `json:"gates"`                    // those that must pass, in any order; the others are not configured
	Scan           ScanLimits `json:"scan"`                     // what the image scan lets pass
	TimeoutMinutes int        `json:"timeout_minutes"`          // how long CodePipeline waits for the promotion
}

// Bounds of pipelines. MaxApproval and the number of paths are CodePipeline's own.
const (
	MaxStages      = 5
	MinApproval    = 30    // minutes
	DefaultTimeout = 10080 // minutes: seven days, CodePipeline's own default
	MaxApproval    = 86400 // minutes
	maxPaths       = 8
)

// Pipeline is the delivery of a service from its repository through stages into environments.
type Pipeline struct {
	ID             string
	TenantID       string
	TenantSlug     string
	Name           string
	Kind           PipelineKind
	ServiceID      string
	ServiceName    string
	Repository     string // URI of the service's image repository
	ConnectionID   string // empty: it needs none
	ConnectionName string
	Source         PipelineSource
	Stages         []PipelineStage
	Paused         bool
	AccountID      string
	Class          Class
	State          ObjectState
	Estimate       *Estimate
	RequestID      string // the request that made it
	CreatedAt      time.Time
	UpdatedAt      time.Time
	Stack          Stack // outputs: PipelineName, ProjectName, LogGroup; github-actions: BuildRoleArn and EnvironmentRoles

	ReadAt  time.Time // wall time of the last reading of its executions; zero: none yet
	ReadGap *ReadGap  // why the last reading failed; nil: it did not
	Moving  bool      // an execution moves, so that it is read often
}

// StageOf finds the stage of an environment.
func (p Pipeline) StageOf(environmentID string) (PipelineStage, bool) {
	for _, s := range p.Stages {
		if s.EnvironmentID == environmentID {
			return s, true
		}
	}
	return PipelineStage{}, false
}

// ApprovalAction is the name of the one action in the deploy stage of an environment, by which CodePipeline asks for the promotion. The
// stage itself is named after the environment.
func ApprovalAction(environment string) string { return "slipway-" + environment }

// How often executions of a pipeline are read, in product time.
const (
	ReadMoving = 10 * time.Second // while something moves
	ReadCalm   = 5 * time.Minute
)

// Every is how often the pipeline is read now; zero: nothing is to be read, its workflow tells by itself.
func (p Pipeline) Every() time.Duration {
	switch {
	case p.Kind != CodePipeline || p.State == Creating || p.State == Deleted:
		return 0
	case p.Moving:
		return ReadMoving
	}
	return ReadCalm
}

// MayNot says in words why a request of the kind makes no sense for the pipeline as it is; empty when it does.
func (p Pipeline) MayNot(kind RequestKind) string {
	switch {
	case p.State == Deleted:
		return p.Name + " is deleted."
	case p.State == Deleting && kind != DeletePipeline:
		return p.Name + " is being deleted."
	case p.State == Creating:
		return p.Name + " is still being created."
	case kind == PausePipeline && p.Paused:
		return p.Name + " is paused already."
	case kind == ResumePipeline && !p.Paused:
		return p.Name + " is not paused."
	}
	return ""
}
