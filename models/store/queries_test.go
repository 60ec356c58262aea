package store

import (
	"fmt"
	"testing"

	"slipway/models"
)

// TestQueriesAreConstantInTheRowCount counts what each page asks of the database, with the session and the navigation's
// counts that every page needs: lists at most 4, object pages and home at most 10, however many rows there are.
func TestQueriesAreConstantInTheRowCount(t *testing.T) {
	t.Parallel()
	seen := map[string]int64{}
	for _, n := range []int{1, 50, 500} {
		q := &queries{}
		s, c, _ := world(t, n, func(o *Options) { o.Tracer = q })
		_, hash := signIn(t, s, "someone", "platform-admins")
		all, err := s.Requests(t.Context(), c.admin, models.ListQuery{Search: "payments"})
		if err != nil || len(all.Rows) != 1 {
			t.Fatal(len(all.Rows), err)
		}
		payments := all.Rows[0]
		pages := map[string]func(models.Actor) error{
			"tenant":  func(a models.Actor) error { _, err := s.TenantPage(t.Context(), a, "payments"); return err },
			"request": func(a models.Actor) error { _, err := s.RequestPage(t.Context(), a, payments.ID); return err },
			"run":     func(a models.Actor) error { _, err := s.RunPage(t.Context(), a, payments.RunID); return err },
			"home":    func(a models.Actor) error { _, err := s.Home(t.Context(), a); return err },
		}
		most := map[string]int64{"tenant": 11, "request": 10, "run": 10, "home": 10}
		for name, read := range looks(s) {
			most["list of "+name] = 4
			pages["list of "+name] = func(a models.Actor) error {
				_, _, _, _, err := read(t.Context(), a, models.ListQuery{})
				return err
			}
		}
		for name, page := range pages {
			q.n.Store(0)
			_, who, err := s.Session(t.Context(), visitor, hash)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.NavCounts(t.Context(), who); err != nil {
				t.Fatal(err)
			}
			if err := page(who); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got := q.n.Load()
			if got > most[name] {
				t.Errorf("%s with %d rows: %d queries, at most %d", name, n, got, most[name])
			}
			if before, ok := seen[name]; ok && before != got {
				t.Errorf("%s: %d queries with %d rows, %d with fewer", name, got, n, before)
			}
			seen[name] = got
		}
	}
	t.Log(fmt.Sprint(seen))
}

func TestTenantPageIsTrue(t *testing.T) {
	t.Parallel()
	s, c, member := world(t, 5)
	for _, who := range []models.Actor{c.admin, c.auditor, member} {
		p, err := s.TenantPage(t.Context(), who, "payments")
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Tenant.Accounts) != 2 || p.Tenant.Accounts[0].Class != models.NonProd || p.Tenant.Accounts[1].AWSState != "ACTIVE" {
			t.Errorf("accounts %+v", p.Tenant.Accounts)
		}
		if len(p.Groups) != 3 || p.Groups[0].Total != 1 || p.Groups[0].People[0].Name != "member" || p.Groups[1].People[0].Name != "dev" || p.Groups[2].Total != 0 {
			t.Errorf("members %+v", p.Groups)
		}
		if p.Plan == nil || len(p.Requests) != 1 || len(p.Runs) != 1 || p.Runs[0].StepsAll != 3 || p.Runs[0].StepsEnded != 1 || p.Runs[0].Current != "Step 2" || p.Runs[0].CurrentAt != 2 {
			t.Errorf("plan %v, requests %+v, runs %+v", p.Plan != nil, p.Requests, p.Runs)
		}
		if len(p.Entries) != 1 || p.Entries[0].Action != "tenant.ready" {
			t.Errorf("entries %+v", p.Entries)
		}
		if p.Requests[0].Needed != 1 || p.Requests[0].Tally[models.Add] != 3 || p.Requests[0].TenantSlug != "payments" {
			t.Errorf("request %+v", p.Requests[0])
		}
	}
}

func TestHomeIsWorstFirst(t *testing.T) {
	t.Parallel()
	s, c, member := world(t, 40)
	p, err := s.Home(t.Context(), c.admin)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Waiting) != homeRows || p.WaitingAll != 10 || !p.Waiting[0].SubmittedAt.Before(p.Waiting[homeRows-1].SubmittedAt) {
		t.Errorf("%d of %d wait", len(p.Waiting), p.WaitingAll)
	}
	if p.FailingAll != 10 || len(p.Running) != homeRows || p.MineAll != 0 || p.Tenants != 40 || len(p.Budgets) != homeBudgets {
		t.Errorf("%d failing, %d running, %d mine, %d tenants, %d budgets", p.FailingAll, len(p.Running), p.MineAll, p.Tenants, len(p.Budgets))
	}
	for i := 1; i < len(p.Budgets); i++ {
		if a, b := p.Budgets[i-1], p.Budgets[i]; a.Estimate.Div(a.Budget).LessThan(b.Estimate.Div(b.Budget)) {
			t.Errorf("budget %d is tighter than %d", i, i-1)
		}
	}
	if p, err = s.Home(t.Context(), c.dev); err != nil || p.MineAll != 40 || p.WaitingAll != 0 {
		t.Errorf("the requester's home: %d asked, %d to decide, %v", p.MineAll, p.WaitingAll, err)
	}
	if p, err = s.Home(t.Context(), member); err != nil || p.Tenants != 1 || p.WaitingAll != 0 || len(p.Running) != 1 {
		t.Errorf("a member's home: %+v, %v", p, err)
	}
	for who, tc := range map[string]struct {
		a    models.Actor
		want models.NavCounts
	}{
		"admin": {c.admin, models.NavCounts{Approvals: 10, Runs: 10}}, "requester": {c.dev, models.NavCounts{Runs: 10}}, "member": {member, models.NavCounts{Runs: 1}},
		"auditor": {c.auditor, models.NavCounts{Runs: 10}},
	} {
		if n, err := s.NavCounts(t.Context(), tc.a); err != nil || n.Approvals != tc.want.Approvals || n.Runs != tc.want.Runs {
			t.Errorf("%s: %+v, %v; want %+v", who, n, err, tc.want)
		}
	}
}

// TestOwnersDecideWhereRulesLetThem compares the queue's condition with models.MayDecide.
func TestOwnersDecideWhereRulesLetThem(t *testing.T) {
	t.Parallel()
	s, c, owner := world(t, 8)
	other, _ := signIn(t, s, "other", "t000002-owners", "t000006-owners", "t000003-viewers")
	if _, err := s.pool.Exec(t.Context(), `UPDATE plans SET notes = '{"demands": [{"role": "owner", "count": 1}]}' WHERE request_id = (SELECT id FROM requests WHERE object_name = 't000002')`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), `UPDATE plans SET notes = '{}' WHERE request_id = (SELECT id FROM requests WHERE object_name = 't000005')`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), `UPDATE plans SET notes = '{"demands": null}' WHERE request_id IN (SELECT id FROM requests WHERE object_name IN ('t000006', 't000003'))`); err != nil {
		t.Fatal(err)
	}
	for who, a := range map[string]models.Actor{"admin": c.admin, "owner": owner, "other": other, "dev": c.dev, "auditor": c.auditor} {
		mine, err := s.Queue(t.Context(), a, models.ListQuery{Filters: map[string]string{"mine": "yes"}})
		if err != nil {
			t.Fatal(err)
		}
		listed := map[string]bool{}
		for _, r := range mine.Rows {
			listed[r.ID] = true
		}
		all, err := s.Requests(t.Context(), a, models.ListQuery{})
		if err != nil {
			t.Fatal(err)
		}
		may := 0
		for _, r := range all.Rows {
			plan, err := readPlan(s.read(t.Context()), r.PlanID)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.MayDecide(a, plan.Notes.Demands)
			if (err == nil) != listed[r.ID] {
				t.Errorf("%s and %s: listed %v, but MayDecide says %v", who, r.ObjectName, listed[r.ID], err)
			}
			if err == nil {
				may++
			}
		}
		if want := map[string]int{"admin": 2, "other": 1}[who]; may != want {
			t.Errorf("%s may decide on %d, want %d", who, may, want)
		}
	}
}
