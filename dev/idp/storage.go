package idp

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// request is a sign-in on its way: first waiting for the password, then for its code to be redeemed.
type request struct {
	id, subject, sid string
	in               *oidc.AuthRequest
	began, signedIn  time.Time
}

var _ op.AuthRequest = (*request)(nil)

func (r *request) GetID() string                      { return r.id }
func (r *request) GetACR() string                     { return "" }
func (r *request) GetAMR() []string                   { return []string{"pwd"} }
func (r *request) GetAudience() []string              { return []string{r.in.ClientID} }
func (r *request) GetAuthTime() time.Time             { return r.signedIn }
func (r *request) GetClientID() string                { return r.in.ClientID }
func (r *request) GetNonce() string                   { return r.in.Nonce }
func (r *request) GetRedirectURI() string             { return r.in.RedirectURI }
func (r *request) GetResponseType() oidc.ResponseType { return r.in.ResponseType }
func (r *request) GetResponseMode() oidc.ResponseMode { return r.in.ResponseMode }
func (r *request) GetScopes() []string                { return r.in.Scopes }
func (r *request) GetState() string                   { return r.in.State }
func (r *request) GetSubject() string                 { return r.subject }
func (r *request) Done() bool                         { return !r.signedIn.IsZero() }
func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.in.CodeChallenge, Method: r.in.CodeChallengeMethod}
}

// token is an access token; it opens the userinfo endpoint.
type token struct {
	subject string
	scopes  []string
	until   time.Time
}

// storage keeps what is going on in memory; a restart ends sign-ins that were half way.
type storage struct {
	cfg      Config
	key      *key
	mu       sync.Mutex
	requests map[string]*request
	codes    map[string]string // code to request
	tokens   map[string]token
	families map[string]*family
}

func newStorage(cfg Config, k *key) *storage {
	return &storage{cfg: cfg, key: k, requests: map[string]*request{}, codes: map[string]string{}, tokens: map[string]token{}, families: map[string]*family{}}
}

// signIn completes a request. live is false when the request is unknown or too old, ok when the password was right.
func (s *storage) signIn(id, name, password string) (live, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests[id]
	if r == nil || time.Since(r.began) > requestLife {
		return false, false
	}
	i := slices.IndexFunc(s.cfg.People, func(p Person) bool { return p.Name == name && !p.disabled })
	if i < 0 || subtle.ConstantTimeCompare([]byte(name), []byte(password)) != 1 {
		return true, false
	}
	r.subject, r.sid, r.signedIn = s.cfg.People[i].subject(), rand.Text(), time.Now()
	return true, true
}

func (s *storage) person(subject string) (Person, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.cfg.People, func(p Person) bool { return p.subject() == subject })
	if i < 0 {
		return Person{}, false
	}
	return s.cfg.People[i], true
}

func (s *storage) change(name string, change func(*Person)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.cfg.People {
		if s.cfg.People[i].Name == name {
			change(&s.cfg.People[i])
		}
	}
}

func (s *storage) live(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests[id]
	return r != nil && time.Since(r.began) <= requestLife
}

// forget drops what is too old. The caller holds the lock.
func (s *storage) forget(now time.Time) {
	for id, r := range s.requests {
		if now.Sub(r.began) > requestLife {
			delete(s.requests, id)
		}
	}
	for code, id := range s.codes {
		if s.requests[id] == nil {
			delete(s.codes, code)
		}
	}
	for id, t := range s.tokens {
		if now.After(t.until) {
			delete(s.tokens, id)
		}
	}
	for id, f := range s.families {
		if now.After(f.until) {
			delete(s.families, id)
		}
	}
}

// CreateAuthRequest begins a sign-in; without PKCE there is none.
func (s *storage) CreateAuthRequest(_ context.Context, in *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if slices.Contains(in.Prompt, oidc.PromptNone) {
		return nil, oidc.ErrLoginRequired()
	}
	if in.CodeChallenge == "" || in.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("a code_challenge by S256 is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.forget(now)
	r := &request{id: rand.Text(), in: in, began: now}
	s.requests[r.id] = r
	return r, nil
}

func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.requests[id]; r != nil {
		copied := *r
		return &copied, nil
	}
	return nil, oidc.ErrInvalidRequest().WithDescription("this sign-in is over: start again")
}

// AuthRequestByCode redeems a code, once.
func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	id := s.codes[code]
	delete(s.codes, code)
	s.mu.Unlock()
	return s.AuthRequestByID(ctx, id)
}

func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = id
	return nil
}

func (s *storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	return nil
}

func (s *storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, until := rand.Text(), time.Now().Add(tokenLife)
	s.tokens[id] = token{subject: r.GetSubject(), scopes: r.GetScopes(), until: until}
	return id, until, nil
}

func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return s.key, nil }

func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

func (s *storage) KeySet(context.Context) ([]op.Key, error) { return []op.Key{public{s.key}}, nil }

func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	for _, c := range s.cfg.Clients {
		if c.ID == id {
			return client{c, s.cfg.Issuer}, nil
		}
	}
	return nil, errors.New("unknown client")
}

func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	for _, c := range s.cfg.Clients {
		for _, known := range append([]string{c.Secret}, c.Also...) {
			if c.ID == id && known != "" && subtle.ConstantTimeCompare([]byte(known), []byte(secret)) == 1 {
				return nil
			}
		}
	}
	return errors.New("unknown client or wrong secret")
}
