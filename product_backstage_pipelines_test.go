//go:build dev

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/models"
	"slipway/views/urls"
)

// TestCatalogFollowsPipelines reads a pipeline of each kind as Backstage does, has its validators judge what came, and then changes what
// there is: both forms of the catalogue have another tag and other content after each change.
func TestCatalogFollowsPipelines(t *testing.T) {
	folder := os.Getenv("SLIPWAY_TEST_CATALOG_MODEL")
	if folder == "" {
		t.Fatal("SLIPWAY_TEST_CATALOG_MODEL is not set: run the tests with make test, which installs Backstage's validators")
	}
	m := newMatrix(t, unlimited, func(m *matrix) { m.vars["SLIPWAY_GITHUB_ISSUER"] = models.GitHubIssuer })
	bearer := []string{"Authorization", "Bearer " + m.catalogToken("production")}
	source{matrix: m}.pipeline("payments", "flow", "700100200", "ready", false)
	m.exec(`UPDATE stacks s SET stack_id = 'arn:aws:cloudformation:eu-west-1:111122223333:stack/slw/1', outputs = '{"PipelineName": "slw-payments-orders", "ProjectName": "slw-payments-orders"}'
		FROM pipelines p, tenants t WHERE p.id = s.object_id AND t.id = p.tenant_id AND t.slug = 'payments' AND p.name = 'orders'`)

	paths := []string{"/backstage/tenants/payments.yaml", urls.CatalogEntities}
	tags := map[string]string{}
	read := func(change string) map[string]readEntity { // of the tenant's document, by kind and name
		t.Helper()
		for _, path := range paths {
			a := m.fetch(path, append(bearer, "If-None-Match", tags[path])...)
			if tag := a.Header.Get("ETag"); a.StatusCode != 200 || tag == tags[path] {
				t.Errorf("%s after %s: %s, tag %s as before", path, change, a.Status, tag)
			} else {
				tags[path] = tag
			}
		}
		all := map[string]readEntity{}
		for _, e := range documents(t, m.fetch(paths[0], bearer...)) {
			all[e.Kind+" "+e.Metadata.Name] = e
		}
		return all
	}

	all := read("the start")
	line, flow, component := all["Resource payments.pipeline.orders"], all["Resource payments.pipeline.flow"], all["Component payments.orders"]
	depends(t, line, "resource:default/payments.env.orders-dev", "resource:default/payments.account.nonprod")
	depends(t, component, "resource:default/payments.env.orders-dev", "resource:default/payments.pipeline.flow", "resource:default/payments.pipeline.orders")
	arns := map[string]string{"aws.amazon.com/aws-codepipeline-arn": "arn:aws:codepipeline:eu-west-1:111122223333:slw-payments-orders",
		"aws.amazon.com/aws-codebuild-project-arn": "arn:aws:codebuild:eu-west-1:111122223333:project/slw-payments-orders"}
	slug := map[string]string{"github.com/project-slug": "acme/orders", "backstage.io/source-location": "url:https://github.com/acme/orders/"}
	annotated(t, line, arns, slug)
	annotated(t, flow, slug, arns)
	annotated(t, component, arns, nil)
	annotated(t, component, slug, nil)
	if line.Spec.Type != "pipeline" || line.Metadata.Annotations["backstage.io/view-url"] != m.app.config.Server.PublicURL+urls.Pipeline("payments", "orders") {
		t.Errorf("%+v", line)
	}
	for _, path := range paths {
		judged(t, folder, m.fetch(path, bearer...).text)
	}

	m.exec(`DELETE FROM pipeline_stages g USING pipelines p, tenants t WHERE p.id = g.pipeline_id AND t.id = p.tenant_id AND t.slug = 'payments'`)
	depends(t, read("a change of its stages")["Resource payments.pipeline.orders"], "resource:default/payments.account.nonprod")
	m.exec(`UPDATE pipelines p SET state = 'deleted' FROM tenants t WHERE t.id = p.tenant_id AND t.slug = 'payments' AND p.name = 'orders'`)
	all = read("its deletion")
	if _, still := all["Resource payments.pipeline.orders"]; still || strings.Contains(m.fetch(paths[1], bearer...).text, "payments.pipeline.orders") {
		t.Error("a deleted pipeline is still there")
	}
	depends(t, all["Component payments.orders"], "resource:default/payments.env.orders-dev", "resource:default/payments.pipeline.flow")
	annotated(t, all["Component payments.orders"], slug, arns)
}

func depends(t *testing.T, e readEntity, on ...string) {
	t.Helper()
	if !slices.Equal(e.Spec.DependsOn, on) {
		t.Errorf("%s depends on %q, want %q", e.Metadata.Name, e.Spec.DependsOn, on)
	}
}

// annotated holds an entity to annotations that it has, and to some that it has not.
func annotated(t *testing.T, e readEntity, has, not map[string]string) {
	t.Helper()
	for name := range has {
		if e.Metadata.Annotations[name] != has[name] {
			t.Errorf("%s: %s is %q, want %q", e.Metadata.Name, name, e.Metadata.Annotations[name], has[name])
		}
	}
	for name := range not {
		if got, there := e.Metadata.Annotations[name]; there {
			t.Errorf("%s has %s: %q", e.Metadata.Name, name, got)
		}
	}
}

// judged has Backstage's own validators read a document, or the entities of a page.
func judged(t *testing.T, folder, text string) {
	t.Helper()
	if strings.HasPrefix(text, "{") {
		var page struct{ Entities json.RawMessage }
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			t.Fatal(err)
		}
		text = string(page.Entities)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(folder, "validate.mjs"))
	cmd.Stdin, cmd.Stderr = strings.NewReader(text), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	pipelines := 0
	for line := range bytes.Lines(out) {
		var j struct{ Ref, Error string }
		if err := json.Unmarshal(line, &j); err != nil || j.Error != "" {
			t.Errorf("%s %s %v", j.Ref, j.Error, err)
		}
		if strings.Contains(j.Ref, ".pipeline.") {
			pipelines++
		}
	}
	if pipelines < 2 {
		t.Errorf("%d pipelines were judged", pipelines)
	}
}
