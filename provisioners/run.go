package provisioners

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"slipway/models"
)

// doing is one step in the engine's hands for one call.
type doing struct {
	h     *held
	state RunState
	step  Step
	row   models.Step // as journaled when the call began
	run   *Run
	mem   memory
	last  bool // no step comes after it
}

// run works an approved, running or stopping request: begin it, or make one call of its current step.
func (e *Engine) run(ctx context.Context, h *held) error {
	rs, err := e.Journal.LoadRun(ctx, h.job)
	if err != nil {
		return err
	}
	switch rs.Request.State {
	case models.Approved:
		return e.begin(ctx, h, rs)
	case models.Running, models.Stopping:
		if void, err := e.retried(ctx, rs); err != nil || void != "" {
			if err == nil {
				err = e.end(ctx, h, Outcome{Run: &RunChange{To: models.Planning, Reason: void}})
			}
			return err
		}
		return e.advance(ctx, h, rs)
	}
	h.stop()
	return e.Journal.End(ctx, h.job, Next{Done: true})
}

// advance makes one call of the current step.
func (e *Engine) advance(ctx context.Context, h *held, rs RunState) error {
	at := slices.IndexFunc(rs.Run.Steps, func(s models.Step) bool { return s.State != models.StepDone && s.State != models.StepSkipped })
	if at < 0 {
		return e.end(ctx, h, Outcome{Run: &RunChange{To: models.Succeeded}})
	}
	row := rs.Run.Steps[at]
	if inFlight := row.Intent && row.Attempt == rs.Run.Attempt; rs.Request.State == models.Stopping && !inFlight {
		return e.end(ctx, h, Outcome{Run: &RunChange{To: models.Failed, Failure: stopped(rs.Request, row)}})
	}
	step, err := e.stepOf(rs, row.Name)
	if err != nil {
		return e.end(ctx, h, Outcome{
			Step: &StepChange{StepID: row.ID, State: models.StepFailed, Intent: row.Intent, Tries: row.Tries, Failure: unknownStep(row, err)},
			Run:  &RunChange{To: models.Failed, Failure: unknownStep(row, err)},
		})
	}
	d := &doing{h: h, state: rs, step: step, row: row, mem: e.recall(h.job.State, row.Name), last: at == len(rs.Run.Steps)-1}
	d.run = runOf(rs, at, e.Clock.Wall().Sub(d.mem.Since))
	return e.look(ctx, d)
}

// look asks Poll or Find once and, when Find says that nothing is there, commits the intent and starts.
func (e *Engine) look(ctx context.Context, d *doing) error {
	var res Result
	ask, what := d.step.Find, "find"
	if d.mem.Poll && d.step.Poll != nil {
		ask, what = d.step.Poll, "poll"
	}
	err := e.call(ctx, d.h, what, d.row.Name, func(ctx context.Context) (err error) {
		res, err = ask(ctx, d.run)
		return err
	})
	if err != nil {
		return e.endError(ctx, d, err)
	}
	if res.Found == Absent && !d.mem.Poll && d.step.Start != nil {
		return e.start(ctx, d, res)
	}
	return e.endLook(ctx, d, res)
}

// start commits the intent, calls Start and journals that it was answered. What a crash in between hides is found by the next look.
func (e *Engine) start(ctx context.Context, d *doing, found Result) error {
	c := StepChange{StepID: d.row.ID, State: models.StepRunning, Intent: true, Tries: d.row.Tries, Outputs: found.Outputs, Events: found.Events}
	if err := e.Journal.Intend(ctx, d.h.job, c); err != nil {
		return err
	}
	before := d.row.Intent
	d.row.Intent = true
	for k, v := range found.Outputs {
		d.run.Outputs[k] = v
	}
	e.Crash("run", d.row.Name, "after-intent-commit")
	if err := d.h.sure(); err != nil {
		return err
	}
	err := e.call(ctx, d.h, "start", d.row.Name, func(ctx context.Context) error { return d.step.Start(ctx, d.run) })
	e.Crash("run", d.row.Name, "after-aws-call")
	if err != nil {
		d.mem.Poll = false
		var wait Wait
		if errors.As(err, &wait) && wait.Clean {
			d.row.Intent = before
		}
		return e.endError(ctx, d, err)
	}
	d.mem.Poll, d.mem.Looks, d.mem.Gone = true, 0, 0
	d.mem.Stage++
	c.Outputs, c.Events = d.run.Outputs, []Event{e.event(d, fmt.Sprintf("started%d", d.mem.Stage), "info", d.step.Title+": asked for")}
	next := Next{State: d.mem}
	if d.step.Poll != nil {
		next.Delay = e.delay(d.row.Name, 0)
	}
	return e.finish(ctx, d, Outcome{Step: &c, Next: next})
}

// end writes an outcome of the run itself; the job is over with it.
func (e *Engine) end(ctx context.Context, h *held, out Outcome) error {
	out.Next.Done = out.Run != nil
	h.stop()
	return e.Journal.EndCall(ctx, h.job, out)
}

// finish writes the outcome of a call.
func (e *Engine) finish(ctx context.Context, d *doing, out Outcome) error {
	if err := e.end(ctx, d.h, out); err != nil {
		return err
	}
	e.Metrics.step(d, out, e.Clock.Wall())
	if out.Step.State != models.StepWaiting {
		e.Crash("run", d.row.Name, "after-outcome-commit")
	}
	return nil
}

func (e *Engine) stepOf(rs RunState, name string) (Step, error) {
	steps, err := e.steps(rs.Request.Kind, rs.Plan)
	if err != nil {
		return Step{}, err
	}
	if i := slices.IndexFunc(steps, func(s Step) bool { return s.Name == name }); i >= 0 {
		return steps[i], nil
	}
	return Step{}, fmt.Errorf("no step %s in this version of Slipway", name)
}

func (e *Engine) steps(kind models.RequestKind, plan models.Plan) ([]Step, error) {
	p := e.provisioners[kind]
	if p == nil {
		return nil, fmt.Errorf("no provisioner for %s", kind)
	}
	return p.Steps(plan)
}
