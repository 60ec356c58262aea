package aws

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/jackc/pgx/v5"

	"slipway/models"
	"slipway/provisioners"
)

// TestSettingsAreGivenBack: an account that was there before gets back what it was set to; what nobody had set is unset again.
func TestSettingsAreGivenBack(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.clients.Contact = Contact{Name: "Platform team", Title: "On call", Email: "platform@example.com", Phone: "+49 30 1234567"}
	if _, err := iam.NewFromConfig(e.administrator()).UpdateAccountPasswordPolicy(t.Context(), &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: sdk.Int32(9)}); err != nil {
		t.Fatal(err)
	}
	tenants, err := NewTenantProvisioner(e.clients, e.store.Registry(), testBaseline(t), testPrices(t))
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]string{}
	names := []string{"contact:SECURITY", "ebs", "public-access-block", "password-policy"}
	for _, name := range names {
		before[name] = e.setting(name)
	}
	part := models.PlanPart{Account: accountID, Class: models.NonProd, Region: "eu-west-1"}
	c := e.clients.Contact
	part.Changes = []models.Change{{Step: "account.contacts.nonprod", Properties: []models.PropertyChange{after("/Name", c.Name), after("/Title", c.Title), after("/EmailAddress", c.Email), after("/PhoneNumber", c.Phone)}}}
	for _, step := range []string{"account.contacts.nonprod", "account.ebs.nonprod.eu-west-1", "account.s3block.nonprod", "account.password.nonprod"} {
		s, err := tenants.stepOf(place{Tenants: tenants, slug: "payments", class: models.NonProd, part: part, step: step})
		if err != nil || s.Undo == nil || s.Stays != "" {
			t.Fatalf("%s: %+v, %v", step, s, err)
		}
		run := &provisioners.Run{ID: "r", StartedBy: askerID, Outputs: map[string]string{}, Earlier: map[string]map[string]string{}}
		for _, want := range []provisioners.Found{provisioners.Absent, provisioners.Present} {
			res, err := s.Find(t.Context(), run)
			if err != nil || res.Found != want {
				t.Fatalf("%s: %+v, %v", step, res, err)
			}
			for k, v := range res.Outputs {
				run.Outputs[k] = v
			}
			if want == provisioners.Absent {
				if err := s.Start(t.Context(), run); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 2 { // a crash may hide that it was done
			if res, err := s.Undo(t.Context(), run); err != nil || res.Found != provisioners.Present || len(res.Events) > 0 {
				t.Fatalf("undo of %s: %+v, %v", step, res, err)
			}
		}
	}
	for _, name := range names {
		if got := e.setting(name); got != before[name] && !(name == "ebs" && got == "false") {
			t.Errorf("%s is %q, was %q", name, got, before[name])
		}
	}
}

// setting is what the simulated account is set to; empty when nobody did.
func (e *estate) setting(name string) string {
	e.t.Helper()
	return e.w.text(`SELECT COALESCE(max(value::text), '') FROM settings WHERE account = $1 AND starts_with(name, $2)`, accountID, name)
}

// text asks the simulator's database.
func (w *world) text(query string, args ...any) string {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.db)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close(w.t.Context())
	var value string
	if err := conn.QueryRow(w.t.Context(), query, args...).Scan(&value); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return value
}

// TestTenantIsTakenBack as far as that goes: the account stays open, with its protection, and the undo says so.
func TestTenantIsTakenBack(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.clients.AlertEmail = "alerts@example.com"
	request := e.wants(e.store.RequestTenant(t.Context(), e.asker, e.key(), models.TenantInputs{Slug: "orders", DisplayName: "Orders", OwnerGroup: "orders-o", DeveloperGroup: "orders-d", ViewerGroup: "orders-v",
		CostCentre: "CC-1", Budget: models.MaxBudget, Classes: []models.Class{models.NonProd}}, ""))
	e.w.fault(map[string]any{"op": "CreateBudget", "action": "access_denied", "times": 1})
	e.approve(request)
	e.failure(request)
	died := e.diesOnce()
	if err := e.store.UndoRun(t.Context(), e.approver, request); err != nil {
		t.Fatal(err)
	}
	e.drive(request, models.Undone)
	id := one[string](e, `SELECT aws_id FROM accounts WHERE name = 'orders-nonprod'`)
	if n := e.w.count(`SELECT count(*) FROM accounts WHERE id = $1 AND state = 'ACTIVE' AND parent = 'ou-demo-nonprod01'`, id); n != 1 {
		t.Error("the account is not open under its policies")
	}
	if n := e.w.count(`SELECT count(*) FROM stacks WHERE account = $1 AND name = 'slw-orders-baseline' AND status <> 'DELETE_COMPLETE'`, id); n != 0 {
		t.Error("the baseline is still there")
	}
	why := one[string](e, `SELECT reason FROM requests WHERE id = $1`, request)
	for _, want := range []string{"the name orders stays taken", "account orders-nonprod stays open", "stays in its organizational unit", "public buckets stay blocked", "what its template retains"} {
		if !strings.Contains(why, want) {
			t.Errorf("what stays: %s; want %q", why, want)
		}
	}
	if strings.Contains(why, "Verify") || strings.Contains(why, "Wait for") {
		t.Errorf("what changed nothing is named: %s", why)
	}
	if n := e.w.count(`SELECT count(*) FROM calls WHERE op = 'CloseAccount'`); n != 0 || !died["undo/account.baseline.nonprod/after-aws-call"] {
		t.Errorf("%d closings, died at %v", n, died)
	}
}
