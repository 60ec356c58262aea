package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/visit"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// How many environments the wall and panels show.
const (
	wallRows   = 48
	panelRows  = 5
	endingSoon = 7 * 24 * time.Hour
)

// Health shows how environments run. What it shows was read by the collector; nothing is asked of AWS here.
type Health struct {
	*Desk
	Store interface {
		Health(context.Context, models.Actor, models.ListQuery) (models.List[models.HealthRow], error)
		EachHealth(context.Context, models.Actor, models.ListQuery, func(models.HealthRow) error) error
		HealthTally(ctx context.Context, a models.Actor, tenant string) (models.HealthTally, error)
	}
	Worst interface {
		Unwell(ctx context.Context, a models.Actor, tenant string, most int) (models.Unwell, error)
	}
	Regions []string
}

type healthParams struct {
	listParams
	Tenant string `form:"tenant"`
	Health string `form:"health"`
	Stage  string `form:"stage"`
	Region string `form:"region"`
}

// List handles GET /health.
func (h *Health) List(c *fiber.Ctx) error {
	in, err := form.Query[healthParams](c)
	if err != nil {
		return err
	}
	q := in.query("tenant", in.Tenant, "health", in.Health, "stage", in.Stage, "region", in.Region)
	file, err := in.wantsCSV(c)
	if err != nil {
		return err
	}
	if file {
		return h.csv(c, q)
	}
	a := actor(c)
	rows, err := h.Store.Health(c.UserContext(), a, q)
	if err != nil {
		return err
	}
	tally, err := h.Store.HealthTally(c.UserContext(), a, in.Tenant)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := views.Health{
		Tally: healthTally(h.Clock.Wall(), tally), Rows: healthRows(h.Clock, rows.Rows), CSV: with(c, "format", "csv"), Tenant: in.Tenant, MayAsk: mayAskAnywhere(a), Filters: h.filters(in),
		Sorts: ui.SortLinks(urls.Health, here(c), sortOr(in.Sort, "-worst"), "worst", "name", "stage"), Pager: pager(c, rows, "environment", "environments", false),
	}
	return pageOr(c, views.HealthPage(p, d), views.HealthContent(d))
}

func (h *Health) filters(in healthParams) ui.Filters {
	states, stages, regions := []ui.Option{{Label: "Any"}}, []ui.Option{{Label: "Any"}}, []ui.Option{{Label: "Any"}}
	for _, c := range models.Conditions() {
		states = append(states, ui.Option{Value: string(c), Label: views.Condition(c).Label})
	}
	for _, s := range models.Stages() {
		stages = append(stages, ui.Option{Value: string(s), Label: string(s)})
	}
	for _, r := range h.Regions {
		regions = append(regions, ui.Option{Value: r, Label: r})
	}
	return ui.Filters{URL: urls.Health, Label: "Filter environments", Set: in.Q+in.Tenant+in.Health+in.Stage+in.Region != "", Keep: keep("sort", in.Sort), Fields: []ui.Filter{
		{Name: "q", Label: "Name", Kind: "search", Value: in.Q},
		{Name: "tenant", Label: "Tenant", Kind: "text", Value: in.Tenant},
		{Name: "health", Label: "Health", Kind: "select", Value: in.Health, Options: states},
		{Name: "stage", Label: "Stage", Kind: "select", Value: in.Stage, Options: stages},
		{Name: "region", Label: "Region", Kind: "select", Value: in.Region, Options: regions}}}
}

func (h *Health) csv(c *fiber.Ctx, q models.ListQuery) error {
	a := actor(c)
	header := []string{"tenant", "name", "stage", "region", "account", "blueprint", "health", "reason", "since", "last_round_found", "read_at", "state", "hibernated", "drift", "drifted_resources", "expires_at"}
	return export(c, "health.csv", header, func(ctx context.Context, row func(...string) error) error {
		return h.Store.EachHealth(ctx, a, q, func(r models.HealthRow) error {
			return row(r.TenantSlug, r.Name, string(r.Stage), r.Region, r.Account, r.Blueprint, string(r.Condition), r.Reason, stamp(r.Since), string(r.Seen), stamp(r.ReadAt), string(r.State), yesNo(r.Hibernated),
				string(r.Drift), number10(r.Drifted), stamp(r.ExpiresAt))
		})
	})
}

// Wall handles GET /health/wall: for a big screen, it asks for itself again.
func (h *Health) Wall(c *fiber.Ctx) error {
	u, err := h.Worst.Unwell(c.UserContext(), actor(c), "", wallRows)
	if err != nil {
		return err
	}
	wall := h.Clock.Wall()
	d := views.Wall{Tally: healthTally(wall, u.Tally), Rows: healthRows(h.Clock, u.Rows), At: ui.At(wall), Theme: visit.Theme(c), Link: urls.HealthWall}
	d.More = max(0, u.Tally.Bad()+u.Tally.By[models.Unread]-len(u.Rows))
	if isFragment(c) {
		return render(c, http.StatusOK, views.WallContent(d))
	}
	return render(c, http.StatusOK, views.WallPage(d))
}
