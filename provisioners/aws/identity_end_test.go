package aws

import (
	"testing"

	"slipway/models"
)

// TestAccessEnds takes everybody's access to an account away, but not what somebody else gave, and gives it back when the end is undone.
func TestAccessEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := made(t, w, models.NonProd)
	account := k.accountOf(models.NonProd)
	w.exec(`INSERT INTO account_assignments (account, permission_set, principal, principal_type, since)
		SELECT '` + account + `', '` + viewerSet + `', id, 'GROUP', clock_timestamp() FROM identity_groups WHERE name = 'o2'`)
	row, err := k.books.BoundAccount(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	end := ending{Closing: &Closing{tenants: k.tenants, registry: k.books}, part: models.PlanPart{Name: "Account payments-nonprod", Account: account, Class: models.NonProd, Tags: map[string]string{models.TagTenant: "payments", tagAccountRow: row.ID}}}
	if end.part.Changes, err = k.tenants.removals(t.Context(), who{}, row); err != nil || len(end.part.Changes) != 3 {
		t.Fatalf("it would end %+v, %v", end.part.Changes, err)
	}
	c := k.changed(otherPeople)
	step := end.accessStep()
	step.Name = end.step(stepAccessRemove)
	if err := c.work(step); err != nil {
		t.Fatal(err)
	}
	left := func(want int) {
		t.Helper()
		for _, group := range []string{"o", "d", "v"} {
			if n := w.assigned(account, group, ""); n != want {
				t.Errorf("group %s has %d assignments, want %d", group, n, want)
			}
		}
		if n := w.assigned(account, "o2", viewerSet); n != 1 {
			t.Errorf("the assignment by hand: %d", n)
		}
	}
	left(0)
	if a := k.knows("o"); a.State != models.AccessRemoved {
		t.Errorf("Slipway knows %+v", a)
	}
	c.undo(step)
	left(1)
}
