package awssim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// runStacks is the ticker of the stacks: it carries out every step that is due, in order,
// and what follows from it, so that a long silence ends where a busy time would have.
func runStacks(ctx context.Context, c *Call) error {
	for {
		var seq int64
		var id string
		var due time.Time
		var body []byte
		err := c.Tx.QueryRow(ctx, `DELETE FROM stack_steps WHERE seq = (SELECT seq FROM stack_steps WHERE due_at <= $1 ORDER BY due_at, seq LIMIT 1)
			RETURNING seq, stack, due_at, body`, c.Now).Scan(&seq, &id, &due, &body)
		if isNoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("take the next step: %w", err)
		}
		var step cfnStep
		if err := json.Unmarshal(body, &step); err != nil {
			return fmt.Errorf("decode step %d: %w", seq, err)
		}
		step.due = due.UTC()
		s, err := c.stackByID(ctx, id)
		if err != nil {
			return err
		}
		if err := c.step(ctx, s, step); err != nil {
			return fmt.Errorf("stack %s, step %s %s: %w", s.Name, step.Kind, step.ID, err)
		}
		if err := c.saveStack(ctx, s); err != nil {
			return err
		}
	}
}

func (c *Call) step(ctx context.Context, s *cfnStack, step cfnStep) error {
	switch step.Kind {
	case "begin":
		return c.stepBegin(ctx, s, step)
	case "made", "configured", "done", "fail":
		r, err := c.resource(ctx, s.ID, step.ID)
		if err != nil || r == nil {
			return errors.Join(err, missing(r))
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

func missing(r *cfnResource) error {
	if r == nil {
		return errors.New("its resource is gone")
	}
	return nil
}

// verb is CREATE or UPDATE: how a resource's change is called in its status.
func verb(change string) string {
	if change == "Add" {
		return "CREATE"
	}
	return "UPDATE"
}

func (c *Call) stepBegin(ctx context.Context, s *cfnStack, step cfnStep) error {
	r := step.Resource
	old, err := c.resource(ctx, s.ID, r.ID)
	if err != nil {
		return err
	}
	if old != nil && old.live() && step.Change != "Add" {
		r.Old = old
	}
	r.Operation = s.Operation
	switch step.Change {
	case "Add":
		err = c.beginNew(ctx, s, r, "", "CREATE_IN_PROGRESS", "", step.due)
	case "Replace":
		err = c.beginNew(ctx, s, r, old.Physical, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; hence creating one.", step.due)
	default:
		r.Operation = old.Operation
		err = c.turnResource(ctx, s, r, "UPDATE_IN_PROGRESS", "", step.due)
	}
	if err != nil {
		return err
	}
	return c.goOn(ctx, s, r, step)
}

// beginNew starts the making of a resource, whose id nobody is told yet.
func (c *Call) beginNew(ctx context.Context, s *cfnStack, r *cfnResource, shown, status, reason string, at time.Time) error {
	physical := r.Physical
	r.Physical = shown
	if err := c.turnResource(ctx, s, r, status, reason, at); err != nil {
		return err
	}
	r.Physical = physical
	return c.hold(ctx, s, r)
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

// hold keeps in a resource under way the id it is going to have, where no caller sees it.
func (c *Call) hold(ctx context.Context, s *cfnStack, r *cfnResource) error {
	shown := ""
	if r.Old != nil {
		shown = r.Old.Physical
	}
	_, err := c.Tx.Exec(ctx, `UPDATE stack_resources SET physical_id = $3, body = $4 WHERE stack = $1 AND id = $2`, s.ID, r.ID, shown, r)
	if err != nil {
		return fmt.Errorf("hold %s of %s: %w", r.ID, s.Name, err)
	}
	return nil
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
