package provisioners

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"slipway/models"
)

// softStop is how long a worker that stops lets calls in flight end by themselves.
const softStop = 20 * time.Second

// Sweep is work that is due again and again, found by looking and not by a timer: any worker may do it at any time, twice does no harm.
type Sweep struct {
	Name  string
	Every time.Duration
	Do    func(context.Context) error
}

// Options are a worker's parts.
type Options struct {
	Engine     *Engine
	Pool       *pgxpool.Pool
	Logger     *slog.Logger
	Calls      int           // calls at a time in this process; 0: 10
	Reads      int           // collectors' calls at a time, beside those; 0: 4
	SweepEvery time.Duration // of the journal; 0: 2 s, less with a short lease
	Grace      time.Duration // how late a row may be before it is taken from River's hands; 0: 2 s, less with a short lease
	Sweeps     []Sweep
	Seal       func(context.Context) error // the audit log's sealer, until the context ends; nil: none here
	Loops      []func(context.Context)     // work with a rhythm of its own, until the context ends
	Gauges     func(context.Context) (models.Gauges, error)
}

// Worker works journal rows that River's jobs, or its own sweep, wake up.
type Worker struct {
	Options
	river  *river.Client[pgx.Tx]
	cancel context.CancelFunc
	loops  sync.WaitGroup
}

// NewWorker wires a worker; nothing runs before Start.
func NewWorker(o Options) (*Worker, error) {
	if o.Calls == 0 {
		o.Calls = 10
	}
	if o.Reads == 0 {
		o.Reads = 4
	}
	if o.SweepEvery == 0 {
		o.SweepEvery = min(2*time.Second, o.Engine.Lease/2)
	}
	if o.Grace == 0 {
		o.Grace = min(2*time.Second, o.Engine.Lease)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	w := &Worker{Options: o}
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &waker{engine: o.Engine}); err != nil {
		return nil, fmt.Errorf("register worker: %w", err)
	}
	client, err := river.NewClient(riverpgxv5.New(o.Pool), &river.Config{
		Queues:              map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: o.Calls}, models.CollectWork.Queue(): {MaxWorkers: o.Reads}},
		Workers:             workers,
		Logger:              slog.New(quiet{o.Logger.Handler()}),
		FetchPollInterval:   500 * time.Millisecond,
		JobTimeout:          -1, // each call has its own deadline, the lease ends what hangs
		SoftStopTimeout:     softStop,
		ReindexerIndexNames: []string{}, // reindexing needs the owner; slipway migrate does it

		CompletedJobRetentionPeriod: models.KeptFor(models.SweptJobs),
		CancelledJobRetentionPeriod: models.KeptFor(models.SweptJobs),
		DiscardedJobRetentionPeriod: models.KeptFor(models.SweptDiscardedJobs),
	})
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	w.river = client
	return w, nil
}

// Start begins to work: first a sweep, so that what a crash left goes on at once.
func (w *Worker) Start(ctx context.Context) error {
	if err := w.sweep(ctx); err != nil {
		return fmt.Errorf("first sweep: %w", err)
	}
	if err := w.river.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	sweeps := append([]Sweep{{Name: "journal", Every: w.SweepEvery, Do: w.sweep}}, w.Sweeps...)
	if w.Gauges != nil {
		sweeps = append(sweeps, Sweep{Name: "gauges", Every: 10 * time.Second, Do: w.gauges})
	}
	for _, s := range sweeps {
		w.loops.Go(func() { w.loop(ctx, s) })
	}
	for _, work := range w.Loops {
		w.loops.Go(func() { work(ctx) })
	}
	if w.Seal != nil {
		w.loops.Go(func() { w.seal(ctx) })
	}
	return nil
}

// Stop lets calls in flight end, at most until softStop or the context's end, then gives the leases back. It can be called again.
func (w *Worker) Stop(ctx context.Context) error { return w.stop(ctx, w.river.Stop) }

// Kill cancels calls in flight and gives the leases back: for a second signal, when nobody waits any more.
func (w *Worker) Kill(ctx context.Context) error { return w.stop(ctx, w.river.StopAndCancel) }

func (w *Worker) stop(ctx context.Context, queue func(context.Context) error) error {
	if w.cancel == nil {
		return nil
	}
	err := queue(ctx)
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	running := false
	if err != nil {
		running = w.river.StopAndCancel(within) != nil
	}
	w.cancel()
	w.loops.Wait()
	if running { // a call ignores its context: only the lease's end may hand its row to another
		return errors.Join(err, errors.New("calls are still in flight"))
	}
	return errors.Join(err, w.Engine.Journal.Release(within, w.Engine.Owner))
}

func (w *Worker) sweep(ctx context.Context) error {
	n, err := w.Engine.Journal.Sweep(ctx, w.Grace)
	if n > 0 {
		w.Logger.InfoContext(ctx, "journal rows woken by the sweep", "rows", n)
		w.Engine.Metrics.sweptRows(n)
	}
	return err
}

func (w *Worker) gauges(ctx context.Context) error {
	g, err := w.Gauges(ctx)
	if err != nil {
		return err
	}
	w.Engine.Metrics.set(g)
	return nil
}

// loop repeats one sweep. An error is logged once until it goes away, so that a database that is gone does not flood the log.
func (w *Worker) loop(ctx context.Context, s Sweep) {
	tick := time.NewTicker(s.Every)
	defer tick.Stop()
	failing := false
	for {
		within, cancel := context.WithTimeout(ctx, max(30*time.Second, s.Every))
		err := guard(func() error { return s.Do(within) })
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.Engine.Metrics.sweepFailed(s.Name)
			if !failing {
				w.Logger.ErrorContext(ctx, "sweep", "sweep", s.Name, "err", err)
			}
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// seal runs the sealer again when it ends in an error, for example because its connection was lost.
func (w *Worker) seal(ctx context.Context) {
	for ctx.Err() == nil {
		err := guard(func() error { return w.Seal(ctx) })
		if ctx.Err() != nil {
			return
		}
		w.Logger.ErrorContext(ctx, "audit sealer", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// quiet keeps River's own news, a line every few seconds, out of the log; what goes wrong stays in.
type quiet struct{ slog.Handler }

// Enabled lets warnings and errors through.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

// WithAttrs stays quiet.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup stays quiet.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }

// waker is River's side of the engine: a job is only a wake-up.
type waker struct {
	river.WorkerDefaults[models.WakeArgs]
	engine *Engine
}

// Work wakes the row. What it returns is only about reading the journal; outcomes are in it.
func (w *waker) Work(ctx context.Context, job *river.Job[models.WakeArgs]) error {
	return w.engine.Wake(ctx, job.Args)
}

// NextRetry keeps River from waiting long after the journal could not be read; the sweep is faster anyway.
func (w *waker) NextRetry(job *river.Job[models.WakeArgs]) time.Time {
	return w.engine.Clock.Wall().Add(min(time.Duration(job.Attempt)*time.Second, 5*time.Second))
}
