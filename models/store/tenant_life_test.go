package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
)

func TestWhoMayAskForATenantsLife(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	change := models.ChangeTenantInputs{OwnerGroup: "a", DeveloperGroup: "b", ViewerGroup: "new-viewers", Budget: decimal.NewFromInt(5000)}
	for name, tc := range map[string]struct {
		who  models.Actor
		want models.Kind
	}{
		"owner":     {e.owner, models.Internal},
		"admin":     {e.admin, models.Internal},
		"developer": {e.developer, models.Forbidden},
		"viewer":    {e.viewer, models.Forbidden},
		"outsider":  {e.outsider, models.NotFound},
		"component": {worker, models.Forbidden},
	} {
		r, err := e.RequestTenantLife(t.Context(), tc.who, "payments", models.ChangeTenant, "key-"+name, change)
		if models.KindOf(err) != tc.want || (err == nil) != (tc.want == models.Internal) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if err == nil && (r.TenantID != e.tenant.ID || r.State != models.Planning) {
			t.Errorf("%s: %+v", name, r)
		}
		if err := e.EditTenant(t.Context(), tc.who, "payments", models.TenantFacts{DisplayName: "By " + name, CostCentre: "CC-1"}); models.KindOf(err) != tc.want || (err == nil) != (tc.want == models.Internal) {
			t.Errorf("%s edits: %v, want %v", name, err, tc.want)
		}
	}
}

func TestWhatMakesNoSenseForATenantIsRefused(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	same := models.ChangeTenantInputs{OwnerGroup: "a", DeveloperGroup: "b", ViewerGroup: "c", Budget: e.tenant.Budget}
	for name, tc := range map[string]struct {
		kind  models.RequestKind
		in    any
		field string
		want  models.Kind
	}{
		"a change of nothing":             {models.ChangeTenant, same, "budget", models.Invalid},
		"groups that are the same":        {models.ChangeTenant, models.ChangeTenantInputs{OwnerGroup: "a", DeveloperGroup: "a", ViewerGroup: "c", Budget: e.tenant.Budget}, "developer_group", models.Invalid},
		"an account it has":               {models.AddAccount, models.AccountInputs{Class: models.Prod}, "", models.Conflict},
		"an account it has, enrolled":     {models.EnrolAccount, models.AccountInputs{Class: models.Prod, AWSID: "999999999999"}, "", models.Conflict},
		"an account without digits":       {models.EnrolAccount, models.AccountInputs{Class: models.Prod, AWSID: "99"}, "account", models.Invalid},
		"a class that is none":            {models.AddAccount, models.AccountInputs{Class: "test"}, "class", models.Invalid},
		"a move of what the set delivers": {models.MoveAccount, models.AccountInputs{Class: models.Prod}, "", models.Conflict},
		"closing without its name":        {models.CloseTenant, models.CloseTenantInputs{Confirm: "other", Reason: "over"}, "confirm", models.Invalid},
		"closing without a reason":        {models.CloseTenant, models.CloseTenantInputs{Confirm: "payments"}, "reason", models.Invalid},
		"a kind with foreign inputs":      {models.CloseTenant, same, "", models.Invalid},
		"a kind of something else":        {models.DeleteEnvironment, same, "", models.Invalid},
	} {
		_, err := e.RequestTenantLife(t.Context(), e.owner, "payments", tc.kind, name, tc.in)
		if models.KindOf(err) != tc.want || tc.field != "" && models.Fields(err)[tc.field] == "" {
			t.Errorf("%s: %v %v", name, err, models.Fields(err))
		}
	}
}

// closing begins to close the tenant, as the first step of its run does.
func (e estate) closing(t testing.TB) models.Request {
	t.Helper()
	r, err := e.RequestTenantLife(t.Context(), e.owner, "payments", models.CloseTenant, "close", models.CloseTenantInputs{Confirm: "payments", Reason: "over"})
	if err != nil {
		t.Fatal(err)
	}
	e.lead(t, r.ID, models.Running)
	for range 2 { // a step repeats it after a crash
		if err := e.Registry().BeginClosing(t.Context(), worker, r.ID); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestClosingEndsWhatIsOpenAndRefusesWhatIsNew(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	env := e.made(t, site("a-site"))
	waiting, err := e.RequestEnvironment(ctx, e.developer, "payments", "w", site("b-site"), "")
	if err != nil {
		t.Fatal(err)
	}
	failed, err := e.ChangeEnvironment(ctx, e.developer, "payments", "a-site", models.ExtendEnvironment, "x", models.EnvironmentInputs{Days: 5})
	if err != nil {
		t.Fatal(err)
	}
	e.lead(t, failed.ID, models.Failed)
	r := e.closing(t)
	if got := state(t, e.Store, waiting.ID); got != models.Cancelled {
		t.Errorf("what waited is %s, want cancelled", got)
	}
	if got := state(t, e.Store, failed.ID); got != models.Abandoned {
		t.Errorf("what had failed is %s, want abandoned", got)
	}
	if _, err := e.RequestEnvironment(ctx, e.developer, "payments", "n", site("c-site"), ""); models.KindOf(err) != models.Conflict {
		t.Errorf("an order while it closes: %v", err)
	}
	if _, err := e.RequestTenantLife(ctx, e.owner, "payments", models.ChangeTenant, "n2", models.ChangeTenantInputs{OwnerGroup: "a", DeveloperGroup: "b", ViewerGroup: "d", Budget: decimal.NewFromInt(1)}); models.KindOf(err) != models.Conflict {
		t.Errorf("a change while it closes: %v", err)
	}
	if err := e.EditTenant(ctx, e.owner, "payments", models.TenantFacts{DisplayName: "X", CostCentre: "CC-1"}); models.KindOf(err) != models.Conflict {
		t.Errorf("an edit while it closes: %v", err)
	}
	held, err := e.Registry().Contents(ctx, e.tenant.ID)
	if err != nil || len(held) != 1 || held[0].ObjectID != env.ID || held[0].Account == "" {
		t.Fatalf("it holds %+v: %v", held, err)
	}
	for range 2 {
		if err := e.Registry().EndContent(ctx, worker, r.ID, models.EnvironmentObject, env.ID); err != nil {
			t.Fatal(err)
		}
	}
	if held, err = e.Registry().Contents(ctx, e.tenant.ID); err != nil || len(held) != 0 {
		t.Fatalf("it still holds %+v: %v", held, err)
	}
	e.ends(t, r, models.Succeeded)
	page, err := e.TenantPage(ctx, e.owner, "payments")
	if err != nil || page.Tenant.State != models.Deleted || page.Closing == nil || page.Closing.ID != r.ID {
		t.Fatalf("its page: %+v %v", page.Tenant, err)
	}
	for _, a := range page.Tenant.Accounts {
		if a.State != models.Deleted {
			t.Errorf("its account %s is %s", a.Name, a.State)
		}
	}
	if taken, err := e.SlugTaken(ctx, e.admin, "payments"); err != nil || !taken {
		t.Errorf("its name is free: %v", err)
	}
}

// ends leads a running request to its end.
func (e estate) ends(t testing.TB, r models.Request, to models.RequestState) {
	t.Helper()
	if err := e.tx(t.Context(), func(w *tx) error {
		now, err := w.loadRequest(r.ID)
		if err != nil {
			return err
		}
		return w.move(worker, &now, to, models.ByEngine, "")
	}); err != nil {
		t.Fatal(err)
	}
}

func TestStopClosingOpensTheTenantAgain(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	r := e.closing(t)
	if err := e.Registry().StopClosing(t.Context(), worker, r.ID); err != nil {
		t.Fatal(err)
	}
	e.ends(t, r, models.Failed)
	if _, err := e.pool.Exec(t.Context(), `UPDATE requests SET state = 'undoing' WHERE id = $1`, r.ID); err != nil {
		t.Fatal(err)
	}
	e.ends(t, r, models.Undone)
	e.made(t, site("a-site"))
}

func TestClosingWaitsForWhatRuns(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	order, err := e.RequestEnvironment(t.Context(), e.developer, "payments", "k", site("a-site"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := e.wake(t, order.ID); !ok {
		t.Fatal("the order is not planned")
	}
	r, err := e.RequestTenantLife(t.Context(), e.owner, "payments", models.CloseTenant, "close", models.CloseTenantInputs{Confirm: "payments", Reason: "over"})
	if err != nil {
		t.Fatal(err)
	}
	if now, ok := e.wake(t, r.ID); ok || now.ID != r.ID {
		t.Fatal("the tenant is planned to end while something is planned in it")
	}
	if n := count(t, e.Store, `SELECT count(*) FROM locks WHERE request_id = $1`, r.ID); n != 0 {
		t.Errorf("it holds %d locks while it waits", n)
	}
}

// TestOneTenantGetsTheAccount: of many who enrol the same account, one wins; released, it can be enrolled again.
func TestOneTenantGetsTheAccount(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	reg := s.Registry()
	account := &models.Account{AWSID: "123456789012", Name: "legacy", Email: "legacy@example.com", AWSState: "ACTIVE", ByHand: true}
	var reqs []models.Request
	for i := range 5 {
		r := running(t, s, fmt.Sprintf("team-%c", 'a'+i))
		if _, err := s.pool.Exec(t.Context(), `UPDATE requests SET inputs = jsonb_set(jsonb_set(inputs, '{classes}', '["nonprod"]'), '{enrol}', '[{"class": "nonprod", "account": "123456789012"}]') WHERE id = $1`, r.ID); err != nil {
			t.Fatal(err)
		}
		if tenant, err := reg.EnsureTenant(t.Context(), worker, r.ID); err != nil || len(tenant.Accounts) != 0 {
			t.Fatalf("a tenant that enrols gets %v: %v", tenant.Accounts, err)
		}
		reqs = append(reqs, r)
	}
	var wait sync.WaitGroup
	errs := make([]error, len(reqs))
	for i, r := range reqs {
		wait.Add(1)
		go func() {
			defer wait.Done()
			_, errs[i] = reg.EnsureAccount(t.Context(), worker, r.ID, models.NonProd, account)
		}()
	}
	wait.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner < 0:
			winner = i
		case err == nil:
			t.Fatal("two tenants have the account")
		case models.KindOf(err) != models.Conflict:
			t.Errorf("a loser gets %v", err)
		}
	}
	bound, err := reg.BoundAccount(t.Context(), account.AWSID)
	if err != nil || !bound.Enrolled || !bound.ByHand || bound.TenantID != reqs[winner].ObjectID {
		t.Fatalf("bound: %+v %v", bound, err)
	}
	if err := reg.ReleaseAccount(t.Context(), worker, bound.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := reg.BoundAccount(t.Context(), account.AWSID); models.KindOf(err) != models.NotFound {
		t.Errorf("it is still bound: %v", err)
	}
	if _, err := reg.EnsureAccount(t.Context(), worker, reqs[(winner+1)%5].ID, models.NonProd, account); err != nil {
		t.Errorf("it cannot be enrolled again: %v", err)
	}
}

func TestClosuresAndAccess(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx, reg, a := t.Context(), e.Registry(), e.tenant.Accounts[0]
	closed := e.clock.Now().Add(-time.Hour)
	if err := reg.SaveAccount(ctx, worker, a.ID, func(a *models.Account) { a.ClosedAt = closed }); err != nil {
		t.Fatal(err)
	}
	for since, want := range map[time.Duration]int{-2 * time.Hour: 1, -time.Minute: 0} {
		if n, err := reg.Closures(ctx, e.clock.Now().Add(since)); err != nil || n != want {
			t.Errorf("%d closures since %s, want %d: %v", n, since, want, err)
		}
	}
	row := models.AccountAccess{Role: models.Owner, Group: "a", GroupID: "g-1", PermissionSet: "arn:ps", State: models.AccessWorking}
	for _, state := range []models.AccessState{models.AccessWorking, models.AccessAssigned, models.AccessAssigned} {
		row.State = state
		if err := reg.SaveAccess(ctx, worker, a.ID, row); err != nil {
			t.Fatal(err)
		}
	}
	list, err := reg.Access(ctx, e.tenant.ID)
	if err != nil || len(list) != 1 || list[0].State != models.AccessAssigned || list[0].AccountID != a.ID || list[0].Group != "a" {
		t.Fatalf("access: %+v %v", list, err)
	}
	if n := count(t, e.Store, `SELECT count(*) FROM audit_entries WHERE action = 'account.access'`); n != 2 {
		t.Errorf("%d audit entries of the assignment, want one per state", n)
	}
}
