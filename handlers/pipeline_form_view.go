package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

// open reads what the pipeline can stand on, and chooses what was left open.
func (h *PipelineOrders) open(c *fiber.Ctx, o *pipelining) error {
	ctx, a := c.UserContext(), actor(c)
	var err error
	if o.living == nil {
		if o.tenants, err = h.Store.OrderTenants(ctx, a); err != nil {
			return err
		}
	}
	if o.editing != nil && o.editing.Tenant != nil {
		o.in.Tenant = o.editing.Tenant.Slug
	}
	if o.in.Tenant == "" && len(o.tenants) > 0 {
		o.in.Tenant = o.tenants[0].Slug
	}
	if o.in.Tenant == "" {
		if !mayAskAnywhere(a) {
			return models.Errorf(models.Forbidden, "Pipelines are ordered by owners and developers of a tenant. You are neither.")
		}
		return nil
	}
	if o.choices, err = h.Store.PipelineChoices(ctx, a, o.in.Tenant); err != nil {
		return err
	}
	if o.in.Kind == "" {
		o.in.Kind = string(models.CodePipeline)
	}
	if o.in.Source == "" && o.in.Kind == string(models.CodePipeline) {
		o.in.Source = string(models.SourceConnection)
	}
	if v, ok := o.listings[o.in.Kind]; ok {
		o.fields, err = v.Meta.Fields()
		own := map[string]string{}
		for _, name := range fieldNames(o.fields) { // answers to the other kind's questions are dropped
			if value, sent := o.answers[name]; sent {
				own[name] = value
			}
		}
		o.answers = own
	}
	return err
}

// view draws the form as far as it is filled in.
func (h *PipelineOrders) view(c *fiber.Ctx, o pipelining) views.PipelineOrderForm {
	o.in.CSRF = csrf(c)
	if o.in.Key == "" {
		o.in.Key = models.NewID()
	}
	d := views.PipelineOrderForm{Services: services(o.choices.Services), Connections: connectionOptions(o.choices.Connections), Questions: blueprintFields(o.fields, o.answers, o.in.Errors, nil), From: map[string]string{}}
	for kind, v := range o.listings {
		if from := fromPrice(h.Costs, v); from != "" {
			d.From[kind] = from + "/mo"
		}
	}
	if _, ok := o.listings[o.in.Kind]; !ok && o.in.Tenant != "" {
		d.NoBlueprint = "The blueprint " + o.in.Kind + " is not offered in this installation. The platform team loads it; the blueprints' page says what is."
	}
	for _, t := range o.tenants {
		d.Tenants = append(d.Tenants, ui.Option{Value: t.Slug, Label: tenantLabel(t)})
	}
	d.Envs, d.NoEnvs = o.environments()
	o.fill(len(d.Envs) - 1)
	d.Form = o.in
	if o.restored.ID != "" {
		d.Restored = ui.Ago(h.Clock.Wall(), o.restored.SavedAt)
		if o.restored.Expired {
			d.RestoredWhy = "Your session had ended"
		}
	}
	if r := o.editing; r != nil {
		d.EditNumber, d.EditReason, d.EditBy, d.NameFixed = number(r.Request.Number), r.Request.Reason, decidedBy(*r), r.Request.HasRun()
	}
	if o.living != nil {
		d.Pipeline = o.living.Name
	}
	return d
}

func connectionOptions(all []models.Connection) []ui.Option {
	options := []ui.Option{{Label: "Choose"}}
	for _, x := range all {
		if x.State == models.Deleted || x.State == models.Deleting {
			continue
		}
		label := fmt.Sprintf("%s, %s", x.Name, x.Provider)
		if x.Status != models.ConnectionAvailable {
			label += ", not available yet: the pipeline waits for it"
		}
		options = append(options, ui.Option{Value: x.Name, Label: label})
	}
	return options
}

// pipelineTyped fills the form with what a pipeline is, or what a request asks for.
func pipelineTyped(f *views.PipelineForm, s models.PipelineSource, stages []models.PipelineStage) {
	f.Source, f.Repository, f.RepositoryID, f.OwnerID, f.Branch, f.Paths, f.Tag = string(s.Kind), s.Repository, s.RepositoryID, s.OwnerID, s.Branch, strings.Join(s.Paths, "\n"), s.Tag
	f.Stages = nil
	for _, x := range stages {
		f.Stages = append(f.Stages, stageTyped(x))
	}
}

// Edit handles GET /requests/:id/edit of a pipeline that was sent back.
func (h *PipelineOrders) Edit(c *fiber.Ctx, r models.RequestPage) error {
	q, err := form.Query[editParams](c)
	if err != nil {
		return err
	}
	o := pipelining{}
	if err := h.catalogue(c, &o); err != nil {
		return err
	}
	if q.Draft != "" {
		if err := h.restore(c, q.Draft, &o); err != nil {
			return err
		}
	}
	if err := pipelineSentBack(c, &o, r); err != nil {
		return err
	}
	if q.Draft == "" {
		var in models.PipelineInputs
		if err := json.Unmarshal(r.Request.Inputs, &in); err != nil {
			return fmt.Errorf("read the inputs of %s: %w", r.Request.ID, err)
		}
		o.in.Kind, o.in.Name, o.in.Service, o.in.Connection, o.answers = string(in.Kind), in.Name, in.Service, in.Connection, in.Inputs
		pipelineTyped(&o.in, in.Source, in.Stages)
	}
	return h.show(c, http.StatusOK, o)
}

// Change handles POST /requests/:id/edit: the changed order is planned anew.
func (h *PipelineOrders) Change(c *fiber.Ctx, r models.RequestPage) error {
	o, err := h.typed(c)
	if err != nil {
		return err
	}
	if err := pipelineSentBack(c, &o, r); err != nil {
		return err
	}
	if o.in.Do == "stage" {
		return h.show(c, http.StatusOK, o)
	}
	return h.submit(c, o, func(in models.PipelineInputs) (models.Request, error) {
		req, err := h.Sent.EditPipelineRequest(c.UserContext(), actor(c), r.Request.ID, in)
		if err == nil && o.in.Draft != "" {
			err = h.Forms.DeleteForm(c.UserContext(), actor(c), o.in.Draft)
		}
		return req, err
	})
}

// pipelineSentBack holds whether the answers of a request can be changed.
func pipelineSentBack(c *fiber.Ctx, o *pipelining, r models.RequestPage) error {
	switch {
	case r.Request.Kind != models.CreatePipeline || r.Tenant == nil:
		return models.Errorf(models.Conflict, "The inputs of this kind of request are not changed by this form.")
	case !editable(r.Request):
		return models.Errorf(models.Conflict, "This request is %s, so its answers cannot be changed now.", r.Request.State.Words())
	case !mayEdit(actor(c), r.Request):
		return models.Errorf(models.Forbidden, "Only %s, who asked for it, changes the answers of this request.", r.Request.RequesterName)
	}
	o.editing, o.in.Request = &r, r.Request.ID
	if r.Request.HasRun() {
		o.in.Name = r.Request.ObjectName
	}
	return nil
}
