package store

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/models"
)

// manyEnvironments is an estate with 5,000 environments in every condition, each read once.
func manyEnvironments(b testing.TB) estate {
	b.Helper()
	e := settled(b, "10.64.0.0/20")
	for _, q := range []string{
		`INSERT INTO environments (id, tenant_id, account_id, name, stage, region, blueprint, state, health, health_rank, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), a.tenant_id, a.id, 'env-' || g, (ARRAY['dev', 'staging', 'prod'])[1 + g % 3], 'us-east-1', 'web', 'ready', c.health, c.rank * 10 + g % 3, r.id, r.created_at, r.created_at
			FROM generate_series(1, 5000) g CROSS JOIN (SELECT * FROM accounts ORDER BY name LIMIT 1) a CROSS JOIN (SELECT * FROM requests LIMIT 1) r
			CROSS JOIN LATERAL (SELECT CASE WHEN g % 50 = 0 THEN 'failing' WHEN g % 20 = 0 THEN 'degraded' WHEN g % 33 = 0 THEN 'unknown' ELSE 'healthy' END AS health,
				CASE WHEN g % 50 = 0 THEN 4 WHEN g % 20 = 0 THEN 3 WHEN g % 33 = 0 THEN 2 ELSE 0 END AS rank) c`,
		`INSERT INTO environment_health (environment_id, tenant_id, reason, since, tried_at, read_at, parts) SELECT id, tenant_id, '2 of 2 tasks run, 2 of 2 targets are healthy, all 6 alarms are quiet',
			created_at, created_at, clock_timestamp(), (SELECT jsonb_agg(jsonb_build_object('kind', 'alarm', 'name', 'Alarm' || g, 'state', 'healthy', 'words', 'Alarm is quiet')) FROM generate_series(1, 10) g) FROM environments`,
	} {
		if _, err := e.pool.Exec(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
	return e
}

// byHand reads the page's figures with nothing but pgx and the two statements that the page comes to.
func byHand(ctx context.Context, conn *pgx.Conn, late time.Time) (rows, failing int, err error) {
	list, err := conn.Query(ctx, `SELECT e.id, t.slug, e.name, e.stage, e.region, a.aws_id, e.blueprint, e.state, e.hibernated, e.health, h.reason, h.since, h.read_at, h.tried_at, h.seen, e.drift, e.drifted, e.expires_at, e.created_at
		FROM (SELECT id FROM environments WHERE state <> 'deleted' ORDER BY health_rank DESC, id DESC LIMIT 51) k JOIN environments e USING (id) JOIN tenants t ON t.id = e.tenant_id JOIN accounts a ON a.id = e.account_id
		LEFT JOIN environment_health h ON h.environment_id = e.id ORDER BY e.health_rank DESC, e.id DESC`)
	if err != nil {
		return 0, 0, err
	}
	for list.Next() {
		var r healthListRow
		var reason, seen *string
		if err := list.Scan(&r.ID, &r.TenantSlug, &r.Name, &r.Stage, &r.Region, &r.Account, &r.Blueprint, &r.State, &r.Hibernated, &r.Health, &reason, &r.Since, &r.ReadAt, &r.TriedAt, &seen, &r.Drift, &r.Drifted, &r.ExpiresAt, &r.CreatedAt); err != nil {
			return 0, 0, err
		}
		rows++
	}
	if err := list.Err(); err != nil {
		return 0, 0, err
	}
	var counted int
	if err := conn.QueryRow(ctx, `SELECT count(*) FROM environments WHERE state <> 'deleted'`).Scan(&counted); err != nil {
		return 0, 0, err
	}
	var all json.RawMessage
	err = conn.QueryRow(ctx, `SELECT count(*) FILTER (WHERE e.health = 'failing'), jsonb_build_object('degraded', count(*) FILTER (WHERE e.health = 'degraded'), 'unknown', count(*) FILTER (WHERE e.health = 'unknown'),
		'late', count(*) FILTER (WHERE h.read_at < $1)) FROM environments e LEFT JOIN environment_health h ON h.environment_id = e.id WHERE e.state <> 'deleted'`, late).Scan(&failing, &all)
	return rows, failing, err
}

// BenchmarkHealth reads what /health shows of 5,000 environments, against the same figures by hand-written pgx; and what one round writes of
// five environments.
func BenchmarkHealth(b *testing.B) {
	e := manyEnvironments(b)
	admin, _ := signIn(b, e.Store, "someone", "platform-admins")
	if _, err := e.pool.Exec(b.Context(), `SELECT 1`); err != nil {
		b.Fatal(err)
	}
	conn, err := pgx.Connect(b.Context(), e.pool.Config().ConnString())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	b.Run("Page", func(b *testing.B) {
		for b.Loop() {
			list, err := e.Health(b.Context(), admin, models.ListQuery{})
			if err != nil || len(list.Rows) != 50 {
				b.Fatal(len(list.Rows), err)
			}
			if t, err := e.HealthTally(b.Context(), admin, ""); err != nil || t.By[models.Failing] != 100 {
				b.Fatal(t, err)
			}
		}
	})
	b.Run("ByHand", func(b *testing.B) {
		for b.Loop() {
			if rows, failing, err := byHand(b.Context(), conn, e.clock.Wall().Add(-models.HealthLate)); err != nil || rows != 51 || failing != 100 {
				b.Fatal(rows, failing, err)
			}
		}
	})
	b.Run("Navigation", func(b *testing.B) {
		for b.Loop() {
			if n, err := e.NavCounts(b.Context(), admin); err != nil || n.Failing != 100 {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("Wall", func(b *testing.B) {
		for b.Loop() {
			if u, err := e.Unwell(b.Context(), admin, "", 48); err != nil || len(u.Rows) != 48 {
				b.Fatal(len(u.Rows), err)
			}
		}
	})
}

// TestHealthReconciles holds what pages count against the rows themselves, by other SQL.
func TestHealthReconciles(t *testing.T) {
	t.Parallel()
	e := manyEnvironments(t)
	admin, _ := signIn(t, e.Store, "someone", "platform-admins")
	tally, err := e.HealthTally(t.Context(), admin, "")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, c := range models.Conditions() {
		if n := count(t, e.Store, `SELECT count(*) FROM environments WHERE health = $1 AND state <> 'deleted'`, c); n != tally.By[c] {
			t.Errorf("%s: %d, want %d", c, tally.By[c], n)
		}
		list, err := e.Health(t.Context(), admin, models.ListQuery{Filters: map[string]string{"health": string(c)}})
		if err != nil || list.Total != tally.By[c] {
			t.Errorf("%s: %d are listed, %d counted, %v", c, list.Total, tally.By[c], err)
		}
		sum += tally.By[c]
	}
	if sum != tally.All || tally.All != 5000 {
		t.Errorf("%d in all, %d by condition", tally.All, sum)
	}
}
