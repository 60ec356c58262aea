package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/urls"
)

// sentBack reads a request whose answers are changed, and the tenant it is about.
func (h *TenantLife) sentBack(c *fiber.Ctx, r models.RequestPage) (living, error) {
	x := living{kind: r.Request.Kind, editing: &r}
	switch {
	case !editable(r.Request):
		return x, models.Errorf(models.Conflict, "This request is %s, so its answers cannot be changed now.", r.Request.State.Words())
	case !mayEdit(actor(c), r.Request):
		return x, models.Errorf(models.Forbidden, "Only %s, who asked for it, changes the answers of this request.", r.Request.RequesterName)
	}
	var err error
	if x.tenant, err = h.Tenants.Tenant(c.UserContext(), actor(c), r.Request.ObjectName); err != nil {
		return x, err
	}
	x.in, err = lifeTyped(r.Request, x.tenant)
	return x, err
}

// Edit handles GET /requests/:id/edit of a request about a tenant that was sent back.
func (h *TenantLife) Edit(c *fiber.Ctx, r models.RequestPage) error {
	q, err := form.Query[editParams](c)
	if err != nil {
		return err
	}
	x, err := h.sentBack(c, r)
	if err != nil {
		return err
	}
	if q.Draft != "" {
		if err := h.restore(c, q.Draft, &x); err != nil {
			return err
		}
	}
	return h.show(c, http.StatusOK, x)
}

// Change handles POST /requests/:id/edit: the changed answers are planned anew.
func (h *TenantLife) Change(c *fiber.Ctx, r models.RequestPage) error {
	x, err := h.sentBack(c, r)
	if err != nil {
		return err
	}
	if x.in, err = form.Decode[views.TenantLifeForm](c); err == nil {
		var kind models.RequestKind
		var in any
		if kind, in, err = lifeInputs(x.kind, x.in); err == nil && kind != x.kind {
			err = models.InvalidFields(map[string]string{"from": "This request stays what it is: ask anew for an account that comes from elsewhere."})
		}
		if err == nil {
			var req models.Request
			if req, err = h.Store.EditTenantLife(c.UserContext(), actor(c), r.Request.ID, in); err == nil {
				return h.sent(c, x.in.Draft, urls.Request(req.ID))
			}
		}
	}
	if x.in.Errors = models.Fields(err); x.in.Errors == nil {
		return err
	}
	return h.show(c, http.StatusUnprocessableEntity, x)
}
