package provisioners

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"slipway/models"
)

// plan computes the plan of a request in planning.
func (e *Engine) plan(ctx context.Context, h *held) error {
	req, ok, err := e.Journal.LockForPlan(ctx, h.job, e.delay("lock", 0))
	if err != nil || !ok {
		return err
	}
	e.Crash("plan", "plan", "after-intent-commit")
	planned, err := e.compute(ctx, h, req)
	e.Crash("plan", "plan", "after-aws-call")
	var wait Wait
	if errors.As(err, &wait) {
		return e.putOff(ctx, h, wait)
	}
	if err != nil {
		next, failure := e.planError(ctx, h.job, err)
		if failure == "" {
			h.stop()
			return e.Journal.End(ctx, h.job, next)
		}
		planned = Planned{Failure: failure}
	}
	if errors.Is(context.Cause(ctx), ErrStale) {
		return ErrStale
	}
	h.stop()
	if err := e.Journal.FinishPlan(ctx, h.job, planned); err != nil {
		return err
	}
	e.Crash("plan", "plan", "after-outcome-commit")
	return nil
}

// compute asks the provisioner for a draft, the rules for a verdict and freezes both.
func (e *Engine) compute(ctx context.Context, h *held, req models.Request) (Planned, error) {
	p := e.provisioners[req.Kind]
	if p == nil {
		return Planned{}, Final{Failure: models.Failure{What: fmt.Sprintf("This version of Slipway cannot plan %s.", req.Kind)}}
	}
	facts, err := e.Journal.Facts(ctx, req.ID)
	if err != nil {
		return Planned{}, err
	}
	var draft Draft
	err = e.call(ctx, h, "plan", string(req.Kind), func(ctx context.Context) (err error) {
		draft, err = p.Plan(ctx, Planning{Request: req, Now: e.Clock.Now()})
		return err
	})
	if err != nil {
		return Planned{}, err
	}
	content := models.PlanContent{Kind: req.Kind, ObjectType: req.ObjectType, Object: req.ObjectName, Inputs: json.RawMessage(req.Inputs),
		Parts: draft.Parts, Cost: draft.Cost}
	facts.Content, facts.Now, facts.Unpriced = content, e.Clock.Now(), draft.Estimate != nil && draft.Estimate.Unpriced
	verdict := e.Rules.Evaluate(facts)
	content.Rules = verdict.Refs()
	canonical, hash, err := content.Freeze()
	if err != nil {
		return Planned{}, Final{Failure: models.Failure{What: "The plan cannot be hashed."}, Err: err}
	}
	planned := Planned{Content: content, Canonical: canonical, Hash: hash, Verdict: verdict, Notes: models.PlanNotes{
		Rules: verdict.Outcomes, Demands: verdict.Demands, RuleDemands: verdict.Demands, ApprovedBy: verdict.ApprovedBy, RulesLoaded: verdict.Digest,
		PriceDate: draft.PriceDate, PriceDigest: draft.PriceDigest, NotEstimated: draft.NotEstimated, Region: draft.Region,
		Estimate: draft.Estimate, Problems: draft.Problems, Notes: draft.Notes,
	}}
	return planned, nil
}

// putOff asks again later, and says for what the request waits.
func (e *Engine) putOff(ctx context.Context, h *held, wait Wait) error {
	delay := wait.Delay
	if delay == 0 {
		delay = e.delay("plan", h.job.Attempts)
	}
	h.stop()
	return e.Journal.PutOffPlan(ctx, h.job, models.WaitingOn{For: wait.For, Words: wait.Words}, Next{Delay: delay, Attempts: h.job.Attempts})
}

// planError decides whether planning is tried again; a non-empty failure ends it, in words for the requester.
func (e *Engine) planError(ctx context.Context, job Job, err error) (Next, string) {
	var final Final
	if errors.As(err, &final) {
		return Next{}, words(final.Failure)
	}
	e.Logger.WarnContext(ctx, "plan call failed", "request", job.ObjectID, "tries", job.Attempts+1, "err", err)
	if job.Attempts+1 < maxTries {
		return Next{Delay: e.backOff(job.Attempts), Attempts: job.Attempts + 1}, ""
	}
	f := describe(err)
	if f.What == "" {
		f.What = "The plan could not be made: AWS did not answer as it should."
	}
	f.Cause = strings.TrimSpace(fmt.Sprintf("%s Tried %d times; the last answer was: %s", f.Cause, job.Attempts+1, sentence(err)))
	return Next{}, words(f)
}

// words puts a failure into the one sentence that a request's reason holds.
func words(f models.Failure) string {
	parts := []string{f.What, f.Cause}
	if f.Code != "" {
		parts = append(parts, "("+f.Code+")")
	}
	parts = append(parts, f.Next)
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}
