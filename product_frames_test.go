//go:build dev

package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"slipway/views/urls"
	"slipway/web"
)

const frameCookieName, nonceCookieName = "slipway_frame", "slipway_frame_nonce"

var (
	handedCode = regexp.MustCompile(`data-code="([A-Za-z0-9_-]{43})"`)
	connectURL = regexp.MustCompile(`id="connect" href="([^"]+)"`)
)

// framing gives a person's requests for frames the cookie of their frame: Go's jar keeps no Secure cookie over http.
type framing struct {
	m    *matrix
	name string
}

func (f framing) RoundTrip(r *http.Request) (*http.Response, error) {
	path := r.URL.Path
	if r.URL.Opaque != "" {
		path = r.URL.Opaque
	}
	if value := f.m.frames[f.name]; value != "" && strings.HasPrefix(path, "/embed/") {
		r = r.Clone(r.Context())
		r.AddCookie(&http.Cookie{Name: frameCookieName, Value: value})
	}
	return http.DefaultTransport.RoundTrip(r)
}

func cookieOf(a answer, name string) string {
	for _, c := range a.Cookies() {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// nonce is what a frame without a session is given.
func (m *matrix) nonce(path string) string {
	m.t.Helper()
	a := m.send("anonymous", http.MethodGet, path, nil)
	value := cookieOf(a, nonceCookieName)
	link := connectURL.FindStringSubmatch(a.text)
	if a.StatusCode != http.StatusOK || value == "" || link == nil || !strings.Contains(link[1], "nonce="+value) {
		m.t.Fatalf("a frame without a session: %s, nonce %q\n%.500s", a.Status, value, a.text)
	}
	return value
}

// code has a person agree to the frame with a nonce.
func (m *matrix) code(person, nonce string) string {
	m.t.Helper()
	if a := m.send(person, http.MethodGet, urls.ConnectFrame(nonce, urls.FrameApprovals), nil); a.StatusCode != http.StatusOK && a.StatusCode != http.StatusForbidden || handedCode.MatchString(a.text) {
		m.t.Fatalf("the window of %s: %s", person, a.Status)
	}
	a := m.post(person, urls.Connect, url.Values{"nonce": {nonce}, "view": {urls.FrameApprovals}})
	code := handedCode.FindStringSubmatch(a.text)
	if code == nil {
		return ""
	}
	return code[1]
}

// start uses a code up in the frame with a nonce.
func (m *matrix) start(code, nonce string) answer {
	m.t.Helper()
	return m.send("anonymous", http.MethodGet, "/embed/start?code="+code+"&view="+url.QueryEscape("/embed/approvals?theme=dark"), nil, "Cookie", nonceCookieName+"="+nonce)
}

// connect takes a person into a frame, and gives the cookie of that; empty for somebody who may not.
func (m *matrix) connect(person string) string {
	m.t.Helper()
	nonce := m.nonce(urls.FrameApprovals)
	code := m.code(person, nonce)
	if person == "nobody" { // is not let in; the frame of somebody who has lost their role is
		m.exec(`INSERT INTO frame_sessions (token_hash, session_id, created_at, expires_at) SELECT sha256($1::bytea), id, created_at, created_at + interval '1 hour' FROM sessions WHERE subject = 'demo-nobody'`, []byte(nonce))
		return nonce
	}
	a := m.start(code, nonce)
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/embed/approvals?theme=dark" {
		m.t.Fatalf("start the frame of %s: %s\n%.500s", person, a.Status, a.text)
	}
	return cookieOf(a, frameCookieName)
}

// shows tells whether a frame's cookie shows something.
func (m *matrix) shows(cookie string) bool {
	m.t.Helper()
	a := m.send("anonymous", http.MethodGet, urls.FrameApprovals, nil, "Cookie", frameCookieName+"="+cookie)
	if a.StatusCode != http.StatusOK {
		m.t.Errorf("a frame: %s", a.Status)
	}
	return !connectURL.MatchString(a.text)
}

// TestFrameCodes: a code works once, soon, in the frame that it was made for, and while the session it came from lives.
func TestFrameCodes(t *testing.T) {
	m := newMatrix(t, unlimited)
	nonce := m.nonce(urls.FrameApprovals)
	refused := func(what string, a answer) {
		t.Helper()
		if a.StatusCode != http.StatusUnauthorized || cookieOf(a, frameCookieName) != "" || strings.Contains(a.text, "<form") {
			t.Errorf("%s: %s, cookies %v", what, a.Status, a.Cookies())
		}
	}
	code := m.code("owner", nonce)
	refused("another frame's nonce", m.start(code, m.nonce(urls.FrameApprovals)))
	refused("the right nonce after the wrong one", m.start(code, nonce))
	code = m.code("owner", nonce)
	if a := m.start(code, nonce); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("a good code: %s", a.Status)
	}
	refused("a code that was used", m.start(code, nonce))
	refused("a code that was never given", m.start(strings.Repeat("A", 43), nonce))
	refused("no code", m.start("", nonce))
	refused("no nonce", m.start(m.code("owner", nonce), ""))
	code = m.code("owner", nonce)
	if n := m.number(`SELECT count(*) FROM frame_codes WHERE expires_at BETWEEN clock_timestamp() + interval '15 seconds' AND clock_timestamp() + interval '31 seconds'`); n == 0 {
		t.Error("a code does not last 30 seconds")
	}
	m.exec(`UPDATE frame_codes SET expires_at = clock_timestamp() - interval '1 second'`)
	refused("an old code", m.start(code, nonce))
	code = m.code("owner", nonce)
	m.post("owner", "/auth/logout", nil)
	refused("a code of somebody who signed out", m.start(code, nonce))
	if n := m.number(`SELECT count(*) FROM audit_entries WHERE action = 'access.denied' AND after->>'route' = 'GET /embed/start'`); n == 0 {
		t.Error("refused codes are not audited")
	}
	for _, bad := range []string{"", "x", strings.Repeat("A", 5000)} {
		refusal(t, "a window with the nonce "+bad, m.post("developer", urls.Connect, url.Values{"nonce": {bad}}))
	}
}

// TestFrameEndsWithItsSession: in every way that a session ends, its frames end with it, and never live longer than an hour.
func TestFrameEndsWithItsSession(t *testing.T) {
	m := newMatrix(t, unlimited)
	for name, end := range map[string]func(){
		"signing out": func() { m.post("viewer", "/auth/logout", nil) },
		"at the provider": func() {
			m.exec(`UPDATE sessions SET ended_at = now(), ended_why = 'provider' WHERE subject = 'demo-viewer'`)
		},
		"its absolute end": func() { m.exec(`UPDATE sessions SET expires_at = now() WHERE subject = 'demo-viewer'`) },
		"nobody uses it": func() {
			m.exec(`UPDATE sessions SET last_seen_at = now() - interval '31 minutes' WHERE subject = 'demo-viewer'`)
		},
		"the sweep of old rows": func() { m.exec(`DELETE FROM sessions WHERE subject = 'demo-viewer'`) },
		"an hour": func() {
			m.exec(`UPDATE frame_sessions SET created_at = created_at - interval '1 hour', expires_at = expires_at - interval '1 hour'`)
		},
		"a new sign-in over it": func() { m.signInAgain("viewer") },
		"the provider's refusal": func() {
			m.exec(`UPDATE sessions SET checked_at = now() - interval '3 hours', failing_since = now() - interval '3 hours', recheck_next = now() + interval '1 hour' WHERE subject = 'demo-viewer'`)
		},
	} {
		m.signIn("viewer")
		cookie := m.connect("viewer")
		if !m.shows(cookie) {
			t.Fatalf("%s: not inside to begin with", name)
		}
		end()
		if m.shows(cookie) {
			t.Errorf("%s: the frame goes on", name)
		}
		a := m.send("anonymous", http.MethodGet, urls.FrameApprovals, nil, "Cookie", frameCookieName+"="+cookie, "HX-Request", "true")
		if a.StatusCode != http.StatusOK || a.Header.Get("HX-Refresh") != "true" {
			t.Errorf("%s: a frame that asks for itself: %s %q", name, a.Status, a.text)
		}
	}
}

// signInAgain signs a person in in the same browser.
func (m *matrix) signInAgain(name string) { m.enter(name, name, "/auth/login") }

// TestFrameCookieOpensFramesOnly: neither cookie is worth anything in the other's place.
func TestFrameCookieOpensFramesOnly(t *testing.T) {
	m := newMatrix(t, unlimited)
	frame := m.frames["admin"]
	for _, r := range m.routes {
		if r.Kind > web.Export && r.Kind != web.Frame {
			continue
		}
		for _, name := range []string{frameCookieName, sessionCookieName} {
			header := []string{"Cookie", name + "=" + frame}
			if r.Kind == web.Frame {
				header = []string{"Cookie", sessionCookieName + "=" + m.cookie("admin")}
			}
			var a answer
			if r.Method == http.MethodPost {
				a = m.send("anonymous", r.Method, m.path(r, "own"), strings.NewReader(url.Values{"_csrf": {m.tokens["admin"]}}.Encode()), header...)
			} else {
				a = m.send("anonymous", r.Method, m.path(r, "own"), nil, header...)
			}
			switch {
			case r.Kind == web.Frame:
				if !connectURL.MatchString(a.text) {
					t.Errorf("%s opens with the session cookie: %s", r.Pattern(), a.Status)
				}
			case a.StatusCode != http.StatusSeeOther && a.StatusCode != http.StatusUnauthorized || a.StatusCode == http.StatusSeeOther && !strings.HasPrefix(a.Header.Get("Location"), "/auth/login"):
				t.Errorf("%s with a frame's cookie as %s: %s to %s", r.Pattern(), name, a.Status, a.Header.Get("Location"))
			}
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		if a := m.send("admin", method, urls.FrameApprovals, nil); a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s of a frame: %s", method, a.Status)
		}
	}
	before := m.number(`SELECT extract(epoch FROM max(last_seen_at))::int FROM sessions WHERE subject = 'demo-admin'`)
	m.exec(`UPDATE sessions SET last_seen_at = last_seen_at - interval '10 minutes' WHERE subject = 'demo-admin'`)
	if !m.shows(frame) {
		t.Error("not inside")
	}
	if after := m.number(`SELECT extract(epoch FROM max(last_seen_at))::int FROM sessions WHERE subject = 'demo-admin'`); after > before-int((9*time.Minute).Seconds()) {
		t.Error("a frame that nobody looks at keeps the session alive")
	}
}

// TestFrameAddresses: what a frame or its window is told to show is a frame, whatever the address says.
func TestFrameAddresses(t *testing.T) {
	m := newMatrix(t, unlimited)
	for _, view := range []string{"https://evil.example.com", "//evil.example.com", "/admin/roles", "/embed/../admin/roles", "/embed/start?code=x", "/embed/connect", "javascript:alert(1)", "/embed", strings.Repeat("/embed/x", 1000)} {
		nonce := m.nonce(urls.FrameApprovals)
		a := m.send("anonymous", http.MethodGet, "/embed/start?code="+m.code("owner", nonce)+"&view="+url.QueryEscape(view), nil, "Cookie", nonceCookieName+"="+nonce)
		if to := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/embed/") || strings.Contains(to, "..") {
			t.Errorf("a frame is sent to %q: %s", to, a.Status)
		}
		w := m.send("owner", http.MethodGet, urls.ConnectFrame(nonce, view), nil)
		if w.StatusCode != http.StatusOK && w.StatusCode < 400 || strings.Contains(w.text, "evil") || strings.Contains(w.text, "javascript:") {
			t.Errorf("the window for %.60s: %s", view, w.Status)
		}
	}
	for _, theme := range []string{"dark", "light", "", "x\"><script>"} {
		a := m.send("owner", http.MethodGet, urls.FrameApprovals+"?theme="+url.QueryEscape(theme), nil)
		want := map[string]string{"dark": `data-theme="slipway-dark"`, "light": `data-theme="slipway-light"`}[theme]
		if a.StatusCode != http.StatusOK || !strings.Contains(a.text, want) || want == "" && strings.Contains(a.text, "data-theme") || strings.Contains(a.text, "x\"><script>") {
			t.Errorf("theme %q: %s", theme, a.Status)
		}
	}
}
