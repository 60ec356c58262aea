package store

import (
	"testing"
	"time"

	"slipway/models"
)

// TestWatchEnvironments: the home page names what broke, what ends within seven days and what drifted, each only to who may see it.
func TestWatchEnvironments(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	for _, name := range []string{"is-broken", "ends-soon", "has-drift", "let-be", "is-fine"} {
		e.made(t, site(name))
	}
	set := func(sql string, args ...any) {
		t.Helper()
		if err := e.db.Exec(sql, args...).Error; err != nil {
			t.Fatal(err)
		}
	}
	now := e.clock.Now()
	set(`UPDATE environments SET state = 'broken' WHERE name = 'is-broken'`)
	set(`UPDATE environments SET expires_at = ? WHERE name = 'ends-soon'`, now.Add(6*24*time.Hour))
	set(`UPDATE environments SET drift = 'drifted', drifted = 2 WHERE name IN ('has-drift', 'let-be')`)
	set(`INSERT INTO drifts (id, object_id, tenant_id, state, started_at, by_whom, accepted_until) SELECT ?, id, tenant_id, 'drifted', ?, 'nightly', ? FROM environments WHERE name = 'let-be'`,
		models.NewID(), now, now.Add(time.Hour))
	w, err := e.WatchEnvironments(ctx, e.developer)
	if err != nil {
		t.Fatal(err)
	}
	for want, got := range map[string][]models.EnvironmentRow{"is-broken": w.Broken, "ends-soon": w.Expiring, "has-drift": w.Drifted} {
		if len(got) != 1 || got[0].Name != want {
			t.Errorf("want %s, got %+v", want, got)
		}
	}
	if w.BrokenAll != 1 || w.ExpiringAll != 1 || w.DriftedAll != 1 {
		t.Errorf("counted %d, %d, %d", w.BrokenAll, w.ExpiringAll, w.DriftedAll)
	}
	if w, err = e.WatchEnvironments(ctx, models.Actor{Person: models.Person{ID: models.NewID()}}); err != nil || w.BrokenAll+w.ExpiringAll+w.DriftedAll != 0 {
		t.Errorf("a stranger sees %+v, %v", w, err)
	}
}
