package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views/urls"
)

// Edits leads to the form of the request's kind.
type Edits struct {
	Pages interface {
		RequestPage(ctx context.Context, a models.Actor, id string) (models.RequestPage, error)
	}
	By map[models.RequestKind]func(*fiber.Ctx, models.RequestPage) error
}

// Handle handles GET and POST /requests/:id/edit, each with its own table.
func (h *Edits) Handle(c *fiber.Ctx) error {
	r, err := h.Pages.RequestPage(c.UserContext(), actor(c), c.Params("id"))
	if err != nil {
		return err
	}
	if form := h.By[r.Request.Kind]; form != nil {
		return form(c, r)
	}
	return models.Errorf(models.Conflict, "The answers of this kind of request are not changed by a form. Cancel it and ask again.")
}

// Edit handles GET /requests/:id/edit of an order that was sent back.
func (h *Orders) Edit(c *fiber.Ctx, r models.RequestPage) error {
	q, err := form.Query[editParams](c)
	if err != nil {
		return err
	}
	o := ordering{}
	if err := h.catalogue(c, &o); err != nil {
		return err
	}
	if q.Draft != "" {
		if err := h.restore(c, q.Draft, &o); err != nil {
			return err
		}
	}
	if err := sentBack(c, &o, r); err != nil {
		return err
	}
	if q.Draft == "" {
		if err := o.refill(); err != nil {
			return err
		}
	}
	return h.show(c, http.StatusOK, o)
}

// Change handles POST /requests/:id/edit: the changed order is planned anew.
func (h *Orders) Change(c *fiber.Ctx, r models.RequestPage) error {
	o, err := h.typed(c, &r)
	if err != nil {
		return err
	}
	if len(o.in.Errors) == 0 {
		var req models.Request
		if req, err = h.send(c, &o); err == nil {
			return h.done(c, o.in.Draft, req)
		}
		if o.in.Errors = models.Fields(err); o.in.Errors == nil {
			return err
		}
	}
	return h.show(c, http.StatusUnprocessableEntity, o)
}

// sentBack holds whether the answers of a request can be changed.
func sentBack(c *fiber.Ctx, o *ordering, r models.RequestPage) error {
	switch {
	case r.Request.Kind != models.CreateEnvironment || r.Tenant == nil:
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

// refill puts the request's answers into the form.
func (o *ordering) refill() error {
	var in models.EnvironmentInputs
	if err := json.Unmarshal(o.editing.Request.Inputs, &in); err != nil {
		return fmt.Errorf("read the inputs of %s: %w", o.editing.Request.ID, err)
	}
	o.in.Blueprint, o.in.Stage, o.in.Region, o.in.Name = in.Blueprint, string(in.Stage), in.Region, in.Name
	o.in.Service, o.in.Image, o.in.EmptyBuckets = in.Service, in.Image, in.EmptyBuckets
	if in.Days > 0 {
		o.in.Days = strconv.Itoa(in.Days)
	}
	o.answers, o.usage = in.Inputs, in.Usage
	return nil
}

// done leads to the request; the draft it was changed from is done with.
func (h *Orders) done(c *fiber.Ctx, draft string, req models.Request) error {
	if draft != "" {
		if err := h.Forms.DeleteForm(c.UserContext(), actor(c), draft); err != nil {
			return err
		}
	}
	return redirect(c, urls.Request(req.ID))
}
