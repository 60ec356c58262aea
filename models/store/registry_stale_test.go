package store

import (
	"testing"
	"time"

	"slipway/models"
)

func TestStaleAccountsAreThoseAskedLongAgo(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	g := s.Registry()
	made, err := g.EnsureTenant(t.Context(), worker, running(t, s, "payments").ID)
	if err != nil {
		t.Fatal(err)
	}
	now := s.clock.Wall()
	list := func() []string {
		t.Helper()
		stale, err := g.StaleAccounts(t.Context(), now.Add(-time.Minute), 10)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, a := range stale {
			names = append(names, a.Name)
		}
		return names
	}
	if got := list(); len(got) != 0 {
		t.Errorf("accounts that AWS has not made: %v", got)
	}
	for i, at := range []time.Time{now.Add(-time.Hour), {}} {
		if err := g.SaveAccount(t.Context(), worker, made.Accounts[i].ID, func(a *models.Account) {
			a.AWSID, a.AWSStateAt = []string{"555555555555", "666666666666"}[i], at
		}); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(); len(got) != 2 || got[0] != made.Accounts[1].Name {
		t.Errorf("the one never asked for comes first: %v", got)
	}
	if err := g.SaveAccount(t.Context(), worker, made.Accounts[1].ID, func(a *models.Account) { a.AWSStateAt = now }); err != nil {
		t.Fatal(err)
	}
	if got := list(); len(got) != 1 || got[0] != made.Accounts[0].Name {
		t.Errorf("got %v", got)
	}
}
