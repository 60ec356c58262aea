package store

import (
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// delivered does what belongs to the end of a request about an environment, in the transaction that ends it: its deployment is written down, its
// promotion goes on, and so do those that waited until the environment is free. What changed a pipeline wakes its promotions, too.
func (t *tx) delivered(r models.Request) error {
	ended := r.HasRun() && (r.State.Final() || r.State == models.Failed)
	if r.ObjectType == models.PipelineObject && ended { // paused, resumed, with other gates, or gone
		return t.wakePromotions(`o.pipeline_id = ?`, r.ObjectID)
	}
	if r.ObjectType != models.EnvironmentObject {
		return nil
	}
	if r.HasRun() && (r.State == models.Succeeded || r.State == models.Failed) {
		if err := t.deployed(r); err != nil {
			return err
		}
	}
	if r.Kind == models.DeployEnvironment && (r.State.Final() || r.State == models.Failed || r.State == models.PlanFailed || r.State == models.ChangesRequested) {
		if err := t.wakePromotions(`o.request_id = ?`, r.ID); err != nil {
			return err
		}
		if err := t.deliveredLate(r); err != nil {
			return err
		}
	}
	if ended {
		return t.wakePromotions(`o.environment_id = ? AND o.request_id IS NULL`, r.ObjectID)
	}
	return nil
}

// deliveredLate corrects a promotion that ended because its run failed, when somebody tried the run again and it succeeded: the image runs there.
// What CodePipeline was told stays told.
func (t *tx) deliveredLate(r models.Request) error {
	if r.State != models.Succeeded {
		return nil
	}
	failed, err := readPromotions(t.db, `WHERE o.request_id = ? AND o.state = ?`, r.ID, models.PromotionFailed)
	if err != nil || len(failed) == 0 {
		return err
	}
	p := failed[0]
	reason := fmt.Sprintf("REQ-%d was tried again and has deployed it.", r.Number)
	if p.Approval != nil && p.Answer != models.AnswerDue {
		reason += " CodePipeline had been told before that it failed, so its stage does not show it."
	}
	if err := t.db.Exec(`UPDATE promotions SET state = ?, reason = ? WHERE id = ?`, models.PromotionSucceeded, reason, p.ID).Error; err != nil {
		return fmt.Errorf("correct promotion %s: %w", p.ID, err)
	}
	if err := t.audit(pipelines(), "promotion.succeeded", aboutPromotion(p), map[string]any{"state": p.State}, map[string]any{"state": models.PromotionSucceeded, "reason": reason}); err != nil {
		return err
	}
	return t.notifyPromotion(p)
}

// deployed writes down which image a run has brought, or was to bring, into an environment. One that failed and was tried again is one
// deployment. Where the collector of health tells nothing of the environment, what CloudFormation ends an update with counts as healthy: it ends
// an ECS service's update only once its tasks are in a steady state. Elsewhere the collector's next healthy reading counts (seenHealthy).
func (t *tx) deployed(r models.Request) error {
	now := t.now()
	if r.Kind == models.DeleteEnvironment && r.State == models.Succeeded {
		return t.replaced(r.ObjectID, r.ID, now)
	}
	if r.Kind != models.DeployEnvironment && r.Kind != models.CreateEnvironment {
		return nil
	}
	in, err := inputsOf[models.EnvironmentInputs](r)
	if err != nil || in.Image == "" || in.ServiceID == "" {
		return err
	}
	promotion, rollback := "", false
	if in.Promotion != nil {
		promotion, rollback = in.Promotion.ID, in.Promotion.Rollback
	}
	succeeded := r.State == models.Succeeded
	if succeeded {
		if err := t.replaced(r.ObjectID, r.ID, now); err != nil {
			return err
		}
	}
	err = t.db.Exec(`INSERT INTO deployments AS d (id, tenant_id, environment_id, service_id, pipeline_id, promotion_id, build_id, request_id, image, rollback, succeeded, began_at, ended_at, commit_at, healthy_at)
		SELECT ?, e.tenant_id, e.id, ?, o.pipeline_id, o.id, b.id, n.request_id, ?, ?, ?, n.started_at, ?, b.commit_at, CASE WHEN ? AND e.health IN ('no_data', 'unknown') THEN ?::timestamptz END
		FROM environments e JOIN runs n ON n.id = ? LEFT JOIN promotions o ON o.id = ?::uuid
			LEFT JOIN LATERAL (SELECT id, commit_at FROM builds b WHERE b.service_id = ? AND b.digest = ? ORDER BY b.id = o.build_id DESC NULLS LAST, b.registered_at DESC, b.id LIMIT 1) b ON true
		WHERE e.id = ?
		ON CONFLICT (request_id) DO UPDATE SET succeeded = excluded.succeeded, ended_at = excluded.ended_at, healthy_at = excluded.healthy_at, replaced_at = NULL WHERE NOT d.succeeded`,
		models.NewID(), in.ServiceID, in.Image, rollback, succeeded, now, succeeded, t.s.clock.Wall(), r.RunID, orNull(promotion), in.ServiceID, models.DigestOf(in.Image), r.ObjectID).Error
	if err != nil {
		return fmt.Errorf("write down the deployment of %s: %w", r.ID, err)
	}
	return t.notifyDeployed(r.ObjectID)
}

// notifyDeployed tells the pages of the pipelines that deliver to an environment.
func (t *tx) notifyDeployed(environmentID string) error {
	ids, err := many[string](t.db, `SELECT pipeline_id::text FROM pipeline_stages WHERE environment_id = ?`, environmentID)
	if err != nil {
		return fmt.Errorf("find what delivers to %s: %w", environmentID, err)
	}
	for _, id := range ids {
		if err := t.notify("object:" + id); err != nil {
			return err
		}
	}
	return nil
}

// replaced ends what runs in an environment for another request's sake.
func (t *tx) replaced(environmentID, requestID string, at time.Time) error {
	err := t.db.Exec(`UPDATE deployments SET replaced_at = ? WHERE environment_id = ? AND succeeded AND replaced_at IS NULL AND request_id <> ?`, at, environmentID, requestID).Error
	if err != nil {
		return fmt.Errorf("end what runs in %s: %w", environmentID, err)
	}
	return nil
}

// seenHealthy notes when what runs in environments was first seen healthy: only such an image is ever rolled back to.
func (t *tx) seenHealthy(environmentIDs texts, at time.Time) error {
	if len(environmentIDs) == 0 {
		return nil
	}
	err := t.db.Exec(`UPDATE deployments SET healthy_at = ? WHERE environment_id = ANY (?::uuid[]) AND succeeded AND replaced_at IS NULL AND healthy_at IS NULL`, at, environmentIDs).Error
	if err != nil {
		return fmt.Errorf("note which deployments are healthy: %w", err)
	}
	return nil
}

// deploymentColumns are a deployment: deployments d JOIN environments e JOIN requests r.
const deploymentColumns = `d.id, d.environment_id, e.name AS environment, d.pipeline_id, d.promotion_id, d.build_id, d.request_id, r.number AS request_number, d.image, d.rollback, d.succeeded,
	d.began_at, d.ended_at, d.commit_at, d.healthy_at, d.replaced_at`

type deploymentRow struct {
	ID            string
	EnvironmentID string
	Environment   string
	PipelineID    *string
	PromotionID   *string
	BuildID       *string
	RequestID     string
	RequestNumber int64
	Image         string
	Rollback      bool
	Succeeded     bool
	BeganAt       time.Time
	EndedAt       time.Time
	CommitAt      *time.Time
	HealthyAt     *time.Time
	ReplacedAt    *time.Time
}

func (r deploymentRow) model() models.Deployment {
	return models.Deployment{ID: r.ID, EnvironmentID: r.EnvironmentID, Environment: r.Environment, PipelineID: value(r.PipelineID), PromotionID: value(r.PromotionID), BuildID: value(r.BuildID),
		RequestID: r.RequestID, RequestNumber: r.RequestNumber, Image: r.Image, Rollback: r.Rollback, Succeeded: r.Succeeded, BeganAt: r.BeganAt, EndedAt: r.EndedAt, CommitAt: value(r.CommitAt),
		HealthyAt: value(r.HealthyAt), ReplacedAt: value(r.ReplacedAt)}
}

// previousHealthy is, for each environment, what a roll-back would bring back: the newest deployment of another image than the one that runs now that was
// seen healthy, and that was not itself taken back by a roll-back.
func previousHealthy(db *gorm.DB, environmentIDs []string) (map[string]models.Deployment, error) {
	rows, err := many[deploymentRow](db, `SELECT DISTINCT ON (d.environment_id) `+deploymentColumns+` FROM deployments d JOIN environments e ON e.id = d.environment_id JOIN requests r ON r.id = d.request_id
		WHERE d.environment_id = ANY (?::uuid[]) AND d.succeeded AND d.healthy_at IS NOT NULL AND d.replaced_at IS NOT NULL AND d.image <> e.image
			AND NOT EXISTS (SELECT FROM deployments b WHERE b.environment_id = d.environment_id AND b.rollback AND b.succeeded AND b.ended_at = d.replaced_at)
		ORDER BY d.environment_id, d.ended_at DESC, d.id`, texts(environmentIDs))
	if err != nil {
		return nil, fmt.Errorf("find what could be rolled back to: %w", err)
	}
	found := make(map[string]models.Deployment, len(rows))
	for _, r := range rows {
		found[r.EnvironmentID] = r.model()
	}
	return found, nil
}
