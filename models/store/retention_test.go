package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/models"
)

// sacred are the tables that no sweep may change: what somebody may have to prove.
var sacred = []string{"audit_seals", "plans", "rule_results", "approvals", "receipts", "blueprint_versions", "steps", "run_resources", "names", "people", "tenants", "accounts", "environments"}

// old fills a store with n runs, each with three old and no young events, and with one old and one young row of everything else that is swept.
func old(t *testing.T, n int) (*Store, cast) {
	t.Helper()
	s, c, _ := world(t, n)
	wall, now := s.clock.Wall(), s.clock.Now()
	for _, age := range []time.Duration{2 * time.Minute, 400 * 24 * time.Hour} {
		w, p := wall.Add(-age), now.Add(-age)
		exec(t, s, `INSERT INTO sessions (id, token_hash, person_id, issuer, subject, csrf_secret, created_at, last_seen_at, expires_at)
			SELECT gen_random_uuid(), convert_to($2, 'UTF8'), id, issuer, subject, '', $1, $1, $1 FROM people WHERE id = $3`, w, age.String(), c.dev.Person.ID)
		exec(t, s, `INSERT INTO sign_ins (state_hash, nonce, verifier, browser_hash, return_to, expires_at) VALUES (convert_to($2, 'UTF8'), '', '', '', '/', $1)`, w, age.String())
		exec(t, s, `INSERT INTO logout_tokens (issuer, jti, until) VALUES ('i', $2, $1)`, w, age.String())
		exec(t, s, `INSERT INTO ci_tokens (id, expires_at) VALUES ($2, $1)`, w, age.String())
		exec(t, s, `WITH e AS (INSERT INTO notification_events (id, kind, subject, at, told_at) SELECT gen_random_uuid(), 'done', 'x', $1, $1 FROM generate_series(1, 2) RETURNING id)
			INSERT INTO notifications (id, event_id, channel, destination, recipient, state, since, next_at, created_at, ended_at)
			SELECT gen_random_uuid(), id, 'email', 'd', 'r', v.state, $1, $1, $1, CASE WHEN v.state = 'sent' THEN $1 END FROM (SELECT id, row_number() OVER () AS n FROM e) e JOIN (VALUES (1, 'sent'), (2, 'pending')) v (n, state) USING (n)`, p)
		exec(t, s, `INSERT INTO saved_forms (id, person_id, issuer, subject, path, fields, saved_at) SELECT gen_random_uuid(), id, issuer, subject, '/', '{}', $1 FROM people WHERE id = $2`, w, c.dev.Person.ID)
		exec(t, s, `INSERT INTO comments (id, request_id, person_id, body, idempotency_key, at) SELECT gen_random_uuid(), id, requester_id, 'x', $2, $1 FROM requests LIMIT 1`, p, age.String())
		exec(t, s, `INSERT INTO journal (id, kind, object_id, next_at, done, created_at) SELECT gen_random_uuid(), 'run', gen_random_uuid(), $1, d, $1 FROM (VALUES (true), (false)) v (d)`, p)
		exec(t, s, `INSERT INTO aws_calls (hour, account, calls) VALUES ($1, '111111111111', 3)`, w)
		exec(t, s, `INSERT INTO processes (owner, role, version, started_at, seen_at) VALUES ($2, 'all', 'v1', $1, $1)`, w, age.String())
		for _, object := range []string{"00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"} {
			exec(t, s, `INSERT INTO drifts (id, object_id, tenant_id, state, started_at, ended_at, by_whom) SELECT gen_random_uuid(), $2, id, 'none', $1, $1, 'x' FROM tenants LIMIT 1`, p, object)
		}
	}
	exec(t, s, `INSERT INTO drifts (id, object_id, tenant_id, state, started_at, ended_at, by_whom) SELECT gen_random_uuid(), gen_random_uuid(), id, 'none', $1, $1, 'x' FROM tenants LIMIT 1`, now.Add(-400*24*time.Hour))
	exec(t, s, `INSERT INTO run_events (run_id, step_id, at, level, text, key) SELECT run_id, id, '2026-01-01', 'info', 'line', 'k' FROM steps`)
	return s, c
}

func exec(t testing.TB, s *Store, query string, args ...any) {
	t.Helper()
	if _, err := s.pool.Exec(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// contents are the rows of tables as text, to compare.
func contents(t *testing.T, s *Store, tables []string) string {
	t.Helper()
	var all strings.Builder
	for _, table := range tables {
		var sum string
		err := s.pool.QueryRow(t.Context(), `SELECT count(*) || ' ' || COALESCE(md5(string_agg(x::text, '' ORDER BY x::text)), '') FROM `+pgx.Identifier{table}.Sanitize()+` x`).Scan(&sum)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %s\n", table, sum)
	}
	return all.String()
}

// TestSweepRemovesWhatIsOldAndNothingElse goes through every kind: the old row goes, the young one stays, what proves something is untouched.
func TestSweepRemovesWhatIsOldAndNothingElse(t *testing.T) {
	t.Parallel()
	s, c := old(t, 8)
	exec(t, s, `UPDATE runs SET state = 'failed' WHERE id = (SELECT min(id::text)::uuid FROM runs)`)
	if err := s.tx(t.Context(), func(w *tx) error { return w.audit(c.dev, "test", about{}, nil, nil) }); err != nil {
		t.Fatal(err)
	}
	exec(t, s, `UPDATE requests SET idempotency_key = 'environment.hibernate:1', requester_id = '00000000-0000-4000-8000-000000000001' WHERE id = (SELECT min(id::text)::uuid FROM requests)`)
	before := contents(t, s, sacred)
	if err := s.Sweep(t.Context(), "here"); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"sessions WHERE expires_at < now() - interval '1 day'": 0, "sessions WHERE expires_at BETWEEN now() - interval '1 day' AND now()": 1,
		"sign_ins": 1, "logout_tokens": 1, "ci_tokens": 1, "notifications": 3, "notification_events": 3, "notifications WHERE state = 'pending'": 2, "saved_forms": 1, "comments WHERE idempotency_key LIKE 'swept:%'": 1, "comments": 2, "requests": 8,
		"requests WHERE idempotency_key LIKE 'swept:%'": 7, "requests WHERE idempotency_key = 'environment.hibernate:1'": 1, // an expiry must not ask twice
		"journal": 3, "journal WHERE done": 1, "aws_calls": 1, "processes": 1, "drifts": 3, "run_events": 3, "runs WHERE events_cleared_at IS NOT NULL": 7,
		"runs": 8, "audit_entries WHERE action = 'retention.sweep'": 1,
	} {
		if n := count(t, s, `SELECT count(*) FROM `+query); n != want {
			t.Errorf("%s: %d rows, want %d", query, n, want)
		}
	}
	if after := contents(t, s, sacred); before != after {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	figures, err := s.WorkFigures(t.Context(), c.auditor)
	if err != nil {
		t.Fatal(err)
	}
	want := map[models.Swept]int64{models.SweptSessions: 1, models.SweptSignIns: 1, models.SweptLogouts: 1, models.SweptCITokens: 1, models.SweptNotices: 2, models.SweptDrafts: 1, models.SweptKeys: 8, models.SweptEvents: 21, models.SweptWork: 1,
		models.SweptDrifts: 2, models.SweptCalls: 1, models.SweptProcesses: 1}
	if sweep := figures.Sweep; !maps.Equal(sweep.Removed, want) || sweep.Ended.IsZero() || !sweep.Due.After(s.clock.Now()) {
		t.Errorf("report %+v, want %v", sweep, want)
	}
	exec(t, s, `INSERT INTO saved_forms (id, person_id, issuer, subject, path, fields, saved_at) SELECT gen_random_uuid(), id, issuer, subject, '/', '{}', '2020-01-01' FROM people WHERE id = $1`, c.dev.Person.ID)
	if err := s.Sweep(t.Context(), "here"); err != nil || count(t, s, `SELECT count(*) FROM saved_forms`) != 2 {
		t.Errorf("swept again before the next night: %v", err)
	}
	exec(t, s, `UPDATE sweeps SET due_at = $1`, s.clock.Now())
	if err := s.Sweep(t.Context(), "here"); err != nil || count(t, s, `SELECT count(*) FROM saved_forms`) != 1 {
		t.Errorf("not swept in the next night: %v", err)
	}
}

// TestSweepGoesOnWhereItWasCutShort: a batch and its count are one transaction, a dead process's lease lapses, a living one's does not.
func TestSweepGoesOnWhereItWasCutShort(t *testing.T) {
	t.Parallel()
	s, _ := old(t, 2)
	exec(t, s, `INSERT INTO journal (id, kind, object_id, next_at, done, created_at) SELECT gen_random_uuid(), 'run', gen_random_uuid(), '2026-01-01', true, '2026-01-01' FROM generate_series(1, $1)`, 2*sweepBatch+7)
	if mine, err := s.takeSweep(t.Context(), "dead"); err != nil || !mine {
		t.Fatal(mine, err)
	}
	if _, err := s.sweepOnce(t.Context(), "dead", models.SweptWork, sweptBy[models.SweptWork].do, s.clock.Now()); err != nil {
		t.Fatal(err)
	}
	left := `SELECT count(*) FROM journal WHERE done`
	if n := count(t, s, left); n != sweepBatch+9 {
		t.Fatalf("%d rows are left of one batch", n)
	}
	if err := s.Sweep(t.Context(), "other"); err != nil || count(t, s, left) != sweepBatch+9 {
		t.Errorf("a second process swept while the first one had the lease: %v", err)
	}
	if _, err := s.sweepOnce(t.Context(), "other", models.SweptWork, sweptBy[models.SweptWork].do, s.clock.Now()); !errors.Is(err, errSwept) || count(t, s, left) != sweepBatch+9 {
		t.Errorf("without the lease: %v", err)
	}
	exec(t, s, `UPDATE sweeps SET lease_until = clock_timestamp() - interval '1 second'`)
	if err := s.Sweep(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, `SELECT (removed ->> 'finished_work')::int FROM sweeps WHERE ended_at IS NOT NULL AND lease_owner IS NULL`); n != 2*sweepBatch+8 || count(t, s, left) != 1 {
		t.Errorf("%d rows counted over both processes, want %d; %d left", n, 2*sweepBatch+8, count(t, s, left))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	exec(t, s, `UPDATE sweeps SET due_at = $1`, s.clock.Now())
	if err := s.Sweep(ended, "late"); err == nil {
		t.Error("a cancelled sweep says nothing")
	}
}

// TestEveryRetentionIsSwept holds the table that people read against the statements that sweep.
func TestEveryRetentionIsSwept(t *testing.T) {
	byQueue := []models.Swept{models.SweptJobs, models.SweptDiscardedJobs}
	var listed []models.Swept
	for _, r := range models.Retentions() {
		listed = append(listed, r.Name)
		if _, ours := sweptBy[r.Name]; ours == slices.Contains(byQueue, r.Name) {
			t.Errorf("%s is swept by us: %v", r.Name, ours)
		}
		if r.Age <= 0 || r.What == "" || r.Since == "" || models.KeptFor(r.Name) != r.Age {
			t.Errorf("%+v says too little", r)
		}
	}
	for name := range sweptBy {
		if !slices.Contains(listed, name) {
			t.Errorf("%s is swept, but nobody can read for how long it is kept", name)
		}
	}
	evening := time.Date(2026, 11, 26, 22, 0, 0, 0, time.UTC)
	for _, after := range []time.Time{evening, evening.Add(4 * time.Hour), evening.Add(5 * time.Hour)} {
		next := models.NextSweep(after)
		if next.Hour() != 3 || !next.After(after) || next.Sub(after) > 24*time.Hour {
			t.Errorf("after %s comes %s", after, next)
		}
	}
}

// TestRunPageSaysThatItsEventsWereSwept reads a run whose log is gone.
func TestRunPageSaysThatItsEventsWereSwept(t *testing.T) {
	t.Parallel()
	s, c := old(t, 1)
	page := func() models.RunPage {
		t.Helper()
		all, err := s.Runs(t.Context(), c.admin, models.ListQuery{})
		if err != nil || len(all.Rows) != 1 {
			t.Fatal(all, err)
		}
		p, err := s.RunPage(t.Context(), c.admin, all.Rows[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := page(); len(p.Events) != 3 || !p.Run.EventsCleared.IsZero() {
		t.Fatalf("before: %d events, cleared %s", len(p.Events), p.Run.EventsCleared)
	}
	if err := s.Sweep(t.Context(), "here"); err != nil {
		t.Fatal(err)
	}
	if p := page(); len(p.Events) != 0 || p.Run.EventsCleared.IsZero() || len(p.Run.Steps) != 3 || p.Run.State != models.Succeeded {
		t.Errorf("after: %d events, cleared %s, %d steps", len(p.Events), p.Run.EventsCleared, len(p.Run.Steps))
	}
}

// TestAuditIsReadByTimeAndByObject: the one table keeps everything for ever, so no look at it may read all of it. What is explained is what the
// store really asked.
func TestAuditIsReadByTimeAndByObject(t *testing.T) {
	t.Parallel()
	h := &heard{}
	s, ownerURL := open(t, func(o *Options) { o.Tracer = h })
	c := players(t, s)
	exec(t, s, `INSERT INTO audit_entries (id, at, actor_id, actor, role, action, object_type, object_id, object_name, tenant_id)
		SELECT gen_random_uuid(), '2026-01-01'::timestamptz + g * interval '1 minute', (g % 50)::text, 'someone', 'system', 'a' || g % 40, 'request', ('00000000-0000-4000-8000-' || lpad((g % 2000)::text, 12, '0')), 'x', (g % 300)::text FROM generate_series(1, 40000) g`)
	owner, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.WithoutCancel(t.Context()))
	if _, err := owner.Exec(t.Context(), `ANALYZE audit_entries`); err != nil {
		t.Fatal(err)
	}
	for what, filters := range map[string]map[string]string{"everything": {}, "time": {"from": "2026-01-03", "to": "2026-01-04"}, "object": {"object": "00000000-0000-4000-8000-000000000077"}, "action": {"action": "a7"}} {
		h.queries = nil
		list, err := s.AuditEntries(t.Context(), c.auditor, models.ListQuery{Filters: filters})
		if err != nil || len(list.Rows) == 0 {
			t.Errorf("by %s: %d rows, %v", what, len(list.Rows), err)
		}
		rows := h.rowsOf("audit_entries")
		if rows == nil {
			t.Fatalf("by %s: nothing asked the table: %+v", what, h.queries)
		}
		plan := explain(t, owner, *rows)
		if strings.Contains(plan, "Seq Scan on audit_entries") || !strings.Contains(plan, "Index") {
			t.Errorf("by %s:\n%s\n%s", what, rows.SQL, plan)
		}
	}
}

// heard keeps what a store asks.
type heard struct{ queries []pgx.TraceQueryStartData }

func (h *heard) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	h.queries = append(h.queries, q)
	return ctx
}

func (h *heard) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// rowsOf is the query that read rows of a table, and did not just count them.
func (h *heard) rowsOf(table string) *pgx.TraceQueryStartData {
	for i, q := range h.queries {
		if strings.Contains(q.SQL, table) && !strings.HasPrefix(q.SQL, "SELECT count(") {
			return &h.queries[i]
		}
	}
	return nil
}

func explain(t *testing.T, conn *pgx.Conn, q pgx.TraceQueryStartData) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `EXPLAIN `+q.SQL, q.Args...)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}
