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
	rows, err := many[deploymentRow](db, `SELECT `+deploymentColumns+` FROM deployments d JOIN environments e ON e.id = d.environment_id JOIN requests r ON r.id = d.request_id
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
	v.Freeze, err = stageFrozen(db, env.ID, s.clock.Now())
	return v, translate(err)
}
