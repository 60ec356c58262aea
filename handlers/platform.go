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

// Platform shows whether the organization still has what Slipway needs.
type Platform struct {
	*Desk
	Store interface {
		Platform(context.Context, models.Actor) (models.PlatformHealth, error)
		CheckPlatformNow(context.Context, models.Actor) error
	}
	Work interface {
		WorkFigures(context.Context, models.Actor) (models.WorkFigures, error)
	}
}

// Show handles GET /admin/platform.
func (h *Platform) Show(c *fiber.Ctx) error {
	if err := mayAdmin(c); err != nil {
		return err
	}
	found, err := h.Store.Platform(c.UserContext(), actor(c))
	if err != nil {
		return err
	}
	d := views.Platform{At: ui.Ago(h.Clock.Now(), found.At), By: found.By, Checking: found.Checking, Failure: found.Failure, CSRF: csrf(c)}
	if actor(c).Has(models.PlatformAdmin) {
		d.CheckURL = urls.CheckPlatform
	}
	for _, i := range found.Items {
		d.Items = append(d.Items, prerequisiteRow(i))
	}
	for _, r := range found.Roles {
		d.Roles = append(d.Roles, roleHealthRow(r))
	}
	figures, err := h.Work.WorkFigures(c.UserContext(), actor(c))
	if err != nil {
		return err
	}
	d.Work = views.PlatformWorkOf(platformWork(h.Clock.Now(), h.Clock.Wall(), figures))
	if isFragment(c) {
		return render(c, http.StatusOK, views.PlatformContent(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.PlatformPage(p, d))
}

func prerequisiteRow(i models.Prerequisite) views.PrerequisiteRow {
	row := views.PrerequisiteRow{ID: i.ID, Title: i.Title, State: i.State, Found: i.Found, Next: i.Next, Details: i.Details}
	for _, line := range i.Commands {
		row.Commands = append(row.Commands, ui.Command{Label: "for: " + strings.ToLower(i.Title[:1]) + i.Title[1:], Lines: []string{line}})
	}
	return row
}

// Check handles POST /admin/platform/check.
func (h *Platform) Check(c *fiber.Ctx) error {
	if _, err := form.Decode[bareForm](c); err != nil {
		return err
	}
	if err := h.Store.CheckPlatformNow(c.UserContext(), actor(c)); err != nil {
		return err
	}
	return redirect(c, urls.Platform)
}
