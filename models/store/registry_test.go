package store

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/models"
)

// runOf makes a request in running for a tenant with both accounts, its run and plan, and gives the request.
func running(t testing.TB, s *Store, slug string) models.Request {
	t.Helper()
	who, _ := signIn(t, s, "asker-"+slug, "engineers")
	r := models.Request{ID: models.NewID(), ObjectID: models.NewID(), RunID: models.NewID(), PlanID: models.NewID()}
	now := s.clock.Now()
	inputs := fmt.Sprintf(`{"slug": %q, "display_name": "T", "owner_group": "a", "developer_group": "b", "viewer_group": "c", "cost_centre": "x", "budget": "10", "classes": ["nonprod", "prod"]}`, slug)
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO requests (id, kind, object_type, object_id, object_name, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at)
			VALUES ($1, 'tenant.create', 'tenant', $2, $3, 'Create tenant', 'running', $4, '{}', $5, $6, $7, $7, $7)`,
			[]any{r.ID, r.ObjectID, slug, inputs, who.Person.ID, models.NewID(), now}},
		{`INSERT INTO plans (id, request_id, number, hash, content, canonical, notes, monthly_now, monthly_planned, tally, computed_at)
			VALUES ($1, $2, 1, $3, '{}', '', '{}', 0, 12.5, '{}', $4)`, []any{r.PlanID, r.ID, strings.Repeat("0", 64), now}},
		{`INSERT INTO runs (id, request_id, plan_id, state, started_by, started_at) VALUES ($1, $2, $3, 'running', $4, $5)`, []any{r.RunID, r.ID, r.PlanID, who.Person.ID, now}},
		{`UPDATE requests SET plan_id = $2, run_id = $3 WHERE id = $1`, []any{r.ID, r.PlanID, r.RunID}},
	} {
		if _, err := s.pool.Exec(t.Context(), q.sql, q.args...); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

var worker = models.System("engine", "")

func TestTenantIsMadeOnce(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	g := s.Registry()
	req := running(t, s, "payments")
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if _, err := g.EnsureTenant(t.Context(), worker, req.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	made, err := g.EnsureTenant(t.Context(), worker, req.ID)
	if err != nil {
		t.Fatal(err)
	}
	if made.ID != req.ObjectID || made.State != models.Creating || len(made.Accounts) != 2 || made.Estimate == nil || made.Estimate.String() != "12.5" {
		t.Errorf("tenant is %+v", made)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action IN ('tenant.creating', 'account.creating')`); n != 3 {
		t.Errorf("%d audit entries, want one for the tenant and each account", n)
	}
	if got := made.Accounts[0].Email; !strings.HasPrefix(got, "aws+payments-nonprod-") {
		t.Errorf("address is %s", got)
	}
	other, err := g.EnsureTenant(t.Context(), worker, running(t, s, "storefront").ID)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]bool{}
	for _, a := range slices.Concat(made.Accounts, other.Accounts) {
		numbers[a.Email[strings.LastIndex(a.Email, "-"):]] = true
	}
	if len(numbers) != 4 {
		t.Errorf("address numbers repeat: %v", numbers)
	}
	for slug, want := range map[string]bool{"payments": true, "free": false} {
		if used, err := g.UsedSlug(t.Context(), slug, other.ID); err != nil || used != want {
			t.Errorf("slug %s is used: %t, %v", slug, used, err)
		}
	}
	if used, err := g.UsedSlug(t.Context(), "payments", made.ID); err != nil || used {
		t.Errorf("the tenant's own slug counts as used: %v", err)
	}
}

func TestAccountChangesAreAudited(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	g := s.Registry()
	made, err := g.EnsureTenant(t.Context(), worker, running(t, s, "payments").ID)
	if err != nil {
		t.Fatal(err)
	}
	id := made.Accounts[0].ID
	save := func(change func(*models.Account)) error { return g.SaveAccount(t.Context(), worker, id, change) }
	before := count(t, s, `SELECT count(*) FROM audit_entries`)
	for range 2 { // a repeated step writes one entry
		if err := save(func(a *models.Account) { a.AWSID, a.AWSState = "123456789012", "ACTIVE" }); err != nil {
			t.Fatal(err)
		}
		if err := save(func(a *models.Account) { a.AWSStateAt = s.clock.Wall().Add(time.Hour) }); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries`) - before; n != 1 {
		t.Errorf("%d audit entries, want one", n)
	}
	if err := save(func(a *models.Account) { a.AWSID = "210987654321" }); err == nil {
		t.Error("an account became another one at AWS")
	}
	a, err := g.Account(t.Context(), id)
	if err != nil || a.AWSID != "123456789012" || a.AWSStateAt.IsZero() {
		t.Errorf("account is %+v, %v", a, err)
	}
}

func TestSlotsKeepTheOrder(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	g := s.Registry()
	req := running(t, s, "payments")
	made, err := g.EnsureTenant(t.Context(), worker, req.ID)
	if err != nil {
		t.Fatal(err)
	}
	other := running(t, s, "storefront")
	second, err := g.EnsureTenant(t.Context(), worker, other.ID)
	if err != nil {
		t.Fatal(err)
	}
	accounts := slices.Concat(made.Accounts, second.Accounts)
	for i, a := range accounts {
		for range 2 { // a repeated step keeps the place
			if err := g.AskSlot(t.Context(), worker, []string{req.RunID, req.RunID, other.RunID, other.RunID}[i], a.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := len(accounts) - 1; i >= 0; i-- { // the last asks first and is not served
		w := enqueued(t, s, models.VendWork, accounts[i].ID, 0)
		_, ok, err := s.Journal().TakeSlot(t.Context(), *take(t, s, w, "w"), 2)
		if err != nil || ok != (i < 2) {
			t.Errorf("account %d holds a slot: %t, %v", i, ok, err)
		}
	}
	for i, want := range []int{0, 0, 0, 1} {
		place, err := g.SlotPlace(t.Context(), accounts[i].ID)
		if err != nil || place.Ahead != want {
			t.Errorf("account %d has %d in front, want %d: %v", i, place.Ahead, want, err)
		}
	}
}

func TestIdleChangeSetsAreThoseOfEndedPlans(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	g := s.Registry()
	req := running(t, s, "payments")
	set := models.ChangeSet{RequestID: req.ID, Account: "123456789012", Region: "eu-west-1", StackName: "slw", Name: "cs-1", Type: "CREATE"}
	idle := func() int {
		t.Helper()
		sets, err := g.IdleChangeSets(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(sets)
	}
	for range 2 {
		if err := g.MadeChangeSet(t.Context(), set); err != nil {
			t.Fatal(err)
		}
	}
	if n := idle(); n != 0 {
		t.Errorf("%d change sets of a running request are idle", n)
	}
	for _, ended := range []models.RequestState{models.Succeeded, models.Abandoned} {
		if _, err := s.pool.Exec(t.Context(), `UPDATE requests SET state = $1`, ended); err != nil {
			t.Fatal(err)
		}
		if n := idle(); n != 1 {
			t.Errorf("%d change sets of a request that %s are idle, want one", n, ended)
		}
	}
	if err := g.EndedChangeSet(t.Context(), set, "deleted"); err != nil {
		t.Fatal(err)
	}
	if n := idle(); n != 0 {
		t.Errorf("%d change sets are idle after the sweep", n)
	}
}

func TestUsualTimeNeedsFiveRuns(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for n := range 6 {
		var notes models.PlanNotes
		if err := s.tx(t.Context(), func(t *tx) error { return t.usualTime(models.CreateTenant, &notes) }); err != nil {
			t.Fatal(err)
		}
		if notes.PastRuns != n || (notes.UsualTime != 0) != (n >= 5) {
			t.Errorf("after %d runs: %+v", n, notes)
		}
		if n >= 5 && notes.UsualTime.Std() != 30*time.Second {
			t.Errorf("usual time is %s, want 30s", notes.UsualTime.Std())
		}
		r := running(t, s, fmt.Sprintf("t-%d", n))
		if _, err := s.pool.Exec(t.Context(), `UPDATE runs SET state = 'succeeded', ended_at = started_at + make_interval(secs => $2) WHERE id = $1`, r.RunID, 10*(n+1)); err != nil {
			t.Fatal(err)
		}
	}
}
