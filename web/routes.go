package web

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/web/auth"
)

// RouteKind decides what happens before a route's handler runs.
type RouteKind int

// The kinds. Only the first five read the session cookie.
const (
	Page     RouteKind = iota // a whole page, or its fragment for htmx
	Form                      // an unsafe request of a signed-in person: token checked, kept when the session has ended
	Fragment                  // part of a page that asks by itself; does not keep a session alive
	Stream                    // server-sent events, with a life of their own
	Export                    // a file of many rows, with a deadline of its own
	Public                    // for everybody: signing in
	Bearer                    // machines with a token of their own; never the session cookie
	Dev                       // what stands in for the outside world in development builds
	Static                    // embedded files
	Ops                       // health: answers whatever host was asked for
	Frame                     // reads in a frame of another site, with the session that frames have; never the session cookie
	Entry                     // the way into a frame: nobody is known yet
)

var kindNames = [...]string{"page", "form", "fragment", "stream", "export", "public", "bearer", "dev", "static", "ops", "frame", "entry"}

// String names the kind for tables and tests.
func (k RouteKind) String() string { return kindNames[k] }

// signedIn tells whether the kind reads the session cookie.
func (k RouteKind) signedIn() bool { return k <= Export }

// Route is one row of the route table. Whatever serves a request is in it, or a test fails.
type Route struct {
	Method  string // empty means every method (Dev only)
	Path    string
	Kind    RouteKind
	Limit   Limit                     // bucket that the request is taken from
	Keeps   string                    // Form: the page that restores what was posted after the session's end; empty: nothing is kept
	Body    int                       // most bytes of the body, where it is more than others'; its path has no parameter
	Opener  bool                      // a frame may have opened it in a window of its own, and keeps in touch with that
	NoRole  bool                      // also for a signed-in person without any role
	Allow   func(a models.Actor) bool // a right the whole route needs; nil: the store decides about the object
	Handler fiber.Handler
}

// Pattern names the route in logs, metrics and tests.
func (r Route) Pattern() string { return strings.TrimSpace(r.Method + " " + r.Path) }

// Routes is the whole table in the order it is matched: what main passed, sign-in, static files and health.
func (a *App) Routes() []Route { return slices.Clone(a.routes) }

// own are the routes that web answers itself.
func (a *App) own() []Route {
	return []Route{
		{Method: fiber.MethodGet, Path: auth.LoginPath, Kind: Public, Limit: LimitSignIn, Opener: true, Handler: a.auth.Login},
		{Method: fiber.MethodGet, Path: auth.CallbackPath, Kind: Public, Limit: LimitReturn, Opener: true, Handler: a.auth.Callback},
		{Method: fiber.MethodGet, Path: auth.ConnectPath, Kind: Page, Limit: LimitSignIn, Opener: true, Handler: a.connect},
		{Method: fiber.MethodPost, Path: auth.ConnectPath, Kind: Form, Limit: LimitSignIn, Opener: true, Handler: a.give},
		{Method: fiber.MethodGet, Path: auth.StartPath, Kind: Entry, Limit: LimitSignIn, Handler: a.startFrame},
		{Method: fiber.MethodPost, Path: auth.LogoutPath, Kind: Form, NoRole: true, Handler: a.auth.Logout},
		{Method: fiber.MethodPost, Path: auth.BackchannelPath, Kind: Bearer, Limit: LimitProvider, Handler: a.auth.BackchannelLogout},
		{Method: fiber.MethodGet, Path: "/static/:name", Kind: Static, Handler: a.asset},
		{Method: fiber.MethodGet, Path: "/healthz", Kind: Ops, Handler: healthy},
		{Method: fiber.MethodGet, Path: "/readyz", Kind: Ops, Handler: a.ready},
	}
}

// inOrder puts fixed segments before parameters, so that /tenants/new is never taken for a tenant called new.
func inOrder(routes []Route) []Route {
	slices.SortStableFunc(routes, func(x, y Route) int {
		xs, ys := strings.Split(x.Path, "/"), strings.Split(y.Path, "/")
		for i := range min(len(xs), len(ys)) {
			if c := cmp.Compare(openness(xs[i]), openness(ys[i])); c != 0 {
				return c
			}
		}
		return cmp.Compare(len(xs), len(ys)) // without it, what is alike in part would make the order depend on the rest of the table
	})
	return routes
}

func openness(segment string) int {
	switch {
	case strings.Contains(segment, "*"):
		return 2
	case strings.HasPrefix(segment, ":"):
		return 1
	}
	return 0
}

// chain is what a request of the route passes through.
func (a *App) chain(r Route) []fiber.Handler {
	all := []fiber.Handler{a.begin(r)}
	if r.Kind.signedIn() {
		all = append(all, a.auth.Session(needs[r.Kind], r.Keeps), a.auth.CSRF)
	}
	if r.Kind == Frame {
		all = append(all, a.frame)
	}
	switch {
	case r.Limit != LimitNone:
		all = append(all, a.limit(r.Limit))
	case r.Kind == Page:
		all = append(all, a.limitExport)
	}
	if r.Kind.signedIn() {
		all = append(all, a.allow(r))
	}
	return append(all, r.Handler)
}
