package provisioners

import (
	"context"
	"errors"
	"time"
)

// Work is a kind of journaled work that another package knows how to do. It makes one call's worth of work and ends the job in one
// transaction; an error means that the journal could not be read or written.
type Work func(ctx context.Context, turn *Turn) error

// Turn is a journal row in this worker's hands.
type Turn struct {
	h *held
	e *Engine
}

// Job is the row.
func (t *Turn) Job() Job { return t.h.job }

// Call makes one outside call with its own deadline and span.
func (t *Turn) Call(ctx context.Context, what, step string, do func(context.Context) error) error {
	return t.e.call(ctx, t.h, what, step, do)
}

// Lost tells whether another worker has taken the row, so that what this one met does not count.
func (t *Turn) Lost(ctx context.Context, err error) bool {
	return errors.Is(context.Cause(ctx), ErrStale) || errors.Is(err, ErrStale)
}

// BackOff is the pause after a number of attempts that failed, by the one table of delays.
func (t *Turn) BackOff(attempts int) time.Duration { return t.e.backOff(attempts) }

// Rest stops renewing the lease: call it right before the transaction that ends the job.
func (t *Turn) Rest() { t.h.stop() }

// Crash is a point at which development builds can be told to die.
func (t *Turn) Crash(kind, step, point string) { t.e.Crash(kind, step, point) }
