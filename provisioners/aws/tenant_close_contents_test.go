package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/budgets"

	"slipway/dev/awssim"
	"slipway/models"
)

// watched gives the tenant its budget.
func (e *estate) watched() {
	e.t.Helper()
	api := budgets.NewFromConfig(e.clients.org(who{job: "test"}, e.clients.setBudget(budgetName("payments"))))
	if _, err := api.CreateBudget(e.t.Context(), &budgets.CreateBudgetInput{AccountId: &e.clients.management, Budget: budgetFor("payments", "4000", []string{accountID})}); err != nil {
		e.t.Fatal(err)
	}
}

// letIn gives the tenant's owners their access to the account.
func (e *estate) letIn() {
	e.t.Helper()
	lettingIn(&e.clients.Options)
	e.w.exec(`INSERT INTO identity_groups (id, name, external_id, made_at) VALUES ('9067642ac1-11111111-1111-1111-1111-111111111111', 'o', 'ext-o', now()) ON CONFLICT DO NOTHING`)
	e.w.exec(`INSERT INTO account_assignments (account, permission_set, principal, principal_type, since) SELECT '` + accountID + `', '` + ownerSet + `', id, 'GROUP', now() FROM identity_groups WHERE name = 'o'`)
	group := e.w.text(`SELECT id FROM identity_groups WHERE name = 'o'`)
	err := e.store.Registry().SaveAccess(e.t.Context(), models.System("test", ""), accountRow, models.AccountAccess{AccountID: accountRow, Role: models.Owner, Group: "o", GroupID: group,
		PermissionSet: ownerSet, SetName: "owner", State: models.AccessAssigned})
	if err != nil {
		e.t.Fatal(err)
	}
}

// proven leaves in the account's zone with what a certificate proved its name, as CloudFormation does when the certificate goes.
func (e *estate) proven() {
	e.t.Helper()
	zone, err := e.store.Registry().ZoneOf(e.t.Context(), accountRow)
	if err != nil {
		e.t.Fatal(err)
	}
	e.w.exec(fmt.Sprintf(`INSERT INTO dns_records (zone, name, type, body, since) VALUES ('%[1]s', '%[2]s', 'CNAME',
		jsonb_build_object('Zone', '%[1]s', 'Name', '%[2]s', 'Type', 'CNAME', 'TTL', 300, 'Values', '["_proof.acm-validations.aws."]'::jsonb), now())`,
		physical(zone.Stack, "Zone"), "_check.orders-dev.payments-nonprod.apps.example.com."))
}

// furnished gives the tenant one of everything: a network with the account's zone, a service with images, an environment with files, and
// the budget. The service that every estate has never got a stack.
func (e *estate) furnished() (environment, service models.Stack) {
	e.t.Helper()
	e.names()
	e.shipped()
	e.succeed(e.wants(e.store.RequestNetwork(e.t.Context(), e.asker, "payments", e.key(), models.CreateNetwork, models.NetworkInputs{Class: models.NonProd, Region: "eu-west-1"})))
	service = e.own(models.ServiceObject, "orders", fmt.Sprintf(repository, "slw-payments/orders"), nil)
	e.push("slw-payments/orders", 2)
	environment = e.own(models.EnvironmentObject, "orders-dev", workload, nil)
	e.fill(physical(environment, "Files"), 3)
	e.proven()
	e.watched()
	e.letIn()
	return environment, service
}

// TestCloseTenantStoppedAnywhere ends a tenant with everything, and dies once at every point of every step.
func TestCloseTenantStoppedAnywhere(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	environment, _ := e.furnished()

	refused := e.ends(models.CloseTenantInputs{})
	if why := e.refused(refused); !strings.Contains(why, "2 things keep tenant payments from being closed") || !strings.Contains(why, "Files ("+physical(environment, "Files")+")") || !strings.Contains(why, "slw-payments/orders") {
		t.Errorf("an end without consent: %s", why)
	}
	e.exec(`UPDATE requests SET state = 'cancelled', ended_at = now() WHERE id = $1`, refused)

	died := e.diesOnce()
	request := e.ends(models.CloseTenantInputs{EmptyBuckets: true, Images: true})
	e.succeed(request)
	e.gone()
	for _, step := range []string{"tenant.refuse", "content.environment.orders-dev.empty", "content.environment.orders-dev.remove", "content.service.orders.empty", "content.service.orders.remove",
		"content.network.nonprod-eu-west-1.remove", "content.zone.payments-nonprod.apps.example.com.undelegate", "content.zone.payments-nonprod.apps.example.com.empty", "content.zone.payments-nonprod.apps.example.com.remove",
		"account.baseline.nonprod.remove", "access.remove.nonprod", "tenant.budget.remove", "account.suspend.nonprod", "account.close.nonprod"} {
		for _, point := range []string{"after-intent-commit", "after-aws-call", "after-outcome-commit"} {
			if !died["run/"+step+"/"+point] {
				t.Errorf("it never died in %s %s", step, point)
			}
		}
	}
	if have, err := delegated(t.Context(), e.parent(), awssim.DemoZoneID, "payments-nonprod.apps.example.com"); err != nil || len(have) != 0 {
		t.Errorf("the parent zone still names %v, %v", have, err)
	}
	if n := e.w.count(`SELECT count(*) FROM budgets WHERE name = 'slw-payments'`); n != 0 {
		t.Error("the budget is still there")
	}
	if n := e.w.assigned(accountID, "o", ""); n != 0 || one[string](e, `SELECT state FROM account_access`) != "removed" {
		t.Errorf("owners have %d assignments, Slipway knows it as %s", n, one[string](e, `SELECT state FROM account_access`))
	}
	for _, table := range []string{"environments", "services", "networks", "zones"} {
		if n := one[int](e, `SELECT count(*) FROM `+table+` WHERE state <> 'deleted'`); n != 0 {
			t.Errorf("%d %s are left", n, table)
		}
	}
	e.provenEnd(request, environment)
	if _, err := e.store.RequestEnvironment(t.Context(), e.asker, "payments", e.key(), models.EnvironmentInputs{Name: "late", Stage: models.Dev, Region: "eu-west-1"}, ""); err == nil {
		t.Error("a closed tenant can still ask")
	}
}

// provenEnd checks the receipt of a furnished tenant.
func (e *estate) provenEnd(request string, environment models.Stack) {
	e.t.Helper()
	r := e.receiptOf(request)
	for _, id := range []string{"orders-dev/Topic", "orders-dev/Files", "orders/Repository", "nonprod-eu-west-1/Vpc", "payments-nonprod.apps.example.com/Zone"} {
		if l := line(r.Gone, id); l == nil || l.ID == "" {
			e.t.Errorf("%s is not among what is gone: %+v", id, r.Gone)
		}
	}
	if l := line(r.Left, "orders-dev/Kept"); l == nil || !strings.Contains(l.Why, "goes with its account") || l.Cost != "0" {
		e.t.Errorf("what was kept: %+v", l)
	}
	for _, want := range []string{"bucket " + physical(environment, "Files") + ": 3 object versions", "repository slw-payments/orders: 2 images"} {
		if !slices.Contains(r.Emptied, want) {
			e.t.Errorf("emptied %q, want %q", r.Emptied, want)
		}
	}
	seen := map[string]bool{}
	for _, l := range append(r.Left, r.Gone...) {
		if key := l.LogicalID + l.ID; seen[key] {
			e.t.Errorf("%s %s is listed twice", l.LogicalID, l.ID)
		} else {
			seen[key] = true
		}
	}
}

// TestCloseGoesOnAfterAFailure: a stack that cannot be deleted stops the run by name, and a retry deletes only what is left.
func TestCloseGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.own(models.EnvironmentObject, "first", repositoryless, nil)
	e.own(models.EnvironmentObject, "second", repositoryless, nil)
	e.w.fault(map[string]any{"action": "delete_failed", "match": "slw-payments-env-second", "logical_id": "Topic", "reason": "It rained.", "times": 1})
	request := e.ends(models.CloseTenantInputs{})
	e.approve(request)
	if f := e.failure(request); !strings.Contains(f.What, "slw-payments-env-second") || !strings.Contains(f.Cause, "It rained.") || strings.Contains(f.Next, "shall stay") {
		t.Errorf("failure %+v", f)
	}
	if n := one[int](e, `SELECT count(*) FROM environments WHERE state = 'deleted'`); n != 1 {
		t.Errorf("%d environments are gone", n)
	}
	e.retry(request)
	e.drive(request, models.Succeeded)
	e.gone()
	if n := e.w.count(`SELECT count(*) FROM calls WHERE op = 'DeleteStack' AND error_code = ''`); n != 4 { // first, second twice, the baseline
		t.Errorf("%d deletions", n)
	}
}

const repositoryless = `
Resources:
  Topic: {Type: AWS::SNS::Topic}
`

// TestCloseIsPlannedAgain when something came up between plan and run: nothing that was not approved is deleted.
func TestCloseIsPlannedAgain(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	request := e.ends(models.CloseTenantInputs{})
	e.approve(request)
	late := e.own(models.EnvironmentObject, "late", repositoryless, nil)
	e.driveTo("a new plan", func() bool {
		return one[int](e, `SELECT count(*) FROM plans WHERE request_id = $1`, request) == 2 && e.state(request) == models.AwaitingApproval
	})
	if !e.standing(late) {
		t.Fatal("what nobody approved is gone")
	}
	if why := one[string](e, `SELECT reason FROM requests WHERE id = $1`, request); !strings.Contains(why, "environment late, which the plan does not name") {
		t.Errorf("planned again because %q", why)
	}
	e.succeed(request)
	e.gone()
	if r := e.receiptOf(request); line(r.Gone, "late/Topic") == nil {
		t.Errorf("receipt %+v", r.Gone)
	}
}
