//go:build dev

package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// TestSecretsSurviveBadInput goes where errors are made: wrong forms, forged posts, exports, lost sessions. What came with them, or
// belongs to the people who sent them, is then in no log line, page of somebody else, audit entry or metric.
func TestSecretsSurviveBadInput(t *testing.T) {
	log := &lockedBuffer{}
	m := newMatrix(t, unlimited, func(m *matrix) {
		m.log = log
		m.vars["SLIPWAY_EXTERNAL_ID"], m.vars["SLIPWAY_SECRET_KEYS"] = planted["external id"], planted["encryption key"]
	})
	secrets := map[string]string{"external id": planted["external id"], "encryption key": planted["encryption key"], "typed password": "planted-typed-password", "code": "planted-code", "state": "planted-state"}
	for _, person := range []string{"owner", "admin"} {
		secrets[person+"'s session"], secrets[person+"'s token"] = m.cookie(person), m.tokens[person]
	}
	var pages bytes.Buffer
	see := func(a answer) { pages.WriteString(a.text) }
	fields := goodTenant()
	fields["slug"] = []string{"NOT GOOD"}
	see(m.post("developer", "/tenants/new", fields))
	fields["password"] = []string{"planted-typed-password"}
	for _, token := range []string{m.tokens["owner"], m.tokens["admin"]} { // somebody else's token in a form, a header and an address
		fields["_csrf"] = []string{token}
		see(m.post("developer", "/tenants/new", fields))
		see(m.post("developer", "/theme", url.Values{"theme": {"dark"}}, "X-Csrf-Token", token))
		see(m.send("developer", http.MethodGet, "/tenants?_csrf="+url.QueryEscape(token), nil))
	}
	see(m.send("anonymous", http.MethodGet, "/auth/callback?code=planted-code&state=planted-state", nil))
	see(m.send("anonymous", http.MethodPost, "/tenants/new", strings.NewReader(fields.Encode()), "Cookie", sessionCookieName+"="+m.cookie("owner"), "Sec-Fetch-Site", "cross-site"))
	see(m.send("developer", http.MethodGet, "/audit?format=csv", nil))
	see(m.send("anonymous", http.MethodGet, "/readyz", nil))
	m.exec(`UPDATE sessions SET expires_at = now() - interval '1 minute' WHERE subject = 'demo-viewer'`)
	late := goodTenant()
	late["client_secret"] = []string{"planted-typed-password"}
	see(m.post("viewer", "/tenants/new", late))
	measured := httptest.NewRecorder()
	promhttp.HandlerFor(m.app.metrics, promhttp.HandlerOpts{}).ServeHTTP(measured, httptest.NewRequest(http.MethodGet, "/metrics", nil))

	looked := everything(t, m.owner.Config().ConnString())
	delete(looked, "kept_forms")
	looked["the log"], looked["the pages"], looked["the metrics"] = log.b.String(), pages.String(), measured.Body.String()
	if !strings.Contains(looked["the log"], `"status":403`) || !strings.Contains(looked["the metrics"], "slipway_http_requests_total") || !strings.Contains(looked["saved_forms"], "Billing") {
		t.Fatal("the test saw too little")
	}
	for place, content := range looked {
		for name, secret := range secrets {
			if place == "the pages" && name == "typed password" {
				continue // what was typed comes back to who typed it
			}
			if secret == "" || strings.Contains(content, secret) {
				t.Errorf("the %s is in %s", name, place)
			}
		}
	}
}
