package models

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	repositoryForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}(/[A-Za-z0-9_.-]{1,100}){1,3}$`)
	numericForm    = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	branchForm     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$`)
	pathForm       = regexp.MustCompile(`^[A-Za-z0-9_.*?/\[\]!-]{1,255}$`)
	tagForm        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
)

// ConnectionInputs is what requests about connections ask for.
type ConnectionInputs struct {
	Name     string     `json:"name,omitempty"`
	Provider SourceHost `json:"provider,omitempty"`
	Class    Class      `json:"class,omitempty"`   // of the account; empty: where services have their repositories
	Digest   string     `json:"digest,omitempty"`  // set by the store
	Confirm  string     `json:"confirm,omitempty"` // delete: the name, typed

	AccountID string `json:"account_id,omitempty"` // set by the store: row of the account
}

// Validate says what is wrong, by form field.
func (in ConnectionInputs) Validate(kind RequestKind) error {
	if kind != CreateConnection {
		return nil
	}
	bad := map[string]string{}
	if msg := ValidObjectName(in.Name, "github"); msg != "" {
		bad["name"] = msg
	}
	if !slices.Contains(SourceHosts(), in.Provider) {
		bad["provider"] = "Choose the source host: GitHub, GitLab or Bitbucket."
	}
	if in.Class != "" && in.Class != NonProd && in.Class != Prod {
		bad["class"] = "Choose nonprod or prod."
	}
	return InvalidFields(bad)
}

// PipelineInputs is what requests about pipelines ask for; each kind reads its own part.
type PipelineInputs struct {
	Name       string            `json:"name,omitempty"`       // create
	Kind       PipelineKind      `json:"kind,omitempty"`       // create
	Service    string            `json:"service,omitempty"`    // create: name
	Connection string            `json:"connection,omitempty"` // create, codepipeline with a connection: name
	Source     PipelineSource    `json:"source,omitzero"`      // create, update
	Stages     []PipelineStage   `json:"stages,omitempty"`     // create, update: in order
	Inputs     map[string]string `json:"inputs,omitempty"`     // create, update: the blueprint's own
	Confirm    string            `json:"confirm,omitempty"`    // delete: the name, typed

	// Set by the store when it is submitted, never typed.
	Digest       string `json:"digest,omitempty"` // of the blueprint version
	AccountID    string `json:"account_id,omitempty"`
	ServiceID    string `json:"service_id,omitempty"`
	ConnectionID string `json:"connection_id,omitempty"`
}

// Validate says what is wrong with what people type, by form field: name, kind, service, connection, source, repository, repository_id,
// owner_id, branch, paths, tag, stages, and stage.N.gates, stage.N.timeout (N from 1). Whether things exist is judged by the store.
func (in PipelineInputs) Validate(kind RequestKind) error {
	bad := map[string]string{}
	put := func(field, msg string) {
		if msg != "" && bad[field] == "" {
			bad[field] = msg
		}
	}
	if kind == CreatePipeline {
		put("name", ValidObjectName(in.Name, "orders"))
		put("service", needed(in.Service, "Choose the service that is delivered."))
		if !slices.Contains(PipelineKinds(), in.Kind) {
			put("kind", "Choose what moves it: CodePipeline or GitHub Actions.")
		}
	}
	if kind == CreatePipeline || kind == UpdatePipeline {
		in.validateSource(put)
		in.validateStages(put)
	}
	if len(in.Inputs) > maxInputs {
		put("inputs", "These are more answers than a blueprint can ask for.")
	}
	for name, v := range in.Inputs {
		if len(v) > maxInputLength {
			put(name, fmt.Sprintf("At most %d characters.", maxInputLength))
		}
	}
	return InvalidFields(bad)
}

func needed(s, msg string) string {
	if s == "" {
		return msg
	}
	return ""
}

func matching(form *regexp.Regexp, s, msg string) string {
	if form.MatchString(s) {
		return ""
	}
	return msg
}

func (in PipelineInputs) validateSource(put func(field, msg string)) {
	s := in.Source
	if in.Kind == GitHubActions {
		put("repository", matching(repositoryForm, s.Repository, "Name the repository as owner/name."))
		put("repository_id", matching(numericForm, s.RepositoryID, "Give the repository's number. Names can be registered again by somebody else, numbers cannot."))
		put("owner_id", matching(numericForm, s.OwnerID, "Give the owner's number."))
		put("branch", validBranch(s.Branch))
		return
	}
	switch s.Kind {
	case SourceConnection:
		put("connection", needed(in.Connection, "Choose a connection, or order one first."))
		put("repository", matching(repositoryForm, s.Repository, "Name the repository as owner/name."))
		put("branch", validBranch(s.Branch))
		if len(s.Paths) > maxPaths {
			put("paths", fmt.Sprintf("At most %d paths.", maxPaths))
		}
		for _, p := range s.Paths {
			put("paths", matching(pathForm, p, fmt.Sprintf("%q is no path or glob, like services/orders/**.", clip(p, 60))))
		}
	case SourceImage:
		put("tag", matching(tagForm, s.Tag, "Name the tag whose push starts it, for example main."))
	default:
		put("source", "Choose what starts it: a push to a branch, or an image.")
	}
}

func validBranch(b string) string {
	if branchForm.MatchString(b) && !strings.Contains(b, "..") && !strings.HasSuffix(b, "/") {
		return ""
	}
	return "Name one branch, for example main. Patterns are not possible."
}

func (in PipelineInputs) validateStages(put func(field, msg string)) {
	if n := len(in.Stages); n == 0 || n > MaxStages {
		put("stages", fmt.Sprintf("Choose one to %d environments, in the order in which it delivers to them.", MaxStages))
	}
	seen := map[string]bool{}
	for i, s := range in.Stages {
		field := func(name string) string { return fmt.Sprintf("stage.%d.%s", i+1, name) }
		switch {
		case s.Environment == "":
			put("stages", "Each stage is one of the tenant's environments.")
		case seen[s.Environment]:
			put("stages", s.Environment+" is there twice.")
		}
		seen[s.Environment] = true
		for _, g := range s.Gates {
			if _, ok := GateOf(g); !ok {
				put(field("gates"), fmt.Sprintf("There is no gate %q.", clip(string(g), 40)))
			}
		}
		if in.Kind != GitHubActions && (s.TimeoutMinutes < MinApproval || s.TimeoutMinutes > MaxApproval) {
			put(field("timeout"), fmt.Sprintf("Give %d minutes to %d days.", MinApproval, MaxApproval/60/24))
		}
		put(field("scan"), s.Scan.wrong())
	}
}
