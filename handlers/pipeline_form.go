package handlers

import (
	"context"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/urls"
)

// PipelineOrders handles the form that orders a pipeline: new, drawn anew while it is filled in, sent, kept for later, and changed after
// an approver asked. The same form changes a pipeline that exists.
type PipelineOrders struct {
	*Desk
	Store interface {
		OrderTenants(context.Context, models.Actor) ([]models.Tenant, error)
		PipelineChoices(ctx context.Context, a models.Actor, tenant string) (models.PipelineChoices, error)
		RequestPipeline(ctx context.Context, a models.Actor, tenant, key string, in models.PipelineInputs, draft string) (models.Request, error)
	}
	Living interface {
		PipelinePage(ctx context.Context, a models.Actor, tenant, name string) (models.PipelinePage, error)
		ChangePipeline(ctx context.Context, a models.Actor, tenant, name string, kind models.RequestKind, key string, in models.PipelineInputs) (models.Request, error)
	}
	Sent interface {
		RequestPage(ctx context.Context, a models.Actor, id string) (models.RequestPage, error)
		EditPipelineRequest(ctx context.Context, a models.Actor, id string, in models.PipelineInputs) (models.Request, error)
	}
	Forms interface {
		SaveForm(ctx context.Context, a models.Actor, f models.SavedForm) (string, error)
		LoadForm(ctx context.Context, a models.Actor, id string) (models.SavedForm, error)
		DeleteForm(ctx context.Context, a models.Actor, id string) error
	}
	Blueprints interface {
		ListBlueprints(context.Context, models.Actor) ([]blueprint.Listing, error)
		BlueprintByDigest(ctx context.Context, digest string) (blueprint.Version, error)
	}
	Costs Estimator
}

type newPipelineParams struct {
	Draft      string `form:"draft"`
	Tenant     string `form:"tenant"` // the rest fills the form by address; nothing is sent by it
	Kind       string `form:"kind"`
	Service    string `form:"service"`
	Connection string `form:"connection"`
}

// New handles GET /pipelines/new.
func (h *PipelineOrders) New(c *fiber.Ctx) error {
	q, err := form.Query[newPipelineParams](c)
	if err != nil {
		return err
	}
	o := pipelining{in: views.PipelineForm{Tenant: q.Tenant, Kind: q.Kind, Service: q.Service, Connection: q.Connection}}
	if err := h.catalogue(c, &o); err != nil {
		return err
	}
	if q.Draft != "" {
		if err := h.restore(c, q.Draft, &o); err != nil {
			return err
		}
		if q.Service != "" {
			o.in.Service = q.Service // just made, on the way
		}
		if q.Connection != "" {
			o.in.Connection = q.Connection
		}
	}
	return h.show(c, http.StatusOK, o)
}

// Show handles POST /pipelines/new/show: the form as it is for what was chosen.
func (h *PipelineOrders) Show(c *fiber.Ctx) error {
	o, err := h.typed(c)
	if err != nil {
		return err
	}
	o.in.Errors = nil
	return h.show(c, http.StatusOK, o)
}

// Create handles POST /pipelines/new.
func (h *PipelineOrders) Create(c *fiber.Ctx) error {
	o, err := h.typed(c)
	if err != nil {
		return err
	}
	switch o.in.Do {
	case "draft", "service", "connection":
		return h.keep(c, o)
	case "stage":
		return h.show(c, http.StatusOK, o)
	}
	return h.submit(c, o, func(in models.PipelineInputs) (models.Request, error) {
		if o.in.Request != "" {
			return h.Sent.EditPipelineRequest(c.UserContext(), actor(c), o.in.Request, in)
		}
		return h.Store.RequestPipeline(c.UserContext(), actor(c), o.in.Tenant, o.in.Key, in, o.in.Draft)
	})
}

// submit sends what was typed, and shows it again with what is wrong by field.
func (h *PipelineOrders) submit(c *fiber.Ctx, o pipelining, send func(models.PipelineInputs) (models.Request, error)) error {
	if len(o.in.Errors) == 0 {
		err := h.open(c, &o)
		if err != nil {
			return err
		}
		var req models.Request
		in, err := o.inputs()
		if err == nil {
			req, err = send(in)
		}
		if err == nil {
			return redirect(c, urls.Request(req.ID))
		}
		if o.in.Errors = models.Fields(err); o.in.Errors == nil {
			return err
		}
	}
	return h.show(c, http.StatusUnprocessableEntity, o)
}

// keep saves what was typed as a draft, and goes where the pipeline's ground is asked for; that leads back to the draft.
func (h *PipelineOrders) keep(c *fiber.Ctx, o pipelining) error {
	if o.in.Request != "" {
		return models.Errorf(models.Invalid, "Answers of a request that was sent are not kept as a draft.")
	}
	values, err := form.Read(c)
	if err != nil {
		return err
	}
	fields := map[string][]string{}
	for name, v := range values {
		if !strings.HasPrefix(name, "_") && name != "do" {
			fields[name] = v
		}
	}
	id, err := h.Forms.SaveForm(c.UserContext(), actor(c), models.SavedForm{ID: o.in.Draft, Path: urls.NewPipeline, Fields: fields})
	if err != nil {
		return err
	}
	switch o.in.Do {
	case "service":
		return redirect(c, urls.With(urls.NewService(o.in.Tenant), "back", urls.PipelineDraft(id)))
	case "connection":
		return redirect(c, urls.With(urls.NewConnection(o.in.Tenant), "back", urls.PipelineDraft(id)))
	}
	return redirect(c, urls.Home)
}

func (h *PipelineOrders) show(c *fiber.Ctx, status int, o pipelining) error {
	if err := h.open(c, &o); err != nil {
		return err
	}
	d := h.view(c, o)
	if isFragment(c) {
		return render(c, status, views.PipelineFormContent(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, status, views.PipelineFormPage(p, d))
}
