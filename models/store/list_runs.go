package store

import (
	"context"
	"fmt"

	"slipway/models"
)

type runListRow struct {
	Run           runRow `gorm:"embedded"`
	RequestNumber int64
	RequestState  models.RequestState
	TenantSlug    *string
	StepsAll      int
	StepsEnded    int
	Current       *string
	CurrentAt     *int
	UsualMS       *float64 `gorm:"column:usual_ms"`
}

func (r runListRow) model() (models.RunRow, error) {
	run, err := r.Run.model()
	return models.RunRow{Run: run, RequestNumber: r.RequestNumber, RequestState: r.RequestState, TenantSlug: value(r.TenantSlug), StepsAll: r.StepsAll,
		StepsEnded: r.StepsEnded, Current: value(r.Current), CurrentAt: value(r.CurrentAt), Usual: models.Duration(value(r.UsualMS))}, err
}

const (
	// usualTime is the median duration of the last runs of kind k that succeeded at once, in milliseconds; null under five of them.
	usualTime = `(SELECT CASE WHEN count(*) >= 5 THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY u.ms) END FROM (
		SELECT extract(epoch FROM un.ended_at - un.started_at) * 1000 AS ms FROM runs un JOIN requests ur ON ur.id = un.request_id
		WHERE un.state = 'succeeded' AND un.attempt = 1 AND ur.kind = k.kind ORDER BY un.started_at DESC LIMIT 50) u)`

	// runListWith reads the usual times once, not per row.
	runListWith    = `WITH usual AS MATERIALIZED (SELECT k.kind, ` + usualTime + ` AS ms FROM unnest('{` + string(models.CreateTenant) + `}'::text[]) AS k (kind))`
	runListColumns = runColumns + `, r.number AS request_number, r.state AS request_state, t.slug AS tenant_slug, st.steps_all, st.steps_ended,
		cu.title AS current, cu.position AS current_at, us.ms AS usual_ms`
	runListFrom = `runs n JOIN requests r ON r.id = n.request_id LEFT JOIN tenants t ON t.id = r.tenant_id`
	runListWide = `JOIN plans l ON l.id = n.plan_id LEFT JOIN usual us ON us.kind = r.kind
		LEFT JOIN LATERAL (SELECT count(*) AS steps_all, count(*) FILTER (WHERE s.state IN ('done', 'skipped', 'undone')) AS steps_ended FROM steps s WHERE s.run_id = n.id) st ON true
		LEFT JOIN LATERAL (SELECT s.title, s.position FROM steps s WHERE s.run_id = n.id AND s.state NOT IN ('done', 'skipped', 'undone') ORDER BY s.position LIMIT 1) cu ON true`
)

var runsList = listing[runListRow]{
	with: runListWith, columns: runListColumns, from: runListFrom, wide: runListWide, id: `n.id`, usual: "-started",
	sorts: map[string]column{
		"started": {`n.started_at`, "timestamptz"}, "title": {`r.title`, "text"}, "state": {`r.state`, "text"}, "tenant": {`COALESCE(t.slug, '')`, "text"},
		"number": {`r.number`, "numeric"}, "ended": {`COALESCE(n.ended_at, 'epoch'::timestamptz)`, "timestamptz"},
	},
}

func runConditions(actor models.Actor, q models.ListQuery) (c conditions, err error) {
	seen, args := requestScope(actor)
	c.add(seen, args...)
	if m := digits.FindStringSubmatch(q.Search); m != nil {
		c.add(`(r.number = ?::bigint OR r.title ILIKE ?)`, m[1], "%"+m[1]+"%")
	} else if err := c.search(q.Search, `r.title`, `r.object_name`); err != nil {
		return c, err
	}
	return c, narrow(&c, q, map[string]filter{
		"state": oneOf(`r.state`, models.RequestStates()), "kind": oneOf(`r.kind`, []models.RequestKind{models.CreateTenant}), "tenant": ofTenant, "object": ofObject,
		"live": func(c *conditions, _ string) error {
			c.add(`r.state IN ('running', 'stopping', 'undoing')`)
			return nil
		},
	})
}

// Runs lists the runs of requests the actor may see, newest first.
func (s *Store) Runs(ctx context.Context, actor models.Actor, q models.ListQuery) (models.List[models.RunRow], error) {
	c, err := runConditions(actor, q)
	if err != nil {
		return models.List[models.RunRow]{}, err
	}
	list, err := runsList.read(ctx, s, c, q)
	if err != nil {
		return models.List[models.RunRow]{}, err
	}
	rows, err := modelsOf(list.Rows, runListRow.model)
	if err != nil {
		return models.List[models.RunRow]{}, fmt.Errorf("read the runs of a list: %w", err)
	}
	return models.List[models.RunRow]{Rows: rows, Prev: list.Prev, Next: list.Next, Total: list.Total}, nil
}

// EachRun exports the runs of a list, audited.
func (s *Store) EachRun(ctx context.Context, actor models.Actor, q models.ListQuery, fn func(models.RunRow) error) error {
	c, err := runConditions(actor, q)
	if err != nil {
		return err
	}
	return runsList.each(ctx, s, actor, "runs", c, q, func(r runListRow) error {
		m, err := r.model()
		if err != nil {
			return err
		}
		return fn(m)
	})
}

// firstRuns reads the newest runs that a condition finds.
func (s *Store) firstRuns(ctx context.Context, c conditions, limit int) ([]models.RunRow, error) {
	p, err := runsList.page(models.ListQuery{})
	if err != nil {
		return nil, err
	}
	rows, err := runsList.rows(ctx, s, c, p, limit)
	if err != nil {
		return nil, err
	}
	return modelsOf(rows, func(k keyed[runListRow]) (models.RunRow, error) { return k.Row.model() })
}
