package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"slipway/models"
)

// OrderExecution asks for something to be done with an execution: start, stop or retry; the worker does it, and then reads what has changed. What
// is asked for already and not done is not asked for twice.
func (s *Store) OrderExecution(ctx context.Context, actor models.Actor, tenant, pipeline, verb, executionID, stage string) (o models.PipelineOrder, err error) {
	p, err := s.livingPipeline(ctx, actor, tenant, pipeline)
	if err != nil {
		return o, err
	}
	switch {
	case actor.IsSystem() || !actor.MayOrderFor(p.TenantID):
		return o, models.Errorf(models.Forbidden, "Only owners and developers of %s, and platform admins, start, stop and retry executions.", p.TenantSlug)
	case p.Kind != models.CodePipeline:
		return o, models.Errorf(models.Conflict, "%s is moved by its own workflow. Start, stop or retry it at its source host.", p.Name)
	case p.State != models.Ready && p.State != models.Changing && p.State != models.Broken:
		return o, models.Errorf(models.Conflict, "%s is %s.", p.Name, p.State)
	}
	err = s.tx(ctx, func(t *tx) error {
		if err := t.db.Exec(`SELECT 1 FROM pipelines WHERE id = ? FOR UPDATE`, p.ID).Error; err != nil { // one asks at a time
			return fmt.Errorf("lock pipeline %s: %w", p.Name, err)
		}
		execution, chosen, err := t.orderable(p, verb, executionID, stage)
		if err != nil {
			return err
		}
		open, err := readOrders(t.db, `WHERE c.pipeline_id = ? AND c.done_at IS NULL AND c.verb = ? AND c.execution_id IS NOT DISTINCT FROM ?::uuid AND c.stage = ?`, p.ID, verb, orNull(execution.ID), chosen)
		if err != nil {
			return err
		}
		if len(open) > 0 {
			o = open[0]
			return nil
		}
		o = models.PipelineOrder{ID: models.NewID(), PipelineID: p.ID, Verb: verb, ExecutionID: execution.ID, ExternalID: execution.ExternalID, Stage: chosen, PersonID: actor.Person.ID, Person: actor.Name(), AskedAt: t.now()}
		err = t.db.Exec(`INSERT INTO pipeline_orders (id, pipeline_id, tenant_id, verb, execution_id, stage, person_id, asked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, o.ID, p.ID, p.TenantID, verb,
			orNull(execution.ID), chosen, o.PersonID, o.AskedAt).Error
		if err != nil {
			return fmt.Errorf("write the order: %w", err)
		}
		what := about{string(models.PipelineObject), p.ID, p.Name, p.TenantID}
		if err := t.audit(actor, "pipeline."+verb, what, nil, map[string]any{"execution": execution.Number, "external_id": execution.ExternalID, "stage": chosen}); err != nil {
			return err
		}
		if err := t.notify("object:" + p.ID); err != nil {
			return err
		}
		return t.enqueue(models.WatchWork, p.ID, 0)
	})
	return o, err
}

// orderable finds what is asked about, and refuses in words what makes no sense now.
func (t *tx) orderable(p models.Pipeline, verb, executionID, stage string) (e models.Execution, chosen string, err error) {
	if verb == "start" {
		if p.Paused {
			return e, "", models.Errorf(models.Conflict, "%s is paused. Resume it first.", p.Name)
		}
		return e, "", nil
	}
	if verb != "stop" && verb != "retry" {
		return e, "", models.Errorf(models.Invalid, "An execution can be started, stopped or retried.")
	}
	if !models.ValidID(executionID) {
		return e, "", gorm.ErrRecordNotFound
	}
	found, err := readExecutions(t.db, `WHERE x.id = ? AND x.pipeline_id = ?`, executionID, p.ID)
	if err == nil && len(found) == 0 {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return e, "", err
	}
	e = found[0]
	if verb == "stop" {
		if e.State.Ended() || e.State == models.ExecutionStopping {
			return e, "", models.Errorf(models.Conflict, "Execution %d is %s already.", e.Number, e.State)
		}
		return e, "", nil
	}
	for _, s := range e.Stages {
		if s.State == models.ExecutionFailed && (stage == "" || stage == s.Name) {
			return e, s.Name, nil
		}
	}
	if stage == "" {
		return e, "", models.Errorf(models.Conflict, "No stage of execution %d has failed.", e.Number)
	}
	return e, "", models.Errorf(models.Conflict, "The stage %s of execution %d has not failed, so there is nothing to retry.", clip(stage), e.Number)
}

// stageNamed finds a stage of a pipeline by the environment's id or name, whichever is given.
func stageNamed(p models.Pipeline, id, name string) (models.PipelineStage, error) {
	for _, s := range p.Stages {
		if s.EnvironmentID == id && id != "" || id == "" && s.Environment == name && name != "" {
			return s, nil
		}
	}
	return models.PipelineStage{}, models.InvalidFields(map[string]string{"environment": "Choose one of the environments that the pipeline delivers to."})
}

// WaiveGate lets a gate of one stage pass until a moment: for its tenant's owners and platform admins, with a reason, and never for a promotion
// that they asked for themselves. The id may be the form's key: sent twice, it is one waiver.
func (s *Store) WaiveGate(ctx context.Context, actor models.Actor, tenant, pipeline string, w models.Waiver) (models.Waiver, error) {
	p, err := s.livingPipeline(ctx, actor, tenant, pipeline)
	if err != nil {
		return w, err
	}
	if !actor.MayRunTenant(p.TenantID) {
		return w, models.Errorf(models.Forbidden, "Only owners of %s and platform admins waive a gate.", p.TenantSlug)
	}
	stage, err := stageNamed(p, w.EnvironmentID, w.Environment)
	if err != nil {
		return w, err
	}
	w.PipelineID, w.EnvironmentID, w.Environment, w.Reason = p.ID, stage.EnvironmentID, stage.Environment, trimmedWords(w.Reason)
	w.ByID, w.By, w.EndedBy = actor.Person.ID, actor.Name(), ""
	if !models.ValidID(w.ID) {
		w.ID = models.NewID()
	}
	err = s.tx(ctx, func(t *tx) error {
		if w.At = t.now(); !w.Until.IsZero() {
			w.Until = w.Until.UTC()
		}
		if err := w.Check(w.At); err != nil {
			return err
		}
		if !slices.Contains(stage.Gates, w.Gate) {
			return models.InvalidFields(map[string]string{"gate": fmt.Sprintf("%s does not ask for this gate, so there is nothing to waive.", stage.Environment)})
		}
		return t.insertWaiver(actor, p, w)
	})
	return w, err
}

func (t *tx) insertWaiver(actor models.Actor, p models.Pipeline, w models.Waiver) error {
	own, err := one[int](t.db, `SELECT count(*) FROM promotions WHERE pipeline_id = ? AND environment_id = ? AND person_id = ? AND ended_at IS NULL AND (? = '' OR split_part(image, '@', 2) = ?)`,
		p.ID, w.EnvironmentID, w.ByID, w.Digest, w.Digest)
	if err != nil {
		return fmt.Errorf("look whose promotions wait: %w", err)
	}
	if own > 0 {
		return models.Errorf(models.Forbidden, "You asked for a promotion to %s yourself, so somebody else must waive its gates.", w.Environment)
	}
	res := t.db.Exec(`INSERT INTO gate_waivers (id, tenant_id, pipeline_id, environment_id, gate, digest, reason, by_id, at, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		w.ID, p.TenantID, p.ID, w.EnvironmentID, w.Gate, w.Digest, w.Reason, w.ByID, w.At, w.Until)
	if res.Error != nil {
		return fmt.Errorf("write the waiver: %w", res.Error)
	}
	if res.RowsAffected == 0 {
		return nil
	}
	if err := t.audit(actor, "gate.waive", aboutWaiver(w, p.TenantID), nil, map[string]any{"gate": w.Gate, "environment": w.Environment, "digest": w.Digest, "reason": w.Reason, "until": w.Until}); err != nil {
		return err
	}
	if err := t.wakePromotions(`o.pipeline_id = ? AND o.environment_id = ?`, p.ID, w.EnvironmentID); err != nil {
		return err
	}
	return t.notify("object:" + p.ID)
}

func aboutWaiver(w models.Waiver, tenantID string) about {
	return about{"waiver", w.ID, string(w.Gate) + " of " + w.Environment, tenantID}
}

// EndWaiver takes a waiver back before its end. What has begun to run goes on; what waits is judged anew.
func (s *Store) EndWaiver(ctx context.Context, actor models.Actor, tenant, id string) error {
	if !models.ValidID(id) {
		return translate(gorm.ErrRecordNotFound)
	}
	hidden := false
	err := s.tx(ctx, func(t *tx) error {
		seen, args := tenantScope(actor, `w.tenant_id`)
		found, err := readWaivers(t.db, `WHERE w.id = ? AND w.tenant_id = (SELECT id FROM tenants WHERE slug = ?) AND `+seen+` FOR UPDATE OF w`, append([]any{id, clip(tenant)}, args...)...)
		if err == nil && len(found) == 0 {
			err = gorm.ErrRecordNotFound
		}
		if hidden = errors.Is(err, gorm.ErrRecordNotFound); err != nil {
			return err
		}
		w := found[0]
		p, err := readPipeline(t.db, `p.id = ?`, w.PipelineID)
		switch {
		case err != nil:
			return err
		case !actor.MayRunTenant(p.TenantID):
			return models.Errorf(models.Forbidden, "Only owners of %s and platform admins take a waiver back.", p.TenantSlug)
		case !w.EndedAt.IsZero() || !t.now().Before(w.Until):
			return nil
		}
		if err := t.db.Exec(`UPDATE gate_waivers SET ended_at = ?, ended_by = ? WHERE id = ?`, t.now(), actor.Person.ID, w.ID).Error; err != nil {
			return fmt.Errorf("end the waiver: %w", err)
		}
		if err := t.audit(actor, "gate.waiver.end", aboutWaiver(w, p.TenantID), map[string]any{"until": w.Until}, map[string]any{"until": t.now()}); err != nil {
			return err
		}
		if err := t.wakePromotions(`o.pipeline_id = ? AND o.environment_id = ?`, p.ID, w.EnvironmentID); err != nil {
			return err
		}
		return t.notify("object:" + p.ID)
	})
	if hidden {
		return s.unseen(ctx, actor, "waiver", id, err)
	}
	return err
}
