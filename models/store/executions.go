package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// How much of what AWS and CI say of an execution is kept.
const (
	mostStages     = 30
	mostActions    = 20
	longestWords   = 1000
	longestOutputs = 30
)

type executionRow struct {
	ID            string
	PipelineID    string
	TenantID      string
	Number        int
	ExternalID    string
	Trigger       models.Trigger
	TriggerBy     string
	State         models.ExecutionState
	CommitID      string
	CommitMessage string
	Author        string
	Branch        string
	CommitAt      *time.Time
	Link          string
	Stages        jsonb
	Digest        string
	StartedAt     time.Time
	EndedAt       *time.Time
	SeenAt        time.Time
}

const executionColumns = `x.id, x.pipeline_id, x.tenant_id, x.number, x.external_id, x.trigger, x.trigger_by, x.state, x.commit_id, x.commit_message, x.author, x.branch, x.commit_at, x.link,
	x.stages, x.digest, x.started_at, x.ended_at, x.seen_at`

func (r executionRow) model() (models.Execution, error) {
	m := models.Execution{ID: r.ID, PipelineID: r.PipelineID, TenantID: r.TenantID, Number: r.Number, ExternalID: r.ExternalID, Trigger: r.Trigger, TriggerBy: r.TriggerBy,
		Commit: models.Commit{ID: r.CommitID, Message: r.CommitMessage, Author: r.Author, Branch: r.Branch, At: value(r.CommitAt)}, State: r.State, Digest: r.Digest, Link: r.Link,
		StartedAt: r.StartedAt, EndedAt: value(r.EndedAt), SeenAt: r.SeenAt}
	if err := r.Stages.decode(&m.Stages); err != nil {
		return m, fmt.Errorf("read the stages of execution %s: %w", r.ID, err)
	}
	return m, nil
}

func readExecutions(db *gorm.DB, rest string, args ...any) ([]models.Execution, error) {
	rows, err := many[executionRow](db, `SELECT `+executionColumns+` FROM pipeline_executions x `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read executions: %w", err)
	}
	return modelsOf(rows, executionRow.model)
}

// keepExecution writes what is known of one way through a pipeline, by its external id: the first time with the next number of the pipeline,
// afterwards over what was known before. What is empty now and was known before stays. Pages that show it are woken when it differs.
func (t *tx) keepExecution(p models.Pipeline, e models.Execution) (models.Execution, error) {
	if e.ExternalID == "" || len(e.ExternalID) > maxKey {
		return e, models.Errorf(models.Invalid, "An execution needs the id that its host gave it.")
	}
	if err := t.db.Exec(`SELECT 1 FROM pipelines WHERE id = ? FOR UPDATE`, p.ID).Error; err != nil { // numbers come one by one
		return e, fmt.Errorf("lock pipeline %s: %w", p.Name, err)
	}
	before, err := readExecutions(t.db, `WHERE x.pipeline_id = ? AND x.external_id = ?`, p.ID, e.ExternalID)
	if err != nil {
		return e, err
	}
	e = t.trimmedExecution(p, e)
	if len(before) == 0 {
		err = t.insertExecution(&e)
	} else {
		known := before[0]
		e = overExecution(known, e)
		if sameExecution(known, e) {
			return e, t.db.Exec(`UPDATE pipeline_executions SET seen_at = ? WHERE id = ?`, e.SeenAt, e.ID).Error
		}
		err = t.updateExecution(e)
	}
	if err != nil {
		return e, err
	}
	if err := t.lastExecution(p.ID); err != nil {
		return e, err
	}
	return e, t.notify("object:" + p.ID)
}

// trimmedExecution is what others said of an execution as it is kept: bounded, with a state and a trigger of ours, and stages bound to the
// environments that the pipeline delivers to.
func (t *tx) trimmedExecution(p models.Pipeline, e models.Execution) models.Execution {
	e.PipelineID, e.TenantID = p.ID, p.TenantID
	if e.SeenAt.IsZero() {
		e.SeenAt = t.s.clock.Wall()
	}
	if e.StartedAt.IsZero() {
		e.StartedAt = e.SeenAt
	}
	if !slices.Contains([]models.Trigger{models.TriggerPush, models.TriggerImage, models.TriggerManual, models.TriggerCreation, models.TriggerWorkflow}, e.Trigger) {
		e.Trigger = models.TriggerOther
	}
	if !e.State.Ended() && e.State != models.ExecutionStopping {
		e.State = models.ExecutionRunning
	}
	switch {
	case !e.State.Ended():
		e.EndedAt = time.Time{}
	case e.EndedAt.IsZero():
		e.EndedAt = e.SeenAt
	}
	if !models.ValidDigest(e.Digest) {
		e.Digest = ""
	}
	e.TriggerBy, e.Link = clipped(e.TriggerBy, 200), secureLink(e.Link)
	e.Commit = models.Commit{ID: clipped(e.Commit.ID, 200), Message: clipped(e.Commit.Message, longestWords), Author: clipped(e.Commit.Author, 200), Branch: clipped(e.Commit.Branch, 200), At: e.Commit.At}
	e.Stages = slices.Clone(e.Stages[:min(len(e.Stages), mostStages)])
	for i := range e.Stages {
		e.Stages[i] = trimmedStage(p, e.Stages[i])
	}
	return e
}

func trimmedStage(p models.Pipeline, s models.ExecutionStage) models.ExecutionStage {
	s.Name, s.Behind, s.EnvironmentID = clipped(s.Name, 100), clipped(s.Behind, maxKey), ""
	for _, stage := range p.Stages {
		if stage.Environment == s.Name {
			s.EnvironmentID = stage.EnvironmentID
		}
	}
	actions := make([]models.ExecutionAction, 0, min(len(s.Actions), mostActions))
	for _, a := range s.Actions[:min(len(s.Actions), mostActions)] {
		a.Name, a.Kind, a.Words, a.ErrorCode, a.External = clipped(a.Name, 100), clipped(a.Kind, 20), clipped(a.Words, longestWords), clipped(a.ErrorCode, 100), clipped(a.External, 300)
		a.LogGroup, a.LogStream, a.Link = clipped(a.LogGroup, 512), clipped(a.LogStream, 512), secureLink(a.Link)
		outputs := map[string]string{}
		for k, v := range a.Outputs {
			if len(outputs) < longestOutputs {
				outputs[clipped(k, 100)] = clipped(v, 500)
			}
		}
		if a.Outputs = outputs; len(outputs) == 0 {
			a.Outputs = nil
		}
		actions = append(actions, a)
	}
	s.Actions = actions
	return s
}

// secureLink is an address that pages may lead to, or nothing.
func secureLink(link string) string {
	if !strings.HasPrefix(link, "https://") || len(link) > 2000 || strings.ContainsAny(link, " \t\r\n\"'<>\x00") {
		return ""
	}
	return link
}

// overExecution lays what is said now over what was known.
func overExecution(known, e models.Execution) models.Execution {
	e.ID, e.Number, e.StartedAt = known.ID, known.Number, known.StartedAt
	e.Digest, e.Link, e.TriggerBy = cmp.Or(e.Digest, known.Digest), cmp.Or(e.Link, known.Link), cmp.Or(e.TriggerBy, known.TriggerBy)
	if e.Commit.ID == "" {
		e.Commit = known.Commit
	}
	if e.Commit.At.IsZero() && e.Commit.ID == known.Commit.ID {
		e.Commit.At = known.Commit.At
	}
	if len(e.Stages) == 0 {
		e.Stages = known.Stages
	}
	if known.Trigger != models.TriggerOther {
		e.Trigger = known.Trigger
	}
	if e.State.Ended() && known.State == e.State {
		e.EndedAt = known.EndedAt
	}
	return e
}

func sameExecution(a, b models.Execution) bool {
	a.SeenAt, b.SeenAt = time.Time{}, time.Time{}
	one, errOne := document(a)
	other, errOther := document(b)
	return errOne == nil && errOther == nil && sameJSON(one, other)
}

func (t *tx) insertExecution(e *models.Execution) error {
	stages, err := document(append([]models.ExecutionStage{}, e.Stages...))
	if err != nil {
		return err
	}
	e.ID = models.NewID()
	e.Number, err = one[int](t.db, `INSERT INTO pipeline_executions (id, pipeline_id, tenant_id, number, external_id, trigger, trigger_by, state, commit_id, commit_message, author, branch, commit_at, link,
			stages, digest, started_at, ended_at, seen_at)
		SELECT ?, ?, ?, COALESCE(max(number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ? FROM pipeline_executions WHERE pipeline_id = ? RETURNING number`,
		e.ID, e.PipelineID, e.TenantID, e.ExternalID, e.Trigger, e.TriggerBy, e.State, e.Commit.ID, e.Commit.Message, e.Commit.Author, e.Commit.Branch, timeOrNull(e.Commit.At), e.Link,
		stages, e.Digest, e.StartedAt, timeOrNull(e.EndedAt), e.SeenAt, e.PipelineID)
	if err != nil {
		return fmt.Errorf("write execution %s: %w", e.ExternalID, err)
	}
	return nil
}

func (t *tx) updateExecution(e models.Execution) error {
	stages, err := document(append([]models.ExecutionStage{}, e.Stages...))
	if err != nil {
		return err
	}
	err = t.db.Exec(`UPDATE pipeline_executions SET trigger = ?, trigger_by = ?, state = ?, commit_id = ?, commit_message = ?, author = ?, branch = ?, commit_at = ?, link = ?, stages = ?, digest = ?,
		ended_at = ?, seen_at = ? WHERE id = ?`, e.Trigger, e.TriggerBy, e.State, e.Commit.ID, e.Commit.Message, e.Commit.Author, e.Commit.Branch, timeOrNull(e.Commit.At), e.Link, stages, e.Digest,
		timeOrNull(e.EndedAt), e.SeenAt, e.ID).Error
	if err != nil {
		return fmt.Errorf("write execution %s: %w", e.ExternalID, err)
	}
	return nil
}

// lastExecution keeps on the pipeline's row what lists show of its newest execution.
func (t *tx) lastExecution(pipelineID string) error {
	err := t.db.Exec(`UPDATE pipelines p SET last_execution = x.id, last_state = x.state, last_at = x.started_at, moving = EXISTS (SELECT FROM pipeline_executions m
				WHERE m.pipeline_id = p.id AND m.ended_at IS NULL AND NOT m.stages @> '[{"state": "waiting"}]')
		FROM (SELECT id, state, started_at FROM pipeline_executions WHERE pipeline_id = ? ORDER BY started_at DESC, id LIMIT 1) x WHERE p.id = ?`, pipelineID, pipelineID).Error
	if err != nil {
		return fmt.Errorf("note the newest execution of %s: %w", pipelineID, err)
	}
	return nil
}

// executionOf finds an execution by the id that its host gave it.
func (t *tx) executionOf(pipelineID, externalID string) (models.Execution, error) {
	found, err := readExecutions(t.db, `WHERE x.pipeline_id = ? AND x.external_id = ?`, pipelineID, externalID)
	if err == nil && len(found) == 0 {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return models.Execution{}, err
	}
	return found[0], nil
}
