package store

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const benchServices = 500

// manyServices gives a tenant 500 services with three environments each, all built and deployed twenty times.
func manyServices(b testing.TB) delivery {
	b.Helper()
	d := delivering(b)
	for _, q := range []string{
		`INSERT INTO services (id, tenant_id, account_id, class, name, state, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), tenant_id, account_id, class, 'svc-' || g, 'ready', request_id, created_at, created_at FROM services, generate_series(1, 499) g WHERE name = 'shop'`,
		`INSERT INTO environments (id, tenant_id, account_id, service_id, name, stage, region, blueprint, image, state, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), v.tenant_id, v.account_id, v.id, v.name || '-' || s, s, 'us-east-1', 'web', 'r/' || v.name || '@sha256:' || encode(sha256((v.id::text || 20)::bytea), 'hex'), 'ready', v.request_id, v.created_at, v.created_at
			FROM services v, unnest(ARRAY['dev', 'staging', 'prod']) s WHERE v.name <> 'shop'`,
		`INSERT INTO pipelines (id, tenant_id, account_id, class, service_id, name, kind, source, stages, state, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), tenant_id, account_id, class, id, name, 'codepipeline', '{}', '[]', 'ready', request_id, created_at, created_at FROM services WHERE name <> 'shop'`,
		`INSERT INTO builds (id, tenant_id, service_id, pipeline_id, digest, tag, passed, commit_id, registered_at)
			SELECT gen_random_uuid(), p.tenant_id, p.service_id, p.id, 'sha256:' || encode(sha256((p.service_id::text || g)::bytea), 'hex'), 'v' || g, true, 'c' || g, p.created_at + g * interval '1 minute'
			FROM pipelines p, generate_series(1, 20) g WHERE p.name <> 'shop'`,
		`INSERT INTO requests (id, kind, object_type, object_id, object_name, tenant_id, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at, ended_at)
			SELECT gen_random_uuid(), 'environment.deploy', 'environment', e.id, e.name, e.tenant_id, 'Deploy', 'succeeded', jsonb_build_object('n', g), r.inputs_by, r.requester_id, e.id::text || g, e.created_at, e.created_at, e.created_at, e.created_at
			FROM environments e CROSS JOIN generate_series(1, 20) g CROSS JOIN (SELECT * FROM requests LIMIT 1) r WHERE e.name LIKE 'svc-%'`,
		`INSERT INTO deployments (id, tenant_id, environment_id, service_id, pipeline_id, build_id, request_id, image, succeeded, began_at, ended_at, healthy_at, replaced_at)
			SELECT gen_random_uuid(), e.tenant_id, e.id, e.service_id, b.pipeline_id, b.id, r.id, split_part(e.image, '@', 1) || '@' || b.digest, true, r.created_at + n * interval '1 hour', r.created_at + n * interval '61 minutes', r.created_at,
				CASE WHEN n < 20 THEN r.created_at + (n + 1) * interval '1 hour' END
			FROM environments e JOIN requests r ON r.object_id = e.id AND r.kind = 'environment.deploy' CROSS JOIN LATERAL (SELECT (r.inputs->>'n')::int AS n) i JOIN builds b ON b.service_id = e.service_id AND b.tag = 'v' || n
			WHERE e.name LIKE 'svc-%'`,
		`INSERT INTO promotions (id, tenant_id, pipeline_id, environment_id, service_id, image, asked_by, asked_by_name, ask_key, state, created_at, ended_at)
			SELECT gen_random_uuid(), d.tenant_id, d.pipeline_id, d.environment_id, d.service_id, d.image, 'workflow', 'w', d.id::text, CASE WHEN d.replaced_at IS NULL THEN 'blocked' ELSE 'succeeded' END, d.began_at, d.replaced_at FROM deployments d`,
	} {
		exec(b, d.Store, q)
	}
	return d
}

// whereByHand reads the same cells by the one statement that the page comes to.
func whereByHand(ctx context.Context, conn *pgx.Conn, now time.Time) (services, cells int, err error) {
	rows, err := conn.Query(ctx, `SELECT v.id, v.name, (SELECT array_agg(p.name ORDER BY p.name) FROM pipelines p WHERE p.service_id = v.id AND p.state <> 'deleted'), e.id, e.name, e.stage, e.state, e.image, b.tag, b.commit_id, d.ended_at,
			o.blocked, EXISTS (SELECT FROM stage_freezes f WHERE f.environment_id = e.id AND f.lifted_at IS NULL AND f.until > $1)
		FROM services v JOIN tenants t ON t.id = v.tenant_id LEFT JOIN environments e ON e.service_id = v.id AND e.state <> 'deleted'
			LEFT JOIN deployments d ON d.environment_id = e.id AND d.succeeded AND d.replaced_at IS NULL LEFT JOIN builds b ON b.id = d.build_id
			LEFT JOIN LATERAL (SELECT bool_or(state IN ('blocked', 'held')) AS blocked FROM promotions WHERE environment_id = e.id AND ended_at IS NULL) o ON true
		WHERE t.slug = 'payments' AND v.state <> 'deleted' ORDER BY v.name, e.stage`, now)
	if err != nil {
		return 0, 0, err
	}
	seen := map[string]bool{}
	for rows.Next() {
		var r cellRow
		var id, name string
		var pipelines []string
		var environment, place, stage, state, image *string
		var blocked *bool
		if err := rows.Scan(&id, &name, &pipelines, &environment, &place, &stage, &state, &image, &r.Tag, &r.CommitID, &r.Since, &blocked, &r.Frozen); err != nil {
			return 0, 0, err
		}
		seen[id] = true
		if environment != nil {
			cells++
		}
	}
	return len(seen), cells, rows.Err()
}

// BenchmarkWhere reads what runs where of a tenant with 500 services and 1,500 environments, against the same by hand-written pgx.
func BenchmarkWhere(b *testing.B) {
	d := manyServices(b)
	conn, err := pgx.Connect(b.Context(), d.pool.Config().ConnString())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	b.Run("Page", func(b *testing.B) {
		for b.Loop() {
			rows, err := d.WhatIsWhere(b.Context(), d.viewer, "payments")
			if err != nil || len(rows) != benchServices {
				b.Fatal(len(rows), err)
			}
		}
	})
	b.Run("ByHand", func(b *testing.B) {
		for b.Loop() {
			if services, cells, err := whereByHand(b.Context(), conn, d.clock.Now()); err != nil || services != benchServices || cells != 3*(benchServices-1)+3 {
				b.Fatal(services, cells, err)
			}
		}
	})
}

// TestWhereReconciles holds what the page says of 500 services against the rows themselves, in a number of queries that does not grow.
func TestWhereReconciles(t *testing.T) {
	t.Parallel()
	d := manyServices(t)
	q := &queries{}
	s := openAt(t, d.opt.URL, func(o *Options) { o.Tracer, o.Clock = q, d.clock })
	before := q.n.Load()
	rows, err := s.WhatIsWhere(t.Context(), d.viewer, "payments")
	if err != nil || len(rows) != benchServices {
		t.Fatal(len(rows), err)
	}
	if n := q.n.Load() - before; n > 4 {
		t.Errorf("%d queries, want at most 4", n)
	}
	cells, tags := 0, 0
	for _, r := range rows {
		for _, c := range r.Cells {
			if cells++; c.Tag == "v20" && c.Blocked && !c.Since.IsZero() {
				tags++
			}
		}
	}
	if want := count(t, d.Store, `SELECT count(*) FROM environments WHERE service_id IS NOT NULL`); cells != want {
		t.Errorf("%d cells, want %d", cells, want)
	}
	if want := count(t, d.Store, `SELECT count(*) FROM deployments d JOIN builds b ON b.id = d.build_id AND b.tag = 'v20' WHERE d.replaced_at IS NULL`); tags != want || want != 3*(benchServices-1) {
		t.Errorf("%d cells are blocked with the newest tag, want %d", tags, want)
	}
}
