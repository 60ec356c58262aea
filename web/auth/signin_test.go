package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"slipway/web"
	"slipway/web/auth"
	"slipway/web/webtest"
)

func TestSignInLeadsBackToThePage(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	first := b.Get("/notes/new?draft=x")
	if first.StatusCode != http.StatusSeeOther || first.Header.Get("Location") != "/auth/login?return=%2Fnotes%2Fnew%3Fdraft%3Dx" {
		t.Fatalf("without a session: %s to %q", first.Status, first.Header.Get("Location"))
	}
	last := b.Follow("/notes/new?draft=x")
	if last.StatusCode != http.StatusOK || last.Request.URL.RequestURI() != "/notes/new?draft=x" {
		t.Fatalf("signed in at %s: %s", last.Request.URL, last.Status)
	}
	if !strings.HasPrefix(last.Text, "u-1\n") || !strings.Contains(last.Text, "engineers") || !strings.Contains(last.Text, "ada@example.com") {
		t.Errorf("the page sees %q", last.Text)
	}
	if got := s.Store.Audit(); len(got) != 1 || got[0] != "auth.signin" {
		t.Errorf("audited %q", got)
	}
	if len(s.Store.SignIns()) != 0 {
		t.Error("a finished sign-in is used up")
	}
}

func TestSignInKeepsNothingReadable(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	at, err := b.Get("/auth/login").Location()
	if err != nil {
		t.Fatal(err)
	}
	q := at.Query()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("state")) < 40 || len(q.Get("nonce")) < 40 || q.Get("redirect_uri") != s.URL+"/auth/callback" {
		t.Fatalf("asked the provider for %v", q)
	}
	for _, in := range s.Store.SignIns() {
		if string(in.StateHash) == q.Get("state") || in.Nonce == q.Get("nonce") || strings.Contains(in.Verifier, ".") || len(in.Verifier) < 60 {
			t.Errorf("stored %+v", in)
		}
		if life := time.Until(in.ExpiresAt); life > 10*time.Minute || life < 9*time.Minute {
			t.Errorf("a sign-in lives %s", life)
		}
	}
	b.SignIn()
	for _, in := range s.Store.Sessions() {
		cookie := b.Cookie("slipway_session")
		if strings.Contains(string(in.TokenHash), cookie) || strings.Contains(string(in.IDToken), "eyJ") {
			t.Error("the token or the ID token is readable in the store")
		}
	}
}

func TestCookies(t *testing.T) {
	for name, tc := range map[string]struct{ public, host, cookie string }{
		"https": {"https://slipway.example.com", "slipway.example.com", "__Host-slipway_browser"},
		"http":  {"", "", "slipway_browser"},
	} {
		s := webtest.Serve(t, webtest.Config{
			Auth: func(o *auth.Options) { o.PublicURL = or(tc.public, o.PublicURL) },
			Web:  func(o *web.Options) { o.PublicURL = or(tc.public, o.PublicURL) },
		})
		host := or(tc.host, strings.TrimPrefix(s.URL, "http://"))
		c := s.Browser(t).Get("/auth/login", "Host", host).Cookies()
		if len(c) != 1 || c[0].Name != tc.cookie || !c[0].HttpOnly || c[0].SameSite != http.SameSiteLaxMode || c[0].Path != "/" || c[0].Domain != "" || c[0].Secure != (tc.public != "") {
			t.Errorf("%s: cookies %+v", name, c)
		}
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestNewSessionIDAtEachSignIn(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	b.Plant("slipway_session", strings.Repeat("A", 43))
	b.SignIn()
	first := b.Cookie("slipway_session")
	if first == strings.Repeat("A", 43) {
		t.Fatal("a planted session id was kept")
	}
	b.SignIn()
	second := b.Cookie("slipway_session")
	if first == second {
		t.Fatal("signing in again kept the session id")
	}
	b.Plant("slipway_session", first)
	if a := b.Get("/"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the replaced session still answers %s", a.Status)
	}
}

func TestSeveralTabs(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	one, _ := b.Get("/auth/login?return=/notes/new").Location()
	two, _ := b.Get("/auth/login").Location()
	for want, at := range map[string]*url.URL{"/notes/new": one, "/": two} {
		if got := b.Follow(at.String()); got.StatusCode != http.StatusOK || got.Request.URL.Path != want {
			t.Errorf("a tab that wanted %s came to %s: %s", want, got.Request.URL, got.Status)
		}
	}
}

func TestSignOut(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	token := b.SignIn()
	kept := b.Cookie("slipway_session")
	out := b.Post("/auth/logout", url.Values{"_csrf": {token}})
	refresh := out.Header.Get("Refresh")
	if out.StatusCode != http.StatusOK || !strings.HasPrefix(refresh, "0; url="+s.Provider.URL+"/logout?") || !strings.Contains(refresh, "id_token_hint=eyJ") ||
		!strings.Contains(refresh, "post_logout_redirect_uri="+url.QueryEscape(s.URL+"/")) {
		t.Fatalf("signing out: %s, Refresh %q", out.Status, refresh)
	}
	if !strings.Contains(out.Text, s.Provider.URL+"/logout") || !strings.Contains(out.Text, "<title>") {
		t.Error("the page has no link to go on")
	}
	b.Plant("slipway_session", kept)
	if a := b.Get("/"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the ended session still answers %s", a.Status)
	}
	if got := s.Store.Audit(); got[len(got)-1] != "auth.signout" {
		t.Errorf("audited %q", got)
	}
}

func TestSignOutWithoutProvider(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{Auth: func(o *auth.Options) {}})
	s.Provider.Metadata = func(m map[string]any) { delete(m, "end_session_endpoint") }
	b := s.Browser(t)
	token := b.SignIn()
	out := b.Post("/auth/logout", url.Values{"_csrf": {token}})
	if out.StatusCode != http.StatusOK || out.Header.Get("Refresh") != "" || !strings.Contains(out.Text, "/auth/login") {
		t.Errorf("%s, Refresh %q", out.Status, out.Header.Get("Refresh"))
	}
}
