// Package web is the HTTP face of Slipway: the order of middleware, the route table, the one error page.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"slipway/handlers/stream"
	"slipway/models"
	"slipway/web/auth"
)

const (
	maxBody       = 1 << 20
	maxHeaders    = 16 << 10
	maxConns      = 4096
	requestTime   = 10 * time.Second // deadline of an ordinary request
	readTime      = 10 * time.Second
	writeTime     = 20 * time.Second // streams and exports extend it with every write
	keepAliveTime = 75 * time.Second // above a load balancer's 60 s, so that it never reuses a connection we just closed
)

// Options is everything the web layer is given.
type Options struct {
	PublicURL      string     // scheme and host people type
	TrustedProxies []string   // addresses or CIDR blocks whose X-Forwarded-For is believed
	Auth           *auth.Auth // sign-in and sessions
	Routes         []Route    // of the handlers
	FrameOrigins   []string   // sites that may show frames; none: nobody may
	Streams        *stream.Hub
	Logger         *slog.Logger
	Metrics        prometheus.Registerer
	Limits         map[Limit]Rate // nil: the defaults
	Ready          func(ctx context.Context) error
	// AccessGroups lists the groups that lead to a role, for the page of somebody who has none.
	AccessGroups func(ctx context.Context, actor models.Actor) ([]models.RoleMapping, error)
	// Denied audits that somebody asked for what they may not have. It must keep a flood from filling the log.
	Denied func(ctx context.Context, actor models.Actor, route, objectType, objectID string) error
}

// App serves the route table.
type App struct {
	opts     Options
	public   *url.URL
	proxies  []netip.Prefix
	auth     *auth.Auth
	fiber    *fiber.App
	routes   []Route
	limits   *limiter
	metrics  metrics
	draining atomic.Bool
	accepts  atomic.Pointer[sparing] // nil before Serve

	providerHost string
}

// New builds the app; it opens nothing.
func New(o Options) (*App, error) {
	public, err := url.Parse(o.PublicURL)
	if err != nil || public.Host == "" || public.Path != "" {
		return nil, fmt.Errorf("set up web: %q is not a public address of scheme and host", o.PublicURL)
	}
	if o.Auth == nil || o.Streams == nil || o.Logger == nil || o.Metrics == nil || o.Ready == nil || o.AccessGroups == nil || o.Denied == nil {
		return nil, errors.New("set up web: an option is missing")
	}
	a := &App{opts: o, public: public, auth: o.Auth, limits: newLimiter(o.Limits), providerHost: hostOf(o.Auth.Issuer())}
	if a.proxies, err = prefixes(o.TrustedProxies); err != nil {
		return nil, fmt.Errorf("set up web: %w", err)
	}
	if a.metrics, err = newMetrics(o.Metrics, o.Streams); err != nil {
		return nil, fmt.Errorf("set up web: %w", err)
	}
	a.fiber = fiber.New(fiber.Config{
		AppName: "slipway", DisableStartupMessage: true, Immutable: true, CaseSensitive: true, ErrorHandler: a.fail,
		BodyLimit: maxBody, ReadBufferSize: maxHeaders, Concurrency: maxConns, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: keepAliveTime,
		// Fiber's own trust in proxies is off: it takes the first address of X-Forwarded-For, which the client writes.
		EnableTrustedProxyCheck:      true,
		DisablePreParseMultipartForm: true, // handlers/form reads bodies, by its own limits
	})
	a.fiber.Use(a.observe, a.guard)
	a.routes = inOrder(append(a.own(), o.Routes...))
	for _, r := range a.routes {
		if err := a.add(r); err != nil {
			return nil, err
		}
	}
	server := a.fiber.Server()
	server.Handler = a.knownMethod(server.Handler)
	server.HeaderReceived = a.bodyLimit()
	return a, nil
}

func (a *App) add(r Route) error {
	switch {
	case r.Handler == nil || !strings.HasPrefix(r.Path, "/"):
		return fmt.Errorf("set up web: route %q has no handler or no path", r.Pattern())
	case r.Kind == Form && r.Method != fiber.MethodPost:
		return fmt.Errorf("set up web: route %q is a form but not a POST", r.Pattern())
	case (r.Kind.signedIn() && r.Kind != Form || r.Kind == Frame || r.Kind == Entry) && r.Method != fiber.MethodGet:
		return fmt.Errorf("set up web: route %q reads but is not a GET", r.Pattern())
	case r.Body > 0 && strings.ContainsAny(r.Path, ":*"):
		return fmt.Errorf("set up web: route %q has a limit of its own and a parameter", r.Pattern())
	case r.Method == "" && r.Kind != Dev:
		return fmt.Errorf("set up web: route %q has no method", r.Pattern())
	}
	chain := a.chain(r)
	switch {
	case r.Method == "":
		a.fiber.All(r.Path, chain...)
	case r.Kind == Stream || r.Method != fiber.MethodGet:
		a.fiber.Add(r.Method, r.Path, chain...)
	default:
		a.fiber.Get(r.Path, chain...) // HEAD with it
	}
	return nil
}

// bodyLimit lets the bodies of a few routes be larger than those of all others. It is asked before a body is read.
func (a *App) bodyLimit() func(*fasthttp.RequestHeader) fasthttp.RequestConfig {
	larger := map[string]int{}
	for _, r := range a.routes {
		if r.Body > 0 {
			larger[r.Pattern()] = r.Body
		}
	}
	return func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		path, _, _ := strings.Cut(string(h.RequestURI()), "?")
		return fasthttp.RequestConfig{MaxRequestBodySize: larger[string(h.Method())+" "+path]}
	}
}

// knownMethod answers what Fiber would answer without headers or a request id: a method it does not know.
func (a *App) knownMethod(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	known := map[string]bool{}
	for _, m := range fiber.DefaultMethods {
		known[m] = true
	}
	return func(ctx *fasthttp.RequestCtx) {
		if known[string(ctx.Method())] {
			next(ctx)
			return
		}
		a.headers(&ctx.Response.Header)
		ctx.SetStatusCode(fasthttp.StatusMethodNotAllowed)
		ctx.SetContentType(fiber.MIMETextPlainCharsetUTF8)
		ctx.SetBodyString("This method is not known here.\n")
	}
}

// Serve answers on the listener until Shutdown.
func (a *App) Serve(l net.Listener) error {
	s := newSparing(l)
	a.accepts.Store(s)
	return a.fiber.Listener(s)
}

// Drain makes /readyz say 503, so that load balancers send nothing new; everything is still answered.
func (a *App) Drain() { a.draining.Store(true) }

// Shutdown ends the streams, stops accepting, and waits for requests under way until ctx ends.
func (a *App) Shutdown(ctx context.Context) error {
	a.Drain()
	streams := a.opts.Streams.Close(ctx)
	if s := a.accepts.Load(); s != nil {
		s.closeUnused()
	}
	if err := a.fiber.ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("stop the web server: %w", err)
	}
	if err := a.auth.Settle(ctx); err != nil {
		return err
	}
	if streams != nil {
		return fmt.Errorf("end streams: %w", streams)
	}
	return nil
}

// Fiber is the app itself, for tests that need no listener.
func (a *App) Fiber() *fiber.App { return a.fiber }
