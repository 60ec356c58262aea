package handlers

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Pools shows and edits the address pools that networks get their blocks from.
type Pools struct {
	*Desk
	Store interface {
		Pools(context.Context, models.Actor) ([]models.CIDRPool, error)
		PoolUses(context.Context, models.Actor) (map[string][]models.CIDRUse, error)
	}
	Edit interface {
		AddPool(context.Context, models.Actor, models.CIDRPool) error
		RemovePool(ctx context.Context, a models.Actor, id string) error
	}
	Regions []string
}

// List handles GET /admin/pools.
func (h *Pools) List(c *fiber.Ctx) error { return h.show(c, http.StatusOK, views.PoolForm{}, "") }

func (h *Pools) show(c *fiber.Ctx, status int, in views.PoolForm, refused string) error {
	if err := mayAdmin(c); err != nil {
		return err
	}
	pools, err := h.Store.Pools(c.UserContext(), actor(c))
	if err != nil {
		return err
	}
	uses, err := h.Store.PoolUses(c.UserContext(), actor(c))
	if err != nil {
		return err
	}
	in.CSRF, in.Key = csrf(c), models.NewID()
	d := views.Pools{Form: in, MayAdd: actor(c).Has(models.PlatformAdmin), Refused: refused}
	for _, r := range h.Regions {
		d.Region = append(d.Region, ui.Option{Value: r, Label: r})
	}
	now := h.Clock.Now()
	for _, p := range pools {
		row := views.PoolRow{ID: p.ID, Region: p.Region, Block: p.Block, Size: p.Size, Note: p.Note, Used: p.Used, Capacity: p.Capacity, By: p.CreatedBy, At: ui.Ago(now, p.CreatedAt)}
		for _, u := range uses[p.ID] {
			row.Uses = append(row.Uses, views.PoolUse{Block: u.Block, Tenant: u.TenantSlug, Network: u.Network, Since: ui.Ago(now, u.Since)})
		}
		d.Rows = append(d.Rows, row)
	}
	if isFragment(c) {
		return render(c, status, views.PoolsContent(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, status, views.PoolsPage(p, d))
}

// Add handles POST /admin/pools/add.
func (h *Pools) Add(c *fiber.Ctx) error {
	in, err := form.Decode[views.PoolForm](c)
	if err == nil {
		err = h.add(c, in)
	}
	if in.Errors = models.Fields(err); in.Errors != nil {
		return h.show(c, http.StatusUnprocessableEntity, in, "")
	}
	if err != nil {
		return err
	}
	return redirect(c, urls.Pools)
}

func (h *Pools) add(c *fiber.Ctx, in views.PoolForm) error {
	if err := mayAdmin(c); err != nil {
		return err
	}
	size, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(in.Size), "/"))
	if err != nil {
		size = 0 // no size of a network: refused by name
	}
	return h.Edit.AddPool(c.UserContext(), actor(c), models.CIDRPool{Region: in.Region, Block: strings.TrimSpace(in.Block), Size: size, Note: strings.TrimSpace(in.Note)})
}

// Remove handles POST /admin/pools/remove. A pool in use stays, and the page says why.
func (h *Pools) Remove(c *fiber.Ctx) error {
	in, err := form.Decode[removeForm](c)
	if err != nil {
		return err
	}
	err = h.Edit.RemovePool(c.UserContext(), actor(c), in.ID)
	if models.KindOf(err) == models.Conflict {
		return h.show(c, http.StatusConflict, views.PoolForm{}, models.Message(err))
	}
	if err != nil {
		return err
	}
	return redirect(c, urls.Pools)
}
