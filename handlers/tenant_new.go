package handlers

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// NewTenant handles the tenant form: new, checked on blur, sent, saved for later, and changed after an approver asked.
type NewTenant struct {
	*Desk
	Store interface {
		RequestTenant(ctx context.Context, a models.Actor, key string, in models.TenantInputs, draft string) (models.Request, error)
		SlugTaken(ctx context.Context, a models.Actor, slug string) (bool, error)
		EditTenantRequest(ctx context.Context, a models.Actor, id string, in models.TenantInputs) (models.Request, error)
	}
	Forms interface {
		SaveForm(ctx context.Context, a models.Actor, f models.SavedForm) (string, error)
		LoadForm(ctx context.Context, a models.Actor, id string) (models.SavedForm, error)
		DeleteForm(ctx context.Context, a models.Actor, id string) error
	}
	Groups *regexp.Regexp // what a tenant's groups must look like
}

type newParams struct {
	Draft string `form:"draft"`

	Slug           string   `form:"slug"` // the rest fills the form by address; nothing is sent by it
	DisplayName    string   `form:"display_name"`
	Description    string   `form:"description"`
	OwnerGroup     string   `form:"owner_group"`
	DeveloperGroup string   `form:"developer_group"`
	ViewerGroup    string   `form:"viewer_group"`
	CostCentre     string   `form:"cost_centre"`
	Budget         string   `form:"budget"`
	Classes        []string `form:"classes"`
}

// New handles GET /tenants/new.
func (h *NewTenant) New(c *fiber.Ctx) error {
	in, err := form.Query[newParams](c)
	if err != nil {
		return err
	}
	if !actor(c).MayRequestTenant() {
		return models.Errorf(models.Forbidden, "Your groups do not let you ask for a tenant. A platform-admin can map one of them to requester.")
	}
	d := views.NewTenant{Form: views.TenantForm{Slug: in.Slug, DisplayName: in.DisplayName, Description: in.Description, OwnerGroup: in.OwnerGroup,
		DeveloperGroup: in.DeveloperGroup, ViewerGroup: in.ViewerGroup, CostCentre: in.CostCentre, Budget: in.Budget, Classes: in.Classes}}
	if len(d.Form.Classes) == 0 {
		d.Form.Classes = []string{string(models.NonProd), string(models.Prod)}
	}
	if in.Draft != "" {
		if err := h.restore(c, in.Draft, &d); err != nil {
			return err
		}
	}
	return h.show(c, http.StatusOK, d)
}

// restore puts a saved form back as it was typed.
func (h *NewTenant) restore(c *fiber.Ctx, id string, d *views.NewTenant) error {
	saved, err := h.Forms.LoadForm(c.UserContext(), actor(c), id)
	if err != nil {
		return err
	}
	typed, err := form.Fields[views.TenantForm](saved.Fields)
	if err != nil && models.KindOf(err) != models.Invalid {
		return err
	}
	d.Form = typed
	d.Form.Draft, d.Restored = saved.ID, ui.Ago(h.Clock.Wall(), saved.SavedAt)
	if saved.Expired {
		d.RestoredWhy = "Your session had ended"
	}
	return nil
}

func (h *NewTenant) show(c *fiber.Ctx, status int, d views.NewTenant) error {
	d.Form.CSRF = csrf(c)
	if d.Form.Key == "" {
		d.Form.Key = models.NewID()
	}
	if h.Groups != nil {
		d.GroupPattern = h.Groups.String()
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	if isFragment(c) {
		return render(c, status, views.NewTenantContent(d))
	}
	return render(c, status, views.NewTenantPage(p, d))
}

// Create handles POST /tenants/new.
func (h *NewTenant) Create(c *fiber.Ctx) error {
	in, err := form.Decode[views.TenantForm](c)
	if fields := models.Fields(err); fields != nil {
		in.Errors = fields
		return h.show(c, http.StatusUnprocessableEntity, views.NewTenant{Form: in})
	}
	if err != nil {
		return err
	}
	if in.Do == "draft" {
		return h.save(c, in)
	}
	inputs, errors := inputsOf(in)
	if errors == nil {
		var req models.Request
		if req, err = h.Store.RequestTenant(c.UserContext(), actor(c), in.Key, inputs, in.Draft); err == nil {
			return redirect(c, urls.Request(req.ID))
		}
		errors = byAccount(models.Fields(err), inputs)
	} else if more := byAccount(models.Fields(inputs.Validate(h.Groups)), inputs); more != nil {
		for k, v := range more {
			if errors[k] == "" {
				errors[k] = v
			}
		}
	}
	if errors != nil {
		in.Errors = errors
		return h.show(c, http.StatusUnprocessableEntity, views.NewTenant{Form: in})
	}
	return err
}

// save keeps what was typed as a draft; nothing is checked yet.
func (h *NewTenant) save(c *fiber.Ctx, in views.TenantForm) error {
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
	if _, err := h.Forms.SaveForm(c.UserContext(), actor(c), models.SavedForm{ID: in.Draft, Path: urls.NewTenant, Fields: fields}); err != nil {
		return err
	}
	return redirect(c, urls.Home)
}

// inputsOf reads the typed form; what cannot be read is named by field.
func inputsOf(in views.TenantForm) (models.TenantInputs, map[string]string) {
	out := models.TenantInputs{Slug: strings.TrimSpace(in.Slug), DisplayName: strings.TrimSpace(in.DisplayName), Description: strings.TrimSpace(in.Description),
		OwnerGroup: strings.TrimSpace(in.OwnerGroup), DeveloperGroup: strings.TrimSpace(in.DeveloperGroup), ViewerGroup: strings.TrimSpace(in.ViewerGroup),
		CostCentre: strings.TrimSpace(in.CostCentre)}
	for _, c := range in.Classes {
		class := models.Class(c)
		out.Classes = append(out.Classes, class)
		switch from, account := in.From(class); from {
		case views.FromNew:
		case views.FromMove, views.FromStay:
			out.Enrol = append(out.Enrol, models.AccountInputs{Class: class, AWSID: accountID(account), Move: from == views.FromMove})
		default:
			return out, map[string]string{c + "_from": "Choose where the account comes from."}
		}
	}
	budget, wrong := budgetOf(in.Budget)
	if wrong != "" {
		return out, map[string]string{"budget": wrong}
	}
	out.Budget = budget
	return out, nil
}

type checkParams struct {
	Field string `form:"field"`
}

// Check handles POST /tenants/new/check: one field, by the same validator as everything else.
func (h *NewTenant) Check(c *fiber.Ctx) error {
	which, err := form.Query[checkParams](c)
	if err != nil {
		return err
	}
	in, err := form.Decode[views.TenantForm](c)
	if err != nil {
		return err
	}
	inputs, errors := inputsOf(in)
	if errors == nil {
		errors = byAccount(models.Fields(inputs.Validate(h.Groups)), inputs)
	}
	in.Errors = map[string]string{}
	if msg := errors[which.Field]; msg != "" {
		in.Errors[which.Field] = msg
	} else if which.Field == "slug" {
		taken, err := h.Store.SlugTaken(c.UserContext(), actor(c), inputs.Slug)
		if err != nil {
			return err
		}
		if taken {
			in.Errors["slug"] = "This name is taken. Names are never used twice."
		}
	}
	return render(c, http.StatusOK, views.TenantField(in, which.Field))
}

// sent leads to the request; the draft it was sent from is done with.
func (h *NewTenant) sent(c *fiber.Ctx, draft string, req models.Request) error {
	if draft != "" {
		if err := h.Forms.DeleteForm(c.UserContext(), actor(c), draft); err != nil {
			return err
		}
	}
	return redirect(c, urls.Request(req.ID))
}
