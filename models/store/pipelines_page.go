package store

import (
	"context"

	"slipway/models"
)

func (s *Store) livingPipeline(ctx context.Context, actor models.Actor, tenantSlug, name string) (models.Pipeline, error) {
	where, args := named(actor, "p", tenantSlug, name)
	p, err := readPipeline(s.read(ctx), where, args...)
	if err != nil {
		return p, s.unseen(ctx, actor, string(models.PipelineObject), tenantSlug+"/"+name, err)
	}
	return p, nil
}

// PipelinePage reads all that a pipeline's page shows of the pipeline itself, in six queries.
func (s *Store) PipelinePage(ctx context.Context, actor models.Actor, tenantSlug, name string) (p models.PipelinePage, err error) {
	if p.Pipeline, err = s.livingPipeline(ctx, actor, tenantSlug, name); err != nil {
		return p, err
	}
	db := s.read(ctx)
	if p.Tenant, err = readTenant(db, p.Pipeline.TenantID); err != nil {
		return p, translate(err)
	}
	if p.Pipeline.ConnectionID != "" {
		c, err := readConnection(db, `c.id = ?`, p.Pipeline.ConnectionID)
		if err != nil {
			return p, translate(err)
		}
		p.Connection = &c
	}
	if p.Pipeline.State == models.Deleted {
		if p.Receipt, err = readReceipt(db, p.Pipeline.ID); err != nil {
			return p, translate(err)
		}
	}
	around, err := s.around(ctx, actor, p.Pipeline.ID)
	if err != nil {
		return p, err
	}
	p.Open, p.Requests, p.Runs, p.Entries = around.open, around.requests, around.runs, around.entries
	if len(p.Runs) > 0 && p.Pipeline.State == models.Broken {
		p.Failure = p.Runs[0].Failure
	}
	return p, nil
}

// PipelineChoices reads what a form for a pipeline of the tenant can offer: what exists, and what is on its way.
func (s *Store) PipelineChoices(ctx context.Context, actor models.Actor, tenantSlug string) (c models.PipelineChoices, err error) {
	err = s.tx(ctx, func(t *tx) error {
		if c.Tenant, err = t.forTenant(actor, tenantSlug); err != nil {
			return err
		}
		if c.Services, err = choices(t.db, models.ServiceObject, c.Tenant.ID); err != nil {
			return err
		}
		if c.Connections, err = t.connectionChoices(c.Tenant); err != nil {
			return err
		}
		grounds, err := t.grounds(c.Tenant.ID, `TRUE`, `TRUE`)
		if err != nil {
			return err
		}
		c.Environments = nil
		for _, g := range grounds {
			if g.ServiceID != nil { // what runs no image cannot be delivered to
				c.Environments = append(c.Environments, models.EnvironmentChoice{ID: g.ID, Name: g.Name, Stage: g.Stage, ServiceID: *g.ServiceID, State: g.State})
			}
		}
		names, err := many[string](t.db, `SELECT name FROM names WHERE object_type = 'pipeline' AND scope = ?::text AND freed_at IS NULL`, c.Tenant.ID)
		if err != nil {
			return err
		}
		c.Taken = map[string]bool{}
		for _, n := range names {
			c.Taken[n] = true
		}
		return nil
	})
	return c, err
}

// connectionChoices are the living connections of a tenant, and those that open requests make; these have no state yet.
func (t *tx) connectionChoices(tenant models.Tenant) ([]models.Connection, error) {
	list, err := connections(t.db, `c.tenant_id = ? AND c.state <> 'deleting'`, tenant.ID)
	if err != nil {
		return nil, err
	}
	type row struct {
		ID, Name, AccountID, RequestID string
		Provider                       models.SourceHost
		Class                          models.Class
	}
	asked, err := many[row](t.db, `SELECT r.object_id AS id, r.object_name AS name, r.inputs->>'provider' AS provider, r.inputs->>'account_id' AS account_id,
			r.inputs->>'class' AS class, r.id AS request_id FROM requests r WHERE r.tenant_id = ? AND r.kind = 'connection.create' AND r.ended_at IS NULL
			AND NOT EXISTS (SELECT FROM connections c WHERE c.id = r.object_id) ORDER BY r.object_name LIMIT 200`, tenant.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range asked {
		list = append(list, models.Connection{ID: r.ID, TenantID: tenant.ID, TenantSlug: tenant.Slug, Name: r.Name, Provider: r.Provider, AccountID: r.AccountID, Class: r.Class, RequestID: r.RequestID})
	}
	return list, nil
}
