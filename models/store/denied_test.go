package store

import (
	"testing"
	"time"

	"slipway/models"
)

func TestOnlyTheFirstDenialIsAnEntryAtOnce(t *testing.T) {
	t.Parallel()
	clock := &models.ShiftedClock{}
	s, _ := open(t, func(o *Options) { o.Clock = clock })
	eve, _ := signIn(t, s, "eve")
	toNextMinute := s.clock.Now().Truncate(time.Minute).Add(time.Minute).Sub(s.clock.Now())
	clock.SetOffset(toNextMinute)
	for range 50 {
		if err := s.Denied(t.Context(), eve, "GET /tenants/:tenant", "tenant", "payments"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Denied(t.Context(), eve, "GET /tenants/:tenant", "tenant", "other\x00"); err != nil {
		t.Fatal(err)
	}
	entries := func() int {
		return count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'access.denied' AND actor_id = $1`, eve.Person.ID)
	}
	if n := entries(); n != 2 {
		t.Errorf("%d entries at once, want one for each object", n)
	}
	if n, err := s.FlushDenied(t.Context()); n != 0 || err != nil {
		t.Errorf("flushed %d, %v while the minute lasts", n, err)
	}
	clock.SetOffset(toNextMinute + time.Minute)
	if n, err := s.FlushDenied(t.Context()); n != 1 || err != nil {
		t.Errorf("flushed %d, %v; want the counted rest", n, err)
	}
	if n := entries(); n != 3 {
		t.Errorf("%d entries in the end, want 3", n)
	}
	if n := count(t, s, `SELECT (after->>'count')::int FROM audit_entries WHERE action = 'access.denied' ORDER BY at DESC, id DESC LIMIT 1`); n != 49 {
		t.Errorf("the late entry counts %d, want 49", n)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_denied`); n != 0 {
		t.Errorf("%d counters left", n)
	}
}
