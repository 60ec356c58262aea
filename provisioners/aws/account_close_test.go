package aws

import (
	"strings"
	"testing"

	"slipway/models"
)

// waits drives a request until its run waits with words, and lets it ask again at once.
func (e *estate) waits(request, words string) {
	e.t.Helper()
	e.driveTo("waiting: "+words, func() bool {
		return strings.Contains(one[string](e, `SELECT COALESCE(max(s.waiting->>'words'), '') FROM steps s JOIN requests r ON r.run_id = s.run_id WHERE r.id = $1`, request), words)
	})
	e.exec(`UPDATE journal SET next_at = clock_timestamp() WHERE object_id = $1 AND NOT done`, request)
}

// TestCloseAccountRefused: whatever AWS has against the closing, the run waits in words and goes on by itself.
func TestCloseAccountRefused(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.exec(`INSERT INTO accounts (id, tenant_id, class, name, email, aws_id, state, aws_state, closed_at, created_at)
		SELECT gen_random_uuid(), $1, 'prod', 'old-' || n, 'old-' || n || '@example.com', lpad((700000000000 + n)::text, 12, '0'), 'deleted', 'SUSPENDED', now() - interval '29 days 12 hours', now()
		FROM generate_series(1, 250) n`, tenantID)
	for _, reason := range []string{"CLOSE_ACCOUNT_QUOTA_EXCEEDED", "WAIT_PERIOD_ACTIVE", "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"} {
		e.w.fault(map[string]any{"action": "constraint", "service": "organizations", "op": "CloseAccount", "match": accountID, "reason": reason, "times": 1})
	}
	e.w.fault(map[string]any{"op": "CloseAccount", "action": "access_denied", "nth": 4, "times": 1})
	request := e.ends(models.CloseTenantInputs{})
	e.approve(request)
	e.waits(request, "of 250 in 30 days 250 are used; the next is possible about")
	if n := one[int](e, `SELECT count(*) FROM requests WHERE id = $1 AND (waiting->>'until')::timestamptz BETWEEN now() + interval '10 hours' AND now() + interval '14 hours'`, request); n != 1 {
		t.Errorf("it waits until %s", one[string](e, `SELECT waiting::text FROM requests WHERE id = $1`, request))
	}
	if n := e.w.count(`SELECT count(*) FROM calls WHERE op = 'CloseAccount'`); n != 0 {
		t.Errorf("AWS was asked %d times although the quota is used up", n)
	}
	e.exec(`UPDATE accounts SET closed_at = closed_at - interval '1 day' WHERE name = 'old-1'`)
	e.waits(request, "its quota of closed accounts is used up")
	if err := e.store.StopRun(t.Context(), e.approver, request); err != nil {
		t.Fatal(err)
	}
	e.drive(request, models.Failed) // at once: what AWS has refused is no call in flight
	e.retry(request)
	e.waits(request, "it is too young to be closed")
	e.waits(request, "it takes no more at a time")
	e.driveTo("waiting for a permission", func() bool {
		return strings.Contains(one[string](e, `SELECT COALESCE(waiting::text, '') FROM requests WHERE id = $1`, request), "Slipway may not do organizations:CloseAccount")
	})
	e.drive(request, models.Succeeded)
	e.gone()
}

// TestCloseReleasesWhatWasThereBefore: an enrolled account stays open, where it is, and can be enrolled again.
func TestCloseReleasesWhatWasThereBefore(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.exec(`UPDATE accounts SET enrolled = true, by_hand = true`)
	request := e.ends(models.CloseTenantInputs{})
	plan := e.approve(request)
	if ch := changeOn(plan, "Account"); ch.Step != "account.release.nonprod" || !strings.Contains(ch.Note, "it is not closed") || !strings.Contains(ch.Note, models.ManualStack) {
		t.Errorf("the account: %+v", ch)
	}
	died := e.diesOnce()
	e.drive(request, models.Succeeded)
	if n := e.w.count(`SELECT count(*) FROM accounts WHERE id = $1 AND state = 'ACTIVE' AND parent = 'ou-demo-nonprod01'`, accountID); n != 1 {
		t.Error("the account is not where it was")
	}
	if n := e.w.count(`SELECT count(*) FROM calls WHERE op IN ('CloseAccount', 'MoveAccount') AND source_identity = $1`, askerID); n != 0 {
		t.Errorf("%d calls about the account itself", n)
	}
	if _, err := e.store.Registry().BoundAccount(t.Context(), accountID); models.KindOf(err) != models.NotFound {
		t.Errorf("the account is still bound: %v", err)
	}
	if l := line(e.receiptOf(request).Left, accountName); l == nil || !strings.Contains(l.Why, "was there before Slipway") {
		t.Errorf("the receipt says %+v", l)
	}
	if !died["run/account.release.nonprod/after-aws-call"] {
		t.Errorf("it died at %v", died)
	}
}

// TestClosedElsewhere: an account that somebody else has closed meanwhile is taken as it is.
func TestClosedElsewhere(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.own(models.EnvironmentObject, "lost", repositoryless, nil)
	e.w.exec(`UPDATE accounts SET state = 'SUSPENDED', closing_at = clock_timestamp() WHERE id = '` + accountID + `'`)
	request := e.ends(models.CloseTenantInputs{})
	plan := e.approve(request)
	if ch := changeOn(plan, "Account"); ch.Action != models.Exists || !strings.Contains(ch.Note, "SUSPENDED") {
		t.Errorf("the account: %+v", ch)
	}
	e.drive(request, models.Succeeded)
	r := e.receiptOf(request)
	if len(r.CannotSee) == 0 || !strings.Contains(strings.Join(r.CannotSee, " "), "environment lost: account "+accountID+" is SUSPENDED") {
		t.Errorf("the receipt cannot see %q", r.CannotSee)
	}
	if one[string](e, `SELECT state FROM tenants`) != "deleted" || one[string](e, `SELECT state FROM environments`) != "deleted" {
		t.Error("Slipway's rows do not say that it is over")
	}
}

// TestCloseNeedsAUnit: without a place for what is closed nothing is planned.
func TestCloseNeedsAUnit(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.clients.OUSuspended = ""
	if why := e.refused(e.ends(models.CloseTenantInputs{})); !strings.Contains(why, "No organizational unit is configured") || !strings.Contains(why, "SLIPWAY_OU_SUSPENDED") {
		t.Errorf("it says %s", why)
	}
}

// TestCloseIsTakenBack as far as that goes: the account that was not closed is where it was, with its budget, and the tenant can be asked
// for things again.
func TestCloseIsTakenBack(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.own(models.EnvironmentObject, "gone", repositoryless, nil)
	e.watched()
	e.letIn()
	e.w.fault(map[string]any{"action": "constraint", "service": "organizations", "op": "CloseAccount", "match": accountID, "reason": "SERVICE_ACCESS_NOT_ENABLED", "times": 1})
	request := e.ends(models.CloseTenantInputs{})
	e.approve(request)
	e.failure(request)
	if n := e.w.count(`SELECT count(*) FROM budgets WHERE name = 'slw-payments'`); n != 0 {
		t.Error("the budget is still there")
	}
	died := e.diesOnce()
	if err := e.store.UndoRun(t.Context(), e.approver, request); err != nil {
		t.Fatal(err)
	}
	e.drive(request, models.Undone)
	if n := e.w.count(`SELECT count(*) FROM accounts WHERE id = $1 AND state = 'ACTIVE' AND parent = 'ou-demo-nonprod01'`, accountID); n != 1 {
		t.Error("the account is not back where it was")
	}
	if n := e.w.count(`SELECT count(*) FROM budgets WHERE name = 'slw-payments'`); n != 1 {
		t.Errorf("%d budgets", n)
	}
	if n := e.w.assigned(accountID, "o", ownerSet); n != 1 {
		t.Error("the owners have not got their access back")
	}
	if n := one[int](e, `SELECT count(*) FROM tenants WHERE state = 'ready' AND closing_at IS NULL`); n != 1 {
		t.Error("the tenant cannot be asked for things again")
	}
	why := one[string](e, `SELECT reason FROM requests WHERE id = $1`, request)
	for _, want := range []string{"environment gone is gone", "what was deleted of baseline payments-nonprod cannot be brought back", "the receipt of what was deleted", "account payments-nonprod, if AWS has taken its closing"} {
		if !strings.Contains(why, want) {
			t.Errorf("what stays: %s; want %q", why, want)
		}
	}
	for _, step := range []string{"account.suspend.nonprod", "tenant.budget.remove", "access.remove.nonprod", "tenant.refuse"} {
		if !died["undo/"+step+"/after-aws-call"] {
			t.Errorf("it never died in %s: %v", step, died)
		}
	}
}
