package awssim

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// wanted names the resources a definition holds.
func (d *cfnDefinition) wanted(s *cfnStack) (map[string]bool, error) {
	t, err := d.template()
	if err != nil {
		return nil, fmt.Errorf("template of %s: %w", s.Name, err)
	}
	r, err := t.Resolve(s.inputs(*d))
	if err != nil {
		return nil, fmt.Errorf("template of %s: %w", s.Name, err)
	}
	out := map[string]bool{}
	for _, res := range r.Resources {
		out[res.ID] = true
	}
	return out, nil
}

// fail is what CloudFormation does when one resource fails: what is under way beside it is
// cancelled, and then the stack goes back, unless its caller wanted it otherwise.
func (c *Call) fail(ctx context.Context, s *cfnStack, r *cfnResource, reason string, at time.Time) error {
	if _, err := c.Tx.Exec(ctx, `DELETE FROM stack_steps WHERE stack = $1`, s.ID); err != nil {
		return fmt.Errorf("drop the rest of %s: %w", s.Name, err)
	}
	doing := strings.TrimSuffix(r.Status, "_IN_PROGRESS")
	r.forgetUnmade()
	if err := c.turnResource(ctx, s, r, doing+"_FAILED", reason, at); err != nil {
		return err
	}
	cancelled, err := c.cancelRunning(ctx, s, at)
	if err != nil {
		return err
	}
	failed := append(cancelled, r.ID)
	slices.Sort(failed)
	s.Failed = nil
	if s.OperationType == "CREATE_STACK" {
		return c.failCreate(ctx, s, fmt.Sprintf("The following resource(s) failed to create: [%s]. ", strings.Join(failed, ", ")), at)
	}
	return c.failUpdate(ctx, s, fmt.Sprintf("The following resource(s) failed to update: [%s]. ", strings.Join(failed, ", ")), at)
}

// cancelRunning ends what is under way. What was not made yet has no id to be removed by.
func (c *Call) cancelRunning(ctx context.Context, s *cfnStack, at time.Time) (ids []string, err error) {
	all, err := c.resources(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		doing, busy := strings.CutSuffix(r.Status, "_IN_PROGRESS")
		if !busy || doing == "DELETE" {
			continue
		}
		r.forgetUnmade()
		if err := c.turnResource(ctx, s, r, doing+"_FAILED", "Resource "+strings.ToLower(doing)+" cancelled", at); err != nil {
			return nil, err
		}
		ids = append(ids, r.ID)
	}
	return ids, nil
}

// forgetUnmade takes the id from a resource that was never made.
func (r *cfnResource) forgetUnmade() {
	switch {
	case r.Reason == initiated:
	case r.Old != nil:
		r.Physical = r.Old.Physical
	case strings.HasPrefix(r.Status, "CREATE"):
		r.Physical = ""
	}
}

const initiated = "Resource creation Initiated"

func (c *Call) failCreate(ctx context.Context, s *cfnStack, reason string, at time.Time) error {
	switch {
	case s.DisableRollback || s.OnFailure == "DO_NOTHING":
		if err := c.endChangeSet(ctx, s, false); err != nil {
			return err
		}
		return c.turn(ctx, s, "CREATE_FAILED", reason, at)
	case s.OnFailure == "DELETE":
		if err := c.turn(ctx, s, "DELETE_IN_PROGRESS", reason+"Delete requested by user.", at); err != nil {
			return err
		}
		return c.takeDown(ctx, s, deleted, true, at)
	}
	if err := c.turn(ctx, s, "ROLLBACK_IN_PROGRESS", reason+"Rollback requested by user.", at); err != nil {
		return err
	}
	return c.takeDown(ctx, s, "ROLLBACK_COMPLETE", true, at)
}

// takeDown removes every resource and then gives the stack its last status. fresh: the
// operation that made them is undone, nobody has used them yet.
func (c *Call) takeDown(ctx context.Context, s *cfnStack, status string, fresh bool, at time.Time) error {
	all, err := c.resources(ctx, s.ID)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(r *cfnResource) bool { return !r.live() })
	steps := c.removals(s, all, at.Add(c.pause(s, time.Second)), func(r *cfnResource) bool {
		if slices.Contains(s.SkipDelete, r.ID) {
			return true
		}
		if r.Physical == "" {
			return false
		}
		return r.DeletionPolicy == "Retain" && !(fresh && s.RetainExceptOnCreate) || r.DeletionPolicy == "RetainExceptOnCreate" && !fresh
	}, cfnStep{Kind: "finish", Status: status})
	return c.schedule(ctx, s, steps...)
}

func (c *Call) failUpdate(ctx context.Context, s *cfnStack, reason string, at time.Time) error {
	if s.DisableRollback {
		if err := c.endChangeSet(ctx, s, false); err != nil {
			return err
		}
		return c.turn(ctx, s, "UPDATE_FAILED", reason, at)
	}
	if err := c.turn(ctx, s, "UPDATE_ROLLBACK_IN_PROGRESS", reason, at); err != nil {
		return err
	}
	return c.goBack(ctx, s, at)
}

// goBack restores every resource the failed update touched.
func (c *Call) goBack(ctx context.Context, s *cfnStack, at time.Time) error {
	all, err := c.resources(ctx, s.ID)
	if err != nil {
		return err
	}
	var steps []cfnStep
	end := at
	for _, r := range slices.Backward(all) {
		if !r.live() || r.Old == nil || r.Restored {
			continue
		}
		slow, err := c.slow(ctx, s, r.ID)
		if err != nil {
			return err
		}
		start := at.Add(c.pause(s, time.Second))
		done := start.Add(c.duration(s, r.Type, r.ID, "RESTORE") + slow)
		steps = append(steps, cfnStep{Kind: "restore", ID: r.ID, Status: "UPDATE_IN_PROGRESS", due: start}, cfnStep{Kind: "restore", ID: r.ID, Status: "UPDATE_COMPLETE", due: done})
		if done.After(end) {
			end = done
		}
	}
	steps = append(steps, cfnStep{Kind: "cleanup", Status: "UPDATE_ROLLBACK_COMPLETE", due: end.Add(c.pause(s, time.Second))})
	return c.schedule(ctx, s, steps...)
}

// stepRestore puts a resource back to what it was; a new one in its place goes in the cleanup.
func (c *Call) stepRestore(ctx context.Context, s *cfnStack, step cfnStep) error {
	r := step.current
	if r == nil || r.Old == nil {
		return nil
	}
	if step.Status == "UPDATE_IN_PROGRESS" {
		return c.turnResource(ctx, s, r, step.Status, "", step.due)
	}
	before := *r.Old
	before.Restored = true
	if slices.Contains(s.SkipRestore, r.ID) { // it stays as it is, and is not what the stack thinks
		if before.Physical == r.Physical {
			if err := c.setByHand(ctx, s, r.ID, left(before.Properties, r.Properties)); err != nil {
				return err
			}
		}
		return c.turnResource(ctx, s, &before, step.Status, "Resource rollback skipped", step.due)
	}
	why, failing, err := c.fault(ctx, s.Account, s.Name, r.ID, rollbackFailed)
	if err != nil {
		return err
	}
	if failing {
		return c.failRollback(ctx, s, r, failureWords(r, why), step.due)
	}
	if before.Physical == r.Physical {
		if r.gone {
			return c.failRollback(ctx, s, r, notFound(r), step.due)
		}
		why, err := c.effect(ctx, s, &before, "update", step.due)
		if err != nil {
			return err
		}
		if why != "" {
			return c.failRollback(ctx, s, r, why, step.due)
		}
	} else {
		fresh := *r
		fresh.Old = nil
		before.Old = &fresh
	}
	return c.turnResource(ctx, s, &before, step.Status, "", step.due)
}

// left is what a resource keeps of properties that were not taken back.
func left(declared, actual map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range actual {
		if !reflect.DeepEqual(declared[name], value) {
			out["/"+escapePointer(name)] = value
		}
	}
	for name := range declared {
		if _, there := actual[name]; !there {
			out["/"+escapePointer(name)] = nil
		}
	}
	return out
}

// failRollback leaves the stack as it stands, for a person to continue.
func (c *Call) failRollback(ctx context.Context, s *cfnStack, r *cfnResource, why string, at time.Time) error {
	if _, err := c.Tx.Exec(ctx, `DELETE FROM stack_steps WHERE stack = $1`, s.ID); err != nil {
		return fmt.Errorf("drop the rest of %s: %w", s.Name, err)
	}
	if err := c.turnResource(ctx, s, r, "UPDATE_FAILED", why, at); err != nil {
		return err
	}
	s.Failed = []string{r.ID}
	return c.turn(ctx, s, "UPDATE_ROLLBACK_FAILED", fmt.Sprintf("The following resource(s) failed to update: [%s]. ", r.ID), at)
}

// stepFinish ends an operation.
func (c *Call) stepFinish(ctx context.Context, s *cfnStack, step cfnStep) error {
	status, reason := step.Status, step.Reason
	if len(s.Failed) > 0 && (status == deleted || status == "ROLLBACK_COMPLETE") {
		reason = fmt.Sprintf("The following resource(s) failed to delete: [%s]. ", strings.Join(s.Failed, ", "))
		status = map[string]string{deleted: "DELETE_FAILED", "ROLLBACK_COMPLETE": "ROLLBACK_FAILED"}[status]
	}
	switch status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE":
		s.Definition, s.Next = *s.Next, nil
		s.Outputs, s.Drift = s.Definition.Outputs, nil
	case "UPDATE_ROLLBACK_COMPLETE":
		s.Next = nil
	case deleted:
		at := step.due
		s.Deleted, s.Outputs = &at, nil
		if _, err := c.Tx.Exec(ctx, `DELETE FROM change_sets WHERE stack = $1`, s.ID); err != nil {
			return fmt.Errorf("drop change sets of %s: %w", s.Name, err)
		}
	}
	if err := c.endChangeSet(ctx, s, strings.HasSuffix(status, "_COMPLETE") && !strings.Contains(status, "ROLLBACK") && status != deleted); err != nil {
		return err
	}
	return c.turn(ctx, s, status, reason, step.due)
}

// endChangeSet gives the change set that was carried out its result.
func (c *Call) endChangeSet(ctx context.Context, s *cfnStack, well bool) error {
	status := "EXECUTE_FAILED"
	if well {
		status = "EXECUTE_COMPLETE"
	}
	_, err := c.Tx.Exec(ctx, `UPDATE change_sets SET body = jsonb_set(body, '{Execution}', to_jsonb($2::text)) WHERE stack = $1 AND body->>'Execution' = 'EXECUTE_IN_PROGRESS'`, s.ID, status)
	if err != nil {
		return fmt.Errorf("end change set of %s: %w", s.Name, err)
	}
	return nil
}
