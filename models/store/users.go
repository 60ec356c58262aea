package store

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"slipway/models"
)

// UsersOf names what stands on a network, service or connection and would lose it: living environments and pipelines, and orders for them
// that have not ended.
func (g *Registry) UsersOf(ctx context.Context, objectID string) ([]string, error) {
	names, err := usersOf(g.s.read(ctx), objectID)
	return names, translate(err)
}

func usersOf(db *gorm.DB, objectID string) ([]string, error) {
	names, err := many[string](db, `SELECT 'environment ' || e.name FROM environments e WHERE (e.network_id = ? OR e.service_id = ?) AND e.state <> 'deleted'
		UNION ALL SELECT 'pipeline ' || p.name FROM pipelines p WHERE (p.service_id = ? OR p.connection_id = ?) AND p.state <> 'deleted'
		UNION ALL SELECT 'REQ-' || r.number || ' (' || r.title || ')' FROM requests r WHERE r.kind = 'environment.create' AND r.ended_at IS NULL
			AND (r.inputs->>'network_id' = ?::text OR r.inputs->>'service_id' = ?::text) AND NOT EXISTS (SELECT FROM environments e WHERE e.id = r.object_id)
		UNION ALL SELECT 'REQ-' || r.number || ' (' || r.title || ')' FROM requests r WHERE r.kind = 'pipeline.create' AND r.ended_at IS NULL
			AND (r.inputs->>'service_id' = ?::text OR r.inputs->>'connection_id' = ?::text) AND NOT EXISTS (SELECT FROM pipelines p WHERE p.id = r.object_id)
		ORDER BY 1 LIMIT 20`, objectID, objectID, objectID, objectID, objectID, objectID, objectID, objectID)
	if err != nil {
		return nil, fmt.Errorf("find what stands on %s: %w", objectID, err)
	}
	return names, nil
}

// deliverers names what delivers to an environment: living pipelines, and orders and changes of them that have not ended.
func deliverers(db *gorm.DB, environmentID string) ([]string, error) {
	names, err := many[string](db, `SELECT 'pipeline ' || p.name FROM pipeline_stages g JOIN pipelines p ON p.id = g.pipeline_id WHERE g.environment_id = ? AND p.state <> 'deleted'
		UNION ALL SELECT 'REQ-' || r.number || ' (' || r.title || ')' FROM requests r WHERE r.kind IN ('pipeline.create', 'pipeline.update') AND r.ended_at IS NULL
			AND r.inputs->'stages' @> jsonb_build_array(jsonb_build_object('environment_id', ?::text))
			AND NOT EXISTS (SELECT FROM pipeline_stages g WHERE g.pipeline_id = r.object_id AND g.environment_id = ?)
		ORDER BY 1 LIMIT 20`, environmentID, environmentID, environmentID)
	if err != nil {
		return nil, fmt.Errorf("find what delivers to %s: %w", environmentID, err)
	}
	return names, nil
}

// undelivered refuses that a person deletes an environment which a pipeline delivers to: the pipeline would ask for promotions to nothing.
// Expiry deletes it all the same.
func (t *tx) undelivered(env models.Environment) error {
	by, err := deliverers(t.db, env.ID)
	if err == nil && len(by) > 0 {
		err = models.Errorf(models.Conflict, "The environment %s is a stage of %s. Take it out of the stages there, or delete the pipeline, first.", env.Name, strings.Join(by, ", "))
	}
	return err
}
