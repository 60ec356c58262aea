package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/urls"
)

// Redeliver handles POST /admin/notifications/redeliver.
func (h *AdminNotifications) Redeliver(c *fiber.Ctx) error {
	return h.byID(c, func(id string) error { return h.Log.Redeliver(c.UserContext(), actor(c), id) })
}

// RemoveWebhook handles POST /admin/notifications/webhooks/remove.
func (h *AdminNotifications) RemoveWebhook(c *fiber.Ctx) error {
	return h.byID(c, func(id string) error { return h.Hooks.RemoveWebhook(c.UserContext(), actor(c), id) })
}

// ForbidNetwork handles POST /admin/notifications/networks/remove.
func (h *AdminNotifications) ForbidNetwork(c *fiber.Ctx) error {
	return h.byID(c, func(id string) error { return h.Nets.ForbidNetwork(c.UserContext(), actor(c), id) })
}

func (h *AdminNotifications) byID(c *fiber.Ctx, do func(id string) error) error {
	in, err := form.Decode[removeForm](c)
	if err == nil {
		err = do(in.ID)
	}
	if err != nil {
		return err
	}
	return redirect(c, urls.AdminNotifications)
}

type testHookForm struct {
	Destination string `form:"destination"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`
}

// TestWebhook handles POST /admin/notifications/webhooks/test.
func (h *AdminNotifications) TestWebhook(c *fiber.Ctx) error {
	in, err := form.Decode[testHookForm](c)
	if err == nil {
		err = h.Hooks.TestWebhook(c.UserContext(), actor(c), in.Destination)
	}
	if err != nil {
		return err
	}
	return redirect(c, urls.AdminNotifications)
}

// AddWebhook handles POST /admin/notifications/webhooks/add. The answer of a signed one is the only page that shows its secret.
func (h *AdminNotifications) AddWebhook(c *fiber.Ctx) error {
	in, err := form.Decode[views.HookForm](c)
	var added models.Webhook
	if err == nil {
		added, err = h.Hooks.AddWebhook(c.UserContext(), actor(c), models.Webhook{Name: in.Name, URL: in.URL, Form: models.HookForm(in.Form), Kinds: eventKinds(in.Kinds)})
	}
	if in.Errors = models.Fields(err); in.Errors != nil {
		return h.show(c, http.StatusUnprocessableEntity, noticeParams{}, views.AdminNotifications{Hook: in})
	}
	if err != nil {
		return err
	}
	if added.Secret == "" {
		return redirect(c, urls.AdminNotifications)
	}
	return h.show(c, http.StatusCreated, noticeParams{}, views.AdminNotifications{Secret: added.Secret, SecretOf: added.Name})
}

// AllowNetwork handles POST /admin/notifications/networks/add.
func (h *AdminNotifications) AllowNetwork(c *fiber.Ctx) error {
	in, err := form.Decode[views.AllowForm](c)
	if err == nil {
		err = h.Nets.AllowNetwork(c.UserContext(), actor(c), in.Block, in.Note)
	}
	if in.Errors = models.Fields(err); in.Errors != nil {
		return h.show(c, http.StatusUnprocessableEntity, noticeParams{}, views.AdminNotifications{Network: in})
	}
	if err != nil {
		return err
	}
	return redirect(c, urls.AdminNotifications)
}
