package auth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/oauth2"

	"slipway/handlers/visit"
	"slipway/models"
	"slipway/views/urls"
)

const (
	signInTime = 10 * time.Minute // between leaving for the provider and coming back
	useVerify  = "pkce verifier"  // names of what is sealed
	useIDToken = models.SealIDToken
	maxCode    = 4096
	maxRefresh = 16 << 10
	maxState   = 256
)

// Login handles GET /auth/login?return=PATH&draft=ID&fresh=yes: it sends the browser to the provider. Several tabs may be on
// their way at once; each has a state of its own.
func (a *Auth) Login(c *fiber.Ctx) error {
	ctx := c.UserContext()
	d, err := a.provider.get(ctx)
	if err != nil {
		return models.Wrap(models.Unavailable, err, "The identity provider cannot be reached, so nobody can sign in right now. Try again in a minute.")
	}
	draft := c.Query("draft")
	if !models.ValidID(draft) {
		draft = ""
	}
	fresh := c.Query("fresh") == "yes"
	state, nonce, verifier, browser := newToken(), newToken(), oauth2.GenerateVerifier(), a.browser(c)
	err = a.opts.Store.BeginSignIn(ctx, nobody(c), models.SignIn{StateHash: hash(state), Nonce: hashText(nonce),
		Verifier:    encode.EncodeToString(a.opts.Keys.Seal([]byte(verifier), useVerify)),
		BrowserHash: hash(browser), ReturnTo: visit.Local(c.Query("return", "/")), Draft: draft, Fresh: fresh, ExpiresAt: a.opts.Clock.Wall().Add(signInTime)})
	if err != nil {
		return err
	}
	ask := []oauth2.AuthCodeOption{oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}
	var prompt []string
	if fresh {
		ask, prompt = append(ask, oauth2.SetAuthURLParam("max_age", "0")), append(prompt, "login")
	}
	if a.opts.Consent {
		prompt = append(prompt, "consent")
	}
	if len(prompt) > 0 {
		ask = append(ask, oauth2.SetAuthURLParam("prompt", strings.Join(prompt, " ")))
	}
	return c.Redirect(a.client(d).AuthCodeURL(state, ask...), http.StatusSeeOther)
}

// browser is the token that binds sign-ins to this browser; tabs share it.
func (a *Auth) browser(c *fiber.Ctx) string {
	token := c.Cookies(a.cookieName(browserCookie))
	if !wellFormed(token) {
		token = newToken()
	}
	a.setCookie(c, browserCookie, token, signInTime)
	return token
}

// Callback handles GET /auth/callback: the provider sent the browser back.
func (a *Auth) Callback(c *fiber.Ctx) error {
	in, who, err := a.finish(c)
	if err != nil {
		return a.refuse(c, err)
	}
	now := a.opts.Clock.Wall()
	token := newToken() // always a new one: a token planted before the sign-in leads nowhere
	s := models.Session{TokenHash: hash(token), Issuer: who.person.Issuer, Subject: who.person.Subject, SID: who.sid, Groups: who.person.Groups,
		CSRFSecret: newSecret(), IDToken: a.opts.Keys.Seal([]byte(who.idToken), useIDToken), CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(a.opts.SessionMax)}
	if in.Fresh {
		s.FreshAt = who.askedAt
	}
	if who.refresh != "" && len(who.refresh) <= maxRefresh {
		s.RefreshToken, s.NonceHash = a.opts.Keys.Seal([]byte(who.refresh), useRefresh), in.Nonce
	}
	var replaces []byte
	if old := c.Cookies(a.cookieName(sessionCookie)); wellFormed(old) {
		replaces = hash(old)
	}
	if _, err := a.opts.Store.SignIn(c.UserContext(), nobody(c), who.person, s, replaces); err != nil {
		return err
	}
	a.setCookie(c, sessionCookie, token, a.opts.SessionMax+KeptAfterEnd)
	to, err := url.Parse(in.ReturnTo)
	if err != nil {
		to = &url.URL{Path: "/"}
	}
	if in.Draft != "" {
		q := to.Query()
		q.Set("draft", in.Draft)
		to.RawQuery = q.Encode()
	}
	return c.Redirect(visit.Local(to.String()), http.StatusSeeOther)
}

// finish checks the callback from the outside in; nothing is asked of the provider before the state is known to be ours.
func (a *Auth) finish(c *fiber.Ctx) (models.SignIn, identity, error) {
	ctx := c.UserContext()
	q, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return models.SignIn{}, identity{}, errors.New("the callback's query is malformed")
	}
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(q[name]) > 1 {
			return models.SignIn{}, identity{}, errors.New("the callback repeats " + name)
		}
	}
	in, err := a.take(ctx, c, q.Get("state"))
	if err != nil {
		return models.SignIn{}, identity{}, err
	}
	d, err := a.provider.get(ctx)
	if err != nil {
		return in, identity{}, models.Wrap(models.Unavailable, err, "The identity provider cannot be reached. Sign in again in a minute.")
	}
	if iss, given := q["iss"]; given && iss[0] != a.opts.Issuer || !given && d.meta.IssParam {
		return in, identity{}, errors.New("the answer came from another issuer (iss)")
	}
	if q.Get("error") != "" {
		return in, identity{}, errors.New("the provider said: " + tidy(q.Get("error")))
	}
	code := q.Get("code")
	if code == "" || len(code) > maxCode {
		return in, identity{}, errors.New("the callback holds no code of sensible size")
	}
	sealed, err := encode.DecodeString(in.Verifier)
	if err != nil {
		return in, identity{}, errors.New("the stored verifier is damaged")
	}
	verifier, err := a.opts.Keys.Open(sealed, useVerify)
	if err != nil {
		return in, identity{}, errors.New("the stored verifier does not open: its key is gone from SECRET_KEYS")
	}
	tok, err := a.exchange(ctx, d, code, string(verifier))
	if err != nil {
		return in, identity{}, err
	}
	who, err := a.identify(ctx, d, tok, in.Nonce)
	if now := a.opts.Clock.Wall(); err == nil && in.Fresh && (who.askedAt.Before(now.Add(-models.FreshSignIn)) || who.askedAt.After(now.Add(skew))) {
		err = errors.New("a fresh sign-in was demanded, and auth_time does not say that there was one")
	}
	return in, who, err
}

// take uses the sign-in up, once, whatever comes of it.
func (a *Auth) take(ctx context.Context, c *fiber.Ctx, state string) (models.SignIn, error) {
	if state == "" || len(state) > maxState {
		return models.SignIn{}, errors.New("the callback holds no state of sensible size")
	}
	in, err := a.opts.Store.TakeSignIn(ctx, nobody(c), hash(state))
	switch {
	case models.KindOf(err) == models.NotFound:
		return in, errors.New("the state is unknown: used already, too old, or not ours")
	case err != nil:
		return in, err
	case !a.opts.Clock.Wall().Before(in.ExpiresAt):
		return in, errors.New("the sign-in took more than ten minutes")
	case !same(string(hash(c.Cookies(a.cookieName(browserCookie)))), string(in.BrowserHash)):
		return in, errors.New("the sign-in was begun in another browser")
	}
	return in, nil
}

// refuse audits a sign-in that did not come off and turns its reason into words. Faults of our own or of the network
// are no refusals: they keep their kind.
func (a *Auth) refuse(c *fiber.Ctx, err error) error {
	if kind := models.KindOf(err); kind != models.Internal {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return models.Wrap(models.Unavailable, err, "The identity provider takes too long. Sign in again in a minute.")
	}
	if audit := a.opts.Store.RefuseSignIn(c.UserContext(), nobody(c), shorten(err.Error())); audit != nil {
		return audit
	}
	message := "You are not signed in: this sign-in could not be trusted. Start again; if it fails again, quote the request id to the platform team."
	if errors.Is(err, errOverage) {
		message = "You are not signed in: you are in more groups than the identity provider puts into a token. The platform team has to make it send only the groups assigned to Slipway."
	}
	return &NeedSignIn{Message: message, Link: urls.SignIn, Refused: err}
}

// shorten keeps a hostile provider's words from filling the audit log.
func shorten(reason string) string {
	if r := []rune(tidy(reason)); len(r) == maxName {
		return string(r) + "…"
	}
	return tidy(reason)
}
