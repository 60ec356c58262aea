package store

import (
	"strings"
	"sync"
	"testing"

	"slipway/models"
)

func TestPipelineObjects(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx, g := t.Context(), e.Registry()
	shop := e.delivered(t)
	con, err := g.Connection(ctx, shop.connection.ObjectID)
	if err != nil || con.Name != "github" || con.Provider != models.GitHub || con.State != models.Ready || con.Class != models.NonProd || con.Stack.Name != "slw-github" {
		t.Fatalf("connection %+v: %v", con, err)
	}
	at := e.clock.Wall()
	for range 2 { // a step repeats it after a crash
		err := g.SaveConnection(ctx, worker, con.ID, func(c *models.Connection) { c.Status, c.StatusAt = models.ConnectionAvailable, at })
		if err != nil {
			t.Fatal(err)
		}
	}
	if con, err = g.Connection(ctx, con.ID); err != nil || con.Status != models.ConnectionAvailable || con.StatusAt.IsZero() {
		t.Errorf("connection is %q: %v", con.Status, err)
	}
	if n := count(t, e.Store, `SELECT count(*) FROM audit_entries WHERE action = 'connection.change'`); n != 1 {
		t.Errorf("%d audit entries of one change", n)
	}
	p, err := g.Pipeline(ctx, shop.pipeline.ObjectID)
	if err != nil || p.State != models.Ready || p.ServiceName != "shop" || p.ConnectionName != "github" || p.Source.Branch != "main" || len(p.Stages) != 1 || p.Stages[0].EnvironmentID != shop.env.ID {
		t.Fatalf("pipeline %+v: %v", p, err)
	}
	if n := count(t, e.Store, `SELECT count(*) FROM pipelines WHERE read_due IS NOT NULL`); n != 1 {
		t.Error("a made pipeline is not due to be read")
	}
	err = g.SavePipeline(ctx, worker, p.ID, func(p *models.Pipeline) {
		p.Paused, p.Source.Branch, p.Stages, p.Estimate = true, "release", append(p.Stages, models.PipelineStage{Environment: "a-site", EnvironmentID: shop.other.ID, Stage: models.Dev}), &models.Estimate{}
	})
	if err != nil {
		t.Fatal(err)
	}
	if p, err = g.Pipeline(ctx, p.ID); err != nil || !p.Paused || p.Source.Branch != "release" || len(p.Stages) != 2 || p.Estimate == nil {
		t.Errorf("saved as %+v: %v", p, err)
	}
	if n := count(t, e.Store, `SELECT count(*) FROM pipeline_stages WHERE pipeline_id = $1 AND (position, environment_id) IN ((1, $2), (2, $3))`, p.ID, shop.env.ID, shop.other.ID); n != 2 {
		t.Errorf("%d stages in order", n)
	}
	for what, id := range map[string]string{"service": p.ServiceID, "connection": con.ID} {
		if users, err := g.UsersOf(ctx, id); err != nil || !strings.Contains(strings.Join(users, ","), "pipeline shop") {
			t.Errorf("the %s is used by %v: %v", what, users, err)
		}
	}
	if _, err := g.Pipeline(ctx, con.ID); models.KindOf(err) != models.NotFound {
		t.Errorf("a connection as a pipeline: %v", err)
	}
}

func TestFirstPipelinesMakeOneIdentityProvider(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	shop := e.delivered(t)
	const issuer = "https://token.actions.githubusercontent.com"
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			p := models.IdentityProvider{ID: models.NewID(), TenantID: e.tenant.ID, AccountID: e.tenant.Accounts[0].ID, Issuer: issuer,
				Stack: models.Stack{AccountID: e.tenant.Accounts[0].ID, Region: "us-east-1", Name: models.IdentityProviderStack("payments")}}
			made, err := e.Registry().EnsureIdentityProvider(t.Context(), worker, shop.pipeline.ID, p)
			if err != nil {
				t.Error(err)
			}
			ids[i] = made.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("they were given %v", ids)
		}
	}
	if err := e.Registry().SaveIdentityProvider(t.Context(), worker, ids[0], func(p *models.IdentityProvider) { p.State = models.Ready }); err != nil {
		t.Fatal(err)
	}
	p, err := e.Registry().IdentityProviderOf(t.Context(), e.tenant.Accounts[0].ID, issuer)
	if err != nil || p.State != models.Ready || p.Stack.Name != "slw-payments-workflows" {
		t.Errorf("it is %+v: %v", p, err)
	}
	if _, err := e.Registry().IdentityProviderOf(t.Context(), e.tenant.Accounts[1].ID, issuer); models.KindOf(err) != models.NotFound {
		t.Errorf("another account's: %v", err)
	}
	contents, err := e.Registry().Contents(t.Context(), e.tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, st := range contents {
		order = append(order, string(st.ObjectType)+" "+st.ObjectName)
	}
	if want := "pipeline shop,connection github,environment a-site,environment shop-dev,service shop,network nonprod-us-east-1,identity_provider " + issuer; strings.Join(order, ",") != want {
		t.Errorf("a closed tenant is taken down as %s", strings.Join(order, ","))
	}
	closing := func(object models.ObjectType, id string) {
		t.Helper()
		if _, err := e.pool.Exec(t.Context(), `UPDATE requests SET object_id = $1 WHERE id = $2`, e.tenant.ID, shop.pipeline.ID); err != nil {
			t.Fatal(err)
		}
		if err := e.Registry().EndContent(t.Context(), worker, shop.pipeline.ID, object, id); err != nil {
			t.Fatal(err)
		}
	}
	closing(models.PipelineObject, shop.pipeline.ObjectID)
	closing(models.IdentityProviderObject, ids[0])
	if n := count(t, e.Store, `SELECT count(*) FROM pipelines p, identity_providers i WHERE p.state = 'deleted' AND p.read_due IS NULL AND i.state = 'deleted'`); n != 1 {
		t.Error("they are not deleted with the tenant")
	}
}
