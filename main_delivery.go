package main

import (
	"maps"
	"time"

	"slipway/models"
	"slipway/provisioners"
	"slipway/provisioners/delivery"
	"slipway/views/urls"
)

// deliveryEvery is how late the reading of a pipeline, or the look at a promotion whose moment has come, may begin.
const deliveryEvery = 3 * time.Second

// deliver makes the work on pipelines and promotions; pace scales its pauses as those of runs.
func (r *running) deliver(pace float64) *delivery.Delivery {
	pauses := delivery.DefaultPauses()
	if pace > 0 {
		pauses.Scan = time.Duration(float64(pauses.Scan) * pace)
	}
	return &delivery.Delivery{Book: r.store.DeliveryBook(), Cloud: r.clients, Clock: r.clock, Logger: r.log, Pauses: pauses,
		Address: func(requestID string) string { return r.config.Server.PublicURL + urls.Request(requestID) }}
}

// deliverySweep wakes what is due of it.
func deliverySweep(d *delivery.Delivery) provisioners.Sweep {
	return provisioners.Sweep{Name: "pipelines", Every: deliveryEvery, Do: d.Sweep}
}

// allWorks are the kinds of background work beside the engine's own.
func (r *running) allWorks(d *delivery.Delivery) map[models.JournalKind]provisioners.Work {
	all := r.collectWorks()
	maps.Copy(all, d.Works())
	return all
}
