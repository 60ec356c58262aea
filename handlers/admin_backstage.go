package handlers

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/backstage"
	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// AdminBackstage makes and revokes the tokens that Backstage reads with, and says how it is set up.
type AdminBackstage struct {
	*Desk
	Store interface {
		CatalogTokens(context.Context, models.Actor) ([]models.CatalogToken, error)
		AddCatalogToken(ctx context.Context, a models.Actor, name string, hash []byte) error
		RevokeCatalogToken(ctx context.Context, a models.Actor, id string) error
	}
	PublicURL string
	Origins   []string // that may show frames
}

// Show handles GET /admin/backstage.
func (h *AdminBackstage) Show(c *fiber.Ctx) error {
	return h.show(c, http.StatusOK, views.AdminBackstage{})
}

// show answers with the page; d holds a form that was refused, or the token that is shown once.
func (h *AdminBackstage) show(c *fiber.Ctx, status int, d views.AdminBackstage) error {
	if err := mayAdmin(c); err != nil {
		return err
	}
	a, now := actor(c), h.Clock.Now()
	tokens, err := h.Store.CatalogTokens(c.UserContext(), a)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d.CSRF, d.MayEdit, d.PublicURL, d.Origins = csrf(c), a.Has(models.PlatformAdmin), h.PublicURL, h.Origins
	d.Form.CSRF, d.Form.Key = d.CSRF, models.NewID()
	for _, t := range tokens {
		row := views.CatalogTokenRow{ID: t.ID, Name: t.Name, By: t.CreatedBy, At: ui.Ago(now, t.CreatedAt), RevokedBy: t.RevokedBy}
		if !t.UsedAt.IsZero() {
			row.Used = ui.Ago(now, t.UsedAt)
		}
		if !t.RevokedAt.IsZero() {
			row.Revoked = ui.Ago(now, t.RevokedAt)
			d.Past = append(d.Past, row)
			continue
		}
		d.Good = append(d.Good, row)
	}
	if isFragment(c) {
		return render(c, status, views.AdminBackstageContent(d))
	}
	return render(c, status, views.AdminBackstagePage(p, d))
}

// Add handles POST /admin/backstage/tokens/add. Its answer is the only page that shows the token.
func (h *AdminBackstage) Add(c *fiber.Ctx) error {
	in, err := form.Decode[views.CatalogTokenForm](c)
	secret := make([]byte, 32)
	rand.Read(secret) // never fails: crypto/rand ends the process instead
	token := backstage.TokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
	if err == nil {
		err = h.Store.AddCatalogToken(c.UserContext(), actor(c), in.Name, backstage.Hash(token))
	}
	if in.Errors = models.Fields(err); in.Errors != nil {
		return h.show(c, http.StatusUnprocessableEntity, views.AdminBackstage{Form: in})
	}
	if err != nil {
		return err
	}
	return h.show(c, http.StatusCreated, views.AdminBackstage{Token: token, TokenOf: in.Name})
}

// Revoke handles POST /admin/backstage/tokens/revoke.
func (h *AdminBackstage) Revoke(c *fiber.Ctx) error {
	in, err := form.Decode[removeForm](c)
	if err == nil {
		err = h.Store.RevokeCatalogToken(c.UserContext(), actor(c), in.ID)
	}
	if err != nil {
		return err
	}
	return redirect(c, urls.AdminBackstage)
}
