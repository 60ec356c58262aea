package store

import (
	"context"
	"fmt"

	"slipway/models"
)

// SignalBook gives the collector of health the environments that it looks at.
type SignalBook struct{ s *Store }

// SignalBook is what the collector of health works from.
func (s *Store) SignalBook() *SignalBook { return &SignalBook{s} }

type watchedRow struct {
	ID         string
	Name       string
	TenantSlug string
	Stage      models.Stage
	Hibernated bool
	Waiting    bool
	StackID    string
	StackName  string
	Resources  jsonb
	Parts      jsonb
}

// Watched lists living environments of an account and region in the order of their ids, after one of them, with the resources that tell how
// they run and what the round before found.
func (b *SignalBook) Watched(ctx context.Context, target models.CollectTarget, after string, limit int) ([]models.WatchedEnvironment, error) {
	rows, err := many[watchedRow](b.s.read(ctx), `SELECT e.id, e.name, t.slug AS tenant_slug, e.stage, e.hibernated, e.service_id IS NOT NULL AND e.image = '' AS waiting, s.stack_id, s.name AS stack_name,
			(SELECT jsonb_agg(r) FROM jsonb_array_elements(s.resources) r WHERE r ->> 'type' = ANY (?::text[])) AS resources, h.parts
		FROM environments e JOIN tenants t ON t.id = e.tenant_id JOIN stacks s ON s.object_id = e.id LEFT JOIN environment_health h ON h.environment_id = e.id
		WHERE e.account_id = ? AND e.region = ? AND e.state IN ('ready', 'changing', 'broken') AND s.stack_id <> '' AND e.id > COALESCE(?::uuid, '00000000-0000-0000-0000-000000000000')
		ORDER BY e.id LIMIT ?`, texts(models.Watchable()), target.AccountID, target.Region, orNull(after), limit)
	if err != nil {
		return nil, translate(fmt.Errorf("list the environments of %s in %s: %w", target.AWSID, target.Region, err))
	}
	return modelsOf(rows, func(r watchedRow) (models.WatchedEnvironment, error) {
		w := models.WatchedEnvironment{ID: r.ID, Name: r.Name, TenantSlug: r.TenantSlug, Stage: r.Stage, Hibernated: r.Hibernated, Waiting: r.Waiting,
			Stack: models.Stack{ObjectID: r.ID, Name: r.StackName, StackID: r.StackID, AccountID: target.AccountID, Account: target.AWSID, Region: target.Region}}
		if err := r.Resources.decode(&w.Stack.Resources); err != nil {
			return w, fmt.Errorf("read the resources of %s: %w", r.Name, err)
		}
		return w, r.Parts.decode(&w.Vitals)
	})
}
