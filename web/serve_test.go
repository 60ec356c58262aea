package web_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/static"
	"slipway/web"
	"slipway/web/webtest"
)

func TestDatabaseGoneAndBack(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	token := b.SignIn()
	s.Store.Break(models.Wrap(models.Unavailable, errors.New("dial: refused"), "The database does not answer."))
	for name, a := range map[string]webtest.Answer{"page": b.Get("/"), "form": b.Post("/notes", url.Values{"_csrf": {token}}), "sign-in": b.Get("/auth/login")} {
		if a.StatusCode != 503 || a.Header.Get("Retry-After") == "" || !strings.Contains(a.Text, "<title>") {
			t.Errorf("%s: %s", name, a.Status)
		}
	}
	if a := b.Get("/healthz"); a.StatusCode != 200 {
		t.Errorf("healthz: %s", a.Status)
	}
	s.Store.Break(nil)
	if a := b.Get("/"); a.StatusCode != 200 {
		t.Errorf("back again: %s", a.Status)
	}
}

func TestReadiness(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	if a := b.Get("/readyz"); a.StatusCode != 200 {
		t.Errorf("ready: %s", a.Status)
	}
	s.SetReady(errors.New("schema is behind: secret detail"))
	if a := b.Get("/readyz"); a.StatusCode != 503 || strings.Contains(a.Text, "secret") {
		t.Errorf("not ready: %s %q", a.Status, a.Text)
	}
	s.SetReady(models.Errorf(models.Unavailable, "The database lacks the migration 0012_retention of this release: run slipway migrate."))
	if a := b.Get("/readyz"); a.StatusCode != 503 || a.Text != "not ready: The database lacks the migration 0012_retention of this release: run slipway migrate.\n" {
		t.Errorf("an old schema: %s %q", a.Status, a.Text)
	}
	s.SetReady(nil)
	s.App.Drain()
	if a := b.Get("/readyz"); a.StatusCode != 503 {
		t.Errorf("draining: %s", a.Status)
	}
	if a := b.Get("/auth/login"); a.StatusCode != 303 {
		t.Errorf("a request while draining: %s", a.Status)
	}
}

// TestStopDoesNotWaitForSpareConnections opens one that never asks for anything, after one that did: the server's read time is longer than the
// site waits for it to stop.
func TestStopDoesNotWaitForSpareConnections(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	spare, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = spare.Close() })
	if a := s.Browser(t).Get("/healthz"); a.StatusCode != 200 { // the spare one is accepted by now
		t.Errorf("healthz: %s", a.Status)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := s.App.Shutdown(ctx); err != nil {
		t.Errorf("shut down: %v", err)
	}
	if n, err := spare.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the spare connection said something: %d %v", n, err)
	}
}

func TestFiles(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	b.Transport = &http.Transport{DisableCompression: true}
	a := b.Get(static.URL("app.css"))
	tag := a.Header.Get("ETag")
	if a.StatusCode != 200 || a.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || a.Header.Get("Content-Type") != "text/css; charset=utf-8" || tag == "" || a.Text != string(static.Lookup("app.css").Body) {
		t.Errorf("%s %v", a.Status, a.Header)
	}
	if a := b.Get("/static/app.css"); strings.Contains(a.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("without a version: %q", a.Header.Get("Cache-Control"))
	}
	if a := b.Get("/static/app.css", "If-None-Match", tag); a.StatusCode != 304 || a.Text != "" {
		t.Errorf("asked again: %s", a.Status)
	}
	z := b.Get("/static/app.css", "Accept-Encoding", "gzip")
	if z.Header.Get("Content-Encoding") != "gzip" || z.Header.Get("ETag") == tag || z.Header.Get("Vary") != "Accept-Encoding" || len(z.Text) >= len(a.Text) {
		t.Errorf("packed: %v", z.Header)
	}
	if b.Cookie("slipway_session") != "" {
		t.Error("a file sets a cookie")
	}
}

func TestQueryIsNotLogged(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	b := s.Browser(t)
	b.SignIn()
	b.Get("/nowhere?code=very-secret-code&state=very-secret-state")
	if log := s.Log.String(); strings.Contains(log, "very-secret") || strings.Contains(log, "state=") || !strings.Contains(log, "path=/nowhere") {
		t.Error("a query is in the log, or the path is not")
	}
}

func TestMetricsAreBounded(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{Routes: oddities})
	b := s.Browser(t)
	for i := range 20 {
		b.Get(fmt.Sprintf("/nowhere/%d", i))
		b.Get(fmt.Sprintf("/static/x%d.css", i))
	}
	families, err := s.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range families {
		if f.GetName() == "slipway_http_requests_total" {
			found = true
			if n := len(f.GetMetric()); n != 2 {
				t.Errorf("40 paths made %d series", n)
			}
		}
	}
	if !found {
		t.Error("requests are not counted")
	}
}

func TestBrokenRequests(t *testing.T) {
	s := webtest.Serve(t, webtest.Config{})
	for name, raw := range map[string]string{
		"no http": "hello\r\n\r\n", "bad length": "POST /notes HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "bad header": "GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
		"bad escape": "GET /%zz HTTP/1.1\r\nHost: HOST\r\n\r\n", "NUL in the path": "GET /tenants/%00 HTTP/1.1\r\nHost: HOST\r\n\r\n", "no host": "GET / HTTP/1.1\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		io.WriteString(conn, strings.ReplaceAll(raw, "HOST", strings.TrimPrefix(s.URL, "http://")))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if resp.StatusCode < 400 || resp.StatusCode >= 500 || resp.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %s", name, resp.Status)
		}
		conn.Close()
	}
	if a := s.Browser(t).Get("/healthz"); a.StatusCode != 200 {
		t.Errorf("afterwards: %s", a.Status)
	}
}

func TestFixedPathsComeFirst(t *testing.T) {
	say := func(word string) fiber.Handler {
		return func(c *fiber.Ctx) error { return c.SendString(word) }
	}
	s := webtest.Serve(t, webtest.Config{Routes: []web.Route{
		{Method: "GET", Path: "/things/:thing", Kind: web.Public, Handler: say("param")}, {Method: "GET", Path: "/things/new", Kind: web.Public, Handler: say("new")},
	}})
	b := s.Browser(t)
	if a := b.Get("/things/new"); a.Text != "new" {
		t.Errorf("/things/new is answered by %s", a.Text)
	}
	if a := b.Get("/things/x"); a.Text != "param" {
		t.Errorf("/things/x is answered by %s", a.Text)
	}
}
