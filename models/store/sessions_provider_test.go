package store

import (
	"crypto/sha256"
	"testing"
	"time"

	"slipway/models"
)

// session signs somebody in under a provider's session id and returns the token's hash.
func session(t *testing.T, s *Store, subject, token, sid string) []byte {
	t.Helper()
	wall, hash := s.clock.Wall(), sha256.Sum256([]byte(token))
	_, err := s.SignIn(t.Context(), visitor, models.Person{Issuer: "https://idp.test", Subject: subject, Name: subject, Groups: []string{"engineers"}, GroupsSeenAt: wall},
		models.Session{TokenHash: hash[:], CSRFSecret: []byte("csrf"), SID: sid, IDToken: []byte("sealed"), CreatedAt: wall, LastSeenAt: wall, ExpiresAt: wall.Add(8 * time.Hour)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return hash[:]
}

func TestEndAtProvider(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		subject, sid string
		ends         []string
	}{
		"a session":               {"ada", "one", []string{"ada one", "ada unknown"}},
		"a session by its id":     {"", "one", []string{"ada one"}},
		"a person":                {"ada", "", []string{"ada one", "ada two", "ada unknown"}},
		"somebody else's session": {"bob", "one", nil},
		"nobody":                  {"nobody", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t)
			hashes := map[string][]byte{"ada one": session(t, s, "ada", "1", "one"), "ada two": session(t, s, "ada", "2", "two"),
				"ada unknown": session(t, s, "ada", "3", ""), "bob": session(t, s, "bob", "4", "three")}
			out := models.ProviderLogout{Issuer: "https://idp.test", Subject: tc.subject, SID: tc.sid, TokenID: "jti", Until: s.clock.Wall().Add(time.Minute)}
			if err := s.EndAtProvider(t.Context(), visitor, out, s.clock.Wall()); err != nil {
				t.Fatal(err)
			}
			ended := map[string]bool{}
			for _, name := range tc.ends {
				ended[name] = true
			}
			for name, hash := range hashes {
				in, _, err := s.Session(t.Context(), visitor, hash)
				if err != nil || in.EndedAt.IsZero() == ended[name] || (in.EndedWhy == models.EndedAtProvider) != ended[name] {
					t.Errorf("%s: ended %v because %q, %v", name, in.EndedAt, in.EndedWhy, err)
				}
				if ended[name] && in.IDToken != nil {
					t.Errorf("%s: the ID token is kept", name)
				}
			}
			if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'auth.provider_signout' AND (after->>'sessions')::int = `+string(rune('0'+len(tc.ends)))); n != 1 {
				t.Errorf("%d audit entries", n)
			}
			if err := s.EndAtProvider(t.Context(), visitor, out, s.clock.Wall()); models.KindOf(err) != models.Conflict {
				t.Errorf("a second time: %v", err)
			}
			out.Issuer = "https://other.test"
			if err := s.EndAtProvider(t.Context(), visitor, out, s.clock.Wall()); err != nil {
				t.Errorf("the same id of another provider: %v", err)
			}
		})
	}
}

func TestLogoutTokensAreForgotten(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	out := models.ProviderLogout{Issuer: "https://idp.test", Subject: "ada", TokenID: "jti", Until: s.clock.Wall().Add(-models.KeptFor(models.SweptLogouts) - time.Second)}
	if err := s.EndAtProvider(t.Context(), visitor, out, s.clock.Wall()); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(t.Context(), "here"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, `SELECT count(*) FROM logout_tokens`); n != 0 {
		t.Errorf("%d are kept", n)
	}
}
