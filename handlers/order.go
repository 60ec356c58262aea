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

// Orders handles the form that orders an environment: new, followed while it is filled in, sent, kept for later, and changed after an
// approver asked.
type Orders struct {
	*Desk
	Store interface {
		OrderTenants(context.Context, models.Actor) ([]models.Tenant, error)
		OrderChoices(ctx context.Context, a models.Actor, tenant string) (models.OrderChoices, error)
		RequestEnvironment(ctx context.Context, a models.Actor, tenant, key string, in models.EnvironmentInputs, draft string) (models.Request, error)
	}
	Names interface {
		NameTaken(ctx context.Context, a models.Actor, tenant string, object models.ObjectType, name string) (bool, error)
	}
	Sent interface {
		RequestPage(ctx context.Context, a models.Actor, id string) (models.RequestPage, error)
		EditEnvironmentRequest(ctx context.Context, a models.Actor, id string, in models.EnvironmentInputs) (models.Request, error)
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
	Rules Judge
	Facts interface {
		RulesFor(ctx context.Context, a models.Actor, tenant string, kind models.RequestKind, object string, inputs []byte, content models.PlanContent) (models.RuleFacts, error)
		UsualTime(ctx context.Context, a models.Actor, kind models.RequestKind) (models.PlanNotes, error)
	}
	Regions    []string
	BaseDomain string // empty: nothing gets a name of its own
}

// Estimator says what a stack would cost before it exists.
type Estimator interface {
	// Estimate is for an order of a version as far as it is filled in; answers that cannot be are Invalid by field.
	Estimate(v blueprint.Version, in models.EnvironmentInputs) (models.Estimate, error)
	// EstimateVersion is for the home region, with an image. Stage and size may be empty.
	EstimateVersion(v blueprint.Version, stage models.Stage, size string) (models.Estimate, error)
	// From is what a version costs at least, by its digest; not ok when that is not known.
	From(digest string) (models.Estimate, bool)
}

// Judge asks the rules in force.
type Judge interface {
	Evaluate(models.RuleFacts) models.Verdict
}

type orderParams struct {
	Draft     string `form:"draft"`
	Tenant    string `form:"tenant"` // the rest fills the form by address; nothing is sent by it
	Blueprint string `form:"blueprint"`
	Stage     string `form:"stage"`
	Region    string `form:"region"`
	Name      string `form:"name"`
	Service   string `form:"service"`
	Image     string `form:"image"`
	Days      string `form:"days"`
}

// New handles GET /environments/new.
func (h *Orders) New(c *fiber.Ctx) error {
	q, err := form.Query[orderParams](c)
	if err != nil {
		return err
	}
	o := ordering{in: views.OrderForm{Tenant: q.Tenant, Blueprint: q.Blueprint, Stage: q.Stage, Region: q.Region, Name: q.Name, Service: q.Service, Image: q.Image, Days: q.Days}}
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
	}
	return h.show(c, http.StatusOK, o)
}

// Show handles POST /environments/new/show: the form as it is for what was chosen.
func (h *Orders) Show(c *fiber.Ctx) error {
	o, err := h.typed(c, nil)
	if err != nil {
		return err
	}
	o.in.Errors = nil
	return h.show(c, http.StatusOK, o)
}

// Panel handles POST /environments/new/panel: what the order would cost and who would approve it.
func (h *Orders) Panel(c *fiber.Ctx) error {
	o, err := h.typed(c, nil)
	if err != nil {
		return err
	}
	if !isFragment(c) {
		o.in.Errors = nil
		return h.show(c, http.StatusOK, o)
	}
	if err := h.open(c, &o); err != nil {
		return err
	}
	p, _, err := h.panel(c, o)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.OrderPanelOf(p))
}

// Check handles POST /environments/new/check: one field, by the same validator as everything else.
func (h *Orders) Check(c *fiber.Ctx) error {
	which, err := form.Query[checkParams](c)
	if err != nil {
		return err
	}
	o, err := h.typed(c, nil)
	if err != nil {
		return err
	}
	o.in.Errors = map[string]string{}
	if err := h.open(c, &o); err != nil {
		return err
	}
	if which.Field != "name" {
		return models.Errorf(models.Invalid, "This form checks no such field while it is filled in.")
	}
	host, err := h.name(c, &o)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.OrderField(o.in, host))
}

// name checks the name and says which address follows from a free one.
func (h *Orders) name(c *fiber.Ctx, o *ordering) (host string, err error) {
	name := strings.TrimSpace(o.in.Name)
	if msg := models.ValidObjectName(name, "orders-dev"); msg != "" {
		o.in.Errors["name"] = msg
		return "", nil
	}
	taken, err := h.Names.NameTaken(c.UserContext(), actor(c), o.choices.Tenant.Slug, models.EnvironmentObject, name)
	if err != nil {
		return "", err
	}
	if taken {
		o.in.Errors["name"] = "This name is taken in " + o.choices.Tenant.Slug + "."
		return "", nil
	}
	return h.host(*o, name), nil
}

// Create handles POST /environments/new.
func (h *Orders) Create(c *fiber.Ctx) error {
	o, err := h.typed(c, nil)
	if err != nil {
		return err
	}
	switch o.in.Do {
	case "draft", "service", "network":
		return h.keep(c, o)
	}
	if len(o.in.Errors) == 0 {
		var req models.Request
		if req, err = h.send(c, &o); err == nil {
			return redirect(c, urls.Request(req.ID))
		}
		if o.in.Errors = models.Fields(err); o.in.Errors == nil {
			return err
		}
	}
	return h.show(c, http.StatusUnprocessableEntity, o)
}

// send submits what was typed. What the store does not judge, the amounts of the estimate, is judged by who estimates.
func (h *Orders) send(c *fiber.Ctx, o *ordering) (models.Request, error) {
	if err := h.open(c, o); err != nil {
		return models.Request{}, err
	}
	in, err := h.inputs(*o)
	if err != nil {
		return models.Request{}, err
	}
	if err := h.amounts(*o, in); err != nil {
		return models.Request{}, err
	}
	if o.in.Request != "" {
		return h.Sent.EditEnvironmentRequest(c.UserContext(), actor(c), o.in.Request, in)
	}
	return h.Store.RequestEnvironment(c.UserContext(), actor(c), o.choices.Tenant.Slug, o.in.Key, in, o.in.Draft)
}

// keep saves what was typed as a draft, and goes where the order's ground is asked for; that leads back to the draft.
func (h *Orders) keep(c *fiber.Ctx, o ordering) error {
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
	id, err := h.Forms.SaveForm(c.UserContext(), actor(c), models.SavedForm{ID: o.in.Draft, Path: urls.NewEnvironment, Fields: fields})
	if err != nil {
		return err
	}
	switch o.in.Do {
	case "service":
		return redirect(c, urls.With(urls.NewService(o.in.Tenant), "back", urls.OrderDraft(id)))
	case "network":
		return redirect(c, urls.With(urls.NewNetwork(o.in.Tenant), "class", string(models.Stage(o.in.Stage).Class()), "region", o.in.Region, "back", urls.OrderDraft(id)))
	}
	return redirect(c, urls.Home)
}
