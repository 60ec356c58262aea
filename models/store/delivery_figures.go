package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// figures count what a pipeline brought to its last stage within the window, from Slipway's own deployments alone:
//
//   - deployments are runs that succeeded, roll-backs left out; per week is their number over the window's weeks;
//   - the lead time is the median, over those whose commit's time is known, of the time from the commit to the end of the run;
//   - the failure rate is the share, of all runs that were tried (roll-backs left out), that failed or whose image was taken back by a roll-back.
//
// Runs that were tried again count once, by how they ended.
func (s *Store) figures(db *gorm.DB, p models.Pipeline) (f models.DeliveryFigures, err error) {
	if len(p.Stages) == 0 {
		return f, nil
	}
	last := p.Stages[len(p.Stages)-1]
	f.Environment, f.Window = last.Environment, models.FiguresWindow
	type row struct {
		Deployments, Failed, Known, Tried int
		Lead                              *float64 // milliseconds
	}
	r, err := one[row](db, `SELECT count(*) FILTER (WHERE d.succeeded) AS deployments, count(*) FILTER (WHERE NOT d.succeeded OR b.back) AS failed, count(*) AS tried,
			count(*) FILTER (WHERE d.succeeded AND d.commit_at IS NOT NULL) AS known,
			percentile_cont(0.5) WITHIN GROUP (ORDER BY GREATEST(extract(epoch FROM d.ended_at - d.commit_at) * 1000, 0)::float8) FILTER (WHERE d.succeeded AND d.commit_at IS NOT NULL) AS lead
		FROM deployments d LEFT JOIN LATERAL (SELECT true AS back FROM deployments k WHERE k.environment_id = d.environment_id AND k.rollback AND k.succeeded AND k.ended_at = d.replaced_at LIMIT 1) b ON true
		WHERE d.pipeline_id = ? AND d.environment_id = ? AND NOT d.rollback AND d.ended_at >= ?`, p.ID, last.EnvironmentID, s.clock.Now().Add(-models.FiguresWindow))
	if err != nil {
		return f, fmt.Errorf("count what %s delivered: %w", p.Name, err)
	}
	f.Deployments, f.Failed, f.LeadKnown = r.Deployments, r.Failed, r.Known
	f.PerWeek = float64(r.Deployments) / (models.FiguresWindow.Hours() / 24 / 7)
	f.LeadTime = models.Duration(value(r.Lead))
	if r.Tried > 0 {
		f.FailureRate = float64(r.Failed) / float64(r.Tried)
	}
	return f, nil
}

// WhatIsWhere lists the living services of a tenant with what runs in each of their environments, in four queries however many there are.
func (s *Store) WhatIsWhere(ctx context.Context, actor models.Actor, tenant string) ([]models.WhereRow, error) {
	db := s.read(ctx)
	seen, args := tenantScope(actor, `t.id`)
	tenantID, err := one[string](db, `SELECT t.id::text FROM tenants t WHERE t.slug = ? AND `+seen, append([]any{clip(tenant)}, args...)...)
	if err != nil {
		return nil, s.unseen(ctx, actor, string(models.TenantObject), tenant, err)
	}
	type serviceRow struct {
		ID        string
		Name      string
		Pipelines texts
	}
	services, err := many[serviceRow](db, `SELECT v.id, v.name, ARRAY(SELECT p.name FROM pipelines p WHERE p.service_id = v.id AND p.state <> 'deleted' ORDER BY p.name) AS pipelines
		FROM services v WHERE v.tenant_id = ? AND v.state <> 'deleted' ORDER BY v.name, v.id`, tenantID)
	if err != nil {
		return nil, translate(fmt.Errorf("list the services of %s: %w", tenant, err))
	}
	type placeRow struct{ ID, ServiceID string }
	places, err := many[placeRow](db, `SELECT e.id, e.service_id FROM environments e WHERE e.tenant_id = ? AND e.service_id IS NOT NULL AND e.state <> 'deleted'
		ORDER BY array_position(ARRAY['dev', 'staging', 'prod'], e.stage), e.name, e.id`, tenantID)
	if err != nil {
		return nil, translate(fmt.Errorf("list where services of %s run: %w", tenant, err))
	}
	ids := make([]string, 0, len(places))
	for _, e := range places {
		ids = append(ids, e.ID)
	}
	cells, err := s.stageCells(db, ids)
	if err != nil {
		return nil, translate(err)
	}
	of := map[string][]models.StageCell{}
	for _, e := range places {
		of[e.ServiceID] = append(of[e.ServiceID], cells[e.ID])
	}
	rows := make([]models.WhereRow, 0, len(services))
	for _, v := range services {
		rows = append(rows, models.WhereRow{ServiceID: v.ID, Service: v.Name, Pipelines: v.Pipelines, Cells: of[v.ID]})
	}
	return rows, nil
}

type imageRow struct {
	Digest       string
	ID           *string
	TenantID     *string
	PipelineID   *string
	ExecutionID  *string
	Tag          *string
	Passed       *bool
	CommitID     *string
	Message      *string
	Author       *string
	Branch       *string
	CommitAt     *time.Time
	Link         *string
	RegisteredAt *time.Time
	Pipeline     *string
	Number       *int
	Scan         jsonb
}

// ServiceImages lists the images of a service, those that run somewhere first and then the newest, with what ECR found in each and where it runs.
// One that no pipeline built is there when it runs.
func (s *Store) ServiceImages(ctx context.Context, actor models.Actor, tenant, service string) ([]models.ServiceImage, error) {
	v, err := s.livingService(ctx, actor, tenant, service)
	if err != nil {
		return nil, err
	}
	db := s.read(ctx)
	type placeRow struct{ ID, Digest string }
	places, err := many[placeRow](db, `SELECT id, split_part(image, '@', 2) AS digest FROM environments WHERE service_id = ? AND state <> 'deleted' AND image <> '' ORDER BY array_position(ARRAY['dev', 'staging', 'prod'], stage), name`, v.ID)
	if err != nil {
		return nil, translate(fmt.Errorf("list where %s runs: %w", service, err))
	}
	ids, running := []string{}, texts{}
	for _, e := range places {
		ids, running = append(ids, e.ID), append(running, e.Digest)
	}
	cells, err := s.stageCells(db, ids)
	if err != nil {
		return nil, translate(err)
	}
	rows, err := many[imageRow](db, `SELECT d.digest, b.id, b.tenant_id, b.pipeline_id, b.execution_id, b.tag, b.passed, b.commit_id, b.commit_message AS message, b.author, b.branch, b.commit_at, b.link, b.registered_at,
			p.name AS pipeline, x.number, CASE WHEN s.digest IS NOT NULL THEN jsonb_build_object('Source', s.source, 'State', s.state, 'Counts', s.counts, 'Words', s.words, 'ScannedAt', COALESCE(s.scanned_at, '0001-01-01T00:00:00Z'), 'ReadAt', s.read_at) END AS scan
		FROM (SELECT digest FROM (SELECT digest, max(registered_at) AS at FROM builds WHERE service_id = ? GROUP BY digest ORDER BY at DESC LIMIT ?) n UNION SELECT unnest(?::text[])) d
		LEFT JOIN LATERAL (SELECT * FROM builds b WHERE b.service_id = ? AND b.digest = d.digest ORDER BY b.registered_at DESC, b.id LIMIT 1) b ON true
		LEFT JOIN pipelines p ON p.id = b.pipeline_id LEFT JOIN pipeline_executions x ON x.id = b.execution_id LEFT JOIN image_scans s ON s.service_id = ? AND s.digest = d.digest
		ORDER BY d.digest = ANY (?::text[]) DESC, b.registered_at DESC NULLS LAST, d.digest`, v.ID, pageImages, running, v.ID, v.ID, running)
	if err != nil {
		return nil, translate(fmt.Errorf("list the images of %s: %w", service, err))
	}
	images := make([]models.ServiceImage, 0, len(rows))
	for _, r := range rows {
		image := models.ServiceImage{Pipeline: value(r.Pipeline), Number: value(r.Number), Build: models.Build{ID: value(r.ID), TenantID: value(r.TenantID), ServiceID: v.ID, PipelineID: value(r.PipelineID),
			ExecutionID: value(r.ExecutionID), Digest: r.Digest, Tag: value(r.Tag), Passed: value(r.Passed), Link: value(r.Link), RegisteredAt: value(r.RegisteredAt),
			Commit: models.Commit{ID: value(r.CommitID), Message: value(r.Message), Author: value(r.Author), Branch: value(r.Branch), At: value(r.CommitAt)}}}
		if len(r.Scan) > 0 {
			image.Scan = &models.ImageScan{ServiceID: v.ID, Digest: r.Digest}
			if err := r.Scan.decode(image.Scan); err != nil {
				return nil, err
			}
		}
		for _, e := range places {
			if e.Digest == r.Digest {
				image.Runs = append(image.Runs, cells[e.ID])
			}
		}
		images = append(images, image)
	}
	return images, nil
}

// deliveringTo names the pipelines that deliver to an environment, for rules.
func deliveringTo(db *gorm.DB, environmentID string) ([]string, error) {
	names, err := many[string](db, `SELECT p.name FROM pipeline_stages g JOIN pipelines p ON p.id = g.pipeline_id WHERE g.environment_id = ? AND p.state NOT IN ('creating', 'deleted') ORDER BY p.name`, environmentID)
	if err != nil {
		return nil, fmt.Errorf("find what delivers to %s: %w", environmentID, err)
	}
	return names, nil
}
