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
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
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
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
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
