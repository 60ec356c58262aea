package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// mostTargets is how many targets of collectors one page shows; the worst come first, and a filter finds the others.
const mostTargets = 200

const targetColumns = `c.id, c.collector, COALESCE(c.account_id::text, '') AS account_id, COALESCE(a.aws_id, '') AS aws_id, COALESCE(a.name, '') AS account, COALESCE(n.slug, '') AS tenant_slug,
	COALESCE(a.class, '') AS class, c.region, c.state, c.since, c.read_at, c.ended_at, c.gaps, c.took_ms, c.calls, c.throttles, c.metered, c.working, c.asked_by, c.due`

const targetTables = `collect_targets c LEFT JOIN accounts a ON a.id = c.account_id LEFT JOIN tenants n ON n.id = a.tenant_id`

type targetRow struct {
	ID                                    string
	Collector                             models.CollectorName
	AccountID, AWSID, Account, TenantSlug string
	Class                                 models.Class
	Region                                string
	State                                 models.CollectState
	Since, ReadAt, EndedAt                *time.Time
	Gaps                                  jsonb
	TookMs                                int64
	Calls, Throttles                      int64
	Metered                               int
	Working                               bool
	AskedBy                               string
	Due                                   time.Time
	Total                                 int // of a list without its limit
}

func (r targetRow) model() (models.CollectStatus, error) {
	s := models.CollectStatus{ID: r.ID, Collector: r.Collector, AccountID: r.AccountID, AWSID: r.AWSID, Account: r.Account, TenantSlug: r.TenantSlug, Class: r.Class, Region: r.Region,
		State: r.State, ReadAt: value(r.ReadAt), EndedAt: value(r.EndedAt), Since: value(r.Since), Took: time.Duration(r.TookMs) * time.Millisecond, Calls: r.Calls, Throttles: r.Throttles,
		Metered: r.Metered, Working: r.Working, By: r.AskedBy, Due: r.Due}
	return s, r.Gaps.decode(&s.Gaps)
}

func statusesOf(rows []targetRow) ([]models.CollectStatus, error) {
	all := make([]models.CollectStatus, 0, len(rows))
	for _, r := range rows {
		s, err := r.model()
		if err != nil {
			return nil, fmt.Errorf("read the gaps of %s: %w", r.ID, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// Collectors reads how all collectors stand, for platform admins and auditors: two queries, however much there is.
func (s *Store) Collectors(ctx context.Context, actor models.Actor, f models.CollectFilter) (p models.CollectPage, err error) {
	if !actor.SeesAll() {
		return p, models.Errorf(models.NotFound, "There is no page at this address.")
	}
	db := s.read(ctx)
	p.Collectors, err = collectorFigures(db)
	if err != nil {
		return p, translate(fmt.Errorf("count what collectors read: %w", err))
	}
	where, args := []string{"true"}, []any{}
	if f.Collector != "" {
		where, args = append(where, "c.collector = ?"), append(args, clip(string(f.Collector)))
	}
	if f.State != "" {
		where, args = append(where, "c.state = ?"), append(args, clip(string(f.State)))
	}
	if f.Text != "" {
		like := containing(clip(f.Text))
		where, args = append(where, "(a.aws_id LIKE ? OR a.name ILIKE ? OR c.region LIKE ?)"), append(args, like, like, like)
	}
	from := targetTables + " WHERE " + strings.Join(where, " AND ")
	rows, err := many[targetRow](db, `SELECT `+targetColumns+`, count(*) OVER () AS total FROM `+from+` ORDER BY CASE c.state WHEN 'cannot_read' THEN 0 WHEN 'failed' THEN 1 WHEN 'partial' THEN 2 WHEN '' THEN 3 ELSE 4 END,
		c.collector, c.read_at NULLS FIRST, c.id LIMIT ?`, append(args, mostTargets)...)
	if err != nil {
		return p, translate(fmt.Errorf("list targets of collectors: %w", err))
	}
	if len(rows) > 0 {
		p.All = rows[0].Total
	}
	p.Targets, err = statusesOf(rows)
	return p, err
}

func collectorFigures(db *gorm.DB) ([]models.CollectorFigures, error) {
	type row struct {
		Collector                                            models.CollectorName
		Targets, OK, Partial, Denied, Failed, Never, Working int
		Oldest                                               *time.Time
		Calls, Throttles                                     int64
		Metered                                              int
	}
	rows, err := many[row](db, `SELECT collector, count(*) AS targets, count(*) FILTER (WHERE state = 'ok') AS ok, count(*) FILTER (WHERE state = 'partial') AS partial,
			count(*) FILTER (WHERE state = 'cannot_read') AS denied, count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = '') AS never,
			count(*) FILTER (WHERE working) AS working, min(read_at) AS oldest, sum(calls)::bigint AS calls, sum(throttles)::bigint AS throttles, sum(metered)::int AS metered
		FROM collect_targets GROUP BY collector ORDER BY collector`)
	all := make([]models.CollectorFigures, 0, len(rows))
	for _, r := range rows {
		all = append(all, models.CollectorFigures{Name: r.Collector, Targets: r.Targets, OK: r.OK, Partial: r.Partial, Denied: r.Denied, Fail: r.Failed, Never: r.Never, Working: r.Working,
			Oldest: value(r.Oldest), Calls: r.Calls, Throttles: r.Throttles, Metered: r.Metered})
	}
	return all, err
}

// CollectStates reads how a collector stands where the actor may look: at the organization's own target, and at those of accounts of
// tenants they see. A tenant's slug narrows it to that tenant's accounts and the organization's.
func (s *Store) CollectStates(ctx context.Context, actor models.Actor, name models.CollectorName, tenantSlug string) ([]models.CollectStatus, error) {
	seen, args := tenantScope(actor, `a.tenant_id`)
	query := `SELECT ` + targetColumns + ` FROM ` + targetTables + ` WHERE c.collector = ? AND (c.account_id IS NULL OR ` + seen + `)`
	args = append([]any{string(name)}, args...)
	if tenantSlug != "" {
		query, args = query+` AND (c.account_id IS NULL OR n.slug = ?)`, append(args, clip(tenantSlug))
	}
	rows, err := many[targetRow](s.read(ctx), query+` ORDER BY c.account_id NULLS FIRST, c.region, c.id`, args...)
	if err != nil {
		return nil, translate(fmt.Errorf("read how collector %s stands: %w", name, err))
	}
	return statusesOf(rows)
}

// CollectNow has a target read now, or all of a collector's when no target is named. What is read already is not read twice.
func (s *Store) CollectNow(ctx context.Context, actor models.Actor, name models.CollectorName, targetID string) error {
	switch {
	case !actor.SeesAll():
		return models.Errorf(models.NotFound, "There is no page at this address.")
	case !actor.Has(models.PlatformAdmin):
		return models.Errorf(models.Forbidden, "Only platform admins can ask for that.")
	}
	return s.tx(ctx, func(t *tx) error {
		query, args := `SELECT id FROM collect_targets WHERE collector = ? ORDER BY id FOR UPDATE`, []any{clip(string(name))}
		if targetID != "" {
			query, args = `SELECT id FROM collect_targets WHERE collector = ? AND id = ? FOR UPDATE`, append(args, targetID)
		}
		ids, err := many[string](t.db, query, args...)
		if err != nil {
			return fmt.Errorf("find what collector %s reads: %w", name, err)
		}
		if len(ids) == 0 {
			return models.Errorf(models.NotFound, "There is no such collector, or nothing for it to read.")
		}
		for _, id := range ids {
			if err := t.startRound(id, actor.Name()); err != nil {
				return err
			}
		}
		return t.audit(actor, "collector.run", about{Type: "collector", ID: string(name), Name: string(name)}, nil, map[string]any{"collector": name, "target": targetID, "targets": len(ids)})
	})
}
