package store

import (
	"context"
	"fmt"
	"slices"

	"slipway/models"
)

// How much of each kind home shows.
const (
	homeRows    = 8
	homeBudgets = 5
)

// NavCounts counts what stands beside the navigation, in one query: what waits for the actor's decision, live runs, failing
// environments, and what stops new ones.
func (s *Store) NavCounts(ctx context.Context, actor models.Actor) (models.NavCounts, error) {
	waiting, args := decidable(actor)
	seen, more := requestScope(actor)
	theirs, most := tenantScope(actor, `e.tenant_id`)
	type row struct {
		Approvals, Runs, Failing int
		Freezes                  jsonb
	}
	frozen, last := frozenNow(actor, s.clock.Now())
	r, err := one[row](s.read(ctx), `SELECT
		(SELECT count(*) FROM requests r WHERE `+waiting+`) AS approvals,
		(SELECT count(*) FROM requests r WHERE r.state IN ('running', 'stopping', 'undoing') AND `+seen+`) AS runs,
		(SELECT count(*) FROM environments e WHERE e.health = 'failing' AND e.state <> 'deleted' AND `+theirs+`) AS failing,
		`+frozen+` AS freezes`, slices.Concat(args, more, most, last)...)
	if err != nil {
		return models.NavCounts{}, translate(fmt.Errorf("count what waits: %w", err))
	}
	n := models.NavCounts{Approvals: r.Approvals, Runs: r.Runs, Failing: r.Failing}
	return n, r.Freezes.decode(&n.Freezes)
}

// Home reads what / shows, worst first, in seven queries, for an admin eight.
func (s *Store) Home(ctx context.Context, actor models.Actor) (p models.HomePage, err error) {
	waiting, failing, mine, live := conditions{}, conditions{}, conditions{}, conditions{}
	decide, args := decidable(actor)
	waiting.add(decide, args...)
	seen, args := requestScope(actor)
	failing.add(`r.state IN ('failed', 'plan_failed') AND `+seen, args...)
	live.add(`r.state IN ('running', 'stopping', 'undoing') AND `+seen, args...)
	mine.add(`r.requester_id = ?`, orNull(actor.Person.ID))
	if p.Waiting, p.WaitingAll, err = s.firstRequests(ctx, waiting, "asked", homeRows, true); err != nil {
		return p, err
	}
	if p.Failing, p.FailingAll, err = s.firstRequests(ctx, failing, "-since", homeRows, true); err != nil {
		return p, err
	}
	if p.Mine, p.MineAll, err = s.firstRequests(ctx, mine, "-asked", homeRows, true); err != nil {
		return p, err
	}
	if p.Running, err = s.firstRuns(ctx, live, homeRows); err != nil {
		return p, err
	}
	if p.Drafts, err = s.ListForms(ctx, actor); err != nil {
		return p, err
	}
	if actor.Has(models.PlatformAdmin) {
		if p.Broken, err = s.brokenGlass(ctx); err != nil {
			return p, err
		}
	}
	return p, s.homeTenants(ctx, actor, &p)
}

// brokenGlass is what every admin is told of.
func (s *Store) brokenGlass(ctx context.Context) ([]models.BrokenGlass, error) {
	rows, err := many[models.BrokenGlass](s.read(ctx), `SELECT r.id AS request_id, r.number, r.title, p.name AS by, a.reason, a.at FROM approvals a
		JOIN requests r ON r.id = a.request_id JOIN people p ON p.id = a.person_id WHERE a.break_glass AND a.at > ? ORDER BY a.at DESC, a.id LIMIT ?`,
		s.clock.Now().AddDate(0, 0, -7), homeRows)
	if err != nil {
		return nil, translate(fmt.Errorf("read who broke the glass: %w", err))
	}
	return rows, nil
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
