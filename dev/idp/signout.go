package idp

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/zitadel/oidc/v3/pkg/crypto"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

var _ op.CanTerminateSessionFromRequest = (*storage)(nil)

// logoutLife is how long a logout token can be delivered.
const logoutLife = 2 * time.Minute

// TerminateSessionFromRequest ends the session that the ID token hint names, and tells the clients.
func (s *storage) TerminateSessionFromRequest(_ context.Context, r *op.EndSessionRequest) (string, error) {
	sid := ""
	if r.IDTokenHintClaims != nil {
		sid, _ = r.IDTokenHintClaims.Claims["sid"].(string)
	}
	if r.UserID != "" {
		s.signOut(r.UserID, sid)
	}
	return r.RedirectURI, nil
}

// TerminateSession ends all sessions of a person.
func (s *storage) TerminateSession(_ context.Context, subject, _ string) error {
	s.signOut(subject, "")
	return nil
}

// signOut ends a person's session, or all of them, and tells every client that wants to know, in the background: the client may be the
// one that is waiting for this answer.
func (s *storage) signOut(subject, sid string) {
	s.mu.Lock()
	for id, t := range s.tokens {
		if t.subject == subject {
			delete(s.tokens, id)
		}
	}
	for _, f := range s.families {
		if f.subject == subject && (sid == "" || f.sid == sid) {
			f.ended = true
		}
	}
	s.mu.Unlock()
	for _, c := range s.cfg.Clients {
		if c.Backchannel == "" {
			continue
		}
		go func() {
			err := s.tell(c, subject, sid)
			if err != nil {
				s.cfg.Logger.Warn("client not told of a sign-out", "client", c.ID, "err", err)
			}
			if s.cfg.Told != nil {
				s.cfg.Told(c.ID, err)
			}
		}()
	}
}

// tell sends a logout token.
func (s *storage) tell(c Client, subject, sid string) error {
	signer, err := s.signer("logout+jwt")
	if err != nil {
		return err
	}
	token, err := crypto.Sign(oidc.NewLogoutTokenClaims(s.cfg.Issuer, subject, oidc.Audience{c.ID}, time.Now().Add(logoutLife), rand.Text(), sid, 0), signer)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.PostForm(c.Backchannel, url.Values{"logout_token": {token}})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", c.Backchannel, res.Status)
	}
	return nil
}
