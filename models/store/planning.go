package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// LockForPlan takes the locks of a request in planning. A request that must wait says for whom and holds none; one whose dependency
// ended without what it needs has failed to plan.
func (j *Journal) LockForPlan(ctx context.Context, job models.Job, retry time.Duration) (req models.Request, ok bool, err error) {
	err = j.s.tx(ctx, func(t *tx) (err error) {
		ok = false
		if req, err = t.loadRequest(job.ObjectID); err != nil {
			return err
		}
		if err := t.fence(job); err != nil {
			return err
		}
		if req.State != models.Planning {
			return t.endJob(job, models.NextCall{Done: true})
		}
		waiting, failed, err := t.depends(&req)
		if err != nil {
			return err
		}
		if failed != "" {
			if err := t.move(models.System("planner", req.RequesterID), &req, models.PlanFailed, models.ByPlanner, failed); err != nil {
				return err
			}
			return t.endJob(job, models.NextCall{Done: true})
		}
		if waiting == nil {
			if waiting, err = t.lock(req, req.Locks()); err != nil {
				return err
			}
		} else if err := t.unlock(req); err != nil {
			return err
		}
		if err := t.wait(req, waiting); err != nil {
			return err
		}
		if waiting != nil {
			return t.endJob(job, models.NextCall{Delay: retry})
		}
		ok = true
		return nil
	})
	return req, ok, err
}

// PutOffPlan writes down what the planner waits for, and ends the job until it looks again.
func (j *Journal) PutOffPlan(ctx context.Context, job models.Job, waiting models.WaitingOn, next models.NextCall) error {
	return j.s.tx(ctx, func(t *tx) error {
		req, err := t.loadRequest(job.ObjectID)
		if err != nil {
			return err
		}
		if err := t.fence(job); err != nil {
			return err
		}
		if req.State == models.Planning {
			waiting.Since = t.now()
			if err := t.wait(req, &waiting); err != nil {
				return err
			}
		}
		return t.endJob(job, next)
	})
}

// Facts gathers what rules may look at, as of now.
func (j *Journal) Facts(ctx context.Context, requestID string) (models.RuleFacts, error) {
	db := j.s.read(ctx)
	row, err := one[requestRow](db, `SELECT `+requestColumns+` FROM `+requestsJoined+` WHERE r.id = ?`, requestID)
	if err != nil {
		return models.RuleFacts{}, translate(fmt.Errorf("read request %s: %w", requestID, err))
	}
	facts := models.RuleFacts{Now: j.s.clock.Now()}
	if facts.Request, err = row.model(); err != nil {
		return facts, err
	}
	asker, err := j.s.actorOf(db, facts.Request.RequesterID)
	if err != nil {
		return facts, translate(fmt.Errorf("read the requester of %s: %w", requestID, err))
	}
	facts.Requester, facts.Roles = asker.Person, asker.Roles
	if facts.Tenant, err = findTenant(db, facts.Request.TenantID); err != nil {
		return facts, translate(err)
	}
	if err := objectFacts(db, &facts, j.s.clock.Wall()); err != nil {
		return facts, translate(err)
	}
	groups, err := inputGroups(facts.Request)
	if err != nil {
		return facts, err
	}
	facts.NewGroups, err = unseenGroups(db, groups)
	return facts, translate(err)
}

// objectFacts adds what rules may know of the request's environment and of the others of its tenant.
func objectFacts(db *gorm.DB, facts *models.RuleFacts, wall time.Time) error {
	if facts.Tenant == nil {
		return nil
	}
	but := ""
	if facts.Request.ObjectType == models.EnvironmentObject {
		but = facts.Request.ObjectID
		env, err := readEnvironment(db, `e.id = ?`, but)
		switch {
		case err == nil:
			facts.Environment = &env
			if facts.Pipelines, err = deliveringTo(db, but); err != nil {
				return err
			}
		case !errors.Is(err, gorm.ErrRecordNotFound):
			return err
		}
	}
	var err error
	if facts.Environments, facts.Monthly, err = tenantUse(db, facts.Tenant.ID, but); err != nil {
		return err
	}
	facts.Spend, err = spendNow(db, *facts.Tenant, wall)
	return err
}

// inputGroups lists the identity provider groups that a request names.
func inputGroups(req models.Request) ([]string, error) {
	if req.Kind != models.CreateTenant && req.Kind != models.ChangeTenant {
		return nil, nil
	}
	var in models.ChangeTenantInputs // the groups of both go by the same names
	if err := jsonb(req.Inputs).decode(&in); err != nil {
		return nil, fmt.Errorf("read the inputs of %s: %w", req.ID, err)
	}
	return []string{in.OwnerGroup, in.DeveloperGroup, in.ViewerGroup}, nil
}

// FinishPlan writes a plan and moves its request on: denied, nothing to do, approved by a rule or by what it kept, or into the queue.
func (j *Journal) FinishPlan(ctx context.Context, job models.Job, p models.Planned) error {
	return j.s.tx(ctx, func(t *tx) error {
		req, err := t.loadRequest(job.ObjectID)
		if err != nil {
			return err
		}
		if err := t.fence(job); err != nil {
			return err
		}
		if req.State != models.Planning { // cancelled meanwhile
			return t.endJob(job, models.NextCall{Done: true})
		}
		if err := t.finishPlan(req, p); err != nil {
			return err
		}
		return t.endJob(job, models.NextCall{Done: true})
	})
}

func (t *tx) finishPlan(req models.Request, p models.Planned) error {
	actor := models.System("planner", req.RequesterID)
	if p.Failure != "" {
		return t.move(actor, &req, models.PlanFailed, models.ByPlanner, p.Failure)
	}
	if err := t.askAPerson(req, &p); err != nil {
		return err
	}
	if err := t.annotate(req, &p); err != nil {
		return err
	}
	if err := t.keepApprovals(actor, req, &p); err != nil {
		return err
	}
	if err := t.insertPlan(actor, &req, p); err != nil {
		return err
	}
	switch {
	case p.Verdict.Denied:
		return t.move(actor, &req, models.PlanFailed, models.ByPlanner, "A rule denies this: "+strings.Join(p.Verdict.Refusals(), " "))
	case p.Content.Empty():
		return t.move(actor, &req, models.NoChange, models.ByPlanner, "Everything is there as asked.")
	case p.Verdict.ApprovedBy != "":
		if err := t.approveByRule(actor, req, p); err != nil {
			return err
		}
	}
	given, _, err := t.approvals(req, p.Hash)
	if err != nil {
		return err
	}
	if !enough(p.Notes.Demands, given) {
		return t.move(actor, &req, models.AwaitingApproval, models.ByPlanner, req.Reason)
	}
	if err := t.move(actor, &req, models.Approved, models.ByPlanner, req.Reason); err != nil {
		return err
	}
	return t.enqueue(models.RunWork, req.ID, 0)
}

// insertPlan writes the plan with its rules' results and makes it the request's current one.
func (t *tx) insertPlan(actor models.Actor, req *models.Request, p models.Planned) error {
	id := models.NewID()
	now, planned := p.Content.Monthly()
	docs := make([]jsonb, 3)
	for i, v := range []any{p.Content, p.Notes, p.Content.Tally()} {
		var err error
		if docs[i], err = document(v); err != nil {
			return err
		}
	}
	type numbered struct{ Number int }
	row, err := one[numbered](t.db, `INSERT INTO plans (id, request_id, number, hash, content, canonical, notes, monthly_now, monthly_planned, tally, computed_at)
		SELECT ?, ?, COALESCE(max(number), 0) + 1, ?, ?::jsonb, ?, ?::jsonb, ?, ?, ?::jsonb, ? FROM plans WHERE request_id = ? RETURNING number`,
		id, req.ID, p.Hash, docs[0], p.Canonical, docs[1], now, planned, docs[2], t.now(), req.ID)
	if err != nil {
		return fmt.Errorf("write the plan of %s: %w", req.ID, err)
	}
	for _, o := range p.Verdict.Outcomes {
		err := t.db.Exec(`INSERT INTO rule_results (plan_id, request_id, rule_id, rule_version, effect, matched, message, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			id, req.ID, o.ID, o.Version, o.Effect, o.Matched, o.Message, t.now()).Error
		if err != nil {
			return fmt.Errorf("write the result of rule %s: %w", o.ID, err)
		}
	}
	if err := t.db.Exec(`UPDATE requests SET plan_id = ?, plan_hash = ? WHERE id = ?`, id, p.Hash, req.ID).Error; err != nil {
		return fmt.Errorf("bind plan to %s: %w", req.ID, err)
	}
	before := map[string]any{"plan_hash": req.PlanHash}
	req.PlanID, req.PlanHash = id, p.Hash
	return t.audit(actor, "plan.computed", aboutRequest(*req), before, map[string]any{"plan_hash": p.Hash, "number": row.Number})
}

func (t *tx) approveByRule(actor models.Actor, req models.Request, p models.Planned) error {
	err := t.db.Exec(`INSERT INTO approvals (id, request_id, plan_hash, decision, role, rule_id, at) SELECT ?, ?, ?, 'approve', 'rule', ?, ?
		WHERE NOT EXISTS (SELECT FROM approvals WHERE request_id = ? AND plan_hash = ? AND rule_id = ? AND NOT dropped)`,
		models.NewID(), req.ID, p.Hash, p.Verdict.ApprovedBy, t.now(), req.ID, p.Hash, p.Verdict.ApprovedBy).Error
	if err != nil {
		return fmt.Errorf("approve %s by rule: %w", req.ID, err)
	}
	return t.audit(actor, "request.approve", aboutRequest(req), nil, map[string]any{"rule": p.Verdict.ApprovedBy, "plan_hash": p.Hash})
}
