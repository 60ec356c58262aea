package store

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/models"
)

// open a journal row by a transaction of the store, and give its wake-up.
func enqueued(t testing.TB, s *Store, kind models.JournalKind, object string, delay time.Duration) models.WakeArgs {
	t.Helper()
	if err := s.tx(t.Context(), func(t *tx) error { return t.enqueue(kind, object, delay) }); err != nil {
		t.Fatal(err)
	}
	var w models.WakeArgs
	err := s.pool.QueryRow(t.Context(), `SELECT id, generation FROM journal WHERE kind = $1 AND object_id = $2 AND NOT done`, kind, object).Scan(&w.JournalID, &w.Generation)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func take(t testing.TB, s *Store, w models.WakeArgs, owner string) *models.Job {
	t.Helper()
	job, err := s.Journal().Take(t.Context(), w, owner, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

func TestOneOfManyTakesARow(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	w := enqueued(t, s, models.PlanWork, models.NewID(), 0)
	var wg sync.WaitGroup
	won := make(chan string, 20)
	for i := range 20 {
		owner := string(rune('a' + i))
		wg.Go(func() {
			if job, err := s.Journal().Take(t.Context(), w, owner, time.Minute); err != nil {
				t.Error(err)
			} else if job != nil {
				won <- owner
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d workers took the row, want one", len(won))
	}
}

func TestRowIsNotTakenBeforeItIsDue(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	w := enqueued(t, s, models.PlanWork, models.NewID(), time.Hour)
	if job := take(t, s, w, "a"); job != nil {
		t.Error("a row was taken an hour early")
	}
	if n, err := s.Journal().Sweep(t.Context(), 0); err != nil || n != 0 {
		t.Errorf("the sweep took %d rows, %v", n, err)
	}
	if state, want := scheduled(t, s, w), "scheduled"; state != want {
		t.Errorf("River's job is %s, want %s", state, want)
	}
	soonish := enqueued(t, s, models.PlanWork, models.NewID(), 2*time.Second)
	if state, want := scheduled(t, s, soonish), "available"; state != want {
		t.Errorf("River's near job is %s, want %s", state, want)
	}
}

func scheduled(t testing.TB, s *Store, w models.WakeArgs) string {
	t.Helper()
	var state string
	err := s.pool.QueryRow(t.Context(), `SELECT state FROM river_job WHERE args->>'journal_id' = $1`, w.JournalID).Scan(&state)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// A lapsed lease is swept: the generation rises, a new wake-up is there, and the old holder's writes are refused.
func TestSweepTakesALapsedLease(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	j := s.Journal()
	w := enqueued(t, s, models.RunWork, models.NewID(), 0)
	job := take(t, s, w, "first")
	if n, err := j.Sweep(t.Context(), 0); err != nil || n != 0 {
		t.Fatalf("a held row was swept: %d, %v", n, err)
	}
	if _, err := s.pool.Exec(t.Context(), `UPDATE journal SET lease_until = clock_timestamp() - interval '1 ms'`); err != nil {
		t.Fatal(err)
	}
	if err := j.Renew(t.Context(), *job, time.Minute); !errors.Is(err, models.ErrStale) {
		t.Errorf("a lapsed lease was renewed: %v", err)
	}
	var wg sync.WaitGroup
	swept := make(chan int, 5)
	for range 5 { // all workers sweep at the same time
		wg.Go(func() {
			n, err := j.Sweep(t.Context(), time.Minute)
			if err != nil {
				t.Error(err)
			}
			swept <- n
		})
	}
	wg.Wait()
	close(swept)
	total := 0
	for n := range swept {
		total += n
	}
	if total != 1 {
		t.Errorf("the row was swept %d times, want once", total)
	}
	if n := count(t, s, `SELECT count(*) FROM river_job WHERE (args->>'generation')::int = 2`); n != 1 {
		t.Errorf("%d new wake-ups, want one", n)
	}
	for name, err := range map[string]error{
		"End":  j.End(t.Context(), *job, models.NextCall{Done: true}),
		"Keep": j.Keep(t.Context(), *job, map[string]int{"n": 1}),
	} {
		if !errors.Is(err, models.ErrStale) {
			t.Errorf("%s of the old holder: %v, want a stale refusal", name, err)
		}
	}
	if take(t, s, w, "first") != nil {
		t.Error("the old wake-up took the row")
	}
	if take(t, s, models.WakeArgs{JournalID: w.JournalID, Generation: 2}, "second") == nil {
		t.Error("the new wake-up did not take the row")
	}
}

// TestSweepKeepsPlacesInTheQueue sweeps rows that only wait for their turn, twice: each comes before those that were due after it, those
// that were not swept included.
func TestSweepKeepsPlacesInTheQueue(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	var want []string
	for i := range 40 {
		want = append(want, enqueued(t, s, models.PlanWork, models.NewID(), 0).JournalID)
		if _, err := s.pool.Exec(t.Context(), `UPDATE journal SET next_at = clock_timestamp() - interval '1 hour' + $2 * interval '1 minute' WHERE id = $1`, want[i], i); err != nil {
			t.Fatal(err)
		}
	}
	young := enqueued(t, s, models.PlanWork, models.NewID(), 0).JournalID
	want = append(want, young)
	for range 2 {
		if n, err := s.Journal().Sweep(t.Context(), time.Minute); err != nil || n != 40 {
			t.Fatalf("the sweep took %d rows, %v", n, err)
		}
		rows, err := s.pool.Query(t.Context(), `SELECT j.id FROM river_job r JOIN journal j ON j.id::text = r.args->>'journal_id' AND j.generation = (r.args->>'generation')::bigint
			WHERE r.state = 'available' ORDER BY r.priority, r.scheduled_at, r.id`)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("the queue is\n%v, want\n%v (%v)", got, want, err)
		}
		if _, err := s.pool.Exec(t.Context(), `UPDATE journal SET next_at = next_at - interval '10 minutes' WHERE id <> $1`, young); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReleaseGivesRowsBack(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	mine, other := enqueued(t, s, models.RunWork, models.NewID(), 0), enqueued(t, s, models.RunWork, models.NewID(), 0)
	take(t, s, mine, "me")
	take(t, s, other, "other")
	if err := s.Journal().Release(t.Context(), "me"); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Journal().Sweep(t.Context(), 0); err != nil || n != 1 {
		t.Errorf("swept %d rows, want the released one: %v", n, err)
	}
}

// A row that is opened again while a call is in flight is taken from that call.
func TestEnqueueTakesAnOpenRow(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	object := models.NewID()
	first := enqueued(t, s, models.PlanWork, object, 0)
	job := take(t, s, first, "a")
	second := enqueued(t, s, models.PlanWork, object, 0)
	if second.JournalID != first.JournalID || second.Generation != first.Generation+1 {
		t.Errorf("got %+v after %+v", second, first)
	}
	if err := s.Journal().End(t.Context(), *job, models.NextCall{Done: true}); !errors.Is(err, models.ErrStale) {
		t.Errorf("the overtaken call ended with %v", err)
	}
	if job = take(t, s, second, "a"); job == nil {
		t.Fatal("the second wake-up took nothing")
	}
	if err := s.Journal().End(t.Context(), *job, models.NextCall{Done: true}); err != nil {
		t.Fatal(err)
	}
	if third := enqueued(t, s, models.PlanWork, object, 0); third.JournalID == first.JournalID {
		t.Error("a done row was opened again")
	}
}

func TestNudgeLeavesACallInFlightAlone(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	object := models.NewID()
	w := enqueued(t, s, models.RunWork, object, time.Hour)
	nudge := func() {
		t.Helper()
		if err := s.tx(t.Context(), func(t *tx) error { return t.nudge(models.RunWork, object) }); err != nil {
			t.Fatal(err)
		}
	}
	nudge()
	w.Generation++
	job := take(t, s, w, "a")
	if job == nil {
		t.Fatal("the nudged row is not due")
	}
	nudge()
	if err := s.Journal().End(t.Context(), *job, models.NextCall{Delay: time.Minute, State: map[string]int{"n": 3}}); err != nil {
		t.Errorf("the call in flight was disturbed: %v", err)
	}
}

func TestGaugesCountWhatIsOpen(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	write(t, s, 3)
	running(t, s, "payments")
	enqueued(t, s, models.RunWork, models.NewID(), 0)
	enqueued(t, s, models.PlanWork, models.NewID(), time.Hour)
	if _, err := s.pool.Exec(t.Context(), `UPDATE journal SET next_at = next_at - interval '1 minute' WHERE kind = 'run'`); err != nil {
		t.Fatal(err)
	}
	g, err := s.Gauges(t.Context())
	if err != nil || g.Queue[models.RunWork] != 1 || g.Queue[models.PlanWork] != 1 || g.Runs[models.Running] != 1 || g.Tail < 3 || g.Late < 50*time.Second || g.Late > time.Hour {
		t.Errorf("got %+v, %v", g, err)
	}
}

// Every write of a worker that has lost its row is refused, and leaves nothing behind.
func TestStaleWritersWriteNothing(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	req := running(t, s, "payments")
	made, err := s.Registry().EnsureTenant(t.Context(), worker, req.ID)
	if err != nil {
		t.Fatal(err)
	}
	account := made.Accounts[0].ID
	if err := s.Registry().AskSlot(t.Context(), worker, req.RunID, account); err != nil {
		t.Fatal(err)
	}
	step := models.NewID()
	if _, err := s.pool.Exec(t.Context(), `INSERT INTO steps (id, run_id, position, name, title, state) VALUES ($1, $2, 1, 'one', 'One', 'pending')`, step, req.RunID); err != nil {
		t.Fatal(err)
	}
	stale := func(kind models.JournalKind, object string) models.Job {
		job := take(t, s, enqueued(t, s, kind, object, 0), "a")
		if _, err := s.pool.Exec(t.Context(), `UPDATE journal SET generation = generation + 1 WHERE id = $1`, job.ID); err != nil {
			t.Fatal(err)
		}
		return *job
	}
	run, vend, plan := stale(models.RunWork, req.ID), stale(models.VendWork, account), stale(models.PlanWork, req.ID)
	j := s.Journal()
	world := func() string {
		var all string
		err := s.pool.QueryRow(t.Context(), `SELECT concat((SELECT jsonb_agg(r) FROM requests r), (SELECT jsonb_agg(t) FROM steps t), (SELECT jsonb_agg(a) FROM accounts a),
			(SELECT jsonb_agg(c) FROM creation_slots c), (SELECT jsonb_agg(l) FROM locks l), (SELECT count(*) FROM run_events), (SELECT count(*) FROM plans),
			(SELECT jsonb_agg(x ORDER BY x.id) FROM journal x), (SELECT count(*) FROM audit_entries), (SELECT count(*) FROM river_job))`).Scan(&all)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	change := models.StepChange{StepID: step, State: models.StepRunning, Intent: true, Events: []models.StepEvent{{Key: "k", Text: "t"}}}
	for name, write := range map[string]func() error{
		"Intend":   func() error { return j.Intend(t.Context(), run, change) },
		"EndCall":  func() error { return j.EndCall(t.Context(), run, models.CallOutcome{Step: &change}) },
		"BeginRun": func() error { return j.BeginRun(t.Context(), run, models.RunBegin{}) },
		"LockForPlan": func() error {
			_, _, err := j.LockForPlan(t.Context(), plan, 0)
			return err
		},
		"FinishPlan": func() error { return j.FinishPlan(t.Context(), plan, models.Planned{Failure: "x"}) },
		"TakeSlot":   func() error { _, _, err := j.TakeSlot(t.Context(), vend, 1); return err },
		"EndVend": func() error {
			return j.EndVend(t.Context(), vend, models.VendOutcome{Outcome: "created", AWSID: "123456789012"})
		},
		"Keep": func() error { return j.Keep(t.Context(), vend, 1) },
	} {
		before := world()
		if err := write(); !errors.Is(err, models.ErrStale) {
			t.Errorf("%s: got %v, want a stale refusal", name, err)
		}
		if after := world(); after != before {
			t.Errorf("%s has written:\n%s\n%s", name, before, after)
		}
	}
}
