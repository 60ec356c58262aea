package aws

import (
	"slices"
	"strings"
	"testing"

	"slipway/models"
)

// ends asks for the end of the tenant.
func (e *estate) ends(in models.CloseTenantInputs) string {
	e.t.Helper()
	in.Confirm, in.Reason = "payments", "The team is dissolved."
	return e.wants(e.store.RequestTenantLife(e.t.Context(), e.asker, "payments", models.CloseTenant, e.key(), in))
}

// gone checks that the tenant's account is closed once, and that Slipway knows it so.
func (e *estate) gone() {
	e.t.Helper()
	if n := e.w.count(`SELECT count(*) FROM accounts WHERE id = $1 AND state = 'SUSPENDED' AND parent = 'ou-demo-suspend1'`, accountID); n != 1 {
		e.t.Error("the account is not suspended in its unit")
	}
	if n := e.w.count(`SELECT count(*) FROM stacks WHERE account = $1 AND name LIKE 'slw-%' AND status <> 'DELETE_COMPLETE'`, accountID); n != 0 {
		e.t.Errorf("%d stacks are left", n)
	}
	tenant, err := e.store.Registry().Tenant(e.t.Context(), tenantID)
	if err != nil {
		e.t.Fatal(err)
	}
	a := tenant.Accounts[slices.IndexFunc(tenant.Accounts, func(a models.Account) bool { return a.AWSID == accountID })]
	if tenant.State != models.Deleted || a.State != models.Deleted || a.AWSState != "SUSPENDED" || a.ClosedAt.IsZero() || a.OU != "ou-demo-suspend1" {
		e.t.Errorf("Slipway knows the tenant as %s, its account as %+v", tenant.State, a)
	}
	if n := one[int](e, `SELECT count(*) FROM receipts`); n != 1 {
		e.t.Errorf("%d receipts", n)
	}
	if n := e.w.count(`SELECT count(*) FROM calls WHERE op = 'CloseAccount' AND error_code = ''`); n != 1 {
		e.t.Errorf("CloseAccount was taken %d times", n)
	}
}

// TestCloseTenant ends a tenant that has nothing but its account.
func TestCloseTenant(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	request := e.ends(models.CloseTenantInputs{})
	plan := e.approve(request).Content
	said := map[string]string{}
	for _, part := range plan.Parts {
		for _, ch := range part.Changes {
			said[ch.Step+" "+ch.LogicalID] = string(ch.Action) + " " + ch.Note
		}
	}
	for what, want := range map[string]string{"account.baseline.nonprod.remove BaselineKey": "exists " + keptByBlueprint, "account.scan.nonprod Search": "slipway:tenant = payments",
		"account.suspend.nonprod OrganizationalUnit": "change", "account.close.nonprod Account": "delete AWS suspends it", " payments": "Its name stays taken for ever"} {
		if !strings.Contains(said[what], want) {
			t.Errorf("plan of %q: %q, want %q", what, said[what], want)
		}
	}
	e.drive(request, models.Succeeded)
	e.gone()
	r := e.receiptOf(request)
	if l := line(r.Left, "payments-nonprod"); l == nil || l.ID != accountID || l.Cost != "0" || !strings.Contains(l.Why, "90 days") {
		t.Errorf("the account: %+v", r.Left)
	}
	if l := line(r.Left, "BaselineKey"); l == nil || !strings.Contains(l.Why, "It goes with its account.") || l.Cost != "0" {
		t.Errorf("what the baseline keeps: %+v", r.Left)
	}
	if !slices.Contains(r.ScannedIn, "payments-nonprod in eu-central-1") || strings.Contains(strings.Join(r.CannotSee, " "), "Region") {
		t.Errorf("scanned %v, cannot see %v", r.ScannedIn, r.CannotSee)
	}
}
