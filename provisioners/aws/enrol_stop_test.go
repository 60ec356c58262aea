package aws

import (
	"strings"
	"testing"

	"slipway/models"
)

// diesEverywhere dies once at every point of every step.
func (k *walk) diesEverywhere() map[string]bool {
	died := map[string]bool{}
	k.cut = func(step, point string) bool {
		if died[step+"/"+point] {
			return false
		}
		died[step+"/"+point] = true
		return true
	}
	return died
}

// TestEnrolStoppedAnywhere dies once at every point of enrolling an account that moves, of enrolling one by hand, and of moving that.
func TestEnrolStoppedAnywhere(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]models.AccountInputs{"moved": {Class: models.Prod, AWSID: dataLab, Move: true}, "by hand": {Class: models.Prod, AWSID: legacyShop}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 500)
			k := settledTenant(t, w, enrolClients(w, nil)).asks(models.EnrolAccount, in)
			k.mustPlan()
			died := k.diesEverywhere()
			k.person = enrolsByHand(w, in.AWSID)
			if err := k.run(); err != nil {
				t.Fatal(err)
			}
			unit := "ou-demo-prod0001"
			if !in.Move {
				unit = legacyUnit
			}
			k.hasEnrolled(in.AWSID, models.Prod, unit, !in.Move)
			if !died["account.enrol.prod/after-aws-call"] || !died["tenant.budget/after-intent-commit"] || in.Move != died["account.move.prod/after-aws-call"] {
				t.Errorf("it died at %v", died)
			}
			if in.Move {
				return
			}
			move := k.asks(models.MoveAccount, models.AccountInputs{Class: models.Prod})
			died = move.diesEverywhere()
			move.movesByHand(in.AWSID)
			if !died["account.move.prod/after-aws-call"] {
				t.Errorf("the move died at %v", died)
			}
		})
	}
}

// TestEnrolIsTakenBack: the account goes back to its unit without our tags, and the budget watches what it did; what stays is named.
func TestEnrolIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := settledTenant(t, w, enrolClients(w, nil)).asks(models.EnrolAccount, models.AccountInputs{Class: models.Prod, AWSID: legacyShop, Move: true})
	k.mustPlan()
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	k.undoes()
	for what, query := range map[string]string{
		"back in its unit, without tags": `SELECT count(*) FROM accounts WHERE id = '411111111111' AND parent = 'ou-demo-legacy001' AND tags->>'slipway:tenant' IS NULL AND state = 'ACTIVE'`,
		"without its baseline":           `SELECT 1 - count(*) FROM stacks WHERE account = '411111111111' AND name = 'slw-payments-baseline' AND status <> 'DELETE_COMPLETE'`,
		"out of the budget":              `SELECT count(*) FROM budgets WHERE body::text NOT LIKE '%411111111111%' AND body::text LIKE '%' || (SELECT id FROM accounts WHERE name = 'payments-nonprod') || '%'`,
	} {
		if n := w.count(query); n != 1 {
			t.Errorf("it is not %s", what)
		}
	}
	steps, err := k.serves.Steps(k.plan)
	if err != nil {
		t.Fatal(err)
	}
	stays := ""
	for _, s := range steps {
		stays += s.Stays + "\n"
	}
	if !strings.Contains(stays, "the stack with Slipway's roles") {
		t.Errorf("what stays: %s", stays)
	}
	again := k.asks(models.EnrolAccount, models.AccountInputs{Class: models.Prod, AWSID: legacyShop, Move: true})
	again.mustPlan()
	again.wants("add | Enrolled AWS account | Account")
}
