package handlers

import (
	"context"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// What pages of environments, services and tenants show of delivery.

// environmentDeliveryReader knows what is delivered to an environment.
type environmentDeliveryReader interface {
	EnvironmentDelivery(ctx context.Context, a models.Actor, tenant, environment string) (models.EnvironmentDelivery, error)
}

// pipelineLister lists pipelines by filter.
type pipelineLister interface {
	Pipelines(context.Context, models.Actor, models.ListQuery) (models.List[models.PipelineRow], error)
}

// delivery is the panel of what is delivered to an environment; none once it is deleted, or when it runs no service.
func (h *Environments) delivery(c *fiber.Ctx, e models.Environment) (*views.EnvironmentDelivery, error) {
	if e.State == models.Deleted || e.ServiceID == "" {
		return nil, nil
	}
	v, err := h.Delivery.EnvironmentDelivery(c.UserContext(), actor(c), e.TenantSlug, e.Name)
	if err != nil {
		return nil, err
	}
	now := h.Clock.Now()
	d := &views.EnvironmentDelivery{Tenant: e.TenantSlug, Pipelines: v.Pipelines}
	if x := v.Now; x != nil {
		d.By, d.ByURL, d.ByWord, d.At = "What runs here came by", urls.Request(x.RequestID), number(x.RequestNumber), ui.Ago(now, x.EndedAt)
		switch {
		case x.PromotionID != "":
			d.By, d.ByURL, d.ByWord = "What runs here was promoted:", urls.Promotion(e.TenantSlug, x.PromotionID), "the promotion"
			if x.Rollback {
				d.By = "What runs here was rolled back to:"
			}
		case len(v.Pipelines) > 0:
			d.By = "What runs here came past every pipeline, by"
		}
	}
	for _, x := range v.Open {
		d.Open = append(d.Open, promotionRow(now, x))
	}
	if v.Freeze != nil {
		row := stageFreezeRow(now, *v.Freeze)
		d.Freeze = &row
	}
	if x := v.Previous; x != nil && actor(c).MayOrderFor(e.TenantID) && len(v.Pipelines) > 0 {
		d.Previous, d.RollbackURL = views.ShortDigest(x.Image), urls.Rollback(e.TenantSlug, e.Name)
	}
	return d, nil
}

// delivery adds the pipelines and images of a service to its page.
func (h *Services) delivery(c *fiber.Ctx, s models.Service, d *views.Service) error {
	if s.State == models.Deleted {
		return nil
	}
	ctx, a := c.UserContext(), actor(c)
	pipelines, err := h.Delivery.Pipelines(ctx, a, models.ListQuery{Filters: map[string]string{"tenant": s.TenantSlug, "service": s.Name}, Limit: holdsUpTo})
	if err != nil {
		return err
	}
	d.Pipelines = pipelineRows(h.Clock, pipelines.Rows)
	if a.MayOrderFor(s.TenantID) {
		d.PipelineURL = urls.With(urls.NewPipeline, "tenant", s.TenantSlug, "service", s.Name)
	}
	images, err := h.Delivery.ServiceImages(ctx, a, s.TenantSlug, s.Name)
	if err != nil {
		return err
	}
	now, wall := h.Clock.Now(), h.Clock.Wall()
	for _, x := range images {
		b := x.Build
		row := views.ImageRow{Version: views.Version(b.Tag, b.Commit.ID, b.Digest), Digest: b.Digest, Scan: views.ScanState(x.Scan), Built: ui.Ago(wall, b.RegisteredAt)}
		if b.Commit.ID != "" {
			row.Commit = ui.Short(b.Commit.ID) + " " + firstLine(b.Commit.Message) + byWord(b.Commit.Author)
		}
		if x.Pipeline != "" && x.Number > 0 {
			row.By, row.ByURL = fmt.Sprintf("%s #%d", x.Pipeline, x.Number), urls.Execution(s.TenantSlug, x.Pipeline, x.Number)
		}
		for _, cell := range x.Runs {
			row.Runs = append(row.Runs, stageCell(now, s.TenantSlug, cell))
		}
		d.Images = append(d.Images, row)
	}
	return nil
}

// delivery adds the pipelines and connections of a tenant to what it holds.
func (h *Tenants) delivery(c *fiber.Ctx, t models.Tenant, out *views.Holds) error {
	ctx, a := c.UserContext(), actor(c)
	pipelines, err := h.Delivery.Pipelines(ctx, a, models.ListQuery{Filters: map[string]string{"tenant": t.Slug}, Limit: holdsUpTo})
	if err != nil {
		return err
	}
	out.Pipelines, out.PipelinesAll = pipelineRows(h.Clock, pipelines.Rows), pipelines.Total
	connections, err := h.Delivery.Connections(ctx, a, t.Slug)
	if err != nil {
		return err
	}
	for _, x := range connections {
		if x.State != models.Deleted {
			out.Connections = append(out.Connections, views.ConnectionRow{Tenant: t.Slug, Name: x.Name, Provider: x.Provider, Class: x.Class, State: views.ConnectionState(x.State, x.Status)})
		}
	}
	return nil
}
