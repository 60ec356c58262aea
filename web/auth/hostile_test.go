package auth_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"slipway/web/auth"
	"slipway/web/auth/authtest"
	"slipway/web/webtest"
)

// lie is one way in which a provider, or somebody between it and the browser, deceives.
type lie struct {
	tell   func(p *authtest.Provider)
	status int // 401 unless given
	reason string
}

func claim(name string, value any) func(*authtest.Provider) {
	return func(p *authtest.Provider) {
		p.Claims = func(c map[string]any) {
			if value == nil {
				delete(c, name)
			} else {
				c[name] = value
			}
		}
	}
}

func back(change func(url.Values)) func(*authtest.Provider) {
	return func(p *authtest.Provider) { p.Callback = change }
}

func status(code int, body string) func(http.ResponseWriter, map[string]any) bool {
	return func(w http.ResponseWriter, _ map[string]any) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprint(w, body)
		return true
	}
}

var lies = map[string]lie{
	"forged signature":          {func(p *authtest.Provider) { p.Sign = (*authtest.Provider).SignOther }, 0, "verify ID token"},
	"alg none":                  {func(p *authtest.Provider) { p.Sign = (*authtest.Provider).SignNone }, 0, "verify ID token"},
	"HS256 with the public key": {func(p *authtest.Provider) { p.Sign = (*authtest.Provider).SignHS256 }, 0, "verify ID token"},
	"not a token":               {func(p *authtest.Provider) { p.Sign = func(*authtest.Provider, map[string]any) string { return "a.b" } }, 0, "verify ID token"},
	"no ID token":               {func(p *authtest.Provider) { p.Sign = func(*authtest.Provider, map[string]any) string { return "" } }, 0, "no ID token"},
	"oversized ID token":        {claim("filler", strings.Repeat("x", 70<<10)), 0, "sensible size"},
	"expired":                   {claim("exp", time.Now().Add(-2*time.Minute).Unix()), 0, "expired"},
	"no expiry":                 {claim("exp", nil), 0, "expired"},
	"not yet valid":             {claim("nbf", time.Now().Add(2*time.Minute).Unix()), 0, "not valid yet"},
	"issued long ago":           {claim("iat", time.Now().Add(-time.Hour).Unix()), 0, "issued long ago"},
	"issued in the future":      {claim("iat", time.Now().Add(5*time.Minute).Unix()), 0, "in the future"},
	"no iat":                    {claim("iat", nil), 0, "when it was issued"},
	"another issuer":            {claim("iss", "https://evil.example.com"), 0, "different provider"},
	"issuer with a slash more":  {func(p *authtest.Provider) { p.Claims = func(c map[string]any) { c["iss"] = p.URL + "/" } }, 0, "different provider"},
	"another audience":          {claim("aud", "other-client"), 0, "expected audience"},
	"two audiences without azp": {claim("aud", []string{authtest.ClientID, "other-client"}), 0, "azp"},
	"another azp":               {claim("azp", "other-client"), 0, "azp"},
	"another nonce":             {claim("nonce", "guessed"), 0, "nonce"},
	"no nonce":                  {claim("nonce", nil), 0, "nonce"},
	"wrong at_hash":             {claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), 0, "at_hash"},
	"no subject":                {claim("sub", ""), 0, "subject"},
	"oversized subject":         {claim("sub", strings.Repeat("s", 300)), 0, "subject"},
	"subject with a control":    {claim("sub", "u-1\n"), 0, "subject"},
	"groups as an object":       {claim("groups", map[string]any{"a": true}), 0, "neither text nor a list"},
	"groups with a number":      {claim("groups", []any{"engineers", 7}), 0, "not text"},
	"too many groups":           {claim("groups", strings.Split(strings.Repeat("g,", 2001), ",")), 0, "more than"},
	"group with a control":      {claim("groups", []string{"engineers\x00"}), 0, "not plain text"},
	"overage by hasgroups": {func(p *authtest.Provider) {
		p.Claims = func(c map[string]any) { delete(c, "groups"); c["hasgroups"] = true }
	}, 0, "too many"},
	"overage by claim source": {func(p *authtest.Provider) {
		p.Claims = func(c map[string]any) {
			delete(c, "groups")
			c["_claim_names"] = map[string]any{"groups": "src1"}
			c["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": "https://graph.example.com/x"}}
		}
	}, 0, "too many"},
	"userinfo about somebody else": {func(p *authtest.Provider) {
		p.Claims = func(c map[string]any) { delete(c, "groups") }
		p.UserInfo = func(i map[string]any) { i["sub"] = "u-2" }
	}, 0, "another subject"},
	"oversized userinfo": {func(p *authtest.Provider) {
		p.Claims = func(c map[string]any) { delete(c, "groups") }
		p.UserInfo = func(i map[string]any) { i["filler"] = strings.Repeat("x", 2<<20) }
	}, 0, "longer than"},
	"no state":          {back(func(q url.Values) { q.Del("state") }), 0, "no state"},
	"another state":     {back(func(q url.Values) { q.Set("state", "guessed") }), 0, "state is unknown"},
	"state twice":       {back(func(q url.Values) { q.Add("state", q.Get("state")) }), 0, "repeats state"},
	"oversized state":   {back(func(q url.Values) { q.Set("state", strings.Repeat("s", 3000)) }), 0, "no state"},
	"no code":           {back(func(q url.Values) { q.Del("code") }), 0, "no code"},
	"code twice":        {back(func(q url.Values) { q.Add("code", "other") }), 0, "repeats code"},
	"another code":      {back(func(q url.Values) { q.Set("code", "guessed") }), 0, "invalid_grant"},
	"oversized code":    {back(func(q url.Values) { q.Set("code", strings.Repeat("c", 5000)) }), 0, "no code"},
	"mix-up of issuers": {back(func(q url.Values) { q.Set("iss", "https://evil.example.com") }), 0, "another issuer"},
	"iss left out": {func(p *authtest.Provider) {
		p.Metadata = func(m map[string]any) { m["authorization_response_iss_parameter_supported"] = true }
	}, 0, "another issuer"},
	"error from provider":    {back(func(q url.Values) { q.Del("code"); q.Set("error", "access_denied<script>") }), 0, "access_denied"},
	"token endpoint 400":     {func(p *authtest.Provider) { p.Token = status(400, `{"error":"invalid_client"}`) }, 0, "invalid_client"},
	"token endpoint html":    {func(p *authtest.Provider) { p.Token = status(200, `<html>`) }, 0, "redeem code"},
	"token endpoint 502":     {func(p *authtest.Provider) { p.Token = status(502, `bad gateway`) }, 503, ""},
	"oversized token answer": {func(p *authtest.Provider) { p.Token = status(200, `{"access_token":"`+strings.Repeat("x", 2<<20)+`"}`) }, 0, "redeem code"},
	"token endpoint redirects": {func(p *authtest.Provider) {
		p.Token = func(w http.ResponseWriter, _ map[string]any) bool {
			w.Header().Set("Location", "https://evil.example.com/token")
			w.WriteHeader(307)
			return true
		}
	}, 0, "status 307"},
	"keys unreachable": {func(p *authtest.Provider) {
		p.Keys = func(w http.ResponseWriter) bool { w.WriteHeader(500); return true }
	}, 503, ""},
	"oversized keys": {func(p *authtest.Provider) {
		p.Keys = func(w http.ResponseWriter) bool {
			fmt.Fprint(w, `{"keys":[],"x":"`, strings.Repeat("x", 2<<20), `"}`)
			return true
		}
	}, 503, ""},
}

func TestHostileProvider(t *testing.T) {
	for name, l := range lies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := webtest.Serve(t, webtest.Config{})
			l.tell(s.Provider)
			b := s.Browser(t)
			a := b.Follow("/auth/login")
			want := l.status
			if want == 0 {
				want = http.StatusUnauthorized
			}
			if a.StatusCode != want || a.Request.URL.Path != auth.CallbackPath {
				t.Fatalf("answered %s at %s, want %d", a.Status, a.Request.URL.Path, want)
			}
			if len(s.Store.Sessions()) != 0 || b.Cookie("slipway_session") != "" {
				t.Fatal("there is a session")
			}
			if !strings.Contains(a.Text, a.Header.Get("X-Request-Id")) || !strings.Contains(a.Text, "<title>") {
				t.Error("the page does not say its request id")
			}
			if strings.Contains(a.Text, "<script>access") || strings.Contains(a.Text, "access_denied<") {
				t.Error("the provider's words reached the page unescaped")
			}
			audit := strings.Join(s.Store.Audit(), "\n")
			if want == http.StatusUnauthorized && !strings.Contains(audit, l.reason) {
				t.Errorf("audited %q, want %q in it", audit, l.reason)
			}
			if want != http.StatusUnauthorized && (audit != "" || a.Header.Get("Retry-After") == "") {
				t.Errorf("an outage was audited as %q, Retry-After %q", audit, a.Header.Get("Retry-After"))
			}
			if log := s.Log.String(); strings.Contains(log, "eyJ") || strings.Contains(log, authtest.ClientSecret) {
				t.Error("a token or the client's secret is in the log")
			}
		})
	}
	if len(lies) < 25 {
		t.Errorf("only %d lies", len(lies))
	}
}

func TestCallbackWorksOnce(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	at, _ := b.Get("/auth/login").Location()
	callback, _ := b.Get(at.String()).Location()
	if a := b.Get(callback.String()); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("first: %s", a.Status)
	}
	if a := b.Get(callback.String()); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("replayed: %s", a.Status)
	}
	if n := len(s.Store.Sessions()); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

func TestCallbackInAnotherBrowser(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	mine, theirs := s.Browser(t), s.Browser(t)
	at, _ := mine.Get("/auth/login").Location()
	callback, _ := mine.Get(at.String()).Location()
	theirs.Get("/auth/login") // they have a browser cookie of their own
	if a := theirs.Get(callback.String()); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("another browser finished the sign-in: %s", a.Status)
	}
	if len(s.Store.Sessions()) != 0 {
		t.Error("there is a session")
	}
}

func TestCallbackTooLate(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	at, _ := b.Get("/auth/login").Location()
	callback, _ := b.Get(at.String()).Location()
	s.Store.Age(11 * time.Minute)
	if a := b.Get(callback.String()); a.StatusCode != http.StatusUnauthorized || !strings.Contains(strings.Join(s.Store.Audit(), ""), "ten minutes") {
		t.Errorf("after eleven minutes: %s", a.Status)
	}
}

func TestReturnPathStaysHere(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	for _, to := range []string{"https://evil.example.com", "//evil.example.com", `/\evil.example.com`, `\/evil.example.com`, "/%2f/evil.example.com", "/%5cevil.example.com",
		"javascript:alert(1)", "/\t/evil.example.com", "http:evil.example.com", "/auth/logout", "///evil.example.com", "evil", "/x\nLocation: https://evil.example.com", "/" + strings.Repeat("a", 3000)} {
		b := s.Browser(t)
		a := b.Follow("/auth/login?return=" + url.QueryEscape(to))
		if a.Request.URL.String() != s.URL+"/" {
			t.Errorf("%q led to %s", to, a.Request.URL)
		}
	}
}

func TestProviderOutage(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	var up atomic.Bool
	s.Provider.Discover = func(w http.ResponseWriter) bool {
		if !up.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return !up.Load()
	}
	b := s.Browser(t)
	if a := b.Get("/auth/login"); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		t.Fatalf("while it is down: %s", a.Status)
	}
	if n := s.Provider.Discoveries.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
	up.Store(true)
	b.SignIn()
}

func TestIssuerMustMatch(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	s.Provider.Metadata = func(m map[string]any) { m["issuer"] = s.Provider.URL + "/" }
	if a := s.Browser(t).Get("/auth/login"); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a foreign issuer was taken: %s", a.Status)
	}
	if n := s.Provider.Discoveries.Load(); n != 1 {
		t.Errorf("asked %d times about what no retry cures", n)
	}
}

func TestKeysRotateAndProviderIsRebuilt(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	s.Browser(t).SignIn()
	s.Provider.Rotate(t)
	s.Browser(t).SignIn() // an unknown key id makes the client fetch the keys again
	if n := s.Provider.KeyReads.Load(); n != 2 {
		t.Errorf("keys were read %d times", n)
	}
	if n := s.Provider.Discoveries.Load(); n != 1 {
		t.Errorf("discovered %d times within the hour", n)
	}
}

func TestTokenEndpointIsAskedOnce(t *testing.T) {
	for name, methods := range map[string][]string{"basic": {"client_secret_basic", "client_secret_post"}, "post": {"client_secret_post"}, "unsaid": nil} {
		s := webtest.Serve(t, webtest.Config{})
		s.Provider.Metadata = func(m map[string]any) {
			if methods != nil {
				m["token_endpoint_auth_methods_supported"] = methods
			}
		}
		s.Browser(t).SignIn()
		if n := s.Provider.TokenCalls.Load(); n != 1 {
			t.Errorf("%s: the token endpoint was asked %d times", name, n)
		}
	}
}
