package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/ui"
)

// NetworkChanges asks for networks, brings in VPCs that exist, and asks for changes and for the end of both.
type NetworkChanges struct {
	*Desk
	Store interface {
		NetworkPage(ctx context.Context, a models.Actor, tenant, name string) (models.NetworkPage, error)
		RequestNetwork(ctx context.Context, a models.Actor, tenant, key string, kind models.RequestKind, in models.NetworkInputs) (models.Request, error)
		ChangeNetwork(ctx context.Context, a models.Actor, tenant, name string, kind models.RequestKind, key string, in models.NetworkInputs) (models.Request, error)
	}
	Tenants    tenantReader
	Blueprints interface {
		OfferedBlueprint(ctx context.Context, a models.Actor, name string) (blueprint.Version, error)
		BlueprintByDigest(ctx context.Context, digest string) (blueprint.Version, error)
	}
	Pools interface {
		Pools(context.Context, models.Actor) ([]models.CIDRPool, error)
	}
	Regions []string
}

type networkParams struct {
	Class  string `form:"class"`
	Region string `form:"region"`
	Back   string `form:"back"`
}

// networking is one request about a network that is being asked for.
type networking struct {
	kind   models.RequestKind
	tenant models.Tenant
	page   models.NetworkPage // of an existing one
	fields []blueprint.Field
	pools  []models.CIDRPool
	none   bool // no version of the network blueprint is offered
}

// Form handles the GET of a form: /tenants/:tenant/networks/new, /register, /:network/update and /:network/delete.
func (h *NetworkChanges) Form(kind models.RequestKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		q, err := form.Query[networkParams](c)
		if err != nil {
			return err
		}
		x, err := h.open(c, kind)
		if err != nil {
			return err
		}
		return h.show(c, http.StatusOK, x, views.NetworkForm{Class: q.Class, Region: q.Region, Back: backTo(q.Back)}, x.page.Network.Stack.Inputs, nil)
	}
}

func (h *NetworkChanges) open(c *fiber.Ctx, kind models.RequestKind) (networking, error) {
	x := networking{kind: kind}
	if kind == models.UpdateNetwork || kind == models.DeleteNetwork {
		return x, h.openExisting(c, &x)
	}
	var err error
	if x.tenant, err = tenantToAsk(c, h.Tenants, "networks"); err != nil {
		return x, err
	}
	if kind == models.RegisterNetwork {
		return x, nil
	}
	v, err := h.Blueprints.OfferedBlueprint(c.UserContext(), actor(c), models.NetworkBlueprint)
	if k := models.KindOf(err); k == models.NotFound || k == models.Conflict {
		x.none = true
		return x, nil
	}
	if err != nil {
		return x, err
	}
	if x.fields, err = v.Meta.Fields(); err != nil {
		return x, err
	}
	if actor(c).Has(models.PlatformAdmin) { // others get a block of the region's own pool
		x.pools, err = h.Pools.Pools(c.UserContext(), actor(c))
	}
	return x, err
}

// openExisting reads the network that is to change or go, and what its version asks.
func (h *NetworkChanges) openExisting(c *fiber.Ctx, x *networking) (err error) {
	if x.page, err = h.Store.NetworkPage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("network")); err != nil {
		return err
	}
	n := x.page.Network
	x.tenant.Slug = n.TenantSlug
	if !actor(c).MayOrderFor(n.TenantID) {
		return models.Errorf(models.Forbidden, "Owners and developers of %s ask for its networks.", n.TenantSlug)
	}
	if x.kind != models.UpdateNetwork || n.Stack.Digest == "" {
		return nil
	}
	v, err := h.Blueprints.BlueprintByDigest(c.UserContext(), n.Stack.Digest)
	if err == nil {
		x.fields, err = v.Meta.Fields()
	}
	return err
}

func (h *NetworkChanges) show(c *fiber.Ctx, status int, x networking, in views.NetworkForm, answers, errors map[string]string) error {
	in.CSRF, in.Errors, in.Back = csrf(c), errors, backTo(in.Back)
	if in.Key == "" {
		in.Key = models.NewID()
	}
	f := h.change(x, in, answers).Form()
	if isFragment(c) {
		return render(c, status, views.ObjectFormContent(f))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, status, views.ObjectFormPage(p, f))
}

func (h *NetworkChanges) change(x networking, in views.NetworkForm, answers map[string]string) views.NetworkChange {
	n := x.page.Network
	d := views.NetworkChange{Kind: x.kind, Tenant: x.tenant.Slug, Name: n.Name, Registered: n.Registered, Version: n.Stack.Blueprint + " " + n.Stack.Version, In: in,
		Questions: blueprintFields(x.fields, answers, in.Errors, nil)}
	for i, a := range x.tenant.Accounts {
		words := "For the stages dev and staging."
		if a.Class == models.Prod {
			words = "For the stage prod."
		}
		d.Classes = append(d.Classes, ui.Choice{Value: string(a.Class), Label: string(a.Class), Text: words, Aside: ui.AccountNumber(a.AWSID), Checked: in.Class == string(a.Class) || in.Class == "" && i == 0})
	}
	for _, r := range h.Regions {
		d.Regions = append(d.Regions, ui.Option{Value: r, Label: r})
	}
	if len(x.pools) > 0 {
		d.Pools = []ui.Option{{Label: "The region's own"}}
	}
	for _, p := range x.pools {
		d.Pools = append(d.Pools, ui.Option{Value: p.ID, Label: p.Region + ", " + p.Block + ", " + ui.Count(p.Capacity-p.Used) + " free"})
	}
	switch {
	case x.kind == models.DeleteNetwork:
		d.Users, d.Blocked = users(x.page.Environments), busyWhy(n.State)
	case x.kind == models.UpdateNetwork:
		d.Blocked = busyWhy(n.State)
		if n.Registered {
			d.Blocked = "Slipway did not make this VPC and changes nothing in it."
		}
	case x.none:
		d.Blocked = "No version of the network blueprint is offered. The platform team sees why on its page."
	case len(x.tenant.Accounts) == 0: // of a new one: the others have ended above
		d.Blocked = "The tenant has no AWS account yet. Its networks can be ordered once it has one."
	}
	return d
}

// Submit handles the POST of a form.
func (h *NetworkChanges) Submit(kind models.RequestKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		x, err := h.open(c, kind)
		if err != nil {
			return err
		}
		in, answers, err := form.DecodeWith[views.NetworkForm](c, fieldNames(x.fields))
		if err == nil && kind == models.DeleteNetwork {
			err = typedName(in.Confirm, x.page.Network.Name)
		}
		if err == nil {
			var req models.Request
			if req, err = h.send(c, x, in, answers); err == nil {
				return redirect(c, comeBack(in.Back, req, "", ""))
			}
		}
		if errors := models.Fields(err); errors != nil {
			return h.show(c, http.StatusUnprocessableEntity, x, in, answers, errors)
		}
		return err
	}
}

func (h *NetworkChanges) send(c *fiber.Ctx, x networking, in views.NetworkForm, answers map[string]string) (models.Request, error) {
	ctx, a := c.UserContext(), actor(c)
	switch x.kind {
	case models.CreateNetwork:
		return h.Store.RequestNetwork(ctx, a, x.tenant.Slug, in.Key, x.kind, models.NetworkInputs{Class: models.Class(in.Class), Region: in.Region, Pool: in.Pool, Inputs: answers})
	case models.RegisterNetwork:
		return h.Store.RequestNetwork(ctx, a, x.tenant.Slug, in.Key, x.kind, models.NetworkInputs{Class: models.Class(in.Class), Region: in.Region, VPC: strings.TrimSpace(in.VPC),
			Public: ids(in.Public), Private: ids(in.Private)})
	case models.UpdateNetwork:
		return h.Store.ChangeNetwork(ctx, a, x.tenant.Slug, x.page.Network.Name, x.kind, in.Key, models.NetworkInputs{Inputs: answers})
	}
	return h.Store.ChangeNetwork(ctx, a, x.tenant.Slug, x.page.Network.Name, x.kind, in.Key, models.NetworkInputs{Confirm: strings.TrimSpace(in.Confirm)})
}

// ids reads what was typed line by line, or with commas or spaces between.
func ids(typed string) []string {
	all := strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' || r == '\t' || r == '\r' })
	return slices.Clip(all)
}
