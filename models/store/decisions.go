package store

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"slipway/models"
)

const maxReason = 2000

// Decide takes an approver's decision on exactly the plan with the hash they saw. When nothing is missing any more, the
// request is approved and its run starts, in the same transaction. A plan older than a day is computed again instead.
// Deciding the same twice changes nothing the second time.
func (s *Store) Decide(ctx context.Context, actor models.Actor, id, planHash string, decision models.Decision, reason string) error {
	return s.decide(ctx, actor, id, verdict{hash: planHash, decision: decision, reason: strings.TrimSpace(reason)})
}

// BreakGlass approves alone, an own request too: for an admin, where the platform allows it at all, with a reason and a sign-in that
// the provider has just asked the password for.
func (s *Store) BreakGlass(ctx context.Context, actor models.Actor, id, planHash, reason string, signedIn time.Time) error {
	return s.decide(ctx, actor, id, verdict{hash: planHash, decision: models.Approve, reason: strings.TrimSpace(reason), glass: true, signedIn: signedIn})
}

// mayBreak is asked once it is known that the actor may see the request.
func (s *Store) mayBreak(actor models.Actor, v verdict) error {
	switch {
	case !s.opt.BreakGlass:
		return models.Errorf(models.Forbidden, "Breaking the glass is switched off here (SLIPWAY_BREAK_GLASS).")
	case !actor.Has(models.PlatformAdmin):
		return models.Errorf(models.Forbidden, "Only platform admins may break the glass.")
	case s.clock.Wall().Sub(v.signedIn) > models.FreshSignIn:
		return models.Errorf(models.Forbidden, "Breaking the glass needs a sign-in of the last five minutes. Go back to the request and sign in again there.")
	case utf8.RuneCountInString(v.reason) < 10:
		return models.InvalidFields(map[string]string{"reason": "Say in a sentence why nobody else could decide."})
	}
	return nil
}

// verdict is what an approver said.
type verdict struct {
	hash     string
	decision models.Decision
	reason   string
	glass    bool
	signedIn time.Time // of a broken glass: when the provider asked for the password
}

func (v verdict) check() error {
	switch {
	case v.decision != models.Approve && v.decision != models.Reject && v.decision != models.AskForChanges:
		return models.InvalidFields(map[string]string{"decision": "Approve, reject or ask for changes."})
	case v.decision != models.Approve && v.reason == "":
		return models.InvalidFields(map[string]string{"reason": "Say why, so that the requester knows what to do."})
	case utf8.RuneCountInString(v.reason) > maxReason:
		return models.InvalidFields(map[string]string{"reason": fmt.Sprintf("At most %d characters.", maxReason)})
	}
	return nil
}

func (s *Store) decide(ctx context.Context, actor models.Actor, id string, v verdict) error {
	var late error // answered although the transaction commits: the plan was too old
	err := s.changeRequest(ctx, actor, id, func(t *tx, r *models.Request) error {
		late = nil
		if v.glass {
			if err := s.mayBreak(actor, v); err != nil {
				return err
			}
		}
		if said, err := t.saidAlready(actor, *r, v); said || err != nil {
			return err
		}
		plan, err := t.openPlan(*r)
		if err != nil {
			return err
		}
		role := string(models.PlatformAdmin)
		if !v.glass || r.State != models.AwaitingApproval {
			if role, err = r.MayDecide(actor, plan.Notes.Demands); err != nil {
				return err
			}
		}
		if err := v.check(); err != nil {
			return err
		}
		if v.hash != r.PlanHash {
			return models.Errorf(models.Conflict, "The plan has changed since you opened it. Look at the new one and decide again.")
		}
		if v.decision == models.Approve && t.now().Sub(plan.ComputedAt) > models.PlanLife {
			late = models.Errorf(models.Conflict, "This plan was older than 24 hours, so nothing was approved: it is being computed again.")
			return t.planAnew(actor, r, models.ByApprover)
		}
		return t.pass(actor, r, plan, role, v)
	})
	if err == nil {
		err = late
	}
	return err
}

// pass writes the decision and carries it out.
func (t *tx) pass(actor models.Actor, r *models.Request, plan models.Plan, role string, v verdict) error {
	before, _, err := t.approvals(*r, v.hash)
	if err != nil {
		return err
	}
	if left := models.Missing(plan.Notes.Demands, before); v.decision == models.Approve && !v.glass && len(left) > 0 {
		if asked, err := r.MayDecide(actor, left); err == nil { // who holds two roles approves with the one that is still asked for
			role = asked
		}
	}
	err = t.db.Exec(`INSERT INTO approvals (id, request_id, plan_hash, decision, person_id, role, reason, break_glass, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		models.NewID(), r.ID, v.hash, v.decision, actor.Person.ID, role, v.reason, v.glass, t.now()).Error
	if err != nil {
		return fmt.Errorf("write the decision on %s: %w", r.ID, err)
	}
	action := "approval." + string(v.decision)
	if v.glass {
		action = "approval.break_glass"
	}
	err = t.audit(actor, action, aboutRequest(*r), nil, map[string]any{"decision": v.decision, "plan_hash": v.hash, "role": role, "reason": v.reason})
	if err != nil {
		return err
	}
	if v.glass {
		if err := t.tell(models.GlassEvent(actor, *r, v.reason)); err != nil {
			return err
		}
	}
	if v.decision != models.Approve { // whoever approved must look again if the same plan comes back
		if err := t.db.Exec(`UPDATE approvals SET dropped = true WHERE request_id = ? AND decision = 'approve' AND NOT dropped`, r.ID).Error; err != nil {
			return fmt.Errorf("drop the approvals of %s: %w", r.ID, err)
		}
	}
	switch v.decision {
	case models.Reject:
		return t.move(actor, r, models.Rejected, models.ByApprover, v.reason)
	case models.AskForChanges:
		return t.move(actor, r, models.ChangesRequested, models.ByApprover, v.reason)
	}
	given, _, err := t.approvals(*r, v.hash)
	if err != nil {
		return err
	}
	if !enough(plan.Notes.Demands, given) {
		return t.wakeRequest(*r) // others must approve, too
	}
	if err := t.move(actor, r, models.Approved, models.ByApprover, ""); err != nil {
		return err
	}
	return t.enqueue(models.RunWork, r.ID, 0)
}

// saidAlready tells whether the actor has given this very decision on this very plan before. A request that was sent back and
// came again with the same plan can be sent back again.
func (t *tx) saidAlready(actor models.Actor, r models.Request, v verdict) (bool, error) {
	if v.decision != models.Approve && r.State == models.AwaitingApproval {
		return false, nil
	}
	type answer struct{ Said bool }
	a, err := one[answer](t.db, `SELECT EXISTS (SELECT FROM approvals WHERE request_id = ? AND plan_hash = ? AND person_id = ? AND decision = ? AND NOT dropped) AS said`,
		r.ID, v.hash, orNull(actor.Person.ID), v.decision)
	if err != nil {
		return false, fmt.Errorf("look for an earlier decision: %w", err)
	}
	return a.Said, nil
}

// openPlan is the plan to decide on; the zero Plan while there is none.
func (t *tx) openPlan(r models.Request) (models.Plan, error) {
	if r.PlanID == "" {
		return models.Plan{}, nil
	}
	return readPlan(t.db, r.PlanID)
}

// planAnew sends a request with an outdated plan back to the planner.
func (t *tx) planAnew(actor models.Actor, r *models.Request, by models.Mover) error {
	if err := t.move(actor, r, models.Planning, by, "The plan was older than 24 hours, so it is computed again."); err != nil {
		return err
	}
	return t.planNext(*r)
}

// refreshPlan plans a request again that was opened with a plan older than a day.
func (s *Store) refreshPlan(ctx context.Context, id string) error {
	return s.tx(ctx, func(t *tx) error {
		r, err := t.loadRequest(id)
		if err != nil || r.State != models.AwaitingApproval {
			return err
		}
		plan, err := t.openPlan(r)
		if err != nil || t.now().Sub(plan.ComputedAt) <= models.PlanLife {
			return err
		}
		return t.planAnew(models.System("planner", r.RequesterID), &r, models.ByEngine)
	})
}
