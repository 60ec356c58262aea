package store

import (
	"context"
	"fmt"

	"slipway/models"
)

// How much of each kind home shows.
const (
	homeRows    = 8
	homeBudgets = 5
)

// NavCounts counts what stands beside the navigation, in one query: what waits for the actor's decision, and live runs.
func (s *Store) NavCounts(ctx context.Context, actor models.Actor) (models.NavCounts, error) {
	waiting, args := decidable(actor)
	seen, more := requestScope(actor)
	n, err := one[models.NavCounts](s.read(ctx), `SELECT
		(SELECT count(*) FROM requests r WHERE `+waiting+`) AS approvals,
		(SELECT count(*) FROM requests r WHERE r.state IN ('running', 'stopping', 'undoing') AND `+seen+`) AS runs`, append(args, more...)...)
	if err != nil {
		return models.NavCounts{}, translate(fmt.Errorf("count what waits: %w", err))
	}
	return n, nil
}

// Home reads what / shows, worst first, in seven queries.
func (s *Store) Home(ctx context.Context, actor models.Actor) (p models.HomePage, err error) {
	waiting, args := decidable(actor)
	if p.Waiting, p.WaitingAll, err = s.homeRequests(ctx, waiting, args, `r.submitted_at, r.id`); err != nil {
		return p, err
	}
	seen, args := requestScope(actor)
	if p.Failing, p.FailingAll, err = s.homeRequests(ctx, `r.state IN ('failed', 'plan_failed') AND `+seen, args, `r.state_since DESC, r.id`); err != nil {
		return p, err
	}
	if p.Mine, p.MineAll, err = s.homeRequests(ctx, `r.requester_id = ?`, []any{orNull(actor.Person.ID)}, `r.submitted_at DESC, r.id`); err != nil {
		return p, err
	}
	runs, err := many[runListRow](s.read(ctx), `SELECT `+runListColumns+` FROM `+runListDeep+` WHERE r.state IN ('running', 'stopping', 'undoing') AND `+seen+`
		ORDER BY n.started_at DESC, n.id LIMIT ?`, append(args, homeRows)...)
	if err != nil {
		return p, translate(fmt.Errorf("read live runs: %w", err))
	}
	if p.Running, err = modelsOf(runs, runListRow.model); err != nil {
		return p, err
	}
	if p.Drafts, err = s.ListForms(ctx, actor); err != nil {
		return p, err
	}
	return p, s.homeTenants(ctx, actor, &p)
}

// homeRequests reads the first rows that a condition finds, and how many there are in all.
func (s *Store) homeRequests(ctx context.Context, where string, args []any, order string) ([]models.RequestRow, int, error) {
	type row struct {
		Request  requestListRow `gorm:"embedded"`
		AllCount int
	}
	rows, err := many[row](s.read(ctx), fmt.Sprintf(`SELECT %s, (SELECT count(*) FROM (SELECT 1 FROM requests r WHERE %s LIMIT %d) c) AS all_count
		FROM %s WHERE %s ORDER BY %s LIMIT %d`, requestListColumns, where, maxCount+1, requestListFrom, where, order, homeRows), append(args[:len(args):len(args)], args...)...)
	if err != nil {
		return nil, 0, translate(fmt.Errorf("read requests for home: %w", err))
	}
	all := 0
	list, err := modelsOf(rows, func(r row) (models.RequestRow, error) {
		all = r.AllCount
		return r.Request.model()
	})
	return list, all, err
}

// homeTenants finds the tenants whose estimate is nearest to, or beyond, their budget.
func (s *Store) homeTenants(ctx context.Context, actor models.Actor, p *models.HomePage) error {
	seen, args := tenantScope(actor, `t.id`)
	rows, err := many[tenantRow](s.read(ctx), `SELECT `+tenantColumns+` FROM tenants t WHERE t.estimate IS NOT NULL AND t.state <> 'deleted' AND `+seen+`
		ORDER BY t.estimate / t.budget DESC, t.id LIMIT ?`, append(args[:len(args):len(args)], homeBudgets)...)
	if err != nil {
		return translate(fmt.Errorf("read budgets for home: %w", err))
	}
	for _, r := range rows {
		p.Budgets = append(p.Budgets, r.model())
	}
	c := conditions{}
	c.add(seen, args...)
	p.Tenants, err = countUpTo(ctx, s, `tenants t`, c)
	return err
}
