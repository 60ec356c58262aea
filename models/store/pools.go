package store

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"
	"gorm.io/gorm"

	"slipway/models"
)

// Pools lists the address pools with how much of each is held, for platform admins and auditors.
func (s *Store) Pools(ctx context.Context, actor models.Actor) ([]models.CIDRPool, error) {
	if !actor.SeesAll() {
		return nil, models.Errorf(models.Forbidden, "Only platform admins and auditors see the address pools.")
	}
	rows, err := many[models.CIDRPool](s.read(ctx), `SELECT p.id, p.region, p.block::text AS block, p.size, p.note, p.created_by, p.created_at, (1 << LEAST(p.size - masklen(p.block), 30)) AS capacity,
		(SELECT count(*) FROM cidr_blocks b WHERE b.pool_id = p.id AND b.freed_at IS NULL) AS used FROM cidr_pools p ORDER BY p.region, p.block LIMIT 1000`)
	if err != nil {
		return nil, translate(fmt.Errorf("list address pools: %w", err))
	}
	return rows, nil
}

// PoolUses lists the blocks that are held and by which network, for every pool by its id, in one query.
func (s *Store) PoolUses(ctx context.Context, actor models.Actor) (map[string][]models.CIDRUse, error) {
	if !actor.SeesAll() {
		return nil, models.Errorf(models.Forbidden, "Only platform admins and auditors see the address pools.")
	}
	type row struct {
		PoolID     string
		Block      string
		TenantSlug string
		Network    string
		Since      time.Time
	}
	rows, err := many[row](s.read(ctx), `SELECT p.id AS pool_id, u.* FROM cidr_pools p CROSS JOIN LATERAL (SELECT b.block::text AS block, COALESCE(t.slug, '') AS tenant_slug,
			r.object_name AS network, b.taken_at AS since FROM cidr_blocks b JOIN requests r ON r.id = b.request_id LEFT JOIN tenants t ON t.id = r.tenant_id
			WHERE b.pool_id = p.id AND b.freed_at IS NULL ORDER BY b.block LIMIT 4096) u ORDER BY p.region, p.block`)
	if err != nil {
		return nil, translate(fmt.Errorf("list the blocks of address pools: %w", err))
	}
	uses := map[string][]models.CIDRUse{}
	for _, r := range rows {
		uses[r.PoolID] = append(uses[r.PoolID], models.CIDRUse{Block: r.Block, TenantSlug: r.TenantSlug, Network: r.Network, Since: r.Since})
	}
	return uses, nil
}

// AddPool adds a block of addresses that networks of a region may use. Pools never overlap.
func (s *Store) AddPool(ctx context.Context, actor models.Actor, p models.CIDRPool) error {
	if !actor.Has(models.PlatformAdmin) {
		return models.Errorf(models.Forbidden, "Only platform admins change the address pools.")
	}
	if err := models.ValidPool(p, s.opt.Regions); err != nil {
		return err
	}
	return s.tx(ctx, func(t *tx) error {
		type other struct{ Block, Region string }
		over, err := many[other](t.db, `SELECT block::text AS block, region FROM cidr_pools WHERE block && ?::cidr LIMIT 1`, p.Block)
		if err != nil {
			return fmt.Errorf("look for overlapping pools: %w", err)
		}
		if len(over) > 0 {
			return models.InvalidFields(map[string]string{"block": fmt.Sprintf("It overlaps with %s in %s.", over[0].Block, over[0].Region)})
		}
		id := models.NewID()
		err = t.db.Exec(`INSERT INTO cidr_pools (id, region, block, size, note, created_by, created_at) VALUES (?, ?, ?::cidr, ?, ?, ?, ?)`,
			id, p.Region, p.Block, p.Size, p.Note, actor.Name(), t.now()).Error
		if err != nil {
			return fmt.Errorf("add address pool %s: %w", p.Block, err)
		}
		return t.audit(actor, "pool.add", about{"pool", id, p.Block, ""}, nil, map[string]any{"region": p.Region, "block": p.Block, "size": p.Size, "note": p.Note})
	})
}

// RemovePool takes a pool away that no network holds a block of.
func (s *Store) RemovePool(ctx context.Context, actor models.Actor, id string) error {
	if !actor.Has(models.PlatformAdmin) {
		return models.Errorf(models.Forbidden, "Only platform admins change the address pools.")
	}
	if !models.ValidID(id) {
		return translate(gorm.ErrRecordNotFound)
	}
	return s.tx(ctx, func(t *tx) error {
		type pool struct {
			Block, Region string
			Used          int
		}
		p, err := one[pool](t.db, `SELECT block::text AS block, region, (SELECT count(*) FROM cidr_blocks b WHERE b.pool_id = p.id AND b.freed_at IS NULL) AS used
			FROM cidr_pools p WHERE id = ? FOR UPDATE`, id)
		if err != nil {
			return err
		}
		if p.Used > 0 {
			return models.Errorf(models.Conflict, "%d network(s) hold blocks of %s. Delete those first.", p.Used, p.Block)
		}
		for _, q := range []string{`DELETE FROM cidr_blocks WHERE pool_id = ?`, `DELETE FROM cidr_pools WHERE id = ?`} {
			if err := t.db.Exec(q, id).Error; err != nil {
				return fmt.Errorf("remove address pool %s: %w", p.Block, err)
			}
		}
		return t.audit(actor, "pool.remove", about{"pool", id, p.Block, ""}, map[string]any{"region": p.Region, "block": p.Block}, nil)
	})
}

// tenantUse is how many environments a tenant has and what they are estimated to cost a month, one left out.
func tenantUse(db *gorm.DB, tenantID, but string) (int, decimal.Decimal, error) {
	type sums struct {
		N       int
		Monthly decimal.Decimal
	}
	u, err := one[sums](db, `SELECT count(*) AS n, COALESCE(sum(monthly), 0) AS monthly FROM environments WHERE tenant_id = ? AND state <> 'deleted' AND id IS DISTINCT FROM ?`, tenantID, orNull(but))
	if err != nil {
		return 0, decimal.Zero, fmt.Errorf("sum what the tenant has: %w", err)
	}
	return u.N, u.Monthly, nil
}
