package handlers

import (
	"context"
	"fmt"
	"net/http"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/stream"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Runs shows runs and takes what people say of them: stop, retry, abandon.
type Runs struct {
	*Desk
	Store interface {
		Runs(context.Context, models.Actor, models.ListQuery) (models.List[models.RunRow], error)
		EachRun(context.Context, models.Actor, models.ListQuery, func(models.RunRow) error) error
		RunPage(ctx context.Context, a models.Actor, id string) (models.RunPage, error)
	}
	Control interface {
		StopRun(ctx context.Context, a models.Actor, requestID string) error
		RetryRun(ctx context.Context, a models.Actor, requestID string) error
		AbandonRequest(ctx context.Context, a models.Actor, requestID, reason string) error
	}
	Back interface {
		UndoRun(ctx context.Context, a models.Actor, requestID string) error
	}
	Streams *stream.Hub
	Changes interface {
		Subscribe(topic string) (<-chan struct{}, func())
	}
}

type runParams struct {
	listParams
	State  string `form:"state"`
	Tenant string `form:"tenant"`
}

// List handles GET /runs.
func (h *Runs) List(c *fiber.Ctx) error {
	in, err := form.Query[runParams](c)
	if err != nil {
		return err
	}
	q := in.query("state", in.State, "tenant", in.Tenant)
	file, err := in.wantsCSV(c)
	if err != nil {
		return err
	}
	if file {
		return h.csv(c, q)
	}
	rows, err := h.Store.Runs(c.UserContext(), actor(c), q)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := views.Runs{
		Facts: []ui.Fact{{Value: total(rows.Total, "run", "runs")}}, Rows: rowsOf(h.Clock.Now(), rows.Rows, runRow), CSV: with(c, "format", "csv"),
		Sorts: ui.SortLinks(urls.Runs, here(c), sortOr(in.Sort, "-started"), "title", "state", "tenant", "started"), Pager: pager(c, rows, "run", "runs", sortOr(in.Sort, "-started") == "-started"),
		Filters: ui.Filters{URL: urls.Runs, Label: "Filter runs", Set: in.Q+in.State+in.Tenant != "", Keep: keep("sort", in.Sort), Fields: []ui.Filter{
			{Name: "q", Label: "Title or number", Kind: "search", Value: in.Q},
			{Name: "state", Label: "State", Kind: "select", Value: in.State, Options: runStateOptions()},
			{Name: "tenant", Label: "Tenant", Kind: "text", Value: in.Tenant}}},
	}
	return pageOr(c, views.RunsPage(p, d), views.RunsContent(d))
}

func (h *Runs) csv(c *fiber.Ctx, q models.ListQuery) error {
	a := actor(c)
	header := []string{"run", "request", "title", "state", "tenant", "attempt", "started_at", "ended_at", "steps", "steps_ended", "failure"}
	return export(c, "runs.csv", header, func(ctx context.Context, row func(...string) error) error {
		return h.Store.EachRun(ctx, a, q, func(r models.RunRow) error {
			failure := ""
			if r.Failure != nil {
				failure = r.Failure.What
			}
			return row(r.ID, number(r.RequestNumber), r.Title, string(r.State), r.TenantSlug, fmt.Sprint(r.Attempt), stamp(r.StartedAt), stamp(r.EndedAt),
				fmt.Sprint(r.StepsAll), fmt.Sprint(r.StepsEnded), failure)
		})
	})
}

type logParams struct {
	Log string `form:"log"` // all: every line instead of the latest
}

// Show handles GET /runs/:id; htmx polls the same address when the stream is refused.
func (h *Runs) Show(c *fiber.Ctx) error {
	in, err := form.Query[logParams](c)
	if err != nil {
		return err
	}
	r, err := h.Store.RunPage(c.UserContext(), actor(c), c.Params("id"))
	if err != nil {
		return err
	}
	d := runView(h.Clock.Now(), actor(c), r, in.Log == "all")
	d.CSRF = csrf(c)
	if isFragment(c) {
		return render(c, http.StatusOK, views.RunLive(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.RunPage(p, d))
}

// Events handles GET /runs/:id/events: each event is the whole run as it is now.
func (h *Runs) Events(c *fiber.Ctx) error {
	a, id, token := actor(c), c.Params("id"), csrf(c)
	if _, err := h.Store.RunPage(c.UserContext(), a, id); err != nil {
		return err
	}
	changes, unsubscribe := h.Changes.Subscribe("run:" + id)
	return h.Streams.Serve(c, stream.Source{Event: "run", Changes: changes, Close: unsubscribe,
		Render: func(ctx context.Context) (templ.Component, bool, error) {
			r, err := h.Store.RunPage(ctx, a, id)
			if err != nil {
				return nil, true, err
			}
			d := runView(h.Clock.Now(), a, r, false)
			d.CSRF = token
			return views.RunLive(d), !r.Run.EndedAt.IsZero(), nil
		}})
}

// Stop handles POST /runs/:id/stop.
func (h *Runs) Stop(c *fiber.Ctx) error { return h.control(c, h.Control.StopRun) }

// Retry handles POST /runs/:id/retry.
func (h *Runs) Retry(c *fiber.Ctx) error { return h.control(c, h.Control.RetryRun) }

// Abandon handles POST /runs/:id/abandon.
func (h *Runs) Abandon(c *fiber.Ctx) error { return h.control(c, h.abandon) }

// Undo handles POST /runs/:id/undo: what the run made is taken back, as far as that is possible.
func (h *Runs) Undo(c *fiber.Ctx) error { return h.control(c, h.Back.UndoRun) }

func (h *Runs) abandon(ctx context.Context, a models.Actor, requestID string) error {
	return h.Control.AbandonRequest(ctx, a, requestID, "")
}

// control reads the run first: whose run does not exist for the reader has no request either.
func (h *Runs) control(c *fiber.Ctx, do func(context.Context, models.Actor, string) error) error {
	if _, err := form.Decode[bareForm](c); err != nil {
		return err
	}
	r, err := h.Store.RunPage(c.UserContext(), actor(c), c.Params("id"))
	if err != nil {
		return err
	}
	if err := do(c.UserContext(), actor(c), r.Request.ID); err != nil {
		return err
	}
	return redirect(c, urls.Run(r.Run.ID))
}
