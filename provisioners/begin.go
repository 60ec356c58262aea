package provisioners

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"slipway/models"
)

// begin looks once more at what was approved: the stored plan is the hashed one, and today's rules ask for nothing more.
func (e *Engine) begin(ctx context.Context, h *held, rs RunState) error {
	facts, err := e.Journal.Facts(ctx, rs.Request.ID)
	if err != nil {
		return err
	}
	b := Begin{Locks: rs.Request.Locks(), Retry: e.delay("lock", 0)}
	steps, err := e.steps(rs.Request.Kind, rs.Plan)
	if err != nil {
		b.Void = "This version of Slipway cannot run the plan: " + sentence(err)
	}
	for i, s := range steps {
		b.Steps = append(b.Steps, models.Step{Position: i + 1, Name: s.Name, Title: s.Title, Part: s.Part, State: models.StepPending})
	}
	if b.Void == "" {
		b.Void, b.Notes = e.judge(facts, rs.Plan)
	}
	h.stop()
	return e.Journal.BeginRun(ctx, h.job, b)
}

// retried judges a further attempt by today's rules before its first call, as begin does the first one. What it returns is why it is void.
func (e *Engine) retried(ctx context.Context, rs RunState) (string, error) {
	begun := slices.ContainsFunc(rs.Run.Steps, func(s models.Step) bool { return s.Attempt == rs.Run.Attempt })
	if rs.Request.State != models.Running || rs.Run.Attempt < 2 || begun {
		return "", nil
	}
	facts, err := e.Journal.Facts(ctx, rs.Request.ID)
	if err != nil {
		return "", err
	}
	void, _ := e.judge(facts, rs.Plan)
	return void, nil
}

// judge evaluates today's rules on an approved plan: only a new deny or a higher demand voids it.
func (e *Engine) judge(facts models.RuleFacts, plan models.Plan) (void string, notes []string) {
	if _, hash, err := plan.Content.Freeze(); err != nil || hash != plan.Hash {
		return "The stored plan is not the one its hash was made of.", nil
	}
	facts.Content, facts.Now, facts.Unpriced = plan.Content, e.Clock.Now(), plan.Notes.Estimate != nil && plan.Notes.Estimate.Unpriced
	facts.Content.Rules = nil
	v := e.Rules.Evaluate(facts)
	switch {
	case v.Denied:
		return "A rule now denies it: " + strings.Join(v.Refusals(), " "), nil
	case v.ApprovedBy == "" && models.Higher(plan.Notes.RuleDemands, v.Demands):
		return "The rules now ask for more approvals: " + demandWords(v.Demands) + ".", nil
	}
	if v.Digest != plan.Notes.RulesLoaded {
		notes = append(notes, "The rules file has changed since the plan; it asks for nothing more.")
	}
	return "", notes
}

func demandWords(demands []models.Demand) string {
	words := make([]string, len(demands))
	for i, d := range demands {
		words[i] = fmt.Sprintf("%d × %s", d.Count, d.Role)
	}
	return strings.Join(words, ", ")
}
