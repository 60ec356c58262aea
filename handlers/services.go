package handlers

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Services shows services.
type Services struct {
	*Desk
	Store interface {
		Services(context.Context, models.Actor, models.ListQuery) (models.List[models.ServiceRow], error)
		EachService(context.Context, models.Actor, models.ListQuery, func(models.ServiceRow) error) error
		ServicePage(ctx context.Context, a models.Actor, tenant, name string) (models.ServicePage, error)
	}
	Delivery interface {
		pipelineLister
		ServiceImages(ctx context.Context, a models.Actor, tenant, service string) ([]models.ServiceImage, error)
	}
}

type serviceParams struct {
	listParams
	Tenant string `form:"tenant"`
	State  string `form:"state"`
}

// List handles GET /services.
func (h *Services) List(c *fiber.Ctx) error {
	in, err := form.Query[serviceParams](c)
	if err != nil {
		return err
	}
	q := in.query("tenant", in.Tenant, "state", in.State)
	file, err := in.wantsCSV(c)
	if err != nil {
		return err
	}
	if file {
		return h.csv(c, q)
	}
	rows, err := h.Store.Services(c.UserContext(), actor(c), q)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := views.Services{
		Facts: []ui.Fact{{Value: total(rows.Total, "service", "services")}}, Rows: rowsOf(h.Clock.Now(), rows.Rows, serviceRow), CSV: with(c, "format", "csv"),
		Sorts: ui.SortLinks(urls.Services, here(c), sortOr(in.Sort, "name"), "name", "state", "updated"), Pager: pager(c, rows, "service", "services", false),
		NewURL: newServiceURL(actor(c)),
		Filters: ui.Filters{URL: urls.Services, Label: "Filter services", Set: in.Q+in.Tenant+in.State != "", Keep: keep("sort", in.Sort), Fields: []ui.Filter{
			{Name: "q", Label: "Name", Kind: "search", Value: in.Q}, {Name: "tenant", Label: "Tenant", Kind: "text", Value: in.Tenant},
			{Name: "state", Label: "State", Kind: "select", Value: in.State, Options: objectStateOptions()}}},
	}
	return pageOr(c, views.ServicesPage(p, d), views.ServicesContent(d))
}

// newServiceURL is where a person with one tenant asks for a service. With several, a tenant's page is the place.
func newServiceURL(a models.Actor) string {
	url, n := "", 0
	for _, m := range a.Memberships {
		if m.Role.Includes(models.Developer) {
			url, n = urls.NewService(m.Slug), n+1
		}
	}
	if n != 1 {
		return ""
	}
	return url
}

func serviceRow(now time.Time, r models.ServiceRow) views.ServiceRow {
	row := views.ServiceRow{Tenant: r.TenantSlug, Name: r.Name, State: r.State, Repository: r.Repository, Environments: r.Environments, Changed: ui.Ago(now, r.UpdatedAt)}
	if r.Monthly != nil {
		row.Monthly = ui.USD(*r.Monthly)
	}
	return row
}

func (h *Services) csv(c *fiber.Ctx, q models.ListQuery) error {
	a := actor(c)
	header := []string{"tenant", "name", "class", "repository", "state", "environments", "monthly_usd", "updated_at"}
	return export(c, "services.csv", header, func(ctx context.Context, row func(...string) error) error {
		return h.Store.EachService(ctx, a, q, func(s models.ServiceRow) error {
			monthly := ""
			if s.Monthly != nil {
				monthly = s.Monthly.StringFixed(2)
			}
			return row(s.TenantSlug, s.Name, string(s.Class), s.Repository, string(s.State), fmt.Sprint(s.Environments), monthly, stamp(s.UpdatedAt))
		})
	})
}

// Show handles GET /tenants/:tenant/services/:service.
func (h *Services) Show(c *fiber.Ctx) error {
	s, err := h.Store.ServicePage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("service"))
	if err != nil {
		return err
	}
	d := serviceView(h.Clock.Now(), actor(c), s)
	if err := h.delivery(c, s.Service, &d); err != nil {
		return err
	}
	if isFragment(c) {
		return render(c, http.StatusOK, views.ServiceContent(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.ServicePage(p, d))
}

func serviceView(now time.Time, a models.Actor, p models.ServicePage) views.Service {
	s := p.Service
	d := views.Service{
		Tenant: s.TenantSlug, Name: s.Name, State: s.State, Class: s.Class, Made: ui.Ago(now, s.CreatedAt), Stack: stackFacts(now, s.Stack), Repository: s.Stack.Outputs["RepositoryUri"],
		Failure: views.FailureOf(p.Failure), Estimate: objectEstimate(s.Estimate), Environments: rowsOf(now, p.Environments, environmentRow), Groups: resourceGroups(now, s.Stack.Resources),
		Resources: len(s.Stack.Resources), Open: rowsOf(now, p.Open, requestRow), Requests: rowsOf(now, p.Requests, requestRow), Runs: rowsOf(now, p.Runs, runRow),
		Activity: activities(now, p.Entries), Receipt: receiptView(now, p.Receipt), SeesAll: a.SeesAll(),
	}
	d.Commands = pushCommands(d.Repository)
	d.RunID, d.Progress = lastRun(p.Runs)
	if a.MayOrderFor(s.TenantID) && s.State != models.Deleted {
		d.OrderURL = urls.With(urls.NewEnvironment, "tenant", s.TenantSlug, "service", s.Name)
		end := ui.Action{ID: "delete", Label: "Delete", Text: "Its repository and every image in it go.", Icon: ui.IconTrash, URL: urls.DeleteService(s.TenantSlug, s.Name), Bad: true, Why: busyWhy(s.State)}
		if n := len(p.Environments); n > 0 && end.Why == "" {
			end.Why = "It runs in " + ui.Plural(n, "environment", "environments") + ". Delete them first."
		}
		d.Actions = []ui.Action{end}
	}
	return d
}
