package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// How much of each kind a page of delivery shows.
const (
	pageExecutions = 20
	pagePromotions = 20
	pageEvidence   = 100
	pageImages     = 50
	failedLately   = time.Hour // how long an order that failed stays on the page
)

// PipelineDelivery reads what goes through a pipeline, for its page: the same number of queries however much that is.
func (s *Store) PipelineDelivery(ctx context.Context, actor models.Actor, tenant, pipeline string) (d models.PipelineDelivery, err error) {
	p, err := s.livingPipeline(ctx, actor, tenant, pipeline)
	if err != nil {
		return d, err
	}
	db := s.read(ctx)
	d.Executions, err = readExecutions(db, `WHERE x.pipeline_id = ? ORDER BY x.started_at DESC, x.id LIMIT ?`, p.ID, pageExecutions+1)
	if err != nil {
		return d, translate(err)
	}
	if d.More = len(d.Executions) > pageExecutions; d.More {
		d.Executions = d.Executions[:pageExecutions]
	}
	if d.Promotions, err = readPromotions(db, `WHERE o.pipeline_id = ? ORDER BY o.ended_at IS NOT NULL, o.created_at DESC, o.id LIMIT ?`, p.ID, pagePromotions); err != nil {
		return d, translate(err)
	}
	if d.Orders, err = readOrders(db, `WHERE c.pipeline_id = ? AND (c.done_at IS NULL OR c.failure <> '' AND c.done_at > ?) ORDER BY c.asked_at DESC, c.id LIMIT ?`, p.ID, s.clock.Now().Add(-failedLately), pagePromotions); err != nil {
		return d, translate(err)
	}
	if d.Waivers, err = readWaivers(db, `WHERE w.pipeline_id = ? AND w.ended_at IS NULL AND w.until > ? ORDER BY w.until, w.id`, p.ID, s.clock.Now()); err != nil {
		return d, translate(err)
	}
	d.Freezes, err = readStageFreezes(db, `WHERE f.environment_id = ANY (?::uuid[]) AND f.lifted_at IS NULL AND f.until > ? ORDER BY f.until DESC, f.id`, stageIDs(p), s.clock.Now())
	if err != nil {
		return d, translate(err)
	}
	if d.Stages, err = s.stageStatuses(db, p, d.Promotions); err != nil {
		return d, translate(err)
	}
	d.Figures, err = s.figures(db, p)
	for i := range d.Executions { // pages of one execution show them
		for j := range d.Executions[i].Stages {
			for k := range d.Executions[i].Stages[j].Actions {
				d.Executions[i].Stages[j].Actions[k].Outputs = nil
			}
		}
	}
	return d, translate(err)
}

func stageIDs(p models.Pipeline) texts {
	ids := texts{}
	for _, g := range p.Stages {
		ids = append(ids, g.EnvironmentID)
	}
	return ids
}

// stageStatuses says how every stage of a pipeline stands. promotions begin with all open ones of the pipeline, as far as the page shows them.
func (s *Store) stageStatuses(db *gorm.DB, p models.Pipeline, promotions []models.Promotion) ([]models.StageStatus, error) {
	ids := stageIDs(p)
	cells, err := s.stageCells(db, ids)
	if err != nil {
		return nil, err
	}
	before, err := previousHealthy(db, ids)
	if err != nil {
		return nil, err
	}
	newest, err := readExecutions(db, `JOIN LATERAL (SELECT g.id AS environment_id FROM unnest(?::uuid[]) g (id)) g ON x.id = (SELECT n.id
		FROM (SELECT id, stages, started_at FROM pipeline_executions WHERE pipeline_id = ? ORDER BY started_at DESC, id LIMIT 200) n
		WHERE n.stages @> jsonb_build_array(jsonb_build_object('environment_id', g.environment_id)) AND EXISTS (SELECT FROM jsonb_array_elements(n.stages) t WHERE t->>'environment_id' = g.environment_id::text AND t->>'state' <> '')
		ORDER BY n.started_at DESC, n.id LIMIT 1)`, ids, p.ID)
	if err != nil {
		return nil, err
	}
	all := make([]models.StageStatus, 0, len(p.Stages))
	for _, g := range p.Stages {
		st := models.StageStatus{PipelineStage: g, Runs: cells[g.EnvironmentID]}
		for _, o := range slices.Backward(promotions) { // of several open ones the oldest is the one that is at it
			if o.EnvironmentID == g.EnvironmentID && !o.State.Ended() && (st.Open == nil || o.CreatedAt.Before(st.Open.CreatedAt)) {
				st.Open = &o
			}
		}
		if d, ok := before[g.EnvironmentID]; ok {
			st.Previous = &d
		}
		for _, x := range newest {
			if reached(x, g.EnvironmentID) && (st.Execution == nil || x.StartedAt.After(st.Execution.StartedAt)) {
				st.Execution = &x
			}
		}
		all = append(all, st)
	}
	return all, nil
}

func reached(x models.Execution, environmentID string) bool {
	return slices.ContainsFunc(x.Stages, func(g models.ExecutionStage) bool {
		return g.EnvironmentID == environmentID && g.State != models.ExecutionAhead
	})
}

var executionList = listing[executionRow]{columns: executionColumns, from: `pipeline_executions x`, id: `x.id`, usual: "-started",
	sorts: map[string]column{"started": {`x.started_at`, "timestamptz"}, "number": {`x.number`, "numeric"}}}

// Executions lists a pipeline's executions, the newest first.
func (s *Store) Executions(ctx context.Context, actor models.Actor, tenant, pipeline string, q models.ListQuery) (list models.List[models.Execution], err error) {
	p, err := s.livingPipeline(ctx, actor, tenant, pipeline)
	if err != nil {
		return list, err
	}
	c := conditions{}
	c.add(`x.pipeline_id = ?`, p.ID)
	if err := c.search(q.Search, `x.commit_message`, `x.commit_id`, `x.author`, `x.digest`); err != nil {
		return list, err
	}
	states := []models.ExecutionState{models.ExecutionRunning, models.ExecutionStopping, models.ExecutionStopped, models.ExecutionSucceeded, models.ExecutionFailed, models.ExecutionSuperseded}
	if err := narrow(&c, q, map[string]filter{"state": oneOf(`x.state`, states)}); err != nil {
		return list, err
	}
	rows, err := executionList.read(ctx, s, c, q)
	if err != nil {
		return list, err
	}
	list.Prev, list.Next, list.Total = rows.Prev, rows.Next, rows.Total
	list.Rows, err = modelsOf(rows.Rows, executionRow.model)
	return list, err
}

// ExecutionPage reads all that an execution's page shows.
func (s *Store) ExecutionPage(ctx context.Context, actor models.Actor, tenant, pipeline string, number int) (x models.ExecutionPage, err error) {
	if x.Pipeline, err = s.livingPipeline(ctx, actor, tenant, pipeline); err != nil {
		return x, err
	}
	db, p := s.read(ctx), x.Pipeline
	found, err := readExecutions(db, `WHERE x.pipeline_id = ? AND x.number = ?`, p.ID, number)
	if err != nil {
		return x, translate(err)
	}
	if len(found) == 0 {
		return x, translate(gorm.ErrRecordNotFound)
	}
	x.Execution = found[0]
	e := x.Execution
	rows, err := many[buildRow](db, `SELECT `+buildColumns+` FROM builds b WHERE b.pipeline_id = ? AND (b.execution_id = ? OR b.digest = ? AND ? <> '') ORDER BY b.registered_at DESC, b.id LIMIT ?`, p.ID, e.ID, e.Digest, e.Digest, pageImages)
	if err != nil {
		return x, translate(err)
	}
	digest := e.Digest
	for _, r := range rows {
		x.Builds = append(x.Builds, r.model())
		digest = cmp.Or(digest, r.Digest)
	}
	if digest != "" {
		if x.Scan, err = readScan(db, p.ServiceID, digest); err != nil {
			return x, translate(err)
		}
		if x.Evidence, err = readEvidence(db, `WHERE d.service_id = ? AND d.digest = ? ORDER BY d.posted_at DESC, d.id LIMIT ?`, p.ServiceID, digest, pageEvidence); err != nil {
			return x, translate(err)
		}
	}
	if x.Promotions, err = readPromotions(db, `WHERE o.pipeline_id = ? AND o.execution_id = ? ORDER BY o.created_at DESC, o.id LIMIT ?`, p.ID, e.ID, pagePromotions); err != nil {
		return x, translate(err)
	}
	if x.Orders, err = readOrders(db, `WHERE c.execution_id = ? ORDER BY c.asked_at DESC, c.id LIMIT ?`, e.ID, pagePromotions); err != nil {
		return x, translate(err)
	}
	x.Behind, err = behind(db, e)
	return x, translate(err)
}

// behind is the older execution that this one waits for; nil: for none.
func behind(db *gorm.DB, e models.Execution) (*models.Execution, error) {
	for _, g := range e.Stages {
		if g.Behind == "" || e.State.Ended() {
			continue
		}
		found, err := readExecutions(db, `WHERE x.pipeline_id = ? AND x.external_id = ?`, e.PipelineID, g.Behind)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return &found[0], nil
		}
	}
	return nil, nil
}

// PromotionPage reads all that a promotion's page, and the page of its request, show of it. Gates of an open one are those that it was last judged by.
func (s *Store) PromotionPage(ctx context.Context, actor models.Actor, tenant, id string) (p models.PromotionPage, err error) {
	if p.Promotion, err = s.Promotion(ctx, actor, tenant, id); err != nil {
		return p, err
	}
	db, o := s.read(ctx), p.Promotion
	if p.Pipeline, err = readPipeline(db, `p.id = ?`, o.PipelineID); err != nil {
		return p, translate(err)
	}
	if p.Environment, err = readEnvironment(db, `e.id = ?`, o.EnvironmentID); err != nil {
		return p, translate(err)
	}
	if p.Evidence, err = readEvidence(db, `WHERE d.service_id = ? AND d.digest = ? ORDER BY d.posted_at DESC, d.id LIMIT ?`, o.ServiceID, o.Digest(), pageEvidence); err != nil {
		return p, translate(err)
	}
	if p.Scan, err = readScan(db, o.ServiceID, o.Digest()); err != nil {
		return p, translate(err)
	}
	if p.Waivers, err = readWaivers(db, `WHERE w.pipeline_id = ? AND w.environment_id = ? AND w.ended_at IS NULL AND w.until > ? ORDER BY w.until, w.id`, o.PipelineID, o.EnvironmentID, s.clock.Now()); err != nil {
		return p, translate(err)
	}
	if p.Freeze, err = stageFrozen(db, o.EnvironmentID, s.clock.Now()); err != nil || o.State.Ended() {
		return p, translate(err)
	}
	p.Older, err = olderThan(db, o)
	return p, translate(err)
}

// EvidenceFile reads evidence with the file that CI posted. What is not the actor's to see is NotFound, and audited.
func (s *Store) EvidenceFile(ctx context.Context, actor models.Actor, tenant, id string) (models.Evidence, []byte, error) {
	if !models.ValidID(id) {
		return models.Evidence{}, nil, translate(gorm.ErrRecordNotFound)
	}
	type row struct {
		Evidence evidenceRow `gorm:"embedded"`
		File     []byte
	}
	seen, args := tenantScope(actor, `d.tenant_id`)
	r, err := one[row](s.read(ctx), `SELECT `+evidenceColumns+`, d.file FROM evidence d JOIN tenants t ON t.id = d.tenant_id WHERE d.id = ? AND t.slug = ? AND `+seen, append([]any{id, clip(tenant)}, args...)...)
	if err != nil {
		return models.Evidence{}, nil, s.unseen(ctx, actor, "evidence", id, err)
	}
	if len(r.File) == 0 {
		return r.Evidence.model(), nil, models.Errorf(models.NotFound, "CI posted no file with this evidence.")
	}
	return r.Evidence.model(), r.File, nil
}
