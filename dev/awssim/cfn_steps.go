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
	case "made", "done", "fail":
		r, err := c.resource(ctx, s.ID, step.ID)
		if err != nil || r == nil {
			return errors.Join(err, missing(r))
		}
		switch step.Kind {
		case "made":
			return c.stepMade(ctx, s, r, step)
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
	if old != nil && old.live() {
		r.Old = old
	}
	r.Operation = s.Operation
	switch step.Change {
	case "Add":
		physical := r.Physical
		r.Physical = "" // not known before it is made
		if err := c.turnResource(ctx, s, r, "CREATE_IN_PROGRESS", "", step.due); err != nil {
			return err
		}
		r.Physical = physical
		return c.hold(ctx, s, r)
	case "Replace":
		physical := r.Physical
		r.Physical = old.Physical
		if err := c.turnResource(ctx, s, r, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; hence creating one.", step.due); err != nil {
			return err
		}
		r.Physical = physical
		return c.hold(ctx, s, r)
	}
	r.Operation = old.Operation
	return c.turnResource(ctx, s, r, "UPDATE_IN_PROGRESS", "", step.due)
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

// stepMade is the moment a resource comes into being: here AWS refuses what cannot be.
func (c *Call) stepMade(ctx context.Context, s *cfnStack, r *cfnResource, step cfnStep) error {
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
	return c.turnResource(ctx, s, r, verb(step.Change)+"_IN_PROGRESS", initiated, step.due)
}

func alreadyExists(r *cfnResource) string {
	return fmt.Sprintf(`Resource of type '%s' with identifier '%s' already exists. (RequestToken: %s, HandlerErrorCode: AlreadyExists)`, r.Type, r.Physical, newRequestID())
}

func (c *Call) stepDone(ctx context.Context, s *cfnStack, r *cfnResource, step cfnStep) error {
	if step.Change == "Modify" {
		why, err := c.effect(ctx, s, r, "update", step.due)
		if err != nil {
			return err
		}
		if why != "" {
			return c.fail(ctx, s, r, why, step.due)
		}
	}
	return c.turnResource(ctx, s, r, verb(step.Change)+"_COMPLETE", "", step.due)
}

// stepDelete removes a resource: the current one, or a former one with another id.
func (c *Call) stepDelete(ctx context.Context, s *cfnStack, step cfnStep) error {
	current, err := c.resource(ctx, s.ID, step.ID)
	if err != nil {
		return err
	}
	r := step.Resource
	former := current != nil && current.live() && current.Physical != r.Physical
	turn := func(status, reason string) error {
		if !former {
			return c.turnResource(ctx, s, r, status, reason, step.due)
		}
		return c.event(ctx, s, cfnEvent{Logical: r.ID, Physical: r.Physical, Type: r.Type, Status: status, Reason: reason, At: step.due})
	}
	switch step.Kind {
	case "skip":
		return turn("DELETE_SKIPPED", "")
	case "delete":
		return turn("DELETE_IN_PROGRESS", "")
	}
	if r.Physical != "" {
		why, err := c.effect(ctx, s, r, "delete", step.due)
		if err != nil {
			return err
		}
		if why != "" {
			s.Failed = append(s.Failed, r.ID)
			return turn("DELETE_FAILED", why)
		}
	}
	return turn(deleted, "")
}

// stepCleanup begins the end of an update, or of its rollback: what is not needed any more
// goes.
func (c *Call) stepCleanup(ctx context.Context, s *cfnStack, step cfnStep) error {
	if err := c.turn(ctx, s, step.Status+"_CLEANUP_IN_PROGRESS", "", step.due); err != nil {
		return err
	}
	all, err := c.resources(ctx, s.ID)
	if err != nil {
		return err
	}
	rollback := step.Status == "UPDATE_ROLLBACK_COMPLETE"
	var wanted map[string]bool
	if !rollback {
		if wanted, err = s.Next.wanted(s); err != nil {
			return err
		}
	}
	var gone []*cfnResource
	for _, r := range all {
		switch {
		case !r.live():
		case rollback && r.Old == nil && r.Operation == s.Operation: // new in the update that failed
			gone = append(gone, r)
		case !rollback && !wanted[r.ID]:
			gone = append(gone, r)
		case r.Old != nil || r.Restored:
			if r.Old != nil && r.Old.Physical != r.Physical {
				gone = append(gone, r.Old)
			}
			r.Old, r.Restored = nil, false
			if err := c.saveResource(ctx, s, r); err != nil {
				return err
			}
		}
	}
	steps, end := c.removals(s, gone, step.due, func(r *cfnResource) bool {
		if rollback {
			return false // made by the failed update: nobody has used it yet
		}
		policy := r.DeletionPolicy
		if wanted[r.ID] {
			policy = r.UpdateReplacePolicy
		}
		return policy == "Retain" || policy == "RetainExceptOnCreate" || policy == "Snapshot"
	})
	steps = append(steps, cfnStep{Kind: "finish", Status: step.Status, due: end.Add(c.pause(s, time.Second))})
	return c.schedule(ctx, s, steps)
}
