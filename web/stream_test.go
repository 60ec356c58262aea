package web_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"slipway/handlers/stream"
	"slipway/web"
	"slipway/web/webtest"
)

// streaming is a site with one stream that never changes and one request that takes as long as told.
func streaming(t *testing.T) (s *webtest.Site, entered, leave chan struct{}) {
	entered, leave = make(chan struct{}), make(chan struct{})
	hub := stream.NewHub(stream.Limits{})
	s = webtest.Serve(t, webtest.Config{
		Web: func(o *web.Options) { o.Streams = hub },
		Routes: []web.Route{
			{Method: "GET", Path: "/events", Kind: web.Stream, Handler: func(c *fiber.Ctx) error {
				return hub.Serve(c, stream.Source{Changes: make(chan struct{}), Close: func() {}, Render: func(context.Context) (templ.Component, bool, error) { return templ.Raw("now"), false, nil }})
			}},
			{Method: "GET", Path: "/slow", Kind: web.Public, Handler: func(c *fiber.Ctx) error {
				close(entered)
				<-leave
				return c.SendString("done")
			}},
		},
	})
	return s, entered, leave
}

func openStream(t *testing.T, b *webtest.Browser, address string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestStreamsAreCountedPerSession(t *testing.T) {
	s, _, _ := streaming(t)
	b := s.Browser(t)
	if a := b.Get("/events"); a.StatusCode != 401 {
		t.Errorf("without a session: %s", a.Status)
	}
	b.SignIn()
	for i, want := range []int{200, 200, 200, 200, 204} {
		if r := openStream(t, b, s.URL+"/events"); r.StatusCode != want || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("stream %d: %s %v", i, r.Status, r.Header)
		}
	}
	other := s.Browser(t)
	other.SignIn()
	if r := openStream(t, other, s.URL+"/events"); r.StatusCode != 200 {
		t.Errorf("somebody else's: %s", r.Status)
	}
}

func TestShutdownEndsStreamsAndFinishesRequests(t *testing.T) {
	s, entered, leave := streaming(t)
	b := s.Browser(t)
	b.SignIn()
	open := openStream(t, b, s.URL+"/events")
	slow := make(chan webtest.Answer, 1)
	go func() { slow <- s.Browser(t).Get("/slow") }()
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	stopped := make(chan error, 1)
	began := time.Now()
	go func() { stopped <- s.App.Shutdown(ctx) }()
	if _, err := io.Copy(io.Discard, open.Body); err != nil {
		t.Errorf("the stream was cut instead of ended: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("ending the stream took %s", took)
	}
	select {
	case err := <-stopped:
		t.Fatalf("did not wait for a request under way: %v", err)
	default:
	}
	close(leave)
	if a := <-slow; a.StatusCode != 200 || a.Text != "done" {
		t.Errorf("a request under way got %s", a.Status)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestSpansNameRoutesAndNoSecrets(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithSyncer(spans)))
	s := webtest.Serve(t, webtest.Config{Routes: oddities})
	b := s.Browser(t)
	b.SignIn()
	b.Get("/odd/panic")
	names := map[string]bool{}
	for _, span := range spans.GetSpans() {
		names[span.Name] = true
		for _, a := range span.Attributes {
			if v := a.Value.String(); strings.Contains(v, "code=") || strings.Contains(v, "state=") {
				t.Errorf("%s says %s", span.Name, v)
			}
		}
	}
	for _, want := range []string{"GET /auth/login", "GET /auth/callback", "GET /", "GET /odd/panic"} {
		if !names[want] {
			t.Errorf("no span %s in %v", want, names)
		}
	}
}
