package store

import (
	"context"
	"fmt"

	"slipway/models"
)

// engine is the actor of background work on a request. It can never approve.
func engine(req models.Request) models.Actor {
	a := models.System("engine", req.RequesterID)
	a.RequestID = req.RunID
	return a
}

// frozenAgain is how much more rarely a request looks whether a freeze is over than whether a lock is free. Lifting one wakes it.
const frozenAgain = 3

// BeginRun moves an approved request to running, or says why not: voided, or waiting for the end of a freeze or for a lock.
func (j *Journal) BeginRun(ctx context.Context, job models.Job, b models.RunBegin) error {
	return j.s.tx(ctx, func(t *tx) error {
		req, err := t.loadRequest(job.ObjectID)
		if err != nil {
			return err
		}
		if err := t.fence(job); err != nil {
			return err
		}
		if req.State != models.Approved {
			return t.endJob(job, models.NextCall{Done: true})
		}
		void := b.Void
		if void == "" {
			if void, err = t.recheck(req, req.PlanID); err != nil {
				return err
			}
		}
		if void != "" {
			if err := t.replan(engine(req), &req, void); err != nil {
				return err
			}
			return t.endJob(job, models.NextCall{Done: true})
		}
		retry := b.Retry
		waiting, err := t.frozenWait(req)
		if waiting != nil {
			retry = frozenAgain * b.Retry
		}
		if err == nil && waiting == nil {
			waiting, err = t.promotionWait(req)
		}
		if err == nil && waiting == nil {
			waiting, err = t.passedBy(req)
		}
		if err == nil && waiting == nil {
			waiting, err = t.lock(req, b.Locks)
		}
		if err != nil {
			return err
		}
		if waiting != nil {
			if err := t.wait(req, waiting); err != nil {
				return err
			}
			return t.endJob(job, models.NextCall{Delay: retry})
		}
		if err := t.makeRun(&req, b); err != nil {
			return err
		}
		if err := t.move(engine(req), &req, models.Running, models.ByEngine, ""); err != nil {
			return err
		}
		return t.endJob(job, models.NextCall{})
	})
}

// recheck looks at the approvals of a plan as of today: who gave them must still hold the role, and not be the requester or an editor.
// What it returns is why they do not suffice.
func (t *tx) recheck(req models.Request, planID string) (string, error) {
	plan, err := readPlan(t.db, planID)
	if err != nil {
		return "", err
	}
	if planID == req.PlanID && plan.Hash != req.PlanHash {
		return "The plan is not the one that was approved.", nil
	}
	given, lost, err := t.approvals(req, plan.Hash)
	if err != nil {
		return "", err
	}
	if enough(plan.Notes.Demands, given) {
		return "", nil
	}
	if len(lost) > 0 {
		return fmt.Sprintf("The approval of %s no longer counts: the role it was given with is gone.", lost[0].PersonName), nil
	}
	return "Approvals are missing.", nil
}

// enough tells whether approvals decide for the plan: a rule's, one by break-glass, or all that is demanded.
func enough(demands []models.Demand, given []models.Approval) bool {
	for _, a := range given {
		if a.RuleID != "" || a.BreakGlass {
			return true
		}
	}
	return len(demands) > 0 && len(models.Missing(demands, given)) == 0
}

type approvalNow struct {
	ID         string
	PersonID   *string
	PersonName *string
	Role       string
	RuleID     string
	BreakGlass bool
	Holds      bool
}

// approvals reads the approvals of a plan hash, apart those whose giver no longer holds the role under today's mapping.
func (t *tx) approvals(req models.Request, hash string) (given, lost []models.Approval, err error) {
	rows, err := many[approvalNow](t.db, `SELECT a.id, a.person_id, p.name AS person_name, a.role, a.rule_id, a.break_glass,
			a.rule_id <> '' OR (a.break_glass OR NOT (a.person_id = r.requester_id OR a.person_id = ANY (r.inputs_by))) AND CASE a.role
				WHEN 'platform-admin' THEN p.groups && ?::text[] OR EXISTS (SELECT FROM role_mappings m WHERE m.role = a.role AND m.group_name = ANY (p.groups))
				WHEN 'owner' THEN EXISTS (SELECT FROM tenants t WHERE t.id = r.tenant_id AND t.owner_group = ANY (p.groups))
				ELSE false END AS holds
		FROM approvals a JOIN requests r ON r.id = a.request_id LEFT JOIN people p ON p.id = a.person_id
		WHERE a.request_id = ? AND a.plan_hash = ? AND a.decision = 'approve' AND NOT a.dropped ORDER BY a.at`,
		texts(t.s.opt.AdminGroups), req.ID, hash)
	if err != nil {
		return nil, nil, fmt.Errorf("read the approvals of %s: %w", req.ID, err)
	}
	for _, r := range rows {
		a := models.Approval{ID: r.ID, RequestID: req.ID, PlanHash: hash, Decision: models.Approve, PersonID: value(r.PersonID), PersonName: value(r.PersonName),
			Role: r.Role, RuleID: r.RuleID, BreakGlass: r.BreakGlass}
		if r.Holds {
			given = append(given, a)
		} else {
			lost = append(lost, a)
		}
	}
	return given, lost, nil
}

// makeRun makes the run and its steps, or the next attempt of a run whose rest was approved anew: done steps stay done.
func (t *tx) makeRun(req *models.Request, b models.RunBegin) error {
	now := t.now()
	if req.HasRun() {
		if _, err := t.pgx.Exec(t.ctx, `UPDATE runs SET plan_id = $2, attempt = attempt + 1, failure = NULL, ended_at = NULL WHERE id = $1`, req.RunID, req.PlanID); err != nil {
			return fmt.Errorf("begin another attempt of run %s: %w", req.RunID, err)
		}
	} else {
		req.RunID = models.NewID()
		if _, err := t.pgx.Exec(t.ctx, `INSERT INTO runs (id, request_id, plan_id, state, started_by, started_at) VALUES ($1, $2, $3, 'running', $4, $5)`,
			req.RunID, req.ID, req.PlanID, req.RequesterID, now); err != nil {
			return fmt.Errorf("make the run of %s: %w", req.ID, err)
		}
		if _, err := t.pgx.Exec(t.ctx, `UPDATE requests SET run_id = $2 WHERE id = $1`, req.ID, req.RunID); err != nil {
			return fmt.Errorf("bind run to %s: %w", req.ID, err)
		}
	}
	if _, err := t.pgx.Exec(t.ctx, `UPDATE steps SET position = -position WHERE run_id = $1`, req.RunID); err != nil {
		return fmt.Errorf("reorder the steps of %s: %w", req.RunID, err)
	}
	for _, step := range b.Steps {
		_, err := t.pgx.Exec(t.ctx, `INSERT INTO steps (id, run_id, position, name, title, part, state) VALUES ($1, $2, $3, $4, $5, $6, 'pending')
			ON CONFLICT (run_id, name) DO UPDATE SET position = EXCLUDED.position, title = EXCLUDED.title, part = EXCLUDED.part, tries = 0,
				cursor = NULL, waiting = NULL, failure = NULL, state = CASE WHEN steps.state IN ('done', 'skipped') THEN steps.state ELSE 'pending' END`,
			models.NewID(), req.RunID, step.Position, step.Name, step.Title, step.Part)
		if err != nil {
			return fmt.Errorf("make step %s: %w", step.Name, err)
		}
	}
	_, err := t.pgx.Exec(t.ctx, `UPDATE steps SET position = $2 - position, waiting = NULL, failure = NULL,
		state = CASE WHEN state = 'done' THEN state ELSE 'skipped' END WHERE run_id = $1 AND position < 0`, req.RunID, len(b.Steps))
	if err != nil {
		return fmt.Errorf("set aside old steps of %s: %w", req.RunID, err)
	}
	return t.beginNotes(*req, b.Notes)
}

// beginNotes writes what changed without voiding into the log, at the first step.
func (t *tx) beginNotes(req models.Request, notes []string) error {
	for i, note := range notes {
		_, err := t.pgx.Exec(t.ctx, `INSERT INTO run_events (run_id, step_id, at, level, text, key)
			SELECT s.run_id, s.id, $2, 'warn', $3, 'begin.' || n.attempt || '.' || $4::int FROM steps s JOIN runs n ON n.id = s.run_id
			WHERE s.run_id = $1 ORDER BY s.position LIMIT 1 ON CONFLICT (step_id, key) DO NOTHING`, req.RunID, t.now(), note, i)
		if err != nil {
			return fmt.Errorf("write note of run %s: %w", req.RunID, err)
		}
	}
	return nil
}
