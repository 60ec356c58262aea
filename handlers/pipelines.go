package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/stream"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Pipelines shows pipelines.
type Pipelines struct {
	*Desk
	Store interface {
		Pipelines(context.Context, models.Actor, models.ListQuery) (models.List[models.PipelineRow], error)
		EachPipeline(context.Context, models.Actor, models.ListQuery, func(models.PipelineRow) error) error
		PipelinePage(ctx context.Context, a models.Actor, tenant, name string) (models.PipelinePage, error)
	}
	Delivery interface {
		PipelineDelivery(ctx context.Context, a models.Actor, tenant, pipeline string) (models.PipelineDelivery, error)
		LookAtPipeline(ctx context.Context, a models.Actor, p models.Pipeline) error
	}
	Streams  *stream.Hub
	Changes  changes
	Workflow WorkflowWriter
}

// changes tells of what has changed, by topic.
type changes interface {
	Subscribe(topic string) (<-chan struct{}, func())
}

// WorkflowWriter writes the file that a repository of GitHub Actions is given.
type WorkflowWriter func(models.Pipeline) string

type pipelineParams struct {
	listParams
	Tenant  string `form:"tenant"`
	Kind    string `form:"kind"`
	State   string `form:"state"`
	Service string `form:"service"`
}

// List handles GET /pipelines.
func (h *Pipelines) List(c *fiber.Ctx) error {
	in, err := form.Query[pipelineParams](c)
	if err != nil {
		return err
	}
	q := in.query("tenant", in.Tenant, "kind", in.Kind, "state", in.State, "service", in.Service)
	file, err := in.wantsCSV(c)
	if err != nil {
		return err
	}
	if file {
		return h.csv(c, q)
	}
	rows, err := h.Store.Pipelines(c.UserContext(), actor(c), q)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := views.Pipelines{
		Facts: []ui.Fact{{Value: total(rows.Total, "pipeline", "pipelines")}}, Rows: h.rows(rows.Rows), CSV: with(c, "format", "csv"), MayAsk: mayAskAnywhere(actor(c)),
		Sorts: ui.SortLinks(urls.Pipelines, here(c), sortOr(in.Sort, "-last"), "name", "state", "last"), Pager: pager(c, rows, "pipeline", "pipelines", false),
		Filters: ui.Filters{URL: urls.Pipelines, Label: "Filter pipelines", Set: in.Q+in.Tenant+in.Kind+in.State+in.Service != "", Keep: keep("sort", in.Sort), Fields: []ui.Filter{
			{Name: "q", Label: "Name", Kind: "search", Value: in.Q}, {Name: "tenant", Label: "Tenant", Kind: "text", Value: in.Tenant},
			{Name: "service", Label: "Service", Kind: "text", Value: in.Service}, {Name: "kind", Label: "Kind", Kind: "select", Value: in.Kind, Options: pipelineKindOptions()},
			{Name: "state", Label: "State", Kind: "select", Value: in.State, Options: objectStateOptions()}}},
	}
	return pageOr(c, views.PipelinesPage(p, d), views.PipelinesContent(d))
}

func pipelineKindOptions() []ui.Option {
	options := []ui.Option{{Label: "Any"}}
	for _, k := range models.PipelineKinds() {
		options = append(options, ui.Option{Value: string(k), Label: views.PipelineKind(k)})
	}
	return options
}

func (h *Pipelines) rows(rows []models.PipelineRow) []views.PipelineRow {
	return pipelineRows(h.Clock, rows)
}

// pipelineRows shows times of AWS by wall time and Slipway's own by its clock.
func pipelineRows(clock models.Clock, rows []models.PipelineRow) []views.PipelineRow {
	now, wall := clock.Now(), clock.Wall()
	out := make([]views.PipelineRow, 0, len(rows))
	for _, r := range rows {
		row := views.PipelineRow{Tenant: r.TenantSlug, Name: r.Name, Kind: r.Kind, Service: r.ServiceName, State: views.PipelineState(r.State, r.Paused)}
		if r.Repository != "" {
			row.Source = strings.TrimSuffix(r.Repository+", "+r.Branch, ", ")
		}
		if r.LastNumber > 0 {
			row.Last = views.LastExecution{Number: r.LastNumber, State: r.LastState, At: ui.Ago(wall, r.LastAt), Words: strings.TrimSpace(ui.Short(r.LastCommit) + " " + firstLine(r.LastMessage))}
		}
		for _, x := range r.Cells {
			row.Cells = append(row.Cells, stageCell(now, r.TenantSlug, x))
		}
		out = append(out, row)
	}
	return out
}

// firstLine is the first line of a commit's message, short enough for a table.
func firstLine(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	if r := []rune(line); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return line
}

func stageCell(now time.Time, tenant string, x models.StageCell) views.StageCell {
	return views.StageCell{Environment: x.Environment, Tenant: tenant, State: views.CellState(x), Version: views.Version(x.Tag, x.Commit, x.Image), Image: x.Image, Since: ui.Ago(now, x.Since)}
}

func (h *Pipelines) csv(c *fiber.Ctx, q models.ListQuery) error {
	a := actor(c)
	header := []string{"tenant", "name", "kind", "service", "repository", "branch", "state", "paused", "last_execution", "last_state", "last_at", "last_commit", "stages", "updated_at"}
	return export(c, "pipelines.csv", header, func(ctx context.Context, row func(...string) error) error {
		return h.Store.EachPipeline(ctx, a, q, func(r models.PipelineRow) error {
			number := ""
			if r.LastNumber > 0 {
				number = strconv.Itoa(r.LastNumber)
			}
			var stages []string
			for _, x := range r.Cells {
				stages = append(stages, strings.TrimSuffix(x.Environment+" "+views.Version(x.Tag, x.Commit, x.Image), " "))
			}
			return row(r.TenantSlug, r.Name, string(r.Kind), r.ServiceName, r.Repository, r.Branch, string(r.State), fmt.Sprint(r.Paused), number, string(r.LastState), stamp(r.LastAt), r.LastCommit,
				strings.Join(stages, "; "), stamp(r.UpdatedAt))
		})
	})
}

// Show handles GET /tenants/:tenant/pipelines/:pipeline; htmx polls the same address when the stream is refused.
func (h *Pipelines) Show(c *fiber.Ctx) error {
	d, err := h.view(c.UserContext(), actor(c), c.Params("tenant"), c.Params("pipeline"), csrf(c))
	if err != nil {
		return err
	}
	if isFragment(c) {
		return render(c, http.StatusOK, views.PipelineLive(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.PipelinePage(p, d))
}

// view reads all that the page shows. What goes through a pipeline is asked for only once it is there.
func (h *Pipelines) view(ctx context.Context, a models.Actor, tenant, name, token string) (views.Pipeline, error) {
	page, err := h.Store.PipelinePage(ctx, a, tenant, name)
	if err != nil {
		return views.Pipeline{}, err
	}
	delivery, err := h.Delivery.PipelineDelivery(ctx, a, tenant, name)
	if err != nil {
		return views.Pipeline{}, err
	}
	if err := h.Delivery.LookAtPipeline(ctx, a, page.Pipeline); err != nil {
		return views.Pipeline{}, err
	}
	return pipelineView(h.Clock, a, page, delivery, h.Workflow, token), nil
}

// Events handles GET /tenants/:tenant/pipelines/:pipeline/events: each event is the whole pipeline as it is now.
func (h *Pipelines) Events(c *fiber.Ctx) error {
	a, tenant, name, token := actor(c), c.Params("tenant"), c.Params("pipeline"), csrf(c)
	page, err := h.Store.PipelinePage(c.UserContext(), a, tenant, name)
	if err != nil {
		return err
	}
	changes, unsubscribe := h.Changes.Subscribe("object:" + page.Pipeline.ID)
	return h.Streams.Serve(c, stream.Source{Event: "pipeline", Changes: changes, Close: unsubscribe,
		Render: func(ctx context.Context) (templ.Component, bool, error) {
			d, err := h.view(ctx, a, tenant, name, token)
			return views.PipelineLive(d), !d.Live, err
		}})
}

// WorkflowFile handles GET /tenants/:tenant/pipelines/:pipeline/workflow: the file to commit, as it is to be saved.
func (h *Pipelines) WorkflowFile(c *fiber.Ctx) error {
	page, err := h.Store.PipelinePage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("pipeline"))
	if err != nil {
		return err
	}
	if h.Workflow == nil || page.Pipeline.Kind != models.GitHubActions || page.Pipeline.State == models.Deleted {
		return models.Errorf(models.NotFound, "This pipeline has no workflow file: CodePipeline moves it.")
	}
	return sendFile(c, "slipway-"+page.Pipeline.Name+".yml", []byte(h.Workflow(page.Pipeline)))
}

// sendFile answers with bytes to save.
func sendFile(c *fiber.Ctx, name string, body []byte) error {
	saved(c, name)
	return c.Send(body)
}

// saved has a browser save what follows under a name. Whatever is in it, none renders it as a page of Slipway.
func saved(c *fiber.Ctx, name string) {
	c.Set(fiber.HeaderContentType, fiber.MIMEOctetStream)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
	c.Set(fiber.HeaderContentDisposition, "attachment; filename*=UTF-8''"+url.PathEscape(name))
}
