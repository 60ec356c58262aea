package webtest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Browser is one person's browser: cookies, and the headers browsers send. It does not follow redirects by itself.
type Browser struct {
	http.Client
	t    testing.TB
	site *Site
}

// Answer is a response whose body was read.
type Answer struct {
	*http.Response
	Text string
}

// Browser opens a new one.
func (s *Site) Browser(t testing.TB) *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &Browser{t: t, site: s}
	b.Jar, b.Timeout = jar, 20*time.Second
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

// Send sends a request; header pairs replace what a browser would send, and an empty value removes it.
func (b *Browser) Send(method, address string, body io.Reader, header ...string) Answer {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.site.URL + address
	}
	r, err := http.NewRequest(method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if method == "POST" {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		if header[i+1] == "" {
			r.Header.Del(header[i])
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return Answer{resp, string(text)}
}

// Get asks for a page.
func (b *Browser) Get(address string, header ...string) Answer {
	b.t.Helper()
	return b.Send("GET", address, nil, header...)
}

// Post sends a form.
func (b *Browser) Post(address string, fields url.Values, header ...string) Answer {
	b.t.Helper()
	return b.Send("POST", address, strings.NewReader(fields.Encode()), header...)
}

// Follow asks for a page and follows redirects to the end.
func (b *Browser) Follow(address string) Answer {
	b.t.Helper()
	a := b.Get(address)
	for range 10 {
		to, err := a.Location()
		if err != nil {
			return a
		}
		a = b.Get(to.String())
	}
	b.t.Fatalf("redirects without end from %s", address)
	return a
}

// SignIn signs in and returns the session's CSRF token.
func (b *Browser) SignIn() string {
	b.t.Helper()
	a := b.Follow("/auth/login")
	lines := strings.Split(a.Text, "\n")
	if a.StatusCode != http.StatusOK || len(lines) < 2 || lines[0] == "" {
		b.t.Fatalf("sign in: %s %s", a.Status, a.Text)
	}
	return lines[1]
}

// Cookie is the value the browser holds; empty when it holds none.
func (b *Browser) Cookie(name string) string {
	for _, c := range b.Jar.Cookies(b.home()) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// Plant puts a cookie into the browser.
func (b *Browser) Plant(name, value string) {
	b.Jar.SetCookies(b.home(), []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func (b *Browser) home() *url.URL {
	u, err := url.Parse(b.site.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}
