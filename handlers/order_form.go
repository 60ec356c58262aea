package handlers

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
)

// ordering is one order while it is filled in.
type ordering struct {
	in      views.OrderForm
	answers map[string]string // to the blueprint's questions
	usage   map[string]string // by key

	paths   []blueprint.Listing
	tenants []models.Tenant
	choices models.OrderChoices
	version blueprint.Version // that is chosen; zero when none is
	fields  []blueprint.Field
	buckets bool // it makes some

	editing  *models.RequestPage
	restored models.SavedForm
}

// catalogue reads the golden paths: the blueprints of environments with a version that can be ordered.
func (h *Orders) catalogue(c *fiber.Ctx, o *ordering) error {
	all, err := h.Blueprints.ListBlueprints(c.UserContext(), actor(c))
	if err != nil {
		return err
	}
	for _, b := range all {
		if _, ok := b.Newest(); ok && b.Meta.Kind == blueprint.KindEnvironment {
			o.paths = append(o.paths, b)
		}
	}
	return nil
}

// why says why a path cannot be ordered here; empty when it can.
func (h *Orders) why(b blueprint.Listing) string {
	if v, _ := b.Newest(); slices.Contains(v.Meta.Needs, blueprint.NeedsZone) && h.BaseDomain == "" {
		return "It needs HTTPS, and so a name of its own. The platform team has not configured a base domain."
	}
	return ""
}

func (o *ordering) path(name string) (blueprint.Listed, bool) {
	for _, b := range o.paths {
		if b.Name == name {
			return b.Newest()
		}
	}
	return blueprint.Listed{}, false
}

// typed reads a sent form. Answers to another path's questions than the chosen one's are dropped.
func (h *Orders) typed(c *fiber.Ctx, editing *models.RequestPage) (ordering, error) {
	o := ordering{}
	values, err := form.Read(c)
	if err != nil {
		return o, err
	}
	if err := h.catalogue(c, &o); err != nil {
		return o, err
	}
	names := o.names(values.Get("blueprint"), values.Get("shown"))
	in, answers, err := form.DecodeWith[views.OrderForm](c, names)
	if err != nil {
		return o, err
	}
	o.in = in
	o.take(answers)
	if editing == nil && in.Request != "" {
		r, err := h.Sent.RequestPage(c.UserContext(), actor(c), in.Request)
		if err != nil {
			return o, err
		}
		editing = &r
	}
	if editing != nil {
		return o, sentBack(c, &o, *editing)
	}
	return o, nil
}

// open reads what the order can stand on, and chooses what was left open.
func (h *Orders) open(c *fiber.Ctx, o *ordering) error {
	ctx, a := c.UserContext(), actor(c)
	var err error
	if o.tenants, err = h.Store.OrderTenants(ctx, a); err != nil {
		return err
	}
	if o.editing != nil && o.editing.Tenant != nil {
		o.in.Tenant = o.editing.Tenant.Slug
	}
	if o.in.Tenant == "" && len(o.tenants) > 0 {
		o.in.Tenant = o.tenants[0].Slug
	}
	if o.in.Tenant == "" {
		if !mayAskAnywhere(a) {
			return models.Errorf(models.Forbidden, "Environments are ordered by owners and developers of a tenant. You are neither.")
		}
		return nil
	}
	if o.choices, err = h.Store.OrderChoices(ctx, a, o.in.Tenant); err != nil {
		return err
	}
	return h.choose(c, o)
}

// choose settles path, stage and region, and drops what these do not ask.
func (h *Orders) choose(c *fiber.Ctx, o *ordering) error {
	if o.in.Blueprint == "" {
		for _, b := range o.paths {
			if h.why(b) == "" {
				o.in.Blueprint = b.Name
				break
			}
		}
	}
	if chosen, ok := o.path(o.in.Blueprint); ok {
		var err error
		if o.version, err = h.Blueprints.BlueprintByDigest(c.UserContext(), chosen.Digest); err != nil {
			return err
		}
		if o.fields, err = o.version.Meta.Fields(); err != nil {
			return err
		}
		t, err := o.version.Parse()
		if err != nil {
			return err
		}
		o.buckets = slices.ContainsFunc(t.Resources, func(r blueprint.Resource) bool { return r.Type == "AWS::S3::Bucket" })
	}
	if stages := o.stages(); len(stages) > 0 && !slices.Contains(stages, models.Stage(o.in.Stage)) {
		o.in.Stage = string(stages[0])
	}
	if !slices.Contains(h.Regions, o.in.Region) && len(h.Regions) > 0 {
		o.in.Region = h.Regions[0]
	}
	asks := o.asks()
	if !asks.Days {
		o.in.Days = ""
	} else if o.in.Days == "" && o.in.Do == "" {
		o.in.Days = strconv.Itoa(models.DefaultLife)
	}
	o.in.EmptyBuckets = o.in.EmptyBuckets && asks.Buckets
	if !asks.Image {
		o.in.Service, o.in.Image = "", ""
	}
	return nil
}

// stages are those that the path is offered for.
func (o *ordering) stages() []models.Stage {
	var some []models.Stage
	for _, s := range models.Stages() {
		if o.version.Meta.Offers(string(s)) || o.version.Name == "" {
			some = append(some, s)
		}
	}
	return some
}

func (o *ordering) asks() views.OrderAsks {
	nonprod := o.in.Stage != string(models.Production)
	return views.OrderAsks{Image: slices.Contains(o.version.Meta.Needs, blueprint.NeedsService), Days: nonprod, Buckets: nonprod && o.buckets}
}

// inputs are what the request would ask for; what cannot be read is Invalid by field.
func (h *Orders) inputs(o ordering) (models.EnvironmentInputs, error) {
	in := models.EnvironmentInputs{Name: strings.TrimSpace(o.in.Name), Stage: models.Stage(o.in.Stage), Region: o.in.Region, Blueprint: o.in.Blueprint, Version: o.version.Version,
		Service: o.in.Service, Inputs: o.answers, Usage: map[string]string{}, EmptyBuckets: o.in.EmptyBuckets}
	in.Image = imageOf(strings.TrimSpace(o.in.Image), "")
	for key, amount := range o.usage {
		if amount = strings.TrimSpace(amount); amount != "" {
			in.Usage[key] = amount
		}
	}
	if days := strings.TrimSpace(o.in.Days); days != "" {
		n, err := strconv.Atoi(days)
		if err != nil {
			return in, models.InvalidFields(map[string]string{"days": "Give the days as a whole number."})
		}
		in.Days = n
	}
	return in, nil
}

// amounts holds what was typed for the estimate against who estimates; fields get their own names again.
func (h *Orders) amounts(o ordering, in models.EnvironmentInputs) error {
	if len(in.Usage) == 0 || o.version.Name == "" {
		return nil
	}
	_, err := h.Costs.Estimate(o.version, in)
	wrong := map[string]string{}
	for key, text := range models.Fields(err) {
		if _, amount := in.Usage[key]; amount {
			wrong[key] = text
		}
	}
	if len(wrong) > 0 {
		return models.InvalidFields(wrong)
	}
	return nil // what else is wrong with an order, the store says
}

func (h *Orders) show(c *fiber.Ctx, status int, o ordering) error {
	if err := h.open(c, &o); err != nil {
		return err
	}
	d, err := h.view(c, o)
	if err != nil {
		return err
	}
	if isFragment(c) {
		return render(c, status, views.OrderContent(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, status, views.OrderPage(p, d))
}
