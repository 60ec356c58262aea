package awssim

import (
	"context"
	"slices"
	"time"
)

// removals are the steps that remove resources, what needs others first. The policy decides
// whether one is really removed. end, the step after them all, is the last of the result.
func (c *Call) removals(s *cfnStack, list []*cfnResource, at time.Time, retain func(*cfnResource) bool, end cfnStep) []cfnStep {
	there := map[string]bool{}
	for _, r := range list {
		there[r.ID] = true
	}
	neededBy := map[string][]string{}
	for _, r := range list {
		for _, d := range r.Depends {
			if there[d] && d != r.ID {
				neededBy[d] = append(neededBy[d], r.ID)
			}
		}
	}
	end.due, end.pause = at.Add(c.pause(s, time.Second)), c.pause(s, time.Second)
	first := inOrder(list, neededBy)
	var steps []cfnStep
	for _, r := range list {
		step := cfnStep{Kind: "delete", ID: r.ID, Resource: r, due: at}
		if retain(r) {
			step.Kind = "skip"
		}
		for _, id := range neededBy[r.ID] {
			if first[id] < first[r.ID] { // a circle of former and present resources must not hang
				step.waits = append(step.waits, id)
			}
		}
		steps, end.waits = append(steps, step), append(end.waits, r.ID)
	}
	return append(steps, end)
}

// inOrder numbers resources so that each comes after those it is needed by. What stands in a
// circle comes last.
func inOrder(list []*cfnResource, neededBy map[string][]string) map[string]int {
	open, needs := map[string]int{}, map[string][]string{}
	var free []string
	for _, r := range slices.Backward(list) {
		open[r.ID] = len(neededBy[r.ID])
		for _, id := range neededBy[r.ID] {
			needs[id] = append(needs[id], r.ID)
		}
		if open[r.ID] == 0 {
			free = append(free, r.ID)
		}
	}
	order := map[string]int{}
	for ; len(free) > 0; free = free[1:] {
		order[free[0]] = len(order)
		for _, id := range needs[free[0]] {
			if open[id]--; open[id] == 0 {
				free = append(free, id)
			}
		}
	}
	for _, r := range list {
		if _, ok := order[r.ID]; !ok {
			order[r.ID] = len(order)
		}
	}
	return order
}

// stepDelete removes a resource: the current one, or a former one with another id.
func (c *Call) stepDelete(ctx context.Context, s *cfnStack, step cfnStep) error {
	r, current := step.Resource, step.current
	former := current != nil && current.live() && current.Physical != r.Physical
	turn := func(status, reason string) error {
		if !former {
			return c.turnResource(ctx, s, r, status, reason, step.due)
		}
		return c.event(ctx, s, cfnEvent{Logical: r.ID, Physical: r.Physical, Type: r.Type, Status: status, Reason: reason, At: step.due})
	}
	switch step.Kind {
	case "skip":
		if err := turn("DELETE_SKIPPED", ""); err != nil {
			return err
		}
		return c.release(ctx, s, r.ID, step.due)
	case "delete":
		took := c.duration(s, r.Type, r.ID, "DELETE")
		slow, err := c.slow(ctx, s, r.ID)
		if err != nil {
			return err
		}
		if err := turn("DELETE_IN_PROGRESS", ""); err != nil {
			return err
		}
		return c.schedule(ctx, s, cfnStep{Kind: "deleted", ID: r.ID, Resource: r, due: step.due.Add(took + slow)})
	}
	gone := !former && current != nil && current.gone
	if r.Physical != "" && !gone {
		ok, why, err := c.remove(ctx, s, r, step)
		switch {
		case err != nil || (!ok && why == ""):
			return err
		case !ok && s.ForceDelete:
			if err := turn("DELETE_SKIPPED", why); err != nil {
				return err
			}
			return c.release(ctx, s, r.ID, step.due)
		case !ok:
			s.Failed = append(s.Failed, r.ID)
			if err := turn("DELETE_FAILED", why); err != nil {
				return err
			}
			return c.abandon(ctx, s, r.ID, step.due)
		}
	}
	if err := turn(deleted, ""); err != nil {
		return err
	}
	return c.release(ctx, s, r.ID, step.due)
}

// remove does away with a resource; not ok without a reason is not yet.
func (c *Call) remove(ctx context.Context, s *cfnStack, r *cfnResource, step cfnStep) (ok bool, why string, err error) {
	if ok, why, err := c.settled(ctx, s, r, step, "delete"); !ok || err != nil {
		return false, why, err
	}
	reason, failing, err := c.fault(ctx, s.Account, s.Name, r.ID, deleteFailed)
	if err != nil || failing {
		return false, failureWords(r, reason), err
	}
	why, err = c.effect(ctx, s, r, "delete", step.due)
	return why == "" && err == nil, why, err
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
		case rollback && r.Old == nil && r.Operation == s.Making: // new in the update that failed
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
	steps := c.removals(s, gone, step.due, func(r *cfnResource) bool {
		if rollback {
			return false // made by the failed update: nobody has used it yet
		}
		policy := r.DeletionPolicy
		if wanted[r.ID] {
			policy = r.UpdateReplacePolicy
		}
		return policy == "Retain" || policy == "RetainExceptOnCreate"
	}, cfnStep{Kind: "finish", Status: step.Status})
	return c.schedule(ctx, s, steps...)
}
