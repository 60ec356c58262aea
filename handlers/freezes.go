package handlers

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Freezes shows, begins and lifts what stops new runs.
type Freezes struct {
	*Desk
	Store interface {
		Freezes(context.Context, models.Actor) ([]models.Freeze, error)
		AddFreeze(ctx context.Context, a models.Actor, key, tenant, reason string, until time.Time) (models.Freeze, error)
		LiftFreeze(ctx context.Context, a models.Actor, id string) error
	}
}

// freezeUntil is how a browser writes a moment without a zone; the page says that it is UTC.
const freezeUntil = "2006-01-02T15:04"

// List handles GET /admin/freezes.
func (h *Freezes) List(c *fiber.Ctx) error {
	return h.show(c, http.StatusOK, views.FreezeForm{Until: h.Clock.Now().Add(24 * time.Hour).UTC().Format(freezeUntil)})
}

func (h *Freezes) show(c *fiber.Ctx, status int, in views.FreezeForm) error {
	all, err := h.Store.Freezes(c.UserContext(), actor(c))
	if err != nil {
		return err
	}
	in.CSRF, in.Key = csrf(c), models.NewID()
	d := views.Freezes{Form: in, MayAdd: actor(c).Has(models.PlatformAdmin), CSRF: in.CSRF}
	now := h.Clock.Now()
	for _, f := range all {
		row := freezeRow(now, f)
		if f.Active(now) {
			d.Now = append(d.Now, row)
		} else {
			d.Past = append(d.Past, row)
		}
	}
	if isFragment(c) {
		return render(c, status, views.FreezesContent(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, status, views.FreezesPage(p, d))
}

func freezeRow(now time.Time, f models.Freeze) views.FreezeRow {
	row := views.FreezeRow{ID: f.ID, Whose: "All tenants", Reason: f.Reason, By: f.By, From: ui.Ago(now, f.From), Until: ui.At(f.Until), Key: models.NewID()}
	if f.TenantID != "" {
		row.Whose, row.URL = f.TenantSlug, urls.Tenant(f.TenantSlug)
	}
	switch {
	case !f.LiftedAt.IsZero():
		row.Ended, row.Until = "lifted by "+f.LiftedBy, ui.Ago(now, f.LiftedAt)
	case !f.Active(now):
		row.Ended = "ended"
	}
	return row
}

// Add handles POST /admin/freezes/add.
func (h *Freezes) Add(c *fiber.Ctx) error {
	in, err := form.Decode[views.FreezeForm](c)
	if err == nil {
		err = h.add(c, in)
	}
	if in.Errors = models.Fields(err); in.Errors != nil {
		return h.show(c, http.StatusUnprocessableEntity, in)
	}
	if err != nil {
		return err
	}
	return redirect(c, urls.Freezes)
}

func (h *Freezes) add(c *fiber.Ctx, in views.FreezeForm) error {
	if err := mayAdmin(c); err != nil {
		return err
	}
	until, err := time.Parse(freezeUntil, strings.TrimSpace(in.Until))
	if err != nil {
		until = time.Time{} // no moment at all: refused by name
	}
	_, err = h.Store.AddFreeze(c.UserContext(), actor(c), in.Key, strings.TrimSpace(in.Tenant), in.Reason, until)
	return err
}

// Lift handles POST /admin/freezes/:id/lift.
func (h *Freezes) Lift(c *fiber.Ctx) error {
	if err := mayAdmin(c); err != nil {
		return err
	}
	if _, err := form.Decode[bareForm](c); err != nil {
		return err
	}
	if err := h.Store.LiftFreeze(c.UserContext(), actor(c), c.Params("id")); err != nil {
		return err
	}
	return redirect(c, urls.Freezes)
}
