package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

type planRow struct {
	ID         string
	RequestID  string
	Number     int
	Hash       string
	Content    jsonb
	Notes      jsonb
	ComputedAt time.Time
}

func readPlan(db *gorm.DB, id string) (models.Plan, error) {
	r, err := one[planRow](db, `SELECT id, request_id, number, hash, content, notes, computed_at FROM plans WHERE id = ?`, id)
	if err != nil {
		return models.Plan{}, fmt.Errorf("read plan %s: %w", id, err)
	}
	p := models.Plan{ID: r.ID, RequestID: r.RequestID, Number: r.Number, Hash: r.Hash, ComputedAt: r.ComputedAt}
	if err := r.Content.decode(&p.Content); err != nil {
		return p, err
	}
	return p, r.Notes.decode(&p.Notes)
}

type runRow struct {
	ID        string
	RequestID string
	Kind      models.RequestKind
	Title     string
	TenantID  *string
	PlanID    string
	PlanHash  string
	State     models.RequestState
	Attempt   int
	StartedBy string
	StartedAt time.Time
	EndedAt   *time.Time
	Failure   jsonb
	Approvers string

	EventsClearedAt *time.Time
}

const runColumns = `n.id, n.request_id, r.kind, r.title, r.tenant_id, n.plan_id, l.hash AS plan_hash, n.state, n.attempt, n.started_by, n.started_at, n.ended_at,
	n.failure, n.events_cleared_at, COALESCE((SELECT string_agg(COALESCE(p.name, 'rule ' || a.rule_id), ', ' ORDER BY a.at) FROM approvals a LEFT JOIN people p ON p.id = a.person_id
		WHERE a.request_id = r.id AND a.plan_hash = l.hash AND a.decision = 'approve' AND NOT a.dropped), '') AS approvers`

const runsJoined = `runs n JOIN requests r ON r.id = n.request_id JOIN plans l ON l.id = n.plan_id`

func (r runRow) model() (models.Run, error) {
	m := models.Run{ID: r.ID, RequestID: r.RequestID, Kind: r.Kind, Title: r.Title, TenantID: value(r.TenantID), PlanID: r.PlanID, PlanHash: r.PlanHash,
		State: r.State, Attempt: r.Attempt, ApprovedBy: r.Approvers, StartedBy: r.StartedBy, StartedAt: r.StartedAt, EndedAt: value(r.EndedAt),
		EventsCleared: value(r.EventsClearedAt)}
	if len(r.Failure) > 0 {
		m.Failure = &models.Failure{}
	}
	return m, r.Failure.decode(m.Failure)
}

const stepColumns = `id, run_id, position, name, title, part, state, attempt, tries, intent, outputs, cursor, waiting, failure, started_at, ended_at`

type stepRow struct {
	ID        string
	RunID     string
	Position  int
	Name      string
	Title     string
	Part      string
	State     models.StepState
	Attempt   int
	Tries     int
	Intent    bool
	Outputs   jsonb
	Cursor    jsonb
	Waiting   jsonb
	Failure   jsonb
	StartedAt *time.Time
	EndedAt   *time.Time
}

func (r stepRow) model() (models.Step, error) {
	m := models.Step{ID: r.ID, RunID: r.RunID, Position: r.Position, Name: r.Name, Title: r.Title, Part: r.Part, State: r.State, Attempt: r.Attempt,
		Tries: r.Tries, Intent: r.Intent, Outputs: map[string]string{}, StartedAt: value(r.StartedAt), EndedAt: value(r.EndedAt)}
	if len(r.Cursor) > 0 {
		m.Cursor = []byte(r.Cursor)
	}
	if len(r.Waiting) > 0 {
		m.Waiting = &models.WaitingOn{}
	}
	if len(r.Failure) > 0 {
		m.Failure = &models.Failure{}
	}
	for _, err := range []error{r.Outputs.decode(&m.Outputs), r.Waiting.decode(m.Waiting), r.Failure.decode(m.Failure)} {
		if err != nil {
			return m, fmt.Errorf("read step %s: %w", r.ID, err)
		}
	}
	return m, nil
}

// readRun reads a run with its steps in order.
func readRun(db *gorm.DB, where string, args ...any) (models.Run, error) {
	r, err := one[runRow](db, `SELECT `+runColumns+` FROM `+runsJoined+` WHERE `+where, args...)
	if err != nil {
		return models.Run{}, err
	}
	run, err := r.model()
	if err != nil {
		return run, err
	}
	rows, err := many[stepRow](db, `SELECT `+stepColumns+` FROM steps WHERE run_id = ? ORDER BY position`, run.ID)
	if err != nil {
		return run, fmt.Errorf("read the steps of %s: %w", run.ID, err)
	}
	for _, row := range rows {
		step, err := row.model()
		if err != nil {
			return run, err
		}
		run.Steps = append(run.Steps, step)
	}
	return run, nil
}

// LoadRun reads what a call of a run needs. The plan is the run's, or the request's before it ran or when another was approved since.
func (j *Journal) LoadRun(ctx context.Context, job models.Job) (models.RunRecord, error) {
	var rec models.RunRecord
	db := j.s.read(ctx)
	row, err := one[requestRow](db, `SELECT `+requestColumns+` FROM `+requestsJoined+` WHERE r.id = ?`, job.ObjectID)
	if err != nil {
		return rec, translate(fmt.Errorf("read request %s: %w", job.ObjectID, err))
	}
	if rec.Request, err = row.model(); err != nil {
		return rec, err
	}
	planID := rec.Request.PlanID
	if rec.Request.HasRun() {
		if rec.Run, err = readRun(db, "n.id = ?", rec.Request.RunID); err != nil {
			return rec, translate(fmt.Errorf("read run %s: %w", rec.Request.RunID, err))
		}
		if rec.Request.State != models.Approved {
			planID = rec.Run.PlanID
		}
	}
	if planID == "" {
		return rec, nil
	}
	rec.Plan, err = readPlan(db, planID)
	return rec, translate(err)
}

// Run reads a run with its steps as far as the actor may see its request.
func (s *Store) Run(ctx context.Context, actor models.Actor, id string) (models.Run, error) {
	if !models.ValidID(id) {
		return models.Run{}, translate(gorm.ErrRecordNotFound)
	}
	seen, args := requestScope(actor)
	run, err := readRun(s.read(ctx), `n.id = ? AND `+seen, append([]any{id}, args...)...)
	if err != nil {
		return models.Run{}, s.unseen(ctx, actor, "run", id, err)
	}
	return run, nil
}

type eventRow struct {
	ID     int64
	RunID  string
	StepID string
	At     time.Time
	Level  string
	Text   string
	Key    string
}

// maxEvents bounds one reading of a run's log.
const maxEvents = 2000

// RunEvents reads the newest lines of a run's log, oldest first, after the given id.
func (s *Store) RunEvents(ctx context.Context, actor models.Actor, runID string, after int64) ([]models.RunEvent, error) {
	if !models.ValidID(runID) {
		return nil, translate(gorm.ErrRecordNotFound)
	}
	seen, args := requestScope(actor)
	rows, err := many[eventRow](s.read(ctx), `SELECT * FROM (SELECT e.id, e.run_id, e.step_id, e.at, e.level, e.text, e.key FROM run_events e JOIN runs n ON n.id = e.run_id JOIN requests r ON r.id = n.request_id
		WHERE e.run_id = ? AND e.id > ? AND `+seen+` ORDER BY e.id DESC LIMIT ?) newest ORDER BY id`, append(append([]any{runID, after}, args...), maxEvents)...)
	if err != nil {
		return nil, translate(fmt.Errorf("read the log of %s: %w", runID, err))
	}
	events := make([]models.RunEvent, len(rows))
	for i, r := range rows {
		events[i] = models.RunEvent(r)
	}
	return events, nil
}
