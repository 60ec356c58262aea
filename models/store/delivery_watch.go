package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

type orderRow struct {
	ID          string
	PipelineID  string
	Verb        string
	ExecutionID *string
	ExternalID  *string
	Stage       string
	PersonID    string
	Person      string
	AskedAt     time.Time
	DoneAt      *time.Time
	Failure     string
}

func (r orderRow) model() models.PipelineOrder {
	return models.PipelineOrder{ID: r.ID, PipelineID: r.PipelineID, Verb: r.Verb, ExecutionID: value(r.ExecutionID), ExternalID: value(r.ExternalID), Stage: r.Stage, PersonID: r.PersonID, Person: r.Person,
		AskedAt: r.AskedAt, DoneAt: value(r.DoneAt), Failure: r.Failure}
}

func readOrders(db *gorm.DB, rest string, args ...any) ([]models.PipelineOrder, error) {
	rows, err := many[orderRow](db, `SELECT c.id, c.pipeline_id, c.verb, c.execution_id, x.external_id, c.stage, c.person_id, n.name AS person, c.asked_at, c.done_at, c.failure
		FROM pipeline_orders c JOIN people n ON n.id = c.person_id LEFT JOIN pipeline_executions x ON x.id = c.execution_id `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read what was asked of executions: %w", err)
	}
	all := make([]models.PipelineOrder, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.model())
	}
	return all, nil
}

// Watched reads the pipeline of a job, with the oldest thing that a person asked of it and that is not done. NotFound when nothing of it is read
// any more.
func (b *DeliveryBook) Watched(ctx context.Context, job models.Job) (look models.WatchLook, err error) {
	db := b.s.read(ctx)
	if look.Pipeline, err = readPipeline(db, `p.id = ? AND p.state NOT IN ('creating', 'deleted')`, job.ObjectID); err != nil {
		return look, translate(err)
	}
	open, err := readOrders(db, `WHERE c.pipeline_id = ? AND c.done_at IS NULL ORDER BY c.asked_at, c.id LIMIT 1`, job.ObjectID)
	if err == nil && len(open) > 0 {
		look.Order = &open[0]
	}
	return look, translate(err)
}

// EndOrder writes what became of something that a person asked of an execution; the same job then reads what has changed.
func (b *DeliveryBook) EndOrder(ctx context.Context, job models.Job, order models.PipelineOrder, failure string, next models.NextCall) error {
	return b.s.tx(ctx, func(t *tx) error {
		if err := t.fence(job); err != nil {
			return err
		}
		err := t.db.Exec(`UPDATE pipeline_orders SET done_at = ?, failure = ? WHERE id = ? AND done_at IS NULL`, t.now(), clipped(failure, longestWords), order.ID).Error
		if err != nil {
			return fmt.Errorf("end the order %s: %w", order.ID, err)
		}
		if err := t.notify("object:" + order.PipelineID); err != nil {
			return err
		}
		return t.endJob(job, next)
	})
}

// KeepReading writes what one look at a pipeline has brought, in one transaction with how the look goes on: executions and the builds they made,
// and a promotion for each deploy stage that waits. Once the look is whole, promotions that CodePipeline waits for no more are woken.
func (b *DeliveryBook) KeepReading(ctx context.Context, job models.Job, pipelineID string, reading models.PipelineReading, next models.NextCall) error {
	return b.s.tx(ctx, func(t *tx) error {
		if err := t.fence(job); err != nil {
			return err
		}
		p, err := readPipeline(t.db, `p.id = ?`, pipelineID)
		if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && p.State == models.Deleted {
			return t.endJob(job, models.NextCall{Done: true})
		}
		if err != nil {
			return err
		}
		if err := t.keepExecutions(p, reading); err != nil {
			return err
		}
		gap := reading.Gap
		unknown, err := t.keepWaiting(p, reading)
		if err != nil {
			return err
		}
		if gap == nil && unknown != "" {
			gap = &models.ReadGap{What: "a deploy stage", Kind: models.GapAbsent, Words: unknown}
		}
		if next.Done {
			if err := t.endReading(p, reading, gap); err != nil {
				return err
			}
		}
		return t.endJob(job, next)
	})
}

// keepExecutions writes the executions of a reading, the oldest first, so that their numbers follow time.
func (t *tx) keepExecutions(p models.Pipeline, reading models.PipelineReading) error {
	executions := slices.Clone(reading.Executions)
	slices.SortStableFunc(executions, func(a, b models.Execution) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ExternalID, b.ExternalID))
	})
	digests := texts{}
	for i, e := range executions {
		if e.SeenAt = reading.At; reading.At.IsZero() {
			e.SeenAt = t.s.clock.Wall()
		}
		kept, err := t.keepExecution(p, e)
		if err != nil {
			return fmt.Errorf("keep execution %s: %w", clip(e.ExternalID), err)
		}
		if executions[i] = kept; kept.Digest != "" {
			digests = append(digests, kept.Digest)
		}
	}
	known, err := many[string](t.db, `SELECT digest || execution_id FROM builds WHERE pipeline_id = ? AND digest = ANY (?::text[]) AND execution_id IS NOT NULL`, p.ID, digests)
	if err != nil {
		return fmt.Errorf("read which builds of %s are known: %w", p.Name, err)
	}
	for _, e := range executions {
		build, ok := builtBy(e)
		if !ok || slices.Contains(known, e.Digest+e.ID) {
			continue
		}
		if _, added, err := t.registerBuild(p, build); err != nil {
			return err
		} else if added {
			if err := t.wakeImage(p.ServiceID, e.Digest); err != nil {
				return err
			}
		}
	}
	return nil
}

// builtBy is the build of an execution whose build action has ended and named an image. An image that was only pushed was built by nobody who
// would say whether the build passed.
func builtBy(e models.Execution) (models.Build, bool) {
	for _, s := range e.Stages {
		for _, a := range s.Actions {
			if a.Kind == "build" && a.State.Ended() && e.Digest != "" {
				return models.Build{ExecutionID: e.ID, Digest: e.Digest, Tag: a.Outputs["IMAGE_TAG"], Passed: a.State == models.ExecutionSucceeded, Commit: e.Commit, Link: e.Link}, true
			}
		}
	}
	return models.Build{}, false
}

// keepWaiting opens a promotion for each deploy stage that waits. What it returns names what cannot be promoted, in words.
func (t *tx) keepWaiting(p models.Pipeline, reading models.PipelineReading) (string, error) {
	keys := texts{}
	var unknown []string
	for _, w := range reading.Approvals {
		keys = append(keys, w.Key)
		e, err := t.executionOf(p.ID, w.ExternalID)
		if errors.Is(err, gorm.ErrRecordNotFound) {
			continue // its execution is older than what is read: the next look brings it, or nobody can tell its image
		}
		if err != nil {
			return "", err
		}
		words, err := t.openWaiting(p, w, e)
		if err != nil {
			return "", err
		}
		if words != "" {
			unknown = append(unknown, words)
		}
	}
	if reading.Next != nil || reading.Gap != nil || reading.At.IsZero() {
		return strings.Join(unknown, " "), nil
	}
	gone, err := readPromotions(t.db, `WHERE o.pipeline_id = ? AND o.ended_at IS NULL AND o.answer = 'due' AND o.approval->>'key' <> ALL (?::text[]) ORDER BY o.id`, p.ID, keys)
	if err != nil {
		return "", err
	}
	for _, o := range gone {
		if err := t.answerGone(o); err != nil {
			return "", err
		}
		if err := t.wakePromotion(o); err != nil {
			return "", err
		}
	}
	return strings.Join(unknown, " "), nil
}

// openWaiting opens the promotion that a waiting deploy stage asks for. One that was thought to be gone and waits after all is answered.
func (t *tx) openWaiting(p models.Pipeline, w models.WaitingApproval, e models.Execution) (string, error) {
	environment := ""
	for _, s := range p.Stages {
		if s.Environment == w.Environment {
			environment = s.EnvironmentID
		}
	}
	image := ""
	if e.Digest != "" {
		image = p.Repository + "@" + e.Digest
	}
	o, err := t.openPromotion(pipelines(), p, promotionAsk{EnvironmentID: environment, Image: image, ExecutionID: e.ID, By: models.AskedByPipeline, ByName: fmt.Sprintf("%s, execution %d", p.Name, e.Number),
		Key: "approval:" + w.Key, Approval: &models.PromotionApproval{Key: w.Key, Stage: clipped(w.Environment, 100), Since: w.Since, Until: w.Until}})
	var known *models.Error
	if errors.As(err, &known) {
		return fmt.Sprintf("Stage %s waits and cannot be promoted: %s", clipped(w.Environment, 100), known.Message), nil
	}
	if err != nil || o.State.Ended() && o.Answer != models.AnswerGone || !o.State.Ended() {
		return "", err
	}
	if err := t.db.Exec(`UPDATE promotions SET answer = 'due', answered_at = NULL WHERE id = ?`, o.ID).Error; err != nil {
		return "", fmt.Errorf("have promotion %s answered: %w", o.ID, err)
	}
	return "", t.wakePromotion(o)
}

// endReading notes that a look is whole, and when the next one is due.
func (t *tx) endReading(p models.Pipeline, reading models.PipelineReading, gap *models.ReadGap) error {
	var why any
	if gap != nil {
		g := *gap
		g.Words, g.What = clipped(g.Words, longestWords), clipped(g.What, 200)
		why = g
	}
	doc, err := document(why)
	if err != nil {
		return err
	}
	err = t.db.Exec(`UPDATE pipelines SET read_at = COALESCE(?, read_at), read_gap = ?, read_due = CASE WHEN read_due IS NULL THEN NULL
			ELSE ?::timestamptz + make_interval(secs => CASE WHEN moving THEN ?::float8 ELSE ?::float8 END) END WHERE id = ?`,
		timeOrNull(reading.At), doc, t.now(), models.ReadMoving.Seconds(), models.ReadCalm.Seconds(), p.ID).Error
	if err != nil {
		return fmt.Errorf("note that pipeline %s was read: %w", p.Name, err)
	}
	if (p.ReadGap == nil) != (gap == nil) {
		return t.notify("object:" + p.ID)
	}
	return nil
}
