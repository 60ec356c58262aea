package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
)

// Edit handles GET /requests/:id/edit: the inputs as they are, for the requester to change.
func (h *NewTenant) Edit(c *fiber.Ctx, r models.RequestPage) error {
	q, err := form.Query[editParams](c)
	if err != nil {
		return err
	}
	d, err := editing(c, r)
	if err != nil {
		return err
	}
	if q.Draft != "" {
		slug := d.Form.Slug
		if err := h.restore(c, q.Draft, &d); err != nil {
			return err
		}
		d.Form.Slug = slug
	}
	return h.show(c, http.StatusOK, d)
}

type editParams struct {
	Draft string `form:"draft"`
}

func editing(c *fiber.Ctx, r models.RequestPage) (views.NewTenant, error) {
	switch {
	case !editable(r.Request):
		return views.NewTenant{}, models.Errorf(models.Conflict, "This request is %s, so its answers cannot be changed now.", r.Request.State.Words())
	case !mayEdit(actor(c), r.Request):
		return views.NewTenant{}, models.Errorf(models.Forbidden, "Only %s, who asked for it, changes the answers of this request.", r.Request.RequesterName)
	}
	in, ok := tenantInputs(r.Request)
	if !ok {
		return views.NewTenant{}, models.Errorf(models.Conflict, "The inputs of this kind of request are not changed by this form.")
	}
	d := views.NewTenant{EditID: r.Request.ID, EditNumber: number(r.Request.Number), EditReason: r.Request.Reason, EditBy: decidedBy(r),
		Form: views.TenantForm{Slug: in.Slug, DisplayName: in.DisplayName, Description: in.Description, OwnerGroup: in.OwnerGroup, DeveloperGroup: in.DeveloperGroup,
			ViewerGroup: in.ViewerGroup, CostCentre: in.CostCentre, Budget: in.Budget.String()}}
	for _, x := range in.Classes {
		d.Form.Classes = append(d.Form.Classes, string(x))
	}
	enrolled(&d.Form, in)
	return d, nil
}

// Change handles POST /requests/:id/edit: the changed inputs are planned anew.
func (h *NewTenant) Change(c *fiber.Ctx, r models.RequestPage) error {
	in, err := form.Decode[views.TenantForm](c)
	if err != nil {
		return err
	}
	d, err := editing(c, r)
	if err != nil {
		return err
	}
	in.Slug = d.Form.Slug
	inputs, errors := inputsOf(in)
	if errors == nil {
		var req models.Request
		if req, err = h.Store.EditTenantRequest(c.UserContext(), actor(c), c.Params("id"), inputs); err == nil {
			return h.sent(c, in.Draft, req)
		}
		errors = byAccount(models.Fields(err), inputs)
	}
	if errors == nil {
		return err
	}
	in.Errors = errors
	d.Form = in
	return h.show(c, http.StatusUnprocessableEntity, d)
}
