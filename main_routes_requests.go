package main

import (
	"net/http"

	"slipway/handlers"
	"slipway/web"
)

// requestRoutes are what was asked for, what people decide about it, and its runs.
func (r *running) requestRoutes(desk *handlers.Desk, runs *handlers.Runs) []web.Route {
	approvals := &handlers.Approvals{Desk: desk, Store: r.store}
	requests := &handlers.Requests{Desk: desk, Store: r.store, Glass: r.config.Engine.BreakGlass}
	decisions := &handlers.Decisions{Store: r.store, Glass: r.store, Talk: r.store}
	return []web.Route{
		page("/approvals", approvals.List),
		page("/requests", requests.List),
		page("/requests/:id", requests.Show),
		fragment("/requests/:id/live", requests.Live),
		page("/requests/:id/plan.json", requests.Plan),
		form("/requests/:id/approve", decisions.Approve),
		form("/requests/:id/reject", decisions.Reject),
		form("/requests/:id/changes", decisions.AskForChanges),
		form("/requests/:id/break-glass", decisions.BreakGlass),
		form("/requests/:id/replan", decisions.PlanAgain, limited(web.LimitPlan)),
		form("/requests/:id/cancel", decisions.Cancel),
		form("/requests/:id/comments", decisions.Comment),

		page("/runs", runs.List),
		page("/runs/:id", runs.Show),
		{Method: http.MethodGet, Path: "/runs/:id/events", Kind: web.Stream, Handler: runs.Events},
		form("/runs/:id/stop", runs.Stop),
		form("/runs/:id/retry", runs.Retry),
		form("/runs/:id/abandon", runs.Abandon),
	}
}
