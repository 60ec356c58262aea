package models

import "strings"

// The codes of what is refused after a token has been believed.
const (
	CINoPipeline  = "no_pipeline"
	CIOtherNumber = "other_number" // names match a pipeline, numbers do not
	CINamePlease  = "which_pipeline"
	CIPaused      = "paused"
	CIState       = "state"
	CIBranch      = "branch"
	CIEvent       = "event"
	CIEnvironment = "environment"
	CIReplayed    = "replayed"
	CIPromotion   = "promotion"
)

const heads = "refs/heads/"

// MayActFor refuses a token that the pipeline's source does not allow, or a pipeline that takes nothing now. Its numbers have been matched.
func (t CIToken) MayActFor(p Pipeline) *CIRefused {
	about := func(r *CIRefused) *CIRefused {
		r.TenantID, r.Pipeline, r.Name = p.TenantID, p.ID, p.TenantSlug+"/"+p.Name
		return r
	}
	branch, ofBranch := strings.CutPrefix(t.Ref, heads)
	switch {
	case p.State == Creating || p.State == Deleting || p.State == Deleted:
		return about(CIRefusal(Forbidden, CIState, "The pipeline %s is %s, so it takes nothing.", p.Name, p.State))
	case p.Paused:
		return about(CIRefusal(Forbidden, CIPaused, "The pipeline %s is paused. Resume it on its page, then run the workflow again.", p.Name))
	case !t.Pushed:
		return about(CIRefusal(Forbidden, CIEvent, "This run was started by %q. Pipelines take runs that a push, a schedule or a person started, never those of pull requests.", clip(t.Event, 40)))
	case !ofBranch:
		return about(CIRefusal(Forbidden, CIBranch, "This run is of %q, which is no branch. The pipeline %s delivers the branch %s.", clip(t.Ref, 80), p.Name, p.Source.Branch))
	case branch != p.Source.Branch:
		return about(CIRefusal(Forbidden, CIBranch, "This run is of the branch %q. The pipeline %s delivers the branch %s.", clip(branch, 80), p.Name, p.Source.Branch))
	}
	return nil
}

// MayPromoteTo refuses to promote to an environment by a job that is not bound to it at the source host: there, its reviewers and branch
// rules hold.
func (t CIToken) MayPromoteTo(p Pipeline, environment string) *CIRefused {
	if strings.EqualFold(t.Environment, environment) && environment != "" {
		return nil
	}
	r := CIRefusal(Forbidden, CIEnvironment, "The token is of a job without an environment. Set environment: %s on the job that asks for this promotion.", environment)
	if t.Environment != "" {
		r = CIRefusal(Forbidden, CIEnvironment, "The token is of a job in the environment %q, so it cannot ask for a promotion to %s.", clip(t.Environment, 60), environment)
	}
	r.TenantID, r.Pipeline, r.Name = p.TenantID, p.ID, p.TenantSlug+"/"+p.Name
	return r
}
