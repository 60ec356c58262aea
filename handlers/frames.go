package handlers

import (
	"context"
	"net/http"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Frames show parts of Slipway inside other sites. They read, and hold no form.
type Frames struct {
	Origins []string // sites that may show them
	Clock   models.Clock
	Store   interface {
		EnvironmentPage(ctx context.Context, a models.Actor, tenant, name string) (models.EnvironmentPage, error)
		Queue(context.Context, models.Actor, models.ListQuery) (models.List[models.RequestRow], error)
	}
	Costs interface {
		environmentCosts
		TenantCosts(ctx context.Context, a models.Actor, slug string, q models.CostQuery) (models.CostPage, error)
	}
	Health interface {
		Tenant(ctx context.Context, a models.Actor, slug string) (models.Tenant, error)
		Unwell(ctx context.Context, a models.Actor, tenant string, most int) (models.Unwell, error)
		EnvironmentHealth(context.Context, models.Actor, models.Environment) (models.EnvironmentHealth, error)
	}
	Blueprints interface {
		BlueprintByDigest(ctx context.Context, digest string) (blueprint.Version, error)
	}
}

// answer is a whole frame, or its content when that asks for itself.
func (h *Frames) answer(c *fiber.Ctx, title string, page func(ui.Frame) templ.Component, content templ.Component) error {
	if isFragment(c) {
		return render(c, http.StatusOK, content)
	}
	return render(c, http.StatusOK, page(ui.Frame{Title: title, Theme: ui.ParseTheme(c.Query("theme")), Origins: h.Origins}))
}

// Environment handles GET /embed/tenants/:tenant/environments/:env.
func (h *Frames) Environment(c *fiber.Ctx) error {
	e, err := h.Store.EnvironmentPage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("env"))
	if err != nil {
		return err
	}
	var meta blueprint.Meta
	if digest := e.Environment.Stack.Digest; digest != "" {
		v, err := h.Blueprints.BlueprintByDigest(c.UserContext(), digest)
		if err != nil {
			return err
		}
		meta = v.Meta
	}
	d := environmentView(h.Clock.Now(), actor(c), e, meta, "").ReadOnly()
	if e.Environment.State != models.Deleted {
		costs, err := h.Costs.EnvironmentCosts(c.UserContext(), actor(c), d.Tenant, d.Name)
		if err != nil {
			return err
		}
		d.Cost = environmentCostView(costs, d.Tenant, actor(c))
		found, err := h.Health.EnvironmentHealth(c.UserContext(), actor(c), e.Environment)
		if err != nil {
			return err
		}
		d.Health = environmentHealthView(h.Clock, found, e.Environment, "", "")
		d.Health.SignalURL = "" // CloudWatch is asked on the page itself
	}
	return h.answer(c, d.Tenant+" / "+d.Name, func(f ui.Frame) templ.Component { return views.EnvironmentFrame(f, d) }, views.EnvironmentFrameContent(d))
}

// TenantCosts handles GET /embed/tenants/:tenant/costs.
func (h *Frames) TenantCosts(c *fiber.Ctx) error {
	slug := c.Params("tenant")
	found, err := h.Costs.TenantCosts(c.UserContext(), actor(c), slug, models.CostQuery{By: costGroups[true][0]})
	if err != nil {
		return err
	}
	v := costView{page: found, basis: models.Effective, actor: actor(c), with: func(pairs ...string) string { return urls.With(urls.TenantCosts(slug), pairs...) }}
	d := v.view().ReadOnly(slug)
	return h.answer(c, d.Title, func(f ui.Frame) templ.Component { return views.CostsFramePage(f, d) }, views.CostsFrameContent(d))
}

// TenantHealth handles GET /embed/tenants/:tenant/health.
func (h *Frames) TenantHealth(c *fiber.Ctx) error {
	t, err := h.Health.Tenant(c.UserContext(), actor(c), c.Params("tenant"))
	if err != nil {
		return err
	}
	u, err := h.Health.Unwell(c.UserContext(), actor(c), t.Slug, framedRows)
	if err != nil {
		return err
	}
	d := healthPanelOf(h.Clock, u, t.Slug)
	return h.answer(c, "How "+t.DisplayName+" runs", func(f ui.Frame) templ.Component { return views.HealthFramePage(f, d) }, views.HealthFrameContent(d))
}

// framedRows is how many rows of a list stand in a frame; the rest is behind its link.
const framedRows = 10

// Approvals handles GET /embed/approvals: what waits for its reader.
func (h *Frames) Approvals(c *fiber.Ctx) error {
	rows, err := h.Store.Queue(c.UserContext(), actor(c), models.ListQuery{Filters: map[string]string{"mine": "yes"}})
	if err != nil {
		return err
	}
	d := views.ApprovalsFrame{All: rows.Total, Rows: rowsOf(h.Clock.Now(), rows.Rows[:min(len(rows.Rows), framedRows)], queueRow)}
	return h.answer(c, "Waiting for you", func(f ui.Frame) templ.Component { return views.ApprovalsFramePage(f, d) }, views.ApprovalsFrameContent(d))
}
