package main

import (
	"context"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers"
	"slipway/handlers/stream"
	"slipway/models"
	"slipway/views/urls"
	"slipway/web"
)

// routes is the route table: what each address answers with. web adds sign-in, static files and health.
func (r *running) routes(ctx context.Context, streams *stream.Hub) []web.Route {
	desk := &handlers.Desk{Counts: r.store, Clock: r.clock, Simulated: r.config.AWS.Endpoint != ""}
	home := &handlers.Home{Desk: desk, Store: r.store, Watch: r.store, Health: r.store}
	tenants := &handlers.Tenants{Desk: desk, Store: r.store, Holds: r.store, Health: r.store, Unwell: r.store, Delivery: r.store, Portal: r.portal()}
	ask := &handlers.NewTenant{Desk: desk, Store: r.store, Forms: r.store, Groups: r.groups}
	runs := &handlers.Runs{Desk: desk, Store: r.store, Control: r.store, Back: r.store, Streams: streams, Changes: r.changes}
	audit := &handlers.Audit{Desk: desk, Store: r.store}
	admin := &handlers.Admin{Desk: desk, Store: r.store, Lately: r.store, Rules: r.rules}
	return slices.Concat([]web.Route{
		page("/", home.Show),
		form("/theme", desk.SetTheme, anybody),
		form("/drafts/:id/delete", home.DeleteDraft),

		page("/tenants", tenants.List),
		page("/tenants/new", ask.New),
		form("/tenants/new", ask.Create, limited(web.LimitPlan), kept(urls.NewTenant)),
		form("/tenants/new/check", ask.Check, limited(web.LimitCheck), requesters),
		page("/tenants/:tenant", tenants.Show),

		page("/audit", audit.List),
		page("/admin/roles", admin.Roles),
		form("/admin/roles/add", admin.AddRole),
		form("/admin/roles/remove", admin.RemoveRole),
		page("/admin/rules", admin.ShowRules),
	},
		r.requestRoutes(desk, runs),
		r.orderRoutes(desk, ask),
		r.objectRoutes(desk),
		r.deliveryRoutes(desk, streams),
		r.freezeRoutes(desk),
		r.backstageRoutes(desk),
		r.ciRoutes(),
		r.healthRoutes(desk),
		r.collectorRoutes(desk),
		r.signalRoutes(desk),
		r.notificationRoutes(desk),
		r.tenantRoutes(desk, runs),
		developmentRoutes(ctx, r),
		r.extra)
}

// page, form and fragment are the rows most addresses are.

func page(path string, handler fiber.Handler) web.Route {
	return web.Route{Method: http.MethodGet, Path: path, Kind: web.Page, Handler: handler}
}

func fragment(path string, handler fiber.Handler) web.Route {
	return web.Route{Method: http.MethodGet, Path: path, Kind: web.Fragment, Handler: handler}
}

func form(path string, handler fiber.Handler, more ...func(*web.Route)) web.Route {
	row := web.Route{Method: http.MethodPost, Path: path, Kind: web.Form, Handler: handler}
	for _, change := range more {
		change(&row)
	}
	return row
}

func limited(by web.Limit) func(*web.Route) { return func(r *web.Route) { r.Limit = by } }

// kept makes a form that comes after the session's end a draft, which the page restores.
func kept(page string) func(*web.Route) { return func(r *web.Route) { r.Keeps = page } }

// requesters are those who may ask for a tenant.
func requesters(r *web.Route) { r.Allow = models.Actor.MayRequestTenant }

// anybody lets in somebody who has no role yet.
func anybody(r *web.Route) { r.NoRole = true }
