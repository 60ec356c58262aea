package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
)

// BackchannelPath is where the identity provider reports that somebody signed out there.
const BackchannelPath = "/auth/backchannel-logout"

const (
	logoutType     = "logout+jwt"
	keepLogoutJTI  = 24 * time.Hour // longest: a token is refused by its iat long before
	unreadableWait = "10"           // seconds after which the provider may send again, as a header
)

// errReplay is a logout token that was obeyed before.
var errReplay = errors.New("this logout token was used already")

// BackchannelLogout handles POST /auth/backchannel-logout (OpenID Connect Back-Channel Logout 1.0): the provider's signed word that a
// session, or all sessions of a person, ended there. It reads no cookie; the token is all there is.
func (a *Auth) BackchannelLogout(c *fiber.Ctx) error {
	ctx := c.UserContext()
	values, err := form.Read(c)
	if err != nil {
		return logoutAnswer(c, http.StatusBadRequest, models.Message(err))
	}
	raw := values["logout_token"]
	if len(raw) != 1 || raw[0] == "" || len(raw[0]) > maxIDToken {
		return logoutAnswer(c, http.StatusBadRequest, "The field logout_token must be there once, with a token of sensible size.")
	}
	d, err := a.provider.get(ctx)
	if err != nil {
		a.opts.Logger.WarnContext(ctx, "logout token not checked: the identity provider cannot be reached", "err", err)
		return logoutAnswer(c, http.StatusServiceUnavailable, "The identity provider's keys cannot be read right now, so the token was not checked. Send it again.")
	}
	out, signed, err := a.logoutToken(ctx, d, raw[0])
	if err == nil {
		err = a.opts.Store.EndAtProvider(ctx, nobody(c), out, a.opts.Clock.Wall())
		if models.KindOf(err) == models.Conflict {
			err = errReplay
		} else if err != nil {
			return err
		}
	}
	if err != nil {
		return a.refuseLogout(c, err, signed)
	}
	return logoutAnswer(c, http.StatusOK, "")
}

// refuseLogout answers a token that is not obeyed. What the provider itself signed is audited each time; of what anybody can send, a
// few a minute, so that nobody can fill the log.
func (a *Auth) refuseLogout(c *fiber.Ctx, err error, signed bool) error {
	ctx := c.UserContext()
	if keysUnread(err) {
		return logoutAnswer(c, http.StatusServiceUnavailable, "The identity provider's keys cannot be read right now, so the token was not checked. Send it again.")
	}
	reason := shorten(err.Error())
	a.opts.Logger.WarnContext(ctx, "logout token refused", "reason", reason, "signed", signed)
	if signed || a.forged.Allow() {
		if err := a.opts.Store.RefuseLogout(ctx, nobody(c), reason); err != nil {
			return err
		}
	}
	return logoutAnswer(c, http.StatusBadRequest, "The logout token was not accepted: "+reason+".")
}

// logoutAnswer is what the specification asks for: 200 without a body, or an OAuth error in JSON.
func logoutAnswer(c *fiber.Ctx, status int, words string) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if status == http.StatusOK {
		return c.SendStatus(status)
	}
	code := "invalid_request"
	if status == http.StatusServiceUnavailable {
		code = "temporarily_unavailable"
		c.Set(fiber.HeaderRetryAfter, unreadableWait)
	}
	return c.Status(status).JSON(fiber.Map{"error": code, "error_description": words})
}

// logoutToken checks a token in full. go-oidc does signature, issuer, audience, exp, event, that there is no nonce, and that there is
// a jti and a sub or sid; the rest is here. signed tells whether its signature is the provider's.
func (a *Auth) logoutToken(ctx context.Context, d *discovered, raw string) (out models.ProviderLogout, signed bool, err error) {
	jws, err := jose.ParseSigned(raw, d.algorithms())
	if err != nil || len(jws.Signatures) != 1 {
		return out, false, errors.New("it is not a signed token")
	}
	if err := checkType(jws.Signatures[0].Protected); err != nil {
		return out, false, err
	}
	now := a.opts.Clock.Wall()
	verifier := oidc.NewVerifier(a.opts.Issuer, d.sparing, &oidc.Config{ClientID: a.opts.ClientID, SupportedSigningAlgs: d.meta.asymmetric(),
		Now: func() time.Time { return now.Add(-skew) }})
	token, err := verifier.VerifyLogout(ctx, raw)
	if err != nil {
		return out, !strings.Contains(err.Error(), "verify signature"), fmt.Errorf("verify logout token: %w", err)
	}
	out = models.ProviderLogout{Issuer: token.Issuer, Subject: token.Subject, SID: token.SessionID, TokenID: token.TokenID, Until: token.Expiry.Add(skew)}
	switch limit := now.Add(keepLogoutJTI); {
	case token.IssuedAt.Unix() <= 0:
		err = errors.New("it does not say when it was issued")
	case token.IssuedAt.After(now.Add(skew)):
		err = errors.New("it was issued in the future: the clocks differ by more than a minute")
	case token.IssuedAt.Before(now.Add(-oldestIAT)):
		err = errors.New("it was issued long ago")
	case out.Until.After(limit):
		out.Until = limit
	}
	for _, part := range []string{out.Subject, out.SID, out.TokenID} {
		if len(part) > maxSubject || !clean(part) {
			err = errors.New("its sub, sid or jti is too long or not plain text")
		}
	}
	return out, true, err
}

// checkType refuses tokens that say they are something else: an ID token must never sign anybody out.
func checkType(h jose.Header) error {
	typ, given := h.ExtraHeaders[jose.HeaderType]
	if !given {
		return nil
	}
	if s, ok := typ.(string); !ok || strings.TrimPrefix(strings.ToLower(s), "application/") != logoutType {
		return errors.New("its typ is not " + logoutType)
	}
	return nil
}
