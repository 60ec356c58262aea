// Package visit carries who is signed in from web, which finds out, to the handlers, which may not import web.
package visit

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
)

// Visit is what web knows about the browser behind a request.
type Visit struct {
	Actor   models.Actor // roles and memberships as of this request
	FreshAt time.Time    // when the provider last had to ask for the password; zero: not in this session

	ConfirmedAt time.Time // when the provider last vouched for the groups
	ConfirmBy   time.Time // when the session ends because the provider cannot be asked; zero: it vouches
	SessionID   string    // empty when nobody is signed in
	CSRF        string    // the session's token, for the field _csrf and the header X-Csrf-Token
}

type key struct{}

// Set is called by web once the session is known.
func Set(c *fiber.Ctx, v Visit) { c.Locals(key{}, v) }

// Of is the visit of this request; the zero Visit when nobody is signed in.
func Of(c *fiber.Ctx) Visit {
	v, _ := c.Locals(key{}).(Visit)
	return v
}
