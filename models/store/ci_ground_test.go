package store

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

// A repository of the tests, by the numbers that its host gave it.
const (
	shopRepository = "acme/shop"
	shopID         = "700100200"
	acmeID         = "900100"
	shopImage      = "222222222222.dkr.ecr.us-east-1.amazonaws.com/slw-payments/shop"
)

// works is a tenant with a service, two environments, and a pipeline of GitHub Actions that delivers to them.
type works struct {
	estate
	service  models.Service
	dev, prd models.Environment
	pipeline models.Pipeline
}

func underWay(t testing.TB) works {
	t.Helper()
	e := settled(t, "10.64.0.0/20")
	w := works{estate: e}
	r, err := e.RequestService(t.Context(), e.developer, "payments", "svc", models.ServiceInputs{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	e.ensure(t, r, models.NonProd)
	e.lead(t, r.ID, models.Succeeded)
	e.do(t, `UPDATE stacks SET outputs = jsonb_build_object('RepositoryUri', $2::text) WHERE object_id = $1`, r.ObjectID, shopImage)
	if w.service, err = e.livingService(t.Context(), e.developer, "payments", "shop"); err != nil {
		t.Fatal(err)
	}
	w.dev, w.prd = e.made(t, site("shop-dev")), e.made(t, site("shop-prod"))
	e.do(t, `UPDATE environments SET service_id = $1 WHERE name LIKE 'shop-%'`, w.service.ID)
	w.pipeline = w.addPipeline(t, "shop", nil)
	return w
}

// do writes what no method of the store does in a test.
func (e estate) do(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := e.pool.Exec(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// addPipeline makes one of GitHub Actions for the service, as the engine leaves it.
func (w works) addPipeline(t testing.TB, name string, change func(*models.Pipeline)) models.Pipeline {
	t.Helper()
	p := models.Pipeline{ID: models.NewID(), TenantID: w.tenant.ID, TenantSlug: "payments", Name: name, Kind: models.GitHubActions, ServiceID: w.service.ID, ServiceName: "shop", Repository: shopImage,
		AccountID: w.service.AccountID, Class: models.NonProd, State: models.Ready,
		Source: models.PipelineSource{Repository: shopRepository, RepositoryID: shopID, OwnerID: acmeID, Branch: "main"},
		Stages: []models.PipelineStage{{Environment: "shop-dev", EnvironmentID: w.dev.ID, Stage: models.Dev, Automatic: true, Gates: []models.Gate{models.GateBuild}},
			{Environment: "shop-prod", EnvironmentID: w.prd.ID, Stage: models.Production, Gates: []models.Gate{models.GateBuild, models.GateStatic}}}}
	if change != nil {
		change(&p)
	}
	source, _ := json.Marshal(p.Source)
	stages, _ := json.Marshal(p.Stages)
	w.do(t, `INSERT INTO pipelines (id, tenant_id, account_id, class, service_id, name, kind, source, repository, repository_id, owner_id, stages, paused, state, request_id, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, now(), now())`, p.ID, p.TenantID, p.AccountID, p.Class, p.ServiceID, p.Name, p.Kind, string(source),
		p.Source.Repository, p.Source.RepositoryID, p.Source.OwnerID, string(stages), p.Paused, p.State, w.service.RequestID)
	w.do(t, `INSERT INTO stacks (object_id, object_type, tenant_id, account_id, region, name) VALUES ($1, 'pipeline', $2, $3, 'us-east-1', 'slw-payments-pl-' || $4)`, p.ID, p.TenantID, p.AccountID, p.Name)
	for i, s := range p.Stages {
		w.do(t, `INSERT INTO pipeline_stages (pipeline_id, position, environment_id) VALUES ($1, $2, $3)`, p.ID, i+1, s.EnvironmentID)
	}
	return p
}

// addExecution makes the row of an execution that began at a time.
func (w works) addExecution(t testing.TB, p models.Pipeline, number int, at time.Time) string {
	t.Helper()
	id := models.NewID()
	w.do(t, `INSERT INTO pipeline_executions (id, pipeline_id, tenant_id, number, external_id, trigger, state, started_at, seen_at) VALUES ($1, $2, $3, $4, $5, 'push', 'running', $6, $6)`,
		id, p.ID, p.TenantID, number, "x-"+id, at)
	return id
}

func digest(of string) string { return "sha256:" + strings.Repeat(of, 64)[:64] }
