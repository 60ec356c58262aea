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

// ClaimRecheck implements auth.Sessions.
func (s *Store) ClaimRecheck(_ context.Context, _ models.Actor, id string, due, now time.Time, lease time.Duration) (models.Recheck, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return models.Recheck{}, s.err
	}
	for _, in := range s.sessions {
		if in.ID != id {
			continue
		}
		c := s.claims[id]
		if !in.EndedAt.IsZero() || in.RefreshToken == nil || in.CheckedAt.After(due) || now.Before(in.RecheckNext) || time.Now().Before(c.until) {
			break
		}
		r := models.Recheck{SessionID: id, Fence: c.fence + 1, Issuer: in.Issuer, Subject: in.Subject, PersonID: in.PersonID, NonceHash: in.NonceHash, RefreshToken: in.RefreshToken, Doubt: c.doubt}
		s.claims[id] = recheck{fence: r.Fence, until: time.Now().Add(lease), doubt: true}
		return r, nil
	}
	return models.Recheck{}, models.Errorf(models.Conflict, "Not due.")
}

// recheck is who uses a session's refresh token.
type recheck struct {
	fence int64
	until time.Time
	doubt bool
}

// SettleRecheck implements auth.Sessions.
func (s *Store) SettleRecheck(_ context.Context, _ models.Actor, r models.Recheck, out models.RecheckOutcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.claims[r.SessionID].fence != r.Fence {
		return models.Errorf(models.Conflict, "Somebody else checks it.")
	}
	s.claims[r.SessionID] = recheck{fence: r.Fence, doubt: out.Doubt}
	for hash, in := range s.sessions {
		if in.ID != r.SessionID {
			continue
		}
		if out.RefreshToken != nil {
			in.RefreshToken = out.RefreshToken
		}
		if out.Lost {
			in.RefreshToken, in.Rechecks = nil, false
		}
		in.RecheckNext = out.Next
		switch {
		case out.Vouched:
			in.CheckedAt, in.FailingSince = out.At, time.Time{}
			key := in.Issuer + "|" + in.Subject
			p := s.people[key]
			p.Groups, p.GroupsSeenAt = out.Groups, out.At
			s.people[key] = p
		case in.FailingSince.IsZero():
			in.FailingSince = out.At
		}
		if out.Ended != "" {
			in.EndedAt, in.EndedWhy = out.At, out.Ended
			s.audit = append(s.audit, "auth.session_ended: "+out.Reason)
		}
		s.sessions[hash] = in
	}
	return nil
}

// EndUnconfirmed implements auth.Sessions.
func (s *Store) EndUnconfirmed(_ context.Context, _ models.Actor, id string, at time.Time) error {
	s.mu.Lock()
	s.audit = append(s.audit, "auth.session_ended: not confirmed")
	s.mu.Unlock()
	return s.change(id, func(in *models.Session) { in.EndedAt, in.EndedWhy = at, models.EndedUnsure })
}

// Abandon forgets that a recheck is on its way, as when its process was killed: the lease has lapsed, and the token may be used up.
func (s *Store) Abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, in := range s.sessions {
		s.claims[in.ID] = recheck{fence: s.claims[in.ID].fence, doubt: true}
		s.sessions[hash] = in
	}
}

// Recheck makes every session due: the provider vouched for it that long ago.
func (s *Store) Recheck(ago time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, in := range s.sessions {
		in.CheckedAt, in.RecheckNext = in.CheckedAt.Add(-ago), time.Time{}
		s.sessions[hash] = in
	}
}
