package handlers

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Tenants shows tenants.
type Tenants struct {
	*Desk
	Store interface {
		Tenants(context.Context, models.Actor, models.ListQuery) (models.List[models.TenantRow], error)
		EachTenant(context.Context, models.Actor, models.ListQuery, func(models.TenantRow) error) error
		TenantPage(ctx context.Context, a models.Actor, slug string) (models.TenantPage, error)
	}
	Holds  holdsReader
	Health interface {
		TenantHealth(ctx context.Context, a models.Actor, tenantID string) (map[string]models.RoleHealth, error)
	}
	Unwell interface {
		Unwell(ctx context.Context, a models.Actor, tenant string, most int) (models.Unwell, error)
	}
	Portal   Portal
	Delivery deliveryReader
}

type tenantParams struct {
	listParams
	State      string `form:"state"`
	CostCentre string `form:"cost_centre"`
}

// List handles GET /tenants.
func (h *Tenants) List(c *fiber.Ctx) error {
	in, err := form.Query[tenantParams](c)
	if err != nil {
		return err
	}
	q := in.query("state", in.State, "cost_centre", in.CostCentre)
	file, err := in.wantsCSV(c)
	if err != nil {
		return err
	}
	if file {
		return h.csv(c, q)
	}
	rows, err := h.Store.Tenants(c.UserContext(), actor(c), q)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := views.Tenants{
		Facts: []ui.Fact{{Value: total(rows.Total, "tenant", "tenants")}}, Rows: rowsOf(h.Clock.Now(), rows.Rows, tenantRow), CSV: with(c, "format", "csv"),
		Sorts: ui.SortLinks(urls.Tenants, here(c), sortOr(in.Sort, "slug"), "slug", "state", "cost_centre", "budget", "estimate", "created"),
		Pager: pager(c, rows, "tenant", "tenants", false), MayRequest: actor(c).MayRequestTenant(),
		Filters: ui.Filters{URL: urls.Tenants, Label: "Filter tenants", Set: in.Q+in.State+in.CostCentre != "", Keep: keep("sort", in.Sort), Fields: []ui.Filter{
			{Name: "q", Label: "Name", Kind: "search", Value: in.Q},
			{Name: "state", Label: "State", Kind: "select", Value: in.State, Options: objectStateOptions()},
			{Name: "cost_centre", Label: "Cost centre", Kind: "text", Value: in.CostCentre}}},
	}
	return pageOr(c, views.TenantsPage(p, d), views.TenantsContent(d))
}

func (h *Tenants) csv(c *fiber.Ctx, q models.ListQuery) error {
	a := actor(c)
	header := []string{"slug", "display_name", "state", "cost_centre", "budget_usd", "estimate_usd", "owner_group", "developer_group", "viewer_group",
		"accounts", "accounts_active", "created_at"}
	return export(c, "tenants.csv", header, func(ctx context.Context, row func(...string) error) error {
		return h.Store.EachTenant(ctx, a, q, func(t models.TenantRow) error {
			estimate := ""
			if t.Estimate != nil {
				estimate = t.Estimate.StringFixed(2)
			}
			return row(t.Slug, t.DisplayName, string(t.State), t.CostCentre, t.Budget.StringFixed(2), estimate, t.OwnerGroup, t.DeveloperGroup, t.ViewerGroup,
				fmt.Sprint(t.AccountsAll), fmt.Sprint(t.AccountsActive), stamp(t.CreatedAt))
		})
	})
}

// Show handles GET /tenants/:tenant.
func (h *Tenants) Show(c *fiber.Ctx) error {
	a := actor(c)
	t, err := h.Store.TenantPage(c.UserContext(), a, c.Params("tenant"))
	if err != nil {
		return err
	}
	holds, err := h.holds(c, t.Tenant)
	if err != nil {
		return err
	}
	p, err := h.pageAbout(c, func(f models.Freeze) bool { return f.Holds(t.Tenant.ID) })
	if err != nil {
		return err
	}
	d := tenantView(h.Clock.Now(), a, t)
	d.Holds, d.Access = holds, accessOf(h.Clock.Now(), h.Portal, t.Tenant, t.Access)
	if err := h.health(c, t.Tenant, d.Accounts); err != nil {
		return err
	}
	if d.Health, err = h.unwell(c, t.Tenant); err != nil {
		return err
	}
	if isFragment(c) {
		return render(c, http.StatusOK, views.TenantContent(d))
	}
	return render(c, http.StatusOK, views.TenantPage(p, d))
}
