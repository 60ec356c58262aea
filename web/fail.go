package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/visit"
	"slipway/models"
	"slipway/web/auth"
)

// ErrorView is what the error page shows.
type ErrorView struct {
	Status    int
	Title     string // what happened, in a few words
	Message   string // what happened, then what to do
	Fields    map[string]string
	RequestID string
	SignIn    string // where to sign in, when that is what helps
	SignedIn  bool   // the reader has a session, so links to pages make sense
	Fragment  bool   // htmx asked: the message alone, without a page around it
}

var statuses = map[models.Kind]int{
	models.Internal: http.StatusInternalServerError, models.Invalid: http.StatusBadRequest, models.Unauthenticated: http.StatusUnauthorized,
	models.Forbidden: http.StatusForbidden, models.NotFound: http.StatusNotFound, models.Conflict: http.StatusConflict,
	models.TooLarge: http.StatusRequestEntityTooLarge, models.RateLimited: http.StatusTooManyRequests, models.Unavailable: http.StatusServiceUnavailable,
}

var titles = map[int]string{
	http.StatusBadRequest: "This could not be read", http.StatusUnauthorized: "Sign in again", http.StatusForbidden: "This is not allowed",
	http.StatusNotFound: "There is nothing here", http.StatusMethodNotAllowed: "This address does not take that", http.StatusRequestTimeout: "That took too long",
	http.StatusConflict: "This has changed meanwhile", http.StatusRequestEntityTooLarge: "This is too large", http.StatusUnprocessableEntity: "Some fields need another look",
	http.StatusTooManyRequests: "Too many at once", http.StatusRequestHeaderFieldsTooLarge: "The request's headers are too large",
	http.StatusInternalServerError: "Something failed on our side", http.StatusServiceUnavailable: "Not available right now",
}

// messages for what Fiber refuses by itself; its own words are for programmers.
var messages = map[int]string{
	http.StatusNotFound:                    "No page has this address, or it is not yours to see.",
	http.StatusMethodNotAllowed:            "This address exists, but not for this kind of request.",
	http.StatusRequestTimeout:              "The request did not arrive in time. Send it again.",
	http.StatusRequestEntityTooLarge:       "What was sent is larger than 1 MB. Send less.",
	http.StatusRequestHeaderFieldsTooLarge: "The address or the cookies are too long. Delete this site's cookies, then sign in again.",
}

// fail is the one place where an error becomes an answer. It also answers what never reached a route: oversized or
// broken requests come here straight from the server.
func (a *App) fail(c *fiber.Ctx, err error) error {
	who := visit.Of(c).Actor
	early := who.RequestID == "" // the server refused it before observe ran
	if early {
		who = models.Actor{RequestID: models.NewID(), Address: a.address(c)}
		visit.Set(c, visit.Visit{Actor: who})
		c.Set(RequestIDHeader, who.RequestID)
		a.headers(&c.Response().Header)
	}
	status, err := classify(err)
	c.Locals(answerKey{}, err)
	view := ErrorView{Status: status, Title: titles[status], Message: models.Message(err), Fields: models.Fields(err), RequestID: who.RequestID,
		SignedIn: visit.Of(c).SessionID != "", Fragment: c.Get("HX-Request") == "true"}
	if view.Title == "" {
		view.Title = http.StatusText(status)
	}
	a.hints(c, status, err, &view)
	a.deny(c, err)
	if err := a.page(c, view); err != nil {
		return err
	}
	if early {
		a.log(c, "unmatched", status, 0)
	}
	return nil
}

// classify finds the status and gives errors of Fiber and of deadlines their kind.
func classify(err error) (int, error) {
	var known *models.Error
	var own *fiber.Error
	switch {
	case errors.As(err, &known):
		if known.Kind == models.Invalid && len(known.Fields) > 0 {
			return http.StatusUnprocessableEntity, err
		}
		return statuses[known.Kind], err
	case errors.As(err, &own):
		return fromFiber(own)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, models.Wrap(models.Unavailable, err, "This took too long. Try again in a moment.")
	}
	return http.StatusInternalServerError, err
}

func fromFiber(e *fiber.Error) (int, error) {
	kind := models.Invalid
	switch {
	case e.Code == http.StatusNotFound:
		kind = models.NotFound
	case e.Code == http.StatusRequestEntityTooLarge:
		kind = models.TooLarge
	case e.Code >= http.StatusInternalServerError:
		return http.StatusBadRequest, models.Wrap(models.Invalid, e, "The request could not be read.") // a broken connection, not a fault of ours
	}
	message := messages[e.Code]
	if message == "" {
		message = "The request could not be read."
	}
	return e.Code, models.Wrap(kind, e, "%s", message)
}

// hints adds what helps: when to come back, where to sign in.
func (a *App) hints(c *fiber.Ctx, status int, err error, view *ErrorView) {
	var signIn *auth.NeedSignIn
	if errors.As(err, &signIn) {
		view.SignIn = signIn.Link
		if view.Fragment {
			c.Set("HX-Redirect", signIn.Link)
		}
	}
	var often *tooOften
	switch {
	case errors.As(err, &often):
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(often.wait.Seconds()))))
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		c.Set(fiber.HeaderRetryAfter, "5")
	}
}

const denyTime = 2 * time.Second

// deny has the audit log know who asked for what is not theirs. The answer stands whatever becomes of it, but a failure
// is not kept quiet.
func (a *App) deny(c *fiber.Ctx, err error) {
	v := visit.Of(c)
	r, matched := c.Locals(routeKey{}).(Route)
	kind := models.KindOf(err)
	if !matched || v.SessionID == "" || kind != models.NotFound && kind != models.Forbidden {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), denyTime)
	defer cancel()
	if failed := a.opts.Denied(ctx, v.Actor, r.Pattern(), shownPath(c)); failed != nil {
		a.opts.Logger.ErrorContext(ctx, "denial not audited", "request_id", v.Actor.RequestID, "err", failed)
	}
}

// page writes the error page; should even that fail, plain words.
func (a *App) page(c *fiber.Ctx, view ErrorView) error {
	c.Status(view.Status)
	if c.Accepts(fiber.MIMETextHTML, fiber.MIMEApplicationJSON) == fiber.MIMEApplicationJSON {
		return c.JSON(fiber.Map{"error": view.Message, "fields": view.Fields, "requestId": view.RequestID})
	}
	var b bytes.Buffer
	if err := a.opts.ErrorPage(c, view).Render(context.WithoutCancel(c.UserContext()), &b); err != nil {
		a.opts.Logger.ErrorContext(c.UserContext(), "error page failed", "request_id", view.RequestID, "err", err)
		c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
		return c.SendString(fmt.Sprintf("%s\n%s\nRequest id: %s\n", view.Title, view.Message, strings.TrimSpace(view.RequestID)))
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(b.Bytes())
}
