package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"slipway/models"
)

// seed fills a database with n tenants, each with two accounts, a request with a plan, a run of three steps, and an audit
// entry; the first is called payments. Everything is asked for by the requester.
func seed(t testing.TB, s *Store, requester models.Actor, n int) {
	t.Helper()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := s.pool.Exec(t.Context(), query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	exec(`CREATE TEMP TABLE world AS SELECT g, gen_random_uuid() AS tenant, gen_random_uuid() AS request, gen_random_uuid() AS plan, gen_random_uuid() AS run,
		CASE g WHEN 1 THEN 'payments' ELSE 't' || lpad(g::text, 6, '0') END AS slug, '2026-01-01'::timestamptz + g / 3 * interval '1 minute' AS at FROM generate_series(1, $1::int) g`, n)
	exec(`INSERT INTO requests (id, kind, object_type, object_id, object_name, title, state, inputs, inputs_by, requester_id, idempotency_key, plan_hash, state_since, created_at, submitted_at)
		SELECT request, 'tenant.create', 'tenant', tenant, slug, 'Create tenant ' || slug, (ARRAY['succeeded', 'running', 'awaiting_approval', 'failed'])[1 + g % 4],
		jsonb_build_object('owner_group', slug || '-owners'), ARRAY[$1::uuid], $1::uuid, slug, lpad(to_hex(g), 64, '0'), at, at, at FROM world`, requester.Person.ID)
	exec(`INSERT INTO tenants (id, slug, display_name, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id, estimate, created_at, updated_at)
		SELECT tenant, slug, 'Team ' || (g % 7), slug || '-owners', slug || '-developers', slug || '-viewers', 'CC-' || (g % 5), 100 + g % 11, 'ready', request,
		CASE WHEN g % 3 > 0 THEN g % 13 END, at, at FROM world`)
	exec(`INSERT INTO accounts (id, tenant_id, class, name, email, state, aws_state, created_at)
		SELECT gen_random_uuid(), tenant, c, slug || '-' || c, slug || c || '@example.com', 'ready', CASE c WHEN 'prod' THEN 'ACTIVE' ELSE '' END, at FROM world, unnest(ARRAY['nonprod', 'prod']) c`)
	exec(`INSERT INTO plans (id, request_id, number, hash, content, canonical, notes, monthly_now, monthly_planned, tally, computed_at)
		SELECT plan, request, 1, lpad(to_hex(g), 64, '0'), '{}', '', '{"demands": [{"role": "platform-admin", "count": 1}]}', 0, g % 17, '{"add": 3}', now() FROM world`)
	exec(`INSERT INTO runs (id, request_id, plan_id, state, started_by, started_at, ended_at) SELECT run, request, plan, 'succeeded', $1, at, at + interval '5 minutes' FROM world`, requester.Person.ID)
	exec(`INSERT INTO steps (id, run_id, position, name, title, state) SELECT gen_random_uuid(), run, p, 'step' || p, 'Step ' || p, CASE p WHEN 1 THEN 'done' ELSE 'pending' END FROM world, generate_series(1, 3) p`)
	exec(`UPDATE requests r SET plan_id = w.plan, run_id = w.run, tenant_id = w.tenant FROM world w WHERE w.request = r.id`)
	exec(`INSERT INTO audit_entries (id, at, actor, role, action, object_type, object_id, object_name, tenant_id)
		SELECT gen_random_uuid(), at, 'engine', 'system', 'tenant.ready', 'tenant', tenant::text, slug, tenant::text FROM world`)
	exec(`DROP TABLE world`)
}

// world is a store with one connection for its seed, and who looks at it.
func world(t testing.TB, n int, change ...func(*Options)) (*Store, cast, models.Actor) {
	t.Helper()
	s, _ := open(t, append(change, func(o *Options) { o.Connections = 1 })...)
	c := players(t, s)
	seed(t, s, c.dev, n)
	member, _ := signIn(t, s, "member", "payments-owners")
	return s, c, member
}

// look reads one kind of list as ids in order.
type look func(context.Context, models.Actor, models.ListQuery) (ids []string, prev, next string, total int, err error)

func looks(s *Store) map[string]look {
	return map[string]look{
		"tenants":  over(s.Tenants, func(r models.TenantRow) string { return r.ID }),
		"requests": over(s.Requests, func(r models.RequestRow) string { return r.ID }),
		"queue":    over(s.Queue, func(r models.RequestRow) string { return r.ID }),
		"runs":     over(s.Runs, func(r models.RunRow) string { return r.ID }),
		"audit":    over(s.AuditEntries, func(r models.AuditEntry) string { return r.ID }),
	}
}

func over[R any](read func(context.Context, models.Actor, models.ListQuery) (models.List[R], error), id func(R) string) look {
	return func(ctx context.Context, a models.Actor, q models.ListQuery) (ids []string, prev, next string, total int, err error) {
		l, err := read(ctx, a, q)
		for _, r := range l.Rows {
			ids = append(ids, id(r))
		}
		return ids, l.Prev, l.Next, l.Total, err
	}
}

func sortsOf() map[string][]string {
	return map[string][]string{"tenants": keysOf(tenantsList.sorts), "requests": keysOf(requestsList.sorts), "queue": keysOf(queueList.sorts),
		"runs": keysOf(runsList.sorts), "audit": keysOf(auditList.sorts)}
}

func keysOf(sorts map[string]column) (keys []string) {
	for k := range sorts {
		keys = append(keys, k, "-"+k)
	}
	return append(keys, "")
}

// TestEverySortPagesThereAndBack walks each list in each order, forwards and backwards, and meets each row once.
func TestEverySortPagesThereAndBack(t *testing.T) {
	t.Parallel()
	s, c, _ := world(t, 40)
	for name, read := range looks(s) {
		for _, sort := range sortsOf()[name] {
			q := models.ListQuery{Sort: sort, Limit: 7}
			whole, _, _, total, err := read(t.Context(), c.admin, models.ListQuery{Sort: sort, Limit: 200})
			if err != nil || len(whole) != total || total < 10 {
				t.Fatalf("%s by %q: %d of %d rows, %v", name, sort, len(whole), total, err)
			}
			var forth []string
			var last string
			for {
				ids, prev, next, _, err := read(t.Context(), c.admin, q)
				if err != nil {
					t.Fatalf("%s by %q: %v", name, sort, err)
				}
				forth, last = append(forth, ids...), prev
				if next == "" {
					break
				}
				q.After = next
			}
			if !slices.Equal(forth, whole) {
				t.Errorf("%s by %q: forwards meets %d rows in another order or number than %d", name, sort, len(forth), len(whole))
			}
			back := slices.Clone(forth[len(forth)-(len(forth)-1)%7-1:])
			for q.After = ""; last != ""; {
				q.Before = last
				ids, prev, _, _, err := read(t.Context(), c.admin, q)
				if err != nil {
					t.Fatalf("%s by %q back: %v", name, sort, err)
				}
				back, last = append(ids, back...), prev
			}
			if !slices.Equal(back, whole) {
				t.Errorf("%s by %q: backwards meets %d rows in another order or number than %d", name, sort, len(back), len(whole))
			}
		}
	}
}

func TestBadListQueriesAreInvalid(t *testing.T) {
	t.Parallel()
	s, c, _ := world(t, 3)
	good := cursor{"slug", "payments", models.NewID()}
	wrong := []models.ListQuery{
		{Sort: "password"}, {Sort: "slug; DROP TABLE people"}, {Sort: "--slug"}, {After: "%%%"}, {After: "e30"}, {Before: "bm9wZQ"}, {After: strings.Repeat("A", 3000)},
		{After: cursor{"-slug", "x", models.NewID()}.String()}, {After: cursor{"slug", "x", "no id"}.String()}, {Sort: "budget", After: cursor{"budget", "a lot", models.NewID()}.String()},
		{Sort: "created", After: cursor{"created", "yesterday", models.NewID()}.String()}, {After: cursor{"slug", "\x00", models.NewID()}.String()},
		{After: good.String(), Before: good.String()}, {Filters: map[string]string{"colour": "red"}}, {Filters: map[string]string{"state": "happy"}},
		{Search: strings.Repeat("a", maxSearch+1)}, {Search: "a\x00b"}, {Filters: map[string]string{"cost_centre": "\x00"}},
	}
	for _, q := range wrong {
		if _, err := s.Tenants(t.Context(), c.admin, q); err == nil || models.KindOf(err) != models.Invalid {
			t.Errorf("%+v: got %v, want invalid", q, err)
		}
	}
	if _, err := s.Tenants(t.Context(), c.admin, models.ListQuery{After: good.String(), Filters: map[string]string{"state": ""}}); err != nil {
		t.Errorf("a good cursor and an empty filter: %v", err)
	}
	for _, q := range []models.ListQuery{{Filters: map[string]string{"from": "31.12."}}, {Sort: "actor"}} {
		if _, err := s.AuditEntries(t.Context(), c.admin, q); models.KindOf(err) != models.Invalid {
			t.Errorf("audit %+v: got %v, want invalid", q, err)
		}
	}
}

func TestSearchAndFilters(t *testing.T) {
	t.Parallel()
	s, c, _ := world(t, 40)
	totals := looks(s)
	for _, tc := range []struct {
		list string
		q    models.ListQuery
		want int
	}{
		{"tenants", models.ListQuery{Search: "AYMENT"}, 1}, {"tenants", models.ListQuery{Search: "%"}, 0}, {"tenants", models.ListQuery{Search: "_ayments"}, 0},
		{"tenants", models.ListQuery{Search: `\`}, 0}, {"tenants", models.ListQuery{Filters: map[string]string{"state": "ready"}}, 40},
		{"tenants", models.ListQuery{Filters: map[string]string{"cost_centre": "CC-1"}}, 8}, {"requests", models.ListQuery{Search: "REQ-1001"}, 1},
		{"requests", models.ListQuery{Filters: map[string]string{"state": "failed"}}, 10},
		{"requests", models.ListQuery{Filters: map[string]string{"state": "failing"}}, 10}, {"requests", models.ListQuery{Filters: map[string]string{"tenant": "payments"}}, 1},
		{"requests", models.ListQuery{Filters: map[string]string{"mine": "yes"}}, 0}, {"requests", models.ListQuery{Filters: map[string]string{"decide": "yes"}}, 10},
		{"queue", models.ListQuery{}, 10}, {"queue", models.ListQuery{Filters: map[string]string{"mine": "yes", "age": "7d"}}, 10},
		{"runs", models.ListQuery{Filters: map[string]string{"live": "yes"}}, 10}, {"runs", models.ListQuery{Search: "payments"}, 1},
		{"audit", models.ListQuery{Filters: map[string]string{"action": "tenant", "actor": "engine"}}, 40}, {"audit", models.ListQuery{Filters: map[string]string{"tenant": "payments"}}, 1},
		{"audit", models.ListQuery{Filters: map[string]string{"from": "2026-01-01", "to": "2026-01-01"}}, 40}, {"audit", models.ListQuery{Filters: map[string]string{"to": "2025-12-31"}}, 0},
		{"audit", models.ListQuery{Filters: map[string]string{"object": "payments", "action": "tenant.ready"}}, 1},
	} {
		_, _, _, total, err := totals[tc.list](t.Context(), c.admin, tc.q)
		if err != nil || total != tc.want {
			t.Errorf("%s %+v: %d rows, %v; want %d", tc.list, tc.q, total, err, tc.want)
		}
	}
}

// TestNobodySeesWhatIsNotTheirs reads every list and page as each kind of person.
func TestNobodySeesWhatIsNotTheirs(t *testing.T) {
	t.Parallel()
	s, c, member := world(t, 8)
	for who, tc := range map[string]struct {
		a    models.Actor
		want map[string]int
	}{
		"outsider": {c.outsider, map[string]int{"tenants": 0, "requests": 0, "queue": 0, "runs": 0}},
		"member":   {member, map[string]int{"tenants": 1, "requests": 1, "queue": 0, "runs": 1}},
		"asked":    {c.dev, map[string]int{"tenants": 0, "requests": 8, "queue": 2, "runs": 8}},
		"auditor":  {c.auditor, map[string]int{"tenants": 8, "requests": 8, "queue": 2, "runs": 8}},
		"nobody":   {models.Actor{}, map[string]int{"tenants": 0, "requests": 0, "queue": 0, "runs": 0, "audit": 0}},
	} {
		for list, want := range tc.want {
			ids, _, _, total, err := looks(s)[list](t.Context(), tc.a, models.ListQuery{})
			if err != nil || total != want || len(ids) != want {
				t.Errorf("%s sees %d (counted %d) of %s, %v; want %d", who, len(ids), total, list, err, want)
			}
		}
	}
	entries, err := s.AuditEntries(t.Context(), c.outsider, models.ListQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries.Rows {
		if e.ActorID != c.outsider.Person.ID {
			t.Errorf("the outsider reads of %s %s", e.Action, e.ObjectName)
		}
	}
	all, err := s.Requests(t.Context(), c.admin, models.ListQuery{Search: "payments"})
	if err != nil || len(all.Rows) != 1 {
		t.Fatal(len(all.Rows), err)
	}
	theirs := all.Rows[0]
	before := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'access.denied'`)
	for what, read := range map[string]func() error{
		"tenant":  func() error { _, err := s.TenantPage(t.Context(), c.outsider, "payments"); return err },
		"request": func() error { _, err := s.RequestPage(t.Context(), c.outsider, theirs.ID); return err },
		"run":     func() error { _, err := s.RunPage(t.Context(), c.outsider, theirs.RunID); return err },
	} {
		if err := read(); models.KindOf(err) != models.NotFound {
			t.Errorf("the outsider's look at the %s: %v, want not found", what, err)
		}
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'access.denied'`) - before; n != 3 {
		t.Errorf("%d denials audited, want 3", n)
	}
	for _, id := range []string{"", "1", "' OR 1=1", models.NewID()} {
		if _, err := s.RequestPage(t.Context(), c.admin, id); models.KindOf(err) != models.NotFound {
			t.Errorf("request %q: %v", id, err)
		}
	}
}

func TestExportsAreWholeScopedAndAudited(t *testing.T) {
	t.Parallel()
	s, c, member := world(t, batch+3)
	exported := func(a models.Actor, q models.ListQuery) (slugs []string) {
		t.Helper()
		err := s.EachTenant(t.Context(), a, q, func(r models.TenantRow) error {
			slugs = append(slugs, r.Slug)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return slugs
	}
	if got := exported(c.auditor, models.ListQuery{Sort: "slug"}); len(got) != batch+3 || !slices.IsSorted(got) || len(slices.Compact(got)) != batch+3 {
		t.Errorf("%d rows, want each of %d once, in order", len(got), batch+3)
	}
	if got := exported(member, models.ListQuery{}); !slices.Equal(got, []string{"payments"}) {
		t.Errorf("a member exports %v", got)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'export.tenants'`); n != 2 {
		t.Errorf("%d exports audited, want 2", n)
	}
	stop := errors.New("the reader left")
	if err := s.EachRun(t.Context(), c.auditor, models.ListQuery{}, func(models.RunRow) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if err := s.EachRequest(t.Context(), c.auditor, models.ListQuery{Sort: "nope"}, func(models.RequestRow) error { return nil }); models.KindOf(err) != models.Invalid {
		t.Errorf("got %v", err)
	}
	for name, each := range map[string]func(func()) error{
		"approvals": func(f func()) error {
			return s.EachWaiting(t.Context(), c.auditor, models.ListQuery{}, func(models.RequestRow) error { f(); return nil })
		},
		"audit": func(f func()) error {
			return s.EachAuditEntry(t.Context(), c.auditor, models.ListQuery{}, func(models.AuditEntry) error { f(); return nil })
		},
	} {
		n := 0
		if err := each(func() { n++ }); err != nil || n < batch/4 {
			t.Errorf("%s: %d rows, %v", name, n, err)
		}
		if got := count(t, s, fmt.Sprintf(`SELECT count(*) FROM audit_entries WHERE action = 'export.%s'`, name)); got != 1 {
			t.Errorf("%s: audited %d times", name, got)
		}
	}
}
