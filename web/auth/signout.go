package auth

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/visit"
	"slipway/models"
	"slipway/views"
	"slipway/views/urls"
)

// maxHint is the longest ID token put into an address; a longer one is left out, and the provider asks the person.
const maxHint = 4 << 10

// Logout handles POST /auth/logout: the session ends here first, then at the provider. The page goes on by Refresh and
// by a link, because form-action 'self' blocks a redirect of a POST to another origin.
func (a *Auth) Logout(c *fiber.Ctx) error {
	s, ok := c.Locals(sessionKey{}).(models.Session)
	if !ok {
		return models.Errorf(models.Unauthenticated, "Nobody is signed in.")
	}
	if err := a.opts.Store.EndSession(c.UserContext(), visit.Of(c).Actor, s.ID, a.opts.Clock.Wall()); err != nil {
		return err
	}
	a.setCookie(c, sessionCookie, "", 0)
	at, on := a.endSession(c, s), urls.SignIn
	if at != "" {
		on = at
		c.Set("Refresh", "0; url="+at)
	}
	var b bytes.Buffer
	if err := views.SignedOutPage(visit.Theme(c), views.SignedOut{Provider: at}).Render(c.UserContext(), &b); err != nil {
		return fmt.Errorf("render signed-out page: %w", err)
	}
	c.Set("HX-Redirect", on) // only htmx reads it
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(http.StatusOK).Send(b.Bytes())
}

// endSession is the provider's address for signing out there too; empty when it has none or cannot be asked.
func (a *Auth) endSession(c *fiber.Ctx, s models.Session) string {
	d, err := a.provider.get(c.UserContext())
	if err != nil {
		a.opts.Logger.WarnContext(c.UserContext(), "signed out here only: the identity provider cannot be reached", "err", err)
		return ""
	}
	at, err := url.Parse(d.meta.EndSession)
	if err != nil || d.meta.EndSession == "" || (at.Scheme != "https" && at.Scheme != "http") {
		return ""
	}
	q := at.Query()
	q.Set("client_id", a.opts.ClientID)
	q.Set("post_logout_redirect_uri", a.opts.PublicURL+"/")
	if hint, err := a.opts.Keys.Open(s.IDToken, useIDToken); err == nil && len(hint) <= maxHint {
		q.Set("id_token_hint", string(hint))
	}
	at.RawQuery = q.Encode()
	return at.String()
}
