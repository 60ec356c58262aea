package aws

import (
	"strings"
	"testing"

	"slipway/models"
)

// TestShippedGroundComesUp orders a network with its zone, a service and a web service that waits for both.
func TestShippedGroundComesUp(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.shipped()
	network := e.wants(e.store.RequestNetwork(t.Context(), e.asker, "payments", e.key(), models.CreateNetwork, models.NetworkInputs{Class: models.NonProd, Region: "eu-west-1"}))
	service := e.wants(e.store.RequestService(t.Context(), e.asker, "payments", e.key(), models.ServiceInputs{Name: "orders"}))
	web := e.wants(e.store.RequestEnvironment(t.Context(), e.asker, "payments", e.key(), models.EnvironmentInputs{Name: "web", Stage: models.Dev, Region: "eu-west-1", Blueprint: "ecs-web-service",
		Version: "1.0.0", Service: "orders", Days: 30}, ""))
	plan := e.approve(network)
	if len(plan.Content.Parts) != 2 || plan.Content.Parts[1].StackName != "slw-payments-zone" || plan.Content.Parts[1].Parameters["ZoneName"] != "payments-nonprod.apps.example.com" {
		t.Fatalf("the network's plan: %+v", plan.Content.Parts)
	}
	if p := plan.Content.Parts[0].Parameters; p["Cidr"] != "10.16.0.0/20" || !strings.HasPrefix(p["AlarmTopicArn"], "arn:aws:sns:") {
		t.Errorf("the network's parameters: %v", p)
	}
	if len(plan.Content.Cost) == 0 || plan.Notes.Estimate == nil || len(plan.Notes.Estimate.Lines) == 0 {
		t.Errorf("the network costs nothing: %+v", plan.Content.Cost)
	}
	if waits := one[string](e, `SELECT COALESCE(waiting->>'words', '') FROM requests WHERE id = $1`, web); !strings.Contains(waits, "comes first") {
		t.Errorf("the web service waits for %q", waits)
	}
	e.drive(network, models.Succeeded)
	e.succeed(service)
	zone, err := e.store.Registry().ZoneOf(t.Context(), accountRow)
	if err != nil || zone.State != models.Ready || zone.Stack.Outputs["ZoneName"] != "payments-nonprod.apps.example.com" || zone.Stack.Outputs["HostedZoneId"] == "" {
		t.Fatalf("the zone: %+v, %v", zone, err)
	}
	plan = e.approve(web)
	net, err := e.store.Registry().Network(t.Context(), one[string](e, `SELECT id::text FROM networks`))
	if err != nil || net.Estimate == nil {
		t.Fatalf("the network: %+v, %v", net, err)
	}
	p := plan.Content.Parts[0].Parameters
	if p["VpcId"] != net.Stack.Outputs["VpcId"] || p["VpcId"] == "" || p["HostedZoneId"] != zone.Stack.Outputs["HostedZoneId"] || p["Image"] != "" {
		t.Errorf("what the web service is given: %v", p)
	}
	if plan.Content.Parts[0].Tags["slipway:stage"] != "dev" || plan.Notes.Estimate == nil || len(plan.Content.Cost)+len(plan.Notes.NotEstimated) == 0 {
		t.Errorf("the web service's plan: %+v, left out: %q", plan.Content.Cost, plan.Notes.NotEstimated)
	}
}

// TestLongTemplateGoesThroughTheBucket deploys what is too long for a call.
func TestLongTemplateGoesThroughTheBucket(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath(maxInlineTemplate)
	e.made("board")
	e.whole("board", "CREATE_COMPLETE")
	if n := e.w.count(`SELECT count(*) FROM calls WHERE op = 'PutObject'`); n != 1 {
		t.Errorf("%d copies were made of one template", n)
	}
	e.clients.ArtifactsBucket = ""
	request := e.change("board", models.UpdateEnvironment, updated)
	e.drive(request, models.PlanFailed)
	if reason := one[string](e, `SELECT reason FROM requests WHERE id = $1`, request); !strings.Contains(reason, "SLIPWAY_ARTIFACTS_BUCKET") {
		t.Errorf("without a bucket: %q", reason)
	}
}
