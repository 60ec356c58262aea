package main

import (
	"slipway/handlers"
	"slipway/models"
	"slipway/views"
	"slipway/web"
)

// objectRoutes are the pages of what tenants' accounts hold.
func (r *running) objectRoutes(desk *handlers.Desk) []web.Route {
	regions := r.config.AWS.Regions
	environments := &handlers.Environments{Desk: desk, Store: r.store, Drift: r.store, Blueprints: r.store, Secrets: r.clients, Costs: r.store, Health: r.store, Delivery: r.store, Portal: r.portal(), Regions: regions}
	costs := r.costPages(desk)
	changes := &handlers.EnvironmentChanges{Desk: desk, Store: r.store, Blueprints: r.store}
	services := &handlers.Services{Desk: desk, Store: r.store, Delivery: r.store}
	serviceChanges := &handlers.ServiceChanges{Desk: desk, Store: r.store, Tenants: r.store}
	networks := &handlers.Networks{Desk: desk, Store: r.store}
	networkChanges := &handlers.NetworkChanges{Desk: desk, Store: r.store, Tenants: r.store, Blueprints: r.store, Pools: r.store, Regions: regions}
	pools := &handlers.Pools{Desk: desk, Store: r.store, Edit: r.store, Regions: regions}
	const environment, service, network = "/tenants/:tenant/environments/:env", "/tenants/:tenant/services/:service", "/tenants/:tenant/networks/:network"
	rows := []web.Route{
		page("/costs", costs.Organization),
		form("/costs/again", costs.ReadAgain, limited(web.LimitPlan)),
		page("/tenants/:tenant/costs", costs.Tenant),
		page("/environments", environments.List),
		page(environment, environments.Show),
		form(environment+"/drift", environments.CheckDrift, limited(web.LimitPlan)),

		page("/services", services.List),
		page("/tenants/:tenant/services/new", serviceChanges.New),
		form("/tenants/:tenant/services/new", serviceChanges.Create, limited(web.LimitPlan)),
		page(service, services.Show),
		page(service+"/delete", serviceChanges.AskDelete),
		form(service+"/delete", serviceChanges.Delete, limited(web.LimitPlan)),

		page("/tenants/:tenant/networks/new", networkChanges.Form(models.CreateNetwork)),
		form("/tenants/:tenant/networks/new", networkChanges.Submit(models.CreateNetwork), limited(web.LimitPlan)),
		page("/tenants/:tenant/networks/register", networkChanges.Form(models.RegisterNetwork)),
		form("/tenants/:tenant/networks/register", networkChanges.Submit(models.RegisterNetwork), limited(web.LimitPlan)),
		page(network, networks.Show),
		page(network+"/update", networkChanges.Form(models.UpdateNetwork)),
		form(network+"/update", networkChanges.Submit(models.UpdateNetwork), limited(web.LimitPlan)),
		page(network+"/delete", networkChanges.Form(models.DeleteNetwork)),
		form(network+"/delete", networkChanges.Submit(models.DeleteNetwork), limited(web.LimitPlan)),

		page("/admin/pools", pools.List),
		form("/admin/pools/add", pools.Add),
		form("/admin/pools/remove", pools.Remove),
	}
	for _, kind := range []models.RequestKind{models.UpdateEnvironment, models.UpgradeEnvironment, models.DeployEnvironment, models.WakeEnvironment, models.ExtendEnvironment, models.AcceptDrift,
		models.RecoverEnvironment, models.DeleteEnvironment} {
		rows = append(rows, page(environment+"/"+views.ChangeVerb(kind), changes.Form(kind)))
	}
	for _, kind := range []models.RequestKind{models.UpdateEnvironment, models.UpgradeEnvironment, models.DeployEnvironment, models.WakeEnvironment, models.ExtendEnvironment, models.AcceptDrift,
		models.RecoverEnvironment, models.DeleteEnvironment, models.HibernateEnvironment, models.RevertEnvironment} {
		rows = append(rows, form(environment+"/"+views.ChangeVerb(kind), changes.Submit(kind), limited(web.LimitPlan)))
	}
	return rows
}
