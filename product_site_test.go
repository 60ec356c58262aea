//go:build dev

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"slipway/dev/idp"
	"slipway/dev/postgres/pgtest"
	"slipway/models"
	"slipway/models/store"
	"slipway/web"
	"slipway/web/config"
	"slipway/web/telemetry"
)

func newMatrix(t testing.TB, change ...func(*matrix)) *matrix {
	t.Helper()
	owner, app := pgtest.Database(t, store.Migrate)
	m := &matrix{t: t, people: map[string]*http.Client{}, tokens: map[string]string{}, frames: map[string]string{}, vars: map[string]string{"SLIPWAY_DATABASE_URL": app}, log: io.Discard}
	for _, c := range change {
		c(m)
	}
	m.serve()
	for _, name := range matrixPeople {
		m.signIn(name)
	}
	m.fill(owner)
	for _, name := range matrixPeople[1:] { // once they have their roles
		m.frames[name] = m.connect(name)
	}
	return m
}

func (m *matrix) serve() {
	pages, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		m.t.Fatal(err)
	}
	provider, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		m.t.Fatal(err)
	}
	m.url = fmt.Sprintf("http://localhost:%d", pages.Addr().(*net.TCPAddr).Port)
	issuer := "http://" + provider.Addr().String() + "/dev/idp"
	people := append(idp.Demo(), idp.Person{Name: "fresh", FullName: "Fresh Face", Groups: []string{"engineers"}})
	if m.inside {
		issuer = m.url + "/dev/idp"
	}
	m.issuer = issuer
	client := idp.Slipway(m.url, "secret")
	client.Also = []string{"next-secret"}
	handler, err := idp.New(idp.Config{Issuer: issuer, People: people, Clients: []idp.Client{client}})
	if err != nil {
		m.t.Fatal(err)
	}
	m.provider = handler
	idpServer := &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second}
	m.endProvider = func() { _ = idpServer.Close() }
	go func() { _ = idpServer.Serve(provider) }()
	m.t.Cleanup(func() { _ = idpServer.Close() })
	vars := map[string]string{"SLIPWAY_PUBLIC_URL": m.url, "SLIPWAY_OIDC_ISSUER": issuer, "SLIPWAY_OIDC_CLIENT_ID": "slipway",
		"SLIPWAY_OIDC_CLIENT_SECRET": "secret", "SLIPWAY_ADMIN_GROUPS": "platform-admins", "SLIPWAY_AWS_REGION": "eu-west-1", "SLIPWAY_AWS_REGIONS": "eu-west-1",
		"SLIPWAY_ORG_ROLE_ARN": "arn:aws:iam::111111111111:role/slipway/platform/slipway-org",
		"SLIPWAY_EXTERNAL_ID":  "external", "SLIPWAY_SECRET_KEYS": strings.Repeat("A", 43) + "=", "SLIPWAY_DRAIN_DELAY": "0s"}
	maps.Copy(vars, m.vars)
	c, err := config.Load(vars, "web")
	if err != nil {
		m.t.Fatal(err)
	}
	r := &running{process: process{config: c, vars: vars, web: true, log: telemetry.Logger(m.log, telemetry.LogOptions{JSON: true, Level: "debug", Secrets: c.Secrets()}), page: pages, tracer: m.tracer, limits: m.limits}, clock: &models.ShiftedClock{},
		metrics: telemetry.Registry("test"), started: make(chan struct{})}
	if m.inside {
		r.extra = mount("/dev/idp", handler)
	}
	if err := r.open(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	f, err := r.face(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	go r.begin(m.t.Context())
	go func() { _ = f.Serve(pages) }()
	m.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := f.Shutdown(ctx); err != nil {
			m.t.Error(err)
		}
		r.store.Close()
	})
	m.app, m.face = r, f.(*web.App)
	m.routes = m.face.Routes()
	<-r.started
}

var (
	tokenField = regexp.MustCompile(`name="_csrf" value="([^"]+)"`)
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]+)"`)
	hiddenID   = regexp.MustCompile(`name="id" value="([^"]+)"`)
)

func (m *matrix) signIn(name string) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		m.t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: time.Minute, Transport: framing{m, name}}
	m.people[name] = c
	if name == "anonymous" {
		c.Jar = nil // keeps nothing: what it is given, a test sends by hand
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		return
	}
	page, _ := m.enter(name, name, "/auth/login")
	token := tokenField.FindStringSubmatch(page)
	if token == nil {
		m.t.Fatalf("sign in %s: no token\n%.500s", name, page)
	}
	m.tokens[name] = token[1]
}

// enter opens a path that leads to the provider, signs in there and says where that ended.
func (m *matrix) enter(browser, name, path string) (string, *url.URL) {
	c := m.people[browser]
	c.CheckRedirect = nil
	defer func() {
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}()
	login, address := m.read(c, m.url+path)
	values := url.Values{"username": {name}, "password": {name}}
	if id := hiddenID.FindStringSubmatch(login); id != nil {
		values.Set("id", id[1])
	}
	if a := formAction.FindStringSubmatch(login); a != nil {
		var err error
		if address, err = address.Parse(strings.ReplaceAll(a[1], "&amp;", "&")); err != nil {
			m.t.Fatal(err)
		}
	}
	res, err := c.PostForm(address.String(), values)
	if err != nil {
		m.t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(page), res.Request.URL
}

func (m *matrix) read(c *http.Client, address string) (string, *url.URL) {
	res, err := c.Get(address)
	if err != nil {
		m.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b), res.Request.URL
}

// replica is another process of the product over the same database, with other variables; it answers at an address of its own.
func (m *matrix) replica(change map[string]string) (string, *running) {
	m.t.Helper()
	vars := maps.Clone(m.app.vars)
	maps.Copy(vars, change)
	c, err := config.Load(vars, "web")
	if err != nil {
		m.t.Fatal(err)
	}
	l := loopback(m.t)
	r := &running{process: process{config: c, vars: vars, web: true, log: telemetry.Logger(m.log, telemetry.LogOptions{JSON: true, Level: "debug", Secrets: c.Secrets()}), page: l},
		clock: &models.ShiftedClock{}, metrics: telemetry.Registry("test"), started: make(chan struct{})}
	if err := r.open(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	f, err := r.face(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	go r.begin(m.t.Context())
	go func() { _ = f.Serve(l) }()
	m.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := f.Shutdown(ctx); err != nil {
			m.t.Error(err)
		}
		r.store.Close()
	})
	<-r.started
	return l.Addr().String(), r
}

// at asks a replica for a page in a person's session; its status and text.
func (m *matrix) at(address, person, path string) (int, string) {
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		m.t.Error(err)
		return 0, ""
	}
	req.Host = strings.TrimPrefix(m.url, "http://")
	req.AddCookie(&http.Cookie{Name: sessionCookieName, Value: m.cookie(person)})
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		m.t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		m.t.Error(err)
	}
	return res.StatusCode, string(text)
}
