package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"slipway/handlers/visit"
	"slipway/models"
	"slipway/views"
	"slipway/web/auth"
)

// errorPage writes what a person reads of an error: a page, a fragment for htmx, JSON where only that is taken. It asks
// the database nothing, as that may be what failed.
func (a *App) errorPage(c *fiber.Ctx, v views.ErrorPage, err error) error {
	c.Status(v.Status)
	r, _ := c.Locals(routeKey{}).(Route)
	if underBackstage(c) && (r.Kind == Bearer || r.Path == "") { // read by a machine, shown in its log
		return plain(c, v.Status, fmt.Sprintf("%s\nRequest id: %s\n", v.Message, v.RequestID))
	}
	if (r.Kind == Frame || r.Kind == Entry) && c.Get("HX-Request") != "true" {
		return a.frameError(c, v, err)
	}
	if underAPI(c) || c.Accepts(fiber.MIMETextHTML, fiber.MIMEApplicationJSON) == fiber.MIMEApplicationJSON {
		return c.JSON(fiber.Map{"error": models.Message(err), "fields": models.Fields(err), "requestId": v.RequestID})
	}
	var page templ.Component
	var signIn *auth.NeedSignIn
	switch {
	case c.Get("HX-Request") == "true":
		page = views.ErrorFragment(v)
	case errors.As(err, &signIn) && signIn.Refused != nil:
		page = views.SignInPage(visit.Theme(c), views.SignIn{Provider: a.providerHost, Problem: v.Message, Request: v.RequestID})
	default:
		page = views.ErrorBare(visit.Theme(c), v)
	}
	if err := write(c, v.Status, page); err != nil {
		a.opts.Logger.ErrorContext(c.UserContext(), "error page failed", "request_id", v.RequestID, "err", err)
		return plain(c, v.Status, fmt.Sprintf("%s\nRequest id: %s\n", v.Message, v.RequestID))
	}
	return nil
}

// underBackstage tells whether an address is one that Backstage reads, or would be if it were right.
func underBackstage(c *fiber.Ctx) bool { return strings.HasPrefix(c.Path(), "/backstage/") }

// underAPI tells whether an address is one that machines call: they read JSON, whatever they say that they take.
func underAPI(c *fiber.Ctx) bool { return strings.HasPrefix(c.Path(), "/api/") }

func write(c *fiber.Ctx, status int, page templ.Component) error {
	var b bytes.Buffer
	if err := page.Render(context.WithoutCancel(c.UserContext()), &b); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(status).Send(b.Bytes())
}

// allow answers a person without any role with the page that says which groups give one, and checks the right that a
// whole route needs. Rights over one object are the store's business.
func (a *App) allow(r Route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		who := visit.Of(c).Actor
		switch {
		case who.NoAccess() && !r.NoRole:
			return a.noRole(c)
		case r.Allow != nil && !r.Allow(who):
			return models.Errorf(models.Forbidden, "Your role does not include this. Ask a platform admin if you need it.")
		}
		return c.Next()
	}
}

var gives = map[models.PlatformRole]string{
	models.PlatformAdmin: "everything, and decides about requests", models.Auditor: "reads everything, changes nothing", models.Requester: "may ask for a tenant",
}

func (a *App) noRole(c *fiber.Ctx) error {
	v := visit.Of(c)
	mappings, err := a.opts.AccessGroups(c.UserContext(), v.Actor)
	if err != nil {
		return err
	}
	a.deny(c)
	page := views.NoRole{Name: v.Actor.Name(), CSRF: v.CSRF, Groups: v.Actor.Person.Groups, Theme: visit.Theme(c)}
	for _, m := range mappings {
		page.Access = append(page.Access, views.Access{Group: m.Group, Gives: gives[m.Role]})
	}
	return write(c, http.StatusForbidden, views.NoRolePage(page))
}

// hostOf names the provider to a reader who is about to be sent there.
func hostOf(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	return u.Host
}
