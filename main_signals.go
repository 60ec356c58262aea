package main

import (
	"slipway/handlers"
	"slipway/provisioners/aws"
	"slipway/provisioners/rollup"
	"slipway/web"
)

// healthCollector reads how environments run.
func (r *running) healthCollector() rollup.Collector {
	return aws.NewHealth(r.clients, r.store.SignalBook())
}

// signalRoutes are the pages of how environments run.
func (r *running) signalRoutes(desk *handlers.Desk) []web.Route {
	health := &handlers.Health{Desk: desk, Store: r.store, Worst: r.store, Regions: r.config.AWS.Regions}
	signals := &handlers.Signals{Desk: desk, Store: r.store, AWS: aws.NewSignals(r.clients), Portal: r.portal()}
	return []web.Route{
		page("/health", health.List),
		page("/health/wall", health.Wall),
		page("/tenants/:tenant/environments/:env/signals", signals.Show),
	}
}
