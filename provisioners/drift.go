package provisioners

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"slipway/models"
)

// driftLimit is how long one check may take, in wall time: CloudFormation needs minutes for the largest stacks.
const driftLimit = time.Hour

// environmentsAtOnce bounds one sweep of nightly checks; the next goes on.
const environmentsAtOnce = 50

// NightlyCheck is who asked for a check that nobody asked for.
const NightlyCheck = "nightly"

// driftState is what a check keeps between calls.
type driftState struct {
	Looks int       `json:"looks,omitempty"`
	Since time.Time `json:"since,omitzero"` // wall time of the first call
}

// drift compares one environment with its account: one call per wake-up. A crash between the start of a comparison and its id starts
// another, which CloudFormation puts off until the first has ended.
func (e *Engine) drift(ctx context.Context, h *held) error {
	var mem driftState
	if len(h.job.State) > 0 {
		if err := json.Unmarshal(h.job.State, &mem); err != nil {
			return fmt.Errorf("read the state of drift check %s: %w", h.job.ObjectID, err)
		}
	}
	check, env, err := e.DriftBook.BeginDrift(ctx, h.job, NightlyCheck) // who asked by hand has made the check's row
	if err != nil {
		return err
	}
	if env.State == models.Deleted {
		return e.driftFailed(ctx, h, check, "The environment was deleted meanwhile.")
	}
	if mem.Since.IsZero() {
		mem.Since = e.Clock.Wall()
	}
	if check.DetectionID == "" {
		return e.startDrift(ctx, h, mem, check, env)
	}
	return e.pollDrift(ctx, h, mem, check, env)
}

func (e *Engine) startDrift(ctx context.Context, h *held, mem driftState, check models.Drift, env models.Environment) error {
	if err := h.sure(); err != nil {
		return err
	}
	detection := ""
	err := e.call(ctx, h, "start", "drift", func(ctx context.Context) (err error) {
		detection, err = e.DriftChecker.StartDrift(ctx, env)
		return err
	})
	e.Crash("drift", "drift", "after-aws-call")
	if err != nil {
		return e.driftError(ctx, h, mem, check, err)
	}
	h.stop()
	return e.DriftBook.KeepDetection(ctx, h.job, check.ID, detection, Next{Delay: e.delay("drift", 0), State: mem})
}

func (e *Engine) pollDrift(ctx context.Context, h *held, mem driftState, check models.Drift, env models.Environment) error {
	var done bool
	var found models.Drift
	err := e.call(ctx, h, "poll", "drift", func(ctx context.Context) (err error) {
		done, found, err = e.DriftChecker.PollDrift(ctx, env, check.DetectionID)
		return err
	})
	if err != nil {
		return e.driftError(ctx, h, mem, check, err)
	}
	if !done {
		return e.driftAgain(ctx, h, mem, check, Next{}, "CloudFormation still compares.")
	}
	check.State, check.Checked, check.NotChecked, check.Resources, check.Failure = found.State, found.Checked, found.NotChecked, found.Resources, found.Failure
	return e.endDrift(ctx, h, check)
}

// driftError goes on after an error, or writes down why the check could not be made.
func (e *Engine) driftError(ctx context.Context, h *held, mem driftState, check models.Drift, err error) error {
	if errors.Is(context.Cause(ctx), ErrStale) || errors.Is(err, ErrStale) {
		return ErrStale
	}
	var wait Wait
	var final Final
	next := Next{Attempts: h.job.Attempts}
	switch {
	case errors.As(err, &wait):
		next.Delay = wait.Delay
		return e.driftAgain(ctx, h, mem, check, next, "It waited for "+wait.For+": "+wait.Words)
	case errors.As(err, &final):
		return e.driftFailed(ctx, h, check, words(final.Failure))
	}
	e.Logger.WarnContext(ctx, "drift check call failed", "environment", h.job.ObjectID, "tries", h.job.Attempts+1, "err", err)
	if h.job.Attempts+1 >= maxTries {
		f := describe(err)
		if f.What == "" {
			f.What = "The check could not be made: " + sentence(err)
		}
		return e.driftFailed(ctx, h, check, words(f))
	}
	return e.driftAgain(ctx, h, mem, check, Next{Delay: e.backOff(h.job.Attempts), Attempts: h.job.Attempts + 1}, sentence(err))
}

// driftAgain looks again later, unless the check has taken too long already.
func (e *Engine) driftAgain(ctx context.Context, h *held, mem driftState, check models.Drift, next Next, why string) error {
	if e.Clock.Wall().Sub(mem.Since) >= driftLimit {
		return e.driftFailed(ctx, h, check, fmt.Sprintf("The check did not end within %s. %s", driftLimit, why))
	}
	mem.Looks++
	if next.Delay == 0 {
		next.Delay = e.delay("drift", mem.Looks)
	}
	next.State = mem
	h.stop()
	return e.Journal.End(ctx, h.job, next)
}

func (e *Engine) driftFailed(ctx context.Context, h *held, check models.Drift, why string) error {
	check.State, check.Failure, check.Checked, check.NotChecked, check.Resources = models.DriftFailed, why, 0, nil, nil
	return e.endDrift(ctx, h, check)
}

func (e *Engine) endDrift(ctx context.Context, h *held, check models.Drift) error {
	check.EndedAt = e.Clock.Now()
	slices.Sort(check.NotChecked)
	h.stop()
	if err := e.DriftBook.EndDrift(ctx, h.job, check); err != nil {
		return err
	}
	e.Crash("drift", "drift", "after-outcome-commit")
	return nil
}

// SweepDrift starts the nightly checks that are due. The book spreads them over the day and queues each in the transaction that puts
// the environment's next one off, so that a crash loses none.
func SweepDrift(book DriftBook) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			n, err := book.StartDue(ctx, environmentsAtOnce)
			if err != nil || n < environmentsAtOnce {
				return err
			}
		}
	}
}
