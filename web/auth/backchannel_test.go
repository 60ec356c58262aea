package auth_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"slipway/web/auth"
	"slipway/web/auth/authtest"
	"slipway/web/webtest"
)

// sendLogout posts as a provider does: without a cookie, an origin or anything else that a browser adds.
func sendLogout(t *testing.T, s *webtest.Site, fields url.Values, header ...string) webtest.Answer {
	t.Helper()
	return s.Browser(t).Post(auth.BackchannelPath, fields, append([]string{"Sec-Fetch-Site", "", "Origin", ""}, header...)...)
}

func TestSignOutAtProviderEndsTheSession(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"subject and session": func(map[string]any) {},
		"session alone":       func(c map[string]any) { delete(c, "sub") },
		"subject alone":       func(c map[string]any) { delete(c, "sid") },
		"several audiences":   func(c map[string]any) { c["aud"] = []string{"other-client", authtest.ClientID} },
	} {
		for _, typ := range []string{"logout+jwt", "application/logout+jwt", ""} {
			s := webtest.Serve(t, webtest.Config{})
			b := s.Browser(t)
			b.SignIn()
			claims := s.Provider.LogoutClaims()
			change(claims)
			a := sendLogout(t, s, url.Values{"logout_token": {s.Provider.SignLogout(typ, claims)}})
			if a.StatusCode != http.StatusOK || a.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("%s, typ %q: %s %s, Cache-Control %q", name, typ, a.Status, a.Text, a.Header.Get("Cache-Control"))
			}
			page := b.Get("/")
			if page.StatusCode != http.StatusUnauthorized || !strings.Contains(page.Text, "signed out at the identity provider") || !strings.Contains(page.Text, "/auth/login") {
				t.Errorf("%s, typ %q: the next page is %s: %.300s", name, typ, page.Status, page.Text)
			}
			if a := b.Get("/notes/live", "HX-Request", "true"); a.StatusCode != http.StatusUnauthorized || a.Header.Get("HX-Redirect") == "" {
				t.Errorf("%s: a fragment: %s", name, a.Status)
			}
			if got := strings.Join(s.Store.Audit(), " "); !strings.Contains(got, "auth.provider_signout") {
				t.Errorf("audited %q", got)
			}
		}
	}
}

// hostileLogouts are ways to sign somebody out who is not to be; none may end a session.
var hostileLogouts = map[string]struct {
	claims func(map[string]any)
	token  func(p *authtest.Provider, c map[string]any) string // how it is signed; nil: honestly
	reason string                                              // in the audit log
}{
	"forged signature":          {nil, (*authtest.Provider).SignOther, "verify signature"},
	"alg none":                  {nil, (*authtest.Provider).SignNone, "not a signed token"},
	"HS256 with the public key": {nil, (*authtest.Provider).SignHS256, "not a signed token"},
	"not a token":               {nil, func(*authtest.Provider, map[string]any) string { return "a.b.c" }, "not a signed token"},
	"an ID token":               {func(c map[string]any) { delete(c, "events"); delete(c, "jti"); c["nonce"] = "n" }, (*authtest.Provider).SignRS256, "missing required"},
	"an ID token's typ":         {nil, typed("JWT"), "typ"},
	"an access token's typ":     {nil, typed("at+jwt"), "typ"},
	"no event":                  {func(c map[string]any) { delete(c, "events") }, nil, "missing required"},
	"another event":             {func(c map[string]any) { c["events"] = map[string]any{"urn:other": map[string]any{}} }, nil, "missing required"},
	"with a nonce":              {func(c map[string]any) { c["nonce"] = "n" }, nil, "nonce"},
	"no jti":                    {func(c map[string]any) { delete(c, "jti") }, nil, "jti"},
	"empty jti":                 {func(c map[string]any) { c["jti"] = "" }, nil, "jti"},
	"oversized jti":             {func(c map[string]any) { c["jti"] = strings.Repeat("j", 300) }, nil, "too long"},
	"jti with a control":        {func(c map[string]any) { c["jti"] = "j\x00" }, nil, "not plain"},
	"neither sub nor sid":       {func(c map[string]any) { delete(c, "sub"); delete(c, "sid") }, nil, "'sub'"},
	"oversized sid":             {func(c map[string]any) { c["sid"] = strings.Repeat("s", 300) }, nil, "too long"},
	"another issuer":            {func(c map[string]any) { c["iss"] = "https://evil.example.com" }, nil, "different provider"},
	"issuer with a slash more":  {func(c map[string]any) { c["iss"] = fmt.Sprint(c["iss"]) + "/" }, nil, "different provider"},
	"another audience":          {func(c map[string]any) { c["aud"] = "other-client" }, nil, "audience"},
	"no audience":               {func(c map[string]any) { delete(c, "aud") }, nil, "audience"},
	"no exp":                    {func(c map[string]any) { delete(c, "exp") }, nil, "exp"},
	"expired":                   {func(c map[string]any) { c["exp"] = time.Now().Add(-2 * time.Minute).Unix() }, nil, "expired"},
	"no iat":                    {func(c map[string]any) { delete(c, "iat") }, nil, "when it was issued"},
	"issued long ago":           {func(c map[string]any) { c["iat"] = time.Now().Add(-time.Hour).Unix() }, nil, "long ago"},
	"issued in the future":      {func(c map[string]any) { c["iat"] = time.Now().Add(5 * time.Minute).Unix() }, nil, "in the future"},
	"claims that are no object": {nil, func(p *authtest.Provider, _ map[string]any) string { return p.SignLogout("logout+jwt", nil) }, "missing required"},
}

func typed(typ string) func(*authtest.Provider, map[string]any) string {
	return func(p *authtest.Provider, c map[string]any) string { return p.SignLogout(typ, c) }
}

func TestHostileLogout(t *testing.T) {
	for name, tc := range hostileLogouts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := webtest.Serve(t, webtest.Config{})
			b := s.Browser(t)
			b.SignIn()
			claims := s.Provider.LogoutClaims()
			if tc.claims != nil {
				tc.claims(claims)
			}
			sign := tc.token
			if sign == nil {
				sign = typed("logout+jwt")
			}
			a := sendLogout(t, s, url.Values{"logout_token": {sign(s.Provider, claims)}})
			if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.Text, `"error":"invalid_request"`) || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("answered %s: %s", a.Status, a.Text)
			}
			if a := b.Get("/"); a.StatusCode != http.StatusOK {
				t.Errorf("the session has ended: %s", a.Status)
			}
			audit := strings.Join(s.Store.Audit(), "\n")
			if !strings.Contains(audit, "auth.logout_refused") || !strings.Contains(audit, tc.reason) {
				t.Errorf("audited %q, want %q in it", audit, tc.reason)
			}
			if strings.Contains(s.Log.String(), "eyJ") {
				t.Error("a token is in the log")
			}
		})
	}
	if len(hostileLogouts) < 25 {
		t.Errorf("only %d", len(hostileLogouts))
	}
}

func TestLogoutTokenIsSentProperly(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	b.SignIn()
	token := func() string { return s.Provider.SignLogout("logout+jwt", s.Provider.LogoutClaims()) }
	for name, a := range map[string]webtest.Answer{
		"nothing":       sendLogout(t, s, nil),
		"another field": sendLogout(t, s, url.Values{"id_token": {token()}}),
		"twice":         sendLogout(t, s, url.Values{"logout_token": {token(), token()}}),
		"oversized":     sendLogout(t, s, url.Values{"logout_token": {strings.Repeat("x", 70<<10)}}),
		"as JSON":       s.Browser(t).Send(http.MethodPost, auth.BackchannelPath, strings.NewReader(`{"logout_token":"`+token()+`"}`), "Content-Type", "application/json"),
	} {
		if a.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", name, a.Status)
		}
	}
	if a := s.Browser(t).Get(auth.BackchannelPath + "?logout_token=" + token()); a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("by GET: %s", a.Status)
	}
	if a := b.Get("/"); a.StatusCode != http.StatusOK {
		t.Errorf("the session has ended: %s", a.Status)
	}
}

func TestLogoutTokenWorksOnce(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	token := url.Values{"logout_token": {s.Provider.SignLogout("logout+jwt", s.Provider.LogoutClaims())}}
	if a := sendLogout(t, s, token); a.StatusCode != http.StatusOK { // nobody is signed in: fine, too
		t.Fatal(a.Status)
	}
	b.SignIn()
	if a := sendLogout(t, s, token); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.Text, "used already") {
		t.Errorf("a second time: %s %s", a.Status, a.Text)
	}
	if a := b.Get("/"); a.StatusCode != http.StatusOK {
		t.Errorf("the session has ended: %s", a.Status)
	}
}

func TestLogoutOfAnotherSession(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	b.SignIn()
	claims := s.Provider.LogoutClaims()
	claims["sid"] = "sid-2"
	if a := sendLogout(t, s, url.Values{"logout_token": {s.Provider.SignLogout("logout+jwt", claims)}}); a.StatusCode != http.StatusOK {
		t.Fatal(a.Status)
	}
	if a := b.Get("/"); a.StatusCode != http.StatusOK {
		t.Errorf("the session has ended with another: %s", a.Status)
	}
}

// TestForgedLogoutsDoNotHammerTheProvider sends many tokens under keys that do not exist. The provider is asked a few times, and an
// honest token still works, under a new key, too.
func TestForgedLogoutsDoNotHammerTheProvider(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	b.SignIn()
	before := s.Provider.KeyReads.Load()
	s.Provider.Rotate(t)
	forged := url.Values{"logout_token": {s.Provider.SignOther(s.Provider.LogoutClaims())}}
	for range 100 {
		if a := sendLogout(t, s, forged); a.StatusCode == http.StatusOK {
			t.Fatal("a forged token was obeyed")
		}
	}
	if n := s.Provider.KeyReads.Load() - before; n == 0 || n > 5 {
		t.Errorf("100 forged tokens made %d readings of the keys", n)
	}
	if n := strings.Count(strings.Join(s.Store.Audit(), "\n"), "auth.logout_refused"); n > 20 {
		t.Errorf("%d entries in the audit log", n)
	}
	if a := sendLogout(t, s, url.Values{"logout_token": {s.Provider.SignLogout("logout+jwt", s.Provider.LogoutClaims())}}); a.StatusCode != http.StatusOK {
		t.Errorf("an honest token among them: %s %s", a.Status, a.Text)
	}
}

func TestLogoutWhileKeysAreUnreachable(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	s.Provider.Keys = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusBadGateway); return true }
	a := sendLogout(t, s, url.Values{"logout_token": {s.Provider.SignLogout("logout+jwt", s.Provider.LogoutClaims())}})
	if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || len(s.Store.Audit()) != 0 {
		t.Errorf("%s, Retry-After %q, audited %v", a.Status, a.Header.Get("Retry-After"), s.Store.Audit())
	}
}
