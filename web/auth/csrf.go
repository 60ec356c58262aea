package auth

import (
	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/visit"
	"slipway/models"
)

// CSRFHeader carries the session's token where there is no form.
const CSRFHeader = "X-Csrf-Token"

// CSRF guards every unsafe request that reads the session cookie: the browser says that it came from this site, and it
// carries the session's token. It runs after Session.
func (a *Auth) CSRF(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return c.Next()
	}
	if err := a.checkPost(c, visit.Of(c).CSRF); err != nil {
		return err
	}
	return c.Next()
}

func (a *Auth) checkPost(c *fiber.Ctx, want string) error {
	if !a.fromHere(c) {
		return models.Errorf(models.Forbidden, "This was sent from another site, so it was not done. Open the page here and send it again.")
	}
	token := c.Get(CSRFHeader)
	if token == "" {
		values, err := form.Read(c)
		if err != nil {
			return err
		}
		if len(values[form.CSRFField]) == 1 {
			token = values.Get(form.CSRFField)
		}
	}
	if want == "" || !same(token, want) {
		return models.Errorf(models.Forbidden, "This form does not belong to your session, so it was not done. Load the page again and send it once more.")
	}
	return nil
}

// fromHere believes the browser: Sec-Fetch-Site where it is sent, otherwise Origin.
func (a *Auth) fromHere(c *fiber.Ctx) bool {
	if site := c.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin" || site == "none"
	}
	return c.Get(fiber.HeaderOrigin) == a.opts.PublicURL
}
