//go:build dev

package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

const sessionCookieName = "slipway_session"

func (m *matrix) cookie(person string) string {
	u, err := url.Parse(m.url)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, c := range m.people[person].Jar.Cookies(u) {
		if c.Name == sessionCookieName {
			return c.Value
		}
	}
	return ""
}

func (m *matrix) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: time.Minute}
}

// TestSignOutEndsTheSession uses the cookie again that somebody kept.
func TestSignOutEndsTheSession(t *testing.T) {
	m := newMatrix(t)
	kept := m.cookie("owner")
	a := m.post("owner", "/auth/logout", nil)
	if a.StatusCode != http.StatusOK || a.Header.Get("Refresh") == "" {
		t.Errorf("sign-out: %s, Refresh %q", a.Status, a.Header.Get("Refresh"))
	}
	if m.cookie("owner") != "" {
		t.Error("the browser keeps the cookie")
	}
	for _, path := range []string{"/", "/tenants", "/audit?format=csv"} {
		if a := m.send("anonymous", http.MethodGet, path, nil, "Cookie", sessionCookieName+"="+kept); a.StatusCode != http.StatusSeeOther {
			t.Errorf("%s with the cookie of an ended session: %s", path, a.Status)
		}
	}
	if a := m.post("anonymous", "/theme", url.Values{"_csrf": {m.tokens["owner"]}, "theme": {"dark"}}, "Cookie", sessionCookieName+"="+kept); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a form with the cookie of an ended session: %s", a.Status)
	}
	fields := goodTenant()
	fields["_csrf"] = []string{m.tokens["owner"]}
	m.post("anonymous", "/tenants/new", fields, "Cookie", sessionCookieName+"="+kept)
	if n := m.number(`SELECT count(*) FROM saved_forms WHERE expired`); n != 0 {
		t.Error("a session that was ended on purpose keeps a form")
	}
}

// TestSessionIsNewAtSignIn plants a cookie before a sign-in: it never becomes the session.
func TestSessionIsNewAtSignIn(t *testing.T) {
	m := newMatrix(t)
	u, err := url.Parse(m.url)
	if err != nil {
		t.Fatal(err)
	}
	planted := strings.Repeat("A", 43)
	c := m.browser()
	c.Jar.SetCookies(u, []*http.Cookie{{Name: sessionCookieName, Value: planted, Path: "/"}})
	m.people["victim"] = c
	m.enter("victim", "viewer", "/")
	if got := m.cookie("victim"); got == planted || got == "" {
		t.Errorf("after the sign-in the cookie is %q", got)
	}
	if a := m.send("anonymous", http.MethodGet, "/", nil, "Cookie", sessionCookieName+"="+planted); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the planted cookie: %s", a.Status)
	}
	before := m.cookie("victim")
	m.enter("victim", "viewer", "/auth/login")
	if m.cookie("victim") == before {
		t.Error("signing in again keeps the session")
	}
	if a := m.send("anonymous", http.MethodGet, "/", nil, "Cookie", sessionCookieName+"="+before); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the session before the second sign-in: %s", a.Status)
	}
}

// TestSessionEnds at its absolute end, and when it was not used.
func TestSessionEnds(t *testing.T) {
	m := newMatrix(t, func(m *matrix) { m.vars["SLIPWAY_SESSION_IDLE"], m.vars["SLIPWAY_SESSION_MAX"] = "1h", "8h" })
	for name, change := range map[string]string{
		"idle": `last_seen_at = last_seen_at - interval '61 minutes'`, "absolute": `expires_at = last_seen_at - interval '1 second'`,
	} {
		m.enter("owner", "owner", "/")
		m.exec(`UPDATE sessions SET last_seen_at = last_seen_at - interval '59 minutes' WHERE ended_at IS NULL`)
		if a := m.send("owner", http.MethodGet, "/", nil); a.StatusCode != http.StatusOK {
			t.Errorf("%s: a session that is almost over: %s", name, a.Status)
		}
		if n := m.number(`SELECT count(*) FROM sessions WHERE subject = 'demo-owner' AND ended_at IS NULL AND last_seen_at > now() - interval '10 minutes'`); n == 0 {
			t.Errorf("%s: using the session does not keep it alive", name)
		}
		m.exec(`UPDATE sessions SET ` + change)
		if a := m.send("owner", http.MethodGet, "/tenants?q=x", nil); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/auth/login?return=%2Ftenants%3Fq%3Dx" {
			t.Errorf("%s: %s to %s", name, a.Status, a.Header.Get("Location"))
		}
		a := m.send("owner", http.MethodGet, "/tenants", nil, "HX-Request", "true")
		if a.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(a.Header.Get("HX-Redirect"), "/auth/login") {
			t.Errorf("%s: htmx gets %s and %q", name, a.Status, a.Header.Get("HX-Redirect"))
		}
	}
}

// TestRolesCountAtOnce takes a mapping away from people who are signed in, and gives one.
func TestRolesCountAtOnce(t *testing.T) {
	m := newMatrix(t)
	if a := m.send("fresh", http.MethodGet, "/tenants/new", nil); a.StatusCode != http.StatusOK {
		t.Fatal(a.Status)
	}
	if a := m.post("admin", "/admin/roles/remove", url.Values{"id": {"0190b9a0-0000-7000-8000-dd0000000001"}}); a.StatusCode != http.StatusSeeOther {
		t.Fatal(a.Status)
	}
	if a := m.send("developer", http.MethodGet, "/tenants/new", nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("after the mapping went: %s", a.Status)
	}
	if a := m.post("developer", "/tenants/new", goodTenant()); a.StatusCode != http.StatusForbidden {
		t.Errorf("sent after the mapping went: %s", a.Status)
	}
	if a := m.send("developer", http.MethodGet, "/admin/roles", nil); a.StatusCode != http.StatusNotFound {
		t.Errorf("before the mapping: %s", a.Status)
	}
	if a := m.post("admin", "/admin/roles/add", url.Values{"group": {"payments-developers"}, "role": {"platform-admin"}}); a.StatusCode != http.StatusSeeOther {
		t.Fatal(a.Status)
	}
	if a := m.send("developer", http.MethodGet, "/admin/roles", nil); a.StatusCode != http.StatusOK {
		t.Errorf("after the mapping came: %s", a.Status)
	}
}

var draftLink = regexp.MustCompile(`href="(/auth/login\?[^"]*draft=[^"]+)"`)

// TestExpiredFormComesBack for the person who typed it, after they signed in again, and for nobody else.
func TestExpiredFormComesBack(t *testing.T) {
	m := newMatrix(t)
	expire := func() {
		m.exec(`UPDATE sessions SET expires_at = now() - interval '1 minute' WHERE subject = 'demo-developer'`)
	}
	expire()
	a := m.post("developer", "/tenants/new", goodTenant())
	link := draftLink.FindStringSubmatch(a.text)
	if a.StatusCode != http.StatusUnauthorized || link == nil {
		t.Fatalf("a form of an ended session: %s\n%.500s", a.Status, a.text)
	}
	path := strings.ReplaceAll(link[1], "&amp;", "&")
	m.people["thief"] = m.browser()
	if page, at := m.enter("thief", "owner", path); strings.Contains(page, "Billing") || at.Path != "/tenants/new" {
		t.Errorf("somebody else gets the form at %s", at)
	}
	page, at := m.enter("developer", "developer", path)
	if at.Path != "/tenants/new" || !strings.Contains(page, `value="Billing &amp; co"`) || !strings.Contains(page, `value="billing-owners"`) {
		t.Errorf("the form did not come back at %s\n%.300s", at, page)
	}
	if n := m.number(`SELECT count(*) FROM requests`); n != 3 {
		t.Errorf("%d requests: signing in sent the form", n)
	}
	expire()
	for name, fields := range map[string]url.Values{"a wrong token": {"_csrf": {"x"}}, "no token": {"_csrf": nil}} {
		if a := m.post("developer", "/tenants/new", fields); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s and an ended session: %s", name, a.Status)
		}
	}
	m.exec(`UPDATE sessions SET expires_at = now() - interval '25 hours', last_seen_at = now() - interval '26 hours' WHERE subject = 'demo-developer'`)
	before := m.number(`SELECT count(*) FROM saved_forms`)
	if a := m.post("developer", "/tenants/new", goodTenant()); a.StatusCode != http.StatusUnauthorized || m.number(`SELECT count(*) FROM saved_forms`) != before {
		t.Errorf("a form a day after the session's end: %s", a.Status)
	}
}
