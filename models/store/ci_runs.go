package store

import (
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// workflowRun is what an execution of GitHub Actions is made of: a build, and the promotions that its run asked for.
type workflowRun struct {
	token models.CIToken
	build models.Build
}

// keepRun brings the execution of a workflow's run up to what is known of it.
func (t *tx) keepRun(p models.Pipeline, run workflowRun) (models.Execution, error) {
	b, token := run.build, run.token
	e := models.Execution{PipelineID: p.ID, TenantID: p.TenantID, ExternalID: token.Run(), Trigger: models.TriggerWorkflow, TriggerBy: clipped(token.Actor, longestLine), Commit: b.Commit,
		Digest: b.Digest, Link: token.Link, StartedAt: t.s.clock.Wall(), SeenAt: t.s.clock.Wall()}
	was, err := t.executionOf(p.ID, e.ExternalID)
	switch {
	case err == nil:
		e.ID, e.StartedAt = was.ID, was.StartedAt
	case !errors.Is(err, gorm.ErrRecordNotFound):
		return e, fmt.Errorf("look for the run %s: %w", e.ExternalID, err)
	}
	return t.keepProgress(p, e, b)
}

// followRun brings the execution of a workflow up to the promotions that its run asked for; others are read where they run.
func (t *tx) followRun(executionID string) error {
	type found struct {
		PipelineID string
		ExternalID string
		TriggerBy  string
		Link       string
		Digest     string
		StartedAt  time.Time
		SeenAt     time.Time
	}
	r, err := one[found](t.db, `SELECT e.pipeline_id, e.external_id, e.trigger_by, e.link, e.digest, e.started_at, e.seen_at FROM pipeline_executions e WHERE e.id = ? AND e.trigger = 'workflow'`, executionID)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the run %s: %w", executionID, err)
	}
	p, err := readPipeline(t.db, `p.id = ?`, r.PipelineID)
	if err != nil {
		return err
	}
	b, err := t.oneBuild(`b.pipeline_id = ? AND b.digest = ?`, p.ID, r.Digest)
	if err != nil {
		return err
	}
	e := models.Execution{ID: executionID, PipelineID: p.ID, TenantID: p.TenantID, ExternalID: r.ExternalID, Trigger: models.TriggerWorkflow, TriggerBy: r.TriggerBy, Commit: b.Commit, Digest: r.Digest,
		Link: r.Link, StartedAt: r.StartedAt, SeenAt: r.SeenAt}
	_, err = t.keepProgress(p, e, b)
	return err
}

func (t *tx) oneBuild(where string, args ...any) (models.Build, error) {
	row, err := one[buildRow](t.db, `SELECT `+buildColumns+` FROM builds b WHERE `+where+` ORDER BY b.registered_at DESC, b.id LIMIT 1`, args...)
	if err != nil {
		return models.Build{}, fmt.Errorf("read the build: %w", err)
	}
	return row.model(), nil
}

type askedStage struct {
	EnvironmentID string
	State         models.PromotionState
	Reason        string
	CreatedAt     time.Time
	EndedAt       *time.Time
}

func (t *tx) keepProgress(p models.Pipeline, e models.Execution, b models.Build) (models.Execution, error) {
	var asked []askedStage
	if e.ID != "" {
		var err error
		if asked, err = many[askedStage](t.db, `SELECT DISTINCT ON (environment_id) environment_id, state, reason, created_at, ended_at FROM promotions WHERE execution_id = ?
			ORDER BY environment_id, created_at DESC, id DESC`, e.ID); err != nil {
			return e, fmt.Errorf("read what the run asked for: %w", err)
		}
	}
	e.Stages = runStages(p, b, e.Link, asked)
	if e.State = runState(e.Stages); e.State.Ended() {
		e.EndedAt = t.s.clock.Wall()
	}
	return t.keepExecution(p, e)
}

// asStage is how a stage stands while a promotion does.
var asStage = map[models.PromotionState]models.ExecutionState{
	models.PromotionChecking: models.ExecutionWaiting, models.PromotionBlocked: models.ExecutionWaiting, models.PromotionHeld: models.ExecutionWaiting,
	models.PromotionRequested: models.ExecutionRunning, models.PromotionSucceeded: models.ExecutionSucceeded, models.PromotionFailed: models.ExecutionFailed,
	models.PromotionRejected: models.ExecutionFailed, models.PromotionSuperseded: models.ExecutionSuperseded,
}

// runStages are the stages of a workflow's run, as those of CodePipeline: the build, and one for each environment.
func runStages(p models.Pipeline, b models.Build, link string, asked []askedStage) []models.ExecutionStage {
	built := models.ExecutionFailed
	if b.Passed {
		built = models.ExecutionSucceeded
	}
	stages := []models.ExecutionStage{{Name: "Build", State: built, Actions: []models.ExecutionAction{
		{Name: "Build", Kind: "build", State: built, EndedAt: b.RegisteredAt, Link: link, Outputs: map[string]string{"IMAGE_DIGEST": b.Digest}}}}}
	for _, s := range p.Stages {
		stage := models.ExecutionStage{Name: s.Environment, EnvironmentID: s.EnvironmentID, Actions: []models.ExecutionAction{}}
		for _, a := range asked {
			if a.EnvironmentID != s.EnvironmentID {
				continue
			}
			stage.State = asStage[a.State]
			stage.Actions = append(stage.Actions, models.ExecutionAction{Name: models.ApprovalAction(s.Environment), Kind: "approval", State: stage.State, Words: a.Reason})
		}
		stages = append(stages, stage)
	}
	return stages
}

// runState is how a run stands as a whole. One that asks for nothing more has ended as far as Slipway is told; asking again moves it.
func runState(stages []models.ExecutionStage) models.ExecutionState {
	state := models.ExecutionSucceeded
	for _, s := range stages {
		switch s.State {
		case models.ExecutionWaiting, models.ExecutionRunning:
			return models.ExecutionRunning
		case models.ExecutionFailed, models.ExecutionSuperseded:
			state = s.State
		}
	}
	return state
}
