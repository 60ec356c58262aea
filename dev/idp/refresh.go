package idp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// refreshType keeps refresh tokens apart from everything else that the key signs.
const refreshType = "refresh"

// grant is what a refresh token stands for. The token carries it, signed, so that it outlives a restart of the provider.
type grant struct {
	Family  string    `json:"family"` // of tokens that replace each other
	Number  int       `json:"number"` // in its family
	Subject string    `json:"subject"`
	SID     string    `json:"sid"`
	Client  string    `json:"client"`
	Scopes  []string  `json:"scopes"`
	Auth    time.Time `json:"auth"`
	Until   time.Time `json:"until"`
}

var _ op.RefreshTokenRequest = (*grant)(nil)

func (g *grant) GetAMR() []string            { return []string{"pwd"} }
func (g *grant) GetAudience() []string       { return []string{g.Client} }
func (g *grant) GetAuthTime() time.Time      { return g.Auth }
func (g *grant) GetClientID() string         { return g.Client }
func (g *grant) GetScopes() []string         { return g.Scopes }
func (g *grant) GetSubject() string          { return g.Subject }
func (g *grant) SetCurrentScopes(s []string) { g.Scopes = s }

// family is a chain of refresh tokens as far as this process has seen it: only the latest counts, and using an older one ends all.
type family struct {
	latest       int
	ended        bool
	subject, sid string
	until        time.Time
}

// CreateAccessAndRefreshTokens hands out the first refresh token of a family, or replaces the one that was used.
func (s *storage) CreateAccessAndRefreshTokens(ctx context.Context, r op.TokenRequest, used string) (string, string, time.Time, error) {
	next := grant{Family: rand.Text(), Number: 1, Subject: r.GetSubject(), Scopes: r.GetScopes(), Until: time.Now().Add(refreshLife)}
	switch in := r.(type) {
	case *request:
		next.SID, next.Client, next.Auth = in.sid, in.in.ClientID, in.signedIn
	case *grant:
		next = *in
		next.Number++
	}
	if used != "" && !s.replace(next) { // somebody else was faster with the same token
		return "", "", time.Time{}, op.ErrInvalidRefreshToken
	}
	if used == "" {
		s.mu.Lock()
		s.families[next.Family] = &family{latest: next.Number, subject: next.Subject, sid: next.SID, until: next.Until}
		s.mu.Unlock()
	}
	raw, err := s.sign(next, refreshType)
	if err != nil {
		return "", "", time.Time{}, err
	}
	id, until, err := s.CreateAccessToken(ctx, r)
	return id, raw, until, err
}

// replace makes next the latest of its family, unless the family has moved on or ended.
func (s *storage) replace(next grant) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.families[next.Family]
	if f == nil || f.ended || f.latest != next.Number-1 {
		return false
	}
	f.latest = next.Number
	return true
}

// TokenRequestByRefreshToken opens a refresh token. A token that was replaced already is in two hands: its whole family ends.
func (s *storage) TokenRequestByRefreshToken(_ context.Context, raw string) (op.RefreshTokenRequest, error) {
	g, err := s.open(raw)
	if err != nil || time.Now().After(g.Until) {
		return nil, op.ErrInvalidRefreshToken
	}
	person, ok := s.person(g.Subject)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.families[g.Family]
	if f == nil { // from before a restart
		f = &family{latest: g.Number, subject: g.Subject, sid: g.SID, until: g.Until}
		s.families[g.Family] = f
	}
	if !ok || person.disabled || f.latest != g.Number {
		f.ended = true
	}
	if f.ended {
		return nil, op.ErrInvalidRefreshToken
	}
	return &g, nil
}

// GetRefreshTokenInfo tells whose a token is, for revoking it.
func (s *storage) GetRefreshTokenInfo(_ context.Context, _, raw string) (string, string, error) {
	g, err := s.open(raw)
	if err != nil {
		return "", "", op.ErrInvalidRefreshToken
	}
	return g.Subject, g.Family, nil
}

func (s *storage) signer(typ string) (jose.Signer, error) {
	return jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: s.key.private, KeyID: s.key.id}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
}

func (s *storage) sign(v any, typ string) (string, error) {
	signer, err := s.signer(typ)
	if err != nil {
		return "", err
	}
	content, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(content)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

func (s *storage) open(raw string) (g grant, err error) {
	signed, err := jose.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return g, err
	}
	if signed.Signatures[0].Protected.ExtraHeaders[jose.HeaderType] != refreshType {
		return g, op.ErrInvalidRefreshToken
	}
	content, err := signed.Verify(&s.key.private.PublicKey)
	if err != nil {
		return g, err
	}
	return g, json.Unmarshal(content, &g)
}
