package store

import (
	"context"
	"fmt"

	"slipway/models"
)

// SaveAccount changes an account under a row lock; what differs is audited, nothing else is written.
func (g *Registry) SaveAccount(ctx context.Context, actor models.Actor, id string, change func(*models.Account)) error {
	return g.s.tx(ctx, func(t *tx) error { return t.saveAccount(actor, id, change) })
}

func (t *tx) saveAccount(actor models.Actor, id string, change func(*models.Account)) error {
	r, err := one[accountRecord](t.db, `SELECT `+accountColumns+` FROM accounts a WHERE id = ? FOR UPDATE`, id)
	if err != nil {
		return fmt.Errorf("read account %s: %w", id, err)
	}
	before := r.model()
	after := before
	change(&after)
	if after == before {
		return nil
	}
	if before.AWSID != "" && after.AWSID != before.AWSID {
		return fmt.Errorf("account %s is %s at AWS and cannot become %s", before.Name, before.AWSID, after.AWSID)
	}
	err = t.db.Exec(`UPDATE accounts SET aws_id = ?, create_id = ?, state = ?, aws_state = ?, aws_state_at = ?, ou = ?, baseline_at = ?, late = ?, by_hand = ?,
		closed_at = ? WHERE id = ?`,
		orNull(after.AWSID), after.CreateID, after.State, after.AWSState, timeOrNull(after.AWSStateAt), after.OU, timeOrNull(after.BaselineAt), after.Late, after.ByHand, timeOrNull(after.ClosedAt), id).Error
	if err != nil {
		return fmt.Errorf("write account %s: %w", before.Name, err)
	}
	// A fresh look that shows the same is no change to audit.
	quiet := after
	quiet.AWSStateAt, quiet.BaselineAt = before.AWSStateAt, before.BaselineAt
	if quiet == before {
		return nil
	}
	return t.audit(actor, "account.change", about{string(models.AccountObject), id, before.Name, before.TenantID}, accountFacts(before), accountFacts(after))
}

func accountFacts(a models.Account) map[string]any {
	return map[string]any{"aws_id": a.AWSID, "create_id": a.CreateID, "state": a.State, "aws_state": a.AWSState, "ou": a.OU, "late": a.Late,
		"by_hand": a.ByHand, "closed_at": timeOrNull(a.ClosedAt)}
}

// MadeChangeSet writes the owner row of a change set, before it is made; one that is there already is opened again.
func (g *Registry) MadeChangeSet(ctx context.Context, set models.ChangeSet) error {
	err := g.s.read(ctx).Exec(`INSERT INTO change_sets (id, request_id, account, region, stack_name, name, type, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, stack_name, name) DO UPDATE SET ended_at = NULL, outcome = ''`,
		models.NewID(), set.RequestID, set.Account, set.Region, set.StackName, set.Name, set.Type, g.s.clock.Now()).Error
	if err != nil {
		return translate(fmt.Errorf("record change set %s: %w", set.Name, err))
	}
	return nil
}

// EndedChangeSet closes the owner row.
func (g *Registry) EndedChangeSet(ctx context.Context, set models.ChangeSet, outcome string) error {
	err := g.s.read(ctx).Exec(`UPDATE change_sets SET ended_at = ?, outcome = ? WHERE account = ? AND region = ? AND stack_name = ? AND name = ? AND ended_at IS NULL`,
		g.s.clock.Now(), outcome, set.Account, set.Region, set.StackName, set.Name).Error
	if err != nil {
		return translate(fmt.Errorf("close change set %s: %w", set.Name, err))
	}
	return nil
}

// IdleChangeSets lists open change sets of requests whose state needs them no more.
func (g *Registry) IdleChangeSets(ctx context.Context, limit int) ([]models.ChangeSet, error) {
	var idle []models.RequestState
	for _, state := range models.RequestStates() {
		if state.Effects().SweepsPlan {
			idle = append(idle, state)
		}
	}
	sets, err := many[models.ChangeSet](g.s.read(ctx), `SELECT c.id, c.request_id, c.account, c.region, c.stack_name, c.name, c.type, c.made_at
		FROM change_sets c JOIN requests r ON r.id = c.request_id WHERE c.ended_at IS NULL AND r.state IN ? ORDER BY c.made_at LIMIT ?`, idle, limit)
	if err != nil {
		return nil, translate(fmt.Errorf("list idle change sets: %w", err))
	}
	return sets, nil
}
