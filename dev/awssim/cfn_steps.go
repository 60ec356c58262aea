package awssim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// runStacks is the ticker of the stacks: it carries out every step that is due, in order,
// and what follows from it, so that a long silence ends where a busy time would have.
func runStacks(ctx context.Context, c *Call) error { return c.runSteps(ctx, math.MaxInt) }

// stepsPerCall bounds what one call has to wait for; the next call goes on from there.
const stepsPerCall = 500

func runDueSteps(ctx context.Context, c *Call) error { return c.runSteps(ctx, stepsPerCall) }

func (c *Call) runSteps(ctx context.Context, most int) error {
	after := time.Time{}
	for range most { // nothing is scheduled before what caused it
		s, step, err := c.nextStep(ctx, after)
		if err != nil || s == nil {
			return err
		}
		after = step.due
		before, err := json.Marshal(s.row())
		if err != nil {
			return fmt.Errorf("stack %s: %w", s.Name, err)
		}
		if err := c.step(ctx, s, step); err != nil {
			return fmt.Errorf("stack %s, step %s %s: %w", s.Name, step.Kind, step.ID, err)
		}
		now, err := json.Marshal(s.row())
		if err != nil {
			return fmt.Errorf("stack %s: %w", s.Name, err)
		}
		if bytes.Equal(before, now) {
			continue
		}
		if err := c.saveStack(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// nextStep takes the next step that is due, with its stack and its resource as they stand; no
// stack when there is none.
func (c *Call) nextStep(ctx context.Context, after time.Time) (*cfnStack, cfnStep, error) {
	s, step := &cfnStack{}, cfnStep{}
	r := &cfnResource{}
	var current []byte
	var gone *bool
	var due time.Time
	err := c.Tx.QueryRow(ctx, `WITH next AS (DELETE FROM stack_steps WHERE seq = (SELECT seq FROM stack_steps WHERE due_at <= $1 AND due_at >= $2 ORDER BY due_at, seq LIMIT 1) RETURNING stack, due_at, body)
		SELECT n.due_at, n.body, s.body, r.body, r.live, r.gone, r.drift FROM next n JOIN stacks s ON s.id = n.stack LEFT JOIN stack_resources r ON r.stack = n.stack AND r.id = n.body->>'ID'`, c.Now, after).
		Scan(&due, &step, s, &current, &r.byHand, &gone, &r.drift)
	if isNoRows(err) {
		return nil, step, nil
	}
	if err == nil && current != nil {
		step.current, r.gone = r, *gone
		err = json.Unmarshal(current, r)
	}
	if err == nil {
		err = errors.Join(c.fetchTemplate(ctx, &s.Definition), c.fetchTemplate(ctx, s.Next))
	}
	if err != nil {
		return nil, step, fmt.Errorf("take the next step: %w", err)
	}
	step.due = due.UTC()
	return s, step, nil
}

func (c *Call) step(ctx context.Context, s *cfnStack, step cfnStep) error {
	switch step.Kind {
	case "begin":
		return c.stepBegin(ctx, s, step)
	case "made", "configured", "done", "fail":
		r := step.current
		if r == nil {
			return errors.New("its resource is gone")
		}
		switch step.Kind {
		case "made":
			return c.stepMade(ctx, s, r, step)
		case "configured":
			return c.stepConfigured(ctx, s, r, step)
		case "done":
			return c.stepDone(ctx, s, r, step)
		}
		return c.fail(ctx, s, r, step.Reason, step.due)
	case "restore":
		return c.stepRestore(ctx, s, step)
	case "delete", "deleted", "skip":
		return c.stepDelete(ctx, s, step)
	case "cleanup":
		return c.stepCleanup(ctx, s, step)
	case "finish":
		return c.stepFinish(ctx, s, step)
	}
	return fmt.Errorf("unknown step %q", step.Kind)
}

// verb is CREATE or UPDATE: how a resource's change is called in its status.
func verb(change string) string {
	if change == "Add" {
		return "CREATE"
	}
	return "UPDATE"
}

func (c *Call) stepBegin(ctx context.Context, s *cfnStack, step cfnStep) error {
	r, old := step.Resource, step.current
	if old != nil && old.live() && step.Change != "Add" {
		r.Old = old
	}
	r.Operation = s.Operation
	var err error
	switch step.Change { // nobody is told the id before the resource is made
	case "Add":
		err = c.turnShown(ctx, s, r, "", "CREATE_IN_PROGRESS", "", step.due)
	case "Replace":
		err = c.turnShown(ctx, s, r, old.Physical, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; hence creating one.", step.due)
	default:
		r.Operation = old.Operation
		err = c.turnResource(ctx, s, r, "UPDATE_IN_PROGRESS", "", step.due)
	}
	if err != nil {
		return err
	}
	return c.goOn(ctx, s, r, step)
}

// goOn schedules what follows the beginning of a change.
func (c *Call) goOn(ctx context.Context, s *cfnStack, r *cfnResource, step cfnStep) error {
	took := c.duration(s, r.Type, r.ID, step.Change)
	slow, err := c.slow(ctx, s, r.ID)
	if err != nil {
		return err
	}
	took += slow
	kinds := []string{createFailed}
	if step.Change != "Add" {
		kinds = append(kinds, updateFailed)
	}
	reason, failing, err := c.fault(ctx, s.Account, s.Name, r.ID, kinds...)
	if err != nil {
		return err
	}
	after := func(kind string, tenths time.Duration) cfnStep {
		return cfnStep{Kind: kind, ID: r.ID, Change: step.Change, Revert: step.Revert, due: step.due.Add(took * tenths / 10)}
	}
	steps := []cfnStep{after("made", 3)}
	switch {
	case failing:
		last := after("fail", 6)
		last.Reason = failureWords(r, reason)
		steps = append(steps, last)
	case behaviourOf(r.Type).stabilises():
		steps = append(steps, after("configured", 5), after("done", 10))
	default:
		steps = append(steps, after("done", 10))
	}
	return c.schedule(ctx, s, steps...)
}

// stepMade is the moment a resource comes into being, or gets its new properties: here AWS
// refuses what cannot be.
func (c *Call) stepMade(ctx context.Context, s *cfnStack, r *cfnResource, step cfnStep) error {
	if step.Change == "Modify" {
		return c.stepModified(ctx, s, r, step)
	}
	exists, err := c.taken(ctx, s, r.Type, r.Physical)
	if err != nil {
		return err
	}
	if exists {
		return c.fail(ctx, s, r, alreadyExists(r), step.due)
	}
	why, err := c.effect(ctx, s, r, "create", step.due)
	if err != nil {
		return err
	}
	if why != "" {
		return c.fail(ctx, s, r, why, step.due)
	}
	if err := c.forgetDrift(ctx, s, r); err != nil { // of the one it takes the place of
		return err
	}
	return c.turnResource(ctx, s, r, verb(step.Change)+"_IN_PROGRESS", initiated, step.due)
}

func alreadyExists(r *cfnResource) string {
	return fmt.Sprintf(`Resource of type '%s' with identifier '%s' already exists. (RequestToken: %s, HandlerErrorCode: AlreadyExists)`, r.Type, r.Physical, newRequestID())
}

func notFound(r *cfnResource) string {
	return fmt.Sprintf(`Resource of type '%s' with identifier '%s' was not found. (RequestToken: %s, HandlerErrorCode: NotFound)`, r.Type, r.Physical, newRequestID())
}

func (c *Call) stepModified(ctx context.Context, s *cfnStack, r *cfnResource, step cfnStep) error {
	if r.gone {
		return c.fail(ctx, s, r, notFound(r), step.due)
	}
	why, err := c.effect(ctx, s, r, "update", step.due)
	if err != nil {
		return err
	}
	if why != "" {
		return c.fail(ctx, s, r, why, step.due)
	}
	if err := c.overwrite(ctx, s, r, step.Revert); err != nil {
		return err
	}
	return c.saveResource(ctx, s, r)
}

const configurationComplete = "CONFIGURATION_COMPLETE"

// stepConfigured says that a resource is as it should be and only has to settle; when the
// last one of a stack is, the stack says so too.
func (c *Call) stepConfigured(ctx context.Context, s *cfnStack, r *cfnResource, step cfnStep) error {
	properties, err := json.Marshal(r.Properties)
	if err != nil {
		return fmt.Errorf("properties of %s: %w", r.ID, err)
	}
	r.Detailed = configurationComplete
	if err := c.saveResource(ctx, s, r); err != nil {
		return err
	}
	if err := c.event(ctx, s, cfnEvent{Logical: r.ID, Physical: r.Physical, Type: r.Type, Status: r.Status, Reason: "Eventual consistency check initiated", Properties: string(properties), Detailed: configurationComplete, At: step.due}); err != nil {
		return err
	}
	var more bool
	err = c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM stack_steps WHERE stack = $1 AND body->>'Kind' IN ('begin', 'made', 'configured'))`, s.ID).Scan(&more)
	if err != nil || more || s.Detailed != "" {
		return err
	}
	s.Detailed = configurationComplete
	return c.event(ctx, s, cfnEvent{Logical: s.Name, Physical: s.ID, Type: "AWS::CloudFormation::Stack", Status: s.Status, Reason: "Eventual consistency check initiated", Detailed: configurationComplete, At: step.due})
}

func (c *Call) stepDone(ctx context.Context, s *cfnStack, r *cfnResource, step cfnStep) error {
	word := "update"
	if step.Change != "Modify" {
		word = "create"
	}
	ok, why, err := c.settled(ctx, s, r, step, word)
	switch {
	case err != nil || (!ok && why == ""):
		return err
	case !ok:
		return c.fail(ctx, s, r, why, step.due)
	}
	if err := c.turnResource(ctx, s, r, verb(step.Change)+"_COMPLETE", "", step.due); err != nil {
		return err
	}
	return c.release(ctx, s, r.ID, step.due)
}
