package main

import (
	"slipway/handlers"
	"slipway/provisioners/aws"
	"slipway/provisioners/rollup"
)

// costCollectors read what accounts cost and what tenants spend of their budgets.
func (r *running) costCollectors() []rollup.Collector {
	return []rollup.Collector{aws.NewCosts(r.clients, r.store.CostBook(r.config.AWS.CostDailyCap)), aws.NewBudgets(r.clients)}
}

// costPages show them.
func (r *running) costPages(desk *handlers.Desk) *handlers.Costs {
	return &handlers.Costs{Desk: desk, Store: r.store, Meter: r.store, Cap: r.config.AWS.CostDailyCap}
}
