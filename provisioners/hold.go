package provisioners

import (
	"context"
	"sync"
	"time"
)

// held is a journal row whose lease this worker renews while a call is in flight.
type held struct {
	job    Job
	engine *Engine
	cancel context.CancelCauseFunc
	quit   chan struct{}
	ended  chan struct{}
	once   sync.Once
	mu     sync.Mutex
	until  time.Time // wall time up to which the lease surely holds
}

// hold renews the lease, asked for at the wall time from, until stop. A renewal that fails cancels the context: whatever is in flight must end, its outcome is not ours.
func (e *Engine) hold(ctx context.Context, job Job, from time.Time) (context.Context, *held) {
	ctx, cancel := context.WithCancelCause(ctx)
	h := &held{job: job, engine: e, cancel: cancel, quit: make(chan struct{}), ended: make(chan struct{}), until: from.Add(e.Lease)}
	go h.renew(ctx)
	return ctx, h
}

func (h *held) renew(ctx context.Context) {
	defer close(h.ended)
	tick := time.NewTicker(h.engine.Lease * 3 / 10)
	defer tick.Stop()
	for {
		select {
		case <-h.quit:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		from := h.engine.Clock.Wall()
		within, cancel := context.WithTimeout(ctx, h.engine.Lease*6/10)
		err := h.engine.Journal.Renew(within, h.job, h.engine.Lease)
		cancel()
		if err != nil {
			h.engine.Logger.WarnContext(ctx, "lease not renewed, call cancelled", "kind", h.job.Kind, "object", h.job.ObjectID, "err", err)
			h.cancel(ErrStale)
			return
		}
		h.mu.Lock()
		h.until = from.Add(h.engine.Lease)
		h.mu.Unlock()
	}
}

// sure tells whether the lease holds right now by this worker's own clock. Asked right before every change of the world, it keeps a
// process that was stopped and woke up late from starting what another has taken over.
func (h *held) sure() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.engine.Clock.Wall().Before(h.until) {
		return nil
	}
	h.cancel(ErrStale)
	return ErrStale
}

// stop ends the renewals, so that none races with the transaction that ends the job. It can be called again.
func (h *held) stop() {
	h.once.Do(func() { close(h.quit) })
	<-h.ended
}
