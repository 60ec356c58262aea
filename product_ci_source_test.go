//go:build dev

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"slipway/dev/idp"
)

// source is a matrix with an issuer of workflows' tokens, and a pipeline of each tenant.
type source struct {
	*matrix
	tokens *idp.Workflows
	key    jose.JSONWebKey // the issuer's, public
}

func newSource(t *testing.T) source {
	t.Helper()
	s := source{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.tokens.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	var err error
	if s.tokens, err = idp.NewWorkflows(server.URL+"/dev/github", "", ""); err != nil {
		t.Fatal(err)
	}
	s.matrix = newMatrix(t, unlimited, func(m *matrix) { m.vars["SLIPWAY_GITHUB_ISSUER"] = server.URL + "/dev/github" })
	res, err := http.Get(server.URL + "/dev/github/.well-known/jwks")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(res.Body).Decode(&set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("%v, %v", set, err)
	}
	s.key = set.Keys[0]
	s.exec(`UPDATE stacks SET outputs = jsonb_build_object('RepositoryUri', '222222222222.dkr.ecr.eu-west-1.amazonaws.com/slw/orders') WHERE object_type = 'service'`)
	s.pipeline("payments", "flow", "700100200", "ready", false)
	s.pipeline("payments", "paused", "700100200", "ready", true)
	s.pipeline("payments", "ended", "700100200", "deleted", false)
	s.pipeline("storefront", "theirs", "31", "ready", false)
	return s
}

// pipeline makes one of GitHub Actions that delivers the tenant's service to its environment.
func (s source) pipeline(tenant, name, repositoryID, state string, paused bool) {
	s.t.Helper()
	repository := map[bool]string{true: "acme/orders", false: "other/shop"}[tenant == "payments"]
	s.exec(`WITH made AS (INSERT INTO pipelines (id, tenant_id, account_id, class, service_id, name, kind, source, repository, repository_id, owner_id, stages, paused, state, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), v.tenant_id, v.account_id, v.class, v.id, $2, 'github-actions',
				jsonb_build_object('repository', $3::text, 'repository_id', $4::text, 'owner_id', '900100', 'branch', 'main'), $3, $4, '900100',
				jsonb_build_array(jsonb_build_object('environment', e.name, 'environment_id', e.id, 'stage', e.stage, 'gates', '["build"]'::jsonb)), $5, $6, v.request_id, now(), now()
			FROM services v JOIN tenants t ON t.id = v.tenant_id JOIN environments e ON e.tenant_id = t.id AND e.name = 'orders-dev' WHERE t.slug = $1 AND v.name = 'orders' RETURNING *)
		INSERT INTO stacks (object_id, object_type, tenant_id, account_id, region, name) SELECT id, 'pipeline', tenant_id, account_id, 'eu-west-1', 'slw-' || $1::text || '-pl-' || $2::text FROM made`,
		tenant, name, repository, repositoryID, paused, state)
	s.exec(`UPDATE environments e SET service_id = v.id FROM services v WHERE v.tenant_id = e.tenant_id AND v.name = 'orders' AND e.name = 'orders-dev'`)
}

// kept counts whatever a workflow could leave behind.
func (s source) kept() int {
	return s.number(`SELECT (SELECT count(*) FROM builds) + (SELECT count(*) FROM evidence) + (SELECT count(*) FROM promotions) + (SELECT count(*) FROM pipeline_executions) + (SELECT count(*) FROM ci_tokens)
		+ (SELECT count(*) FROM requests)`)
}
