package auth

import (
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/visit"
	"slipway/models"
)

const (
	sessionCookie = "slipway"
	browserCookie = "slipway_browser"
	touchEvery    = time.Minute
)

// cookieName: over https the __Host- prefix makes the browser refuse a cookie planted from another host or over http.
// Plain http, which only loopback may use, cannot have it.
func (a *Auth) cookieName(name string) string {
	switch {
	case a.secure:
		return "__Host-" + name
	case name == sessionCookie:
		return "slipway_session"
	}
	return name
}

// setCookie gives the browser a cookie; an empty value takes it away.
func (a *Auth) setCookie(c *fiber.Ctx, name, value string, life time.Duration) {
	cookie := &fiber.Cookie{Name: a.cookieName(name), Value: value, Path: "/", Secure: a.secure, HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode}
	if value == "" {
		cookie.Expires = time.Unix(1, 0)
	} else {
		cookie.MaxAge = int(life / time.Second)
	}
	c.Cookie(cookie)
}

// How a route meets a visitor without a session.
type Need int

// The needs.
const (
	Page     Need = iota // a person is sent to sign in; using it keeps the session alive
	Post                 // a form: what was typed is kept for after the sign-in
	Fragment             // part of a page that asks by itself: it must not keep a session alive that nobody uses
)

// Session finds out who is there and puts the visit into the request. Without a live session the request ends here.
// keeps is the page that restores what a Post brings too late; empty when none does, and then nothing is kept.
func (a *Auth) Session(need Need, keeps string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		token := c.Cookies(a.cookieName(sessionCookie))
		if !wellFormed(token) {
			return a.signInFirst(c, need, keeps, nil)
		}
		before := visit.Of(c).Actor
		s, who, err := a.opts.Store.Session(c.UserContext(), nobody(c), hash(token))
		if models.KindOf(err) == models.NotFound {
			return a.signInFirst(c, need, keeps, nil)
		}
		if err != nil {
			return err
		}
		now := a.opts.Clock.Wall()
		who.RequestID, who.Address = before.RequestID, before.Address
		if a.alive(s, now) {
			if s, who, err = a.recheck(c, s, who); err != nil {
				return err
			}
			who.RequestID, who.Address = before.RequestID, before.Address
		}
		if !a.alive(s, now) {
			return a.signInFirst(c, need, keeps, &expired{s, who})
		}
		if need != Fragment && now.Sub(s.LastSeenAt) > touchEvery {
			if err := a.opts.Store.TouchSession(c.UserContext(), who, s.ID, now); err != nil {
				return err
			}
		}
		c.Locals(sessionKey{}, s)
		visit.Set(c, visit.Visit{Actor: who, FreshAt: s.FreshAt, ConfirmedAt: s.CheckedAt, ConfirmBy: a.confirmBy(s), SessionID: s.ID, CSRF: csrfToken(s.CSRFSecret, s.ID)})
		return c.Next()
	}
}

type sessionKey struct{}

func (a *Auth) alive(s models.Session, now time.Time) bool {
	return s.EndedAt.IsZero() && now.Before(s.ExpiresAt) && now.Sub(s.LastSeenAt) < a.opts.SessionIdle
}

// expired is a session that ran out, with the person it belonged to.
type expired struct {
	session models.Session
	actor   models.Actor
}

// signInFirst answers whoever has no live session.
func (a *Auth) signInFirst(c *fiber.Ctx, need Need, keeps string, old *expired) error {
	htmx := c.Get("HX-Request") == "true"
	switch {
	case need == Post:
		return a.keepForm(c, keeps, old)
	case need == Page && !htmx && old != nil && old.session.EndedWhy != "": // not of their own doing, so they are told before they are sent on
		return &NeedSignIn{Message: old.session.EndedWhy.Words(), Link: loginLink(visit.Local(c.OriginalURL()), "")}
	case need == Page && !htmx:
		return c.Redirect(loginLink(visit.Local(c.OriginalURL()), ""), http.StatusSeeOther)
	}
	var why models.EndReason
	if old != nil {
		why = old.session.EndedWhy
	}
	return &NeedSignIn{Message: why.Words(), Link: loginLink(a.comeFrom(c), "")}
}

// keepForm keeps what an expired session posted, for the person it belonged to, and asks them to sign in. A session that
// was ended on purpose keeps nothing, and neither does a post that would not have passed with a live one.
func (a *Auth) keepForm(c *fiber.Ctx, keeps string, old *expired) error {
	lost := &NeedSignIn{Message: "Your session has ended, so nothing was sent. Sign in again, then do it once more.", Link: loginLink(a.comeFrom(c), "")}
	if old != nil && old.session.EndedWhy != "" {
		lost.Message = old.session.EndedWhy.Words() + " Nothing was sent."
	}
	if keeps == "" || old == nil || !old.session.EndedAt.IsZero() && !old.session.EndedWhy.KeepsForms() || a.opts.Clock.Wall().After(a.end(old.session).Add(KeptAfterEnd)) {
		return lost
	}
	for _, name := range c.Route().Params {
		keeps = strings.ReplaceAll(keeps, ":"+name, c.Params(name))
	}
	keeps = visit.Local(keeps)
	if err := a.checkPost(c, csrfToken(old.session.CSRFSecret, old.session.ID)); err != nil {
		return err
	}
	values, err := form.Read(c)
	if err != nil {
		return err
	}
	fields := map[string][]string{}
	for name, all := range values {
		if name != form.CSRFField && name != form.DraftField && !secretName(name) {
			fields[name] = all
		}
	}
	s := old.session
	id, err := a.opts.Store.SaveExpiredForm(c.UserContext(), old.actor, models.SavedForm{PersonID: s.PersonID, Issuer: s.Issuer, Subject: s.Subject,
		Path: keeps, Fields: fields, Expired: true, SavedAt: a.opts.Clock.Wall()})
	if err != nil {
		return err
	}
	return &NeedSignIn{Message: "Your session has ended. What you typed is kept: sign in again and it is there.", Link: loginLink(keeps, id)}
}

// end is when the session ran out: at its absolute end, or when it was not used for too long.
func (a *Auth) end(s models.Session) time.Time {
	if idle := s.LastSeenAt.Add(a.opts.SessionIdle); idle.Before(s.ExpiresAt) {
		return idle
	}
	return s.ExpiresAt
}

func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"password", "secret", "token", "credential"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
