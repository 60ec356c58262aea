package main

import (
	"slipway/handlers"
	"slipway/views/urls"
	"slipway/web"
)

// orderRoutes are the order form, the catalogue behind it, and the form that changes what was asked for.
func (r *running) orderRoutes(desk *handlers.Desk, ask *handlers.NewTenant) []web.Route {
	aws := r.config.AWS
	orders := &handlers.Orders{Desk: desk, Store: r.store, Names: r.store, Sent: r.store, Forms: r.store, Blueprints: r.store, Costs: r.costs, Rules: r.rules, Facts: r.store,
		Regions: aws.Regions, BaseDomain: aws.BaseDomain}
	catalogue := &handlers.Blueprints{Desk: desk, Store: r.store, Versions: r.store, Costs: r.costs, Region: aws.Region, BaseDomain: aws.BaseDomain}
	edit, change := r.editForms(desk, ask, orders)
	return []web.Route{
		page("/environments/new", orders.New),
		form("/environments/new", orders.Create, limited(web.LimitPlan), kept(urls.NewEnvironment)),
		form("/environments/new/show", orders.Show, limited(web.LimitCheck), kept(urls.NewEnvironment)),
		form("/environments/new/panel", orders.Panel, limited(web.LimitCheck)),
		form("/environments/new/check", orders.Check, limited(web.LimitCheck)),

		page("/blueprints", catalogue.List),
		page("/blueprints/:name", catalogue.Show),

		page("/requests/:id/edit", edit.Handle),
		form("/requests/:id/edit", change.Handle, limited(web.LimitPlan), kept("/requests/:id/edit")),
	}
}
