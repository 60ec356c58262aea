package handlers

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Approvals shows the queue of what waits for a decision, oldest first.
type Approvals struct {
	*Desk
	Store interface {
		Queue(context.Context, models.Actor, models.ListQuery) (models.List[models.RequestRow], error)
		EachWaiting(context.Context, models.Actor, models.ListQuery, func(models.RequestRow) error) error
	}
}

type queueParams struct {
	listParams
	Tenant string `form:"tenant"`
	Mine   string `form:"mine"`
	Age    string `form:"age"`
}

// List handles GET /approvals.
func (h *Approvals) List(c *fiber.Ctx) error {
	in, err := form.Query[queueParams](c)
	if err != nil {
		return err
	}
	q := in.query("tenant", in.Tenant, "mine", in.Mine, "age", in.Age)
	file, err := in.wantsCSV(c)
	if err != nil {
		return err
	}
	if file {
		return requestsCSV(c, "approvals.csv", q, h.Store.EachWaiting)
	}
	rows, err := h.Store.Queue(c.UserContext(), actor(c), q)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := views.Approvals{
		Rows: rowsOf(h.Clock.Now(), rows.Rows, queueRow), Pager: pager(c, rows, "request", "requests", false), CSV: with(c, "format", "csv"),
		ForMe: p.Approvals, All: rows.Total,
		Filters: ui.Filters{URL: urls.Approvals, Label: "Filter the queue", Set: in.Q+in.Tenant+in.Mine+in.Age != "", Fields: []ui.Filter{
			{Name: "q", Label: "Title or person", Kind: "search", Value: in.Q},
			{Name: "mine", Label: "Decision", Kind: "select", Value: in.Mine, Options: []ui.Option{{Value: "", Label: "Anyone's"}, {Value: "yes", Label: "Mine"}}},
			{Name: "tenant", Label: "Tenant", Kind: "text", Value: in.Tenant},
			{Name: "age", Label: "Waiting", Kind: "select", Value: in.Age, Options: []ui.Option{{Value: "", Label: "Any time"}, {Value: "1d", Label: "Over a day"}, {Value: "7d", Label: "Over a week"}}}}},
	}
	return pageOr(c, views.ApprovalsPage(p, d), views.ApprovalsContent(d))
}
