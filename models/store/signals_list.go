package store

import (
	"context"
	"fmt"
	"time"

	"slipway/models"
)

type healthListRow struct {
	ID         string
	TenantSlug string
	Name       string
	Stage      models.Stage
	Region     string
	Account    *string
	Blueprint  string
	State      models.ObjectState
	Hibernated bool
	Health     models.Condition
	Reason     *string
	Since      *time.Time
	ReadAt     *time.Time
	TriedAt    *time.Time
	Seen       *string
	Drift      models.DriftState
	Drifted    int
	DriftUntil *time.Time
	ExpiresAt  *time.Time
	CreatedAt  time.Time
}

func (r healthListRow) model() models.HealthRow {
	return models.HealthRow{ID: r.ID, TenantSlug: r.TenantSlug, Name: r.Name, Stage: r.Stage, Region: r.Region, Account: value(r.Account), Blueprint: r.Blueprint, State: r.State, Hibernated: r.Hibernated,
		Condition: r.Health, Reason: value(r.Reason), Since: value(r.Since), ReadAt: value(r.ReadAt), TriedAt: value(r.TriedAt), Seen: models.Condition(value(r.Seen)), Drift: r.Drift, Drifted: r.Drifted,
		DriftUntil: value(r.DriftUntil), ExpiresAt: value(r.ExpiresAt), CreatedAt: r.CreatedAt}
}

// healthColumnsOf are the columns of a HealthRow, of environments e, tenants t, accounts a and environment_health h.
const healthColumnsOf = `e.id, t.slug AS tenant_slug, e.name, e.stage, e.region, a.aws_id AS account, e.blueprint, e.state, e.hibernated, e.health, h.reason, h.since, h.read_at, h.tried_at, h.seen, e.drift, e.drifted,
	CASE WHEN e.drift = 'drifted' THEN (SELECT max(d.accepted_until) FROM drifts d WHERE d.object_id = e.id) END AS drift_until, e.expires_at, e.created_at`

const healthJoined = `JOIN accounts a ON a.id = e.account_id LEFT JOIN environment_health h ON h.environment_id = e.id`

var healthList = listing[healthListRow]{
	columns: healthColumnsOf,
	from:    `environments e JOIN tenants t ON t.id = e.tenant_id`, wide: healthJoined, id: `e.id`, usual: "-worst",
	sorts: map[string]column{"worst": {`e.health_rank`, "integer"}, "name": {`e.name`, "text"}, "tenant": {`t.slug`, "text"}, "stage": {`e.stage`, "text"}},
}

func healthConditions(actor models.Actor, q models.ListQuery) (c conditions, err error) {
	seen, args := tenantScope(actor, `e.tenant_id`)
	c.add(seen, args...)
	c.add(`e.state <> 'deleted'`)
	if err := c.search(q.Search, `e.name`, `t.slug`); err != nil {
		return c, err
	}
	return c, narrow(&c, q, map[string]filter{
		"health": oneOf(`e.health`, models.Conditions()),
		"stage":  oneOf(`e.stage`, models.Stages()),
		"tenant": equals(`t.slug`),
		"region": equals(`e.region`),
	})
}

// Health lists how the environments run that the actor may see, worst first: two queries.
func (s *Store) Health(ctx context.Context, actor models.Actor, q models.ListQuery) (models.List[models.HealthRow], error) {
	c, err := healthConditions(actor, q)
	if err != nil {
		return models.List[models.HealthRow]{}, err
	}
	list, err := healthList.read(ctx, s, c, q)
	return convert(list, healthListRow.model), err
}

// EachHealth exports a list of health, audited.
func (s *Store) EachHealth(ctx context.Context, actor models.Actor, q models.ListQuery, fn func(models.HealthRow) error) error {
	c, err := healthConditions(actor, q)
	if err != nil {
		return err
	}
	return healthList.each(ctx, s, actor, "health", c, q, func(r healthListRow) error { return fn(r.model()) })
}

// HealthTally counts how environments run, of one tenant or of all that the actor may see, in one query. late is what was made or read
// longer ago than it should be.
func (s *Store) HealthTally(ctx context.Context, actor models.Actor, tenantSlug string) (models.HealthTally, error) {
	seen, args := tenantScope(actor, `e.tenant_id`)
	where := `e.state <> 'deleted' AND ` + seen
	if tenantSlug != "" {
		where, args = where+` AND e.tenant_id = (SELECT t.id FROM tenants t WHERE t.slug = ?)`, append(args, clip(tenantSlug))
	}
	type counted struct {
		Health models.Condition
		N      int
		Late   int
		Never  int
		Oldest *time.Time
	}
	long := s.clock.Wall().Add(-models.HealthLate)
	rows, err := many[counted](s.read(ctx), `SELECT e.health, count(*) AS n, count(*) FILTER (WHERE l.late) AS late, count(*) FILTER (WHERE l.late AND h.read_at IS NULL) AS never, min(h.read_at) FILTER (WHERE l.late) AS oldest
		FROM environments e LEFT JOIN environment_health h ON h.environment_id = e.id
		CROSS JOIN LATERAL (SELECT e.state NOT IN ('creating', 'deleting') AND (h.read_at < ? OR h.read_at IS NULL AND (h.tried_at IS NOT NULL OR e.created_at < ?)) AS late) l
		WHERE `+where+` GROUP BY e.health`, append([]any{long, long}, args...)...)
	if err != nil {
		return models.HealthTally{}, translate(fmt.Errorf("count how environments run: %w", err))
	}
	tally, never := models.HealthTally{By: map[models.Condition]int{}}, 0
	for _, r := range rows {
		tally.By[r.Health] = r.N
		tally.All, tally.Late, never = tally.All+r.N, tally.Late+r.Late, never+r.Never
		if r.Oldest != nil && (tally.Oldest.IsZero() || r.Oldest.Before(tally.Oldest)) {
			tally.Oldest = *r.Oldest
		}
	}
	if never > 0 {
		tally.Oldest = time.Time{}
	}
	return tally, nil
}

// Unwell reads how environments stand, of one tenant or of all that the actor may see, and the worst of those that are failing, degraded or
// not known: two queries.
func (s *Store) Unwell(ctx context.Context, actor models.Actor, tenantSlug string, most int) (u models.Unwell, err error) {
	if u.Tally, err = s.HealthTally(ctx, actor, tenantSlug); err != nil {
		return u, err
	}
	q := models.ListQuery{Limit: most, Filters: map[string]string{}}
	if tenantSlug != "" {
		q.Filters["tenant"] = tenantSlug
	}
	c, err := healthConditions(actor, q)
	if err != nil {
		return u, err
	}
	c.add(`e.health_rank >= ?`, models.Unread.Rank(models.Dev))
	p, err := healthList.page(q)
	if err != nil {
		return u, err
	}
	rows, err := healthList.rows(ctx, s, c, p, p.limit)
	for _, r := range rows {
		u.Rows = append(u.Rows, r.Row.model())
	}
	return u, err
}
