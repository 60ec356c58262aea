package provisioners

import (
	"context"
	"sync/atomic"
)

// Tally counts the calls that are made under a context, over all goroutines.
type Tally struct{ calls, throttles atomic.Int64 }

type tallyKey struct{}

// WithTally is a context whose calls are counted.
func WithTally(ctx context.Context) (context.Context, *Tally) {
	t := &Tally{}
	return context.WithValue(ctx, tallyKey{}, t), t
}

// CountCall counts one attempt of a call, if somebody counts under this context.
func CountCall(ctx context.Context, throttled bool) {
	t, ok := ctx.Value(tallyKey{}).(*Tally)
	if !ok {
		return
	}
	t.calls.Add(1)
	if throttled {
		t.throttles.Add(1)
	}
}

// Counts gives the attempts so far, and how many of them AWS put off.
func (t *Tally) Counts() (calls, throttles int64) { return t.calls.Load(), t.throttles.Load() }
