package handlers

import (
	"context"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/urls"
)

// Blueprints shows the catalogue and each blueprint in it.
type Blueprints struct {
	*Desk
	Store interface {
		ListBlueprints(context.Context, models.Actor) ([]blueprint.Listing, error)
		Blueprint(ctx context.Context, a models.Actor, name string) (blueprint.Listing, error)
		BlueprintUses(ctx context.Context, a models.Actor, name string) ([]models.BlueprintUse, error)
	}
	Versions interface {
		BlueprintByDigest(ctx context.Context, digest string) (blueprint.Version, error)
	}
	Costs      Estimator
	Region     string // that costs are shown for
	BaseDomain string // empty: nothing gets a name of its own
}

// List handles GET /blueprints.
func (h *Blueprints) List(c *fiber.Ctx) error {
	a := actor(c)
	all, err := h.Store.ListBlueprints(c.UserContext(), a)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := views.Blueprints{MayOrder: mayAskAnywhere(a)}
	for _, k := range kindGroups {
		g := views.BlueprintGroup{ID: "kind-" + k.id, Title: k.title, Text: k.text}
		for _, b := range all {
			if b = visible(a, b); len(b.Versions) > 0 && b.Meta.Kind == k.kind {
				g.Cards = append(g.Cards, h.card(b))
			}
		}
		if len(g.Cards) > 0 {
			d.Groups = append(d.Groups, g)
		}
	}
	return render(c, http.StatusOK, views.BlueprintsPage(p, d))
}

// kindGroups are the parts of the catalogue. What could never be read has no kind.
var kindGroups = []struct {
	kind            blueprint.Kind
	id, title, text string
}{
	{blueprint.KindEnvironment, "environment", "Environments", "What teams order for their workloads."},
	{blueprint.KindNetwork, "network", "Networks", "Where environments of an account and region live. Ordered once, from the tenant's page."},
	{blueprint.KindSupport, "support", "What carries them", "Made with a service or an account; nobody orders these by themselves."},
	{blueprint.KindBaseline, "baseline", "Accounts", "What every new account gets first."},
	{"", "refused", "Could not be read", "Folders that were refused. They replace nothing."},
}

// visible leaves what only the platform team and auditors see out of a listing: what is hidden or refused, and why a folder was.
func visible(a models.Actor, b blueprint.Listing) blueprint.Listing {
	if a.SeesAll() {
		return b
	}
	some := slices.Clone(b.Versions)[:0:0]
	for _, v := range b.Versions {
		if v.State != blueprint.Hidden && v.State != blueprint.Refused {
			v.Problems = nil
			some = append(some, v)
		}
	}
	b.Versions = some
	return b
}

type costParams struct {
	Stage string `form:"stage"`
	Size  string `form:"size"`
}

// Show handles GET /blueprints/:name.
func (h *Blueprints) Show(c *fiber.Ctx) error {
	q, err := form.Query[costParams](c)
	if err != nil {
		return err
	}
	a := actor(c)
	b, err := h.Store.Blueprint(c.UserContext(), a, c.Params("name"))
	if err != nil {
		return err
	}
	if b = visible(a, b); len(b.Versions) == 0 {
		return models.Errorf(models.NotFound, "There is no blueprint of that name.")
	}
	uses, err := h.Store.BlueprintUses(c.UserContext(), a, b.Name)
	if err != nil {
		return err
	}
	d, err := h.view(c.UserContext(), b, q, uses)
	if err != nil {
		return err
	}
	if d.Kind == blueprint.KindEnvironment && d.Why == "" && mayAskAnywhere(a) {
		if _, ok := b.Newest(); ok {
			d.OrderURL = urls.With(urls.NewEnvironment, "blueprint", b.Name)
		}
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.BlueprintPage(p, d))
}
