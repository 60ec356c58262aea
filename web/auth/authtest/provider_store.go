package authtest

import (
	"context"
	"time"

	"slipway/models"
)

// EndAtProvider implements auth.Sessions.
func (s *Store) EndAtProvider(_ context.Context, _ models.Actor, out models.ProviderLogout, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.logouts[out.TokenID] {
		return models.Errorf(models.Conflict, "This logout token was used already.")
	}
	s.logouts[out.TokenID] = true
	for hash, in := range s.sessions {
		if in.Issuer == out.Issuer && (out.SID == "" || in.SID == out.SID) && (out.Subject == "" || in.Subject == out.Subject) && in.EndedAt.IsZero() {
			in.EndedAt, in.EndedWhy = at, models.EndedAtProvider
			s.sessions[hash] = in
		}
	}
	s.audit = append(s.audit, "auth.provider_signout")
	return nil
}

// RefuseLogout implements auth.Sessions.
func (s *Store) RefuseLogout(_ context.Context, _ models.Actor, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.audit = append(s.audit, "auth.logout_refused: "+reason)
	return s.err
}
