package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"slipway/models"
	"slipway/models/rules"
	"slipway/models/store"
	"slipway/provisioners"
	"slipway/provisioners/aws"
	"slipway/provisioners/blueprints"
	"slipway/provisioners/rollup"
	"slipway/web"
	"slipway/web/config"
	"slipway/web/ops"
	"slipway/web/telemetry"
)

// Stopping takes at most the drain delay (15 s), then stopTime for workers and pages together: under 40 s.
const stopTime = 23 * time.Second

// engineHook is replaced in builds with the tag dev: where to crash on purpose (nil: nowhere), and how much shorter than
// AWS the simulator's durations are (0: not at all).
var engineHook = func(*slog.Logger) (crash func(kind, step, point string), pace float64, err error) { return nil, 0, nil }

// developmentRoutes is replaced in builds with the tag dev, too; it may start what only those have.
var developmentRoutes = func(context.Context, *running) []web.Route { return nil }

func serveCommand() *cli.Command {
	return &cli.Command{
		Name: "serve", Usage: "serve pages, work on runs, or both",
		Flags: []cli.Flag{&cli.StringFlag{Name: "role", Value: "all", Usage: "all, web or worker", Validator: knownRole}},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			p := process{vars: environ(), web: cmd.String("role") != "worker", works: cmd.String("role") != "web"}
			var needs []string
			if p.web {
				needs = append(needs, "web")
			}
			if p.works {
				needs = append(needs, "worker")
			}
			var err error
			if p.config, err = config.Load(p.vars, needs...); err != nil {
				return err
			}
			p.log = telemetry.Logger(os.Stdout, telemetry.LogOptions{JSON: true, Level: p.config.Server.LogLevel, Secrets: p.config.Secrets()})
			for _, name := range config.Unknown(p.vars) {
				p.log.Warn("nothing reads this variable", "variable", name)
			}
			return serve(ctx, p)
		},
	}
}

func knownRole(role string) error {
	switch role {
	case "all", "web", "worker":
		return nil
	}
	return fmt.Errorf("%q is no role: say all, web or worker", role)
}

// process is one serving process: what it is told and what a development build puts around it.
type process struct {
	config     config.Config
	vars       map[string]string
	web, works bool
	log        *slog.Logger
	page, ops  net.Listener           // opened already, or nil
	extra      []web.Route            // stand-ins for the outside world
	failed     chan error             // what ends the process from outside of it; may be nil
	ready      func()                 // called once /readyz would say yes; may be nil
	limits     map[web.Limit]web.Rate // nil: the usual ones
	tracer     pgx.QueryTracer        // sees every query; nil outside of tests
}

// running is what serve has started and has to stop.
type running struct {
	process
	store   *store.Store
	clock   *models.ShiftedClock
	metrics *prometheus.Registry
	worker  *provisioners.Worker // nil: this process does not work on runs
	started chan struct{}        // closed when the worker works

	changes    *store.Changes
	groups     *regexp.Regexp // what a tenant's groups must match
	rules      *rules.Live
	ruleSource []byte // the file that was tried last; nil when it could not be read
	catalogue  *blueprints.Catalogue
	clients    *aws.Clients
	costs      *estimator
	rounds     *rollup.Rounds
}

// serve runs until the context ends, which is the first signal, or until a listener fails.
func serve(ctx context.Context, p process) error {
	if p.failed == nil {
		p.failed = make(chan error, 3)
	}
	slog.SetDefault(p.log)
	stopTraces, err := telemetry.Traces(ctx, p.vars, build())
	if err != nil {
		return err
	}
	r := &running{process: p, clock: &models.ShiftedClock{}, metrics: telemetry.Registry(build()), started: make(chan struct{})}
	if err := r.listen(ctx); err != nil {
		return err
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	defer r.store.Close()
	face, err := r.face(ctx)
	if err != nil {
		return err
	}
	stopOps := func(context.Context) error { return nil }
	if r.ops != nil {
		stopOps = serveHTTP(ops.Server(r.config.Server.OpsAddr, r.metrics), r.ops, r.failed)
	}
	go func() { r.failed <- face.Serve(r.page) }()
	go r.watchRules(ctx)
	go r.watchBlueprints(ctx)
	go r.changes.Run(ctx)
	stopTelling := r.tellFigures(ctx)
	begun := make(chan struct{})
	go func() { defer close(begun); r.begin(ctx) }()
	r.log.Info("serving", "version", build(), "address", r.config.Server.Addr, "public_url", r.config.Server.PublicURL, "web", p.web, "worker", p.works)

	var failure error
	select {
	case failure = <-r.failed:
	case <-ctx.Done():
	}
	r.log.Info("stopping")
	face.Drain()
	if failure == nil {
		time.Sleep(r.config.Server.DrainDelay) // a second signal ends the process at once
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	<-begun
	err = r.stop(ending, face)
	stopTelling()
	return errors.Join(failure, err, stopOps(ending), stopTraces(ending))
}

// face is what answers on the page address: the whole web layer, or of a worker just its health.
type face interface {
	Serve(net.Listener) error
	Drain()
	Shutdown(context.Context) error
}

func (r *running) listen(ctx context.Context) (err error) {
	if r.page == nil {
		if r.page, err = listen(ctx, r.config.Server.Addr, "SLIPWAY_ADDR"); err != nil {
			return err
		}
	}
	if r.ops == nil && r.config.Server.OpsAddr != "" {
		r.ops, err = listen(ctx, r.config.Server.OpsAddr, "SLIPWAY_OPS_ADDR")
	}
	return err
}

// begin does what needs the database, again and again until it is there: a database that is late must not stop the start.
func (r *running) begin(ctx context.Context) {
	failing := false
	for ctx.Err() == nil {
		err := r.tryBegin(ctx)
		if err == nil {
			close(r.started)
			if r.ready != nil {
				r.ready()
			}
			return
		}
		if !failing && ctx.Err() == nil {
			r.log.Warn("waiting for the database", "err", err)
		}
		failing = true
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (r *running) tryBegin(ctx context.Context) error {
	if err := r.store.Ready(ctx); err != nil {
		return err
	}
	if err := r.store.AdminGroupsAtStart(ctx); err != nil {
		return err
	}
	if err := r.auditRules(ctx); err != nil {
		return err
	}
	if err := r.keepBlueprints(ctx); err != nil {
		return err
	}
	if r.worker == nil {
		return nil
	}
	return r.worker.Start(ctx)
}

// readiness is what a load balancer wants to know: database, schema, and the queue where this process works it.
func (r *running) readiness(ctx context.Context) error {
	select {
	case <-r.started:
		return r.store.Ready(ctx)
	default:
		if err := r.store.Ready(ctx); err != nil { // a schema that is behind is why it does not get on
			return err
		}
		return models.Errorf(models.Unavailable, "Slipway is starting.")
	}
}

// stop ends pages and workers side by side; each gets what time there is.
func (r *running) stop(ctx context.Context, pages face) error {
	ended := make(chan error, 1)
	go func() {
		if r.worker == nil {
			ended <- nil
			return
		}
		ended <- r.worker.Stop(ctx)
	}()
	return errors.Join(pages.Shutdown(ctx), <-ended)
}
