package store

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/models"
)

// pipelinesByHand reads the first page of pipelines with nothing but pgx: rows, count, and what runs in their stages.
func pipelinesByHand(ctx context.Context, conn *pgx.Conn, now time.Time) (rows, cells int, err error) {
	list, err := conn.Query(ctx, `SELECT p.id, t.slug, p.name, p.kind, v.name, p.repository, p.source->>'branch', p.paused, p.state, x.id, x.number, p.last_state, p.last_at, x.commit_id, x.commit_message, p.moving, p.read_at,
			ARRAY(SELECT g.environment_id::text FROM pipeline_stages g WHERE g.pipeline_id = p.id ORDER BY g.position), p.updated_at
		FROM pipelines p JOIN tenants t ON t.id = p.tenant_id JOIN services v ON v.id = p.service_id LEFT JOIN pipeline_executions x ON x.id = p.last_execution
		WHERE p.state <> 'deleted' ORDER BY COALESCE(p.last_at, '-infinity') DESC, p.id DESC LIMIT 51`)
	if err != nil {
		return 0, 0, err
	}
	var ids []string
	for list.Next() {
		var r pipelineListRow
		var stages []string
		if err := list.Scan(&r.ID, &r.TenantSlug, &r.Name, &r.Kind, &r.ServiceName, &r.Repository, &r.Branch, &r.Paused, &r.State, &r.LastID, &r.LastNumber, &r.LastState, &r.LastAt, &r.LastCommit, &r.LastMessage,
			&r.Moving, &r.ReadAt, &stages, &r.UpdatedAt); err != nil {
			return 0, 0, err
		}
		ids = append(ids, stages...)
		rows++
	}
	if err := list.Err(); err != nil {
		return 0, 0, err
	}
	var counted int
	if err := conn.QueryRow(ctx, `SELECT count(*) FROM pipelines WHERE state <> 'deleted'`).Scan(&counted); err != nil {
		return 0, 0, err
	}
	run, err := conn.Query(ctx, `SELECT e.id, e.name, e.stage, e.state, e.image, d.ended_at, b.tag, b.commit_id, o.state,
			EXISTS (SELECT FROM stage_freezes f WHERE f.environment_id = e.id AND f.lifted_at IS NULL AND f.until > $2)
		FROM environments e LEFT JOIN deployments d ON d.environment_id = e.id AND d.succeeded AND d.replaced_at IS NULL LEFT JOIN builds b ON b.id = d.build_id
		LEFT JOIN LATERAL (SELECT state FROM promotions o WHERE o.environment_id = e.id AND o.ended_at IS NULL LIMIT 1) o ON true WHERE e.id = ANY ($1::uuid[])`, ids, now)
	if err != nil {
		return 0, 0, err
	}
	for run.Next() {
		var c cellRow
		var promotion *string
		if err := run.Scan(&c.EnvironmentID, &c.Environment, &c.Stage, &c.State, &c.Image, &c.Since, &c.Tag, &c.CommitID, &promotion, &c.Frozen); err != nil {
			return 0, 0, err
		}
		cells++
	}
	return rows, cells, run.Err()
}

// deployed gives each pipeline three environments of its own, which run an image that it built and have waited for others.
func deployed(b *testing.B, e estate) {
	b.Helper()
	for _, q := range []string{
		`UPDATE pipelines SET stages = '[]'`,
		`INSERT INTO environments (id, tenant_id, account_id, service_id, name, stage, region, blueprint, image, state, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), p.tenant_id, p.account_id, p.service_id, p.name || '-' || g.n, g.stage, 'us-east-1', 'web', 'r@sha256:' || repeat('a', 64), 'ready', p.request_id, p.created_at, p.created_at
			FROM pipelines p, (VALUES (1, 'dev'), (2, 'staging'), (3, 'prod')) g (n, stage) WHERE p.name LIKE 'pipe-%'`,
		`INSERT INTO pipeline_stages (pipeline_id, position, environment_id) SELECT p.id, g, e.id FROM pipelines p, generate_series(1, 3) g JOIN environments e ON true
			WHERE p.name LIKE 'pipe-%' AND e.name = p.name || '-' || g`,
		`UPDATE pipelines p SET stages = (SELECT jsonb_agg(jsonb_build_object('environment', e.name, 'environment_id', e.id, 'stage', e.stage) ORDER BY g.position)
			FROM pipeline_stages g JOIN environments e ON e.id = g.environment_id WHERE g.pipeline_id = p.id) WHERE p.name LIKE 'pipe-%'`,
		`INSERT INTO builds (id, tenant_id, service_id, pipeline_id, execution_id, digest, tag, passed, commit_id, registered_at)
			SELECT gen_random_uuid(), tenant_id, service_id, id, last_execution, 'sha256:' || replace(id::text, '-', '') || replace(id::text, '-', ''), 'v1', true, 'c1', created_at FROM pipelines WHERE name LIKE 'pipe-%'`,
		`UPDATE environments e SET image = 'r@' || b.digest FROM pipeline_stages g JOIN builds b ON b.pipeline_id = g.pipeline_id WHERE g.environment_id = e.id`,
		`INSERT INTO requests (id, kind, object_type, object_id, object_name, tenant_id, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at, ended_at)
			SELECT gen_random_uuid(), 'environment.deploy', 'environment', e.id, e.name, e.tenant_id, 'Deploy', 'succeeded', '{}', r.inputs_by, r.requester_id, e.id::text, e.created_at, e.created_at, e.created_at, e.created_at
			FROM environments e, (SELECT * FROM requests LIMIT 1) r WHERE e.name LIKE 'pipe-%'`,
		`INSERT INTO deployments (id, tenant_id, environment_id, service_id, pipeline_id, build_id, request_id, image, succeeded, began_at, ended_at)
			SELECT gen_random_uuid(), e.tenant_id, e.id, e.service_id, g.pipeline_id, b.id, r.id, e.image, true, e.created_at, e.created_at FROM pipeline_stages g JOIN environments e ON e.id = g.environment_id
			JOIN builds b ON b.pipeline_id = g.pipeline_id JOIN requests r ON r.object_id = e.id AND r.kind = 'environment.deploy'`,
	} {
		exec(b, e.Store, q)
	}
	owner, err := pgx.Connect(b.Context(), e.ownerURL)
	if err != nil {
		b.Fatal(err)
	}
	defer owner.Close(context.Background())
	if _, err := owner.Exec(b.Context(), `ANALYZE`); err != nil { // autovacuum does it in time
		b.Fatal(err)
	}
}

// BenchmarkPipelines reads the first page of 10,000 pipelines with 100,000 executions, three stages each, against the same figures by
// hand-written pgx; and the pages that are searched, narrowed and sorted otherwise.
func BenchmarkPipelines(b *testing.B) {
	e := settled(b, "10.64.0.0/20", func(o *Options) { o.StatementTimeout = 5 * time.Minute })
	s := e.delivered(b)
	manyPipelines(b, e, s, 10_000, 11)
	deployed(b, e)
	admin, _ := signIn(b, e.Store, "someone", "platform-admins")
	conn, err := pgx.Connect(b.Context(), e.pool.Config().ConnString())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	for name, q := range map[string]models.ListQuery{"Page": {}, "ByName": {Sort: "name"}, "ByState": {Sort: "state"}, "Searched": {Search: "shop-7"}, "OfAService": {Filters: map[string]string{"service": "shop"}}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				list, err := e.Pipelines(b.Context(), admin, q)
				if err != nil || len(list.Rows) != 50 || len(list.Rows[0].Cells) == 0 {
					b.Fatal(len(list.Rows), err)
				}
			}
		})
	}
	b.Run("ByHand", func(b *testing.B) {
		for b.Loop() {
			if rows, cells, err := pipelinesByHand(b.Context(), conn, e.clock.Now()); err != nil || rows != 51 || cells != 153 {
				b.Fatal(rows, cells, err)
			}
		}
	})
}
