package awssim

import (
	"context"
	"fmt"
	"slices"
	"time"

	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/jackc/pgx/v5"
)

// execution is one way of a change through a pipeline, as the pipeline was when it began.
type execution struct {
	ID, Pipeline, Name string // Pipeline is the ARN
	Account, Region    string
	Version            int32
	Mode               cptypes.ExecutionMode
	Status             cptypes.PipelineExecutionStatus
	Summary            string
	Trigger            cptypes.TriggerType
	Detail             string
	Started, Updated   time.Time
	Stages             []cptypes.StageDeclaration
	Past               []cptypes.StageDeclaration `json:",omitempty"` // as they were before the pipeline was changed
	Role, Bucket       string
	Stage              int      // the one it is in, or waits for
	Inside             bool     // whether it is in
	Pass               int      // where in Tries the present pass through the stage begins
	Kept               []string // actions of the stage that a retry does not do again
	Tries              []*try
	Commit             *commit           // that was pushed
	Overrides          map[string]string // revisions by source action
	Variables          map[string]string
	Stop               string // the reason why somebody stops it
	Token              string

	seq int64
}

// try is one execution of an action.
type try struct {
	ID, Stage, Action string
	Config            map[string]string // resolved
	Status            cptypes.ActionExecutionStatus
	Started, Updated  time.Time
	Due               *time.Time `json:",omitempty"` // when it ends
	Token             string     `json:",omitempty"` // of an approval
	Summary           string     `json:",omitempty"`
	Code, Message     string     `json:",omitempty"` // why it failed
	External, URL     string     `json:",omitempty"` // a build
	Outputs           map[string]string
	Artifacts         map[string]string // name and key in the bucket
	Revision          *revision         `json:",omitempty"`
	By                string            `json:",omitempty"`
}

// revision is what a source action fetched.
type revision struct{ ID, Summary, URL string }

func (e *execution) active() bool {
	return e.Status == cptypes.PipelineExecutionStatusInProgress || e.Status == cptypes.PipelineExecutionStatusStopping
}

func (e *execution) stage() *cptypes.StageDeclaration { return &e.Stages[e.Stage] }

// next is when something is due in it.
func (e *execution) next() *time.Time {
	var first *time.Time
	for _, t := range e.Tries {
		if t.Status == cptypes.ActionExecutionStatusInProgress && t.Due != nil && (first == nil || t.Due.Before(*first)) {
			first = t.Due
		}
	}
	return first
}

// end is the end of the execution; the stage is free then.
func (e *execution) end(status cptypes.PipelineExecutionStatus, at time.Time) {
	e.Status, e.Inside, e.Updated = status, false, at
}

// latest is the last try of an action.
func (e *execution) latest(stage, action string) *try {
	for _, t := range slices.Backward(e.Tries) {
		if t.Stage == stage && t.Action == action {
			return t
		}
	}
	return nil
}

// declaration is an action as the execution's pipeline has it, or had it.
func (e *execution) declaration(stage, action string) *cptypes.ActionDeclaration {
	if a := declared(e.Stages, stage, action); a != nil {
		return a
	}
	return declared(e.Past, stage, action)
}

func declared(stages []cptypes.StageDeclaration, stage, action string) *cptypes.ActionDeclaration {
	for i := range stages {
		if *stages[i].Name != stage {
			continue
		}
		for j := range stages[i].Actions {
			if *stages[i].Actions[j].Name == action {
				return &stages[i].Actions[j]
			}
		}
	}
	return nil
}

// executions reads executions, the newest first.
func (c *Call) executions(ctx context.Context, where string, args ...any) ([]*execution, error) {
	rows, err := c.Tx.Query(ctx, `SELECT seq, body FROM pipeline_executions WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read executions: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*execution, error) {
		e := &execution{}
		var seq int64
		err := row.Scan(&seq, e)
		e.seq = seq
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read executions: %w", err)
	}
	return all, nil
}

// execution finds one of a pipeline; nil when there is none.
func (c *Call) execution(ctx context.Context, pipeline, id string) (*execution, error) {
	all, err := c.executions(ctx, `pipeline = $1 AND id = $2`, pipeline, id)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

func (c *Call) saveExecution(ctx context.Context, e *execution) error {
	err := c.Tx.QueryRow(ctx, `INSERT INTO pipeline_executions (id, pipeline, active, next_at, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET active = EXCLUDED.active, next_at = EXCLUDED.next_at, body = EXCLUDED.body RETURNING seq`, e.ID, e.Pipeline, e.active(), e.next(), e).Scan(&e.seq)
	if err != nil {
		return fmt.Errorf("store execution %s: %w", e.ID, err)
	}
	return nil
}
