package web_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/visit"
	"slipway/models"
	"slipway/web"
	"slipway/web/auth"
	"slipway/web/webtest"
)

func failing(path string, err error) web.Route {
	return web.Route{Method: "GET", Path: path, Kind: web.Public, Handler: func(*fiber.Ctx) error { return err }}
}

var oddities = []web.Route{
	failing("/odd/invalid", models.Errorf(models.Invalid, "No such sort.")),
	failing("/odd/fields", models.InvalidFields(map[string]string{"slug": "This is taken."})),
	failing("/odd/unauthenticated", models.Errorf(models.Unauthenticated, "Sign in.")),
	failing("/odd/forbidden", models.Errorf(models.Forbidden, "Not yours.")),
	failing("/odd/missing", models.Errorf(models.NotFound, "Nothing.")),
	failing("/odd/conflict", models.Errorf(models.Conflict, "Changed.")),
	failing("/odd/large", models.Errorf(models.TooLarge, "Too large.")),
	failing("/odd/often", models.Errorf(models.RateLimited, "Too often.")),
	failing("/odd/down", models.Wrap(models.Unavailable, errors.New("dial tcp: refused"), "The database does not answer.")),
	failing("/odd/late", fmt.Errorf("list tenants: %w", context.DeadlineExceeded)),
	failing("/odd/plain", errors.New("secret detail <script>")),
	{Method: "GET", Path: "/odd/panic", Kind: web.Public, Handler: func(*fiber.Ctx) error { panic("secret detail") }},
	{Method: "GET", Path: "/odd/limited", Kind: web.Public, Limit: web.LimitCheck, Handler: func(c *fiber.Ctx) error { return c.SendString("ok") }},
	{Method: "GET", Path: "/odd/admin", Kind: web.Page, Allow: func(a models.Actor) bool { return a.Has(models.PlatformAdmin) }, Handler: func(c *fiber.Ctx) error { return c.SendString("ok") }},
	{Method: "GET", Path: "/odd/address", Kind: web.Public, Handler: func(c *fiber.Ctx) error { return c.SendString(visit.Of(c).Actor.Address) }},
	{Method: "GET", Path: "/odd/wait", Kind: web.Public, Handler: func(c *fiber.Ctx) error {
		d, _ := c.UserContext().Deadline()
		return c.SendString(time.Until(d).String())
	}},
	{Path: "/dev/*", Kind: web.Dev, Handler: func(c *fiber.Ctx) error { return c.SendString("dev") }},
}

func TestErrorPages(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{Routes: oddities})
	b := s.Browser(t)
	for path, want := range map[string]int{
		"/odd/invalid": 400, "/odd/fields": 422, "/odd/unauthenticated": 401, "/odd/forbidden": 403, "/odd/missing": 404, "/odd/conflict": 409,
		"/odd/large": 413, "/odd/often": 429, "/odd/down": 503, "/odd/late": 503, "/odd/plain": 500, "/odd/panic": 500, "/nowhere": 404, "/notes": 405,
		"/static/nothing.js": 404, "/static/../go.mod": 404, "/static/%2e%2e%2fgo.mod": 404,
	} {
		a := b.Get(path)
		id := a.Header.Get(web.RequestIDHeader)
		if a.StatusCode != want || !strings.Contains(a.Text, "<title>") || !strings.Contains(a.Text, id) || len(id) != 36 {
			t.Errorf("%s: %s, want %d, id %q in %.80q", path, a.Status, want, id, a.Text)
		}
		if strings.Contains(a.Text, "secret detail") || strings.Contains(a.Text, "dial tcp") {
			t.Errorf("%s tells the reader what is for the log", path)
		}
		if want >= 500 && strings.Count(s.Log.String(), "request_id="+id) != 1 {
			t.Errorf("%s: not logged exactly once", path)
		}
		if (want == 503 || want == 429) && a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
		h := b.Get(path, "HX-Request", "true")
		if h.StatusCode != want || strings.Contains(h.Text, "<html") {
			t.Errorf("%s for htmx: %s, %.80q", path, h.Status, h.Text)
		}
		j := b.Get(path, "Accept", "application/json")
		if j.StatusCode != want || !strings.Contains(j.Text, `"requestId":"`+j.Header.Get(web.RequestIDHeader)) {
			t.Errorf("%s as JSON: %s, %.80q", path, j.Status, j.Text)
		}
	}
	if a := b.Get("/odd/fields"); !strings.Contains(a.Text, "slug: This is taken.") {
		t.Error("the field's message is not on the page")
	}
	if a := b.Get("/notes"); a.Header.Get("Allow") != "POST" {
		t.Errorf("405 with Allow %q", a.Header.Get("Allow"))
	}
	if !strings.Contains(s.Log.String(), "panic: secret detail") || !strings.Contains(s.Log.String(), "web_test.go") {
		t.Error("the panic's stack is not in the log")
	}
	if a := b.Get("/", web.RequestIDHeader, "forged"); a.Header.Get(web.RequestIDHeader) == "forged" {
		t.Error("a request id from outside was believed")
	}
}

// Every answer carries the headers: pages, errors, redirects, files, health, and what the server refuses by itself.
func TestHeadersEverywhere(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{Routes: oddities})
	b := s.Browser(t)
	token := b.SignIn()
	answers := map[string]webtest.Answer{
		"no such page": b.Get("/nowhere"), "oversized": b.Post("/notes", url.Values{"_csrf": {token}, "text": {strings.Repeat("x", 2<<20)}}), "form": b.Post("/notes", url.Values{"_csrf": {token}, "text": {"x"}}),
		"long headers": b.Get("/", "X-Filler", strings.Repeat("x", 20<<10)), "unknown method": b.Send("BREW", "/", nil), "wrong host": b.Get("/", "Host", "evil.example.com"), "head": b.Send("HEAD", "/", nil),
	}
	opener := map[string]string{} // of routes whose windows stay in touch with what opened them
	for _, r := range s.App.Routes() {
		if r.Method == "GET" || r.Method == "" {
			if r.Opener || r.Kind == web.Dev {
				opener[r.Pattern()] = "unsafe-none"
			}
			path := strings.NewReplacer(":name", "app.css", "*", "x").Replace(r.Path)
			answers[r.Pattern()] = b.Get(path)
		}
	}
	want := map[string]int{"oversized": 413, "form": 200, "long headers": 431, "unknown method": 405, "wrong host": 400, "head": 200}
	for name, a := range answers {
		if code, ok := want[name]; ok && a.StatusCode != code {
			t.Errorf("%s: %s, want %d", name, a.Status, code)
		}
		csp := a.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", name, csp)
		}
		for header, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": cmp.Or(opener[name], "same-origin"), "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY"} {
			if a.Header.Get(header) != value {
				t.Errorf("%s: %s is %q", name, header, a.Header.Get(header))
			}
		}
		if !strings.Contains(name, "/static/") && a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", name, a.Header.Get("Cache-Control"))
		}
		if a.Header.Get("Server") != "" || a.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: names the server, or promises https on http", name)
		}
		if a.Header.Get(web.RequestIDHeader) == "" && name != "unknown method" {
			t.Errorf("%s: no request id", name)
		}
	}
}

func TestStrictTransportOverHTTPS(t *testing.T) {
	const public = "https://slipway.example.com"
	s := webtest.Serve(t, webtest.Config{Auth: func(o *auth.Options) { o.PublicURL = public }, Web: func(o *web.Options) { o.PublicURL = public }})
	b := s.Browser(t)
	if a := b.Get("/healthz", "Host", "slipway.example.com"); !strings.HasPrefix(a.Header.Get("Strict-Transport-Security"), "max-age=31536000") {
		t.Errorf("no HSTS: %q", a.Header.Get("Strict-Transport-Security"))
	}
	if a := b.Get("/", "Host", "localhost"); a.StatusCode != 400 {
		t.Errorf("another host over https: %s", a.Status)
	}
	if a := b.Get("/healthz", "Host", "10.0.0.7:8080"); a.StatusCode != 200 {
		t.Errorf("a load balancer asks by address: %s", a.Status)
	}
}

func TestHost(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{Routes: oddities})
	b := s.Browser(t)
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	if a := b.Get("/odd/wait?x=1", "Host", "localhost"+port); a.StatusCode != 307 || a.Header.Get("Location") != s.URL+"/odd/wait?x=1" {
		t.Errorf("this machine's other name: %s to %q", a.Status, a.Header.Get("Location"))
	}
	for _, host := range []string{"evil.example.com", "localhost.evil.example.com", "127.0.0.1.evil.example.com" + port} {
		if a := b.Get("/odd/wait", "Host", host); a.StatusCode != 400 || strings.Contains(a.Text, "evil") {
			t.Errorf("%s: %s", host, a.Status)
		}
	}
	if a := b.Get("/odd/wait", "X-Forwarded-Host", "evil.example.com"); a.StatusCode != 200 {
		t.Errorf("X-Forwarded-Host counts: %s", a.Status)
	}
}

func TestClientAddress(t *testing.T) {
	for name, tc := range map[string]struct {
		proxies         []string
		forwarded, want string
	}{
		"no proxy":                     {nil, "203.0.113.9", "127.0.0.1"},
		"one proxy":                    {[]string{"127.0.0.0/8"}, "203.0.113.9", "203.0.113.9"},
		"client forges in front of it": {[]string{"127.0.0.1"}, "198.51.100.1, 203.0.113.9", "203.0.113.9"},
		"two proxies":                  {[]string{"127.0.0.1", "10.0.0.0/8"}, "198.51.100.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"},
		"garbage":                      {[]string{"127.0.0.1"}, "203.0.113.9, <script>", "127.0.0.1"},
		"nothing":                      {[]string{"127.0.0.1"}, "", "127.0.0.1"},
	} {
		s := webtest.Serve(t, webtest.Config{Routes: oddities, Web: func(o *web.Options) { o.TrustedProxies = tc.proxies }})
		if a := s.Browser(t).Get("/odd/address", "X-Forwarded-For", tc.forwarded); a.Text != tc.want {
			t.Errorf("%s: %q, want %q", name, a.Text, tc.want)
		}
	}
}

func TestLimits(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{Routes: oddities, Web: func(o *web.Options) {
		o.TrustedProxies = []string{"127.0.0.1"}
		o.Limits = map[web.Limit]web.Rate{web.LimitCheck: {Every: time.Hour, Burst: 3}, web.LimitSignIn: {Every: time.Hour, Burst: 2}}
	}})
	b := s.Browser(t)
	for range 3 {
		if a := b.Get("/odd/limited"); a.StatusCode != 200 {
			t.Fatalf("within the limit: %s", a.Status)
		}
	}
	a := b.Get("/odd/limited")
	if a.StatusCode != 429 || a.Header.Get("Retry-After") != "3600" {
		t.Errorf("above it: %s, Retry-After %q", a.Status, a.Header.Get("Retry-After"))
	}
	if a := b.Get("/odd/limited", "X-Forwarded-For", "203.0.113.9"); a.StatusCode != 200 {
		t.Errorf("another address shares the bucket: %s", a.Status)
	}
	for i := range 4 {
		got := b.Get("/odd/limited", "X-Forwarded-For", fmt.Sprintf("2001:db8::%d", i+1)).StatusCode
		if want := []int{200, 200, 200, 429}[i]; got != want {
			t.Errorf("address %d of one IPv6 network: %d, want %d", i, got, want)
		}
	}
	b.SignIn()
	for i := range 8 {
		if a := b.Get("/?format=csv"); i == 7 && a.StatusCode != 429 {
			t.Errorf("export %d: %s", i, a.Status)
		}
	}
	if a := b.Get("/"); a.StatusCode != 200 {
		t.Errorf("a page after many exports: %s", a.Status)
	}
	b.Get("/auth/login")
	if a := b.Get("/auth/login"); a.StatusCode != 429 {
		t.Errorf("sign-in after sign-in: %s", a.Status)
	}
}

func TestRightOfAWholeRoute(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{Routes: oddities})
	b := s.Browser(t)
	b.SignIn()
	if a := b.Get("/odd/admin"); a.StatusCode != 403 {
		t.Errorf("a requester: %s", a.Status)
	}
	if got := s.Denied(); len(got) != 1 || got[0] != "GET /odd/admin /odd/admin" {
		t.Errorf("audited %q", got)
	}
}

func TestDeadline(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{Routes: oddities})
	left, err := time.ParseDuration(s.Browser(t).Get("/odd/wait").Text)
	if err != nil || left > 10*time.Second || left < 5*time.Second {
		t.Errorf("a request has %s, %v", left, err)
	}
}
