package main

import (
	"time"

	"slipway/models"
	"slipway/provisioners"
	"slipway/provisioners/rollup"
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
func (r *running) collectors() []rollup.Collector { return nil }

// collectSweep starts the rounds that are due.
func (r *running) collectSweep() provisioners.Sweep {
	return provisioners.Sweep{Name: "collectors", Every: collectEvery, Do: r.rounds.Sweep}
}

// collectWorks is how their rounds are worked.
func (r *running) collectWorks() map[models.JournalKind]provisioners.Work {
	return map[models.JournalKind]provisioners.Work{models.CollectWork: r.rounds.Work}
}
