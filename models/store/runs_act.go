package store

import (
	"context"
	"fmt"
	"strings"

	"slipway/models"
)

// mayLead tells in which capacity a person leads the request to a state, or why not.
func mayLead(req models.Request, actor models.Actor, to models.RequestState) (models.Mover, error) {
	if by, ok := req.MayMove(actor, to); ok {
		return by, nil
	}
	var wrongState bool
	for _, by := range []models.Mover{models.ByAdmin, models.ByOwner, models.ByRequester} {
		trial := req
		wrongState = trial.Move(to, by) != nil
		if !wrongState {
			return "", models.Errorf(models.Forbidden, "Only those who may decide on this run can do that: its tenant's owners and the platform admins.")
		}
	}
	return "", models.Errorf(models.Conflict, "This request is %s, so it cannot become %s.", req.State.Words(), to.Words())
}

// lead moves a request for a person and does more in the same transaction.
func (s *Store) lead(ctx context.Context, actor models.Actor, requestID string, to models.RequestState, reason string, before, after func(*tx, *models.Request) error) error {
	return s.changeRequest(ctx, actor, requestID, func(t *tx, req *models.Request) error {
		by, err := mayLead(*req, actor, to)
		if err != nil {
			return err
		}
		if before != nil {
			if err := before(t, req); err != nil {
				return err
			}
		}
		if err := t.move(actor, req, to, by, reason); err != nil {
			return err
		}
		return after(t, req)
	})
}

// StopRun ends a run at its next safe point. What is under way at AWS is waited for.
func (s *Store) StopRun(ctx context.Context, actor models.Actor, requestID string) error {
	return s.lead(ctx, actor, requestID, models.Stopping, "Stopped by "+actor.Name(), nil, func(t *tx, req *models.Request) error {
		return t.nudge(models.RunWork, req.ID)
	})
}

// RetryRun begins a new attempt from the failed step, with the plan that was approved and while its approvals count.
func (s *Store) RetryRun(ctx context.Context, actor models.Actor, requestID string) error {
	return s.lead(ctx, actor, requestID, models.Running, "", func(t *tx, req *models.Request) error {
		if err := t.notFrozen(*req); err != nil {
			return err
		}
		if err := t.stageNotFrozen(*req); err != nil {
			return err
		}
		if err := t.notOvertaken(*req); err != nil {
			return err
		}
		if err := t.stillApproved(*req); err != nil {
			return err
		}
		if err := t.lockNow(*req); err != nil {
			return err
		}
		if err := t.db.Exec(`UPDATE runs SET attempt = attempt + 1, failure = NULL WHERE id = ?`, req.RunID).Error; err != nil {
			return fmt.Errorf("begin another attempt of run %s: %w", req.RunID, err)
		}
		err := t.db.Exec(`UPDATE steps SET state = 'pending', tries = 0, cursor = NULL, waiting = NULL, failure = NULL
			WHERE run_id = ? AND state NOT IN ('done', 'skipped')`, req.RunID).Error
		if err != nil {
			return fmt.Errorf("reset the steps of %s: %w", req.RunID, err)
		}
		return nil
	}, func(t *tx, req *models.Request) error { return t.enqueue(models.RunWork, req.ID, 0) })
}

// UndoRun takes back what a failed run has made, as far as that is possible.
func (s *Store) UndoRun(ctx context.Context, actor models.Actor, requestID string) error {
	return s.lead(ctx, actor, requestID, models.Undoing, "Taken back by "+actor.Name(), func(t *tx, req *models.Request) error {
		if err := t.notFrozen(*req); err != nil {
			return err
		}
		if err := t.lockNow(*req); err != nil {
			return err
		}
		if err := t.db.Exec(`UPDATE runs SET attempt = attempt + 1, failure = NULL WHERE id = ?`, req.RunID).Error; err != nil {
			return fmt.Errorf("begin to undo run %s: %w", req.RunID, err)
		}
		err := t.db.Exec(`UPDATE steps SET tries = 0, waiting = NULL WHERE run_id = ? AND state <> 'undone'`, req.RunID).Error
		if err != nil {
			return fmt.Errorf("reset the steps of %s: %w", req.RunID, err)
		}
		return nil
	}, func(t *tx, req *models.Request) error { return t.enqueue(models.UndoWork, req.ID, 0) })
}

// AbandonRequest gives a failed request up: what was made stays as it is.
func (s *Store) AbandonRequest(ctx context.Context, actor models.Actor, requestID, reason string) error {
	reason = strings.TrimSpace(reason)
	if len(reason) > 2000 {
		return models.InvalidFields(map[string]string{"reason": "At most 2000 characters."})
	}
	if reason == "" {
		reason = "Given up by " + actor.Name()
	}
	return s.lead(ctx, actor, requestID, models.Abandoned, reason, nil, func(*tx, *models.Request) error { return nil })
}

// lockNow takes the locks that the request held when it ran, or refuses in words.
func (t *tx) lockNow(req models.Request) error {
	waiting, err := t.lock(req, req.Locks())
	if err != nil {
		return err
	}
	if waiting != nil {
		return models.Errorf(models.Conflict, "%s Try again then.", waiting.Words)
	}
	return nil
}

// notOvertaken refuses a retry without a new plan when another run has ended on the object since.
func (t *tx) notOvertaken(req models.Request) error {
	type other struct{ Number int64 }
	later, err := many[other](t.db, `SELECT r.number FROM runs n JOIN requests r ON r.id = n.request_id JOIN runs mine ON mine.id = ?
		WHERE r.object_id = ? AND n.id <> mine.id AND n.ended_at > mine.ended_at ORDER BY n.ended_at LIMIT 1`, req.RunID, req.ObjectID)
	if err != nil {
		return fmt.Errorf("look for later runs on %s: %w", req.ObjectID, err)
	}
	if len(later) > 0 {
		return models.Errorf(models.Conflict, "REQ-%d has changed the same %s since this run failed, so the rest needs a new plan.", later[0].Number, req.ObjectType)
	}
	return nil
}

// stillApproved refuses a retry of a plan whose approvals no longer count: dropped with a later plan, or given with a role that is gone.
func (t *tx) stillApproved(req models.Request) error {
	planID, err := one[string](t.db, `SELECT plan_id::text FROM runs WHERE id = ?`, req.RunID)
	if err != nil {
		return fmt.Errorf("read the plan of run %s: %w", req.RunID, err)
	}
	void, err := t.recheck(req, planID)
	if err == nil && void != "" {
		err = models.Errorf(models.Conflict, "%s Plan again: what is left needs a new decision.", void)
	}
	return err
}
