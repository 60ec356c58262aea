package handlers

import (
	"context"
	"net/http"
	"regexp"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// TenantLife changes a tenant that exists. What only people read of it changes at once; groups and budget, further accounts and its
// end are asked for.
type TenantLife struct {
	*Desk
	Store interface {
		EditTenant(ctx context.Context, a models.Actor, slug string, facts models.TenantFacts) error
		RequestTenantLife(ctx context.Context, a models.Actor, slug string, kind models.RequestKind, key string, in any) (models.Request, error)
		EditTenantLife(ctx context.Context, a models.Actor, id string, in any) (models.Request, error)
	}
	Tenants  tenantReader
	Holds    holdsReader
	Delivery deliveryReader
	Forms    draftReader
	Groups   *regexp.Regexp // what a tenant's groups must look like
	Access   bool           // IAM Identity Center is configured
}

// draftReader has saved forms.
type draftReader interface {
	LoadForm(ctx context.Context, a models.Actor, id string) (models.SavedForm, error)
	DeleteForm(ctx context.Context, a models.Actor, id string) error
}

type lifeParams struct {
	Class   string `form:"class"`
	Account string `form:"account"`
	Draft   string `form:"draft"`
}

// living is one form about a tenant while it is filled in.
type living struct {
	kind     models.RequestKind // empty: what changes at once
	tenant   models.Tenant
	in       views.TenantLifeForm
	restored models.SavedForm
	editing  *models.RequestPage // the request whose answers are changed
}

// open reads the tenant that a form is about. Who may read it and not change it is told so.
func (h *TenantLife) open(c *fiber.Ctx, kind models.RequestKind) (living, error) {
	x := living{kind: kind}
	var err error
	if x.tenant, err = h.Tenants.Tenant(c.UserContext(), actor(c), c.Params("tenant")); err != nil {
		return x, err
	}
	t := x.tenant
	if !actor(c).MayRunTenant(t.ID) {
		return x, models.Errorf(models.Forbidden, "Owners of %s and platform admins change the tenant itself.", t.Slug)
	}
	if kind == models.MoveAccount {
		x.in.Class = c.Params("class")
		if _, ok := accountOf(t, models.Class(x.in.Class)); !ok {
			return x, models.Errorf(models.NotFound, "%s has no account of this class.", t.Slug)
		}
	}
	return x, nil
}

// Form handles the GET of a form: /tenants/:tenant/edit, /change, /accounts/new, /accounts/:class/move and /close.
func (h *TenantLife) Form(kind models.RequestKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		q, err := form.Query[lifeParams](c)
		if err != nil {
			return err
		}
		x, err := h.open(c, kind)
		if err != nil {
			return err
		}
		class := x.in.Class
		x.in = typedOf(x.tenant)
		x.in.Class, x.in.Account = class, q.Account
		if kind == models.AddAccount {
			x.in.Class = q.Class
		}
		if q.Account != "" {
			x.in.From = views.FromMove
		}
		if q.Draft != "" {
			if err := h.restore(c, q.Draft, &x); err != nil {
				return err
			}
		}
		return h.show(c, http.StatusOK, x)
	}
}

// restore puts a saved form back as it was typed.
func (h *TenantLife) restore(c *fiber.Ctx, id string, x *living) error {
	saved, err := h.Forms.LoadForm(c.UserContext(), actor(c), id)
	if err != nil {
		return err
	}
	typed, err := form.Fields[views.TenantLifeForm](saved.Fields)
	if err != nil && models.KindOf(err) != models.Invalid {
		return err
	}
	if x.kind == models.MoveAccount {
		typed.Class = x.in.Class
	}
	x.in, x.restored = typed, saved
	x.in.Draft = saved.ID
	return nil
}

// Submit handles the POST of a form.
func (h *TenantLife) Submit(kind models.RequestKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		x, err := h.open(c, kind)
		if err != nil {
			return err
		}
		class := x.in.Class
		if x.in, err = form.Decode[views.TenantLifeForm](c); err == nil {
			if kind == models.MoveAccount {
				x.in.Class = class
			}
			var to string
			if to, err = h.send(c, x); err == nil {
				return h.sent(c, x.in.Draft, to)
			}
		}
		if x.in.Errors = models.Fields(err); x.in.Errors == nil {
			return err
		}
		return h.show(c, http.StatusUnprocessableEntity, x)
	}
}

// send asks for what was typed and says where that leads.
func (h *TenantLife) send(c *fiber.Ctx, x living) (to string, err error) {
	slug := x.tenant.Slug
	if x.kind == "" {
		return urls.Tenant(slug), h.Store.EditTenant(c.UserContext(), actor(c), slug, factsOf(x.in))
	}
	kind, in, err := lifeInputs(x.kind, x.in)
	if err != nil {
		return "", err
	}
	req, err := h.Store.RequestTenantLife(c.UserContext(), actor(c), slug, kind, x.in.Key, in)
	return urls.Request(req.ID), err
}

// sent leads on; the draft it was sent from is done with.
func (h *TenantLife) sent(c *fiber.Ctx, draft, to string) error {
	if draft != "" {
		if err := h.Forms.DeleteForm(c.UserContext(), actor(c), draft); err != nil {
			return err
		}
	}
	return redirect(c, to)
}

func (h *TenantLife) show(c *fiber.Ctx, status int, x living) error {
	x.in.CSRF = csrf(c)
	if x.in.Key == "" {
		x.in.Key = models.NewID()
	}
	d, err := h.view(c, x)
	if err != nil {
		return err
	}
	if !x.restored.SavedAt.IsZero() {
		d.Restored, d.Expired = ui.Ago(h.Clock.Wall(), x.restored.SavedAt), x.restored.Expired
	}
	f := d.Form()
	if isFragment(c) {
		return render(c, status, views.ObjectFormContent(f))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, status, views.ObjectFormPage(p, f))
}
