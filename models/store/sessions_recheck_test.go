package store

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"slipway/models"
)

// refreshing is a session with a refresh token that is due.
func refreshing(t *testing.T, s *Store) (models.Session, []byte) {
	t.Helper()
	hash := session(t, s, "ada", "1", "one")
	if _, err := s.pool.Exec(t.Context(), `UPDATE sessions SET refresh_token = 'sealed', checked_at = checked_at - interval '11 minutes'`); err != nil {
		t.Fatal(err)
	}
	in, _, err := s.Session(t.Context(), visitor, hash)
	if err != nil || !in.Rechecks {
		t.Fatal(err)
	}
	return in, hash
}

func (s *Store) claim(t *testing.T, id string, lease time.Duration) (models.Recheck, error) {
	now := s.clock.Wall()
	return s.ClaimRecheck(t.Context(), visitor, id, now.Add(-10*time.Minute), now, lease)
}

func TestOneOfManyRechecks(t *testing.T) {
	t.Parallel()
	s, ownerURL := open(t)
	other := openAt(t, ownerURL)
	in, _ := refreshing(t, s)
	var wg sync.WaitGroup
	var won atomic.Int32
	for i := range 20 {
		wg.Go(func() {
			at := []*Store{s, other}[i%2]
			r, err := at.claim(t, in.ID, time.Minute)
			switch {
			case err == nil && r.Fence == 1 && !r.Doubt && string(r.RefreshToken) == "sealed" && r.Subject == "ada":
				won.Add(1)
			case models.KindOf(err) != models.Conflict:
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d use the token", won.Load())
	}
}

func TestRecheckIsFenced(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	in, hash := refreshing(t, s)
	first, err := s.claim(t, in.ID, 0) // its lease lapses at once: the process hangs
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.claim(t, in.ID, time.Minute)
	if err != nil || !second.Doubt || second.Fence != first.Fence+1 {
		t.Fatalf("after the lease: %+v, %v", second, err)
	}
	vouched := models.RecheckOutcome{At: s.clock.Wall(), Vouched: true, Groups: []string{"auditors"}, RefreshToken: []byte("next")}
	if err := s.SettleRecheck(t.Context(), visitor, first, vouched); models.KindOf(err) != models.Conflict {
		t.Errorf("the late one is believed: %v", err)
	}
	if err := s.SettleRecheck(t.Context(), visitor, second, vouched); err != nil {
		t.Fatal(err)
	}
	got, who, err := s.Session(t.Context(), visitor, hash)
	if err != nil || !slices.Equal(who.Person.Groups, []string{"auditors"}) || !got.CheckedAt.Equal(vouched.At) {
		t.Errorf("groups %v, checked %v, %v", who.Person.Groups, got.CheckedAt, err)
	}
	if n := count(t, s, `SELECT count(*) FROM sessions WHERE refresh_token = 'next' AND NOT recheck_doubt AND recheck_lease IS NULL`); n != 1 {
		t.Error("the next token is not kept")
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'auth.groups_changed' AND before->'groups' = '["engineers"]' AND after->'groups' = '["auditors"]'`); n != 1 {
		t.Errorf("%d audit entries", n)
	}
	if _, err := s.claim(t, in.ID, time.Minute); models.KindOf(err) != models.Conflict {
		t.Errorf("it is due again at once: %v", err)
	}
}

func TestRecheckOutcomes(t *testing.T) {
	t.Parallel()
	wall := (&models.ShiftedClock{}).Wall()
	for name, tc := range map[string]struct {
		out     models.RecheckOutcome
		ended   models.EndReason
		failing bool
		again   bool // it can be claimed again at once
		doubt   bool
	}{
		"vouched":  {models.RecheckOutcome{At: wall, Vouched: true, Groups: []string{"engineers"}}, "", false, false, false},
		"refused":  {models.RecheckOutcome{At: wall, Ended: models.EndedRefused, Reason: "invalid_grant"}, models.EndedRefused, true, false, false},
		"away":     {models.RecheckOutcome{At: wall, Next: wall.Add(time.Hour)}, "", true, false, false},
		"no words": {models.RecheckOutcome{At: wall, Doubt: true}, "", true, true, true},
		"lost":     {models.RecheckOutcome{At: wall, Lost: true}, "", true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t)
			in, hash := refreshing(t, s)
			r, err := s.claim(t, in.ID, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.SettleRecheck(t.Context(), visitor, r, tc.out); err != nil {
				t.Fatal(err)
			}
			got, _, err := s.Session(t.Context(), visitor, hash)
			if err != nil || got.EndedWhy != tc.ended || got.EndedAt.IsZero() != (tc.ended == "") || got.FailingSince.IsZero() == tc.failing {
				t.Errorf("ended %v because %q, failing since %v, %v", got.EndedAt, got.EndedWhy, got.FailingSince, err)
			}
			next, err := s.claim(t, in.ID, time.Minute)
			if (err == nil) != tc.again || next.Doubt != tc.doubt {
				t.Errorf("claimed again: %+v, %v", next, err)
			}
			if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'auth.session_ended' AND after->>'why' = 'refused'`); (n == 1) != (tc.ended != "") {
				t.Errorf("%d audit entries of an end", n)
			}
		})
	}
}
