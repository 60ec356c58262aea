package auth

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/visit"
)

// comeFrom is the page the browser shows while it sends this request: where a person wants to be again after signing in.
func (a *Auth) comeFrom(c *fiber.Ctx) string {
	for _, header := range []string{"HX-Current-URL", fiber.HeaderReferer} {
		if rest, ok := strings.CutPrefix(c.Get(header), a.opts.PublicURL+"/"); ok {
			return visit.Local("/" + rest)
		}
	}
	return "/"
}
