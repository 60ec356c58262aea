package handlers

import (
	"context"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/shopspring/decimal"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/urls"
)

// Costs shows what the organization and tenants cost.
type Costs struct {
	*Desk
	Store interface {
		OrganizationCosts(context.Context, models.Actor, models.CostQuery) (models.CostPage, error)
		TenantCosts(ctx context.Context, a models.Actor, slug string, q models.CostQuery) (models.CostPage, error)
		EachCost(ctx context.Context, a models.Actor, slug string, q models.CostQuery, fn func(models.CostPage, models.CostItem) error) error
	}
	Meter interface {
		CostMeter(ctx context.Context, a models.Actor, limit decimal.Decimal) (models.CostMeter, error)
		ReadCostsAgain(context.Context, models.Actor) error
	}
	Cap decimal.Decimal // what asking for costs may cost a day, in USD
}

type costsParams struct {
	Month       string `form:"month"`
	Basis       string `form:"basis"`
	By          string `form:"by"`
	Service     string `form:"service"`
	Environment string `form:"environment"`
	Only        string `form:"only"`
	Format      string `form:"format"`
}

// costGroups are the cuts of each page, the usual one first.
var costGroups = map[bool][]models.CostGroup{
	false: {models.GroupTenant, models.GroupService, models.GroupEnvironment, models.GroupAccount},
	true:  {models.GroupService, models.GroupEnvironment, models.GroupAccount},
}

// query reads the address; what it does not know is said, never guessed.
func (p costsParams) query(tenant bool) (q models.CostQuery, basis models.CostBasis, err error) {
	bad := map[string]string{}
	if q.By = models.CostGroup(p.By); p.By == "" {
		q.By = costGroups[tenant][0]
	}
	if !slices.Contains(costGroups[tenant], q.By) {
		bad["by"] = "Costs are cut by tenant, service, environment or account."
	}
	if basis = models.CostBasis(p.Basis); p.Basis == "" {
		basis = models.Effective
	}
	if basis != models.Effective && basis != models.Billed {
		bad["basis"] = "Costs are effective or billed."
	}
	if p.Month != "" {
		if q.Month, err = time.Parse("2006-01", p.Month); err != nil {
			bad["month"] = "Write the month as 2026-11."
		}
	}
	if p.Only != "" && p.Only != "unallocated" {
		bad["only"] = "The one part that can be asked for by itself is unallocated."
	}
	q.Service, q.Environment, q.Unallocated = p.Service, p.Environment, p.Only == "unallocated"
	switch {
	case q.Service != "" && (q.By == models.GroupEnvironment || q.Environment != ""):
		bad["service"] = "AWS Cost Explorer does not say what a service costs in one environment. Choose another cut."
	case q.Environment != "" && !tenant:
		bad["environment"] = "Environments are a tenant's. Open the tenant's costs."
	case q.Environment != "" && q.By == models.GroupService:
		bad["environment"] = "AWS Cost Explorer does not say what a service costs in one environment. Choose another cut."
	}
	return q, basis, models.InvalidFields(bad)
}

// Organization handles GET /costs.
func (h *Costs) Organization(c *fiber.Ctx) error {
	return h.show(c, "", func(q models.CostQuery) (models.CostPage, error) {
		return h.Store.OrganizationCosts(c.UserContext(), actor(c), q)
	})
}

// Tenant handles GET /tenants/:tenant/costs.
func (h *Costs) Tenant(c *fiber.Ctx) error {
	slug := c.Params("tenant")
	return h.show(c, slug, func(q models.CostQuery) (models.CostPage, error) {
		return h.Store.TenantCosts(c.UserContext(), actor(c), slug, q)
	})
}

func (h *Costs) show(c *fiber.Ctx, slug string, read func(models.CostQuery) (models.CostPage, error)) error {
	in, err := form.Query[costsParams](c)
	if err != nil {
		return err
	}
	q, basis, err := in.query(slug != "")
	if err != nil {
		return err
	}
	file, err := listParams{Format: in.Format}.wantsCSV(c)
	if err != nil {
		return err
	}
	if file {
		return h.csv(c, slug, q)
	}
	found, err := read(q)
	if err != nil {
		return err
	}
	v := costView{page: found, basis: basis, in: in, actor: actor(c), csrf: csrf(c), with: func(pairs ...string) string { return costAddress(c, pairs...) }}
	if found.SeesAll && slug == "" {
		m, err := h.Meter.CostMeter(c.UserContext(), actor(c), h.Cap)
		if err != nil {
			return err
		}
		v.page.Meter = &m
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := v.view()
	return pageOr(c, views.CostsPage(p, d), views.CostsContent(d))
}

// costAddress is the page's own with some parameters changed; an empty value leaves one out.
func costAddress(c *fiber.Ctx, pairs ...string) string {
	q := here(c)
	q.Del("format")
	for i := 0; i+1 < len(pairs); i += 2 {
		if q.Del(pairs[i]); pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return c.Path()
	}
	return c.Path() + "?" + q.Encode()
}

func (h *Costs) csv(c *fiber.Ctx, slug string, q models.CostQuery) error {
	a := actor(c)
	header := []string{"month", "data_to", "by", "key", "tenant", "allocated", "usage_effective_usd", "usage_billed_usd", "credit_billed_usd", "refund_billed_usd", "tax_billed_usd",
		"same_days_usage_effective_usd", "same_days_usage_billed_usd", "budget_usd", "aws_actual_usd", "aws_forecast_usd"}
	return export(c, "costs.csv", header, func(ctx context.Context, row func(...string) error) error {
		return h.Store.EachCost(ctx, a, slug, q, func(p models.CostPage, l models.CostItem) error {
			allocated, budget, actual, forecast := "yes", "", "", ""
			if l.Unallocated {
				allocated = "no"
			}
			if s := l.Spend; s != nil {
				budget, actual, forecast = s.Budget.StringFixed(2), figure(s.Actual), figure(s.Forecast)
			}
			return row(p.Query.Month.Format("2006-01"), p.LastDay().Format(time.DateOnly), string(q.By), l.Key, l.TenantSlug, allocated, l.Now.Effective.Usage.String(), l.Now.Billed.Usage.String(),
				l.Now.Billed.Credit.String(), l.Now.Billed.Refund.String(), l.Now.Billed.Tax.String(), l.Before.Effective.Usage.String(), l.Before.Billed.Usage.String(), budget, actual, forecast)
		})
	})
}

// figure is an amount for a file; empty: not known.
func figure(d *decimal.Decimal) string {
	if d == nil {
		return ""
	}
	return d.StringFixed(2)
}

// ReadAgain handles POST /costs/again.
func (h *Costs) ReadAgain(c *fiber.Ctx) error {
	if _, err := form.Decode[bareForm](c); err != nil {
		return err
	}
	if err := h.Meter.ReadCostsAgain(c.UserContext(), actor(c)); err != nil {
		return err
	}
	return redirect(c, urls.Costs)
}
