package provisioners_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"slipway/models"
	"slipway/provisioners"
)

// work starts a real worker, with River, on an engine.
func (h *house) work(e *provisioners.Engine, change ...func(*provisioners.Options)) *provisioners.Worker {
	h.t.Helper()
	o := provisioners.Options{Engine: e, Pool: h.store.Pool(), Logger: slog.New(slog.DiscardHandler), SweepEvery: 100 * time.Millisecond, Grace: 200 * time.Millisecond}
	for _, c := range change {
		c(&o)
	}
	w, err := provisioners.NewWorker(o)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := w.Start(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			h.t.Error(err)
		}
	})
	return w
}

// await waits until the request is in one of the states, woken by the database's notifications.
func (h *house) await(request string, until ...models.RequestState) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	changes := h.store.Listen()
	go changes.Run(ctx)
	moved, stop := changes.Subscribe("request:" + request)
	defer stop()
	for !slices.Contains(until, h.state(request)) {
		select {
		case <-moved:
		case <-ctx.Done():
			h.t.Fatalf("request is %s, want one of %v: %s", h.state(request), until, get[string](h, `SELECT COALESCE(jsonb_agg(j)::text, '') FROM journal j`))
		}
	}
}

func TestWorkerRunsByRiver(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one", "two", "three"), func(o *provisioners.EngineOptions) {
		o.Pace, o.Lease = 0.05, time.Second
		o.Metrics = provisioners.NewMetrics(prometheus.NewRegistry())
	})
	h.work(h.engine)
	request := h.submit(models.NewID())
	h.await(request, models.AwaitingApproval)
	h.approve(request)
	h.await(request, models.Succeeded)
	h.wantOnce(1)
}

// Two workers on one database: each change is made once, and each step by one of them at a time.
func TestTwoWorkersShareRuns(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one", "two"), func(o *provisioners.EngineOptions) { o.Pace = 0.02 })
	h.work(h.engine)
	h.work(h.newEngine(func(o *provisioners.EngineOptions) { o.Pace = 0.02 }))
	var requests []string
	for range 5 {
		requests = append(requests, h.submit(models.NewID()))
	}
	for _, r := range requests {
		h.await(r, models.AwaitingApproval)
		h.approve(r)
	}
	for _, r := range requests {
		h.await(r, models.Succeeded)
	}
	h.wantOnce(5)
}

func TestStoppingLetsCallsEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"), func(o *provisioners.EngineOptions) { o.Pace, o.Lease = 0.02, 2*time.Second })
	inside, let := make(chan struct{}), make(chan struct{})
	h.world.start = func(context.Context, string) (error, bool) {
		close(inside)
		<-let
		return nil, false
	}
	w := h.work(h.engine)
	request := h.submit(models.NewID())
	h.await(request, models.AwaitingApproval)
	h.approve(request)
	<-inside
	ended := make(chan error, 1)
	go func() { ended <- w.Stop(context.Background()) }()
	select {
	case err := <-ended:
		t.Fatalf("stopped while a call was in flight: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	close(let)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if run := h.run(request); run.Steps[0].Tries != 0 || !run.Steps[0].Intent {
		t.Errorf("step is %+v, want its outcome written", run.Steps[0])
	}
	h.drive(request, models.Succeeded)
	h.wantOnce(1)
}

// A call that does not end in time is cancelled, its lease given back, and another worker goes on at once.
func TestStoppingGivesLeasesBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"), func(o *provisioners.EngineOptions) { o.Pace, o.Lease = 0.02, time.Hour })
	inside := make(chan struct{})
	h.world.start = func(ctx context.Context, _ string) (error, bool) {
		close(inside)
		<-ctx.Done()
		return ctx.Err(), true
	}
	w := h.work(h.engine)
	request := h.submit(models.NewID())
	h.await(request, models.AwaitingApproval)
	h.approve(request)
	<-inside
	h.world.mu.Lock()
	h.world.start = nil
	h.world.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.Kill(ctx); err != nil {
		t.Error(err)
	}
	if n := get[int](h, `SELECT count(*) FROM journal WHERE lease_owner IS NOT NULL`); n != 0 {
		t.Errorf("%d leases are held by a worker that is gone", n)
	}
	h.drive(request, models.Succeeded)
	h.wantOnce(1)
}

func TestSweepsGoOnAfterAnError(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld())
	done := make(chan struct{})
	var n int
	h.work(h.engine, func(o *provisioners.Options) {
		o.Sweeps = []provisioners.Sweep{{Name: "test", Every: time.Millisecond, Do: func(context.Context) error {
			switch n++; n {
			case 1:
				return errAWS
			case 2:
				panic("second")
			case 3:
				close(done)
			}
			return nil
		}}}
		o.Gauges = h.store.Gauges
	})
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("the sweep ended with its first error")
	}
}

func TestMetricsHaveBoundedLabels(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	h := newHouse(t, newWorld("account.ebs.prod.eu-west-1", "tenant.budget"), func(o *provisioners.EngineOptions) { o.Metrics = provisioners.NewMetrics(reg) })
	h.drive(h.approved(), models.Succeeded)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]uint64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "slipway_step_seconds" {
				steps[m.GetLabel()[1].GetValue()] = m.GetHistogram().GetSampleCount()
			}
		}
	}
	if len(steps) != 2 || steps["account.ebs"] != 1 || steps["tenant.budget"] != 1 {
		t.Errorf("steps are counted as %v", steps)
	}
}

// idleSets is what the change set sweeper is handed.
type idleSets struct {
	open  []models.ChangeSet
	ended []string
}

func (s *idleSets) IdleChangeSets(context.Context, int) ([]models.ChangeSet, error) {
	return s.open, nil
}

func (s *idleSets) EndedChangeSet(_ context.Context, set models.ChangeSet, outcome string) error {
	s.ended = append(s.ended, set.Name+" "+outcome)
	return nil
}

func (s *idleSets) DeleteChangeSet(_ context.Context, set models.ChangeSet) error {
	if set.Name == "stuck" {
		return errAWS
	}
	return nil
}

func TestIdleChangeSetsAreDeleted(t *testing.T) {
	t.Parallel()
	s := &idleSets{open: []models.ChangeSet{{Name: "stuck"}, {Name: "cs-1"}}}
	if err := provisioners.SweepChangeSets(s, s)(t.Context()); err == nil || !slices.Equal(s.ended, []string{"cs-1 deleted"}) {
		t.Errorf("ended %q with %v, want the second deleted and the first told", s.ended, err)
	}
}
