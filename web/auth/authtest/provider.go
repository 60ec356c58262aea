package authtest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Provider is an OpenID provider that signs everybody in at once and can be told to lie in one way at a time.
type Provider struct {
	*httptest.Server

	// Lies. Each zero value is the honest behaviour. Set them before the request they are for.
	Metadata func(map[string]any)                                    // changes the discovery document
	Claims   func(map[string]any)                                    // changes the ID token's claims
	Sign     func(p *Provider, c map[string]any) string              // makes the ID token
	Token    func(w http.ResponseWriter, answer map[string]any) bool // answers the token request itself; true when it did
	UserInfo func(map[string]any)                                    // changes the userinfo answer
	Callback func(url.Values)                                        // changes the parameters of the way back
	Keys     func(w http.ResponseWriter) bool                        // answers the key request itself; true when it did
	Discover func(w http.ResponseWriter) bool
	Refresh  func(w http.ResponseWriter, answer map[string]any) bool // answers a refresh itself; true when it did
	Offline  bool                                                    // gives refresh tokens: each replaces the one before, and using one twice ends them all

	Discoveries, KeyReads, TokenCalls, Refreshes atomic.Int32

	mu    sync.Mutex
	key   *rsa.PrivateKey
	kid   string
	codes map[string]authRequest
	live  string // the one refresh token

	before string // the one it replaced
}

type authRequest struct{ nonce, challenge, redirect string }

// ClientID and ClientSecret of the one client.
const (
	ClientID     = "slipway"
	ClientSecret = "authtest-client-secret"
)

// NewProvider starts an honest one.
func NewProvider(t testing.TB) *Provider {
	p := &Provider{codes: map[string]authRequest{}}
	p.Rotate(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// Rotate replaces the signing key.
func (p *Provider) Rotate(t testing.TB) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key, p.kid = key, rand.Text()
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	p.Discoveries.Add(1)
	if p.Discover != nil && p.Discover(w) {
		return
	}
	meta := map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"userinfo_endpoint": p.URL + "/userinfo", "end_session_endpoint": p.URL + "/logout", "id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}}
	if p.Metadata != nil {
		p.Metadata(meta)
	}
	answer(w, meta)
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	p.KeyReads.Add(1)
	if p.Keys != nil && p.Keys(w) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: p.kid, Algorithm: "RS256", Use: "sig"}}})
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	code := rand.Text()
	p.mu.Lock()
	p.codes[code] = authRequest{q.Get("nonce"), q.Get("code_challenge"), q.Get("redirect_uri")}
	p.mu.Unlock()
	back := url.Values{"code": {code}, "state": {q.Get("state")}}
	if p.Callback != nil {
		p.Callback(back)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.TokenCalls.Add(1)
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if r.PostFormValue("grant_type") == "refresh_token" {
		p.refresh(w, r.PostFormValue("refresh_token"), id == ClientID && secret == ClientSecret)
		return
	}
	p.mu.Lock()
	req, ok := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || id != ClientID || secret != ClientSecret || base64.RawURLEncoding.EncodeToString(sum[:]) != req.challenge || r.PostFormValue("redirect_uri") != req.redirect {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return
	}
	access := "access-" + rand.Text()
	half := sha256.Sum256([]byte(access))
	now := time.Now()
	claims := map[string]any{"iss": p.URL, "aud": ClientID, "sub": "u-1", "nonce": req.nonce, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(half[:16]), "sid": "sid-1", "name": "Ada Example", "email": "ada@example.com", "email_verified": true, "groups": []string{"engineers"}}
	if p.Claims != nil {
		p.Claims(claims)
	}
	sign := (*Provider).SignRS256
	if p.Sign != nil {
		sign = p.Sign
	}
	out := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": sign(p, claims)}
	if p.Offline {
		out["refresh_token"] = p.renew()
	}
	if p.Token != nil && p.Token(w, out) {
		return
	}
	answer(w, out)
}

func (p *Provider) userinfo(w http.ResponseWriter, _ *http.Request) {
	info := map[string]any{"sub": "u-1", "name": "Ada Example", "email": "ada@example.com", "email_verified": true, "groups": []string{"from-userinfo"}}
	if p.UserInfo != nil {
		p.UserInfo(info)
	}
	answer(w, info)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// SignRS256 signs as the provider should.
func (p *Provider) SignRS256(claims map[string]any) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return compact(map[string]any{"alg": "RS256", "kid": p.kid}, claims, func(in []byte) []byte { return rs256(p.key, in) })
}

// SignLogout signs a logout token: the honest one is of type logout+jwt. An empty typ leaves it out.
func (p *Provider) SignLogout(typ string, claims map[string]any) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	header := map[string]any{"alg": "RS256", "kid": p.kid}
	if typ != "" {
		header["typ"] = typ
	}
	return compact(header, claims, func(in []byte) []byte { return rs256(p.key, in) })
}

// LogoutClaims are those of an honest logout token for everybody's one session.
func (p *Provider) LogoutClaims() map[string]any {
	now := time.Now()
	return map[string]any{"iss": p.URL, "aud": ClientID, "sub": "u-1", "sid": "sid-1", "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
}

// SignOther signs with a key that was never published, under the published key's name.
func (p *Provider) SignOther(claims map[string]any) string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return ""
	}
	return compact(map[string]any{"alg": "RS256", "kid": p.kid}, claims, func(in []byte) []byte { return rs256(key, in) })
}

// SignNone does not sign at all.
func (p *Provider) SignNone(claims map[string]any) string {
	return compact(map[string]any{"alg": "none"}, claims, func([]byte) []byte { return nil })
}

// SignHS256 signs with the public key as if it were a shared secret: the classic confusion of algorithms.
func (p *Provider) SignHS256(claims map[string]any) string {
	return compact(map[string]any{"alg": "HS256", "kid": p.kid}, claims, func(in []byte) []byte {
		return hs256(x509.MarshalPKCS1PublicKey(&p.key.PublicKey), in)
	})
}

func compact(header, claims map[string]any, sign func([]byte) []byte) string {
	h, _ := json.Marshal(header)
	c, _ := json.Marshal(claims)
	in := base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(c)
	return in + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(in)))
}

func rs256(key *rsa.PrivateKey, in []byte) []byte {
	sum := sha256.Sum256(in)
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return nil
	}
	return sig
}

func hs256(secret, in []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(in)
	return mac.Sum(nil)
}
