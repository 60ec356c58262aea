package handlers

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/urls"
)

// changing reads the pipeline that something is asked of. Who may read it and not ask is told so.
func (h *PipelineOrders) changing(c *fiber.Ctx) (models.Pipeline, error) {
	page, err := h.Living.PipelinePage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("pipeline"))
	if err != nil {
		return models.Pipeline{}, err
	}
	p := page.Pipeline
	switch {
	case !actor(c).MayOrderFor(p.TenantID):
		return p, models.Errorf(models.Forbidden, "Owners and developers of %s ask for changes of its pipelines.", p.TenantSlug)
	case p.State == models.Deleted:
		return p, models.Errorf(models.Conflict, "This pipeline is deleted already.")
	}
	return p, nil
}

// UpdateForm handles GET /tenants/:tenant/pipelines/:pipeline/update.
func (h *PipelineOrders) UpdateForm(c *fiber.Ctx) error {
	p, err := h.changing(c)
	if err != nil {
		return err
	}
	o := pipelining{living: &p, answers: p.Stack.Inputs, in: views.PipelineForm{Tenant: p.TenantSlug, Kind: string(p.Kind), Name: p.Name, Service: p.ServiceName, Connection: p.ConnectionName}}
	pipelineTyped(&o.in, p.Source, p.Stages)
	if err := h.catalogue(c, &o); err != nil {
		return err
	}
	return h.show(c, http.StatusOK, o)
}

// ShowUpdate handles POST /tenants/:tenant/pipelines/:pipeline/update/show.
func (h *PipelineOrders) ShowUpdate(c *fiber.Ctx) error {
	o, err := h.typedUpdate(c)
	if err != nil {
		return err
	}
	o.in.Errors = nil
	return h.show(c, http.StatusOK, o)
}

// Update handles POST /tenants/:tenant/pipelines/:pipeline/update.
func (h *PipelineOrders) Update(c *fiber.Ctx) error {
	o, err := h.typedUpdate(c)
	if err != nil {
		return err
	}
	return h.submit(c, o, func(in models.PipelineInputs) (models.Request, error) {
		return h.Living.ChangePipeline(c.UserContext(), actor(c), o.living.TenantSlug, o.living.Name, models.UpdatePipeline, o.in.Key, in)
	})
}

// typedUpdate reads the form of a change: what cannot be changed is the pipeline's own, whatever was sent.
func (h *PipelineOrders) typedUpdate(c *fiber.Ctx) (pipelining, error) {
	p, err := h.changing(c)
	if err != nil {
		return pipelining{}, err
	}
	o := pipelining{}
	values, err := form.Read(c)
	if err != nil {
		return o, err
	}
	if err := h.catalogue(c, &o); err != nil {
		return o, err
	}
	if err := o.read(values); err != nil {
		return o, err
	}
	o.living, o.in.Request, o.in.Draft = &p, "", ""
	o.in.Tenant, o.in.Kind, o.in.Name, o.in.Service = p.TenantSlug, string(p.Kind), p.Name, p.ServiceName
	return o, nil
}

// Ask handles POST /tenants/:tenant/pipelines/:pipeline/pause and /resume, which have no questions.
func (h *PipelineOrders) Ask(kind models.RequestKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		in, err := form.Decode[keyedForm](c)
		if err != nil {
			return err
		}
		p, err := h.changing(c)
		if err != nil {
			return err
		}
		req, err := h.Living.ChangePipeline(c.UserContext(), actor(c), p.TenantSlug, p.Name, kind, in.Key, models.PipelineInputs{})
		if err != nil {
			return err
		}
		return redirect(c, urls.Request(req.ID))
	}
}

// keyedForm is a form of one button that is safe to press twice.
type keyedForm struct {
	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`
}

// AskDelete handles GET /tenants/:tenant/pipelines/:pipeline/delete.
func (h *PipelineOrders) AskDelete(c *fiber.Ctx) error {
	p, err := h.changing(c)
	if err != nil {
		return err
	}
	return h.showDelete(c, http.StatusOK, p, views.ChangeForm{})
}

// Delete handles POST /tenants/:tenant/pipelines/:pipeline/delete.
func (h *PipelineOrders) Delete(c *fiber.Ctx) error {
	p, err := h.changing(c)
	if err != nil {
		return err
	}
	in, err := form.Decode[views.ChangeForm](c)
	if err == nil {
		err = typedName(in.Confirm, p.Name)
	}
	if err == nil {
		var req models.Request
		if req, err = h.Living.ChangePipeline(c.UserContext(), actor(c), p.TenantSlug, p.Name, models.DeletePipeline, in.Key, models.PipelineInputs{Confirm: strings.TrimSpace(in.Confirm)}); err == nil {
			return redirect(c, urls.Request(req.ID))
		}
	}
	if in.Errors = models.Fields(err); in.Errors != nil {
		return h.showDelete(c, http.StatusUnprocessableEntity, p, in)
	}
	return err
}

func (h *PipelineOrders) showDelete(c *fiber.Ctx, status int, p models.Pipeline, in views.ChangeForm) error {
	f := views.PipelineDelete(p.TenantSlug, p.Name, in)
	f.Blocked = p.MayNot(models.DeletePipeline)
	return h.showObjectForm(c, status, f, in.Key)
}

// showObjectForm shows a form that asks for one thing.
func (d *Desk) showObjectForm(c *fiber.Ctx, status int, f views.ObjectForm, key string) error {
	f.CSRF, f.Key = csrf(c), key
	if f.Key == "" {
		f.Key = models.NewID()
	}
	if isFragment(c) {
		return render(c, status, views.ObjectFormContent(f))
	}
	p, err := d.page(c)
	if err != nil {
		return err
	}
	return render(c, status, views.ObjectFormPage(p, f))
}
