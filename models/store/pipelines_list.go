package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

type pipelineListRow struct {
	ID          string
	TenantSlug  string
	Name        string
	Kind        models.PipelineKind
	ServiceName string
	Repository  string
	Branch      *string
	Paused      bool
	State       models.ObjectState
	LastID      *string
	LastNumber  *int
	LastState   models.ExecutionState
	LastAt      *time.Time
	LastCommit  *string
	LastMessage *string
	Moving      bool
	ReadAt      *time.Time
	Stages      jsonb
	UpdatedAt   time.Time
}

func (r pipelineListRow) model() models.PipelineRow {
	return models.PipelineRow{ID: r.ID, TenantSlug: r.TenantSlug, Name: r.Name, Kind: r.Kind, ServiceName: r.ServiceName, Repository: r.Repository, Branch: value(r.Branch),
		Paused: r.Paused, State: r.State, LastID: value(r.LastID), LastNumber: value(r.LastNumber), LastState: r.LastState, LastAt: value(r.LastAt), LastCommit: value(r.LastCommit),
		LastMessage: value(r.LastMessage), Moving: r.Moving, ReadAt: value(r.ReadAt), UpdatedAt: r.UpdatedAt}
}

var pipelinesList = listing[pipelineListRow]{
	columns: `p.id, t.slug AS tenant_slug, p.name, p.kind, v.name AS service_name, p.repository, p.source->>'branch' AS branch, p.paused, p.state, x.id AS last_id, x.number AS last_number,
		p.last_state, p.last_at, x.commit_id AS last_commit, x.commit_message AS last_message, p.moving, p.read_at, p.stages, p.updated_at`,
	from: `pipelines p JOIN tenants t ON t.id = p.tenant_id`,
	wide: `JOIN services v ON v.id = p.service_id LEFT JOIN pipeline_executions x ON x.id = p.last_execution`,
	id:   `p.id`, usual: "-last",
	sorts: map[string]column{
		"name": {`p.name`, "text"}, "state": {`p.state`, "text"}, "updated": {`p.updated_at`, "timestamptz"},
		"last": {`COALESCE(p.last_at, '-infinity')`, "timestamptz"},
	},
}

func pipelineConditions(actor models.Actor, q models.ListQuery) (c conditions, err error) {
	seen, args := tenantScope(actor, `p.tenant_id`)
	c.add(seen, args...)
	if q.Filters["state"] != string(models.Deleted) {
		c.add(`p.state <> 'deleted'`)
	}
	if err := c.search(q.Search, `p.name`, `t.slug`, `p.repository`); err != nil {
		return c, err
	}
	return c, narrow(&c, q, map[string]filter{
		"state":  oneOf(`p.state`, []models.ObjectState{models.Creating, models.Ready, models.Changing, models.Broken, models.Deleting, models.Deleted}),
		"kind":   oneOf(`p.kind`, models.PipelineKinds()),
		"tenant": equals(`t.slug`),
		"service": func(c *conditions, name string) error {
			c.add(`p.service_id = ANY (ARRAY(SELECT q.id FROM services q WHERE q.name = ?))`, name)
			return nil
		},
	})
}

// Pipelines lists the pipelines the actor may see, the last that ran first, with what runs in each of their stages. Deleted ones are left
// out, unless that state is asked for.
func (s *Store) Pipelines(ctx context.Context, actor models.Actor, q models.ListQuery) (out models.List[models.PipelineRow], err error) {
	c, err := pipelineConditions(actor, q)
	if err != nil {
		return out, err
	}
	list, err := pipelinesList.read(ctx, s, c, q)
	if err != nil {
		return out, err
	}
	out.Prev, out.Next, out.Total = list.Prev, list.Next, list.Total
	out.Rows, err = s.withCells(s.read(ctx), list.Rows)
	return out, translate(err)
}

// EachPipeline exports the pipelines of a list, audited. What runs in their stages is read for many of them at once.
func (s *Store) EachPipeline(ctx context.Context, actor models.Actor, q models.ListQuery, fn func(models.PipelineRow) error) error {
	c, err := pipelineConditions(actor, q)
	if err != nil {
		return err
	}
	var held []pipelineListRow
	flush := func() error {
		rows, err := s.withCells(s.read(ctx), held)
		if err != nil {
			return translate(err)
		}
		held = held[:0]
		for _, r := range rows {
			if err := fn(r); err != nil {
				return err
			}
		}
		return nil
	}
	err = pipelinesList.each(ctx, s, actor, "pipelines", c, q, func(r pipelineListRow) error {
		if held = append(held, r); len(held) < batch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// pipelinesWith reads the first pipelines on an object, by name, without counting them.
func (s *Store) pipelinesWith(ctx context.Context, actor models.Actor, where, id string) ([]models.PipelineRow, error) {
	c := conditions{}
	seen, args := tenantScope(actor, `p.tenant_id`)
	c.add(seen, args...)
	c.add(`p.state <> 'deleted'`)
	c.add(where, id)
	p, err := pipelinesList.page(models.ListQuery{Sort: "name"})
	if err != nil {
		return nil, err
	}
	found, err := pipelinesList.rows(ctx, s, c, p, pageUsers)
	if err != nil {
		return nil, err
	}
	rows := make([]pipelineListRow, 0, len(found))
	for _, r := range found {
		rows = append(rows, r.Row)
	}
	list, err := s.withCells(s.read(ctx), rows)
	return list, translate(err)
}

// withCells adds what runs in the stages of pipelines, read at once for all of them.
func (s *Store) withCells(db *gorm.DB, rows []pipelineListRow) ([]models.PipelineRow, error) {
	list := make([]models.PipelineRow, 0, len(rows))
	if len(rows) == 0 {
		return list, nil
	}
	stages := make([][]models.PipelineStage, len(rows))
	ids := []string{}
	for i, r := range rows {
		if err := r.Stages.decode(&stages[i]); err != nil {
			return nil, fmt.Errorf("read the stages of pipeline %s: %w", r.Name, err)
		}
		for _, g := range stages[i] {
			ids = append(ids, g.EnvironmentID)
		}
	}
	cells, err := s.stageCells(db, ids)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		m := r.model()
		for _, g := range stages[i] {
			cell, ok := cells[g.EnvironmentID]
			if !ok {
				cell = models.StageCell{EnvironmentID: g.EnvironmentID, Environment: g.Environment, Stage: g.Stage, State: models.Deleted}
			}
			m.Cells = append(m.Cells, cell)
		}
		list = append(list, m)
	}
	return list, nil
}
