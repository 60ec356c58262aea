package main

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers"
	"slipway/handlers/backstage"
	"slipway/models"
	"slipway/models/catalog"
	"slipway/views/urls"
	"slipway/web"
)

// backstageRoutes are what Backstage reads and what admins set up for it.
func (r *running) backstageRoutes(desk *handlers.Desk) []web.Route {
	feed := &backstage.Feed{Store: r.store, Tokens: r.store, Addresses: r.catalogAddresses()}
	admin := &handlers.AdminBackstage{Desk: desk, Store: r.store, PublicURL: r.config.Server.PublicURL, Origins: r.config.Backstage.Origins}
	frames := &handlers.Frames{Origins: r.config.Backstage.Origins, Clock: r.clock, Store: r.store, Blueprints: r.store, Costs: r.store, Health: r.store}
	rows := []web.Route{
		framed("/embed/tenants/:tenant/environments/:env", frames.Environment),
		framed("/embed/tenants/:tenant/costs", frames.TenantCosts),
		framed("/embed/tenants/:tenant/health", frames.TenantHealth),
		framed(urls.FrameApprovals, frames.Approvals),
		page(urls.AdminBackstage, admin.Show),
		form(urls.AddCatalogToken, admin.Add),
		form(urls.RevokeCatalogToken, admin.Revoke),
	}
	for _, base := range []string{"/backstage", "/backstage/t/:token"} { // with a header; and for readers that send none
		rows = append(rows,
			machine(base+"/catalog-info.yaml", feed.Root),
			machine(base+"/groups.yaml", feed.Groups),
			machine(base+"/people/:file", feed.People),
			machine(base+"/tenants/:file", feed.Tenant),
			machine(base+"/entities", feed.Entities))
	}
	return rows
}

// framed is what another site may show.
func framed(path string, handler fiber.Handler) web.Route {
	return web.Route{Method: http.MethodGet, Path: path, Kind: web.Frame, Handler: handler}
}

// machine is what is read with a token.
func machine(path string, handler fiber.Handler) web.Route {
	return web.Route{Method: http.MethodGet, Path: path, Kind: web.Bearer, Limit: web.LimitCatalog, Handler: handler}
}

// catalogAddresses are the pages that entities lead to.
func (r *running) catalogAddresses() catalog.Addresses {
	return catalog.Addresses{Public: r.config.Server.PublicURL, TenantPage: urls.Tenant, AccountPage: urls.Account, NetworkPage: urls.Network,
		EnvironmentPage: urls.Environment, ServicePage: urls.Service, PipelinePage: urls.Pipeline, RequestsPage: urls.RequestsOf,
		GitHub:      models.GitHubSite(r.config.CI.GitHubIssuer),
		TenantFrame: urls.FrameHealth, TenantCostFrame: urls.FrameCosts, EnvironmentFrame: urls.FrameEnvironment}
}
