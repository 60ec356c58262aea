package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"slipway/models"
)

// AskPromotion asks for a build to be promoted to an environment. The same run that asks again gets the same promotion.
func (c CI) AskPromotion(ctx context.Context, actor models.Actor, token models.CIToken, in models.PromotionReport) (answer models.CIAnswer, err error) {
	may := func(token models.CIToken, p models.Pipeline) *models.CIRefused {
		if refused := token.MayActFor(p); refused != nil {
			return refused
		}
		return token.MayPromoteTo(p, in.Environment)
	}
	err = c.act(ctx, actor, token, ciPromotions, in.Pipeline, may, func(t *tx, by models.Actor, p models.Pipeline) error {
		if err := in.Validate(); err != nil {
			return err
		}
		i := slices.IndexFunc(p.Stages, func(s models.PipelineStage) bool { return s.Environment == in.Environment })
		if i < 0 {
			return models.InvalidFields(map[string]string{"environment": fmt.Sprintf("The pipeline %s does not deliver to %s.", p.Name, in.Environment)})
		}
		b, err := t.oneBuild(`b.pipeline_id = ? AND b.digest = ?`, p.ID, in.Digest)
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return models.InvalidFields(map[string]string{"digest": fmt.Sprintf("The pipeline %s has not registered this image. Register the build first.", p.Name)})
		}
		if err != nil {
			return err
		}
		if p.Repository == "" {
			return models.Errorf(models.Conflict, "The service %s has no image repository yet.", p.ServiceName)
		}
		e, err := t.keepRun(p, workflowRun{token, b})
		if err != nil {
			return err
		}
		id, err := t.promotionFor(by, p, promotionAsk{EnvironmentID: p.Stages[i].EnvironmentID, Image: p.Repository + "@" + b.Digest, ExecutionID: e.ID, BuildID: b.ID,
			By: models.AskedByWorkflow, ByName: clip(token.Who()), Key: "workflow " + token.Run() + " " + p.Stages[i].EnvironmentID + " " + b.Digest})
		if err != nil {
			return err
		}
		answer, err = t.ciAnswer(id)
		return err
	})
	return answer, err
}

// promotionFor opens a promotion, or finds the one that a workflow has open for the same image there: a job that is started again goes on
// waiting for it.
func (t *tx) promotionFor(by models.Actor, p models.Pipeline, ask promotionAsk) (string, error) {
	open, err := many[string](t.db, `SELECT id::text FROM promotions WHERE pipeline_id = ? AND environment_id = ? AND image = ? AND asked_by = ? AND ended_at IS NULL ORDER BY created_at DESC, id LIMIT 1`,
		p.ID, ask.EnvironmentID, ask.Image, models.AskedByWorkflow)
	if err != nil {
		return "", fmt.Errorf("look for an open promotion: %w", err)
	}
	if len(open) > 0 {
		return open[0], nil
	}
	made, err := t.openPromotion(by, p, ask)
	return made.ID, err
}

var errNoPromotion = models.Errorf(models.NotFound, "There is no such promotion of a pipeline of this repository.")

// Promotion tells a workflow what became of a promotion of its own pipeline. It goes on telling while the pipeline is paused.
func (c CI) Promotion(ctx context.Context, actor models.Actor, token models.CIToken, id string) (answer models.CIAnswer, err error) {
	which := ""
	if models.ValidID(id) {
		names, err := many[string](c.s.read(ctx), `SELECT t.slug || '/' || p.name FROM promotions m JOIN pipelines p ON p.id = m.pipeline_id JOIN tenants t ON t.id = p.tenant_id WHERE m.id = ?`, id)
		if err != nil {
			return answer, translate(err)
		}
		if len(names) == 1 {
			which = names[0]
		}
	}
	if which == "" {
		refused := &models.CIRefused{Code: models.CIPromotion, Err: errNoPromotion}
		if err := c.Refuse(ctx, actor, token, ciPromotion, refused); err != nil {
			return answer, err
		}
		return answer, refused
	}
	err = c.act(ctx, actor, token, ciPromotion, which, models.CIToken.MayRead, func(t *tx, _ models.Actor, _ models.Pipeline) error {
		answer, err = t.ciAnswer(id)
		return err
	})
	var refused *models.CIRefused
	if errors.As(err, &refused) && (refused.Code == models.CINoPipeline || refused.Code == models.CIOtherNumber) {
		return answer, errNoPromotion // to others, it does not exist
	}
	return answer, err
}

type ciAnswerRow struct {
	ID          string
	State       models.PromotionState
	Reason      string
	Environment string
	Image       string
	Gates       jsonb
	Number      *int64
	TenantSlug  string
}

func (t *tx) ciAnswer(id string) (models.CIAnswer, error) {
	r, err := one[ciAnswerRow](t.db, `SELECT m.id, m.state, m.reason, e.name AS environment, m.image, m.gates, r.number, t.slug AS tenant_slug FROM promotions m
		JOIN environments e ON e.id = m.environment_id JOIN tenants t ON t.id = m.tenant_id LEFT JOIN requests r ON r.id = m.request_id WHERE m.id = ?`, id)
	if err != nil {
		return models.CIAnswer{}, fmt.Errorf("read the promotion %s: %w", id, err)
	}
	var results []models.GateResult
	if err := r.Gates.decode(&results); err != nil {
		return models.CIAnswer{}, err
	}
	a := models.CIAnswer{ID: r.ID, State: r.State, Ended: r.State.Ended(), Reason: r.Reason, Environment: r.Environment, Digest: models.DigestOf(r.Image), Gates: []models.CIGate{},
		Request: value(r.Number), TenantSlug: r.TenantSlug}
	for _, g := range results {
		a.Gates = append(a.Gates, models.CIGate{Gate: g.Gate, State: g.State, Words: g.Words})
	}
	return a, nil
}
