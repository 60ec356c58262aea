package handlers

import (
	"context"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Promotions shows promotions, and takes what people say of them: promote, reject, roll back.
type Promotions struct {
	*Desk
	Store interface {
		PromotionPage(ctx context.Context, a models.Actor, tenant, id string) (models.PromotionPage, error)
		AskPromotion(ctx context.Context, a models.Actor, tenant, pipeline, environment, digest, key string) (models.Promotion, error)
		RejectPromotion(ctx context.Context, a models.Actor, tenant, id, reason string) (models.Promotion, error)
	}
	Delivery interface {
		ServiceImages(ctx context.Context, a models.Actor, tenant, service string) ([]models.ServiceImage, error)
	}
	Pages interface {
		PipelinePage(ctx context.Context, a models.Actor, tenant, name string) (models.PipelinePage, error)
	}
	Back RollbackStore
}

// RollbackStore knows what an environment ran, and brings back what ran healthy before.
type RollbackStore interface {
	EnvironmentDelivery(ctx context.Context, a models.Actor, tenant, environment string) (models.EnvironmentDelivery, error)
	Rollback(ctx context.Context, a models.Actor, tenant, environment, key string) (models.Promotion, error)
}

// Show handles GET /tenants/:tenant/promotions/:id.
func (h *Promotions) Show(c *fiber.Ctx) error {
	x, err := h.Store.PromotionPage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("id"))
	if err != nil {
		return err
	}
	d := promotionView(h.Clock, actor(c), x)
	if isFragment(c) {
		return render(c, http.StatusOK, views.PromotionContent(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.PromotionPage(p, d))
}

// rejecting reads the promotion that is to end. Who may read it and not end it is told so.
func (h *Promotions) rejecting(c *fiber.Ctx) (models.Promotion, error) {
	x, err := h.Store.PromotionPage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("id"))
	if err != nil {
		return x.Promotion, err
	}
	if !actor(c).MayOrderFor(x.Promotion.TenantID) {
		return x.Promotion, models.Errorf(models.Forbidden, "Owners and developers of %s reject its promotions.", x.Promotion.TenantSlug)
	}
	return x.Promotion, nil
}

// AskReject handles GET /tenants/:tenant/promotions/:id/reject.
func (h *Promotions) AskReject(c *fiber.Ctx) error {
	x, err := h.rejecting(c)
	if err != nil {
		return err
	}
	return h.showObjectForm(c, http.StatusOK, views.RejectPromotion(x.TenantSlug, x, views.RejectForm{}), "")
}

// Reject handles POST /tenants/:tenant/promotions/:id/reject.
func (h *Promotions) Reject(c *fiber.Ctx) error {
	x, err := h.rejecting(c)
	if err != nil {
		return err
	}
	in, err := form.Decode[views.RejectForm](c)
	if err == nil {
		if _, err = h.Store.RejectPromotion(c.UserContext(), actor(c), x.TenantSlug, x.ID, strings.TrimSpace(in.Reason)); err == nil {
			return redirect(c, urls.Promotion(x.TenantSlug, x.ID))
		}
	}
	if in.Errors = models.Fields(err); in.Errors == nil {
		return err
	}
	return h.showObjectForm(c, http.StatusUnprocessableEntity, views.RejectPromotion(x.TenantSlug, x, in), in.Key)
}

type stageParams struct {
	Environment string `form:"environment"` // fills the form by address; nothing is sent by it
	Digest      string `form:"digest"`
	Gate        string `form:"gate"`
}

// AskPromote handles GET /tenants/:tenant/pipelines/:pipeline/promote.
func (h *Promotions) AskPromote(c *fiber.Ctx) error {
	q, err := form.Query[stageParams](c)
	if err != nil {
		return err
	}
	return h.showPromote(c, http.StatusOK, views.PromoteForm{Environment: q.Environment, Digest: q.Digest})
}

// Promote handles POST /tenants/:tenant/pipelines/:pipeline/promote.
func (h *Promotions) Promote(c *fiber.Ctx) error {
	in, err := form.Decode[views.PromoteForm](c)
	if err == nil {
		wrong := map[string]string{}
		if in.Environment == "" {
			wrong["environment"] = "Choose the stage."
		}
		if in.Digest == "" {
			wrong["digest"] = "Choose the image."
		}
		err = models.InvalidFields(wrong)
	}
	if err == nil {
		var x models.Promotion
		if x, err = h.Store.AskPromotion(c.UserContext(), actor(c), c.Params("tenant"), c.Params("pipeline"), in.Environment, in.Digest, in.Key); err == nil {
			return redirect(c, urls.Promotion(c.Params("tenant"), x.ID))
		}
	}
	if in.Errors = models.Fields(err); in.Errors == nil {
		return err
	}
	return h.showPromote(c, http.StatusUnprocessableEntity, in)
}

func (h *Promotions) showPromote(c *fiber.Ctx, status int, in views.PromoteForm) error {
	ctx, a, tenant, name := c.UserContext(), actor(c), c.Params("tenant"), c.Params("pipeline")
	page, err := h.Pages.PipelinePage(ctx, a, tenant, name)
	if err != nil {
		return err
	}
	p := page.Pipeline
	if !a.MayOrderFor(p.TenantID) {
		return models.Errorf(models.Forbidden, "Owners and developers of %s ask for its promotions.", p.TenantSlug)
	}
	images, err := h.Delivery.ServiceImages(ctx, a, tenant, p.ServiceName)
	if err != nil {
		return err
	}
	options, stages := []ui.Option{{Label: "Choose"}}, []ui.Option{{Label: "Choose"}}
	for _, x := range images {
		label := views.Version(x.Build.Tag, x.Build.Commit.ID, x.Build.Digest) + ", " + views.ShortDigest(x.Build.Digest)
		options = append(options, ui.Option{Value: x.Build.Digest, Label: label})
	}
	for _, s := range p.Stages {
		stages = append(stages, ui.Option{Value: s.Environment, Label: s.Environment})
	}
	f := views.PromoteImage(tenant, name, stages, options, in)
	if p.State == models.Deleted {
		f.Blocked = "This pipeline is deleted."
	}
	return h.showObjectForm(c, status, f, in.Key)
}

// AskRollback handles GET /tenants/:tenant/environments/:env/rollback.
func (h *Promotions) AskRollback(c *fiber.Ctx) error {
	v, err := h.Back.EnvironmentDelivery(c.UserContext(), actor(c), c.Params("tenant"), c.Params("env"))
	if err != nil {
		return err
	}
	if !actor(c).MayOrderFor(v.TenantID) {
		return models.Errorf(models.Forbidden, "Owners and developers of %s roll its environments back.", c.Params("tenant"))
	}
	now, previous, when := "", "", ""
	if v.Now != nil {
		now = v.Now.Image
	}
	if v.Previous != nil {
		previous, when = v.Previous.Image, "until "+v.Previous.ReplacedAt.UTC().Format("2 Jan 2006, 15:04 UTC")
	}
	return h.showObjectForm(c, http.StatusOK, views.RollbackForm(c.Params("tenant"), c.Params("env"), now, previous, when), "")
}

// Rollback handles POST /tenants/:tenant/environments/:env/rollback.
func (h *Promotions) Rollback(c *fiber.Ctx) error {
	in, err := form.Decode[keyedForm](c)
	if err != nil {
		return err
	}
	x, err := h.Back.Rollback(c.UserContext(), actor(c), c.Params("tenant"), c.Params("env"), in.Key)
	if err != nil {
		return err
	}
	return redirect(c, urls.Promotion(c.Params("tenant"), x.ID))
}
