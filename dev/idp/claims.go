package idp

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

var _ op.CanSetUserinfoFromRequest = (*storage)(nil)

// SetUserinfoFromRequest fills the ID token.
func (s *storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, r op.IDTokenRequest, scopes []string) error {
	switch in := r.(type) {
	case *request:
		info.AppendClaims("sid", in.sid)
	case *grant:
		info.AppendClaims("sid", in.SID)
	}
	return s.describe(info, r.GetSubject(), scopes)
}

// SetUserinfoFromToken fills the userinfo answer.
func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, tokenID, subject, _ string) error {
	s.mu.Lock()
	t, ok := s.tokens[tokenID]
	s.mu.Unlock()
	if !ok || time.Now().After(t.until) || t.subject != subject {
		return errors.New("the token has ended")
	}
	return s.describe(info, subject, t.scopes)
}

func (s *storage) describe(info *oidc.UserInfo, subject string, scopes []string) error {
	person, ok := s.person(subject)
	if !ok {
		return errors.New("no such person")
	}
	info.Subject = subject
	if slices.Contains(scopes, oidc.ScopeEmail) {
		info.Email, info.EmailVerified = person.email(), true
	}
	if slices.Contains(scopes, oidc.ScopeProfile) {
		info.Name, info.PreferredUsername = person.FullName, person.Name
	}
	if slices.Contains(scopes, "groups") && len(person.Groups) > 0 { // without groups most providers leave the claim out
		info.AppendClaims("groups", slices.Clone(person.Groups))
	}
	return nil
}

// What follows is asked for by the library's interface and not offered by this provider.

var errNotOffered = errors.New("not offered by the development provider")

func (s *storage) RevokeToken(_ context.Context, id, _, _ string) *oidc.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, id)
	if f := s.families[id]; f != nil {
		f.ended = true
	}
	return nil
}

// SetUserinfoFromScopes is the library's deprecated twin of SetUserinfoFromRequest and has to do nothing.
func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

func (s *storage) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errNotOffered
}

func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (s *storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errNotOffered
}

func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errNotOffered
}

func (s *storage) Health(context.Context) error { return nil }
