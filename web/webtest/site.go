// Package webtest serves the web layer on a real listener, with a provider that signs everybody in and a store in memory.
package webtest

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"slipway/handlers/form"
	"slipway/handlers/stream"
	"slipway/handlers/visit"
	"slipway/models"
	"slipway/web"
	"slipway/web/auth"
	"slipway/web/auth/authtest"
)

// Site is a running web layer.
type Site struct {
	URL      string
	App      *web.App
	Auth     *auth.Auth
	Keys     *auth.Keyring
	Store    *authtest.Store
	Provider *authtest.Provider // nil when Config.Issuer names another
	Streams  *stream.Hub
	Metrics  *prometheus.Registry
	Log      *Log
	Clock    *models.ShiftedClock

	mu     sync.Mutex
	denied []string
	ready  error
}

// Config changes what a Site is made with.
type Config struct {
	Auth    func(*auth.Options)
	Web     func(*web.Options)
	Streams stream.Limits
	Routes  []web.Route
}

// Serve starts a site; it ends with the test.
func Serve(t testing.TB, cfg Config) *Site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{URL: "http://" + l.Addr().String(), Store: authtest.NewStore(), Provider: authtest.NewProvider(t), Streams: stream.NewHub(cfg.Streams),
		Metrics: prometheus.NewRegistry(), Log: &Log{}, Clock: &models.ShiftedClock{}}
	s.Store.Roles = func(models.Person) ([]models.PlatformRole, []models.Membership) {
		return []models.PlatformRole{models.Requester}, nil
	}
	keys, err := auth.NewKeyring([][]byte{bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	s.Keys = keys
	logger := slog.New(slog.NewTextHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ao := auth.Options{PublicURL: s.URL, Issuer: s.Provider.URL, ClientID: authtest.ClientID, ClientSecret: authtest.ClientSecret, SessionIdle: 30 * time.Minute,
		SessionMax: 8 * time.Hour, Keys: keys, Store: s.Store, Clock: s.Clock, Logger: logger}
	if cfg.Auth != nil {
		cfg.Auth(&ao)
	}
	if s.Auth, err = auth.New(ao); err != nil {
		t.Fatal(err)
	}
	wo := web.Options{PublicURL: ao.PublicURL, Auth: s.Auth, Routes: append(routes(), cfg.Routes...), Streams: s.Streams, Logger: logger, Metrics: s.Metrics,
		Ready: s.isReady, Denied: s.deny,
		AccessGroups: func(context.Context, models.Actor) ([]models.RoleMapping, error) {
			return []models.RoleMapping{{Group: "engineers", Role: models.Requester}}, nil
		}}
	if cfg.Web != nil {
		cfg.Web(&wo)
	}
	if s.App, err = web.New(wo); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.App.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.App.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return s
}

type note struct {
	Text  string `form:"text"`
	Key   string `form:"_key"`
	Count int    `form:"count"`
}

// routes are a page and a form, the least that sign-in can lead to.
func routes() []web.Route {
	text := func(c *fiber.Ctx) error {
		v := visit.Of(c)
		return c.SendString(v.Actor.Person.Subject + "\n" + v.CSRF + "\n" + strings.Join(v.Actor.Person.Groups, ",") + "\n" + v.Actor.Person.Email + "\n")
	}
	return []web.Route{
		{Method: "GET", Path: "/", Kind: web.Page, Handler: text},
		{Method: "GET", Path: "/notes/new", Kind: web.Page, Handler: text},
		{Method: "GET", Path: "/notes/live", Kind: web.Fragment, Handler: text},
		{Method: "POST", Path: "/notes", Kind: web.Form, Keeps: "/notes/new", Handler: func(c *fiber.Ctx) error {
			in, err := form.Decode[note](c)
			if err != nil {
				return err
			}
			return c.SendString("noted: " + in.Text)
		}},
		{Method: "POST", Path: "/notes/:id/edit", Kind: web.Form, Keeps: "/notes/:id/edit", Handler: text},
		{Method: "POST", Path: "/notes/seen", Kind: web.Form, Handler: func(c *fiber.Ctx) error { return c.SendString("seen") }},
	}
}

func (s *Site) isReady(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready
}

// SetReady changes what readiness finds.
func (s *Site) SetReady(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = err
}

func (s *Site) deny(_ context.Context, _ models.Actor, route, _, object string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = append(s.denied, route+" "+object)
	return nil
}

// Denied lists the audited denials.
func (s *Site) Denied() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.denied...)
}

// Log collects log lines.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is everything logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
