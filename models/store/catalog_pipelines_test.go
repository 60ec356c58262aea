package store

import (
	"reflect"
	"testing"

	"slipway/models"
	"slipway/models/catalog"
)

// TestCatalogPipelines reads pipelines as Backstage is told of them, in a tenant's document and in pages, and follows what becomes of them.
func TestCatalogPipelines(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	const stack = "arn:aws:cloudformation:us-east-1:000000000100:stack/slw-payments-pipe-shop/1"
	exec(t, d.Store, `UPDATE stacks SET name = 'slw-payments-pipe-shop', stack_id = $2, outputs = '{"PipelineName": "slw-payments-shop", "ProjectName": "slw-payments-shop"}' WHERE object_id = $1`, d.pipeline.ID, stack)
	flow := d.pipeline
	flow.ID, flow.Name, flow.Kind, flow.Source, flow.State = models.NewID(), "flow", models.GitHubActions, models.PipelineSource{Repository: "acme/flow", RepositoryID: "7", OwnerID: "8", Branch: "main"}, models.Creating
	flow.Stages = []models.PipelineStage{d.pipeline.Stages[1]}
	insertPipeline(t, d.Store, flow, d.service.RequestID)
	exec(t, d.Store, `DELETE FROM stacks WHERE object_id = $1`, flow.ID)

	home, prod := catalog.Home{Slug: "payments", OwnerGroup: d.tenant.OwnerGroup}, catalog.Target{ID: d.prod.ID, Name: "shop-prod"}
	young := catalog.Pipeline{Delivery: catalog.Delivery{ID: flow.ID, Name: "flow", Kind: models.GitHubActions, Repository: "acme/flow"}, Home: home, Service: "shop", Class: models.NonProd, State: models.Creating,
		Targets: []catalog.Target{prod}}
	shop := catalog.Pipeline{Delivery: catalog.Delivery{ID: d.pipeline.ID, Name: "shop", Kind: models.CodePipeline, Repository: "acme/shop", Stack: catalog.Stack{Name: "slw-payments-pipe-shop", ARN: stack},
		Line: "slw-payments-shop", Project: "slw-payments-shop"}, Home: home, Service: "shop", Class: models.NonProd, Region: "us-east-1", State: models.Ready, Targets: []catalog.Target{{ID: d.dev.ID, Name: "shop-dev"}, prod}}
	reader := models.System(models.CatalogComponent, "")
	file := func(want ...catalog.Pipeline) {
		t.Helper()
		f, err := d.CatalogTenant(t.Context(), reader, "payments")
		if err != nil || len(f.Services) != 1 {
			t.Fatalf("%+v, %v", f.Services, err)
		}
		deliveries := []catalog.Delivery{}
		for _, p := range want {
			deliveries = append(deliveries, p.Delivery)
		}
		if !reflect.DeepEqual(f.Pipelines, want) {
			t.Errorf("pipelines are\n%+v, want\n%+v", f.Pipelines, want)
		}
		if got := append([]catalog.Delivery{}, f.Services[0].Deliveries...); !reflect.DeepEqual(got, deliveries) {
			t.Errorf("the service is delivered by\n%+v, want\n%+v", got, deliveries)
		}
	}
	file(young, shop)

	at := catalog.Cursor{Section: catalog.Pipelines}
	for _, want := range [][]catalog.Pipeline{{young}, {shop}, {}} {
		b, err := d.CatalogSection(t.Context(), reader, at, 1)
		if err != nil || !reflect.DeepEqual(b.Pipelines, want) {
			t.Fatalf("after %+v: %+v, %v, want %+v", at, b.Pipelines, err, want)
		}
		if len(want) > 0 {
			at.Key, at.Sub = "payments", want[0].Name
		}
	}
	for _, who := range []models.Actor{d.admin, d.owner, d.outsider, models.System(models.PipelinesComponent, "")} {
		if b, err := d.CatalogSection(t.Context(), who, catalog.Cursor{Section: catalog.Pipelines}, 1); models.KindOf(err) != models.Forbidden || len(b.Pipelines) > 0 {
			t.Errorf("%s reads %+v, %v", who.Name(), b.Pipelines, err)
		}
	}

	d.within(t, func(w *tx) error {
		return w.writeStages(d.pipeline.ID, []models.PipelineStage{d.pipeline.Stages[1], d.pipeline.Stages[0]})
	})
	shop.Targets = []catalog.Target{prod, shop.Targets[0]}
	file(young, shop)
	exec(t, d.Store, `UPDATE environments SET state = 'deleted' WHERE id = $1`, d.prod.ID) // as expiry does
	shop.Targets, young.Targets = shop.Targets[1:], nil
	file(young, shop)
	exec(t, d.Store, `UPDATE pipelines SET state = 'deleted' WHERE id = $1`, d.pipeline.ID)
	file(young)
}
