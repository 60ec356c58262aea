package auth_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/models"
	"slipway/web/auth"
	"slipway/web/auth/authtest"
	"slipway/web/webtest"
)

// offline is a site whose provider gives refresh tokens, and somebody signed in there.
func offline(t *testing.T, change ...func(*auth.Options)) (*webtest.Site, *webtest.Browser) {
	t.Helper()
	s := webtest.Serve(t, webtest.Config{Auth: func(o *auth.Options) {
		for _, c := range change {
			c(o)
		}
	}})
	s.Provider.Offline = true
	b := s.Browser(t)
	b.SignIn()
	return s, b
}

func groupsOf(a webtest.Answer) string { return strings.Split(a.Text+"\n\n\n", "\n")[2] }

func TestGroupsAreReadAgain(t *testing.T) {
	s, b := offline(t)
	s.Provider.Claims = claim2("groups", []string{"engineers", "auditors"})
	b.Get("/")
	if n := s.Provider.Refreshes.Load(); n != 0 {
		t.Fatalf("asked %d times before it is due", n)
	}
	for i, groups := range [][]string{{"auditors", "engineers"}, {"auditors"}, nil} {
		s.Provider.Claims = claim2("groups", groups)
		s.Store.Recheck(11 * time.Minute)
		if a := b.Get("/"); a.StatusCode != http.StatusOK || groupsOf(a) != strings.Join(groups, ",") {
			t.Errorf("after change %d: %s with groups %q", i, a.Status, groupsOf(a))
		}
		b.Get("/")
		if n := s.Provider.Refreshes.Load(); n != int32(i+1) {
			t.Errorf("asked %d times after %d intervals", n, i+1)
		}
	}
	if strings.Contains(s.Log.String(), "refresh-") {
		t.Error("a refresh token is in the log")
	}
	for _, in := range s.Store.Sessions() {
		if strings.Contains(string(in.RefreshToken), "refresh-") {
			t.Error("the refresh token is kept in the clear")
		}
	}
}

func claim2(name string, value any) func(map[string]any) {
	return func(c map[string]any) {
		if value == nil {
			delete(c, name)
		} else {
			c[name] = value
		}
	}
}

func TestManyRequestsRefreshOnce(t *testing.T) {
	s, b := offline(t)
	s.Store.Recheck(11 * time.Minute)
	var wg sync.WaitGroup
	token := b.Cookie("slipway_session")
	for range 20 {
		tab := s.Browser(t)
		tab.Plant("slipway_session", token)
		wg.Go(func() {
			if a := tab.Get("/notes/live"); a.StatusCode != http.StatusOK {
				t.Errorf("%s", a.Status)
			}
		})
	}
	wg.Wait()
	if n := s.Provider.Refreshes.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestWithoutRefreshTokenGroupsStay(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	b.SignIn()
	s.Store.Recheck(5 * time.Hour)
	if a := b.Get("/"); a.StatusCode != http.StatusOK || s.Provider.Refreshes.Load() != 0 {
		t.Errorf("%s, asked %d times", a.Status, s.Provider.Refreshes.Load())
	}
}

// hostileRefreshes end the session: the provider, or somebody in its place, no longer vouches for this person.
var hostileRefreshes = map[string]lie{
	"refused":             {func(p *authtest.Provider) { p.Refresh = status(400, `{"error":"invalid_grant"}`) }, 0, "invalid_grant"},
	"another subject":     {claim("sub", "u-2"), 0, "another person"},
	"another issuer":      {claim("iss", "https://evil.example.com"), 0, "different provider"},
	"another nonce":       {claim("nonce", "guessed"), 0, "nonce"},
	"another audience":    {claim("aud", "other-client"), 0, "audience"},
	"another azp":         {claim("azp", "other-client"), 0, "azp"},
	"wrong at_hash":       {claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), 0, "at_hash"},
	"expired":             {claim("exp", time.Now().Add(-2*time.Minute).Unix()), 0, "expired"},
	"issued long ago":     {claim("iat", time.Now().Add(-time.Hour).Unix()), 0, "long ago"},
	"forged signature":    {func(p *authtest.Provider) { p.Sign = (*authtest.Provider).SignOther }, 0, "verify"},
	"alg none":            {func(p *authtest.Provider) { p.Sign = (*authtest.Provider).SignNone }, 0, "verify"},
	"groups as an object": {claim("groups", map[string]any{"a": true}), 0, "neither text nor a list"},
	"overage": {func(p *authtest.Provider) {
		p.Claims = func(c map[string]any) { delete(c, "groups"); c["hasgroups"] = true }
	}, 0, "too many"},
	"userinfo about somebody else": {func(p *authtest.Provider) {
		p.Claims = func(c map[string]any) { delete(c, "groups") }
		p.UserInfo = func(i map[string]any) { i["sub"] = "u-2" }
	}, 0, "another subject"},
}

func TestHostileRefresh(t *testing.T) {
	for name, l := range hostileRefreshes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, b := offline(t)
			l.tell(s.Provider)
			s.Store.Recheck(11 * time.Minute)
			a := b.Get("/")
			if a.StatusCode != http.StatusUnauthorized || !strings.Contains(a.Text, "no longer confirms this sign-in") {
				t.Errorf("answered %s: %.300s", a.Status, a.Text)
			}
			if audit := strings.Join(s.Store.Audit(), "\n"); !strings.Contains(audit, l.reason) || !strings.Contains(audit, "auth.session_ended") {
				t.Errorf("audited %q, want %q in it", audit, l.reason)
			}
			if strings.Contains(s.Log.String(), "eyJ") || strings.Contains(s.Log.String(), "refresh-") {
				t.Error("a token is in the log")
			}
		})
	}
}

// outages keep the session for a bounded time.
var outages = map[string]func(p *authtest.Provider){
	"500":          func(p *authtest.Provider) { p.Refresh = status(500, "broken") },
	"502":          func(p *authtest.Provider) { p.Refresh = status(502, "bad gateway") },
	"429":          func(p *authtest.Provider) { p.Refresh = status(429, `{"error":"slow_down"}`) },
	"wrong secret": func(p *authtest.Provider) { p.Refresh = status(401, `{"error":"invalid_client"}`) },
	"html":         func(p *authtest.Provider) { p.Refresh = status(200, "<html>") },
	"hangs up": func(p *authtest.Provider) {
		p.Refresh = func(http.ResponseWriter, map[string]any) bool { panic(http.ErrAbortHandler) }
	},
	"keys unreachable": func(p *authtest.Provider) {
		p.Sign = (*authtest.Provider).SignOther
		p.Keys = func(w http.ResponseWriter) bool { w.WriteHeader(500); return true }
	},
}

func TestProviderAwayKeepsTheSessionForAWhile(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, b := offline(t)
			outage(s.Provider)
			s.Store.Recheck(11 * time.Minute)
			if a := b.Get("/"); a.StatusCode != http.StatusOK || groupsOf(a) != "engineers" {
				t.Fatalf("at first: %s", a.Status)
			}
			n := s.Provider.Refreshes.Load()
			b.Get("/")
			if again := s.Provider.Refreshes.Load(); n != 1 || again != n {
				t.Errorf("asked %d times, then %d: it hammers what is down", n, again)
			}
			in := s.Store.Sessions()[0]
			if in.FailingSince.IsZero() || !in.EndedAt.IsZero() {
				t.Errorf("failing since %v, ended %v", in.FailingSince, in.EndedAt)
			}
			s.Store.Recheck(time.Hour)
			if a := b.Get("/"); a.StatusCode != http.StatusUnauthorized || !strings.Contains(a.Text, "could not confirm your groups") {
				t.Errorf("after the grace: %s", a.Status)
			}
			if got := s.Store.Sessions()[0].EndedWhy; got != models.EndedUnsure {
				t.Errorf("ended because %q", got)
			}
		})
	}
}

func TestProviderComesBack(t *testing.T) {
	s, b := offline(t)
	s.Provider.Refresh = status(503, "maintenance")
	s.Store.Recheck(11 * time.Minute)
	b.Get("/")
	s.Provider.Refresh = nil
	s.Provider.Claims = claim2("groups", []string{"auditors"})
	s.Store.Recheck(0)
	if a := b.Get("/"); a.StatusCode != http.StatusOK || groupsOf(a) != "auditors" {
		t.Errorf("once it is back: %s with %q", a.Status, groupsOf(a))
	}
	if in := s.Store.Sessions()[0]; !in.FailingSince.IsZero() {
		t.Error("it still counts as failing")
	}
}

// TestCrashBetweenAnswerAndCommit: the provider has replaced the token, and whoever asked died before it was written down. The next
// process is refused, and must not take that for the provider's judgement of the person.
func TestCrashBetweenAnswerAndCommit(t *testing.T) {
	s, b := offline(t)
	s.Provider.Lose()
	s.Store.Abandon()
	s.Store.Recheck(11 * time.Minute)
	if a := b.Get("/"); a.StatusCode != http.StatusOK {
		t.Fatalf("the session is gone: %s", a.Status)
	}
	in := s.Store.Sessions()[0]
	if in.Rechecks || in.FailingSince.IsZero() {
		t.Errorf("it goes on as if nothing were: %v, failing since %v", in.Rechecks, in.FailingSince)
	}
	b.Get("/")
	if n := s.Provider.Refreshes.Load(); n != 1 {
		t.Errorf("asked %d times with a token that is used up", n)
	}
	s.Store.Recheck(time.Hour)
	if a := b.Get("/"); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the grace: %s", a.Status)
	}
}

// TestSlowProviderDoesNotLoseTheToken: the visitor leaves, the answer comes later and is kept.
func TestSlowProviderDoesNotLoseTheToken(t *testing.T) {
	s, b := offline(t)
	answerNow, asked := make(chan struct{}), make(chan struct{})
	s.Provider.Refresh = func(http.ResponseWriter, map[string]any) bool { close(asked); <-answerNow; return false }
	s.Store.Recheck(11 * time.Minute)
	got := make(chan webtest.Answer, 1)
	go func() { got <- b.Get("/") }()
	<-asked
	if a := <-got; a.StatusCode != http.StatusOK {
		t.Errorf("the page waits for ever: %s", a.Status)
	}
	close(answerNow)
	if err := s.Auth.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Provider.Refresh = nil
	s.Store.Recheck(11 * time.Minute)
	if a := b.Get("/"); a.StatusCode != http.StatusOK || s.Provider.Refreshes.Load() != 2 || !s.Store.Sessions()[0].FailingSince.IsZero() {
		t.Errorf("the late answer was lost: %s", a.Status)
	}
}

func TestConsentIsAskedWhereConfigured(t *testing.T) {
	for consent, want := range map[bool]string{true: "prompt=consent", false: ""} {
		s := webtest.Serve(t, webtest.Config{Auth: func(o *auth.Options) { o.Consent = consent }})
		at := s.Browser(t).Get("/auth/login").Header.Get("Location")
		if strings.Contains(at, "prompt=") != consent || !strings.Contains(at, want) {
			t.Errorf("consent %v: %s", consent, at)
		}
		if at := s.Browser(t).Get("/auth/login?fresh=yes").Header.Get("Location"); !strings.Contains(at, "prompt=login") {
			t.Errorf("fresh: %s", at)
		}
	}
}
