package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"slipway/models"
)

// pipelines is the actor of what pipelines do by themselves. Its requests are decided like everybody's.
func pipelines() models.Actor { return models.System(models.PipelinesComponent, "") }

// DeliveryBook is where the work on pipelines and promotions is kept.
type DeliveryBook struct{ s *Store }

// DeliveryBook gives the engine's work on pipelines and promotions its memory.
func (s *Store) DeliveryBook() *DeliveryBook { return &DeliveryBook{s} }

// Promotion reads what a promotion is about, and says what must be asked outside before it goes on. NotFound when it is gone.
func (b *DeliveryBook) Promotion(ctx context.Context, job models.Job) (look models.PromotionLook, err error) {
	db := b.s.read(ctx)
	if look.Promotion, err = readPromotion(db, `o.id = ?`, job.ObjectID); err != nil {
		return look, translate(err)
	}
	p := look.Promotion
	if look.Pipeline, err = readPipeline(db, `p.id = ?`, p.PipelineID); err != nil {
		return look, translate(err)
	}
	if p.State.Ended() {
		look.Answer = p.Answer == models.AnswerDue
		if look.Answer {
			executions, err := readExecutions(db, `WHERE x.id = ?`, orNull(p.ExecutionID))
			if err == nil && len(executions) > 0 {
				look.ExternalID = executions[0].ExternalID
			}
			return look, translate(err)
		}
		return look, nil
	}
	stage, ok := look.Pipeline.StageOf(p.EnvironmentID)
	if !ok || p.Begun() || p.Digest() == "" || !slices.Contains(stage.Gates, models.GateScan) {
		return look, nil
	}
	scan, err := readScan(db, p.ServiceID, p.Digest())
	if err != nil {
		return look, translate(err)
	}
	if look.Scan = scan.Stale(b.s.clock.Wall()); look.Scan {
		look.Service, err = readService(db, `v.id = ?`, p.ServiceID)
	}
	return look, translate(err)
}

// PutOffAnswer notes why CodePipeline could not be told yet, for the page, and ends the job until it is tried again.
func (b *DeliveryBook) PutOffAnswer(ctx context.Context, job models.Job, words string, next models.NextCall) error {
	return b.s.tx(ctx, func(t *tx) error {
		if err := t.fence(job); err != nil {
			return err
		}
		if err := t.sayOfApproval(job.ObjectID, words); err != nil {
			return err
		}
		return t.endJob(job, next)
	})
}

// sayOfApproval writes what CodePipeline was told, or why not.
func (t *tx) sayOfApproval(promotionID, words string) error {
	err := t.db.Exec(`UPDATE promotions SET approval = approval || jsonb_build_object('words', ?::text) WHERE id = ? AND approval IS NOT NULL`, clipped(words, longestWords), promotionID).Error
	if err != nil {
		return fmt.Errorf("note what CodePipeline was told of %s: %w", promotionID, err)
	}
	return nil
}

// Lead writes what was found outside and leads a promotion on as far as it goes now, in one transaction with how its work goes on: wherever a
// worker dies, it was done or it was not.
func (b *DeliveryBook) Lead(ctx context.Context, job models.Job, found models.PromotionFound, pauses models.PromotionPauses) error {
	return b.s.tx(ctx, func(t *tx) error {
		if err := t.fence(job); err != nil {
			return err
		}
		if err := t.db.Exec(`SELECT 1 FROM promotions WHERE id = ? FOR UPDATE`, job.ObjectID).Error; err != nil {
			return fmt.Errorf("lock promotion %s: %w", job.ObjectID, err)
		}
		t.leads = job.ObjectID
		p, err := readPromotion(t.db, `o.id = ?`, job.ObjectID)
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return t.endJob(job, models.NextCall{Done: true})
		}
		if err != nil {
			return err
		}
		if err := t.keepFound(&p, found); err != nil {
			return err
		}
		if !p.State.Ended() {
			if err := t.leadPromotion(&p); err != nil {
				return err
			}
		}
		return t.endJob(job, t.pauseOf(p, pauses))
	})
}

func (t *tx) keepFound(p *models.Promotion, found models.PromotionFound) error {
	if found.Scan != nil {
		scan := *found.Scan
		scan.ServiceID, scan.Digest = p.ServiceID, p.Digest()
		if err := t.keepScan(p.TenantID, scan); err != nil {
			return err
		}
	}
	if found.Answer == "" || p.Answer != models.AnswerDue || !p.State.Ended() {
		return nil
	}
	p.Answer, p.AnsweredAt = found.Answer, t.s.clock.Wall()
	if err := t.db.Exec(`UPDATE promotions SET answer = ?, answered_at = ? WHERE id = ?`, p.Answer, p.AnsweredAt, p.ID).Error; err != nil {
		return fmt.Errorf("note that CodePipeline was told of %s: %w", p.ID, err)
	}
	if err := t.sayOfApproval(p.ID, found.Words); err != nil {
		return err
	}
	if err := t.readSoon(p.PipelineID); err != nil {
		return err
	}
	if err := t.audit(pipelines(), "promotion.answer", aboutPromotion(*p), nil, map[string]any{"answer": p.Answer, "approved": p.Approves(), "words": found.Words}); err != nil {
		return err
	}
	return t.notifyPromotion(*p)
}

// pauseOf says how the work on a promotion goes on: what wakes it otherwise is a change of what it depends on.
func (t *tx) pauseOf(p models.Promotion, pauses models.PromotionPauses) models.NextCall {
	switch {
	case p.State.Ended() && p.Answer == models.AnswerDue:
		return models.NextCall{}
	case p.State.Ended():
		return models.NextCall{Done: true}
	}
	for _, g := range p.Gates {
		if g.Gate == models.GateScan && g.State == models.GateWaiting && !p.Begun() {
			return models.NextCall{Delay: pauses.Scan}
		}
	}
	return models.NextCall{Delay: pauses.Other}
}

// readSoon has the executions of a pipeline read with the next sweep.
func (t *tx) readSoon(pipelineID string) error {
	err := t.db.Exec(`UPDATE pipelines SET read_due = ? WHERE id = ? AND read_due > ?`, t.now(), pipelineID, t.now()).Error
	if err != nil {
		return fmt.Errorf("have pipeline %s read: %w", pipelineID, err)
	}
	return nil
}

// StartDue wakes the pipelines whose next reading is due, and the promotions whose moment has come: the end of a freeze or of a waiver. It tells
// how many there were.
func (b *DeliveryBook) StartDue(ctx context.Context, limit int) (int, error) {
	started := 0
	err := b.s.tx(ctx, func(t *tx) error {
		due, err := many[string](t.db, `SELECT id::text FROM pipelines WHERE read_due <= ? AND state <> 'deleted' ORDER BY read_due LIMIT ? FOR UPDATE SKIP LOCKED`, t.now(), limit)
		if err != nil {
			return fmt.Errorf("find pipelines to read: %w", err)
		}
		for _, id := range due {
			if err := t.startWatch(id); err != nil {
				return err
			}
		}
		late, err := many[string](t.db, `SELECT o.id::text FROM promotions o WHERE o.due <= ? ORDER BY o.due LIMIT ? FOR UPDATE SKIP LOCKED`, t.now(), limit)
		if err != nil {
			return fmt.Errorf("find promotions to look at: %w", err)
		}
		for _, id := range late {
			if err := t.db.Exec(`UPDATE promotions SET due = NULL WHERE id = ?`, id).Error; err != nil {
				return fmt.Errorf("note that promotion %s is looked at: %w", id, err)
			}
			if err := t.enqueue(models.PromoteWork, id, 0); err != nil {
				return err
			}
		}
		started = max(len(due), len(late))
		return nil
	})
	return started, err
}

// startWatch wakes the work on a pipeline's executions; what is under way goes on. Of the readings that are over only the last keeps its
// journal row: there would be millions.
func (t *tx) startWatch(id string) error {
	err := t.db.Exec(`UPDATE pipelines SET read_due = ?::timestamptz + make_interval(secs => CASE WHEN moving THEN ?::float8 ELSE ?::float8 END) WHERE id = ?`, t.now(), models.ReadMoving.Seconds(), models.ReadCalm.Seconds(), id).Error
	if err != nil {
		return fmt.Errorf("put off the next reading of %s: %w", id, err)
	}
	open, err := one[int](t.db, `SELECT count(*) FROM journal WHERE kind = ? AND object_id = ? AND NOT done`, models.WatchWork, id)
	if err != nil || open > 0 {
		return err
	}
	if err := t.db.Exec(`DELETE FROM journal WHERE kind = ? AND object_id = ? AND done`, models.WatchWork, id).Error; err != nil {
		return fmt.Errorf("forget the readings of %s that are over: %w", id, err)
	}
	return t.enqueue(models.WatchWork, id, 0)
}

// End ends a call that has nothing to write.
func (b *DeliveryBook) End(ctx context.Context, job models.Job, next models.NextCall) error {
	return b.s.Journal().End(ctx, job, next)
}
