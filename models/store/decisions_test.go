package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"slipway/models"
)

func TestTwentyApprovalsOneWinner(t *testing.T) {
	t.Parallel()
	s, _ := open(t, func(o *Options) { o.Connections = 25 })
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	hash := planned(t, s, r.ID, "one")
	var admins []models.Actor
	for i := range 20 {
		a, _ := signIn(t, s, fmt.Sprint("admin", i), "platform-admins")
		admins = append(admins, a)
	}
	var wg sync.WaitGroup
	var won, late atomic.Int32
	for _, a := range admins {
		wg.Go(func() {
			switch err := s.Decide(t.Context(), a, r.ID, hash, models.Approve, ""); {
			case err == nil:
				won.Add(1)
			case models.KindOf(err) == models.Conflict:
				late.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || late.Load() != 19 {
		t.Errorf("%d won and %d were late, want 1 and 19", won.Load(), late.Load())
	}
	if n := count(t, s, `SELECT count(*) FROM journal WHERE kind = 'run'`); n != 1 {
		t.Errorf("%d runs wait, want 1", n)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'request.approved'`); n != 1 {
		t.Errorf("%d entries say it was approved, want 1", n)
	}
}

func TestTwoApprovalsAreTwoPeople(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	hash := planned(t, s, r.ID, "one", models.Demand{Role: string(models.PlatformAdmin), Count: 2})
	for range 2 {
		if err := s.Decide(t.Context(), c.admin, r.ID, hash, models.Approve, ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := state(t, s, r.ID); got != models.AwaitingApproval {
		t.Fatalf("one person sufficed: it is %s", got)
	}
	if err := s.Decide(t.Context(), c.admin2, r.ID, hash, models.Approve, ""); err != nil {
		t.Fatal(err)
	}
	if got := state(t, s, r.ID); got != models.Approved {
		t.Errorf("it is %s after two people", got)
	}
}

func TestNobodyApprovesTheirOwn(t *testing.T) {
	t.Parallel()
	s, ownerURL := open(t)
	c := players(t, s)
	r := submit(t, s, c.admin, "logistics")
	hash := planned(t, s, r.ID, "one")
	for name, who := range map[string]models.Actor{"requester": c.admin, "system": models.System("engine", c.admin2.Person.ID), "auditor": c.auditor} {
		if err := s.Decide(t.Context(), who, r.ID, hash, models.Approve, ""); models.KindOf(err) != models.Forbidden {
			t.Errorf("%s: got %v, want forbidden", name, err)
		}
	}
	owner, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.Background())
	insert := `INSERT INTO approvals (id, request_id, plan_hash, decision, person_id, role, dropped, at) VALUES ($1, $2, $3, 'approve', $4, 'platform-admin', $5, now())`
	_, err = owner.Exec(t.Context(), insert, models.NewID(), r.ID, hash, c.admin.Person.ID, false)
	refuses(t, "a raw self-approval", err, "23514")
	if _, err := owner.Exec(t.Context(), insert, models.NewID(), r.ID, hash, c.admin.Person.ID, true); err != nil {
		t.Fatal(err)
	}
	_, err = owner.Exec(t.Context(), `UPDATE approvals SET dropped = false WHERE request_id = $1`, r.ID)
	refuses(t, "a self-approval made valid later", err, "23514")
	if state(t, s, r.ID) != models.AwaitingApproval {
		t.Errorf("it is %s", state(t, s, r.ID))
	}
}

func refuses(t testing.TB, what string, err error, code string) {
	t.Helper()
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != code {
		t.Errorf("%s: got %v, want SQLSTATE %s", what, err, code)
	}
}

func TestDecisionIsBoundToItsPlan(t *testing.T) {
	t.Parallel()
	clock := &models.ShiftedClock{}
	s, _ := open(t, func(o *Options) { o.Clock = clock })
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	old := planned(t, s, r.ID, "one")
	if err := s.PlanAgain(t.Context(), c.admin, r.ID); err != nil {
		t.Fatal(err)
	}
	hash := planned(t, s, r.ID, "two")
	if err := s.Decide(t.Context(), c.admin, r.ID, old, models.Approve, ""); models.KindOf(err) != models.Conflict || !strings.Contains(err.Error(), "changed") {
		t.Errorf("an old hash: %v", err)
	}
	clock.SetOffset(25 * time.Hour)
	if err := s.Decide(t.Context(), c.admin, r.ID, hash, models.Approve, ""); models.KindOf(err) != models.Conflict || !strings.Contains(err.Error(), "24 hours") {
		t.Errorf("an old plan: %v", err)
	}
	if got := state(t, s, r.ID); got != models.Planning {
		t.Errorf("it is %s, want it planned again", got)
	}
	if n := count(t, s, `SELECT count(*) FROM approvals`); n != 0 {
		t.Errorf("%d approvals were kept", n)
	}
	planned(t, s, r.ID, "two")
	clock.SetOffset(50 * time.Hour)
	if p, err := s.RequestPage(t.Context(), c.auditor, r.ID); err != nil || p.Request.State != models.Planning {
		t.Errorf("opened with an old plan it is %s, %v", p.Request.State, err)
	}
}

func TestRejectNeedsAReasonAndFreesTheName(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	hash := planned(t, s, r.ID, "one")
	if err := s.Decide(t.Context(), c.admin, r.ID, hash, models.Reject, ""); models.Fields(err)["reason"] == "" {
		t.Errorf("got %v", err)
	}
	for range 2 {
		if err := s.Decide(t.Context(), c.admin, r.ID, hash, models.Reject, "Use payments."); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Request(t.Context(), c.dev, r.ID)
	if err != nil || got.State != models.Rejected || got.Reason != "Use payments." || got.EndedAt.IsZero() {
		t.Errorf("got %+v, %v", got, err)
	}
	if used, _ := s.SlugTaken(t.Context(), c.dev, "logistics"); used {
		t.Error("the name stays reserved")
	}
}

func TestBreakGlass(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := submit(t, s, c.admin, "logistics")
	hash := planned(t, s, r.ID, "one")
	why := "The only other admin is on a plane."
	if err := s.BreakGlass(t.Context(), c.admin, r.ID, hash, why, s.clock.Wall()); models.KindOf(err) != models.Forbidden {
		t.Errorf("switched off: %v", err)
	}
	s.opt.BreakGlass = true
	if err := s.BreakGlass(t.Context(), c.outsider, r.ID, hash, why, s.clock.Wall()); models.KindOf(err) != models.NotFound {
		t.Errorf("not an admin: %v", err)
	}
	if err := s.BreakGlass(t.Context(), c.admin, r.ID, hash, why, s.clock.Wall().Add(-6*time.Minute)); models.KindOf(err) != models.Forbidden {
		t.Errorf("an old sign-in: %v", err)
	}
	if err := s.BreakGlass(t.Context(), c.admin, r.ID, hash, "because", s.clock.Wall()); models.Fields(err)["reason"] == "" {
		t.Errorf("a thin reason: %v", err)
	}
	if err := s.BreakGlass(t.Context(), c.admin, r.ID, hash, why, s.clock.Wall()); err != nil {
		t.Fatal(err)
	}
	if got := state(t, s, r.ID); got != models.Approved {
		t.Errorf("it is %s", got)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'approval.break_glass' AND after->>'reason' = $1`, why); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}
