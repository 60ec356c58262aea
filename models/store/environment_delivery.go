package store

import (
	"context"
	"fmt"

	"slipway/models"
)

// EnvironmentDelivery reads what is delivered to an environment: what brought what runs there, what a roll-back would bring back, the pipelines that deliver
// to it, open promotions and a freeze.
func (s *Store) EnvironmentDelivery(ctx context.Context, actor models.Actor, tenant, environment string) (v models.EnvironmentDelivery, err error) {
	env, err := s.livingEnvironment(ctx, actor, tenant, environment)
	if err != nil {
		return v, err
	}
	v.TenantID = env.TenantID
	db := s.read(ctx)
	rows, err := many[deploymentRow](db, `SELECT d.id, d.environment_id, e.name AS environment, d.pipeline_id, d.promotion_id, d.build_id, d.request_id, r.number AS request_number,
			d.image, d.rollback, d.succeeded, d.began_at, d.ended_at, d.commit_at, d.healthy_at, d.replaced_at
		FROM deployments d JOIN environments e ON e.id = d.environment_id JOIN requests r ON r.id = d.request_id
		WHERE d.environment_id = ? AND d.succeeded AND d.replaced_at IS NULL ORDER BY d.ended_at DESC, d.id LIMIT 1`, env.ID)
	if err != nil {
		return v, translate(fmt.Errorf("find what brought the image of %s: %w", environment, err))
	}
	for _, r := range rows {
		d := r.model()
		v.Now = &d
	}
	before, err := previousHealthy(db, []string{env.ID})
	if err != nil {
		return v, translate(err)
	}
	if d, ok := before[env.ID]; ok {
		v.Previous = &d
	}
	if v.Pipelines, err = deliveringTo(db, env.ID); err != nil {
		return v, translate(err)
	}
	if v.Open, err = readPromotions(db, `WHERE o.environment_id = ? AND o.ended_at IS NULL ORDER BY o.created_at, o.id LIMIT 20`, env.ID); err != nil {
		return v, translate(err)
	}
	freezes, err := readStageFreezes(db, `WHERE f.environment_id = ? AND f.lifted_at IS NULL AND f.until > ? ORDER BY f.until DESC, f.id LIMIT 1`, env.ID, s.clock.Now())
	if err != nil {
		return v, translate(err)
	}
	if len(freezes) > 0 {
		v.Freeze = &freezes[0]
	}
	return v, nil
}
