package handlers

import (
	"strings"
	"testing"

	"slipway/models"
)

func TestInputsOfPipelinesAreShown(t *testing.T) {
	t.Parallel()
	show := func(q models.Request) string {
		var lines []string
		for _, r := range objectInputs(q) {
			lines = append(lines, r.Label+": "+r.Value)
		}
		return strings.Join(lines, "\n")
	}
	got := show(models.Request{ObjectType: models.PipelineObject, ObjectName: "shop", Inputs: []byte(`{"name":"shop","kind":"codepipeline","service":"orders","connection":"github",
		"source":{"kind":"connection","repository":"acme/shop","branch":"main","paths":["src/**","go.mod"]},"inputs":{"Compute":"small"},"stages":[
		{"environment":"shop-dev","stage":"dev","automatic":true,"gates":["build","image-scan"],"scan":{"critical":0,"high":2,"medium":-1,"low":-1},"timeout_minutes":60},
		{"environment":"shop-prod","stage":"prod","gates":[],"scan":{"critical":0,"high":0,"medium":0,"low":0},"timeout_minutes":10080}]}`)})
	want := `Pipeline: shop
Moved by: CodePipeline
Service: orders
Connection: github
Repository: acme/shop
Branch: main
Paths: src/**, go.mod
Stage 1: shop-dev (dev); by rule where the rules allow it; gates: build, image scan; up to 2 high findings; waits 1 h 00 m
Stage 2: shop-prod (prod); no gates; waits 7 d
Compute: small`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	got = show(models.Request{ObjectType: models.PipelineObject, ObjectName: "shop", Inputs: []byte(`{"kind":"github-actions","source":{"repository":"acme/shop","repository_id":"81","owner_id":"7","branch":"main"}}`)})
	if !strings.Contains(got, "Moved by: GitHub Actions") || !strings.Contains(got, "Numbers: repository 81, owner 7") {
		t.Errorf("got\n%s", got)
	}
	got = show(models.Request{ObjectType: models.ConnectionObject, ObjectName: "github", Inputs: []byte(`{"name":"github","provider":"GitHub","class":"nonprod"}`)})
	if got != "Connection: github\nSource host: GitHub\nAccount: nonprod" {
		t.Errorf("got\n%s", got)
	}
	if got = show(models.Request{ObjectType: models.PipelineObject, Inputs: []byte(`[`)}); !strings.Contains(got, "cannot be read") {
		t.Errorf("got\n%s", got)
	}
}

func TestWhatIsDeliveredHasAPage(t *testing.T) {
	t.Parallel()
	for object, want := range map[models.RequestKind]string{models.PausePipeline: "/tenants/payments/pipelines/shop", models.DeleteConnection: "/tenants/payments/connections/shop"} {
		q := models.Request{Kind: object, ObjectType: object.Object(), ObjectName: "shop", RunID: "r1"}
		if url, word := objectLink(q, &models.Tenant{Slug: "payments"}); url != want || word != "Open the "+string(object.Object()) {
			t.Errorf("%s leads to %q by %q", object, url, word)
		}
	}
}
