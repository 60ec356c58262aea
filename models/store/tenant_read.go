package store

import (
	"context"

	"slipway/models"
)

// Tenant reads a tenant with its accounts, for the forms about it. What is not the actor's to see is NotFound, and audited.
func (s *Store) Tenant(ctx context.Context, actor models.Actor, slug string) (models.Tenant, error) {
	db := s.read(ctx)
	seen, args := tenantScope(actor, `t.id`)
	row, err := one[tenantRow](db, `SELECT `+tenantColumns+` FROM tenants t WHERE t.slug = ? AND `+seen, append([]any{clip(slug)}, args...)...)
	if err != nil {
		return models.Tenant{}, s.unseen(ctx, actor, string(models.TenantObject), slug, err)
	}
	t := row.model()
	t.Accounts, err = readAccounts(db, row.ID)
	return t, translate(err)
}
