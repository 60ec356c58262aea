package store

import (
	"context"

	"slipway/models"
)

// ConnectionPage reads all that a connection's page shows, in seven queries.
func (s *Store) ConnectionPage(ctx context.Context, actor models.Actor, tenantSlug, name string) (p models.ConnectionPage, err error) {
	if p.Connection, err = s.livingConnection(ctx, actor, tenantSlug, name); err != nil {
		return p, err
	}
	db := s.read(ctx)
	if p.Tenant, err = readTenant(db, p.Connection.TenantID); err != nil {
		return p, translate(err)
	}
	if p.Connection.State == models.Deleted {
		if p.Receipt, err = readReceipt(db, p.Connection.ID); err != nil {
			return p, translate(err)
		}
	} else if p.Pipelines, err = s.pipelinesWith(ctx, actor, `p.connection_id = ?`, p.Connection.ID); err != nil {
		return p, err
	}
	around, err := s.around(ctx, actor, p.Connection.ID)
	if err != nil {
		return p, err
	}
	p.Open, p.Requests, p.Runs, p.Entries = around.open, around.requests, around.runs, around.entries
	if len(p.Runs) > 0 && p.Connection.State == models.Broken {
		p.Failure = p.Runs[0].Failure
	}
	return p, nil
}
