package auth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/oauth2"

	"slipway/models"
)

const (
	useRefresh   = models.SealRefreshToken
	recheckWait  = 4 * time.Second  // how long a request waits for the provider; the recheck itself goes on
	recheckTime  = 25 * time.Second // of a recheck with all its tries to write down what came of it
	recheckLease = 30 * time.Second
	recheckAgain = 30 * time.Second // after the provider could not be asked
)

// recheck has the provider vouch for a session again when that is due, and returns the session and its person as of now. It happens on
// a request, not in a sweep: groups are then never older than the interval when they count, and a session that nobody uses costs the
// provider nothing. The request waits for a moment; what is on its way goes on without it, because an answer that is not written down
// is a refresh token lost.
func (a *Auth) recheck(c *fiber.Ctx, s models.Session, who models.Actor) (models.Session, models.Actor, error) {
	now := a.opts.Clock.Wall()
	if s.Rechecks && now.Sub(s.CheckedAt) >= a.opts.Recheck && !now.Before(s.RecheckNext) {
		done := make(chan struct{})
		working := context.WithoutCancel(c.UserContext())
		a.rechecks.Add(1)
		go func() {
			defer a.rechecks.Done()
			defer close(done)
			a.flight.Do(s.ID, func() (any, error) { // nothing comes back: the database has it
				a.recheckOnce(working, s.ID)
				return nil, nil
			})
		}()
		patience := time.NewTimer(recheckWait)
		defer patience.Stop()
		select {
		case <-done:
		case <-patience.C:
		case <-c.UserContext().Done():
		}
		fresh, person, err := a.opts.Store.Session(c.UserContext(), nobody(c), s.TokenHash)
		if err != nil {
			return s, who, err
		}
		s, who = fresh, person
	}
	if by := a.confirmBy(s); !by.IsZero() && !now.Before(by) && s.EndedAt.IsZero() {
		if err := a.opts.Store.EndUnconfirmed(c.UserContext(), nobody(c), s.ID, now); err != nil {
			return s, who, err
		}
		s.EndedAt, s.EndedWhy = now, models.EndedUnsure
	}
	return s, who, nil
}

// confirmBy is when a session ends unless the provider vouches for it before; zero while it does.
func (a *Auth) confirmBy(s models.Session) time.Time {
	if s.FailingSince.IsZero() {
		return time.Time{}
	}
	return s.CheckedAt.Add(a.opts.Recheck + models.ConfirmGrace)
}

// Settle waits for rechecks on their way. Called after the last request.
func (a *Auth) Settle(ctx context.Context) error {
	done := make(chan struct{})
	go func() { a.rechecks.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("a refresh token is on its way and its answer may be lost")
	}
}

// recheckOnce claims the refresh token, uses it and writes down what came of it, whoever waits.
func (a *Auth) recheckOnce(ctx context.Context, sessionID string) {
	ctx, cancel := context.WithTimeout(ctx, recheckTime)
	defer cancel()
	who, now := models.System(SignInComponent, ""), a.opts.Clock.Wall()
	r, err := a.opts.Store.ClaimRecheck(ctx, who, sessionID, now.Add(-a.opts.Recheck), now, recheckLease)
	if err != nil {
		if models.KindOf(err) != models.Conflict {
			a.opts.Logger.WarnContext(ctx, "groups not checked again", "session", sessionID, "err", err)
		}
		return
	}
	out := a.ask(ctx, r)
	for try := 1; ; try++ { // the database may be away for a moment; the token in hand is the only one
		err := a.opts.Store.SettleRecheck(ctx, who, r, out)
		if err == nil {
			return
		}
		a.opts.Logger.WarnContext(ctx, "outcome of a recheck not written down", "session", sessionID, "try", try, "err", err)
		if models.KindOf(err) == models.Conflict {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(try) * 200 * time.Millisecond):
		}
	}
}

// ask uses the refresh token.
func (a *Auth) ask(ctx context.Context, r models.Recheck) models.RecheckOutcome {
	now := a.opts.Clock.Wall()
	putOff := models.RecheckOutcome{At: now, Next: now.Add(recheckAgain), Doubt: r.Doubt}
	token, err := a.opts.Keys.Open(r.RefreshToken, useRefresh)
	if err != nil {
		a.opts.Logger.WarnContext(ctx, "refresh token does not open: its key is not in SLIPWAY_SECRET_KEYS here", "session", r.SessionID)
		return putOff
	}
	d, err := a.provider.get(ctx)
	if err != nil {
		a.opts.Logger.WarnContext(ctx, "groups not checked again: the identity provider cannot be reached", "err", err)
		return putOff
	}
	tok, err := a.client(d).TokenSource(a.provider.context(ctx), &oauth2.Token{RefreshToken: string(token)}).Token()
	if err != nil {
		return a.notRefreshed(ctx, r, putOff, err)
	}
	putOff.Doubt = false
	if tok.RefreshToken != "" && tok.RefreshToken != string(token) {
		putOff.RefreshToken = a.opts.Keys.Seal([]byte(tok.RefreshToken), useRefresh)
	}
	out := putOff
	groups, idToken, err := a.identifyAgain(ctx, d, tok, r)
	switch {
	case models.KindOf(err) == models.Unavailable:
		a.opts.Logger.WarnContext(ctx, "groups not checked again: the identity provider answers in part", "err", err)
		return putOff
	case err != nil:
		out.Next, out.Ended, out.Reason = time.Time{}, models.EndedRefused, shorten(err.Error())
		return out
	}
	out.Next, out.Vouched, out.Groups, out.At = time.Time{}, true, groups, a.opts.Clock.Wall()
	if idToken != "" {
		out.IDToken = a.opts.Keys.Seal([]byte(idToken), useIDToken)
	}
	return out
}

// notRefreshed tells a provider that refuses from one that cannot be asked. A refusal of a token whose last use left no answer says
// nothing of the person: the provider may have replaced it, and the successor was lost on the way. Such a session goes on without
// being checked, for as long as one whose provider is away.
func (a *Auth) notRefreshed(ctx context.Context, r models.Recheck, putOff models.RecheckOutcome, err error) models.RecheckOutcome {
	var refused *oauth2.RetrieveError
	switch {
	case !errors.As(err, &refused):
		putOff.Doubt = r.Doubt || !neverSent(err)
	case refused.ErrorCode == "invalid_grant" && r.Doubt:
		putOff.Next, putOff.Doubt, putOff.Lost = time.Time{}, false, true
	case refused.ErrorCode == "invalid_grant":
		putOff.Next, putOff.Doubt = time.Time{}, false
		putOff.Ended, putOff.Reason = models.EndedRefused, "the provider refused the refresh token (invalid_grant)"
		return putOff
	case refused.Response != nil && (refused.Response.StatusCode == http.StatusBadGateway || refused.Response.StatusCode == http.StatusGatewayTimeout):
		putOff.Doubt = true // the answer of something in between
	}
	words := "no answer"
	if refused != nil && refused.Response != nil {
		words = fmt.Sprintf("status %d, error %q", refused.Response.StatusCode, tidy(refused.ErrorCode))
	}
	a.opts.Logger.WarnContext(ctx, "groups not checked again: the identity provider does not refresh", "session", r.SessionID, "answer", words, "lost", putOff.Lost)
	return putOff
}

// neverSent tells whether a request cannot have reached the provider.
func neverSent(err error) bool {
	var network *net.OpError
	return errors.As(err, &network) && network.Op == "dial"
}

// identifyAgain checks what came with a refreshed token: it must be about the same person of the same provider (Core 12.2).
func (a *Auth) identifyAgain(ctx context.Context, d *discovered, tok *oauth2.Token, r models.Recheck) ([]string, string, error) {
	raw, _ := tok.Extra("id_token").(string)
	if len(raw) > maxIDToken {
		return nil, "", errors.New("the refreshed ID token is too long")
	}
	c := claims{}
	if raw != "" {
		now := a.opts.Clock.Wall()
		verifier := d.Verifier(&oidc.Config{ClientID: a.opts.ClientID, Now: func() time.Time { return now.Add(-skew) }})
		idToken, err := verifier.Verify(ctx, raw)
		if err != nil {
			return nil, "", outage(fmt.Errorf("verify the refreshed ID token: %w", err))
		}
		if c, err = parseClaims(idToken); err != nil {
			return nil, "", fmt.Errorf("read the refreshed ID token: %w", err)
		}
		if idToken.Issuer != r.Issuer || idToken.Subject != r.Subject {
			return nil, "", errors.New("the refreshed ID token is about another person than the session")
		}
		if idToken.Nonce != "" && !same(hashText(idToken.Nonce), r.NonceHash) {
			return nil, "", errors.New("the refreshed ID token's nonce is not the one of the sign-in")
		}
		if err := a.check(idToken, c, tok.AccessToken, now); err != nil {
			return nil, "", err
		}
	} else if d.meta.UserInfo == "" {
		return nil, "", models.Errorf(models.Unavailable, "The refreshed tokens say nothing of the person.")
	}
	if err := a.complete(ctx, d, tok, r.Subject, c); err != nil {
		return nil, "", err
	}
	groups, err := c.groups(a.opts.GroupsClaim, a.opts.GroupsPrefix)
	return groups, raw, err
}
