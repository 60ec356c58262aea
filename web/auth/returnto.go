package auth

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

const maxReturn = 2000

// localPath gives back a path and query of this server, or "/" for anything that a browser could read as another place.
func localPath(s string) string {
	if len(s) > maxReturn || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return "/"
	}
	for _, r := range s {
		if r == '\\' || r <= ' ' || r == 0x7f || r > 0x7e {
			return "/"
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, "\\") {
		return "/"
	}
	if strings.HasPrefix(u.Path, "/auth/") { // coming back to a sign-in or a sign-out is a loop
		return "/"
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String()
}

// comeFrom is the page the browser shows while it sends this request: where a person wants to be again after signing in.
func (a *Auth) comeFrom(c *fiber.Ctx) string {
	for _, header := range []string{"HX-Current-URL", fiber.HeaderReferer} {
		if rest, ok := strings.CutPrefix(c.Get(header), a.opts.PublicURL+"/"); ok {
			return localPath("/" + rest)
		}
	}
	return "/"
}
