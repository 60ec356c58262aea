package store

import (
	"slices"
	"sync"
	"testing"
	"time"

	"slipway/models"
)

// TestWorkFiguresAreTrue makes a queue, processes, calls and runs by hand and reads them back.
func TestWorkFiguresAreTrue(t *testing.T) {
	t.Parallel()
	q := &queries{}
	s, c, member := world(t, 12, func(o *Options) { o.Tracer = q })
	for _, row := range []struct {
		kind        models.JournalKind
		next, lease string // from now; "" is none
		done        bool
	}{
		{models.RunWork, "-90 seconds", "", false}, {models.RunWork, "-10 seconds", "", false}, {models.RunWork, "1 hour", "", false}, {models.RunWork, "-1 hour", "1 hour", false},
		{models.RunWork, "-5 hours", "", true}, {models.PlanWork, "-300 seconds", "-1 second", false}, {models.DriftWork, "1 hour", "", false},
	} {
		exec(t, s, `INSERT INTO journal (id, kind, object_id, next_at, lease_owner, lease_until, done, created_at) VALUES (gen_random_uuid(), $1, gen_random_uuid(),
			clock_timestamp() + $2::interval, CASE WHEN $3 <> '' THEN 'w' END, CASE WHEN $3 <> '' THEN clock_timestamp() + NULLIF($3, '')::interval END, $4, now())`, row.kind, row.next, row.lease, row.done)
	}
	wall := s.clock.Wall()
	for _, owner := range []string{"host/1/a", "host/2/b"} {
		if err := s.SeenProcess(t.Context(), models.Process{Owner: owner, Role: "all", Version: "v1.2.0", Started: wall}); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, s, `INSERT INTO processes (owner, role, version, started_at, seen_at) VALUES ('long-ago', 'web', 'v1', $1, $1)`, wall.Add(-2*time.Hour))
	if err := s.GoneProcess(t.Context(), "host/2/b"); err != nil {
		t.Fatal(err)
	}
	exec(t, s, `UPDATE accounts SET aws_id = '209355718840' WHERE id = (SELECT a.id FROM accounts a JOIN tenants t ON t.id = a.tenant_id WHERE t.slug = 'payments' AND a.class = 'prod')`)
	exec(t, s, `INSERT INTO aws_calls (hour, account, calls, throttles) VALUES ($1, '209355718840', 1000, 500)`, wall.Add(-25*time.Hour))
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			err := s.CountCalls(t.Context(), []models.AccountCalls{{Account: "209355718840", Calls: 7, Throttles: 2}, {Account: "111111111111", Calls: 30}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	now := s.clock.Now()
	exec(t, s, `UPDATE runs SET started_at = $1::timestamptz + x.n * interval '1 minute', ended_at = $1::timestamptz + x.n * interval '1 minute' + x.n * interval '10 seconds',
		state = CASE x.n WHEN 1 THEN 'failed' WHEN 2 THEN 'abandoned' WHEN 3 THEN 'running' ELSE 'succeeded' END, attempt = CASE x.n WHEN 12 THEN 2 ELSE 1 END
		FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM runs) x WHERE x.id = runs.id`, now.Add(-time.Hour))
	exec(t, s, `UPDATE runs SET started_at = '2020-01-01' WHERE id = (SELECT id FROM runs ORDER BY id OFFSET 3 LIMIT 1)`)

	for _, who := range []models.Actor{c.dev, member, c.outsider} {
		if _, err := s.WorkFigures(t.Context(), who); models.KindOf(err) != models.Forbidden {
			t.Errorf("%s reads the figures: %v", who.Name(), err)
		}
	}
	q.n.Store(0)
	f, err := s.WorkFigures(t.Context(), c.auditor)
	if err != nil {
		t.Fatal(err)
	}
	if n := q.n.Load(); n > 5 {
		t.Errorf("%d queries, want at most 5", n)
	}
	if len(f.Queue) != 3 {
		t.Fatalf("queue %+v", f.Queue)
	}
	if r := f.Queue[2]; r.Kind != models.RunWork || r.Due != 2 || r.Leased != 1 || r.Lapsed != 0 || r.Waiting != 1 || r.Oldest < 90*time.Second || r.Oldest > 10*time.Minute {
		t.Errorf("runs in the queue: %+v", r)
	}
	if p := f.Queue[1]; p.Kind != models.PlanWork || p.Lapsed != 1 || p.Due != 0 || p.Oldest < 5*time.Minute {
		t.Errorf("plans in the queue: %+v", p)
	}
	if d := f.Queue[0]; d.Waiting != 1 || d.Oldest != 0 {
		t.Errorf("drift checks in the queue: %+v", d)
	}
	if len(f.Processes) != 1 || f.Processes[0].Owner != "host/1/a" || f.Processes[0].Gone(wall) || !f.Processes[0].Gone(wall.Add(time.Minute)) {
		t.Errorf("processes %+v", f.Processes)
	}
	want := []models.AccountCalls{{Account: "209355718840", Tenant: "payments", Name: "payments-prod", Calls: 70, Throttles: 20}, {Account: "111111111111", Calls: 300}}
	if !slices.Equal(f.Accounts, want) {
		t.Errorf("calls %+v, want %+v", f.Accounts, want)
	}
	// Of twelve: one runs, one is too old, two failed; of the eight others the last took two attempts. Seven first attempts took 50 to 110 s.
	if len(f.Runs) != 1 || f.Runs[0].Succeeded != 8 || f.Runs[0].Failed != 2 || f.Runs[0].Rate() != 0.8 || f.Runs[0].Median != 80_000 || f.Runs[0].P95 != 107_000 {
		t.Errorf("runs %+v", f.Runs)
	}
}
