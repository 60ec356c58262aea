package web

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/visit"
	"slipway/models"
)

// allow answers a person without any role with the page that says which groups give one, and checks the right that a
// whole route needs. Rights over one object are the store's business.
func (a *App) allow(r Route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		who := visit.Of(c).Actor
		switch {
		case who.NoAccess() && !r.NoRole:
			return a.noRole(c, who)
		case r.Allow != nil && !r.Allow(who):
			return models.Errorf(models.Forbidden, "Your role does not include this. Ask a platform admin if you need it.")
		}
		return c.Next()
	}
}

func (a *App) noRole(c *fiber.Ctx, who models.Actor) error {
	groups, err := a.opts.AccessGroups(c.UserContext(), who)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := a.opts.NoRolePage(c, groups).Render(c.UserContext(), &b); err != nil {
		return fmt.Errorf("render page for nobody's role: %w", err)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(http.StatusForbidden).Send(b.Bytes())
}
