package aws

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"slipway/dev/postgres/pgtest"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/store"
	"slipway/provisioners"
	"slipway/provisioners/blueprints"
)

// estate is a tenant with its accounts, on a store and a simulator of a test's own, worked by a real engine.
type estate struct {
	t       *testing.T
	w       *world
	store   *store.Store
	clients *Clients
	stacks  *Stacks
	engine  *provisioners.Engine
	crash   atomic.Pointer[func(kind, step, point string)]

	asker, approver models.Actor
	tenant          models.Tenant
	keys            int
}

// onePerson asks for one approval of everything.
type onePerson struct{}

func (onePerson) Evaluate(models.RuleFacts) models.Verdict {
	return models.Verdict{Demands: []models.Demand{{Role: string(models.PlatformAdmin), Count: 1}}, Digest: "d"}
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	sim, _ := pgtest.Database(t, settledWorld)
	e := &estate{t: t, w: worldAt(t, sim, 2000)}
	_, url := pgtest.Database(t, settledStore)
	var err error
	e.store, err = store.Open(t.Context(), store.Options{URL: url, Connections: 8, Clock: &models.ShiftedClock{}, GroupPattern: regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,62}$`),
		AdminGroups: []string{"platform-admins"}, AccountEmail: "aws+{tenant}-{class}-{n}@example.com", Regions: []string{"eu-west-1", "eu-central-1"}, BaseDomain: "apps.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.store.Close)
	e.clients = e.w.clients(asWorker, func(o *Options) {
		o.Clock, o.ArtifactsBucket, o.Pace = &models.ShiftedClock{}, "slipway-artifacts-222222222222-eu-west-1", 1000
		o.BaseDomain, o.DNSZoneID, o.DNSRoleARN = "apps.example.com", "Z0DEMOBASEDOMAIN0001", "arn:aws:iam::222222222222:role/slipway/platform/slipway-dns"
		o.OUSuspended = "ou-demo-suspend1"
	})
	e.asker, e.approver = admin(askerID, "asker"), admin(approverID, "approver")
	e.engine = e.worker()
	if e.tenant, err = e.store.Registry().Tenant(t.Context(), tenantID); err != nil {
		t.Fatal(err)
	}
	return e
}

// worker is another process on the same database.
func (e *estate) worker() *provisioners.Engine {
	e.t.Helper()
	registry := e.store.Registry()
	tenants, err := NewTenantProvisioner(e.clients, registry, testBaseline(e.t), testPrices(e.t))
	if err != nil {
		e.t.Fatal(err)
	}
	e.stacks = NewStacks(e.clients, registry, testPrices(e.t))
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	engine, err := provisioners.NewEngine(provisioners.EngineOptions{Journal: e.store.Journal(), Rules: onePerson{}, Provisioners: append(e.stacks.Provisioners(), tenants, NewClosing(tenants, e.stacks)),
		Vendor: Vendor{Clients: e.clients}, DriftBook: e.store.DriftBook(), DriftChecker: e.clients, HealthBook: e.store.HealthBook(), HealthChecker: e.clients, Clock: &models.ShiftedClock{}, Logger: log, Owner: models.NewID(), Lease: time.Second, Pace: 0.002,
		Crash: func(kind, step, point string) {
			if at := e.crash.Load(); at != nil {
				(*at)(kind, step, point)
			}
		}})
	if err != nil {
		e.t.Fatal(err)
	}
	return engine
}

func admin(id, name string) models.Actor {
	return models.Actor{Person: models.Person{ID: id, Name: name}, Roles: []models.PlatformRole{models.PlatformAdmin}}
}

func (e *estate) exec(sql string, args ...any) {
	e.t.Helper()
	if _, err := e.store.Pool().Exec(context.Background(), sql, args...); err != nil {
		e.t.Fatal(err)
	}
}

// one reads a single value of Slipway's database.
func one[T any](e *estate, sql string, args ...any) T {
	e.t.Helper()
	var v T
	if err := e.store.Pool().QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		e.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// key is a form's key that was never used.
func (e *estate) key() string {
	e.keys++
	return fmt.Sprintf("key-%d", e.keys)
}

// shipped saves the blueprints that come with Slipway, and opens an address pool.
func (e *estate) shipped() {
	e.t.Helper()
	e.blueprints(shippedReport(e.t))
	if err := e.store.AddPool(e.t.Context(), e.approver, models.CIDRPool{Region: "eu-west-1", Block: "10.16.0.0/16", Size: 20}); err != nil {
		e.t.Fatal(err)
	}
}

func shippedReport(t *testing.T) blueprint.Report {
	t.Helper()
	r, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// shipped reads the blueprints that come with Slipway; nobody changes the report.
var shipped = sync.OnceValues(func() (blueprint.Report, error) {
	catalogue, err := blueprints.New(blueprints.Options{})
	if err != nil {
		return blueprint.Report{}, err
	}
	r, err := catalogue.Shipped()
	if err != nil {
		return blueprint.Report{}, err
	}
	for i := range r.Folders {
		r.Folders[i].Problems, r.Folders[i].Checks = nil, nil // whether they are offered is tested where they are checked
	}
	return r, nil
})

func (e *estate) blueprints(r blueprint.Report) {
	e.t.Helper()
	refused, err := e.store.SaveBlueprints(e.t.Context(), models.System("test", ""), r)
	if err != nil || len(refused) > 0 {
		e.t.Fatalf("save blueprints: %v, %d refused", err, len(refused))
	}
}

// wants submits, and fails the test when that is refused.
func (e *estate) wants(r models.Request, err error) string {
	e.t.Helper()
	if err != nil {
		e.t.Fatalf("submit: %v %v", err, models.Fields(err))
	}
	return r.ID
}

// succeed plans, approves and runs a request to its good end.
func (e *estate) succeed(request string) {
	e.t.Helper()
	e.approve(request)
	e.drive(request, models.Succeeded)
}

// approve drives a request to the queue and decides for the approver.
func (e *estate) approve(request string) models.Plan {
	e.t.Helper()
	e.drive(request, models.AwaitingApproval)
	plan := e.plan(request)
	if err := e.store.Decide(e.t.Context(), e.approver, request, plan.Hash, models.Approve, ""); err != nil {
		e.t.Fatal(err)
	}
	return plan
}

func (e *estate) plan(request string) models.Plan {
	e.t.Helper()
	page, err := e.store.RequestPage(e.t.Context(), e.approver, request)
	if err != nil || page.Plan == nil {
		e.t.Fatalf("plan of %s: %v", request, err)
	}
	return *page.Plan
}

func (e *estate) run(request string) models.Run {
	e.t.Helper()
	run, err := e.store.Run(e.t.Context(), models.System("test", ""), one[string](e, `SELECT run_id FROM requests WHERE id = $1`, request))
	if err != nil {
		e.t.Fatal(err)
	}
	return run
}

// failure drives a request to its failure and gives it.
func (e *estate) failure(request string) models.Failure {
	e.t.Helper()
	e.drive(request, models.Failed)
	f := e.run(request).Failure
	if f == nil {
		e.t.Fatal("a failed run without a failure")
	}
	return *f
}

func (e *estate) retry(request string) {
	e.t.Helper()
	if err := e.store.RetryRun(e.t.Context(), e.approver, request); err != nil {
		e.t.Fatal(err)
	}
}

func (e *estate) state(request string) models.RequestState {
	return one[models.RequestState](e, `SELECT state FROM requests WHERE id = $1`, request)
}

// drive works what is due until the request is in one of the states; another end fails the test.
func (e *estate) drive(request string, until ...models.RequestState) {
	e.t.Helper()
	deadline := time.After(5 * time.Minute)
	for {
		state := e.state(request)
		if slices.Contains(until, state) {
			return
		}
		ended := state.Final() || state == models.PlanFailed || state == models.Failed
		if ended {
			e.t.Fatalf("request is %s, want %v: %s\n%s", state, until, one[string](e, `SELECT reason FROM requests WHERE id = $1`, request), e.story(request))
		}
		e.round(e.engine)
		select {
		case <-deadline:
			e.t.Fatalf("request is %s, want %v: %s\n%s", state, until, one[string](e, `SELECT COALESCE(jsonb_agg(j)::text, '') FROM journal j WHERE NOT done`), e.story(request))
		case <-time.After(3 * time.Millisecond):
		}
	}
}

// story is the log of a request's run.
func (e *estate) story(request string) string {
	return one[string](e, `SELECT COALESCE(string_agg(v.text, E'\n' ORDER BY v.id), '') FROM run_events v JOIN requests r ON r.run_id = v.run_id WHERE r.id = $1`, request)
}

// round wakes every row that is due, each in a goroutine of its own that a crash may end.
func (e *estate) round(engine *provisioners.Engine) {
	ctx := context.Background()
	if _, err := engine.Journal.Sweep(ctx, time.Second); err != nil {
		e.t.Fatal(err)
	}
	rows, err := e.store.Pool().Query(ctx, `SELECT id, generation FROM journal WHERE NOT done AND lease_owner IS NULL AND next_at <= clock_timestamp()`)
	if err != nil {
		e.t.Fatal(err)
	}
	var wakes []models.WakeArgs
	for rows.Next() {
		var w models.WakeArgs
		if err := rows.Scan(&w.JournalID, &w.Generation); err != nil {
			e.t.Fatal(err)
		}
		wakes = append(wakes, w)
	}
	for _, w := range wakes {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := engine.Wake(ctx, w); err != nil {
				e.t.Error(err)
			}
		}()
		<-ended
	}
}

// environment reads one as Slipway knows it.
func (e *estate) environment(name string) models.Environment {
	e.t.Helper()
	env, err := e.store.Registry().Environment(e.t.Context(), one[string](e, `SELECT id::text FROM environments WHERE name = $1`, name))
	if err != nil {
		e.t.Fatal(err)
	}
	return env
}
