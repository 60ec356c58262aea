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

// Requests shows what people asked for.
type Requests struct {
	*Desk
	Glass bool // an admin may approve alone
	Store interface {
		Requests(context.Context, models.Actor, models.ListQuery) (models.List[models.RequestRow], error)
		EachRequest(context.Context, models.Actor, models.ListQuery, func(models.RequestRow) error) error
		RequestPage(ctx context.Context, a models.Actor, id string) (models.RequestPage, error)
	}
}

type requestParams struct {
	listParams
	State  string `form:"state"`
	Tenant string `form:"tenant"`
	Mine   string `form:"mine"`
	Kind   string `form:"kind"`
}

// List handles GET /requests.
func (h *Requests) List(c *fiber.Ctx) error {
	in, err := form.Query[requestParams](c)
	if err != nil {
		return err
	}
	q := in.query("state", in.State, "kind", in.Kind, "tenant", in.Tenant, "mine", in.Mine)
	file, err := in.wantsCSV(c)
	if err != nil {
		return err
	}
	if file {
		return requestsCSV(c, "requests.csv", q, h.Store.EachRequest)
	}
	rows, err := h.Store.Requests(c.UserContext(), actor(c), q)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := views.Requests{
		Facts: []ui.Fact{{Value: total(rows.Total, "request", "requests")}}, Rows: rowsOf(h.Clock.Now(), rows.Rows, requestRow), CSV: with(c, "format", "csv"),
		Sorts: ui.SortLinks(urls.Requests, here(c), sortOr(in.Sort, "-asked"), "number", "title", "state", "tenant", "asked"),
		Pager: pager(c, rows, "request", "requests", sortOr(in.Sort, "-asked") == "-asked"), MayRequest: actor(c).MayRequestTenant(),
		Filters: ui.Filters{URL: urls.Requests, Label: "Filter requests", Set: in.Q+in.State+in.Kind+in.Tenant+in.Mine != "", Keep: keep("sort", in.Sort), Fields: []ui.Filter{
			{Name: "q", Label: "Title, number or person", Kind: "search", Value: in.Q},
			{Name: "state", Label: "State", Kind: "select", Value: in.State, Options: requestStateOptions()},
			{Name: "kind", Label: "What", Kind: "select", Value: in.Kind, Options: requestKindOptions()},
			{Name: "tenant", Label: "Tenant", Kind: "text", Value: in.Tenant},
			{Name: "mine", Label: "Asked by", Kind: "select", Value: in.Mine, Options: []ui.Option{{Value: "", Label: "Anyone"}, {Value: "yes", Label: "Me"}}}}},
	}
	return pageOr(c, views.RequestsPage(p, d), views.RequestsContent(d))
}

type eachRequest func(context.Context, models.Actor, models.ListQuery, func(models.RequestRow) error) error

func requestsCSV(c *fiber.Ctx, name string, q models.ListQuery, each eachRequest) error {
	a := actor(c)
	header := []string{"number", "title", "kind", "state", "tenant", "requester", "monthly_now_usd", "monthly_planned_usd", "asked_at", "ended_at", "reason"}
	return export(c, name, header, func(ctx context.Context, row func(...string) error) error {
		return each(ctx, a, q, func(r models.RequestRow) error {
			now, planned := "", ""
			if r.HasPlan {
				now, planned = r.MonthlyNow.StringFixed(2), r.MonthlyPlanned.StringFixed(2)
			}
			return row(number(r.Number), r.Title, string(r.Kind), string(r.State), r.TenantSlug, r.RequesterName, now, planned, stamp(r.SubmittedAt), stamp(r.EndedAt), r.Reason)
		})
	})
}

// Show handles GET /requests/:id, the decision page.
func (h *Requests) Show(c *fiber.Ctx) error {
	r, err := h.Store.RequestPage(c.UserContext(), actor(c), c.Params("id"))
	if err != nil {
		return err
	}
	p, err := h.pageAbout(c, func(f models.Freeze) bool { return !r.Request.State.Final() && f.Holds(r.Request.TenantID) })
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.RequestPage(p, h.view(c, r)))
}

// Live handles GET /requests/:id/live: what changes while the request is planned or run.
func (h *Requests) Live(c *fiber.Ctx) error {
	r, err := h.Store.RequestPage(c.UserContext(), actor(c), c.Params("id"))
	if err != nil {
		return err
	}
	if !isFragment(c) {
		return redirect(c, urls.Request(r.Request.ID))
	}
	return render(c, http.StatusOK, views.RequestLive(h.view(c, r)))
}

// Plan handles GET /requests/:id/plan.json: the plan as it was hashed, with its notes.
func (h *Requests) Plan(c *fiber.Ctx) error {
	r, err := h.Store.RequestPage(c.UserContext(), actor(c), c.Params("id"))
	if err != nil {
		return err
	}
	if r.Plan == nil {
		return models.Errorf(models.NotFound, "This request has no plan yet.")
	}
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+number(r.Request.Number)+`-plan.json"`)
	return c.JSON(r.Plan)
}

func (h *Requests) view(c *fiber.Ctx, r models.RequestPage) views.Request {
	d := requestView(h.Clock.Now(), h.Clock.Wall(), actor(c), r)
	d.CSRF, d.Key = csrf(c), models.NewID()
	if h.Glass && r.Request.State == models.AwaitingApproval && r.Plan != nil && actor(c).Has(models.PlatformAdmin) {
		d.Glass = &views.Glass{Fresh: h.Clock.Wall().Sub(visit.Of(c).FreshAt) < models.FreshSignIn}
	}
	return d
}

// stamp is a moment in a file: RFC 3339 in UTC, empty when there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
