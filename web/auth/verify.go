package auth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"slipway/models"
)

const (
	skew       = time.Minute      // how far the provider's clock may be off
	oldestIAT  = 10 * time.Minute // an ID token fetched with a code is new; an older one was kept by somebody
	maxIDToken = 64 << 10
)

// identity is a person as the provider vouches for them, and what signing out will need.
type identity struct {
	person  models.Person
	sid     string
	askedAt time.Time // auth_time: when the provider asked for the password; zero when it does not say
	idToken string
	refresh string // empty: the provider gave none
}

// exchange redeems the code. Its errors name the provider's error code, never the answer's body, which may hold secrets.
func (a *Auth) exchange(ctx context.Context, d *discovered, code, verifier string) (*oauth2.Token, error) {
	tok, err := a.client(d).Exchange(a.provider.context(ctx), code, oauth2.VerifierOption(verifier))
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		status := 0
		if refused.Response != nil {
			status = refused.Response.StatusCode
		}
		if status >= 500 {
			return nil, models.Errorf(models.Unavailable, "The identity provider does not answer properly. Sign in again in a minute.")
		}
		return nil, fmt.Errorf("the provider refused the code: status %d, error %q", status, tidy(refused.ErrorCode))
	}
	if err != nil {
		return nil, outage(fmt.Errorf("redeem code: %w", err))
	}
	return tok, nil
}

// outage tells a provider that cannot be reached from one that answers wrongly: the first is nobody's attack and is not
// audited as a refused sign-in. go-oidc hides the cause of a failed key fetch, so that one is known by its words.
func outage(err error) error {
	var network *url.Error
	if errors.As(err, &network) || strings.Contains(err.Error(), "fetching keys") {
		return models.Wrap(models.Unavailable, err, "The identity provider does not answer properly. Sign in again in a minute.")
	}
	return err
}

func (a *Auth) client(d *discovered) *oauth2.Config {
	endpoint := d.Endpoint()
	endpoint.AuthStyle = d.authStyle(a.opts.ClientSecret == "")
	return &oauth2.Config{ClientID: a.opts.ClientID, ClientSecret: a.opts.ClientSecret, Endpoint: endpoint,
		RedirectURL: a.opts.PublicURL + CallbackPath, Scopes: a.opts.Scopes}
}

// identify checks the ID token in full: go-oidc does signature, algorithm, issuer, audience, exp and nbf; the rest is here.
func (a *Auth) identify(ctx context.Context, d *discovered, tok *oauth2.Token, nonceHash string) (identity, error) {
	raw, _ := tok.Extra("id_token").(string)
	if raw == "" || len(raw) > maxIDToken {
		return identity{}, errors.New("the answer holds no ID token of sensible size")
	}
	now := a.opts.Clock.Wall()
	verifier := d.VerifierContext(a.provider.context(ctx), &oidc.Config{ClientID: a.opts.ClientID,
		Now: func() time.Time { return now.Add(-skew) }})
	idToken, err := verifier.Verify(a.provider.context(ctx), raw)
	if err != nil {
		return identity{}, outage(fmt.Errorf("verify ID token: %w", err))
	}
	c, err := parseClaims(idToken)
	if err != nil {
		return identity{}, fmt.Errorf("read ID token: %w", err)
	}
	if idToken.Nonce == "" || !same(hashText(idToken.Nonce), nonceHash) {
		return identity{}, errors.New("the nonce is not the one of this sign-in")
	}
	if err := a.check(idToken, c, tok.AccessToken, now); err != nil {
		return identity{}, err
	}
	if err := a.complete(ctx, d, tok, idToken.Subject, c); err != nil {
		return identity{}, err
	}
	who := identity{idToken: raw, sid: c.text("sid"), refresh: tok.RefreshToken}
	if at, ok := c["auth_time"].(float64); ok {
		who.askedAt = time.Unix(int64(at), 0).UTC()
	}
	if who.person, err = c.person(idToken.Issuer, idToken.Subject); err != nil {
		return identity{}, err
	}
	if len(who.sid) > maxSubject || !clean(who.sid) {
		return identity{}, errors.New("the sid is too long or not plain text")
	}
	if who.person.Groups, err = c.groups(a.opts.GroupsClaim, a.opts.GroupsPrefix); err != nil {
		return identity{}, err
	}
	who.person.GroupsSeenAt = now
	return who, nil
}

func (a *Auth) check(t *oidc.IDToken, c claims, accessToken string, now time.Time) error {
	azp, given := c["azp"]
	if given && azp != a.opts.ClientID || !given && len(t.Audience) > 1 {
		return errors.New("the token was issued for another client (azp)")
	}
	switch {
	case t.IssuedAt.Unix() <= 0:
		return errors.New("the token does not say when it was issued")
	case t.IssuedAt.After(now.Add(skew)):
		return errors.New("the token was issued in the future: the clocks differ by more than a minute")
	case t.IssuedAt.Before(now.Add(-oldestIAT)):
		return errors.New("the token was issued long ago: it is not the answer to this sign-in, or the clocks differ")
	}
	// go-oidc allows five minutes on nbf; one is enough.
	if nbf, ok := c["nbf"].(float64); ok && time.Unix(int64(nbf), 0).After(now.Add(skew)) {
		return errors.New("the token is not valid yet")
	}
	if t.AccessTokenHash != "" {
		if err := t.VerifyAccessToken(accessToken); err != nil {
			return fmt.Errorf("check at_hash: %w", err)
		}
	}
	return nil
}

// complete asks userinfo for what the ID token leaves out. Its subject must be the token's, or the answer is about
// somebody else.
func (a *Auth) complete(ctx context.Context, d *discovered, tok *oauth2.Token, subject string, c claims) error {
	if _, ok := c.value(a.opts.GroupsClaim); ok || d.meta.UserInfo == "" || c.overage(a.opts.GroupsClaim) {
		return nil
	}
	info, err := d.UserInfo(a.provider.context(ctx), oauth2.StaticTokenSource(tok))
	if err != nil {
		return outage(fmt.Errorf("ask userinfo: %w", err))
	}
	if info.Subject == "" || info.Subject != subject {
		return errors.New("userinfo answered about another subject than the ID token")
	}
	more, err := parseClaims(info)
	if err != nil {
		return fmt.Errorf("read userinfo: %w", err)
	}
	if _, ok := c["email"]; ok {
		delete(more, "email") // address and email_verified belong together
		delete(more, "email_verified")
	}
	for name, v := range more {
		if _, ok := c[name]; !ok {
			c[name] = v
		}
	}
	return nil
}
