package main

import (
	"time"

	"slipway/handlers"
	"slipway/models"
	"slipway/provisioners"
	"slipway/provisioners/rollup"
	"slipway/web"
)

// collectEvery is how late a collector's round that is due may begin.
const collectEvery = 10 * time.Second

// collect makes the collectors of this process. The web role needs them for what they are called.
func (r *running) collect() error {
	var err error
	r.rounds, err = rollup.New(r.store.CollectBook(), r.clock, r.log, r.collectors()...)
	return err
}

// collectors lists what is read again and again, in the order in which admins see it.
func (r *running) collectors() []rollup.Collector {
	return append(r.costCollectors(), r.healthCollector())
}

// collectorRoutes are the pages about what is read.
func (r *running) collectorRoutes(desk *handlers.Desk) []web.Route {
	all := &handlers.Collectors{Desk: desk, Store: r.store, Infos: r.rounds.Infos()}
	return []web.Route{page("/admin/collectors", all.List), form("/admin/collectors/run", all.Run, limited(web.LimitPlan))}
}

// collectSweep starts the rounds that are due.
func (r *running) collectSweep() provisioners.Sweep {
	return provisioners.Sweep{Name: "collectors", Every: collectEvery, Do: r.rounds.Sweep}
}

// collectWorks is how their rounds are worked.
func (r *running) collectWorks() map[models.JournalKind]provisioners.Work {
	return map[models.JournalKind]provisioners.Work{models.CollectWork: r.rounds.Work}
}
