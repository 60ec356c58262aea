package visit

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/views/ui"
)

// ThemeCookie keeps the reader's theme; it is no secret and no session.
const ThemeCookie = "slipway_theme"

// Theme is what the reader chose.
func Theme(c *fiber.Ctx) ui.Theme { return ui.ParseTheme(c.Cookies(ThemeCookie)) }

const maxLocal = 2000

// Local gives back a path and query of this server, or "/" for anything that a browser could read as another place.
// Whatever comes from a client and goes into a redirect passes through it.
func Local(s string) string {
	if len(s) > maxLocal || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return "/"
	}
	for _, r := range s {
		if r == '\\' || r <= ' ' || r > '~' {
			return "/"
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return "/"
	}
	if strings.HasPrefix(u.Path, "/auth/") { // coming back to a sign-in or a sign-out is a loop
		return "/"
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String()
}
