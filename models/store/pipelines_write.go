package store

import (
	"context"
	"fmt"
	"reflect"

	"slipway/models"
)

func (t *tx) insertConnection(req models.Request, stack models.Stack) error {
	in, err := inputsOf[models.ConnectionInputs](req)
	if err != nil {
		return err
	}
	return t.db.Exec(`INSERT INTO connections (id, tenant_id, account_id, class, name, provider, state, request_id, created_at, updated_at)
		SELECT ?, ?, a.id, a.class, ?, ?, 'creating', ?, ?, ? FROM accounts a WHERE a.id = ?`,
		req.ObjectID, req.TenantID, req.ObjectName, in.Provider, req.ID, t.now(), t.now(), stack.AccountID).Error
}

func (t *tx) insertPipeline(req models.Request, stack models.Stack) error {
	in, err := inputsOf[models.PipelineInputs](req)
	if err != nil {
		return err
	}
	source, err := document(in.Source)
	if err != nil {
		return err
	}
	stages, err := document(in.Stages)
	if err != nil {
		return err
	}
	err = t.db.Exec(`INSERT INTO pipelines (id, tenant_id, account_id, class, service_id, connection_id, name, kind, source, repository, repository_id, owner_id, stages,
			state, request_id, created_at, updated_at) SELECT ?, ?, a.id, a.class, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'creating', ?, ?, ? FROM accounts a WHERE a.id = ?`,
		req.ObjectID, req.TenantID, in.ServiceID, orNull(in.ConnectionID), req.ObjectName, in.Kind, source, in.Source.Repository, in.Source.RepositoryID, in.Source.OwnerID, stages,
		req.ID, t.now(), t.now(), stack.AccountID).Error
	if err != nil {
		return err
	}
	return t.writeStages(req.ObjectID, in.Stages)
}

// writeStages keeps the environments that a pipeline delivers to, in order.
func (t *tx) writeStages(pipelineID string, stages []models.PipelineStage) error {
	if err := t.db.Exec(`DELETE FROM pipeline_stages WHERE pipeline_id = ?`, pipelineID).Error; err != nil {
		return fmt.Errorf("forget the stages of pipeline %s: %w", pipelineID, err)
	}
	for i, g := range stages {
		err := t.db.Exec(`INSERT INTO pipeline_stages (pipeline_id, position, environment_id) VALUES (?, ?, ?)`, pipelineID, i+1, g.EnvironmentID).Error
		if err != nil {
			return fmt.Errorf("write stage %s of pipeline %s: %w", g.Environment, pipelineID, err)
		}
	}
	return nil
}

// moveReading has the executions of a pipeline read as soon as it is made or changed, and no more once it is deleted.
func (t *tx) moveReading(object models.ObjectType, id string, state models.ObjectState) error {
	var err error
	switch {
	case object != models.PipelineObject:
	case state == models.Ready:
		err = t.db.Exec(`UPDATE pipelines SET read_due = ? WHERE id = ? AND kind = ?`, t.now(), id, models.CodePipeline).Error
	case state == models.Deleted:
		err = t.db.Exec(`UPDATE pipelines SET read_due = NULL, moving = false WHERE id = ?`, id).Error
	}
	if err != nil {
		return fmt.Errorf("set when pipeline %s is read: %w", id, err)
	}
	return nil
}

// SaveConnection changes a connection's own row under a lock: what AWS says of it, and its estimate.
func (g *Registry) SaveConnection(ctx context.Context, actor models.Actor, id string, change func(*models.Connection)) error {
	return g.s.tx(ctx, func(t *tx) error {
		if err := t.db.Exec(`SELECT 1 FROM connections WHERE id = ? FOR UPDATE`, id).Error; err != nil {
			return err
		}
		before, err := readConnection(t.db, `c.id = ?`, id)
		if err != nil {
			return err
		}
		after := before
		change(&after)
		if reflect.DeepEqual(before, after) {
			return nil
		}
		if err := t.saveEstimate(actor, models.ConnectionObject, id, before.Name, before.TenantID, before.Estimate, after.Estimate); err != nil {
			return err
		}
		if err := t.db.Exec(`UPDATE connections SET status = ?, status_at = ? WHERE id = ?`, after.Status, timeOrNull(after.StatusAt), id).Error; err != nil {
			return fmt.Errorf("write connection %s: %w", before.Name, err)
		}
		if after.Status == before.Status { // a fresh look that shows the same is no change to audit
			return nil
		}
		if err := t.notify("object:" + id); err != nil {
			return err
		}
		return t.audit(actor, "connection.change", about{string(models.ConnectionObject), id, before.Name, before.TenantID},
			map[string]any{"status": before.Status}, map[string]any{"status": after.Status})
	})
}

// SavePipeline changes a pipeline's own row under a lock; its state follows from its requests and is never written here.
func (g *Registry) SavePipeline(ctx context.Context, actor models.Actor, id string, change func(*models.Pipeline)) error {
	return g.s.tx(ctx, func(t *tx) error {
		if err := t.db.Exec(`SELECT 1 FROM pipelines WHERE id = ? FOR UPDATE`, id).Error; err != nil {
			return err
		}
		before, err := readPipeline(t.db, `p.id = ?`, id)
		if err != nil {
			return err
		}
		after := before
		change(&after)
		if reflect.DeepEqual(before, after) {
			return nil
		}
		docs := make([]jsonb, 3)
		for i, v := range []any{after.Source, after.Stages, after.Estimate} {
			if docs[i], err = document(v); err != nil {
				return err
			}
		}
		err = t.db.Exec(`UPDATE pipelines SET source = ?, repository = ?, repository_id = ?, owner_id = ?, connection_id = ?, stages = ?, paused = ?, estimate = ?, updated_at = ? WHERE id = ?`,
			docs[0], after.Source.Repository, after.Source.RepositoryID, after.Source.OwnerID, orNull(after.ConnectionID), docs[1], after.Paused, docs[2], t.now(), id).Error
		if err != nil {
			return fmt.Errorf("write pipeline %s: %w", before.Name, err)
		}
		if err := t.writeStages(id, after.Stages); err != nil {
			return err
		}
		if err := t.notify("object:" + id); err != nil {
			return err
		}
		return t.audit(actor, "pipeline.change", about{string(models.PipelineObject), id, before.Name, before.TenantID}, pipelineFacts(before), pipelineFacts(after))
	})
}

func pipelineFacts(p models.Pipeline) map[string]any {
	return map[string]any{"source": p.Source, "connection_id": p.ConnectionID, "stages": p.Stages, "paused": p.Paused, "monthly_usd": monthlyOf(p.Estimate)}
}

// EnsureIdentityProvider makes the row of an account's identity provider for an issuer, under the id that it was planned with. Of two
// pipelines that come first at the same time one makes it, and both are given it.
func (g *Registry) EnsureIdentityProvider(ctx context.Context, actor models.Actor, requestID string, p models.IdentityProvider) (models.IdentityProvider, error) {
	var made models.IdentityProvider
	err := g.s.tx(ctx, func(t *tx) error {
		if p.ID == "" {
			p.ID = models.NewID()
		}
		res := t.db.Exec(`INSERT INTO identity_providers (id, tenant_id, account_id, issuer, state, request_id, created_at, updated_at) VALUES (?, ?, ?, ?, 'creating', ?, ?, ?)
			ON CONFLICT (account_id, issuer) WHERE state <> 'deleted' DO NOTHING`, p.ID, p.TenantID, p.AccountID, p.Issuer, requestID, t.now(), t.now())
		if res.Error != nil {
			return fmt.Errorf("make the identity provider for %s: %w", p.Issuer, res.Error)
		}
		if res.RowsAffected > 0 {
			p.Stack.ObjectID, p.Stack.ObjectType, p.Stack.TenantID = p.ID, models.IdentityProviderObject, p.TenantID
			if p.Stack.AccountID == "" {
				p.Stack.AccountID = p.AccountID
			}
			if err := t.insertStack(p.Stack); err != nil {
				return err
			}
			what := about{string(models.IdentityProviderObject), p.ID, p.Issuer, p.TenantID}
			if err := t.audit(actor, "identity_provider.creating", what, nil, stackFacts(p.Stack)); err != nil {
				return err
			}
		}
		var err error
		made, err = readIdentityProvider(t.db, `i.account_id = ? AND i.issuer = ? AND i.state <> 'deleted'`, p.AccountID, p.Issuer)
		return err
	})
	return made, err
}

// SaveIdentityProvider changes an identity provider's own row under a lock: the state that the run of its first pipeline leads it to.
func (g *Registry) SaveIdentityProvider(ctx context.Context, actor models.Actor, id string, change func(*models.IdentityProvider)) error {
	return g.s.tx(ctx, func(t *tx) error {
		if err := t.db.Exec(`SELECT 1 FROM identity_providers WHERE id = ? FOR UPDATE`, id).Error; err != nil {
			return err
		}
		before, err := readIdentityProvider(t.db, `i.id = ?`, id)
		if err != nil {
			return err
		}
		after := before
		change(&after)
		if after.State == before.State {
			return nil
		}
		if err := t.db.Exec(`UPDATE identity_providers SET state = ?, updated_at = ? WHERE id = ?`, after.State, t.now(), id).Error; err != nil {
			return fmt.Errorf("write the identity provider for %s: %w", before.Issuer, err)
		}
		return t.audit(actor, "identity_provider.change", about{string(models.IdentityProviderObject), id, before.Issuer, before.TenantID},
			map[string]any{"state": before.State}, map[string]any{"state": after.State})
	})
}
