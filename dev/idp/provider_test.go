package idp

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const callback = "http://localhost:1/auth/callback"

// party is a relying party and the browser of somebody who signs in.
type party struct {
	t        *testing.T
	issuer   string
	provider *oidc.Provider
	oauth    oauth2.Config
	browser  *http.Client
	handler  *Provider
}

func open(t *testing.T, keyFile string) *party {
	t.Helper()
	p := &party{t: t}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	p.issuer = server.URL + "/dev/idp"
	var err error
	p.handler, err = New(Config{Issuer: p.issuer, KeyFile: keyFile, People: Demo(), Clients: []Client{Slipway("http://localhost:1", "secret")}})
	if err != nil {
		t.Fatal(err)
	}
	if p.provider, err = oidc.NewProvider(t.Context(), p.issuer); err != nil {
		t.Fatal(err)
	}
	p.oauth = oauth2.Config{ClientID: "slipway", ClientSecret: "secret", Endpoint: p.provider.Endpoint(), RedirectURL: callback,
		Scopes: []string{"openid", "profile", "email", "groups"}}
	p.browser = &http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "localhost:1" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return p
}

// begin goes to the form and returns its hidden id.
func (p *party) begin(options ...oauth2.AuthCodeOption) (id string) {
	p.t.Helper()
	res, err := p.browser.Get(p.oauth.AuthCodeURL("state", options...))
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	match := regexp.MustCompile(`name="id" value="([^"]+)"`).FindSubmatch(body)
	if res.StatusCode != http.StatusOK || match == nil {
		p.t.Fatalf("no form: %s %s", res.Status, body)
	}
	return string(match[1])
}

func (p *party) post(id, username, password string) *http.Response {
	p.t.Helper()
	res, err := p.browser.PostForm(p.issuer+"/login", url.Values{"id": {id}, "username": {username}, "password": {password}})
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	return res
}

// code signs somebody in and returns the code that comes back.
func (p *party) code(username, verifier string) string {
	p.t.Helper()
	res := p.post(p.begin(oidc.Nonce("nonce"), oauth2.S256ChallengeOption(verifier)), username, username)
	back, err := res.Location()
	if err != nil || !strings.HasPrefix(back.String(), callback) || back.Query().Get("state") != "state" {
		p.t.Fatalf("after the password: %s, %v", res.Status, back)
	}
	return back.Query().Get("code")
}

// claims signs somebody in the whole way.
func (p *party) claims(username string) (raw string, token *oidc.IDToken, claims map[string]any) {
	p.t.Helper()
	verifier := oauth2.GenerateVerifier()
	tokens, err := p.oauth.Exchange(p.t.Context(), p.code(username, verifier), oauth2.VerifierOption(verifier))
	if err != nil {
		p.t.Fatal(err)
	}
	raw, _ = tokens.Extra("id_token").(string)
	if token, err = p.provider.Verifier(&oidc.Config{ClientID: "slipway"}).Verify(p.t.Context(), raw); err != nil {
		p.t.Fatal(err)
	}
	if err := token.Claims(&claims); err != nil {
		p.t.Fatal(err)
	}
	info, err := p.provider.UserInfo(p.t.Context(), oauth2.StaticTokenSource(tokens))
	if err != nil || info.Subject != token.Subject {
		p.t.Errorf("userinfo of %v, %v", info, err)
	}
	return raw, token, claims
}

func TestEverybodySignsIn(t *testing.T) {
	p := open(t, "")
	for _, person := range Demo() {
		_, token, claims := p.claims(person.Name)
		if token.Subject != person.subject() || token.Nonce != "nonce" || claims["email"] != person.email() || claims["email_verified"] != true || claims["sid"] == "" {
			t.Errorf("%s: %v", person.Name, claims)
		}
		var groups []string
		list, _ := claims["groups"].([]any)
		for _, g := range list {
			groups = append(groups, g.(string))
		}
		if !slices.Equal(groups, person.Groups) {
			t.Errorf("%s has groups %v, want %v", person.Name, groups, person.Groups)
		}
	}
}

func TestRefusals(t *testing.T) {
	p := open(t, "")
	verifier := oauth2.GenerateVerifier()
	id := p.begin(oauth2.S256ChallengeOption(verifier))
	for _, password := range []string{"", "wrong", "approver"} {
		if res := p.post(id, "admin", password); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("password %q: %s", password, res.Status)
		}
	}
	if res := p.post("unknown", "admin", "admin"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("unknown sign-in: %s", res.Status)
	}
	if res, err := p.browser.Get(p.oauth.AuthCodeURL("state")); err != nil || !strings.Contains(res.Header.Get("Location"), "error=invalid_request") {
		t.Errorf("without PKCE: %v, %v", res, err)
	}
	foreign := p.oauth
	foreign.RedirectURL = "http://localhost:1/elsewhere"
	if res, err := p.browser.Get(foreign.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier))); err != nil || res.StatusCode != http.StatusBadRequest {
		t.Errorf("foreign redirect: %v, %v", res, err)
	}
	code := p.code("admin", verifier)
	if _, err := p.oauth.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil {
		t.Error("a wrong verifier is taken")
	}
	code = p.code("admin", verifier)
	stranger := p.oauth
	stranger.ClientSecret = "guess"
	if _, err := stranger.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a wrong client secret is taken")
	}
	code = p.code("admin", verifier)
	if _, err := p.oauth.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err != nil {
		t.Error(err)
	}
	if _, err := p.oauth.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code works twice")
	}
}

func TestKeyOutlivesRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "idp", "key.pem")
	raw, token, _ := open(t, file).claims("owner")
	after := open(t, file)
	verifier := after.provider.Verifier(&oidc.Config{ClientID: "slipway", SkipIssuerCheck: true}) // the port differs in this test
	if _, err := verifier.Verify(context.WithoutCancel(t.Context()), raw); err != nil {
		t.Errorf("a token from before the restart: %v", err)
	}
	if _, again, _ := after.claims("owner"); again.Subject != token.Subject {
		t.Errorf("the subject changed from %s to %s", token.Subject, again.Subject)
	}
	if _, err := oidc.NewProvider(t.Context(), open(t, "").issuer); err != nil {
		t.Error(err)
	}
	if _, err := open(t, "").provider.Verifier(&oidc.Config{ClientID: "slipway", SkipIssuerCheck: true}).Verify(t.Context(), raw); err == nil {
		t.Error("another key verifies the token, too")
	}
}

func TestSignOut(t *testing.T) {
	p := open(t, "")
	raw, _, _ := p.claims("viewer")
	var discovery struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := p.provider.Claims(&discovery); err != nil {
		t.Fatal(err)
	}
	for back, allowed := range map[string]bool{"http://localhost:1/": true, "http://localhost:1/auth/signed-out": true, "http://evil.example/": false} {
		res, err := p.browser.Get(discovery.EndSession + "?" + url.Values{"id_token_hint": {raw}, "post_logout_redirect_uri": {back}, "state": {"bye"}}.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if to := res.Header.Get("Location"); strings.HasPrefix(to, back) != allowed {
			t.Errorf("%s: sent to %q with %s", back, to, res.Status)
		}
	}
	res, err := p.browser.Get(discovery.EndSession)
	if err != nil || res.StatusCode != http.StatusOK || res.Request.URL.Path != "/dev/idp/signed-out" {
		t.Errorf("without a hint: %v, %v", res, err)
	}
}

// refreshed uses a refresh token, once.
func (p *party) refreshed(token string) (*oauth2.Token, error) {
	return p.oauth.TokenSource(p.t.Context(), &oauth2.Token{RefreshToken: token}).Token()
}

func TestRefreshTokensRotate(t *testing.T) {
	p := open(t, "")
	p.oauth.Scopes = append(p.oauth.Scopes, oidc.ScopeOfflineAccess)
	verifier := oauth2.GenerateVerifier()
	first, err := p.oauth.Exchange(t.Context(), p.code("developer", verifier), oauth2.VerifierOption(verifier))
	if err != nil || first.RefreshToken == "" {
		t.Fatalf("no refresh token: %v", err)
	}
	p.handler.SetGroups("developer", "payments-viewers")
	second, err := p.refreshed(first.RefreshToken)
	if err != nil || second.RefreshToken == "" || second.RefreshToken == first.RefreshToken {
		t.Fatalf("refresh: %v", err)
	}
	raw, _ := second.Extra("id_token").(string)
	token, err := p.provider.Verifier(&oidc.Config{ClientID: "slipway"}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Groups []string
		SID    string
	}
	if err := token.Claims(&claims); err != nil || !slices.Equal(claims.Groups, []string{"payments-viewers"}) || claims.SID == "" || token.Subject != "demo-developer" {
		t.Errorf("after the change: %+v of %s, %v", claims, token.Subject, err)
	}
	if _, err := p.refreshed(first.RefreshToken); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("a token that was replaced: %v", err)
	}
	if _, err := p.refreshed(second.RefreshToken); err == nil {
		t.Error("its family lives on after a reuse")
	}
	p.oauth.Scopes = p.oauth.Scopes[:4]
	without, err := p.oauth.Exchange(t.Context(), p.code("developer", verifier), oauth2.VerifierOption(verifier))
	if err != nil || without.RefreshToken != "" {
		t.Errorf("without offline_access: %v", err)
	}
}

func TestRefreshTokenOutlivesRestartButNotItsPerson(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	p := open(t, file)
	p.oauth.Scopes = append(p.oauth.Scopes, oidc.ScopeOfflineAccess)
	verifier := oauth2.GenerateVerifier()
	tokens, err := p.oauth.Exchange(t.Context(), p.code("owner", verifier), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	after := open(t, file)
	if tokens, err = after.refreshed(tokens.RefreshToken); err != nil {
		t.Fatalf("after a restart: %v", err)
	}
	after.handler.Disable("owner")
	if _, err := after.refreshed(tokens.RefreshToken); err == nil {
		t.Error("a disabled person's token works")
	}
}

func TestSignOutIsReported(t *testing.T) {
	got := make(chan url.Values, 1)
	client := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = r.ParseForm(); got <- r.PostForm }))
	t.Cleanup(client.Close)
	p := open(t, "")
	p.handler.store.cfg.Clients[0].Backchannel = client.URL
	_, _, claims := p.claims("viewer")
	p.handler.store.signOut("demo-viewer", claims["sid"].(string))
	raw := (<-got).Get("logout_token")
	token, err := p.provider.Verifier(&oidc.Config{ClientID: "slipway"}).VerifyLogout(t.Context(), raw)
	if err != nil || token.Subject != "demo-viewer" || token.SessionID != claims["sid"] {
		t.Errorf("%+v, %v", token, err)
	}
}
