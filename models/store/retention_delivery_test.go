package store

import (
	"fmt"
	"testing"
	"time"

	"slipway/models"
)

// TestSweepOfDelivery: what is old and of nothing that runs goes; what something stands on, or is young, stays.
func TestSweepOfDelivery(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	s := e.delivered(t)
	running, gone := fmt.Sprintf("sha256:%064d", 1), fmt.Sprintf("sha256:%064d", 2)
	exec(t, e.Store, `UPDATE environments SET image = 'r@' || $2::text WHERE id = $1`, s.env.ID, running)
	ids := map[string]string{}
	for name, days := range map[string]int{"young": 1, "plain": 500, "built": 500, "promoted": 500, "newest": 500} {
		ids[name] = models.NewID()
		at := e.clock.Wall().AddDate(0, 0, -days)
		exec(t, e.Store, `INSERT INTO pipeline_executions (id, pipeline_id, tenant_id, number, external_id, trigger, state, started_at, ended_at, seen_at) VALUES ($1, $2, $3, $4, $5, 'push', 'succeeded', $6, $6, $6)`,
			ids[name], s.pipeline.ObjectID, e.tenant.ID, len(ids), name, at)
	}
	exec(t, e.Store, `UPDATE pipelines SET last_execution = $1`, ids["newest"])
	exec(t, e.Store, `INSERT INTO builds (id, tenant_id, service_id, pipeline_id, execution_id, digest, passed, registered_at) VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, true, $6)`,
		e.tenant.ID, s.service.ObjectID, s.pipeline.ObjectID, ids["built"], gone, e.clock.Wall())
	exec(t, e.Store, `INSERT INTO promotions (id, tenant_id, pipeline_id, environment_id, service_id, execution_id, image, asked_by, asked_by_name, ask_key, state, created_at)
		VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, 'r', 'workflow', 'w', 'k', 'succeeded', $6)`, e.tenant.ID, s.pipeline.ObjectID, s.env.ID, s.service.ObjectID, ids["promoted"], e.clock.Now())
	for _, digest := range []string{running, gone} { // the scans are of other images
		for i, age := range []int{1, 500} {
			at := e.clock.Wall().AddDate(0, 0, -age)
			exec(t, e.Store, `INSERT INTO evidence (id, tenant_id, service_id, pipeline_id, digest, gate, passed, posted_by, posted_at) VALUES (gen_random_uuid(), $1, $2, $3, $4, 'sbom', true, 'ci', $5)`,
				e.tenant.ID, s.service.ObjectID, s.pipeline.ObjectID, digest, at)
			exec(t, e.Store, `INSERT INTO image_scans (service_id, digest, tenant_id, state, read_at) VALUES ($1, $2, $3, 'complete', $4)`, s.service.ObjectID, digest[len("sha256:"):]+fmt.Sprint(i), e.tenant.ID, at)
		}
	}
	exec(t, e.Store, `INSERT INTO image_scans (service_id, digest, tenant_id, state, read_at) VALUES ($1, $2, $3, 'complete', '2020-01-01')`, s.service.ObjectID, running, e.tenant.ID)
	for _, done := range []any{nil, e.clock.Now().Add(-time.Hour), e.clock.Now().AddDate(0, 0, -100)} {
		exec(t, e.Store, `INSERT INTO pipeline_orders (id, pipeline_id, tenant_id, verb, execution_id, person_id, asked_at, done_at) VALUES (gen_random_uuid(), $1, $2, 'stop', $3, $4, '2020-01-01', $5)`,
			s.pipeline.ObjectID, e.tenant.ID, ids["young"], e.developer.Person.ID, done)
	}
	if err := e.Sweep(t.Context(), "here"); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"pipeline_executions": 4, "pipeline_executions WHERE external_id = 'plain'": 0, "builds": 1, "promotions": 1,
		"evidence": 3, "evidence WHERE digest = '" + running + "'": 2, "image_scans": 3, "image_scans WHERE digest = '" + running + "'": 1,
		"pipeline_orders": 2, "pipeline_orders WHERE done_at IS NULL": 1,
	} {
		if n := count(t, e.Store, `SELECT count(*) FROM `+query); n != want {
			t.Errorf("%s: %d rows, want %d", query, n, want)
		}
	}
}
