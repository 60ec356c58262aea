package models

import "strings"

// The codes of what is refused after a token has been believed.
const (
	CINoPipeline  = "no_pipeline"
	CIOtherNumber = "other_number" // names match a pipeline, numbers do not
	CIPaused      = "paused"
	CIState       = "state"
	CIBranch      = "branch"
	CIEvent       = "event"
	CIEnvironment = "environment"
	CIReplayed    = "replayed"
	CIPromotion   = "promotion"
)

const heads = "refs/heads/"

// MayRead refuses a token that the pipeline's source does not allow. Its numbers have been matched.
func (t CIToken) MayRead(p Pipeline) *CIRefused {
	branch, ofBranch := strings.CutPrefix(t.Ref, heads)
	switch {
	case p.State == Creating || p.State == Deleting || p.State == Deleted:
		return refusedFor(p, CIState, "The pipeline %s is %s, so it takes nothing.", p.Name, p.State)
	case !t.Pushed:
		return refusedFor(p, CIEvent, "This run was started by %q. Pipelines take runs that a push, a schedule or a person started, never those of pull requests.", clip(t.Event, 40))
	case !ofBranch:
		return refusedFor(p, CIBranch, "This run is of %q, which is no branch. The pipeline %s delivers the branch %s.", clip(t.Ref, 80), p.Name, p.Source.Branch)
	case branch != p.Source.Branch:
		return refusedFor(p, CIBranch, "This run is of the branch %q. The pipeline %s delivers the branch %s.", clip(branch, 80), p.Name, p.Source.Branch)
	}
	return nil
}

// MayActFor refuses also what a pipeline does not take now.
func (t CIToken) MayActFor(p Pipeline) *CIRefused {
	if r := t.MayRead(p); r != nil {
		return r
	}
	if p.Paused {
		return refusedFor(p, CIPaused, "The pipeline %s is paused. Resume it on its page, then run the workflow again.", p.Name)
	}
	return nil
}

// MayPromoteTo refuses to promote to an environment by a job that is not bound to it at the source host: there, its reviewers and branch
// rules hold.
func (t CIToken) MayPromoteTo(p Pipeline, environment string) *CIRefused {
	if strings.EqualFold(t.Environment, environment) && environment != "" {
		return nil
	}
	if t.Environment == "" {
		return refusedFor(p, CIEnvironment, "The token is of a job without an environment. Set environment: %s on the job that asks for this promotion.", environment)
	}
	return refusedFor(p, CIEnvironment, "The token is of a job in the environment %q, so it cannot ask for a promotion to %s.", clip(t.Environment, 60), environment)
}

func refusedFor(p Pipeline, code, format string, args ...any) *CIRefused {
	r := CIRefusal(Forbidden, code, format, args...)
	r.TenantID, r.Pipeline, r.Name = p.TenantID, p.ID, p.TenantSlug+"/"+p.Name
	return r
}
