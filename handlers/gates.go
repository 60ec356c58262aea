package handlers

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Gates waives gates, stops promotions to stages, and hands out what CI posted.
type Gates struct {
	*Desk
	Pages interface {
		PipelinePage(ctx context.Context, a models.Actor, tenant, name string) (models.PipelinePage, error)
	}
	Waivers interface {
		WaiveGate(ctx context.Context, a models.Actor, tenant, pipeline string, w models.Waiver) (models.Waiver, error)
		EndWaiver(ctx context.Context, a models.Actor, tenant, id string) error
	}
	Freezes interface {
		FreezeStage(ctx context.Context, a models.Actor, tenant string, f models.StageFreeze) (models.StageFreeze, error)
		LiftStageFreeze(ctx context.Context, a models.Actor, tenant, id string) error
	}
	Evidence interface {
		EvidenceFile(ctx context.Context, a models.Actor, tenant, id string) (models.Evidence, []byte, error)
	}
}

// pipeline reads the pipeline that a form is about, and its stages to choose from. Who may read it and not decide is told so.
func (h *Gates) pipeline(c *fiber.Ctx) (models.Pipeline, []ui.Option, error) {
	page, err := h.Pages.PipelinePage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("pipeline"))
	if err != nil {
		return models.Pipeline{}, nil, err
	}
	p := page.Pipeline
	switch {
	case !actor(c).MayRunTenant(p.TenantID):
		return p, nil, models.Errorf(models.Forbidden, "Owners of %s and platform admins waive gates and freeze stages.", p.TenantSlug)
	case p.State == models.Deleted:
		return p, nil, models.Errorf(models.Conflict, "This pipeline is deleted.")
	}
	options := []ui.Option{{Label: "Choose"}}
	for _, s := range p.Stages {
		options = append(options, ui.Option{Value: s.Environment, Label: s.Environment})
	}
	return p, options, nil
}

// environmentOf is the stage that was chosen by its name; not ok when the pipeline has none such.
func environmentOf(p models.Pipeline, name string) (models.PipelineStage, bool) {
	for _, s := range p.Stages {
		if s.Environment == name && name != "" {
			return s, true
		}
	}
	return models.PipelineStage{}, false
}

// AskWaive handles GET /tenants/:tenant/pipelines/:pipeline/waive.
func (h *Gates) AskWaive(c *fiber.Ctx) error {
	q, err := form.Query[stageParams](c)
	if err != nil {
		return err
	}
	p, stages, err := h.pipeline(c)
	if err != nil {
		return err
	}
	in := views.WaiverForm{Environment: q.Environment, Gate: q.Gate, Digest: q.Digest, Until: h.Clock.Now().Add(7 * aDay).UTC().Format(freezeUntil)}
	return h.showObjectForm(c, http.StatusOK, views.WaiveGate(p.TenantSlug, p.Name, stages, in), "")
}

// Waive handles POST /tenants/:tenant/pipelines/:pipeline/waive.
func (h *Gates) Waive(c *fiber.Ctx) error {
	p, stages, err := h.pipeline(c)
	if err != nil {
		return err
	}
	in, err := form.Decode[views.WaiverForm](c)
	if err == nil {
		s, ok := environmentOf(p, in.Environment)
		until, at := moment(in.Until)
		wrong := map[string]string{}
		if !ok {
			wrong["environment"] = "Choose the stage."
		}
		if _, known := models.GateOf(models.Gate(in.Gate)); !known {
			wrong["gate"] = "Choose the gate."
		}
		if at != "" {
			wrong["until"] = at
		}
		if err = models.InvalidFields(wrong); err == nil {
			_, err = h.Waivers.WaiveGate(c.UserContext(), actor(c), p.TenantSlug, p.Name, models.Waiver{ID: in.Key, EnvironmentID: s.EnvironmentID, Environment: s.Environment, Gate: models.Gate(in.Gate), Digest: strings.TrimSpace(in.Digest),
				Reason: strings.TrimSpace(in.Reason), Until: until})
		}
	}
	if in.Errors = models.Fields(err); in.Errors != nil {
		return h.showObjectForm(c, http.StatusUnprocessableEntity, views.WaiveGate(p.TenantSlug, p.Name, stages, in), in.Key)
	}
	if err != nil {
		return err
	}
	return redirect(c, urls.Pipeline(p.TenantSlug, p.Name)+"#waivers")
}

// moment reads what a browser writes for a moment; the page says that it is UTC.
func moment(typed string) (time.Time, string) {
	at, err := time.Parse(freezeUntil, strings.TrimSpace(typed))
	if err != nil {
		return time.Time{}, "Say when it ends, as in 2026-01-31T18:00 (UTC)."
	}
	return at, ""
}

// EndWaiver handles POST /tenants/:tenant/pipelines/:pipeline/waivers/:id/end.
func (h *Gates) EndWaiver(c *fiber.Ctx) error {
	if _, err := form.Decode[keyedForm](c); err != nil {
		return err
	}
	if err := h.Waivers.EndWaiver(c.UserContext(), actor(c), c.Params("tenant"), c.Params("id")); err != nil {
		return err
	}
	return redirect(c, urls.Pipeline(c.Params("tenant"), c.Params("pipeline"))+"#waivers")
}

// AskFreeze handles GET /tenants/:tenant/pipelines/:pipeline/freeze.
func (h *Gates) AskFreeze(c *fiber.Ctx) error {
	q, err := form.Query[stageParams](c)
	if err != nil {
		return err
	}
	p, stages, err := h.pipeline(c)
	if err != nil {
		return err
	}
	in := views.StageFreezeForm{Environment: q.Environment, Until: h.Clock.Now().Add(aDay).UTC().Format(freezeUntil)}
	return h.showObjectForm(c, http.StatusOK, views.FreezeStage(p.TenantSlug, p.Name, stages, in), "")
}

// Freeze handles POST /tenants/:tenant/pipelines/:pipeline/freeze.
func (h *Gates) Freeze(c *fiber.Ctx) error {
	p, stages, err := h.pipeline(c)
	if err != nil {
		return err
	}
	in, err := form.Decode[views.StageFreezeForm](c)
	if err == nil {
		s, ok := environmentOf(p, in.Environment)
		until, at := moment(in.Until)
		wrong := map[string]string{}
		if !ok {
			wrong["environment"] = "Choose the stage."
		}
		if at != "" {
			wrong["until"] = at
		}
		if err = models.InvalidFields(wrong); err == nil {
			_, err = h.Freezes.FreezeStage(c.UserContext(), actor(c), p.TenantSlug, models.StageFreeze{ID: in.Key, EnvironmentID: s.EnvironmentID, Environment: s.Environment, Reason: strings.TrimSpace(in.Reason), Until: until})
		}
	}
	if in.Errors = models.Fields(err); in.Errors != nil {
		return h.showObjectForm(c, http.StatusUnprocessableEntity, views.FreezeStage(p.TenantSlug, p.Name, stages, in), in.Key)
	}
	if err != nil {
		return err
	}
	return redirect(c, urls.Pipeline(p.TenantSlug, p.Name)+"#freezes")
}

// LiftFreeze handles POST /tenants/:tenant/pipelines/:pipeline/freezes/:id/lift.
func (h *Gates) LiftFreeze(c *fiber.Ctx) error {
	if _, err := form.Decode[keyedForm](c); err != nil {
		return err
	}
	if err := h.Freezes.LiftStageFreeze(c.UserContext(), actor(c), c.Params("tenant"), c.Params("id")); err != nil {
		return err
	}
	return redirect(c, urls.Pipeline(c.Params("tenant"), c.Params("pipeline"))+"#freezes")
}

// File handles GET /tenants/:tenant/evidence/:id. Whatever its type, it is saved and never shown by a page of Slipway.
func (h *Gates) File(c *fiber.Ctx) error {
	e, body, err := h.Evidence.EvidenceFile(c.UserContext(), actor(c), c.Params("tenant"), c.Params("id"))
	if err != nil {
		return err
	}
	return sendFile(c, fileName(e), body)
}
