package awssim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// line is a pipeline with the executions that are in it, the oldest first.
type line struct {
	t    *thing
	p    *cptypes.PipelineDeclaration
	runs []*execution
}

// runDeliveries is the ticker of builds and pipelines: whatever is due first happens first.
func runDeliveries(ctx context.Context, c *Call) error {
	for range stepsPerCall {
		var build bool
		var id string
		var at time.Time
		err := c.Tx.QueryRow(ctx, `SELECT * FROM (SELECT true, id, next_at FROM builds WHERE next_at <= $1 UNION ALL SELECT false, pipeline, next_at FROM pipeline_executions WHERE next_at <= $1) d
			ORDER BY next_at, 1 DESC LIMIT 1`, c.Now).Scan(&build, &id, &at)
		if isNoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for builds and pipelines: %w", err)
		}
		if build {
			err = c.finishImage(ctx, id, at.UTC())
		} else {
			err = c.movePipeline(ctx, id, at.UTC())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// movePipeline does all that is due in a pipeline at a moment, and what follows from it at once.
func (c *Call) movePipeline(ctx context.Context, pipeline string, at time.Time) error {
	l, err := c.line(ctx, pipeline)
	if err != nil {
		return err
	}
	if l == nil {
		return c.forgetExecutions(ctx, pipeline)
	}
	for moved := true; moved; {
		moved = false
		for _, e := range l.runs {
			for e.active() {
				yes, err := c.moveExecution(ctx, l, e, at)
				if err != nil {
					return fmt.Errorf("execution %s of %s: %w", e.ID, l.t.Physical, err)
				}
				if !yes {
					break
				}
				moved = true
			}
		}
		if l.enter(at) {
			moved = true
		}
	}
	for _, e := range l.runs {
		if err := c.saveExecution(ctx, e); err != nil {
			return err
		}
	}
	return c.know(ctx, l.t)
}

func (c *Call) line(ctx context.Context, pipeline string) (*line, error) {
	t, err := c.byARN(ctx, codePipelineType, pipeline)
	if err != nil || t == nil {
		return nil, err
	}
	l := &line{t: t}
	if l.p, err = pipelineOf(t); err != nil {
		return nil, err
	}
	l.runs, err = c.executions(ctx, `pipeline = $1 AND active ORDER BY seq`, pipeline)
	return l, err
}

func (c *Call) forgetExecutions(ctx context.Context, pipeline string) error {
	if _, err := c.Tx.Exec(ctx, `DELETE FROM pipeline_executions WHERE pipeline = $1`, pipeline); err != nil {
		return fmt.Errorf("forget executions of %s: %w", pipeline, err)
	}
	return nil
}

// moveExecution does the next thing in an execution; false when there is nothing to do now.
func (c *Call) moveExecution(ctx context.Context, l *line, e *execution, at time.Time) (bool, error) {
	for _, t := range e.Tries {
		if t.Status == cptypes.ActionExecutionStatusInProgress && t.Due != nil && !t.Due.After(at) {
			e.Updated = at
			return true, c.finishTry(ctx, e, t, at)
		}
	}
	if !e.Inside {
		if e.Status == cptypes.PipelineExecutionStatusStopping {
			e.end(cptypes.PipelineExecutionStatusStopped, at)
		}
		return false, nil
	}
	busy, failed, left := e.standing()
	switch {
	case busy:
		return false, nil
	case e.Status == cptypes.PipelineExecutionStatusStopping:
		e.end(cptypes.PipelineExecutionStatusStopped, at)
	case failed:
		e.end(cptypes.PipelineExecutionStatusFailed, at)
	case len(left) > 0:
		for _, a := range left {
			if err := c.startTry(ctx, l, e, a, at); err != nil {
				return false, err
			}
		}
	case e.Stage == len(e.Stages)-1:
		e.end(cptypes.PipelineExecutionStatusSucceeded, at)
	default:
		e.Stage, e.Inside, e.Updated = e.Stage+1, false, at
	}
	return true, nil
}

// standing is how the stage an execution is in stands: whether an action goes on, whether one
// failed, and else the actions that come next.
func (e *execution) standing() (busy, failed bool, next []*cptypes.ActionDeclaration) {
	done := map[string]bool{}
	for _, name := range e.Kept {
		done[name] = true
	}
	for _, t := range e.Tries[e.Pass:] {
		switch t.Status {
		case cptypes.ActionExecutionStatusInProgress:
			busy = true
		case cptypes.ActionExecutionStatusSucceeded:
			done[t.Action] = true
		default:
			failed = true
		}
	}
	if busy || failed {
		return busy, failed, nil
	}
	for i := range e.stage().Actions {
		a := &e.stage().Actions[i]
		switch {
		case done[*a.Name]:
		case len(next) == 0 || aws.ToInt32(a.RunOrder) == aws.ToInt32(next[0].RunOrder):
			next = append(next, a)
		case aws.ToInt32(a.RunOrder) < aws.ToInt32(next[0].RunOrder):
			next = []*cptypes.ActionDeclaration{a}
		}
	}
	return false, false, next
}

// enter lets executions into free stages, the last stage first and the oldest execution first.
// Where executions supersede one another, the newest goes and the others are over.
func (l *line) enter(at time.Time) bool {
	moved := false
	for i := len(l.p.Stages) - 1; i >= 0; i-- {
		var waiting []*execution
		taken := false
		for _, e := range l.runs {
			switch {
			case !e.active() || e.Stage != i:
			case e.Inside:
				taken = true
			case e.Status == cptypes.PipelineExecutionStatusInProgress:
				waiting = append(waiting, e)
			}
		}
		name := *l.p.Stages[i].Name
		parallel := l.p.ExecutionMode == cptypes.ExecutionModeParallel
		if len(waiting) == 0 || (taken && !parallel) || l.transition(name).Disabled {
			continue
		}
		if l.p.ExecutionMode == cptypes.ExecutionModeSuperseded {
			for _, e := range waiting[:len(waiting)-1] {
				e.end(cptypes.PipelineExecutionStatusSuperseded, at)
			}
			waiting = waiting[len(waiting)-1:]
		}
		if !parallel {
			waiting = waiting[:1]
		}
		for _, e := range waiting {
			e.Inside, e.Pass, e.Kept, e.Updated = true, len(e.Tries), nil, at
			l.note("stages", name, e.ID)
		}
		moved = true
	}
	return moved
}

// note keeps which execution was the last in a stage, or did an action.
func (l *line) note(what, name, id string) {
	m := mapOf(l.t.State[what])
	if m == nil {
		m = map[string]any{}
	}
	m[name] = id
	l.t.State[what] = m
}

// transition is the way into a stage.
type transition struct {
	Disabled   bool
	Reason, By string
	At         *time.Time
}

func (l *line) transition(stage string) transition {
	if v, ok := mapOf(l.t.State["transitions"])[stage]; ok {
		if t, err := decoded[transition](v); err == nil {
			return t
		}
	}
	for _, d := range listOf(l.t.Properties["DisableInboundStageTransitions"]) {
		if textOf(d["StageName"]) == stage {
			return transition{Disabled: true, Reason: textOf(d["Reason"]), At: &l.t.Made}
		}
	}
	return transition{}
}

func (l *line) hasStage(name string) bool {
	return slices.ContainsFunc(l.p.Stages, func(s cptypes.StageDeclaration) bool { return *s.Name == name })
}
