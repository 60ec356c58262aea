package web

import (
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/visit"
	"slipway/models"
	"slipway/views"
	"slipway/web/auth"
)

var statuses = map[models.Kind]int{
	models.Internal: http.StatusInternalServerError, models.Invalid: http.StatusBadRequest, models.Unauthenticated: http.StatusUnauthorized,
	models.Forbidden: http.StatusForbidden, models.NotFound: http.StatusNotFound, models.Conflict: http.StatusConflict,
	models.TooLarge: http.StatusRequestEntityTooLarge, models.RateLimited: http.StatusTooManyRequests, models.Unavailable: http.StatusServiceUnavailable,
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
	view := views.ErrorPage{Status: status, Message: explain(err), RequestID: who.RequestID, Path: visit.Local(c.OriginalURL()), SignedIn: visit.Of(c).SessionID != ""}
	a.hints(c, err, &view)
	if models.KindOf(err) == models.Forbidden {
		a.deny(c)
	}
	if err := a.errorPage(c, view, err); err != nil {
		return err
	}
	if early {
		a.log(c, "unmatched", status, 0)
		drain(c, status)
	}
	return nil
}

// drain reads on for a moment after a body or a header that is too large: closing with bytes unread resets the connection, and the
// browser shows its own error instead of our page.
func drain(c *fiber.Ctx, status int) {
	conn := c.Context().Conn()
	if status != http.StatusRequestEntityTooLarge && status != http.StatusRequestHeaderFieldsTooLarge || conn == nil {
		return
	}
	until := time.Now().Add(drainTime)
	for left, idle := int64(drainBytes), 300*time.Millisecond; left > 0 && time.Now().Before(until); {
		if conn.SetReadDeadline(time.Now().Add(idle)) != nil {
			return
		}
		n, err := io.CopyN(io.Discard, conn, min(left, 64<<10))
		left -= n
		if err != nil { // nothing more came, or the client has left
			return
		}
	}
}

// explain is the message with what is wrong in each field: a form that could not be read has no page of its own.
func explain(err error) string {
	fields := models.Fields(err)
	words := []string{models.Message(err)}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		words = append(words, name+": "+fields[name])
	}
	return strings.Join(words, " ")
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
		kind, e = models.NotFound, fiber.ErrNotFound // Fiber's own text quotes the path, which may hold a token
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
func (a *App) hints(c *fiber.Ctx, err error, view *views.ErrorPage) {
	var signIn *auth.NeedSignIn
	if errors.As(err, &signIn) {
		view.SignIn = signIn.Link
		r, _ := c.Locals(routeKey{}).(Route)
		if c.Get("HX-Request") == "true" && r.Limit != LimitCheck { // a check on blur must not take away the form that is being typed
			c.Set("HX-Redirect", signIn.Link)
		}
	}
	wait := 0
	var often *tooOften
	switch {
	case errors.As(err, &often):
		wait = int(math.Ceil(often.wait.Seconds()))
	case view.Status == http.StatusServiceUnavailable || view.Status == http.StatusTooManyRequests:
		wait = 5
	}
	if wait > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(wait))
		view.RetryIn = strconv.Itoa(wait) + " s"
	}
}

const (
	denyTime   = 2 * time.Second
	drainTime  = 3 * time.Second
	drainBytes = 16 << 20
)

// deny has the audit log know who tried what their role does not include; what is hidden from somebody the store audits
// itself. The answer stands whatever becomes of it, but a failure is not kept quiet.
func (a *App) deny(c *fiber.Ctx) {
	v := visit.Of(c)
	r, matched := c.Locals(routeKey{}).(Route)
	if !matched || v.SessionID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), denyTime)
	defer cancel()
	if err := a.opts.Denied(ctx, v.Actor, r.Pattern(), "page", shownPath(c)); err != nil {
		a.opts.Logger.ErrorContext(ctx, "denial not audited", "request_id", v.Actor.RequestID, "err", err)
	}
}
