package handlers

import (
	"context"
	"net/http"
	"strconv"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/stream"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Executions shows what goes through a pipeline, and takes what people want of it: start, stop, try a stage again.
type Executions struct {
	*Desk
	Store interface {
		Executions(ctx context.Context, a models.Actor, tenant, pipeline string, q models.ListQuery) (models.List[models.Execution], error)
		ExecutionPage(ctx context.Context, a models.Actor, tenant, pipeline string, number int) (models.ExecutionPage, error)
		OrderExecution(ctx context.Context, a models.Actor, tenant, pipeline, verb, executionID, stage string) (models.PipelineOrder, error)
	}
	Logs    logReader // nil: AWS is not configured
	Streams *stream.Hub
	Changes changes
}

type executionParams struct {
	listParams
	State string `form:"state"`
}

// List handles GET /tenants/:tenant/pipelines/:pipeline/executions.
func (h *Executions) List(c *fiber.Ctx) error {
	in, err := form.Query[executionParams](c)
	if err != nil {
		return err
	}
	tenant, pipeline := c.Params("tenant"), c.Params("pipeline")
	rows, err := h.Store.Executions(c.UserContext(), actor(c), tenant, pipeline, in.query("state", in.State))
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	url := urls.Executions(tenant, pipeline)
	d := views.Executions{Tenant: tenant, Pipeline: pipeline, Rows: executionRows(h.Clock.Wall(), tenant, pipeline, rows.Rows), Pager: pager(c, rows, "execution", "executions", true),
		Filters: ui.Filters{URL: url, Label: "Filter executions", Set: in.Q+in.State != "", Keep: keep("sort", in.Sort), Fields: []ui.Filter{
			{Name: "q", Label: "Commit or author", Kind: "search", Value: in.Q}, {Name: "state", Label: "State", Kind: "select", Value: in.State, Options: executionStateOptions()}}}}
	return pageOr(c, views.ExecutionsPage(p, d), views.ExecutionsContent(d))
}

func executionStateOptions() []ui.Option {
	options := []ui.Option{{Label: "Any"}}
	for _, s := range []models.ExecutionState{models.ExecutionRunning, models.ExecutionStopping, models.ExecutionStopped, models.ExecutionSucceeded, models.ExecutionFailed, models.ExecutionSuperseded} {
		options = append(options, ui.Option{Value: string(s), Label: views.ExecutionState(s).Label})
	}
	return options
}

// executionNumber is the number in the address; what is no number is no execution.
func executionNumber(c *fiber.Ctx) (int, error) {
	n, err := strconv.Atoi(c.Params("number"))
	if err != nil || n < 1 || strconv.Itoa(n) != c.Params("number") {
		return 0, models.Errorf(models.NotFound, "There is no such execution.")
	}
	return n, nil
}

func (h *Executions) read(c *fiber.Ctx) (models.ExecutionPage, error) {
	n, err := executionNumber(c)
	if err != nil {
		return models.ExecutionPage{}, err
	}
	return h.Store.ExecutionPage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("pipeline"), n)
}

// Show handles GET /tenants/:tenant/pipelines/:pipeline/executions/:number; htmx polls the same address when the stream is refused.
func (h *Executions) Show(c *fiber.Ctx) error {
	x, err := h.read(c)
	if err != nil {
		return err
	}
	d := executionView(h.Clock, actor(c), x, csrf(c))
	if isFragment(c) {
		return render(c, http.StatusOK, views.ExecutionLive(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.ExecutionPage(p, d))
}

// Events handles GET .../executions/:number/events: each event is the whole execution as it is now.
func (h *Executions) Events(c *fiber.Ctx) error {
	first, err := h.read(c)
	if err != nil {
		return err
	}
	a, tenant, pipeline, number, token := actor(c), c.Params("tenant"), c.Params("pipeline"), first.Execution.Number, csrf(c)
	changes, unsubscribe := h.Changes.Subscribe("object:" + first.Pipeline.ID)
	return h.Streams.Serve(c, stream.Source{Event: "execution", Changes: changes, Close: unsubscribe,
		Render: func(ctx context.Context) (templ.Component, bool, error) {
			x, err := h.Store.ExecutionPage(ctx, a, tenant, pipeline, number)
			if err != nil {
				return nil, true, err
			}
			d := executionView(h.Clock, a, x, token)
			return views.ExecutionLive(d), !d.Live, nil
		}})
}

// Start handles POST /tenants/:tenant/pipelines/:pipeline/start.
func (h *Executions) Start(c *fiber.Ctx) error {
	if _, err := form.Decode[keyedForm](c); err != nil {
		return err
	}
	tenant, pipeline := c.Params("tenant"), c.Params("pipeline")
	if _, err := h.Store.OrderExecution(c.UserContext(), actor(c), tenant, pipeline, "start", "", ""); err != nil {
		return err
	}
	return redirect(c, urls.Pipeline(tenant, pipeline))
}

type stageForm struct {
	Stage string `form:"stage"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`
}

// Stop handles POST .../executions/:number/stop.
func (h *Executions) Stop(c *fiber.Ctx) error { return h.order(c, "stop") }

// Retry handles POST .../executions/:number/retry.
func (h *Executions) Retry(c *fiber.Ctx) error { return h.order(c, "retry") }

// order reads the execution first: whose pipeline does not exist for the reader has no execution either.
func (h *Executions) order(c *fiber.Ctx, verb string) error {
	in, err := form.Decode[stageForm](c)
	if err != nil {
		return err
	}
	x, err := h.read(c)
	if err != nil {
		return err
	}
	tenant, pipeline := c.Params("tenant"), c.Params("pipeline")
	if _, err := h.Store.OrderExecution(c.UserContext(), actor(c), tenant, pipeline, verb, x.Execution.ID, in.Stage); err != nil {
		return err
	}
	return redirect(c, urls.Execution(tenant, pipeline, x.Execution.Number))
}
