package main

import (
	"slipway/handlers"
	"slipway/web"
)

// freezeRoutes are the pages of what stops new runs.
func (r *running) freezeRoutes(desk *handlers.Desk) []web.Route {
	freezes := &handlers.Freezes{Desk: desk, Store: r.store}
	return []web.Route{
		page("/admin/freezes", freezes.List),
		form("/admin/freezes/add", freezes.Add),
		form("/admin/freezes/:id/lift", freezes.Lift),
	}
}
