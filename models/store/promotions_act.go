package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"slipway/models"
)

// AskPromotion asks for an image of the pipeline's service in one of its environments: for the tenant's owners and developers, and platform
// admins. The key is the form's: sent twice, it is one promotion. Whether the image may go there the gates and rules say, as for everybody.
func (s *Store) AskPromotion(ctx context.Context, actor models.Actor, tenant, pipeline, environment, digest, key string) (o models.Promotion, err error) {
	p, err := s.livingPipeline(ctx, actor, tenant, pipeline)
	if err != nil {
		return o, err
	}
	if err := mayPromote(actor, p); err != nil {
		return o, err
	}
	stage, err := stageNamed(p, "", strings.TrimSpace(environment))
	if err != nil {
		return o, err
	}
	digest = strings.TrimSpace(digest)
	err = s.tx(ctx, func(t *tx) error {
		known, err := t.knownImage(p, digest)
		if err != nil {
			return err
		}
		if !known {
			return models.InvalidFields(map[string]string{"digest": fmt.Sprintf("No pipeline of %s has built this image, and it ran nowhere. Choose one of the service's images.", p.ServiceName)})
		}
		o, err = t.openPromotion(actor, p, promotionAsk{EnvironmentID: stage.EnvironmentID, Image: p.Repository + "@" + digest, By: models.AskedByPerson, ByName: actor.Name(), PersonID: actor.Person.ID,
			Key: personKey(actor, key)})
		return err
	})
	return o, err
}

func mayPromote(actor models.Actor, p models.Pipeline) error {
	switch {
	case actor.IsSystem() || !actor.MayOrderFor(p.TenantID):
		return models.Errorf(models.Forbidden, "Only owners and developers of %s, and platform admins, promote.", p.TenantSlug)
	case p.State == models.Deleted || p.State == models.Deleting || p.State == models.Creating:
		return models.Errorf(models.Conflict, "The pipeline %s is %s.", p.Name, p.State)
	}
	return nil
}

// personKey keeps the keys of forms apart, person by person, and those of CodePipeline and workflows from them.
func personKey(actor models.Actor, key string) string {
	if key == "" {
		return ""
	}
	return "person:" + actor.Person.ID + ":" + key
}

// knownImage tells whether Slipway knows an image of the pipeline's service by its digest: built, or deployed before.
func (t *tx) knownImage(p models.Pipeline, digest string) (bool, error) {
	if !models.ValidDigest(digest) {
		return false, nil
	}
	type answer struct{ Known bool }
	a, err := one[answer](t.db, `SELECT EXISTS (SELECT FROM builds WHERE service_id = ? AND digest = ?) OR EXISTS (SELECT FROM deployments WHERE service_id = ? AND split_part(image, '@', 2) = ?)
		OR EXISTS (SELECT FROM environments WHERE service_id = ? AND split_part(image, '@', 2) = ?) OR EXISTS (SELECT FROM pipeline_executions x JOIN pipelines p ON p.id = x.pipeline_id
			WHERE p.service_id = ? AND x.digest = ?) AS known`, p.ServiceID, digest, p.ServiceID, digest, p.ServiceID, digest, p.ServiceID, digest)
	if err != nil {
		return false, fmt.Errorf("look for the image %s: %w", clip(digest), err)
	}
	return a.Known, nil
}

// Rollback asks for what ran healthy in an environment before what runs there now. It is a promotion like every other, with its gates shown; they
// do not hold it up, because what it brings back ran there, and the rules decide whether a person must look.
func (s *Store) Rollback(ctx context.Context, actor models.Actor, tenant, environment, key string) (o models.Promotion, err error) {
	env, err := s.livingEnvironment(ctx, actor, tenant, environment)
	if err != nil {
		return o, err
	}
	if actor.IsSystem() || !actor.MayOrderFor(env.TenantID) {
		return o, models.Errorf(models.Forbidden, "Only owners and developers of %s, and platform admins, roll back.", env.TenantSlug)
	}
	err = s.tx(ctx, func(t *tx) error {
		p, err := t.pipelineFor(env)
		if err != nil {
			return err
		}
		known, err := readPromotion(t.db, `o.pipeline_id = ? AND o.ask_key = ?`, p.ID, personKey(actor, key))
		if err == nil || !errors.Is(err, gorm.ErrRecordNotFound) {
			o = known
			return err
		}
		before, err := previousHealthy(t.db, []string{env.ID})
		if err != nil {
			return err
		}
		back, ok := before[env.ID]
		if !ok {
			return models.Errorf(models.Conflict, "No other image has run healthy in %s, so there is nothing to roll back to.", env.Name)
		}
		o, err = t.openPromotion(actor, p, promotionAsk{EnvironmentID: env.ID, Image: back.Image, BuildID: back.BuildID, By: models.AskedByPerson, ByName: actor.Name(), PersonID: actor.Person.ID,
			Key: personKey(actor, key), Rollback: true})
		return err
	})
	return o, err
}

// pipelineFor is the pipeline that a roll-back of an environment belongs to: the one that brought what runs there, or else one that delivers there.
func (t *tx) pipelineFor(env models.Environment) (models.Pipeline, error) {
	ids, err := many[string](t.db, `SELECT g.pipeline_id::text FROM pipeline_stages g JOIN pipelines p ON p.id = g.pipeline_id
			LEFT JOIN deployments d ON d.environment_id = g.environment_id AND d.succeeded AND d.replaced_at IS NULL
		WHERE g.environment_id = ? AND p.state NOT IN ('creating', 'deleting', 'deleted') ORDER BY g.pipeline_id = d.pipeline_id DESC NULLS LAST, p.name LIMIT 1`, env.ID)
	if err != nil {
		return models.Pipeline{}, fmt.Errorf("find what delivers to %s: %w", env.Name, err)
	}
	if len(ids) == 0 {
		return models.Pipeline{}, models.Errorf(models.Conflict, "No pipeline delivers to %s. Deploy the image that you want on the environment's own page.", env.Name)
	}
	return readPipeline(t.db, `p.id = ?`, ids[0])
}

// RejectPromotion ends an open promotion: for the tenant's owners and developers, and platform admins. Its request is withdrawn; one that has begun
// to change the environment is not, and is stopped on its own page. CodePipeline is told.
func (s *Store) RejectPromotion(ctx context.Context, actor models.Actor, tenant, id, reason string) (o models.Promotion, err error) {
	if o, err = s.Promotion(ctx, actor, tenant, id); err != nil {
		return o, err
	}
	if actor.IsSystem() || !actor.MayOrderFor(o.TenantID) {
		return o, models.Errorf(models.Forbidden, "Only owners and developers of %s, and platform admins, reject a promotion.", o.TenantSlug)
	}
	if reason = trimmedWords(reason); reason == "" || utf8.RuneCountInString(reason) > 500 {
		return o, models.InvalidFields(map[string]string{"reason": "Say why in at most 500 characters: whoever asked for it reads it."})
	}
	err = s.tx(ctx, func(t *tx) error {
		if err := t.db.Exec(`SELECT 1 FROM promotions WHERE id = ? FOR UPDATE`, id).Error; err != nil {
			return fmt.Errorf("lock promotion %s: %w", id, err)
		}
		if o, err = readPromotion(t.db, `o.id = ?`, id); err != nil {
			return err
		}
		if o.State == models.PromotionRejected {
			return nil
		}
		words := fmt.Sprintf("%s has rejected it: %s", actor.Name(), reason)
		if o.RequestID == "" {
			if err := t.movePromotion(actor, &o, models.PromotionRejected, words, time.Time{}); err != nil {
				return err
			}
			return t.enqueue(models.PromoteWork, o.ID, 0)
		}
		return t.rejectRequested(actor, &o, words)
	})
	return o, err
}

func (t *tx) rejectRequested(actor models.Actor, o *models.Promotion, words string) error {
	req, err := t.loadRequest(o.RequestID)
	if err != nil {
		return err
	}
	if !o.State.Ended() && !req.State.Final() && (req.HasRun() || !slices.Contains(undecided, req.State)) {
		return models.Errorf(models.Conflict, "REQ-%d is %s, so the promotion cannot be rejected any more. Stop its run instead.", req.Number, req.State.Words())
	}
	if err := t.movePromotion(actor, o, models.PromotionRejected, words, time.Time{}); err != nil {
		return err
	}
	if slices.Contains(undecided, req.State) {
		if err := t.move(pipelines(), &req, models.Cancelled, models.ByEngine, words); err != nil {
			return err
		}
	}
	return t.enqueue(models.PromoteWork, o.ID, 0)
}
