package store

import (
	"strings"
	"testing"

	"slipway/models"
)

// TestAPipelineTakesOnlyItsTenantsOwn: what another tenant has is neither offered nor found, whatever it is called; nor is it there for the
// people of the first.
func TestAPipelineTakesOnlyItsTenantsOwn(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	e.delivered(t)
	theirs, err := e.Registry().EnsureTenant(ctx, worker, running(t, e.Store, "theirs").ID)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, e.Store, `UPDATE tenants SET state = 'ready', owner_group = 'x', developer_group = 'y', viewer_group = 'z' WHERE id = $1`, theirs.ID)
	for _, q := range []string{
		`INSERT INTO services (id, tenant_id, account_id, class, name, state, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), a.tenant_id, a.id, a.class, 'their-svc', 'ready', v.request_id, v.created_at, v.created_at FROM services v, accounts a WHERE a.id = $1`,
		`INSERT INTO connections (id, tenant_id, account_id, class, name, provider, state, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), a.tenant_id, a.id, a.class, 'their-con', 'GitHub', 'ready', v.request_id, v.created_at, v.created_at FROM connections v, accounts a WHERE a.id = $1`,
		`INSERT INTO environments (id, tenant_id, account_id, service_id, name, stage, region, blueprint, state, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), a.tenant_id, a.id, e.service_id, 'their-env', 'dev', 'us-east-1', 'web', 'ready', e.request_id, e.created_at, e.created_at FROM environments e, accounts a
			WHERE a.id = $1 AND e.name = 'shop-dev'`,
		`INSERT INTO pipelines (id, tenant_id, account_id, class, service_id, name, kind, source, stages, state, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), a.tenant_id, a.id, a.class, v.id, 'their-pipe', 'codepipeline', '{}', '[]', 'ready', v.request_id, v.created_at, v.created_at FROM services v, accounts a
			WHERE a.id = $1 AND v.name = 'their-svc'`,
		`INSERT INTO stacks (object_id, object_type, tenant_id, account_id, region, name) SELECT id, 'pipeline', tenant_id, account_id, 'us-east-1', 'slw-their-pipe' FROM pipelines WHERE account_id = $1`,
	} {
		exec(t, e.Store, q, theirs.Accounts[0].ID)
	}
	for field, change := range map[string]func(*models.PipelineInputs){
		"service":    func(in *models.PipelineInputs) { in.Service = "their-svc" },
		"connection": func(in *models.PipelineInputs) { in.Connection = "their-con" },
		"stages":     func(in *models.PipelineInputs) { in.Stages[0].Environment = "their-env" },
	} {
		in := ordered("mine")
		change(&in)
		for name, send := range map[string]func() error{
			"order": func() error { _, err := e.RequestPipeline(ctx, e.developer, "payments", "k", in, ""); return err },
			"change": func() error {
				_, err := e.ChangePipeline(ctx, e.developer, "payments", "shop", models.UpdatePipeline, "u", in)
				return err
			},
		} {
			if name == "change" && field == "service" { // it is never asked for anew
				continue
			}
			if err := send(); !strings.Contains(models.Fields(err)[field], "payments has no") {
				t.Errorf("%s, another tenant's %s: %v", name, field, err)
			}
		}
	}
	c, err := e.PipelineChoices(ctx, e.developer, "payments")
	if err != nil || len(c.Services) != 1 || len(c.Connections) != 1 || len(c.Environments) != 1 {
		t.Errorf("choices %+v: %v", c, err)
	}
	_, page := e.PipelinePage(ctx, e.developer, "theirs", "their-pipe")
	_, pause := e.ChangePipeline(ctx, e.developer, "theirs", "their-pipe", models.PausePipeline, "p", models.PipelineInputs{})
	_, order := e.RequestPipeline(ctx, e.developer, "theirs", "o", ordered("mine"), "")
	_, connection := e.RequestConnection(ctx, e.developer, "theirs", "c", models.ConnectionInputs{Name: "mine", Provider: models.GitHub})
	_, choices := e.PipelineChoices(ctx, e.developer, "theirs")
	for what, err := range map[string]error{"page": page, "pause": pause, "order": order, "connection": connection, "choices": choices} {
		if models.KindOf(err) != models.NotFound {
			t.Errorf("another tenant's %s: %v", what, err)
		}
	}
	if _, err := e.PipelinePage(ctx, e.admin, "theirs", "their-pipe"); err != nil {
		t.Errorf("an admin: %v", err)
	}
	if list, err := e.Pipelines(ctx, e.developer, models.ListQuery{}); err != nil || list.Total != 1 || list.Rows[0].Name != "shop" {
		t.Errorf("they list %d: %v", list.Total, err)
	}
}

// TestExpiryPassesOverPipelines: what a person may not delete, because it is a stage, still has its end; the list then shows that it is gone.
func TestExpiryPassesOverPipelines(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	e.delivered(t)
	_, err := e.ChangeEnvironment(ctx, e.owner, "payments", "shop-dev", models.DeleteEnvironment, "mine", models.EnvironmentInputs{Confirm: "shop-dev"})
	if models.KindOf(err) != models.Conflict {
		t.Errorf("deleted by a person: %v", err)
	}
	r, err := e.ChangeEnvironment(ctx, models.System(expiryComponent, ""), "payments", "shop-dev", models.DeleteEnvironment, "end", models.EnvironmentInputs{})
	if err != nil {
		t.Fatal(err)
	}
	e.lead(t, r.ID, models.Succeeded)
	list, err := e.Pipelines(ctx, e.viewer, models.ListQuery{})
	if err != nil || len(list.Rows) != 1 || len(list.Rows[0].Cells) != 1 || list.Rows[0].Cells[0].State != models.Deleted {
		t.Errorf("the list shows %+v: %v", list.Rows, err)
	}
	if _, err := e.ChangePipeline(ctx, e.developer, "payments", "shop", models.UpdatePipeline, "u", ordered("")); !strings.Contains(models.Fields(err)["stages"], "no environment") {
		t.Errorf("it still delivers there: %v", err)
	}
}
