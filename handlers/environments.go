package handlers

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Environments shows environments and has one compared with its account.
type Environments struct {
	*Desk
	Store interface {
		Environments(context.Context, models.Actor, models.ListQuery) (models.List[models.EnvironmentRow], error)
		EachEnvironment(context.Context, models.Actor, models.ListQuery, func(models.EnvironmentRow) error) error
		EnvironmentPage(ctx context.Context, a models.Actor, tenant, name string) (models.EnvironmentPage, error)
	}
	Drift interface {
		CheckDriftNow(ctx context.Context, a models.Actor, tenant, name string) error
	}
	Blueprints interface {
		BlueprintByDigest(ctx context.Context, digest string) (blueprint.Version, error)
	}
	// Secrets asks AWS which of a stack's secrets have no value yet. With an error, the rest of them is not known. Nil: nobody looks.
	Secrets interface {
		SecretsWithoutValue(ctx context.Context, s models.Stack, logicalIDs []string) ([]models.EmptySecret, error)
	}
	Costs    environmentCosts
	Delivery environmentDeliveryReader
	// Health reads how an environment runs, as the collector found it.
	Health interface {
		EnvironmentHealth(context.Context, models.Actor, models.Environment) (models.EnvironmentHealth, error)
	}
	Portal  Portal
	Regions []string
}

type environmentParams struct {
	listParams
	Tenant    string `form:"tenant"`
	Stage     string `form:"stage"`
	Region    string `form:"region"`
	Blueprint string `form:"blueprint"`
	State     string `form:"state"`
	Service   string `form:"service"`
	Drift     string `form:"drift"`
	Expiring  string `form:"expiring"`
}

func (p environmentParams) set() bool {
	return p.Q+p.Tenant+p.Stage+p.Region+p.Blueprint+p.State+p.Service+p.Drift+p.Expiring != ""
}

// List handles GET /environments.
func (h *Environments) List(c *fiber.Ctx) error {
	in, err := form.Query[environmentParams](c)
	if err != nil {
		return err
	}
	q := in.query("tenant", in.Tenant, "stage", in.Stage, "region", in.Region, "blueprint", in.Blueprint, "state", in.State, "service", in.Service, "drift", in.Drift, "expiring", in.Expiring)
	file, err := in.wantsCSV(c)
	if err != nil {
		return err
	}
	if file {
		return h.csv(c, q)
	}
	rows, err := h.Store.Environments(c.UserContext(), actor(c), q)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := views.Environments{
		Facts: []ui.Fact{{Value: total(rows.Total, "environment", "environments")}}, Rows: rowsOf(h.Clock.Now(), rows.Rows, environmentRow), CSV: with(c, "format", "csv"),
		Sorts: ui.SortLinks(urls.Environments, here(c), sortOr(in.Sort, "name"), "name", "stage", "blueprint", "state", "monthly", "expires", "updated"),
		Pager: pager(c, rows, "environment", "environments", false), MayAsk: mayAskAnywhere(actor(c)), NewTenant: actor(c).MayRequestTenant(), Filters: h.filters(in),
	}
	return pageOr(c, views.EnvironmentsPage(p, d), views.EnvironmentsContent(d))
}

func (h *Environments) filters(in environmentParams) ui.Filters {
	stages := []ui.Option{{Label: "Any"}}
	for _, s := range models.Stages() {
		stages = append(stages, ui.Option{Value: string(s), Label: string(s)})
	}
	regions := []ui.Option{{Label: "Any"}}
	for _, r := range h.Regions {
		regions = append(regions, ui.Option{Value: r, Label: r})
	}
	return ui.Filters{URL: urls.Environments, Label: "Filter environments", Set: in.set(), Keep: keep("sort", in.Sort), Fields: []ui.Filter{
		{Name: "q", Label: "Name", Kind: "search", Value: in.Q},
		{Name: "tenant", Label: "Tenant", Kind: "text", Value: in.Tenant},
		{Name: "state", Label: "State", Kind: "select", Value: in.State, Options: objectStateOptions()},
		{Name: "stage", Label: "Stage", Kind: "select", Value: in.Stage, Options: stages},
		{Name: "region", Label: "Region", Kind: "select", Value: in.Region, Options: regions},
		{Name: "blueprint", Label: "Blueprint", Kind: "text", Value: in.Blueprint},
		{Name: "service", Label: "Service", Kind: "text", Value: in.Service},
		{Name: "drift", Label: "Drift", Kind: "select", Value: in.Drift, Options: []ui.Option{{Label: "Any"}, {Value: string(models.DriftFound), Label: "Drifted"}, {Value: string(models.DriftNone), Label: "As declared"},
			{Value: string(models.DriftFailed), Label: "Could not be compared"}}},
		{Name: "expiring", Label: "End", Kind: "select", Value: in.Expiring, Options: []ui.Option{{Label: "Any"}, {Value: "yes", Label: "Has an end date"}}}}}
}

func (h *Environments) csv(c *fiber.Ctx, q models.ListQuery) error {
	a := actor(c)
	header := []string{"tenant", "name", "stage", "region", "account", "blueprint", "version", "newest_version", "service", "image", "state", "cloudformation_status", "hibernated",
		"drift", "drifted_resources", "monthly_usd", "expires_at", "updated_at"}
	return export(c, "environments.csv", header, func(ctx context.Context, row func(...string) error) error {
		return h.Store.EachEnvironment(ctx, a, q, func(e models.EnvironmentRow) error {
			monthly := ""
			if e.Monthly != nil {
				monthly = e.Monthly.StringFixed(2)
			}
			return row(e.TenantSlug, e.Name, string(e.Stage), e.Region, e.Account, e.Blueprint, e.Version, e.Newest, e.Service, e.Image, string(e.State), e.Status,
				fmt.Sprint(e.Hibernated), string(e.Drift), fmt.Sprint(e.Drifted), monthly, stamp(e.ExpiresAt), stamp(e.UpdatedAt))
		})
	})
}

// Show handles GET /tenants/:tenant/environments/:env; while something moves, the page asks for itself.
func (h *Environments) Show(c *fiber.Ctx) error {
	e, err := h.Store.EnvironmentPage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("env"))
	if err != nil {
		return err
	}
	var meta blueprint.Meta
	if digest := e.Environment.Stack.Digest; digest != "" {
		v, err := h.Blueprints.BlueprintByDigest(c.UserContext(), digest)
		if err != nil {
			return fmt.Errorf("read the blueprint of environment %s: %w", e.Environment.ID, err)
		}
		meta = v.Meta
	}
	d := environmentView(h.Clock.Now(), actor(c), e, meta, csrf(c))
	costs, err := h.Costs.EnvironmentCosts(c.UserContext(), actor(c), c.Params("tenant"), c.Params("env"))
	if err != nil {
		return err
	}
	d.Cost = environmentCostView(costs, e.Environment.TenantSlug, actor(c))
	d.Secrets, d.SecretsNote = h.secrets(c.UserContext(), e.Environment, meta)
	if d.Health, err = h.health(c, e.Environment); err != nil {
		return err
	}
	if d.Delivery, err = h.delivery(c, e.Environment); err != nil {
		return err
	}
	if isFragment(c) {
		return render(c, http.StatusOK, views.EnvironmentContent(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.EnvironmentPage(p, d))
}

// health is the panel of how an environment runs; none once it is deleted.
func (h *Environments) health(c *fiber.Ctx, e models.Environment) (*views.EnvironmentHealth, error) {
	in, err := form.Query[signalParams](c)
	if err != nil {
		return nil, err
	}
	span, err := in.span()
	if err != nil || e.State == models.Deleted {
		return nil, err
	}
	found, err := h.Health.EnvironmentHealth(c.UserContext(), actor(c), e)
	if err != nil {
		return nil, err
	}
	return environmentHealthView(h.Clock, found, e, h.Portal.URL, span.Name), nil
}

// secretsTime is how long a page waits for AWS to say which secrets have a value.
const secretsTime = 3 * time.Second

// secrets asks AWS which of the secrets a person must fill have a value. An answer that does not come makes the page no worse than
// one that says so.
func (h *Environments) secrets(ctx context.Context, e models.Environment, meta blueprint.Meta) ([]views.Secret, string) {
	if len(meta.Secrets) == 0 || e.Stack.StackID == "" || e.State == models.Deleted {
		return nil, ""
	}
	if h.Secrets == nil {
		return secretRows(e, meta, nil, false), ""
	}
	ctx, cancel := context.WithTimeout(ctx, secretsTime)
	defer cancel()
	empty, err := h.Secrets.SecretsWithoutValue(ctx, e.Stack, slices.Clone(meta.Secrets))
	return secretRows(e, meta, empty, err == nil), models.Message(err)
}

// CheckDrift handles POST /tenants/:tenant/environments/:env/drift.
func (h *Environments) CheckDrift(c *fiber.Ctx) error {
	if _, err := form.Decode[bareForm](c); err != nil {
		return err
	}
	tenant, name := c.Params("tenant"), c.Params("env")
	if err := h.Drift.CheckDriftNow(c.UserContext(), actor(c), tenant, name); err != nil {
		return err
	}
	return redirect(c, urls.Environment(tenant, name)+"#drift")
}

// mayAskAnywhere tells whether there is a tenant that the person may ask for changes in.
func mayAskAnywhere(a models.Actor) bool {
	return a.Has(models.PlatformAdmin) || slices.ContainsFunc(a.Memberships, func(m models.Membership) bool { return m.Role.Includes(models.Developer) })
}
