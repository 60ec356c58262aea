package rollup_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"slipway/dev/postgres/pgtest"
	"slipway/models"
	"slipway/models/store"
	"slipway/provisioners"
	"slipway/provisioners/rollup"
)

// reader is a collector whose answers a test decides.
type reader struct {
	info  models.CollectorInfo
	calls []string // cursors it was asked with
	read  func(models.CollectTarget) (models.Reading, error)
}

func (r *reader) Info() models.CollectorInfo { return r.info }

func (r *reader) Collect(ctx context.Context, t models.CollectTarget) (models.Reading, error) {
	r.calls = append(r.calls, string(t.Cursor))
	provisioners.CountCall(ctx, len(r.calls) == 1)
	return r.read(t)
}

// denied is an error as provisioners/aws has them.
type denied struct{ kind models.GapKind }

func (denied) Error() string { return "no" }

func (d denied) Gap() models.ReadGap { return models.ReadGap{Kind: d.kind, Words: "no"} }

// site is a store, an engine and one collector.
type site struct {
	t      *testing.T
	store  *store.Store
	rounds *rollup.Rounds
	reader *reader
	engine *provisioners.Engine
	die    string // the point at which the next call dies
	admin  models.Actor
}

func newSite(t *testing.T, read func(models.CollectTarget) (models.Reading, error)) *site {
	t.Helper()
	_, url := pgtest.Database(t, store.Migrate)
	s, err := store.Open(t.Context(), store.Options{URL: url, Connections: 10, AdminGroups: []string{"platform-admins"}, AccountEmail: "aws+{tenant}-{class}-{n}@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	x := &site{t: t, store: s, reader: &reader{info: models.CollectorInfo{Name: "test", Title: "Test figures", Every: time.Hour}, read: read},
		admin: models.Actor{Person: models.Person{ID: models.NewID(), Name: "Ada"}, Roles: []models.PlatformRole{models.PlatformAdmin}}}
	log := slog.New(slog.DiscardHandler)
	if x.rounds, err = rollup.New(s.CollectBook(), &models.ShiftedClock{}, log, x.reader); err != nil {
		t.Fatal(err)
	}
	x.engine, err = provisioners.NewEngine(provisioners.EngineOptions{Journal: s.Journal(), Clock: &models.ShiftedClock{}, Logger: log, Owner: models.NewID(), Lease: 3 * time.Second, Pace: 0.001,
		Works: map[models.JournalKind]provisioners.Work{models.CollectWork: x.rounds.Work},
		Crash: func(_, _, point string) {
			if x.die == point {
				x.die = ""
				runtime.Goexit()
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// turn starts what is due and works it to its end.
func (x *site) turn() models.CollectStatus {
	x.t.Helper()
	if err := x.rounds.Sweep(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	return x.work()
}

func (x *site) work() models.CollectStatus {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), time.Minute)
	defer cancel()
	for x.count(`SELECT count(*) FROM journal WHERE NOT done`) > 0 {
		if ctx.Err() != nil {
			x.t.Fatal("the round does not end")
		}
		x.wake(ctx)
	}
	all, err := x.store.CollectStates(ctx, x.admin, "test", "")
	if err != nil || len(all) != 1 {
		x.t.Fatalf("targets: %+v, %v", all, err)
	}
	return all[0]
}

// wake works every row that is due, each in a goroutine that a crash may end.
func (x *site) wake(ctx context.Context) {
	x.t.Helper()
	if _, err := x.engine.Journal.Sweep(ctx, time.Second); err != nil {
		x.t.Fatal(err)
	}
	var wake models.WakeArgs
	err := x.store.Pool().QueryRow(ctx, `SELECT id, generation FROM journal WHERE NOT done AND lease_owner IS NULL AND next_at <= clock_timestamp()`).Scan(&wake.JournalID, &wake.Generation)
	if err != nil {
		return // none: leased by the dead, or asleep
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := x.engine.Wake(ctx, wake); err != nil {
			x.t.Error(err)
		}
	}()
	<-ended
}

func (x *site) count(query string) (n int) {
	x.t.Helper()
	if err := x.store.Pool().QueryRow(x.t.Context(), query).Scan(&n); err != nil {
		x.t.Fatal(err)
	}
	return n
}

var at = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func TestRoundGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"", "after-aws-call", "after-outcome-commit"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			x := newSite(t, func(target models.CollectTarget) (models.Reading, error) {
				r := models.Reading{At: at, Metered: 1}
				if string(target.Cursor) != `"second"` {
					r.Next = json.RawMessage(`"second"`)
				}
				return r, nil
			})
			x.die = point
			got := x.turn()
			if got.State != models.CollectOK || got.Metered != 2 || got.Working || !got.ReadAt.Equal(at) {
				t.Errorf("%+v", got)
			}
			if point == "" && got.Calls != 2 || got.Calls > 3 || len(x.reader.calls) > 3 {
				t.Errorf("%d calls counted, asked with %q", got.Calls, x.reader.calls)
			}
			if last := x.reader.calls[len(x.reader.calls)-1]; last != `"second"` {
				t.Errorf("it ended with %s", last)
			}
			if x.turn(); len(x.reader.calls) > 3 {
				t.Error("it is read again before its turn")
			}
		})
	}
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	words := errors.New("nobody knows\nwhat it means")
	for name, c := range map[string]struct {
		read  func(int) (models.Reading, error)
		state models.CollectState
		kind  models.GapKind
		calls int
	}{
		"denied":    {func(int) (models.Reading, error) { return models.Reading{}, denied{models.GapDenied} }, models.CollectDenied, models.GapDenied, 1},
		"clock":     {func(int) (models.Reading, error) { return models.Reading{}, denied{models.GapSkewed} }, models.CollectDenied, models.GapSkewed, 1},
		"throttled": {func(int) (models.Reading, error) { return models.Reading{}, denied{models.GapThrottled} }, models.CollectFailed, models.GapThrottled, 3},
		"unknown":   {func(int) (models.Reading, error) { return models.Reading{}, words }, models.CollectFailed, models.GapUnavailable, 3},
		"panic":     {func(int) (models.Reading, error) { panic("broken") }, models.CollectFailed, models.GapUnavailable, 3},
		"in part": {func(int) (models.Reading, error) {
			return models.Reading{At: at, Gaps: []models.ReadGap{{What: "alarms", Kind: models.GapDenied}}}, nil
		}, models.CollectPartial, models.GapDenied, 1},
		"passes": {func(n int) (models.Reading, error) {
			if n == 1 {
				return models.Reading{}, denied{models.GapUnavailable}
			}
			return models.Reading{At: at}, nil
		}, models.CollectOK, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var x *site
			x = newSite(t, func(models.CollectTarget) (models.Reading, error) { return c.read(len(x.reader.calls)) })
			got := x.turn()
			if got.State != c.state || len(x.reader.calls) != c.calls || (len(got.Gaps) == 1) != (c.kind != "") {
				t.Fatalf("%d calls, %+v", len(x.reader.calls), got)
			}
			if c.kind != "" && (got.Gaps[0].Kind != c.kind || got.Gaps[0].What == "") {
				t.Errorf("%+v", got.Gaps)
			}
			if got.Throttles != 1 || got.Calls != int64(c.calls) {
				t.Errorf("counted %d calls, %d throttled", got.Calls, got.Throttles)
			}
		})
	}
}

func TestRunNow(t *testing.T) {
	t.Parallel()
	x := newSite(t, func(models.CollectTarget) (models.Reading, error) { return models.Reading{At: at}, nil })
	first := x.turn()
	for person, want := range map[*models.Actor]models.Kind{
		{Person: models.Person{ID: models.NewID(), Name: "Bob"}}:                                              models.NotFound,
		{Person: models.Person{ID: models.NewID(), Name: "Cy"}, Roles: []models.PlatformRole{models.Auditor}}: models.Forbidden,
	} {
		if err := x.store.CollectNow(t.Context(), *person, "test", first.ID); models.KindOf(err) != want {
			t.Errorf("%s: %v", person.Name(), err)
		}
	}
	for _, id := range []string{"", first.ID} {
		if err := x.store.CollectNow(t.Context(), x.admin, "test", id); err != nil {
			t.Fatal(err)
		}
		if err := x.store.CollectNow(t.Context(), x.admin, "test", id); err != nil { // it goes on, it is not doubled
			t.Fatal(err)
		}
		if got := x.work(); got.By != "Ada" || !got.Due.Equal(first.Due) {
			t.Errorf("%+v", got)
		}
	}
	if len(x.reader.calls) != 3 {
		t.Errorf("it was read %d times, want 3", len(x.reader.calls))
	}
	if n := x.count(`SELECT count(*) FROM journal`); n != 1 {
		t.Errorf("%d rows of rounds are kept", n)
	}
	for _, id := range []string{models.NewID(), "nonsense"} {
		if err := x.store.CollectNow(t.Context(), x.admin, "test", id); models.KindOf(err) != models.NotFound {
			t.Errorf("%s: %v", id, err)
		}
	}
}
