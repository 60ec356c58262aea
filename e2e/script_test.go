package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// script is a signed-in person without a browser: plain requests, a cookie jar, the forms' hidden fields.
type script struct {
	t    testing.TB
	base string
	http *http.Client
}

// answer is what a page said.
type answer struct {
	status int
	url    *url.URL
	header http.Header
	body   string
}

func signInByScript(t testing.TB, base, user string) *script {
	t.Helper()
	s, err := tryScript(t, base, user)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tryScript signs in; an answer that is no page is an error, because the server may be down for a moment.
func tryScript(t testing.TB, base, user string) (*script, error) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	s := &script{t, base, &http.Client{Jar: jar, Timeout: 30 * time.Second}}
	form := s.get("/auth/login")
	if !strings.Contains(form.body, "password") {
		return nil, fmt.Errorf("sign-in page of %s: %d %s", base, form.status, clip(form.body, 300))
	}
	done := s.submit(form, "password", url.Values{"username": {user}, "password": {user}})
	if done.status != http.StatusOK {
		return nil, fmt.Errorf("sign in as %s: %d %s %s", user, done.status, done.url, clip(done.body, 300))
	}
	return s, nil
}

// get reads a page; a refused connection is an answer with status 0, because crash tests meet it.
func (s *script) get(path string) answer {
	s.t.Helper()
	return s.send(http.MethodGet, s.base+path, nil)
}

func (s *script) send(method, address string, form url.Values) answer {
	s.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(context.Background(), method, address, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host)
	}
	res, err := s.http.Do(req)
	if err != nil {
		return answer{body: err.Error(), url: req.URL}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return answer{body: err.Error(), url: req.URL}
	}
	return answer{res.StatusCode, res.Request.URL, res.Header, string(b)}
}

var (
	formTag   = regexp.MustCompile(`(?s)<form\b[^>]*>.*?</form>`)
	actionTag = regexp.MustCompile(`<form\b[^>]*\baction="([^"]*)"`)
	hiddenTag = regexp.MustCompile(`<input\b[^>]*\btype="hidden"[^>]*>`)
	nameAttr  = regexp.MustCompile(`\bname="([^"]*)"`)
	valueAttr = regexp.MustCompile(`\bvalue="([^"]*)"`)
)

// submit fills the page's first form that contains marker, hidden fields included, and sends it.
func (s *script) submit(page answer, marker string, values url.Values) answer {
	s.t.Helper()
	for _, form := range formTag.FindAllString(page.body, -1) {
		if !strings.Contains(form, marker) {
			continue
		}
		fields := url.Values{}
		for _, in := range hiddenTag.FindAllString(form, -1) {
			if n := nameAttr.FindStringSubmatch(in); n != nil {
				v := valueAttr.FindStringSubmatch(in)
				if v == nil {
					v = []string{"", ""}
				}
				fields.Add(n[1], unescape(v[1]))
			}
		}
		for k, v := range values {
			fields[k] = v
		}
		target := page.url
		if a := actionTag.FindStringSubmatch(form); a != nil && a[1] != "" {
			u, err := page.url.Parse(unescape(a[1]))
			if err != nil {
				s.t.Fatal(err)
			}
			target = u
		}
		return s.send(http.MethodPost, target.String(), fields)
	}
	s.t.Fatalf("%s (%d) has no form with %q:\n%s", page.url, page.status, marker, clip(page.body, 2000))
	return answer{}
}

func unescape(v string) string {
	return strings.NewReplacer("&amp;", "&", "&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&#43;", "+").Replace(v)
}

func clip(v string, n int) string {
	if len(v) > n {
		return v[:n]
	}
	return v
}

// eventually asks again and again until ok, at a short interval, for as long as patience lasts.
func eventually(t testing.TB, what string, patience time.Duration, ok func() (bool, string)) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		done, last := ok()
		if done {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s did not happen within %s; last: %s", what, patience, last)
		case <-tick.C:
		}
	}
}

// tenantForm is a valid order; slug makes it unique.
func tenantForm(slug string, classes ...string) url.Values {
	if len(classes) == 0 {
		classes = []string{"nonprod", "prod"}
	}
	return url.Values{"slug": {slug}, "display_name": {"Team " + slug}, "description": {"Made by a test."}, "owner_group": {slug + "-owners"},
		"developer_group": {slug + "-developers"}, "viewer_group": {slug + "-viewers"}, "cost_centre": {"CC-4100"}, "budget": {"900"}, "classes": classes}
}

var requestPath = regexp.MustCompile(`^/requests/[0-9a-f-]{36}$`)

// order asks for a tenant and returns the address of the request.
func (s *script) order(slug string, classes ...string) string {
	s.t.Helper()
	a := s.submit(s.get("/tenants/new"), `name="slug"`, tenantForm(slug, classes...))
	if a.status != http.StatusOK || !requestPath.MatchString(a.url.Path) {
		s.t.Fatalf("order %s: %d %s\n%s", slug, a.status, a.url, clip(a.body, 1500))
	}
	return a.url.Path
}

// approve waits for the plan and approves it.
func (s *script) approve(request string) {
	s.t.Helper()
	var page answer
	eventually(s.t, "a plan to approve", patience, func() (bool, string) {
		page = s.get(request)
		return strings.Contains(page.body, `name="plan_hash"`), fmt.Sprint(page.status, " ", clip(page.body, 300))
	})
	a := s.submit(page, `/approve"`, url.Values{"seen": {"yes"}})
	if a.status != http.StatusOK {
		s.t.Fatalf("approve %s: %d\n%s", request, a.status, clip(a.body, 1500))
	}
}
