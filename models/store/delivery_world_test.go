package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

const shopImages = "000000000100.dkr.ecr.us-east-1.amazonaws.com/payments/shop"

// digest is the digest of a made-up image.
func digestNo(n int) string { return fmt.Sprintf("sha256:%064x", n) }

func image(n int) string { return shopImages + "@" + digestNo(n) }

// delivery is an estate with a service, three environments that run it, and a pipeline of CodePipeline that delivers to two of them.
type delivery struct {
	estate
	service  models.Service
	dev      models.Environment
	prod     models.Environment
	aside    models.Environment // no pipeline delivers there
	pipeline models.Pipeline
}

func delivering(t testing.TB, change ...func(*models.Pipeline)) delivery {
	t.Helper()
	d := delivery{estate: settled(t, "10.64.0.0/20")}
	r, err := d.RequestService(t.Context(), d.developer, "payments", "shop", models.ServiceInputs{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	d.ensure(t, r, models.NonProd)
	d.lead(t, r.ID, models.Succeeded)
	exec(t, d.Store, `UPDATE stacks SET outputs = jsonb_build_object('RepositoryUri', $2::text) WHERE object_id = $1`, r.ObjectID, shopImages)
	if d.service, err = d.livingService(t.Context(), d.developer, "payments", "shop"); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string]*models.Environment{"shop-dev": &d.dev, "shop-prod": &d.prod, "shop-aside": &d.aside} {
		made := d.made(t, site(name))
		exec(t, d.Store, `UPDATE environments SET service_id = $2 WHERE id = $1`, made.ID, d.service.ID)
		*env = made
	}
	exec(t, d.Store, `UPDATE environments SET stage = 'prod' WHERE id = $1`, d.prod.ID)
	p := models.Pipeline{ID: models.NewID(), TenantID: d.tenant.ID, TenantSlug: "payments", Name: "shop", Kind: models.CodePipeline, ServiceID: d.service.ID, ServiceName: "shop", Repository: shopImages,
		Source: models.PipelineSource{Kind: models.SourceConnection, Repository: "acme/shop", Branch: "main"}, AccountID: d.service.AccountID, Class: models.NonProd, State: models.Ready,
		Stages: []models.PipelineStage{
			{Environment: "shop-dev", EnvironmentID: d.dev.ID, Stage: models.Dev, Automatic: true, Gates: []models.Gate{models.GateBuild, models.GateScan}, Scan: models.DefaultScan(), TimeoutMinutes: 60},
			{Environment: "shop-prod", EnvironmentID: d.prod.ID, Stage: models.Production, Gates: []models.Gate{models.GateBuild, models.GateScan, models.GateSecrets}, Scan: models.DefaultScan(), TimeoutMinutes: 60}}}
	for _, c := range change {
		c(&p)
	}
	d.pipeline = p
	insertPipeline(t, d.Store, p, r.ID)
	return d
}

// insertPipeline writes the rows of a pipeline as its request would.
func insertPipeline(t testing.TB, s *Store, p models.Pipeline, requestID string) {
	t.Helper()
	source, err := json.Marshal(p.Source)
	if err != nil {
		t.Fatal(err)
	}
	stages, err := json.Marshal(p.Stages)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, s, `INSERT INTO pipelines (id, tenant_id, account_id, class, service_id, name, kind, source, repository, stages, paused, state, read_due, request_id, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10::jsonb, $11, $12, $13, $14, $15, $15)`, p.ID, p.TenantID, p.AccountID, p.Class, p.ServiceID, p.Name, p.Kind, string(source), p.Source.Repository,
		string(stages), p.Paused, p.State, s.clock.Now(), requestID, s.clock.Now())
	exec(t, s, `INSERT INTO stacks (object_id, object_type, tenant_id, account_id, region, name, stack_id, status, blueprint, version) VALUES ($1, 'pipeline', $2, $3, 'us-east-1', $4, 'arn:pipeline', 'CREATE_COMPLETE',
		'codepipeline', '1.0.0')`, p.ID, p.TenantID, p.AccountID, "slw-"+p.Name+"-"+p.ID[:8])
	for i, stage := range p.Stages {
		exec(t, s, `INSERT INTO pipeline_stages (pipeline_id, position, environment_id) VALUES ($1, $2, $3)`, p.ID, i+1, stage.EnvironmentID)
	}
}

// within runs fn in a transaction.
func (d delivery) within(t testing.TB, fn func(*tx) error) {
	t.Helper()
	if err := d.tx(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// keep writes an execution as a reading does.
func (d delivery) keep(t testing.TB, e models.Execution) (kept models.Execution) {
	t.Helper()
	d.within(t, func(w *tx) (err error) {
		kept, err = w.keepExecution(d.pipeline, e)
		return err
	})
	return kept
}

// ask opens a promotion.
func (d delivery) ask(t testing.TB, ask promotionAsk) (p models.Promotion, err error) {
	t.Helper()
	err = d.tx(t.Context(), func(w *tx) (err error) {
		p, err = w.openPromotion(models.System(models.PipelinesComponent, ""), d.pipeline, ask)
		return err
	})
	return p, err
}

func (d delivery) promotion(t testing.TB, id string) models.Promotion {
	t.Helper()
	p, err := d.Promotion(t.Context(), d.admin, "payments", id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// started is an execution that runs, as CodePipeline tells it.
func started(id string, at time.Time, n int) models.Execution {
	return models.Execution{ExternalID: id, Trigger: models.TriggerPush, State: models.ExecutionRunning, StartedAt: at, Digest: digestNo(n),
		Commit: models.Commit{ID: strings.Repeat("a", 40), Message: "Sell more", Author: "Ada", Branch: "main", At: at.Add(-time.Minute)},
		Stages: []models.ExecutionStage{{Name: "Build", State: models.ExecutionSucceeded, Actions: []models.ExecutionAction{{Name: "Build", Kind: "build", State: models.ExecutionSucceeded}}},
			{Name: "shop-dev", State: models.ExecutionRunning}}}
}
