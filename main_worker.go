package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"regexp"
	"time"

	"slipway/models"
	"slipway/models/store"
	"slipway/provisioners"
	"slipway/provisioners/aws"
)

const (
	tidyEvery       = 5 * time.Second  // how late the clock's own decisions may be: what expires, what is counted and then written
	changeSetsEvery = 15 * time.Second // how long a change set may stay that no plan needs
	driftEvery      = time.Minute      // how late a nightly check of an environment may begin
	accountsEvery   = 30 * time.Second // how often accounts that were not asked for lately are looked for
	accountsAge     = 10 * time.Minute // how old what AWS said of an account may be before it is asked again
)

// open makes the store and, when this process works on runs, its worker. Nothing of it talks to the database yet.
func (r *running) open(ctx context.Context) error {
	c := r.config
	var err error
	if r.groups, err = regexp.Compile(c.SignIn.TenantGroupPattern); err != nil {
		return err
	}
	if err := r.loadRules(); err != nil {
		return err
	}
	if err := r.openCatalogue(); err != nil {
		return err
	}
	if r.costs, err = r.estimator(); err != nil {
		return err
	}
	keys, err := r.sealer()
	if err != nil {
		return err
	}
	r.store, err = store.Open(ctx, store.Options{
		URL: c.Database.URL.Reveal(), Connections: int(c.Database.Connections), Clock: r.clock, Logger: r.log, GroupPattern: r.groups,
		AdminGroups: c.SignIn.AdminGroups, AccountEmail: c.AWS.AccountEmail, Slots: c.AWS.AccountSlots, BreakGlass: c.Engine.BreakGlass, Tracer: r.tracer,
		Regions: c.AWS.Regions, BaseDomain: c.AWS.BaseDomain, Keys: keys,
	})
	if err != nil {
		return err
	}
	r.changes = r.store.Listen()
	crash, pace, err := engineHook(r.log)
	if err == nil {
		err = r.reach(ctx, pace)
	}
	if err == nil {
		err = r.collect()
	}
	if err == nil && r.works {
		err = r.employ(crash, pace)
	}
	if err != nil {
		r.store.Close()
	}
	return err
}

// employ wires the engine and what wakes it.
func (r *running) employ(crash func(kind, step, point string), pace float64) error {
	clients := r.clients
	all, err := r.provision()
	if err != nil {
		return err
	}
	tell, err := r.courier()
	if err != nil {
		return err
	}
	promotions := r.deliver(pace)
	engine, err := provisioners.NewEngine(provisioners.EngineOptions{
		Journal: r.store.Journal(), Rules: r.rules, Provisioners: all, Vendor: aws.Vendor{Clients: clients}, Clock: r.clock, Logger: r.log, Metrics: provisioners.NewMetrics(r.metrics), Owner: owner(),
		DriftBook: r.store.DriftBook(), DriftChecker: clients, HealthBook: r.store.HealthBook(), HealthChecker: clients, Lease: r.config.Engine.Lease, Slots: r.config.AWS.AccountSlots, Crash: crash, Pace: pace,
		Works: r.allWorks(promotions),
	})
	if err != nil {
		return err
	}
	r.worker, err = provisioners.NewWorker(provisioners.Options{
		Engine: engine, Pool: r.store.Pool(), Logger: r.log,
		Seal: func(ctx context.Context) error {
			return r.store.Seal(ctx, store.SealOptions{Anchor: r.anchor(clients)})
		},
		Sweeps: []provisioners.Sweep{
			{Name: "tidy", Every: tidyEvery, Do: r.store.Tidy},
			r.retention(),
			r.resealSweep(),
			{Name: "expiry", Every: tidyEvery, Do: r.store.SweepExpiry},
			{Name: "change sets", Every: changeSetsEvery, Do: provisioners.SweepChangeSets(r.store.Registry(), clients)},
			{Name: "drift", Every: driftEvery, Do: provisioners.SweepDrift(r.store.DriftBook())},
			r.healthSweep(),
			r.collectSweep(),
			deliverySweep(promotions),
			{Name: "accounts", Every: accountsEvery, Do: provisioners.SweepAccounts(r.store.Registry(), r.clock, accountsAge, func(ctx context.Context, a models.Account) error {
				return clients.Refresh(ctx, r.store.Registry(), a, "")
			})},
		},
		Loops:  []func(context.Context){tell},
		Gauges: r.store.Gauges,
	})
	return err
}

// anchor keeps the audit log's head in the bucket that is configured; nil without one.
func (r *running) anchor(clients *aws.Clients) func(context.Context, models.AuditHead) error {
	bucket := r.config.AWS.AnchorBucket
	if bucket == "" {
		return nil
	}
	return func(ctx context.Context, head models.AuditHead) error { return clients.KeepHead(ctx, bucket, head) }
}

// owner names this process in leases: readable in the journal, and never the same twice.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text()[:8])
}
