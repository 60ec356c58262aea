package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"slipway/models"
	"slipway/web/webtest"
)

func TestPostsAreGuarded(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	mine, theirs := s.Browser(t), s.Browser(t)
	token, other := mine.SignIn(), theirs.SignIn()
	if token == other {
		t.Fatal("two sessions share a token")
	}
	for name, tc := range map[string]struct {
		field, header string
		headers       []string
		want          int
	}{
		"field, same origin":                {token, "", nil, 200},
		"header, same origin":               {"", token, nil, 200},
		"typed by the person (none)":        {token, "", []string{"Sec-Fetch-Site", "none"}, 200},
		"old browser with Origin":           {token, "", []string{"Sec-Fetch-Site", "", "Origin", s.URL}, 200},
		"no token":                          {"", "", nil, 403},
		"wrong token":                       {"wrong", "", nil, 403},
		"token of another session":          {other, "", nil, 403},
		"wrong header beside a right field": {token, "wrong", nil, 403},
		"cross-site":                        {token, "", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"same-site":                         {token, "", []string{"Sec-Fetch-Site", "same-site"}, 403},
		"cross-site with a forged Origin":   {token, "", []string{"Sec-Fetch-Site", "cross-site", "Origin", s.URL}, 403},
		"foreign Origin":                    {token, "", []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example.com"}, 403},
		"Origin null":                       {token, "", []string{"Sec-Fetch-Site", "", "Origin", "null"}, 403},
		"Origin with a suffix":              {token, "", []string{"Sec-Fetch-Site", "", "Origin", s.URL + ".evil.example.com"}, 403},
		"neither header":                    {token, "", []string{"Sec-Fetch-Site", ""}, 403},
	} {
		fields, headers := url.Values{"text": {"hello"}}, tc.headers
		if tc.field != "" {
			fields.Set("_csrf", tc.field)
		}
		if tc.header != "" {
			headers = append(headers, "X-Csrf-Token", tc.header)
		}
		if a := mine.Post("/notes", fields, headers...); a.StatusCode != tc.want {
			t.Errorf("%s: %s, want %d", name, a.Status, tc.want)
		}
	}
	if a := mine.Post("/notes?_csrf="+token, url.Values{"text": {"x"}}); a.StatusCode != 403 {
		t.Errorf("a token in the address was taken: %s", a.Status)
	}
	if a := mine.Post("/notes", url.Values{"_csrf": {token, token}, "text": {"x"}}); a.StatusCode != 403 {
		t.Errorf("two tokens were taken: %s", a.Status)
	}
	if len(s.Denied()) == 0 {
		t.Error("no denial was audited")
	}
}

func TestWithoutSession(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	if a := b.Get("/notes/live"); a.StatusCode != 401 {
		t.Errorf("fragment: %s", a.Status)
	}
	a := b.Get("/notes/new", "HX-Request", "true", "HX-Current-URL", s.URL+"/notes/new?x=1")
	if a.StatusCode != 401 || a.Header.Get("HX-Redirect") != "/auth/login?return=%2Fnotes%2Fnew%3Fx%3D1" {
		t.Errorf("htmx: %s to %q", a.Status, a.Header.Get("HX-Redirect"))
	}
	a = b.Get("/notes/live", "HX-Request", "true", "HX-Current-URL", "https://evil.example.com/x")
	if a.Header.Get("HX-Redirect") != "/auth/login" {
		t.Errorf("htmx on a foreign page: to %q", a.Header.Get("HX-Redirect"))
	}
	a = b.Post("/notes", url.Values{"text": {"lost"}})
	if a.StatusCode != 401 || len(s.Store.Forms()) != 0 {
		t.Errorf("post: %s, %d forms kept for nobody", a.Status, len(s.Store.Forms()))
	}
	for _, token := range []string{"", "x", strings.Repeat("B", 43), strings.Repeat("é", 43), strings.Repeat("B", 5000)} {
		b.Plant("slipway_session", url.QueryEscape(token))
		if a := b.Get("/"); a.StatusCode != http.StatusSeeOther {
			t.Errorf("cookie %.10q: %s", token, a.Status)
		}
	}
}

func TestExpiredSessionKeepsTheForm(t *testing.T) {
	for name, htmx := range map[string]bool{"page": false, "htmx": true} {
		s := webtest.Serve(t, webtest.Config{})
		b := s.Browser(t)
		token := b.SignIn()
		s.Store.Age(31 * time.Minute)
		headers := []string{"Referer", s.URL + "/notes/new"}
		if htmx {
			headers = []string{"HX-Request", "true", "HX-Current-URL", s.URL + "/notes/new"}
		}
		a := b.Post("/notes", url.Values{"_csrf": {token}, "_key": {"k1"}, "text": {"two\r\nlines"}, "client_secret": {"never kept"}}, headers...)
		forms := s.Store.Forms()
		if a.StatusCode != 401 || len(forms) != 1 {
			t.Fatalf("%s: %s, %d forms", name, a.Status, len(forms))
		}
		f, owner := forms[0], s.Store.Sessions()[0]
		if f.Path != "/notes/new" || !f.Expired || f.Subject != "u-1" || f.Issuer != s.Provider.URL || f.PersonID != owner.PersonID {
			t.Errorf("%s: kept as %+v", name, f)
		}
		if f.Fields["_csrf"] != nil || f.Fields["client_secret"] != nil || f.Fields["text"][0] != "two\nlines" || f.Fields["_key"][0] != "k1" {
			t.Errorf("%s: kept fields %v", name, f.Fields)
		}
		link := "/auth/login?draft=" + f.ID + "&return=%2Fnotes%2Fnew"
		if htmx && a.Header.Get("HX-Redirect") != link || !htmx && !strings.Contains(a.Text, strings.ReplaceAll(link, "&", "&amp;")) {
			t.Errorf("%s: no way back to %s: %q", name, link, a.Header.Get("HX-Redirect"))
		}
		if back := b.Follow(link); back.Request.URL.RequestURI() != "/notes/new?draft="+f.ID {
			t.Errorf("%s: signing in led to %s", name, back.Request.URL)
		}
	}
}

func TestExpiredSessionKeepsTheFormOfItsPage(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	token := b.SignIn()
	s.Store.Age(31 * time.Minute)
	a := b.Post("/notes/n-7/edit", url.Values{"_csrf": {token}, "text": {"changed"}})
	if f := s.Store.Forms(); len(f) != 1 || f[0].Path != "/notes/n-7/edit" || !strings.Contains(a.Text, "return=%2Fnotes%2Fn-7%2Fedit") {
		t.Errorf("%s, kept %+v", a.Status, f)
	}
}

func TestExpiredSessionKeepsNothingUnguarded(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	token := b.SignIn()
	s.Store.Age(31 * time.Minute)
	for name, a := range map[string]webtest.Answer{
		"wrong token":  b.Post("/notes", url.Values{"_csrf": {"wrong"}, "text": {"x"}}),
		"foreign site": b.Post("/notes", url.Values{"_csrf": {token}, "text": {"x"}}, "Sec-Fetch-Site", "cross-site"),
	} {
		if a.StatusCode != 403 {
			t.Errorf("%s: %s", name, a.Status)
		}
	}
	if a := b.Post("/notes/seen", url.Values{"_csrf": {token}}, "Referer", s.URL+"/notes/live"); a.StatusCode != 401 || !strings.Contains(a.Text, "nothing was sent") || !strings.Contains(a.Text, "/auth/login?return=%2Fnotes%2Flive") {
		t.Errorf("a form that no page restores: %s", a.Status)
	}
	s.Store.Age(24 * time.Hour)
	if a := b.Post("/notes", url.Values{"_csrf": {token}, "text": {"x"}}); a.StatusCode != 401 {
		t.Errorf("a day later: %s", a.Status)
	}
	if len(s.Store.Forms()) != 0 {
		t.Errorf("kept %v", s.Store.Forms())
	}
}

func TestSessionEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		age  []time.Duration // with a page opened after each
		want int             // of the last one
	}{
		"used all the time": {[]time.Duration{29 * time.Minute, 29 * time.Minute, 29 * time.Minute}, 200},
		"idle too long":     {[]time.Duration{29 * time.Minute, 31 * time.Minute}, 303},
	} {
		s := webtest.Serve(t, webtest.Config{})
		b := s.Browser(t)
		b.SignIn()
		var last webtest.Answer
		for _, by := range tc.age {
			s.Store.Age(by)
			last = b.Get("/")
		}
		if last.StatusCode != tc.want {
			t.Errorf("%s: %s", name, last.Status)
		}
	}
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	b.SignIn()
	for range 17 { // 17 times 29 minutes is past 8 hours
		s.Store.Age(29 * time.Minute)
		b.Get("/")
	}
	if a := b.Get("/"); a.StatusCode != 303 {
		t.Errorf("past its absolute end: %s", a.Status)
	}
}

func TestOnlyPeopleKeepASessionAlive(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	b.SignIn()
	s.Store.Age(20 * time.Minute)
	before := s.Store.Sessions()[0].LastSeenAt
	b.Get("/notes/live")
	if got := s.Store.Sessions()[0].LastSeenAt; !got.Equal(before) {
		t.Error("a fragment that asks by itself counts as use")
	}
	b.Get("/")
	seen := s.Store.Sessions()[0].LastSeenAt
	if !seen.After(before) {
		t.Error("a page does not count as use")
	}
	b.Get("/")
	if got := s.Store.Sessions()[0].LastSeenAt; !got.Equal(seen) {
		t.Error("last seen is written more than once a minute")
	}
}

func TestRolesCountAtOnce(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	token := b.SignIn()
	s.Store.Roles = func(models.Person) ([]models.PlatformRole, []models.Membership) { return nil, nil }
	a := b.Get("/")
	if a.StatusCode != 403 || !strings.Contains(a.Text, "engineers") {
		t.Errorf("without a role: %s", a.Status)
	}
	if a := b.Post("/auth/logout", url.Values{"_csrf": {token}}); a.StatusCode != 200 {
		t.Errorf("signing out without a role: %s", a.Status)
	}
}
