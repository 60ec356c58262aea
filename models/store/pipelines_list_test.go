package store

import (
	"slices"
	"strings"
	"testing"

	"slipway/models"
)

// manyPipelines fills an estate with n pipelines that deliver to the same environment in every condition; some have run, each as often.
func manyPipelines(t testing.TB, e estate, s shop, n, executions int) {
	t.Helper()
	exec(t, e.Store, `INSERT INTO pipelines (id, tenant_id, account_id, class, service_id, name, kind, source, repository, stages, state, request_id, created_at, updated_at)
		SELECT gen_random_uuid(), v.tenant_id, v.account_id, v.class, v.id, 'pipe-' || g, CASE WHEN g % 4 = 0 THEN 'github-actions' ELSE 'codepipeline' END, jsonb_build_object('branch', 'main'),
			'acme/shop-' || g % 10, (SELECT jsonb_agg(jsonb_build_object('environment', e.name, 'environment_id', e.id, 'stage', e.stage)) FROM environments e WHERE e.service_id = v.id),
			CASE WHEN g % 7 = 0 THEN 'broken' ELSE 'ready' END, v.request_id, v.created_at, v.created_at + g * interval '1 second'
		FROM generate_series(1, $1) g, services v WHERE v.id = $2`, n, s.service.ObjectID)
	exec(t, e.Store, `INSERT INTO pipeline_executions (id, pipeline_id, tenant_id, number, external_id, trigger, state, commit_id, commit_message, started_at, seen_at)
		SELECT gen_random_uuid(), p.id, p.tenant_id, g, 'x-' || g, 'push', 'succeeded', 'c' || g, 'Message ' || g, p.created_at + g * interval '1 minute', p.created_at
		FROM pipelines p, generate_series(1, $1) g WHERE p.name LIKE 'pipe-%' AND p.name NOT LIKE '%3'`, executions)
	exec(t, e.Store, `UPDATE pipelines p SET last_execution = x.id, last_state = x.state, last_at = x.started_at FROM pipeline_executions x WHERE x.pipeline_id = p.id AND x.number = $1`, executions)
}

func TestPipelinesList(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	s := e.delivered(t)
	manyPipelines(t, e, s, 40, 2)
	read := over(e.Pipelines, func(r models.PipelineRow) string { return r.ID })
	for _, sort := range keysOf(pipelinesList.sorts) {
		whole, _, _, total, err := read(ctx, e.viewer, models.ListQuery{Sort: sort, Limit: 200})
		if err != nil || total != 41 || len(whole) != 41 {
			t.Fatalf("by %q: %d of %d rows, %v", sort, len(whole), total, err)
		}
		var forth []string
		for q := (models.ListQuery{Sort: sort, Limit: 7}); ; {
			ids, _, next, _, err := read(ctx, e.viewer, q)
			if err != nil {
				t.Fatalf("by %q: %v", sort, err)
			}
			if forth = append(forth, ids...); next == "" {
				break
			}
			q.After = next
		}
		if !slices.Equal(forth, whole) {
			t.Errorf("by %q: pages meet %d rows in another order or number than %d", sort, len(forth), len(whole))
		}
	}
	for name, tc := range map[string]struct {
		q    models.ListQuery
		want int
	}{
		"search":          {models.ListQuery{Search: "pipe-4"}, 2},
		"repository":      {models.ListQuery{Search: "acme/shop-4"}, 4},
		"tenant":          {models.ListQuery{Filters: map[string]string{"tenant": "payments"}}, 41},
		"another tenant":  {models.ListQuery{Filters: map[string]string{"tenant": "others"}}, 0},
		"kind":            {models.ListQuery{Filters: map[string]string{"kind": "github-actions"}}, 10},
		"state":           {models.ListQuery{Filters: map[string]string{"state": "broken"}}, 5},
		"service":         {models.ListQuery{Filters: map[string]string{"service": "shop"}}, 41},
		"another service": {models.ListQuery{Filters: map[string]string{"service": "other"}}, 0},
	} {
		if list, err := e.Pipelines(ctx, e.viewer, tc.q); err != nil || list.Total != tc.want {
			t.Errorf("%s: %d, want %d: %v", name, list.Total, tc.want, err)
		}
	}
	for _, q := range []models.ListQuery{{Filters: map[string]string{"kind": "jenkins"}}, {Filters: map[string]string{"colour": "red"}}, {Sort: "colour"}} {
		if _, err := e.Pipelines(ctx, e.viewer, q); models.KindOf(err) != models.Invalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
	list, err := e.Pipelines(ctx, e.viewer, models.ListQuery{Search: "pipe-40"})
	if err != nil || len(list.Rows) != 1 {
		t.Fatal(err)
	}
	r := list.Rows[0]
	if r.LastNumber != 2 || r.LastState != models.ExecutionSucceeded || r.LastCommit != "c2" || r.LastMessage != "Message 2" || r.Branch != "main" || r.Repository != "acme/shop-0" || r.ServiceName != "shop" ||
		r.TenantSlug != "payments" || len(r.Cells) != 1 || r.Cells[0].Environment != "shop-dev" || r.Cells[0].State != models.Ready {
		t.Errorf("row %+v", r)
	}
	n := 0
	err = e.EachPipeline(ctx, e.viewer, models.ListQuery{Sort: "name"}, func(r models.PipelineRow) error {
		if n++; len(r.Cells) != 1 {
			t.Errorf("%s is exported with %d stages", r.Name, len(r.Cells))
		}
		return nil
	})
	if err != nil || n != 41 || count(t, e.Store, `SELECT count(*) FROM audit_entries WHERE action = 'export.pipelines'`) != 1 {
		t.Errorf("%d rows are exported: %v", n, err)
	}
	if list, err := e.Pipelines(ctx, e.outsider, models.ListQuery{}); err != nil || list.Total != 0 || len(list.Rows) != 0 {
		t.Errorf("an outsider lists %d: %v", list.Total, err)
	}
}

// TestPipelinePagesAskLittle counts what lists and pages ask of the database, however many rows there are.
func TestPipelinePagesAskLittle(t *testing.T) {
	t.Parallel()
	seen := map[string]int64{}
	for _, n := range []int{1, 150} {
		q := &queries{}
		e := settled(t, "10.64.0.0/20", func(o *Options) { o.Tracer = q })
		manyPipelines(t, e, e.delivered(t), n, 3)
		for name, page := range map[string]func() error{
			"list":       func() error { _, err := e.Pipelines(t.Context(), e.viewer, models.ListQuery{}); return err },
			"pipeline":   func() error { _, err := e.PipelinePage(t.Context(), e.viewer, "payments", "shop"); return err },
			"connection": func() error { _, err := e.ConnectionPage(t.Context(), e.viewer, "payments", "github"); return err },
			"choices":    func() error { _, err := e.PipelineChoices(t.Context(), e.developer, "payments"); return err },
		} {
			q.n.Store(0)
			if err := page(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got, most := q.n.Load(), map[string]int64{"list": 3, "pipeline": 6, "connection": 7, "choices": 9}[name]
			if before, ok := seen[name]; got > most || ok && before != got {
				t.Errorf("%s with %d rows: %d queries, at most %d, %d with fewer rows", name, n, got, most, before)
			}
			seen[name] = got
		}
	}
	t.Log(seen)
}

func TestConnectionPage(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	e.delivered(t)
	p, err := e.ConnectionPage(ctx, e.viewer, "payments", "github")
	if err != nil || len(p.Pipelines) != 1 || p.Pipelines[0].Name != "shop" || len(p.Requests) != 1 || len(p.Runs) != 1 || p.Tenant.Slug != "payments" {
		t.Errorf("page %+v: %v", p, err)
	}
	if _, err := e.ConnectionPage(ctx, e.outsider, "payments", "github"); models.KindOf(err) != models.NotFound {
		t.Errorf("an outsider sees it: %v", err)
	}
	gone, err := e.ChangePipeline(ctx, e.developer, "payments", "shop", models.DeletePipeline, "d", models.PipelineInputs{Confirm: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	e.lead(t, gone.ID, models.Succeeded)
	if _, err = e.ChangeConnection(ctx, e.developer, "payments", "github", models.DeleteConnection, "c", models.ConnectionInputs{Confirm: "gitub"}); models.Fields(err)["confirm"] == "" {
		t.Errorf("deleted without its name typed: %v", err)
	}
	if gone, err = e.ChangeConnection(ctx, e.developer, "payments", "github", models.DeleteConnection, "c", models.ConnectionInputs{Confirm: "github"}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(gone.Inputs), "account_id") {
		t.Errorf("its end asks for %s", gone.Inputs)
	}
	e.lead(t, gone.ID, models.Succeeded)
	if p, err = e.ConnectionPage(ctx, e.viewer, "payments", "github"); err != nil || p.Connection.State != models.Deleted || p.Pipelines != nil {
		t.Errorf("page of the deleted one %+v: %v", p.Connection, err)
	}
	r, err := e.RequestConnection(ctx, e.developer, "payments", "again", models.ConnectionInputs{Name: "github", Provider: models.Bitbucket})
	if e.grown(t, r, err); r.Title != "Create connection github" {
		t.Errorf("asked for as %q", r.Title)
	}
}
