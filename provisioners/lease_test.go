package provisioners_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

// frozen is the journal as a process sees it that SIGSTOP holds: its renewals do not happen until it is let go.
type frozen struct {
	provisioners.Journal
	renew func(context.Context) error
}

func (f frozen) Renew(ctx context.Context, job models.Job, lease time.Duration) error {
	if err := f.renew(ctx); err != nil {
		return err
	}
	return f.Journal.Renew(ctx, job, lease)
}

// due gives the open wake-up of a request once it is due.
func (h *house) due(request string) models.WakeArgs {
	h.t.Helper()
	var w models.WakeArgs
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); ; {
		err := h.store.Pool().QueryRow(context.Background(), `SELECT id, generation FROM journal WHERE object_id = $1 AND NOT done AND lease_owner IS NULL
			AND next_at <= clock_timestamp()`, request).Scan(&w.JournalID, &w.Generation)
		if err == nil {
			return w
		}
		select {
		case <-deadline:
			h.t.Fatalf("no due wake-up of %s: %v", request, err)
		case <-tick.C:
		}
	}
}

// A worker that sleeps between its intent and its Start, and wakes up after another has taken over, starts nothing.
func TestSleeperDoesNotStart(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	awake := make(chan struct{})
	var slept atomic.Bool
	asleep := make(chan struct{})
	sleeper := h.newEngine(func(o *provisioners.EngineOptions) {
		o.Journal = frozen{o.Journal, func(context.Context) error { <-awake; return nil }}
		o.Crash = func(kind, _, point string) {
			if kind == "run" && point == "after-intent-commit" && !slept.Swap(true) {
				close(asleep)
				<-awake
			}
		}
	})
	request := h.approved()
	h.drive(request, models.Running)
	ended := make(chan error, 1)
	go func() { ended <- sleeper.Wake(context.Background(), h.due(request)) }()
	<-asleep
	h.drive(request, models.Succeeded) // the other worker takes over when the lease has lapsed
	close(awake)
	if err := <-ended; err != nil {
		t.Errorf("the sleeper ended with %v", err)
	}
	h.wantOnce(1)
	if n := h.world.starts["one"]; n != 1 {
		t.Errorf("Start was called %d times, want once", n)
	}
	if s := h.state(request); s != models.Succeeded {
		t.Errorf("request is %s", s)
	}
}

// dozing is the journal of a process that sleeps between the database's answer and its own next line.
type dozing struct {
	frozen
	sleep func()
}

func (d dozing) Take(ctx context.Context, wake models.WakeArgs, owner string, lease time.Duration) (*models.Job, error) {
	job, err := d.frozen.Take(ctx, wake, owner, lease)
	d.sleep()
	return job, err
}

// A worker that sleeps right after it was given the lease counts it from before it asked. The row itself says nothing: nobody else works.
func TestSleepAfterTheLeaseStartsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	var ahead atomic.Int64
	sleeper := h.newEngine(func(o *provisioners.EngineOptions) {
		o.Lease = time.Hour
		o.Clock = &later{ahead: func() time.Duration { return time.Duration(ahead.Load()) }}
		o.Journal = dozing{frozen{o.Journal, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}, func() { ahead.Add(int64(2 * time.Hour)) }}
	})
	request := h.approved()
	h.drive(request, models.Running)
	if err := sleeper.Wake(context.Background(), h.due(request)); err != nil {
		t.Errorf("the sleeper ended with %v", err)
	}
	if n := h.world.starts["one"]; n != 0 {
		t.Errorf("Start was called %d times", n)
	}
}

// What a worker learned before it lost its row is refused by the generation, and does not undo what the other wrote.
func TestStaleOutcomeIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	awake, asleep := make(chan struct{}), make(chan struct{})
	var slept atomic.Bool
	sleeper := h.newEngine(func(o *provisioners.EngineOptions) {
		o.Journal = frozen{o.Journal, func(context.Context) error { <-awake; return nil }}
		o.Crash = func(kind, _, point string) {
			if kind == "run" && point == "after-aws-call" && !slept.Swap(true) {
				close(asleep)
				<-awake
			}
		}
	})
	request := h.approved()
	h.drive(request, models.Running)
	ended := make(chan error, 1)
	go func() { ended <- sleeper.Wake(context.Background(), h.due(request)) }()
	<-asleep
	h.drive(request, models.Succeeded)
	before := get[string](h, `SELECT jsonb_agg(s ORDER BY position)::text || (SELECT jsonb_agg(j ORDER BY id)::text FROM journal j) FROM steps s`)
	close(awake)
	if err := <-ended; err != nil {
		t.Errorf("the sleeper ended with %v", err)
	}
	after := get[string](h, `SELECT jsonb_agg(s ORDER BY position)::text || (SELECT jsonb_agg(j ORDER BY id)::text FROM journal j) FROM steps s`)
	if before != after {
		t.Errorf("the sleeper wrote after it had lost its row:\n%s\n%s", before, after)
	}
	h.wantOnce(1)
}

func TestFailedRenewalCancelsTheCall(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	cause, called := make(chan error, 1), make(chan struct{})
	h.world.start = func(ctx context.Context, _ string) (error, bool) {
		close(called)
		select {
		case <-ctx.Done():
			cause <- context.Cause(ctx)
		case <-time.After(time.Minute):
			cause <- errors.New("never cancelled")
		}
		return ctx.Err(), true
	}
	broken := h.newEngine(func(o *provisioners.EngineOptions) {
		o.Lease = 5 * time.Second // in which the call surely begins
		o.Journal = frozen{o.Journal, func(ctx context.Context) error {
			select {
			case <-called: // a renewal that fails before the call lets it not even begin
			case <-ctx.Done():
			}
			return errors.New("the database is gone")
		}}
	})
	request := h.approved()
	h.drive(request, models.Running)
	if err := broken.Wake(context.Background(), h.due(request)); err != nil {
		t.Errorf("ended with %v", err)
	}
	if err := <-cause; !errors.Is(err, models.ErrStale) {
		t.Errorf("the call was cancelled by %v, want a lost lease", err)
	}
	if run := h.run(request); run.Steps[0].Tries != 0 || !run.Steps[0].Intent {
		t.Errorf("step is %+v, want only its intent", run.Steps[0])
	}
	h.world.start = nil
	h.drive(request, models.Succeeded)
	h.wantOnce(1)
}

// A call that takes longer than the lease keeps its row by renewing.
func TestLongCallKeepsItsLease(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	h.world.start = func(ctx context.Context, _ string) (error, bool) {
		select {
		case <-ctx.Done():
			return ctx.Err(), true
		case <-time.After(7 * time.Second): // more than two leases
			return nil, false
		}
	}
	h.engine = h.newEngine(func(o *provisioners.EngineOptions) { o.Lease = 3 * time.Second }) // a busy machine renews late
	request := h.approved()
	h.drive(request, models.Running)
	ended := make(chan error, 1)
	wake := h.due(request)
	go func() { ended <- h.engine.Wake(context.Background(), wake) }()
	h.drive(request, models.Succeeded) // sweeps all the while
	if err := <-ended; err != nil {
		t.Error(err)
	}
	h.wantOnce(1)
	if g := get[int64](h, `SELECT generation FROM journal WHERE id = $1`, wake.JournalID); g != wake.Generation {
		t.Errorf("generation went from %d to %d: somebody else took the row", wake.Generation, g)
	}
}

func TestOldWakeUpsDoNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	request := h.approved()
	h.drive(request, models.Running)
	wake := h.due(request)
	h.exec(`UPDATE journal SET generation = generation + 1 WHERE id = $1`, wake.JournalID)
	h.world.log = nil
	h.must(h.engine.Wake(context.Background(), wake))
	h.must(h.engine.Wake(context.Background(), models.WakeArgs{JournalID: models.NewID(), Generation: 1}))
	if len(h.world.log) > 0 {
		t.Errorf("an old wake-up called %q", h.world.log)
	}
}
