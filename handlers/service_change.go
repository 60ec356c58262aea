package handlers

import (
	"context"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// ServiceChanges asks for services and for their end.
type ServiceChanges struct {
	*Desk
	Store interface {
		ServicePage(ctx context.Context, a models.Actor, tenant, name string) (models.ServicePage, error)
		RequestService(ctx context.Context, a models.Actor, tenant, key string, in models.ServiceInputs) (models.Request, error)
		ChangeService(ctx context.Context, a models.Actor, tenant, name string, kind models.RequestKind, key string, in models.ServiceInputs) (models.Request, error)
	}
	Tenants tenantReader
}

// tenantReader knows a tenant that a form is about.
type tenantReader interface {
	Tenant(ctx context.Context, a models.Actor, slug string) (models.Tenant, error)
}

// tenantToAsk reads the tenant that something is asked for. Who may read it and not ask is told so.
func tenantToAsk(c *fiber.Ctx, r tenantReader, what string) (models.Tenant, error) {
	t, err := r.Tenant(c.UserContext(), actor(c), c.Params("tenant"))
	if err != nil {
		return models.Tenant{}, err
	}
	if !actor(c).MayOrderFor(t.ID) {
		return models.Tenant{}, models.Errorf(models.Forbidden, "Owners and developers of %s ask for its %s.", t.Slug, what)
	}
	return t, nil
}

type newServiceForm struct {
	Name string `form:"name"`
	Back string `form:"back"` // the form that the service is asked for from

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`
}

type nameParams struct {
	Name string `form:"name"`
	Back string `form:"back"`
}

// New handles GET /tenants/:tenant/services/new.
func (h *ServiceChanges) New(c *fiber.Ctx) error {
	q, err := form.Query[nameParams](c)
	if err != nil {
		return err
	}
	t, err := tenantToAsk(c, h.Tenants, "services")
	if err != nil {
		return err
	}
	return h.show(c, http.StatusOK, views.ServiceChange{Kind: models.CreateService, Tenant: t.Slug, Name: q.Name, Back: backTo(q.Back)}, nil)
}

// Create handles POST /tenants/:tenant/services/new.
func (h *ServiceChanges) Create(c *fiber.Ctx) error {
	t, err := tenantToAsk(c, h.Tenants, "services")
	if err != nil {
		return err
	}
	in, err := form.Decode[newServiceForm](c)
	if err == nil {
		var req models.Request
		if req, err = h.Store.RequestService(c.UserContext(), actor(c), t.Slug, in.Key, models.ServiceInputs{Name: strings.TrimSpace(in.Name)}); err == nil {
			return redirect(c, comeBack(in.Back, req, "service", strings.TrimSpace(in.Name)))
		}
	}
	errors := models.Fields(err)
	if errors == nil {
		return err
	}
	return h.show(c, http.StatusUnprocessableEntity, views.ServiceChange{Kind: models.CreateService, Tenant: t.Slug, Name: in.Name, Back: backTo(in.Back), In: views.ChangeForm{Key: in.Key}}, errors)
}

func (h *ServiceChanges) show(c *fiber.Ctx, status int, x views.ServiceChange, errors map[string]string) error {
	x.In.CSRF, x.In.Errors = csrf(c), errors
	if x.In.Key == "" {
		x.In.Key = models.NewID()
	}
	f := x.Form()
	if isFragment(c) {
		return render(c, status, views.ObjectFormContent(f))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, status, views.ObjectFormPage(p, f))
}

// deleting reads the service that is to go, and what still runs it.
func (h *ServiceChanges) deleting(c *fiber.Ctx) (views.ServiceChange, error) {
	s, err := h.Store.ServicePage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("service"))
	if err != nil {
		return views.ServiceChange{}, err
	}
	switch {
	case !actor(c).MayOrderFor(s.Service.TenantID):
		return views.ServiceChange{}, models.Errorf(models.Forbidden, "Owners and developers of %s ask for the end of its services.", s.Service.TenantSlug)
	case s.Service.State == models.Deleted:
		return views.ServiceChange{}, models.Errorf(models.Conflict, "This service is deleted already.")
	}
	x := views.ServiceChange{Kind: models.DeleteService, Tenant: s.Service.TenantSlug, Name: s.Service.Name, Users: users(s.Environments)}
	return x, nil
}

func users(rows []models.EnvironmentRow) []ui.Pair {
	var all []ui.Pair
	for _, e := range rows {
		all = append(all, ui.Pair{Label: e.TenantSlug + " / " + e.Name, Value: urls.Environment(e.TenantSlug, e.Name)})
	}
	return all
}

// AskDelete handles GET /tenants/:tenant/services/:service/delete.
func (h *ServiceChanges) AskDelete(c *fiber.Ctx) error {
	x, err := h.deleting(c)
	if err != nil {
		return err
	}
	return h.show(c, http.StatusOK, x, nil)
}

// Delete handles POST /tenants/:tenant/services/:service/delete.
func (h *ServiceChanges) Delete(c *fiber.Ctx) error {
	x, err := h.deleting(c)
	if err != nil {
		return err
	}
	in, err := form.Decode[views.ChangeForm](c)
	x.In = in
	if err == nil {
		err = typedName(in.Confirm, x.Name)
	}
	if err == nil {
		var req models.Request
		inputs := models.ServiceInputs{Empty: in.Empty, Confirm: strings.TrimSpace(in.Confirm)}
		if req, err = h.Store.ChangeService(c.UserContext(), actor(c), x.Tenant, x.Name, models.DeleteService, in.Key, inputs); err == nil {
			return redirect(c, urls.Request(req.ID))
		}
	}
	if errors := models.Fields(err); errors != nil {
		return h.show(c, http.StatusUnprocessableEntity, x, errors)
	}
	return err
}

// typedName refuses a deletion whose name was not typed.
func typedName(typed, name string) error {
	if strings.TrimSpace(typed) != name {
		return models.InvalidFields(map[string]string{"confirm": "This is not its name. Type " + name + " to delete it."})
	}
	return nil
}
