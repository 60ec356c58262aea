package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"slipway/dev/postgres/pgtest"
	"slipway/models"
	"slipway/models/rules"
	"slipway/models/store"
	"slipway/provisioners"
	"slipway/provisioners/delivery"
)

const (
	images = "000000000100.dkr.ecr.us-east-1.amazonaws.com/payments/shop"
	person = "00000000-0000-4000-8000-000000000002" // the pipelines' own, of the schema
)

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// cloud is CodePipeline, ECR and what deployments change, as far as the work can see.
type cloud struct {
	mu        sync.Mutex
	reading   []models.PipelineReading // pages of a look, in order
	waiting   map[string]bool          // keys of approvals that wait
	answers   map[string][]bool        // every answer that was taken, by key
	scans     map[string]models.ImageScan
	summaries []string
	steered   map[string]int // by order id: effects
	asked     []string       // digests that ECR was asked about
	fail      error
	deployed  int
}

func (c *cloud) ReadPipeline(_ context.Context, _ models.Pipeline, cursor json.RawMessage) (models.PipelineReading, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return models.PipelineReading{}, c.fail
	}
	page := 0
	if len(cursor) > 0 {
		if err := json.Unmarshal(cursor, &page); err != nil {
			return models.PipelineReading{}, err
		}
	}
	r := c.reading[page]
	r.At = time.Now().UTC().Truncate(time.Microsecond)
	var open []models.WaitingApproval
	for _, w := range r.Approvals {
		if c.waiting[w.Key] {
			open = append(open, w)
		}
	}
	r.Approvals = open
	if page+1 < len(c.reading) {
		r.Next = json.RawMessage(fmt.Sprint(page + 1))
	}
	return r, nil
}

func (c *cloud) ScanImage(_ context.Context, s models.Service, digest string) (models.ImageScan, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, digest)
	scan, ok := c.scans[digest]
	if !ok {
		return models.ImageScan{}, errors.New("no answer")
	}
	return scan, nil
}

func (c *cloud) AnswerApproval(_ context.Context, _ models.Pipeline, externalID, environment, key string, approve bool, summary string) (models.AnswerState, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if externalID == "" || environment == "" {
		return "", "", errors.New("asked without an execution")
	}
	if !c.waiting[key] {
		if len(c.answers[key]) > 0 && c.answers[key][0] == approve {
			return models.AnswerSent, "It was told already.", nil
		}
		return models.AnswerGone, "It does not wait.", nil
	}
	delete(c.waiting, key)
	c.answers[key] = append(c.answers[key], approve)
	c.summaries = append(c.summaries, summary)
	return models.AnswerSent, "Told.", nil
}

func (c *cloud) Steer(_ context.Context, _ models.Pipeline, o models.PipelineOrder) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.Stage == "refused" {
		return errors.New("AWS refuses")
	}
	c.steered[o.ID] = 1
	return nil
}

// site is a store with a pipeline that delivers to two environments, an engine, and the cloud.
type site struct {
	t        *testing.T
	store    *store.Store
	cloud    *cloud
	work     *delivery.Delivery
	engine   *provisioners.Engine
	crash    func(kind, step, point string)
	breaks   bool // deployments fail
	admin    models.Actor
	pipeline string
	dev      string
	prod     string
}

func newSite(t *testing.T) *site {
	t.Helper()
	_, url := pgtest.Database(t, store.Migrate)
	clock := &models.ShiftedClock{}
	s, err := store.Open(t.Context(), store.Options{URL: url, Connections: 10, Clock: clock, AdminGroups: []string{"platform-admins"}, AccountEmail: "aws+{tenant}-{class}-{n}@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	x := &site{t: t, store: s, cloud: &cloud{waiting: map[string]bool{}, answers: map[string][]bool{}, scans: map[string]models.ImageScan{}, steered: map[string]int{}}}
	x.furnish()
	set, err := rules.Load(rules.Default())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	x.work = &delivery.Delivery{Book: s.DeliveryBook(), Cloud: x.cloud, Clock: clock, Logger: log, Pauses: models.PromotionPauses{Scan: 10 * time.Millisecond, Other: 20 * time.Millisecond},
		Address: func(id string) string { return "https://slipway.test/requests/" + id }}
	x.engine, err = provisioners.NewEngine(provisioners.EngineOptions{Journal: s.Journal(), Rules: set, Provisioners: []provisioners.Provisioner{deployer{x}}, Clock: clock, Logger: log, Owner: models.NewID(),
		Lease: 300 * time.Millisecond, Pace: 0.001, Works: x.work.Works(), Crash: func(kind, step, point string) {
			if x.crash != nil {
				x.crash(kind, step, point)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// furnish writes the rows that requests would have made.
func (x *site) furnish() {
	now := time.Now()
	tenant, request, account, service, admin := models.NewID(), models.NewID(), models.NewID(), models.NewID(), models.NewID()
	x.pipeline, x.dev, x.prod = models.NewID(), models.NewID(), models.NewID()
	x.exec(`INSERT INTO people (id, issuer, subject, name, groups, groups_seen_at, created_at) VALUES ($1, 'i', 'admin', 'Ada', '{platform-admins}', $2, $2)`, admin, now)
	x.admin = models.Actor{Person: models.Person{ID: admin, Name: "Ada"}, Roles: []models.PlatformRole{models.PlatformAdmin}}
	x.exec(`INSERT INTO requests (id, kind, object_type, object_id, object_name, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at, ended_at)
		VALUES ($1, 'tenant.create', 'tenant', $2, 'payments', 'Create', 'succeeded', '{}', ARRAY[$3]::uuid[], $3, 'k', $4, $4, $4, $4)`, request, tenant, admin, now)
	x.exec(`INSERT INTO tenants (id, slug, display_name, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id, created_at, updated_at)
		VALUES ($1, 'payments', 'Payments', 'owners', 'developers', 'viewers', 'CC-1', 1000, 'ready', $2, $3, $3)`, tenant, request, now)
	x.exec(`INSERT INTO accounts (id, tenant_id, class, name, email, aws_id, state, created_at) VALUES ($1, $2, 'nonprod', 'payments-nonprod', 'a@example.com', '000000000100', 'ready', $3)`, account, tenant, now)
	x.exec(`INSERT INTO services (id, tenant_id, account_id, class, name, state, request_id, created_at, updated_at) VALUES ($1, $2, $3, 'nonprod', 'shop', 'ready', $4, $5, $5)`, service, tenant, account, request, now)
	stack := func(id, object, name string) {
		x.exec(`INSERT INTO stacks (object_id, object_type, tenant_id, account_id, region, name, stack_id, status, blueprint, version, digest, outputs)
			VALUES ($1, $2, $3, $4, 'us-east-1', $5, 'arn:' || $5, 'CREATE_COMPLETE', 'web', '1.0.0', 'd', jsonb_build_object('RepositoryUri', $6::text))`, id, object, tenant, account, name, images)
	}
	stack(service, "service", "slw-service")
	var stages []models.PipelineStage
	for name, id := range map[string]string{"shop-dev": x.dev, "shop-prod": x.prod} {
		stage := models.Dev
		if id == x.prod {
			stage = models.Production
		}
		x.exec(`INSERT INTO environments (id, tenant_id, account_id, service_id, name, stage, region, blueprint, state, request_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 'us-east-1', 'web', 'ready', $7, $8, $8)`,
			id, tenant, account, service, name, stage, request, now)
		stack(id, "environment", "slw-"+name)
		stages = append(stages, models.PipelineStage{Environment: name, EnvironmentID: id, Stage: stage, Automatic: stage == models.Dev, Gates: []models.Gate{models.GateBuild, models.GateScan}, Scan: models.DefaultScan(), TimeoutMinutes: 60})
	}
	doc, err := json.Marshal(stages)
	if err != nil {
		x.t.Fatal(err)
	}
	x.exec(`INSERT INTO pipelines (id, tenant_id, account_id, class, service_id, name, kind, source, stages, state, read_due, request_id, created_at, updated_at)
		VALUES ($1, $2, $3, 'nonprod', $4, 'shop', 'codepipeline', '{"kind": "connection"}', $5::jsonb, 'ready', $6, $7, $6, $6)`, x.pipeline, tenant, account, service, string(doc), now, request)
	stack(x.pipeline, "pipeline", "slw-pipeline")
	for i, s := range stages {
		x.exec(`INSERT INTO pipeline_stages (pipeline_id, position, environment_id) VALUES ($1, $2, $3)`, x.pipeline, i+1, s.EnvironmentID)
	}
}

func (x *site) exec(sql string, args ...any) {
	x.t.Helper()
	if _, err := x.store.Pool().Exec(context.Background(), sql, args...); err != nil {
		x.t.Fatalf("%s: %v", sql, err)
	}
}

func get[T any](x *site, sql string, args ...any) T {
	x.t.Helper()
	var v T
	if err := x.store.Pool().QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		x.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// until works what is due, as workers do, until a query gives true.
func (x *site) until(sql string, args ...any) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), 90*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !get[bool](x, sql, args...) {
		x.round(ctx)
		select {
		case <-ctx.Done():
			x.t.Fatalf("it never came to %s: %s", sql, get[string](x, `SELECT COALESCE(string_agg(state || ' ' || answer || ' ' || reason, '; '), '') FROM promotions`))
		case <-tick.C:
		}
	}
}

// round works every row that is due, each in a goroutine that a crash may end.
func (x *site) round(ctx context.Context) {
	x.t.Helper()
	if err := x.work.Sweep(ctx); err != nil {
		x.t.Fatal(err)
	}
	if _, err := x.engine.Journal.Sweep(ctx, time.Second); err != nil {
		x.t.Fatal(err)
	}
	rows, err := x.store.Pool().Query(ctx, `SELECT id, generation FROM journal WHERE NOT done AND lease_owner IS NULL AND next_at <= clock_timestamp() ORDER BY next_at`)
	if err != nil {
		x.t.Fatal(err)
	}
	var due []models.WakeArgs
	for rows.Next() {
		var w models.WakeArgs
		if err := rows.Scan(&w.JournalID, &w.Generation); err != nil {
			x.t.Fatal(err)
		}
		due = append(due, w)
	}
	for _, w := range due {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := x.engine.Wake(ctx, w); err != nil && ctx.Err() == nil {
				x.t.Error(err)
			}
		}()
		<-ended
	}
}

// pushes has CodePipeline run an execution whose image waits at a stage.
func (x *site) pushes(n int, environment string) (key string) {
	at := time.Now().UTC().Truncate(time.Microsecond).Add(time.Duration(n-100) * time.Minute)
	id := fmt.Sprintf("execution-%d", n)
	key = fmt.Sprintf("%064x", n)
	e := models.Execution{ExternalID: id, Trigger: models.TriggerPush, State: models.ExecutionRunning, StartedAt: at, Digest: digest(n), Commit: models.Commit{ID: fmt.Sprintf("c%d", n), At: at},
		Stages: []models.ExecutionStage{{Name: "Build", State: models.ExecutionSucceeded, Actions: []models.ExecutionAction{{Name: "Build", Kind: "build", State: models.ExecutionSucceeded, Outputs: map[string]string{"IMAGE_DIGEST": digest(n)}}}},
			{Name: environment, State: models.ExecutionWaiting}}}
	x.cloud.mu.Lock()
	defer x.cloud.mu.Unlock()
	x.cloud.waiting[key] = true
	x.cloud.scans[digest(n)] = models.ImageScan{Digest: digest(n), State: models.ScanComplete, Counts: map[models.Severity]int{models.Low: 1}}
	old := models.Execution{ExternalID: "older", Trigger: models.TriggerCreation, State: models.ExecutionFailed, StartedAt: at.Add(-time.Hour)}
	approval := models.WaitingApproval{ExternalID: id, Environment: environment, Key: key, Since: at, Until: time.Now().Add(time.Hour)}
	x.cloud.reading = []models.PipelineReading{{Executions: []models.Execution{e}}, {Executions: []models.Execution{old}, Approvals: []models.WaitingApproval{approval}}}
	return key
}

// dies ends the goroutine that works, as a crash does, once at every point that the filter lets pass.
func (x *site) dies(points map[string]bool) {
	x.crash = func(kind, step, point string) {
		if name := kind + " " + step + " " + point; (kind == "watch" || kind == "promote") && !points[name] {
			points[name] = true
			runtime.Goexit()
		}
	}
}
