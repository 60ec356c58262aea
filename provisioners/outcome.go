package provisioners

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"slipway/models"
)

// goneLooks is how often in a row a look after an answered Start may show nothing before the step starts over: AWS's reads lag behind.
const goneLooks = 3

// endLook journals what a look showed.
func (e *Engine) endLook(ctx context.Context, d *doing, res Result) error {
	c := StepChange{StepID: d.row.ID, State: models.StepWaiting, Intent: d.row.Intent, Tries: d.row.Tries,
		Outputs: res.Outputs, Events: e.keyed(d, res.Events), Waiting: e.waiting(d.row.Waiting, res.Waiting)}
	mem := d.mem
	mem.Looks++
	next := Next{Delay: res.Delay}
	switch res.Found {
	case Present:
		return e.endDone(ctx, d, c)
	case More:
		c.State, c.Cursor, c.Waiting = d.row.State, res.Cursor, d.row.Waiting
	case Working:
		mem.Poll, mem.Gone = true, 0
	case Onward:
		mem.Poll, mem.Gone = false, 0
	case Absent:
		if mem.Poll {
			mem.Gone++
		}
		if mem.Gone > goneLooks {
			return e.endError(ctx, d, fmt.Errorf("%s: what was started is not there any more", d.step.Title))
		}
	}
	if next.Delay == 0 && res.Found != More && res.Found != Onward {
		next.Delay = e.delay(d.row.Name, mem.Looks)
	}
	next.State = mem
	return e.finish(ctx, d, Outcome{Step: &c, Next: next})
}

// endDone journals a step that is there as planned, and the run's end when it was the last one.
func (e *Engine) endDone(ctx context.Context, d *doing, c StepChange) error {
	c.State, c.Waiting, c.Cursor = models.StepDone, nil, nil
	word := "done"
	if !d.row.Intent && d.step.Start != nil && !d.mem.Poll {
		c.State, word = models.StepSkipped, "already there as planned"
	}
	c.Intent = false
	c.Events = append(c.Events, e.event(d, "done", "info", d.step.Title+": "+word))
	out := Outcome{Step: &c}
	if d.last {
		out.Run = &RunChange{To: models.Succeeded}
	}
	return e.finish(ctx, d, out)
}

// endError journals a call that ended in an error: wait, plan again, stop, or try again later.
func (e *Engine) endError(ctx context.Context, d *doing, err error) error {
	if errors.Is(context.Cause(ctx), ErrStale) || errors.Is(err, ErrStale) {
		return ErrStale
	}
	c := StepChange{StepID: d.row.ID, State: d.row.State, Intent: d.row.Intent, Tries: d.row.Tries, Cursor: d.run.Cursor}
	var wait Wait
	var final Final
	var differs Mismatch
	switch {
	case errors.As(err, &wait):
		return e.endWait(ctx, d, c, wait)
	case errors.As(err, &differs) && d.state.Request.State == models.Running:
		c.State = models.StepPending
		c.Events = []Event{e.event(d, "mismatch", "warn", d.step.Title+": "+differs.Words)}
		return e.finish(ctx, d, Outcome{Step: &c, Run: &RunChange{To: models.Planning, Reason: differs.Words}})
	case errors.As(err, &differs): // stopping
		c.State = models.StepPending
		return e.finish(ctx, d, Outcome{Step: &c, Run: &RunChange{To: models.Failed, Failure: stopped(d.state.Request, d.row)}})
	case errors.As(err, &final):
		return e.endFailed(ctx, d, c, final.Failure, err)
	}
	c.Tries++
	if c.Tries >= maxTries {
		return e.endFailed(ctx, d, c, usedUp(d.step, c.Tries, err), err)
	}
	mem := d.mem
	if mem.Gone > goneLooks {
		mem.Poll, mem.Gone = false, 0
	}
	e.Logger.WarnContext(ctx, "step call failed", "run", d.run.ID, "step", d.row.Name, "tries", c.Tries, "err", err)
	c.State = models.StepWaiting
	c.Events = []Event{e.event(d, "try"+strconv.Itoa(c.Tries), "warn", fmt.Sprintf("%s: attempt %d of %d: %s", d.step.Title, c.Tries, maxTries, sentence(err)))}
	return e.finish(ctx, d, Outcome{Step: &c, Next: Next{Delay: e.backOff(c.Tries - 1), State: mem}})
}

func (e *Engine) endWait(ctx context.Context, d *doing, c StepChange, wait Wait) error {
	mem := d.mem
	mem.Looks++
	c.State = models.StepWaiting
	c.Waiting = e.waiting(d.row.Waiting, &models.WaitingOn{For: wait.For, Words: wait.Words, Until: wait.Until})
	delay := wait.Delay
	if delay == 0 {
		delay = e.delay(d.row.Name, mem.Looks)
	}
	return e.finish(ctx, d, Outcome{Step: &c, Next: Next{Delay: delay, State: mem}})
}

func (e *Engine) endFailed(ctx context.Context, d *doing, c StepChange, f models.Failure, err error) error {
	e.Logger.ErrorContext(ctx, "step failed", "run", d.run.ID, "step", d.row.Name, "code", f.Code, "err", err)
	c.State, c.Failure = models.StepFailed, &f
	c.Events = append(c.Events, e.event(d, "failed", "fail", f.What))
	return e.finish(ctx, d, Outcome{Step: &c, Run: &RunChange{To: models.Failed, Failure: &f}})
}

// waiting keeps since when the same thing is waited for.
func (e *Engine) waiting(before, now *models.WaitingOn) *models.WaitingOn {
	if now == nil {
		return nil
	}
	w := *now
	if before != nil && before.For == w.For {
		w.Since = before.Since
	}
	if w.Since.IsZero() {
		w.Since = e.Clock.Now()
	}
	return &w
}

// keyed gives events without a key one that is the same when the call is repeated.
func (e *Engine) keyed(d *doing, events []Event) []Event {
	for i := range events {
		if events[i].Key == "" {
			events[i].Key = fmt.Sprintf("%d.%d.look%d.%d", d.run.Attempt, d.mem.Stage, d.mem.Looks, i)
		}
	}
	return events
}

func (e *Engine) event(d *doing, key, level, text string) Event {
	return Event{Key: fmt.Sprintf("%d.%s", d.run.Attempt, key), Level: level, Text: text, At: e.Clock.Now()}
}

// runOf is what the step at a position may know.
func runOf(rs RunState, at int, waited time.Duration) *Run {
	row := rs.Run.Steps[at]
	r := &Run{ID: rs.Run.ID, RequestID: rs.Request.ID, Kind: rs.Request.Kind, ObjectID: rs.Request.ObjectID, TenantID: rs.Request.TenantID,
		Attempt: rs.Run.Attempt, StartedBy: rs.Run.StartedBy, Plan: rs.Plan, Step: row.Name, Cursor: row.Cursor, Waited: waited,
		Outputs: map[string]string{}, Earlier: map[string]map[string]string{}}
	maps.Copy(r.Outputs, row.Outputs)
	for i, s := range rs.Run.Steps {
		if i != at {
			r.Earlier[s.Name] = maps.Clone(s.Outputs)
		}
	}
	return r
}
