package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"slipway/handlers/stream"
	"slipway/handlers/visit"
	"slipway/models"
	"slipway/web/auth"
)

// RequestIDHeader carries the id of each answer; one sent by a client is ignored, as it could forge the log.
const RequestIDHeader = "X-Request-Id"

type (
	routeKey  struct{} // the Route that serves the request
	answerKey struct{} // the error that the error page answered
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer, streams *stream.Hub) (metrics, error) {
	m := metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "slipway_http_requests_total", Help: "Requests answered."}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "slipway_http_request_seconds", Help: "Time to answer; of a stream, to its first fragment.",
			Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}}, []string{"route", "method"}),
	}
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "slipway_streams_open", Help: "Event streams open now."}, func() float64 { return float64(streams.Open()) })
	for _, c := range []prometheus.Collector{m.requests, m.seconds, open} {
		if err := r.Register(c); err != nil {
			return m, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// observe is the outermost middleware: it names the request, turns errors and panics into the error page and writes one
// line, one count and one span for what became of it.
func (a *App) observe(c *fiber.Ctx) error {
	began := time.Now()
	id := models.NewID()
	c.Set(RequestIDHeader, id)
	a.headers(&c.Response().Header)
	visit.Set(c, visit.Visit{Actor: models.Actor{RequestID: id, Address: a.address(c)}})
	ctx, span := otel.Tracer("slipway/web").Start(c.UserContext(), c.Method(), trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	c.SetUserContext(ctx)
	if err := a.next(c); err != nil {
		if err := a.fail(c, err); err != nil {
			return err
		}
	}
	a.record(c, span, time.Since(began))
	return nil
}

// next runs the rest and turns a panic into an error with its stack.
func (a *App) next(c *fiber.Ctx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return c.Next()
}

func (a *App) record(c *fiber.Ctx, span trace.Span, took time.Duration) {
	route, status := "unmatched", c.Response().StatusCode()
	if r, ok := c.Locals(routeKey{}).(Route); ok {
		route = r.Path
	}
	method, class := c.Method(), strconv.Itoa(status/100)+"xx"
	a.metrics.requests.WithLabelValues(route, method, class).Inc()
	a.metrics.seconds.WithLabelValues(route, method).Observe(took.Seconds())
	span.SetName(method + " " + route)
	span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route), attribute.Int("http.response.status_code", status),
		attribute.String("slipway.request_id", visit.Of(c).Actor.RequestID))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	a.log(c, route, status, took)
}

// log writes the one line of a request. The path is logged, the query never: it may hold a code or what was searched for.
func (a *App) log(c *fiber.Ctx, route string, status int, took time.Duration) {
	who := visit.Of(c).Actor
	attrs := []slog.Attr{slog.String("request_id", who.RequestID), slog.String("method", c.Method()), slog.String("path", shownPath(c)), slog.String("route", route),
		slog.Int("status", status), slog.Int64("micros", took.Microseconds()), slog.Int("bytes", size(c)),
		slog.String("address", who.Address), slog.String("person", who.Person.ID)}
	level := slog.LevelInfo
	if err, ok := c.Locals(answerKey{}).(error); ok {
		attrs = append(attrs, slog.String("kind", models.KindOf(err).String()), slog.String("err", err.Error()))
	}
	switch {
	case route == "/healthz" || route == "/readyz" || route == "/static/:name": // asked for all the time; readyz logs its reason itself
		level = slog.LevelDebug
	case status == http.StatusServiceUnavailable:
		level = slog.LevelWarn
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	}
	a.opts.Logger.LogAttrs(c.UserContext(), level, "request", attrs...)
}

// size of the body; -1 for a stream, which reading would swallow.
func size(c *fiber.Ctx) int {
	if c.Response().IsBodyStream() {
		return -1
	}
	return len(c.Response().Body())
}

// straySecret is a token of ours, wherever in an address it was put; underTokens is where readers put one that may be mistyped.
var (
	straySecret = regexp.MustCompile(`(?i)(slwcat|%73lwcat)[a-z0-9_%-]*`)
	underTokens = regexp.MustCompile(`(?i)(backstage/+t/+)[^/]*`)
)

// shownPath is a path as logs and the audit log may have it: without a token, and not without end.
func shownPath(c *fiber.Ctx) string {
	path := straySecret.ReplaceAllString(underTokens.ReplaceAllString(c.Path(), "$1-"), "-")
	if len(path) > 200 {
		return path[:200] + "…"
	}
	return path
}

var needs = map[RouteKind]auth.Need{Page: auth.Page, Export: auth.Page, Form: auth.Post, Fragment: auth.Fragment, Stream: auth.Fragment}

// begin marks the route and gives the request its deadline: Fiber cancels nothing when a client leaves. Streams and
// exports set their own when they begin to write; until then this one holds for them too.
func (a *App) begin(r Route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Locals(routeKey{}, r)
		if r.Kind == Frame || r.Kind == Entry {
			a.framed(c)
		}
		if r.Opener || r.Kind == Dev { // what cuts the window off on the way cuts it off for good, a redirect too
			c.Set(openerPolicy, "unsafe-none")
		}
		if r.Kind == Dev { // the provider and the simulator's page have their own
			return c.Next()
		}
		ctx, cancel := context.WithTimeout(c.UserContext(), requestTime)
		defer cancel()
		c.SetUserContext(ctx)
		return c.Next()
	}
}
