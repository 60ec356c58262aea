package stream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"slipway/handlers/stream"
	"slipway/handlers/visit"
)

// state is what the streams of a test show, and how they hear that it changed.
type state struct {
	value   atomic.Int64
	done    atomic.Bool
	fail    atomic.Bool
	changes chan struct{}
	closed  chan struct{}
	renders atomic.Int64
}

func newState() *state {
	return &state{changes: make(chan struct{}, 16), closed: make(chan struct{}, 600)}
}

func (s *state) source() stream.Source {
	return stream.Source{Event: "run", Changes: s.changes, Close: func() { s.closed <- struct{}{} },
		Render: func(context.Context) (templ.Component, bool, error) {
			s.renders.Add(1)
			if s.fail.Load() {
				return nil, false, errors.New("gone")
			}
			return templ.Raw(fmt.Sprintf("<p>%d</p>\n<p>second line</p>", s.value.Load())), s.done.Load(), nil
		}}
}

func serve(t *testing.T, h *stream.Hub, s *state) string {
	t.Helper()
	app := fiber.New(fiber.Config{Immutable: true, DisableStartupMessage: true, WriteTimeout: 300 * time.Millisecond, ErrorHandler: func(c *fiber.Ctx, err error) error {
		return c.Status(500).SendString(err.Error())
	}})
	app.Get("/events", func(c *fiber.Ctx) error {
		visit.Set(c, visit.Visit{SessionID: c.Query("session", "s")})
		return h.Serve(c, s.source())
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go app.Listener(l)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := errors.Join(h.Close(ctx), app.ShutdownWithContext(ctx)); err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String() + "/events"
}

type client struct {
	*http.Response
	r *bufio.Reader
}

func open(t *testing.T, address string) client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: &http.Transport{}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return client{resp, bufio.NewReader(resp.Body)}
}

// next reads one event or comment; empty at the end.
func (c client) next(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatalf("read: %v after %q", err, b.String())
		}
		if line == "\n" {
			return b.String()
		}
		b.WriteString(line)
	}
}

const zero = "event: run\ndata: <p>0</p>\ndata: <p>second line</p>\n"

func TestStreamShowsWholeFragments(t *testing.T) {
	s := newState()
	c := open(t, serve(t, stream.NewHub(stream.Limits{Gap: 10 * time.Millisecond}), s))
	if c.StatusCode != 200 || c.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
		t.Fatalf("%s %v", c.Status, c.Header)
	}
	if got := c.next(t); got != "retry: 1000\n" {
		t.Fatalf("began with %q", got)
	}
	if got := c.next(t); got != zero {
		t.Fatalf("first fragment %q", got)
	}
	for i := int64(1); i <= 10; i++ { // a burst is one event with the last state
		s.value.Store(i)
		s.changes <- struct{}{}
	}
	if got := c.next(t); !strings.Contains(got, "<p>10</p>") {
		t.Errorf("after a burst %q", got)
	}
	s.value.Store(11)
	s.done.Store(true)
	s.changes <- struct{}{}
	if got := c.next(t); !strings.Contains(got, "<p>11</p>") {
		t.Errorf("last fragment %q", got)
	}
	if got := c.next(t); got != "event: end\ndata: settled\n" {
		t.Errorf("end %q", got)
	}
	if got := c.next(t); got != "" {
		t.Errorf("after the end %q", got)
	}
	<-s.closed
	if n := s.renders.Load(); n > 4 {
		t.Errorf("rendered %d times", n)
	}
}

// The server's write timeout is 300 ms here; a stream must outlive it.
func TestStreamOutlivesTheWriteTimeout(t *testing.T) {
	s := newState()
	c := open(t, serve(t, stream.NewHub(stream.Limits{Heartbeat: 150 * time.Millisecond, Life: 1200 * time.Millisecond, Gap: time.Millisecond}), s))
	began, beats := time.Now(), 0
	for got := c.next(t); got != ""; got = c.next(t) {
		if got == ": alive\n" {
			beats++
		}
	}
	if lived := time.Since(began); lived < time.Second || lived > 12*time.Second || beats < 2 {
		t.Errorf("lived %s with %d heartbeats", lived, beats)
	}
	<-s.closed
}

func TestUnchangedStateIsNotSentAgain(t *testing.T) {
	s := newState()
	c := open(t, serve(t, stream.NewHub(stream.Limits{Gap: time.Millisecond, Heartbeat: 200 * time.Millisecond}), s))
	c.next(t)
	c.next(t)
	s.changes <- struct{}{}
	if got := c.next(t); got != ": alive\n" {
		t.Errorf("the same fragment came twice: %q", got)
	}
}

func TestLimits(t *testing.T) {
	s := newState()
	h := stream.NewHub(stream.Limits{PerSession: 2, PerProcess: 3})
	address := serve(t, h, s)
	first := open(t, address+"?session=a")
	for i, tc := range []struct {
		session string
		want    int
	}{{"a", 200}, {"a", 204}, {"b", 200}, {"b", 204}, {"c", 204}} {
		if c := open(t, address+"?session="+tc.session); c.StatusCode != tc.want {
			t.Errorf("stream %d of session %s: %s", i, tc.session, c.Status)
		}
	}
	if h.Open() != 3 {
		t.Errorf("%d open", h.Open())
	}
	for range 3 {
		<-s.closed // the refused ones let go of their subscription
	}
	first.Body.Close()
	s.value.Store(1)
	for h.Open() == 3 { // a client that left is noticed by writing to it
		select {
		case s.changes <- struct{}{}:
			s.value.Add(1)
		case <-s.closed:
			s.closed <- struct{}{}
		}
	}
	<-s.closed
	if c := open(t, address+"?session=a"); c.StatusCode != 200 {
		t.Errorf("the freed place is not given again: %s", c.Status)
	}
}

func TestErrorBeforeTheFirstFragment(t *testing.T) {
	s := newState()
	s.fail.Store(true)
	h := stream.NewHub(stream.Limits{})
	if c := open(t, serve(t, h, s)); c.StatusCode != 500 {
		t.Errorf("%s", c.Status)
	}
	<-s.closed
	if h.Open() != 0 {
		t.Error("the place was not given back")
	}
}

func TestErrorLaterEndsTheStream(t *testing.T) {
	s := newState()
	c := open(t, serve(t, stream.NewHub(stream.Limits{Gap: time.Millisecond}), s))
	c.next(t)
	c.next(t)
	s.fail.Store(true)
	s.changes <- struct{}{}
	if got := c.next(t); got != "" {
		t.Errorf("went on with %q", got)
	}
	<-s.closed
}

func TestShutdownIsQuick(t *testing.T) {
	s := newState()
	h := stream.NewHub(stream.Limits{PerSession: 100})
	address := serve(t, h, s)
	for range 20 {
		open(t, address) // nobody reads these
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("ending 20 streams took %s", took)
	}
	if c := open(t, address); c.StatusCode != 204 {
		t.Errorf("a stream after the end: %s", c.Status)
	}
}

func TestPanicInAFragmentEndsOnlyItsStream(t *testing.T) {
	h := stream.NewHub(stream.Limits{Gap: time.Millisecond})
	s := newState()
	panics := s.source()
	calls := 0
	inner := panics.Render
	panics.Render = func(ctx context.Context) (templ.Component, bool, error) {
		if calls++; calls > 1 {
			panic("in a goroutine")
		}
		return inner(ctx)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/", func(c *fiber.Ctx) error { return h.Serve(c, panics) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go app.Listener(l)
	t.Cleanup(func() { app.ShutdownWithTimeout(time.Second) })
	c := open(t, "http://"+l.Addr().String()+"/")
	c.next(t)
	c.next(t)
	s.changes <- struct{}{}
	if got := c.next(t); got != "" {
		t.Errorf("went on with %q", got)
	}
	<-s.closed
}
