//go:build dev

package main

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"slipway/web"
	"slipway/web/auth"
)

// TestForgedPosts sends every form without a token, with another's, and from elsewhere.
func TestForgedPosts(t *testing.T) {
	m := newMatrix(t, unlimited)
	forms := 0
	for _, r := range m.routes {
		if r.Kind != web.Form {
			signed := r.Path == auth.BackchannelPath || strings.HasPrefix(r.Path, "/api/v1/ci/") // by the provider, or by a source host, and never with a cookie
			if r.Method == http.MethodPost && r.Kind != web.Dev && (!signed || r.Kind != web.Bearer) {
				t.Errorf("%s is no form, and nothing else may change anything", r.Pattern())
			}
			continue
		}
		forms++
		mine := url.Values{"_csrf": {m.tokens["owner"]}}
		for name, tc := range map[string]struct {
			fields url.Values
			header []string
		}{
			"no token": {url.Values{"_csrf": nil}, nil}, "an empty token": {url.Values{"_csrf": {""}}, nil}, "somebody else's token": {url.Values{"_csrf": {m.tokens["developer"]}}, nil},
			"a wrong token in the header": {mine, []string{"X-Csrf-Token", "x"}}, "the token in the address only": {url.Values{"_csrf": nil}, nil},
			"another site": {mine, []string{"Sec-Fetch-Site", "cross-site"}}, "a sister site": {mine, []string{"Sec-Fetch-Site", "same-site"}},
			"another origin, no Sec-Fetch-Site": {mine, []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example.com"}}, "null origin": {mine, []string{"Sec-Fetch-Site", "", "Origin", "null"}},
			"neither": {mine, []string{"Sec-Fetch-Site", "", "Origin", ""}}, "another port": {mine, []string{"Sec-Fetch-Site", "", "Origin", "http://localhost:1"}},
		} {
			path := m.path(r, "own")
			if name == "the token in the address only" {
				path += "?_csrf=" + url.QueryEscape(m.tokens["owner"])
			}
			a := m.post("owner", path, tc.fields, tc.header...)
			if a.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %s: %s, want 403", r.Pattern(), name, a.Status)
			}
			refusal(t, r.Pattern()+" with "+name, a)
		}
	}
	if forms < 15 {
		t.Errorf("only %d forms in the table", forms)
	}
	if a := m.send("owner", http.MethodGet, "/", nil); a.StatusCode != http.StatusOK {
		t.Errorf("after forged sign-outs the owner gets %s", a.Status)
	}
}

// TestForeignObjectsAreAudited asks for another tenant's things in every way there is: 404, and the audit log knows.
func TestForeignObjectsAreAudited(t *testing.T) {
	m := newMatrix(t, unlimited)
	for _, r := range m.routes {
		if len(objectsOf(r)) == 1 || r.Kind == web.Form && strings.HasPrefix(r.Path, "/drafts") || strings.HasPrefix(r.Path, "/admin/") { // what admins alone have is no tenant's
			continue
		}
		m.exec(`DELETE FROM audit_denied`)
		before := m.number(`SELECT count(*) FROM audit_entries WHERE action = 'access.denied'`)
		var body io.Reader
		if r.Method == http.MethodPost {
			fields := url.Values{"_csrf": {m.tokens["owner"]}}
			if slices.Contains([]string{"/requests/:id/approve", "/requests/:id/reject", "/requests/:id/changes"}, r.Path) {
				fields["plan_hash"], fields["reason"] = []string{strings.Repeat("a", 64)}, []string{"because"}
			}
			body = strings.NewReader(fields.Encode())
		}
		a := m.send("owner", r.Method, m.path(r, "other"), body)
		if a.StatusCode != http.StatusNotFound {
			t.Errorf("%s of another tenant: %s", r.Pattern(), a.Status)
		}
		if after := m.number(`SELECT count(*) FROM audit_entries WHERE action = 'access.denied'`); after != before+1 {
			t.Errorf("%s of another tenant: %d audit entries, want 1", r.Pattern(), after-before)
		}
	}
	for _, list := range []string{"/tenants", "/requests", "/runs", "/approvals", "/audit"} {
		for _, query := range []string{"?q=storefront", "?format=csv", "?format=csv&q=storefront"} {
			if a := m.send("owner", http.MethodGet, list+query, nil); a.StatusCode != http.StatusOK || strings.Contains(strings.ReplaceAll(a.text, "q=storefront", ""), "Create tenant storefront") {
				t.Errorf("%s%s shows another tenant's: %s", list, query, a.Status)
			}
		}
	}
	fields := goodTenant()
	fields["_draft"] = []string{m.ids["other"]["/drafts/:id"]}
	m.post("owner", "/tenants/new", fields)
	fields["do"] = []string{"draft"}
	m.post("owner", "/tenants/new", fields)
	if n := m.number(`SELECT count(*) FROM saved_forms WHERE id = $1 AND fields = '{}'`, m.ids["other"]["/drafts/:id"]); n != 1 {
		t.Error("another person's draft, named in the body, was changed")
	}
	if a := m.send("owner", http.MethodGet, "/tenants/new?draft="+m.ids["other"]["/drafts/:id"], nil); a.StatusCode != http.StatusNotFound {
		t.Errorf("another person's draft in the address: %s", a.Status)
	}
}

// TestTooOften signs in, exports and plans until it is too much.
func TestTooOften(t *testing.T) {
	m := newMatrix(t)
	m.exec(`UPDATE requests SET state = 'awaiting_approval'`)
	for name, ask := range map[string]func() answer{
		"sign-ins": func() answer { return m.send("anonymous", http.MethodGet, "/auth/login", nil) },
		"exports":  func() answer { return m.send("owner", http.MethodGet, "/tenants?format=csv", nil) },
		"plans": func() answer {
			return m.post("owner", "/requests/"+m.ids["own"]["/requests/:id"]+"/replan", nil)
		},
	} {
		for n := 1; ; n++ {
			a := ask()
			if a.StatusCode == http.StatusTooManyRequests {
				if wait := a.Header.Get("Retry-After"); wait == "" || wait == "0" {
					t.Errorf("%s: 429 without Retry-After", name)
				}
				refusal(t, name, a)
				break
			}
			if a.StatusCode >= 500 || n > 500 {
				t.Errorf("%s: %s after %d", name, a.Status, n)
				break
			}
		}
	}
}
