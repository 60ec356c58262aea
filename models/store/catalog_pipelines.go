package store

import (
	"fmt"

	"gorm.io/gorm"

	"slipway/models"
	"slipway/models/catalog"
)

// catalogDelivery is a catalog.Delivery of the pipeline d, whose stack is s.
const catalogDelivery = `jsonb_build_object('id', d.id, 'name', d.name, 'kind', d.kind, 'repository', d.repository, 'stack', jsonb_build_object('name', s.name, 'arn', s.stack_id),
		'line', s.outputs ->> 'PipelineName', 'project', s.outputs ->> 'ProjectName')`

// catalogDeliveries are those of the service x, by name.
const catalogDeliveries = `(SELECT jsonb_agg(` + catalogDelivery + ` ORDER BY d.name) FROM pipelines d LEFT JOIN stacks s ON s.object_id = d.id WHERE d.service_id = x.id AND d.state <> 'deleted')`

func catalogPipelines(db *gorm.DB, p catalogPlace) ([]catalog.Pipeline, error) {
	type row struct {
		Home     homeRow `gorm:"embedded"`
		Class    models.Class
		Service  string
		Delivery jsonb
		Targets  jsonb
	}
	rows, err := many[row](db, `SELECT d.id, d.slug, d.owner_group, d.name, d.state, d.class, COALESCE(s.region, '') AS region, v.name AS service, `+catalogDelivery+` AS delivery,
		(SELECT jsonb_agg(jsonb_build_object('id', e.id, 'name', e.name) ORDER BY g.position) FROM pipeline_stages g JOIN environments e ON e.id = g.environment_id
			WHERE g.pipeline_id = d.id AND e.state <> 'deleted') AS targets
		FROM `+p.of("pipelines", "name", "x.id, x.name, x.kind, x.class, x.repository, x.service_id")+` d
		JOIN services v ON v.id = d.service_id LEFT JOIN stacks s ON s.object_id = d.id ORDER BY d.slug, d.name`, p.bound()...)
	if err != nil {
		return nil, fmt.Errorf("list pipelines for the catalogue: %w", err)
	}
	all := make([]catalog.Pipeline, len(rows))
	for i, r := range rows {
		all[i] = catalog.Pipeline{Home: r.Home.home(), Service: r.Service, Class: r.Class, Region: r.Home.Region, State: r.Home.State}
		if err := r.Delivery.decode(&all[i].Delivery); err != nil {
			return nil, err
		}
		if err := r.Targets.decode(&all[i].Targets); err != nil {
			return nil, err
		}
	}
	return all, nil
}
