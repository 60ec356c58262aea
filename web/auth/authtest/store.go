// Package authtest holds what tests of the web layer sign in with: a store in memory and a provider that can be told to lie.
package authtest

import (
	"context"
	"slices"
	"sync"
	"time"

	"slipway/models"
)

// Store keeps sessions in memory. Roles decides what a person's groups mean; nil grants nothing.
type Store struct {
	Roles func(models.Person) ([]models.PlatformRole, []models.Membership)

	mu       sync.Mutex
	signIns  map[string]models.SignIn
	people   map[string]models.Person
	sessions map[string]models.Session
	forms    map[string]models.SavedForm
	logouts  map[string]bool
	claims   map[string]recheck
	audit    []string
	err      error
}

// NewStore makes an empty one.
func NewStore() *Store {
	return &Store{signIns: map[string]models.SignIn{}, people: map[string]models.Person{}, sessions: map[string]models.Session{}, forms: map[string]models.SavedForm{}, logouts: map[string]bool{}, claims: map[string]recheck{}}
}

// Break makes every method fail with err; nil mends it.
func (s *Store) Break(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// BeginSignIn implements auth.Sessions.
func (s *Store) BeginSignIn(_ context.Context, _ models.Actor, in models.SignIn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signIns[string(in.StateHash)] = in
	return s.err
}

// TakeSignIn implements auth.Sessions.
func (s *Store) TakeSignIn(_ context.Context, _ models.Actor, stateHash []byte) (models.SignIn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, ok := s.signIns[string(stateHash)]
	delete(s.signIns, string(stateHash))
	if !ok && s.err == nil {
		return in, models.Errorf(models.NotFound, "There is no such sign-in.")
	}
	return in, s.err
}

// SignIn implements auth.Sessions.
func (s *Store) SignIn(_ context.Context, _ models.Actor, p models.Person, in models.Session, replaces []byte) (models.Actor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := p.Issuer + "|" + p.Subject
	p.ID = s.people[key].ID
	if p.ID == "" {
		p.ID = models.NewID()
	}
	s.people[key] = p
	if old, ok := s.sessions[string(replaces)]; ok && old.EndedAt.IsZero() {
		old.EndedAt = in.CreatedAt
		s.sessions[string(replaces)] = old
	}
	in.ID, in.PersonID = models.NewID(), p.ID
	in.Rechecks, in.CheckedAt = in.RefreshToken != nil, in.CreatedAt
	s.sessions[string(in.TokenHash)] = in
	s.audit = append(s.audit, "auth.signin")
	return s.actor(p), s.err
}

func (s *Store) actor(p models.Person) models.Actor {
	a := models.Actor{Person: p}
	if s.Roles != nil {
		a.Roles, a.Memberships = s.Roles(p)
	}
	return a
}

// RefuseSignIn implements auth.Sessions.
func (s *Store) RefuseSignIn(_ context.Context, _ models.Actor, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.audit = append(s.audit, "auth.refused: "+reason)
	return s.err
}

// Session implements auth.Sessions.
func (s *Store) Session(_ context.Context, _ models.Actor, tokenHash []byte) (models.Session, models.Actor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return models.Session{}, models.Actor{}, s.err
	}
	in, ok := s.sessions[string(tokenHash)]
	if !ok {
		return in, models.Actor{}, models.Errorf(models.NotFound, "There is no such session.")
	}
	return in, s.actor(s.people[in.Issuer+"|"+in.Subject]), nil
}

// TouchSession implements auth.Sessions.
func (s *Store) TouchSession(_ context.Context, _ models.Actor, id string, seen time.Time) error {
	return s.change(id, func(in *models.Session) {
		if seen.After(in.LastSeenAt) {
			in.LastSeenAt = seen
		}
	})
}

// EndSession implements auth.Sessions.
func (s *Store) EndSession(_ context.Context, _ models.Actor, id string, at time.Time) error {
	s.mu.Lock()
	s.audit = append(s.audit, "auth.signout")
	s.mu.Unlock()
	return s.change(id, func(in *models.Session) { in.EndedAt = at })
}

func (s *Store) change(id string, change func(*models.Session)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, in := range s.sessions {
		if in.ID == id {
			change(&in)
			s.sessions[hash] = in
		}
	}
	return s.err
}

// SaveExpiredForm implements auth.Sessions.
func (s *Store) SaveExpiredForm(_ context.Context, _ models.Actor, f models.SavedForm) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.ID = models.NewID()
	s.forms[f.ID] = f
	return f.ID, s.err
}

// Age moves every session into the past.
func (s *Store) Age(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, in := range s.sessions {
		in.LastSeenAt, in.CreatedAt, in.ExpiresAt = in.LastSeenAt.Add(-by), in.CreatedAt.Add(-by), in.ExpiresAt.Add(-by)
		s.sessions[hash] = in
	}
	for hash, in := range s.signIns {
		in.ExpiresAt = in.ExpiresAt.Add(-by)
		s.signIns[hash] = in
	}
}

// Sessions lists every session, live or not, oldest first.
func (s *Store) Sessions() []models.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []models.Session
	for _, in := range s.sessions {
		all = append(all, in)
	}
	slices.SortFunc(all, func(x, y models.Session) int { return x.CreatedAt.Compare(y.CreatedAt) })
	return all
}

// SignIns lists those on their way.
func (s *Store) SignIns() []models.SignIn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []models.SignIn
	for _, in := range s.signIns {
		all = append(all, in)
	}
	return all
}

// Forms lists what was saved.
func (s *Store) Forms() []models.SavedForm {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []models.SavedForm
	for _, f := range s.forms {
		all = append(all, f)
	}
	return all
}

// Audit lists what was recorded.
func (s *Store) Audit() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.audit)
}
