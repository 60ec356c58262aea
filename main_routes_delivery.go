package main

import (
	"net/http"

	"slipway/handlers"
	"slipway/handlers/stream"
	"slipway/models"
	"slipway/views/urls"
	"slipway/web"
)

// deliveryRoutes are the pages of connections, pipelines and what goes through them.
func (r *running) deliveryRoutes(desk *handlers.Desk, streams *stream.Hub) []web.Route {
	const tenant = "/tenants/:tenant"
	const pipeline, connection = tenant + "/pipelines/:pipeline", tenant + "/connections/:connection"
	orders := r.pipelineOrders(desk)
	pipelines := &handlers.Pipelines{Desk: desk, Store: r.store, Delivery: r.store, Streams: streams, Changes: r.changes, Workflow: r.workflowFile}
	connections := &handlers.Connections{Desk: desk, Store: r.store, Tenants: r.store}
	where := &handlers.Where{Desk: desk, Store: r.store, Tenants: r.store}
	gates := &handlers.Gates{Desk: desk, Pages: r.store, Waivers: r.store, Freezes: r.store, Evidence: r.store}
	rows := []web.Route{
		page("/pipelines", pipelines.List),
		page("/pipelines/new", orders.New),
		form("/pipelines/new", orders.Create, limited(web.LimitPlan), kept(urls.NewPipeline)),
		form("/pipelines/new/show", orders.Show, limited(web.LimitCheck), kept(urls.NewPipeline)),

		page(pipeline, pipelines.Show),
		{Method: http.MethodGet, Path: pipeline + "/events", Kind: web.Stream, Handler: pipelines.Events},
		page(pipeline+"/workflow", pipelines.WorkflowFile),
		page(pipeline+"/update", orders.UpdateForm),
		form(pipeline+"/update", orders.Update, limited(web.LimitPlan)),
		form(pipeline+"/update/show", orders.ShowUpdate, limited(web.LimitCheck)),
		form(pipeline+"/pause", orders.Ask(models.PausePipeline), limited(web.LimitPlan)),
		form(pipeline+"/resume", orders.Ask(models.ResumePipeline), limited(web.LimitPlan)),
		page(pipeline+"/delete", orders.AskDelete),
		form(pipeline+"/delete", orders.Delete, limited(web.LimitPlan)),

		page(pipeline+"/waive", gates.AskWaive),
		form(pipeline+"/waive", gates.Waive),
		form(pipeline+"/waivers/:id/end", gates.EndWaiver),
		page(pipeline+"/freeze", gates.AskFreeze),
		form(pipeline+"/freeze", gates.Freeze),
		form(pipeline+"/freezes/:id/lift", gates.LiftFreeze),
		page(tenant+"/evidence/:id", gates.File),

		page(tenant+"/connections/new", connections.New),
		form(tenant+"/connections/new", connections.Create, limited(web.LimitPlan)),
		page(connection, connections.Show),
		page(connection+"/delete", connections.AskDelete),
		form(connection+"/delete", connections.Delete, limited(web.LimitPlan)),
		page(tenant+"/where", where.Show),
	}
	return append(rows, r.executionRoutes(desk, streams)...)
}

// executionRoutes are the pages of executions and promotions.
func (r *running) executionRoutes(desk *handlers.Desk, streams *stream.Hub) []web.Route {
	const pipeline, promotion, environment = "/tenants/:tenant/pipelines/:pipeline", "/tenants/:tenant/promotions/:id", "/tenants/:tenant/environments/:env"
	const execution = pipeline + "/executions/:number"
	executions := &handlers.Executions{Desk: desk, Store: r.store, Streams: streams, Changes: r.changes}
	if r.clients != nil {
		executions.Logs = r.clients
	}
	promotions := &handlers.Promotions{Desk: desk, Store: r.store, Delivery: r.store, Pages: r.store, Back: r.store}
	return []web.Route{
		page(pipeline+"/executions", executions.List),
		page(execution, executions.Show),
		{Method: http.MethodGet, Path: execution + "/events", Kind: web.Stream, Handler: executions.Events},
		page(execution+"/log", executions.Log),
		page(execution+"/log.txt", executions.LogFile),
		form(execution+"/stop", executions.Stop),
		form(execution+"/retry", executions.Retry),
		form(pipeline+"/start", executions.Start),

		page(pipeline+"/promote", promotions.AskPromote),
		form(pipeline+"/promote", promotions.Promote, limited(web.LimitPlan)),
		page(promotion, promotions.Show),
		page(promotion+"/reject", promotions.AskReject),
		form(promotion+"/reject", promotions.Reject),
		page(environment+"/rollback", promotions.AskRollback),
		form(environment+"/rollback", promotions.Rollback, limited(web.LimitPlan)),
	}
}

// pipelineOrders is the form that orders a pipeline, and changes one.
func (r *running) pipelineOrders(desk *handlers.Desk) *handlers.PipelineOrders {
	return &handlers.PipelineOrders{Desk: desk, Store: r.store, Living: r.store, Sent: r.store, Forms: r.store, Blueprints: r.store, Costs: r.costs}
}
