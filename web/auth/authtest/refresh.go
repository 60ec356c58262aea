package authtest

import (
	"crypto/rand"
	"net/http"
	"time"
)

func (p *Provider) renew() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before, p.live = p.live, "refresh-"+rand.Text()
	return p.live
}

// refresh answers a refresh token: with the next one, or for good with invalid_grant when it is not the latest.
func (p *Provider) refresh(w http.ResponseWriter, token string, known bool) {
	p.Refreshes.Add(1)
	p.mu.Lock()
	ok := known && token == p.live && token != ""
	if !ok {
		p.live = ""
	}
	p.mu.Unlock()
	if !ok {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	now := time.Now()
	claims := map[string]any{"iss": p.URL, "aud": ClientID, "sub": "u-1", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "sid": "sid-1", "groups": []string{"engineers"}}
	if p.Claims != nil {
		p.Claims(claims)
	}
	sign := (*Provider).SignRS256
	if p.Sign != nil {
		sign = p.Sign
	}
	out := map[string]any{"access_token": "access-" + rand.Text(), "token_type": "Bearer", "expires_in": 300, "id_token": sign(p, claims), "refresh_token": p.renew()}
	if p.Refresh != nil && p.Refresh(w, out) {
		p.forgive() // what answers with an error has replaced nothing
		return
	}
	answer(w, out)
}

func (p *Provider) forgive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live = p.before
}

// Lose replaces the refresh token without telling anybody.
func (p *Provider) Lose() { p.renew() }
