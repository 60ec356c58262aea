package store

import (
	"testing"

	"slipway/models"
)

// TestWhoHoldsTwoRolesApprovesWithTheMissingOne: an admin who owns the tenant counts as the owner once the admin's approval is there.
func TestWhoHoldsTwoRolesApprovesWithTheMissingOne(t *testing.T) {
	t.Parallel()
	s, c, _ := world(t, 8)
	both, _ := signIn(t, s, "both", "platform-admins", "t000002-owners")
	_, err := s.pool.Exec(t.Context(), `UPDATE plans SET notes = '{"demands": [{"role": "platform-admin", "count": 1}, {"role": "owner", "count": 1}]}'
		WHERE request_id = (SELECT id FROM requests WHERE object_name = 't000002')`)
	if err != nil {
		t.Fatal(err)
	}
	type key struct{ ID, PlanHash string }
	r, err := one[key](s.read(t.Context()), `SELECT id, plan_hash FROM requests WHERE object_name = 't000002'`)
	if err != nil {
		t.Fatal(err)
	}
	for _, approver := range []models.Actor{c.admin2, both} {
		if got := state(t, s, r.ID); got != models.AwaitingApproval {
			t.Fatalf("it is %s too early", got)
		}
		if err := s.Decide(t.Context(), approver, r.ID, r.PlanHash, models.Approve, ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := state(t, s, r.ID); got != models.Approved {
		t.Errorf("it is %s after an admin and an owner", got)
	}
}
