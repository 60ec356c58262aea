package store

import (
	"strings"
	"testing"
	"time"

	"slipway/models"
)

const frozenReason = "Quarter end: nothing may change."

// beginNow has the engine try to begin the run of an approved request.
func beginNow(t *testing.T, s *Store, id string) models.Request {
	t.Helper()
	w := models.WakeArgs{}
	err := s.pool.QueryRow(t.Context(), `UPDATE journal SET next_at = clock_timestamp() WHERE kind = 'run' AND object_id = $1 AND NOT done RETURNING id, generation`, id).Scan(&w.JournalID, &w.Generation)
	if err != nil {
		t.Fatal(err)
	}
	job := take(t, s, w, "worker")
	if job == nil {
		t.Fatal("there is no job to begin the run")
	}
	begin := models.RunBegin{Steps: []models.Step{{Position: 1, Name: "one", Title: "One"}}, Retry: time.Second}
	if err := s.Journal().BeginRun(t.Context(), *job, begin); err != nil {
		t.Fatal(err)
	}
	r, err := s.Request(t.Context(), models.System("test", ""), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// approved is a request that is on its way to its first run.
func approved(t *testing.T, s *Store, c cast, slug string) models.Request {
	t.Helper()
	r := submit(t, s, c.dev, slug)
	if err := s.Decide(t.Context(), c.admin, r.ID, planned(t, s, r.ID, slug), models.Approve, ""); err != nil {
		t.Fatal(err)
	}
	return r
}

func freeze(t *testing.T, s *Store, c cast, slug string, lasts time.Duration) models.Freeze {
	t.Helper()
	f, err := s.AddFreeze(t.Context(), c.admin, models.NewID(), slug, frozenReason, s.clock.Now().Add(lasts))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFreezeHoldsNewRuns(t *testing.T) {
	t.Parallel()
	clock := &models.ShiftedClock{}
	s, _ := open(t, func(o *Options) { o.Clock = clock })
	c := players(t, s)
	running := approved(t, s, c, "before")
	beginNow(t, s, running.ID)
	r := approved(t, s, c, "logistics")
	freeze(t, s, c, models.Everybody, time.Hour)
	got := beginNow(t, s, r.ID)
	if got.State != models.Approved || got.Waiting == nil || got.Waiting.For != models.WaitsForFreeze || got.Waiting.Until.IsZero() || !strings.Contains(got.Waiting.Words, frozenReason) {
		t.Fatalf("while frozen it is %s and waits for %+v", got.State, got.Waiting)
	}
	if n := count(t, s, `SELECT count(*) FROM locks WHERE request_id = $1`, r.ID); n != 0 {
		t.Errorf("it holds %d locks while it waits", n)
	}
	if got := state(t, s, running.ID); got != models.Running {
		t.Errorf("what ran before is %s", got)
	}
	other := submit(t, s, c.dev, "another") // planning and deciding go on
	if err := s.Decide(t.Context(), c.admin, other.ID, planned(t, s, other.ID, "another"), models.Approve, ""); err != nil {
		t.Error(err)
	}
	clock.SetOffset(2 * time.Hour)
	if got := beginNow(t, s, r.ID); got.State != models.Running || got.Waiting != nil {
		t.Errorf("after the end it is %s and waits for %+v", got.State, got.Waiting)
	}
}

func TestLiftedFreezeLetsGo(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := approved(t, s, c, "logistics")
	f := freeze(t, s, c, models.Everybody, 24*time.Hour)
	if _, err := s.AddFreeze(t.Context(), c.admin, f.ID, models.Everybody, frozenReason, f.Until); err != nil { // the form was sent twice
		t.Fatal(err)
	}
	beginNow(t, s, r.ID)
	later := count(t, s, `SELECT count(*) FROM journal WHERE kind = 'run' AND object_id = $1 AND next_at > clock_timestamp() + interval '1 second'`, r.ID)
	if err := s.LiftFreeze(t.Context(), c.admin2, f.ID); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, `SELECT count(*) FROM journal WHERE kind = 'run' AND object_id = $1 AND next_at <= clock_timestamp()`, r.ID); later != 1 || n != 1 {
		t.Errorf("it looks later: %d, at once after lifting: %d", later, n)
	}
	if got := beginNow(t, s, r.ID); got.State != models.Running {
		t.Errorf("after lifting it is %s", got.State)
	}
	if err := s.LiftFreeze(t.Context(), c.admin, f.ID); err != nil {
		t.Errorf("lifting twice: %v", err)
	}
	for what, query := range map[string]string{
		"begin audited": `SELECT count(*) FROM audit_entries WHERE action = 'freeze.begin' AND after->>'reason' <> ''`, "lift audited, once": `SELECT count(*) FROM audit_entries WHERE action = 'freeze.lift'`,
	} {
		if n := count(t, s, query); n != 1 {
			t.Errorf("%s: %d", what, n)
		}
	}
	if n := count(t, s, `SELECT count(*) FROM notification_events WHERE kind = 'freeze'`); n != 2 {
		t.Errorf("%d events are told, want 2", n)
	}
	all, err := s.Freezes(t.Context(), c.auditor)
	if err != nil || len(all) != 1 || all[0].LiftedBy != "approver" || all[0].By != "admin" {
		t.Errorf("listed as %+v, %v", all, err)
	}
}

func TestFrozenRunsAreNotRetriedOrUndone(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := approved(t, s, c, "logistics")
	beginNow(t, s, r.ID)
	if _, err := s.pool.Exec(t.Context(), `UPDATE requests SET state = 'failed' WHERE id = $1`, r.ID); err != nil {
		t.Fatal(err)
	}
	f := freeze(t, s, c, models.Everybody, time.Hour)
	for what, err := range map[string]error{"retry": s.RetryRun(t.Context(), c.admin, r.ID), "undo": s.UndoRun(t.Context(), c.admin, r.ID)} {
		if models.KindOf(err) != models.Conflict || !strings.Contains(models.Message(err), frozenReason) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := s.LiftFreeze(t.Context(), c.admin, f.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.RetryRun(t.Context(), c.admin, r.ID); err != nil {
		t.Errorf("after lifting: %v", err)
	}
}

func TestFreezeOfOneTenant(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := approved(t, s, c, "logistics")
	_, err := s.pool.Exec(t.Context(), `INSERT INTO tenants (id, slug, display_name, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id, created_at, updated_at)
		VALUES ($1, 'frozen', 'Frozen', 'frozen-owners', 'frozen-developers', 'frozen-viewers', 'cc-1', 100, 'ready', $2, now(), now())`, models.NewID(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	wanted := freeze(t, s, c, "frozen", time.Hour)
	if got := beginNow(t, s, r.ID); got.State != models.Running {
		t.Errorf("another tenant's run is %s", got.State)
	}
	if _, err := s.AddFreeze(t.Context(), c.admin, models.NewID(), "nowhere", frozenReason, s.clock.Now().Add(time.Hour)); models.Fields(err)["tenant"] == "" {
		t.Errorf("of a tenant that does not exist: %v", err)
	}
	held := approved(t, s, c, "held")
	if _, err := s.pool.Exec(t.Context(), `UPDATE requests SET tenant_id = (SELECT id FROM tenants WHERE slug = 'frozen') WHERE id = $1`, held.ID); err != nil {
		t.Fatal(err)
	}
	if got := beginNow(t, s, held.ID); got.State != models.Approved || got.Waiting == nil {
		t.Errorf("the tenant's own run is %s", got.State)
	}
	member, _ := signIn(t, s, "member", "frozen-developers", "engineers")
	for who, tc := range map[string]struct {
		actor models.Actor
		sees  int
	}{"a member": {member, 1}, "an outsider": {c.outsider, 0}, "the auditor": {c.auditor, 1}} {
		if got, err := s.NavCounts(t.Context(), tc.actor); err != nil || len(got.Freezes) != tc.sees || tc.sees > 0 && got.Freezes[0].Words() != wanted.Words() {
			t.Errorf("%s sees %+v, %v", who, got, err)
		}
	}
}

func TestOnlyAdminsFreeze(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	f := freeze(t, s, c, models.Everybody, time.Hour)
	for name, who := range map[string]models.Actor{"auditor": c.auditor, "developer": c.dev, "system": models.System("engine", "")} {
		if _, err := s.AddFreeze(t.Context(), who, models.NewID(), models.Everybody, frozenReason, s.clock.Now().Add(time.Hour)); models.KindOf(err) != models.Forbidden {
			t.Errorf("%s freezes: %v", name, err)
		}
		if err := s.LiftFreeze(t.Context(), who, f.ID); models.KindOf(err) != models.Forbidden {
			t.Errorf("%s lifts: %v", name, err)
		}
	}
	if _, err := s.Freezes(t.Context(), c.dev); models.KindOf(err) != models.NotFound {
		t.Errorf("a developer lists them: %v", err)
	}
	if err := s.LiftFreeze(t.Context(), c.admin, models.NewID()); models.KindOf(err) != models.NotFound {
		t.Errorf("one that is not there: %v", err)
	}
	if _, err := s.AddFreeze(t.Context(), c.admin, models.NewID(), models.Everybody, "because", s.clock.Now().Add(31*24*time.Hour)); len(models.Fields(err)) != 2 {
		t.Errorf("a bad one: %v", err)
	}
}
