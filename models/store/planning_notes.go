package store

import (
	"fmt"
	"strings"
	"time"

	"slipway/models"
)

// keepApprovals decides what becomes of the approvals that earlier plans of the request got: the same content keeps them, and so does
// one that differs in prices only while no rule asks for more; anything else drops them.
func (t *tx) keepApprovals(actor models.Actor, req models.Request, p *models.Planned) error {
	if req.PlanID == "" {
		return nil
	}
	old, err := readPlan(t.db, req.PlanID)
	if err != nil {
		return err
	}
	if old.Hash != p.Hash {
		same, err := p.Content.SamePriceAside(old.Content)
		if err != nil {
			return err
		}
		if same && !models.Higher(old.Notes.RuleDemands, p.Verdict.Demands) {
			p.Notes.Notes = append(p.Notes.Notes, "Only prices differ from the plan before; its approvals are kept.")
			err := t.db.Exec(`UPDATE approvals SET plan_hash = ? WHERE request_id = ? AND plan_hash = ? AND decision = 'approve' AND rule_id = '' AND NOT dropped`,
				p.Hash, req.ID, old.Hash).Error
			if err != nil {
				return fmt.Errorf("keep the approvals of %s: %w", req.ID, err)
			}
		}
	}
	type dropped struct{ Who string }
	gone, err := many[dropped](t.db, `UPDATE approvals a SET dropped = true WHERE a.request_id = ? AND a.plan_hash <> ? AND a.decision = 'approve' AND NOT a.dropped
		RETURNING COALESCE((SELECT p.name FROM people p WHERE p.id = a.person_id), 'rule ' || a.rule_id) AS who`, req.ID, p.Hash)
	if err != nil {
		return fmt.Errorf("drop the approvals of %s: %w", req.ID, err)
	}
	if len(gone) == 0 {
		return nil
	}
	names := make([]string, len(gone))
	for i, g := range gone {
		names[i] = g.Who
	}
	p.Notes.Notes = append(p.Notes.Notes, "The plan differs from the one before, so approvals no longer count: "+strings.Join(names, ", ")+".")
	return t.audit(actor, "approvals.dropped", aboutRequest(req), map[string]any{"plan_hash": old.Hash, "approvals": names}, map[string]any{"plan_hash": p.Hash})
}

// voidApprovals drops the approvals of a plan that could not be carried out as it was approved. The same plan computed anew would keep
// them, run again and fail again, without anybody having looked at it.
func (t *tx) voidApprovals(req models.Request, reason string) error {
	dropped, err := many[string](t.db, `UPDATE approvals SET dropped = true WHERE request_id = ? AND decision = 'approve' AND NOT dropped RETURNING id::text`, req.ID)
	if err != nil {
		return fmt.Errorf("void the approvals of %s: %w", req.ID, err)
	}
	if len(dropped) == 0 {
		return nil
	}
	return t.audit(engine(req), "approvals.dropped", aboutRequest(req), map[string]any{"plan_hash": req.PlanHash, "approvals": dropped}, map[string]any{"reason": reason})
}

// askAPerson takes the approval by a rule away from a plan whose approval by a rule was dropped before: nothing would end that circle.
func (t *tx) askAPerson(req models.Request, p *models.Planned) error {
	if p.Verdict.ApprovedBy == "" {
		return nil
	}
	type answer struct{ Voided bool }
	a, err := one[answer](t.db, `SELECT EXISTS (SELECT FROM approvals WHERE request_id = ? AND plan_hash = ? AND rule_id <> '' AND dropped) AS voided`, req.ID, p.Hash)
	if err != nil {
		return fmt.Errorf("look for voided approvals of %s: %w", req.ID, err)
	}
	if a.Voided {
		p.Notes.Notes = append(p.Notes.Notes, fmt.Sprintf("The rule %s approved this very plan before, and it could not be carried out as approved; a person decides now.", p.Verdict.ApprovedBy))
		p.Verdict.ApprovedBy, p.Notes.ApprovedBy = "", ""
		p.Notes.Demands = []models.Demand{{Role: string(models.PlatformAdmin), Count: 1}}
	}
	return nil
}

// annotate adds what the database knows to the plan's notes: who could approve, groups never seen, how long such runs take.
func (t *tx) annotate(req models.Request, p *models.Planned) error {
	n := &p.Notes
	groups, err := inputGroups(req)
	if err != nil {
		return err
	}
	if n.NewGroups, err = unseenGroups(t.db, groups); err != nil {
		return err
	}
	if err := t.usualTime(req.Kind, n); err != nil {
		return err
	}
	if p.Verdict.Denied || p.Verdict.ApprovedBy != "" {
		return nil
	}
	return t.approvers(req, n)
}

// usualTime looks at the newest hundred runs of the kind that went through at the first attempt.
func (t *tx) usualTime(kind models.RequestKind, n *models.PlanNotes) error {
	type times struct {
		Runs         int
		Usual, Worst *float64
	}
	got, err := one[times](t.db, `SELECT count(*) AS runs, percentile_cont(0.5) WITHIN GROUP (ORDER BY s) AS usual, percentile_cont(0.95) WITHIN GROUP (ORDER BY s) AS worst
		FROM (SELECT extract(epoch FROM n.ended_at - n.started_at)::float8 AS s FROM runs n JOIN requests r ON r.id = n.request_id
			WHERE r.kind = ? AND n.state = 'succeeded' AND n.attempt = 1 ORDER BY n.ended_at DESC LIMIT 100) newest`, kind)
	if err != nil {
		return fmt.Errorf("read past runs of %s: %w", kind, err)
	}
	n.PastRuns = got.Runs
	if got.Runs >= 5 {
		n.UsualTime = models.Milliseconds(time.Duration(value(got.Usual) * float64(time.Second)))
		n.WorstTime = models.Milliseconds(time.Duration(value(got.Worst) * float64(time.Second)))
	}
	return nil
}

// approvers finds who could approve now. What an owner should approve but no owner can goes to the platform admins.
func (t *tx) approvers(req models.Request, n *models.PlanNotes) error {
	owners, err := t.peopleFor(req, string(models.Owner))
	if err != nil {
		return err
	}
	admins, err := t.peopleFor(req, string(models.PlatformAdmin))
	if err != nil {
		return err
	}
	var demands []models.Demand
	for _, d := range n.Demands {
		switch {
		case d.Role == string(models.Owner) && len(owners) < d.Count:
			n.Notes = append(n.Notes, fmt.Sprintf("The rules ask for %d owner approval(s), but %d owner(s) could give one; it goes to the platform admins.", d.Count, len(owners)))
			d.Role = string(models.PlatformAdmin)
		case d.Role == string(models.Owner):
			n.Approvers = append(n.Approvers, owners...)
		}
		demands = demand(demands, d)
	}
	n.Demands = demands
	for _, d := range demands {
		if d.Role != string(models.PlatformAdmin) {
			continue
		}
		n.Approvers = append(n.Approvers, admins...)
		if len(admins) < d.Count {
			n.Notes = append(n.Notes, fmt.Sprintf("%d platform admin(s) must approve, and %d who ever signed in could. It waits for the platform admins.", d.Count, len(admins)))
		}
	}
	return nil
}

// demand adds one to a list, where the highest number per role counts.
func demand(list []models.Demand, d models.Demand) []models.Demand {
	for i := range list {
		if list[i].Role == d.Role {
			list[i].Count = max(list[i].Count, d.Count)
			list[i].Rules = append(list[i].Rules, d.Rules...)
			return list
		}
	}
	return append(list, d)
}

// peopleFor names up to twenty people who hold a role today and neither asked for the request nor edited it.
func (t *tx) peopleFor(req models.Request, role string) ([]string, error) {
	holds := `p.groups && ?::text[] OR EXISTS (SELECT FROM role_mappings m WHERE m.role = 'platform-admin' AND m.group_name = ANY (p.groups))`
	arg := any(texts(t.s.opt.AdminGroups))
	if role == string(models.Owner) {
		holds = `EXISTS (SELECT FROM tenants t WHERE t.id = ? AND t.owner_group = ANY (p.groups))`
		arg = orNull(req.TenantID)
	}
	names, err := many[string](t.db, `SELECT p.name FROM people p WHERE (`+holds+`) AND p.id <> ? AND NOT p.id = ANY (?::uuid[]) ORDER BY p.name LIMIT 20`,
		arg, req.RequesterID, texts(req.InputsBy))
	if err != nil {
		return nil, fmt.Errorf("find who could approve as %s: %w", role, err)
	}
	return names, nil
}
