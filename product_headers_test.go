//go:build dev

package main

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"slipway/web"
)

var (
	inlineCode = regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:`)
	elsewhere  = regexp.MustCompile(`(?i)(?:src|href|action)="https?://`)
	toConsole  = regexp.MustCompile(`<a [^>]*href="https://[a-z0-9-]+\.console\.aws\.amazon\.com/[^"]*" rel="noopener noreferrer"`)
)

// TestHeaders asks every route of the table, what is in no table, and the stand-ins of a development build.
func TestHeaders(t *testing.T) {
	m := newMatrix(t, unlimited, func(m *matrix) {
		m.vars["SLIPWAY_BACKSTAGE_ORIGINS"] = "https://backstage.example.com, https://portal.example.com:7007"
	})
	for _, r := range m.routes {
		for _, person := range []string{"admin", "nobody", "anonymous"} {
			if r.Path == "/auth/logout" || r.Kind == web.Dev || r.Kind == web.Stream && person == "admin" {
				continue
			}
			var body io.Reader
			if r.Method == http.MethodPost {
				body = strings.NewReader(url.Values{"_csrf": {m.tokens[person]}}.Encode())
			}
			a := m.send(person, r.Method, m.path(r, "own"), body)
			if r.Kind == web.Frame || r.Kind == web.Entry {
				framable(t, r.Pattern()+" as "+person, a)
				continue
			}
			secured(t, r.Pattern()+" as "+person, a, r.Opener)
			if r.Kind == web.Static {
				continue
			}
			if a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s as %s: Cache-Control %q", r.Pattern(), person, a.Header.Get("Cache-Control"))
			}
			if r.Path != "/auth/login" && r.Path != "/auth/callback" && r.Path != "/theme" && len(a.Cookies()) > 0 {
				t.Errorf("%s as %s sets cookies: %v", r.Pattern(), person, a.Cookies())
			}
		}
	}
	for what, a := range map[string]answer{
		"no route": m.send("admin", http.MethodGet, "/nothing/here", nil), "a file": m.send("admin", http.MethodGet, "/tenants?format=csv", nil), "another method": m.send("admin", "PUT", "/tenants", nil),
		"an unknown method": m.send("admin", "BREW", "/tenants", nil), "long headers": m.send("admin", http.MethodGet, "/", nil, "X-Big", strings.Repeat("x", 20<<10)),
		"a large body": m.send("admin", http.MethodPost, "/theme", strings.NewReader(strings.Repeat("x", 2<<20))), "no token": m.send("admin", http.MethodPost, "/theme", nil),
		"a fragment": m.send("admin", http.MethodGet, "/tenants", nil, "HX-Request", "true"), "a file that is none": m.send("admin", http.MethodGet, "/static/none.css", nil),
	} {
		secured(t, what, a, false)
		if len(a.Cookies()) > 0 {
			t.Errorf("%s sets cookies: %v", what, a.Cookies())
		}
	}
	for _, c := range m.send("anonymous", http.MethodGet, "/auth/login", nil).Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("cookie %s", c)
		}
	}
}

// framable holds an answer to what other sites may show: the two that are named, and under a policy that is as strict otherwise.
func framable(t *testing.T, what string, a answer) {
	t.Helper()
	policy := a.Header.Get("Content-Security-Policy")
	const named = "frame-ancestors https://backstage.example.com https://portal.example.com:7007"
	if !strings.HasSuffix(policy, named) || strings.Count(policy, "frame-ancestors") != 1 || len(a.Header.Values("Content-Security-Policy")) != 1 || a.Header.Get("X-Frame-Options") != "" {
		t.Errorf("%s: %q, X-Frame-Options %q", what, policy, a.Header.Get("X-Frame-Options"))
	}
	a.Header.Set("Content-Security-Policy", strings.Replace(policy, named, "frame-ancestors 'none'", 1))
	a.Header.Set("X-Frame-Options", "DENY")
	secured(t, what, a, false)
	if strings.Contains(a.text, "<form") {
		t.Errorf("%s: a frame holds a form", what)
	}
	if !strings.Contains(a.text, `<base target="_blank">`) && !strings.Contains(a.text, `<base target="_blank"/>`) && strings.Contains(a.text, "<html") {
		t.Errorf("%s: links stay inside", what)
	}
	for _, c := range a.Cookies() {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteNoneMode || !c.Partitioned || c.Path != "/embed" || c.Domain != "" || c.MaxAge > 3600 || c.Name != "slipway_frame_nonce" {
			t.Errorf("%s: cookie %s", what, c)
		}
	}
}

func secured(t *testing.T, what string, a answer, opener bool) {
	t.Helper()
	strict(t, what, a)
	policy := map[bool]string{true: "unsafe-none", false: "same-origin"}[opener]
	for name, want := range map[string]string{"Referrer-Policy": "same-origin", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": policy, "Vary": "Accept"} {
		if name == "Vary" && strings.Contains(a.Header.Get(name), want) { // files vary by encoding, pages by HX-Request, too
			continue
		}
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %s %q, want %q", what, name, got, want)
		}
	}
	if name := a.Header.Get("Server"); name != "" {
		t.Errorf("%s: Server %q", what, name)
	}
	if a.Header.Get("X-Request-Id") == "" && a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("%s: no request id", what)
	}
	own := toConsole.ReplaceAllString(a.text, "") // where people go on purpose, and no referrer tells from where
	if strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") && elsewhere.MatchString(own) {
		t.Errorf("%s loads from or leads elsewhere: %s", what, elsewhere.FindString(own))
	}
}

// strict holds an answer to a policy that runs nothing but files from here.
func strict(t *testing.T, what string, a answer) {
	t.Helper()
	policy := a.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe-") || !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "base-uri 'none'") {
		t.Errorf("%s: %d with the policy %q", what, a.StatusCode, policy)
	}
	if got := a.Header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("%s: X-Content-Type-Options %q", what, got)
	}
	if strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		if code := inlineCode.FindString(a.text); code != "" {
			t.Errorf("%s: %q would not run under its own policy", what, code)
		}
	}
}

// TestStandInsAreStrictToo looks at the pages of the provider.
func TestStandInsAreStrictToo(t *testing.T) {
	m := newMatrix(t, func(m *matrix) { m.inside = true })
	c := m.browser()
	res, err := c.Get(m.url + "/auth/login")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `name="username"`) {
		t.Fatalf("no sign-in page: %.300s", b)
	}
	strict(t, "the provider's sign-in page", answer{res, string(b)})
	bad, err := c.Get(m.issuer + "/authorize?client_id=nobody")
	if err != nil {
		t.Fatal(err)
	}
	defer bad.Body.Close()
	if b, err = io.ReadAll(bad.Body); err != nil {
		t.Fatal(err)
	}
	strict(t, "the provider's error", answer{bad, string(b)})
}
