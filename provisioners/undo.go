package provisioners

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"slipway/models"
)

// undoing is what an undo keeps between calls: steps at Below and above are dealt with.
type undoing struct {
	Below int `json:"below"`
	memory
}

// undo takes a failed run back, last step first: one call per wake-up, each repeated until the step says that it is taken back.
func (e *Engine) undo(ctx context.Context, h *held) error {
	rs, err := e.Journal.LoadRun(ctx, h.job)
	if err != nil {
		return err
	}
	if rs.Request.State != models.Undoing {
		h.stop()
		return e.Journal.End(ctx, h.job, Next{Done: true})
	}
	steps, err := e.steps(rs.Request.Kind, rs.Plan)
	if err != nil {
		return e.end(ctx, h, Outcome{Run: &RunChange{To: models.Failed, Failure: &models.Failure{What: "The run cannot be taken back.",
			Cause: sentence(err), Owner: "Platform team", Next: "Deploy a version of Slipway that knows these steps, then undo again."}}})
	}
	known := map[string]Step{}
	for _, s := range steps {
		known[s.Name] = s
	}
	u := decodeUndo(h.job.State)
	for at := len(rs.Run.Steps) - 1; at >= 0; at-- {
		row := rs.Run.Steps[at]
		if u.Below > 0 && row.Position >= u.Below || !touched(row) || known[row.Name].looks() {
			continue
		}
		return e.undoStep(ctx, h, rs, at, known[row.Name], u)
	}
	return e.end(ctx, h, Outcome{Run: &RunChange{To: models.Undone, Reason: remains(rs, known)}})
}

// touched tells whether the run may have changed the world with the step. What was there before (skipped) is not ours to take back.
func touched(row models.Step) bool { return row.State == models.StepDone || row.Intent }

// looks tells a step that changes nothing: it waits for something, or verifies it.
func (s Step) looks() bool { return s.Name != "" && s.Start == nil && s.Undo == nil && s.Stays == "" }

func (e *Engine) undoStep(ctx context.Context, h *held, rs RunState, at int, step Step, u undoing) error {
	row := rs.Run.Steps[at]
	if u.Step != row.Name {
		u.memory = memory{Step: row.Name, Since: e.Clock.Wall()}
	}
	d := &doing{h: h, state: rs, step: step, row: row, mem: u.memory, run: runOf(rs, at, e.Clock.Wall().Sub(u.Since))}
	c := StepChange{StepID: row.ID, State: row.State, Intent: row.Intent, Tries: row.Tries}
	if step.Undo == nil {
		text := step.Title + " stays as it is"
		if step.Stays != "" {
			text = step.Title + ": " + step.Stays
		}
		c.Events = []Event{e.event(d, "stays", "warn", text)}
		return e.end(ctx, h, Outcome{Step: &c, Next: Next{State: undoing{Below: row.Position}}})
	}
	c.Intent = true
	c.Events = []Event{e.event(d, "undo", "info", step.Title+": taking it back")}
	if err := e.Journal.Intend(ctx, h.job, c); err != nil {
		return err
	}
	e.Crash("undo", row.Name, "after-intent-commit")
	if err := h.sure(); err != nil {
		return err
	}
	var res Result
	err := e.call(ctx, h, "undo", row.Name, func(ctx context.Context) (err error) {
		res, err = step.Undo(ctx, d.run)
		return err
	})
	e.Crash("undo", row.Name, "after-aws-call")
	out, err := e.undone(ctx, d, c, u, res, err)
	if err != nil {
		return err
	}
	if err := e.end(ctx, h, out); err != nil {
		return err
	}
	e.Crash("undo", row.Name, "after-outcome-commit")
	return nil
}

// undone is the outcome of one Undo call.
func (e *Engine) undone(ctx context.Context, d *doing, c StepChange, u undoing, res Result, err error) (Outcome, error) {
	if errors.Is(context.Cause(ctx), ErrStale) || errors.Is(err, ErrStale) {
		return Outcome{}, ErrStale
	}
	u.Looks++
	c.Outputs, c.Events = res.Outputs, e.keyed(d, res.Events)
	next := Next{Delay: res.Delay, State: u}
	var wait Wait
	var final Final
	switch {
	case err == nil && res.Found == Present:
		c.State, c.Intent = models.StepUndone, false
		c.Events = append(c.Events, e.event(d, "undone", "info", d.step.Title+": taken back"))
		return Outcome{Step: &c, Next: Next{State: undoing{Below: d.row.Position}}}, nil
	case err == nil:
		c.Waiting, c.Cursor = e.waiting(d.row.Waiting, res.Waiting), res.Cursor
	case errors.As(err, &wait):
		c.Waiting, next.Delay = e.waiting(d.row.Waiting, &models.WaitingOn{For: wait.For, Words: wait.Words, Until: wait.Until}), wait.Delay
	case errors.As(err, &final):
		return e.undoFailed(d, c, final.Failure), nil
	default:
		c.Tries++
		if c.Tries >= maxTries {
			return e.undoFailed(d, c, usedUp(d.step, c.Tries, err)), nil
		}
		text := fmt.Sprintf("%s: not taken back, attempt %d of %d: %s", d.step.Title, c.Tries, maxTries, sentence(err))
		c.Events = append(c.Events, e.event(d, fmt.Sprintf("undo%d", c.Tries), "warn", text))
		next.Delay = e.backOff(c.Tries - 1)
	}
	if next.Delay == 0 {
		next.Delay = e.delay(d.row.Name, u.Looks)
	}
	return Outcome{Step: &c, Next: next}, nil
}

func (e *Engine) undoFailed(d *doing, c StepChange, f models.Failure) Outcome {
	c.Failure = &f
	c.Events = append(c.Events, e.event(d, "undo.failed", "fail", f.What))
	return Outcome{Step: &c, Run: &RunChange{To: models.Failed, Failure: &f}}
}

// remains names what an undo leaves behind; empty when nothing is left.
func remains(rs RunState, known map[string]Step) string {
	var stays []string
	for _, row := range rs.Run.Steps {
		step := known[row.Name]
		switch {
		case row.State != models.StepUndone && !touched(row), step.looks():
		case step.Stays != "":
			stays = append(stays, step.Stays)
		case step.Undo == nil:
			stays = append(stays, row.Title)
		}
	}
	if len(stays) == 0 {
		return ""
	}
	return "What stays: " + strings.Join(stays, "; ") + "."
}
