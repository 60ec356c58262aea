package store

import (
	"context"
	"fmt"

	"slipway/models"
)

// maxEventText bounds one line of a run's log, in bytes of UTF-8 cut at a rune.
const maxEventText = 2000

// Intend commits that a step's Start or Undo is about to be called.
func (j *Journal) Intend(ctx context.Context, job models.Job, c models.StepChange) error {
	return j.s.tx(ctx, func(t *tx) error {
		req, err := t.loadRequest(job.ObjectID)
		if err != nil {
			return err
		}
		if err := t.fence(job); err != nil {
			return err
		}
		if err := t.changeStep(req, c); err != nil {
			return err
		}
		return t.wakeRequest(req)
	})
}

// EndCall writes everything that one call made of a run, in one transaction.
func (j *Journal) EndCall(ctx context.Context, job models.Job, out models.CallOutcome) error {
	return j.s.tx(ctx, func(t *tx) error {
		req, err := t.loadRequest(job.ObjectID)
		if err != nil {
			return err
		}
		if err := t.fence(job); err != nil {
			return err
		}
		if out.Step != nil {
			if err := t.changeStep(req, *out.Step); err != nil {
				return err
			}
		}
		next := out.Next
		if out.Run != nil {
			if err := t.endRun(req, *out.Run); err != nil {
				return err
			}
			return t.endJob(job, next)
		}
		if req.State == models.Stopping && (out.Step == nil || !out.Step.Intent) {
			next.Delay = 0 // a safe point: the next call stops
		}
		if out.Step != nil {
			if err := t.wait(req, out.Step.Waiting); err != nil {
				return err
			}
		}
		if err := t.wakeRequest(req); err != nil {
			return err
		}
		return t.endJob(job, next)
	})
}

// changeStep writes a step and its lines of the log. Lines that are there already stay: a call may be repeated.
func (t *tx) changeStep(req models.Request, c models.StepChange) error {
	if c.Outputs == nil {
		c.Outputs = map[string]string{}
	}
	docs := make([]jsonb, 3)
	for i, v := range []any{c.Outputs, c.Waiting, c.Failure} {
		var err error
		if docs[i], err = document(v); err != nil {
			return err
		}
	}
	res := t.db.Exec(`UPDATE steps s SET state = ?, intent = ?, tries = ?, outputs = outputs || ?::jsonb, cursor = ?::jsonb, waiting = ?::jsonb, failure = ?::jsonb,
			attempt = n.attempt, started_at = CASE WHEN s.attempt < n.attempt THEN ? ELSE COALESCE(s.started_at, ?) END,
			ended_at = CASE WHEN ? IN ('done', 'skipped', 'failed', 'undone') THEN ?::timestamptz END
		FROM runs n WHERE s.id = ? AND n.id = s.run_id AND n.request_id = ?`,
		c.State, c.Intent, c.Tries, docs[0], jsonb(c.Cursor), docs[1], docs[2], t.now(), t.now(), c.State, t.now(), c.StepID, req.ID)
	if res.Error != nil {
		return fmt.Errorf("write step %s: %w", c.StepID, res.Error)
	}
	if res.RowsAffected != 1 {
		return fmt.Errorf("write step %s: not a step of %s", c.StepID, req.ID)
	}
	return t.writeEvents(req.RunID, c.StepID, c.Events)
}

func (t *tx) writeEvents(runID, stepID string, events []models.StepEvent) error {
	for _, e := range events {
		if e.At.IsZero() {
			e.At = t.now()
		}
		if e.Level == "" {
			e.Level = "info"
		}
		_, err := t.pgx.Exec(t.ctx, `INSERT INTO run_events (run_id, step_id, at, level, text, key) VALUES ($1, $2, $3, $4, left($5, $7), $6)
			ON CONFLICT (step_id, key) DO NOTHING`, runID, stepID, e.At, e.Level, e.Text, e.Key, maxEventText)
		if err != nil {
			return fmt.Errorf("write log line %s: %w", e.Key, err)
		}
	}
	return nil
}

// endRun leads the request out of running, stopping or undoing, and has plans computed again that the run has overtaken.
func (t *tx) endRun(req models.Request, change models.RunChange) error {
	failure, err := document(change.Failure)
	if err != nil {
		return err
	}
	if err := t.db.Exec(`UPDATE runs SET failure = ?::jsonb, ended_at = ? WHERE id = ?`, failure, t.now(), req.RunID).Error; err != nil {
		return fmt.Errorf("write the end of run %s: %w", req.RunID, err)
	}
	if err := t.overtake(engine(req), req); err != nil { // also when it is planned again: what it did so far is done
		return err
	}
	if change.To == models.Planning {
		if err := t.voidApprovals(req, change.Reason); err != nil {
			return err
		}
		return t.replan(engine(req), &req, change.Reason)
	}
	reason := change.Reason
	if reason == "" && change.Failure != nil {
		reason = change.Failure.What
	}
	return t.move(engine(req), &req, change.To, models.ByEngine, reason)
}
