package main

import (
	"github.com/gofiber/fiber/v2"

	"slipway/handlers"
	"slipway/models"
	"slipway/views/urls"
	"slipway/web"
)

// tenantLife are the forms about a tenant that exists.
func (r *running) tenantLife(desk *handlers.Desk) *handlers.TenantLife {
	return &handlers.TenantLife{Desk: desk, Store: r.store, Tenants: r.store, Holds: r.store, Delivery: r.store, Forms: r.store, Groups: r.groups, Access: r.portal().Configured}
}

// editForms are the forms that change what a request asked for, by kind: as they are shown, and as they are sent.
func (r *running) editForms(desk *handlers.Desk, ask *handlers.NewTenant, orders *handlers.Orders) (show, send *handlers.Edits) {
	life := r.tenantLife(desk)
	type forms = map[models.RequestKind]func(*fiber.Ctx, models.RequestPage) error
	show = &handlers.Edits{Pages: r.store, By: forms{models.CreateTenant: ask.Edit, models.CreateEnvironment: orders.Edit}}
	send = &handlers.Edits{Pages: r.store, By: forms{models.CreateTenant: ask.Change, models.CreateEnvironment: orders.Change}}
	pipelines := r.pipelineOrders(desk)
	show.By[models.CreatePipeline], send.By[models.CreatePipeline] = pipelines.Edit, pipelines.Change
	for _, kind := range []models.RequestKind{models.ChangeTenant, models.AddAccount, models.EnrolAccount, models.CloseTenant} {
		show.By[kind], send.By[kind] = life.Edit, life.Change
	}
	return show, send
}

// tenantRoutes are the rest of a tenant's life: what is changed at once, and what is asked for.
func (r *running) tenantRoutes(desk *handlers.Desk, runs *handlers.Runs) []web.Route {
	life := r.tenantLife(desk)
	rows := []web.Route{form(urls.Runs+"/:id/undo", runs.Undo)}
	for _, x := range []struct {
		path string
		kind models.RequestKind
	}{{"/edit", ""}, {"/change", models.ChangeTenant}, {"/accounts/new", models.AddAccount}, {"/accounts/:class/move", models.MoveAccount}, {"/close", models.CloseTenant}} {
		path := urls.Tenants + "/:tenant" + x.path
		rows = append(rows, page(path, life.Form(x.kind)), form(path, life.Submit(x.kind), limited(web.LimitPlan), kept(path)))
	}
	return rows
}
