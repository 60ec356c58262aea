package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"slipway/models"
)

func trimmedWords(s string) string {
	return strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), ""))
}

// FreezeStage stops promotions to an environment until a moment in product time, roll-backs too: for its tenant's owners and platform admins, with
// a reason. The id may be the form's key: sent twice, it is one freeze.
func (s *Store) FreezeStage(ctx context.Context, actor models.Actor, tenant string, f models.StageFreeze) (models.StageFreeze, error) {
	where, name := `e.id::text = ?`, f.EnvironmentID
	if name == "" {
		where, name = `e.name = ?`, f.Environment
	}
	seen, args := tenantScope(actor, `t.id`)
	env, err := readEnvironment(s.read(ctx), `t.slug = ? AND `+where+` AND e.state <> 'deleted' AND `+seen, append([]any{clip(tenant), clip(name)}, args...)...)
	if err != nil {
		return f, s.unseen(ctx, actor, string(models.EnvironmentObject), tenant+"/"+name, err)
	}
	if !actor.MayRunTenant(env.TenantID) {
		return f, models.Errorf(models.Forbidden, "Only owners of %s and platform admins stop promotions.", env.TenantSlug)
	}
	f.TenantID, f.EnvironmentID, f.Environment, f.Reason, f.ByID, f.By = env.TenantID, env.ID, env.Name, trimmedWords(f.Reason), actor.Person.ID, actor.Name()
	if !models.ValidID(f.ID) {
		f.ID = models.NewID()
	}
	err = s.tx(ctx, func(t *tx) error {
		f.At = t.now()
		if err := f.Check(f.At); err != nil {
			return err
		}
		res := t.db.Exec(`INSERT INTO stage_freezes (id, tenant_id, environment_id, reason, by_id, at, until) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			f.ID, f.TenantID, f.EnvironmentID, f.Reason, f.ByID, f.At, f.Until)
		if res.Error != nil {
			return fmt.Errorf("write the freeze: %w", res.Error)
		}
		if res.RowsAffected == 0 {
			return nil
		}
		if err := t.audit(actor, "stage.freeze", aboutStageFreeze(f), nil, map[string]any{"reason": f.Reason, "until": f.Until}); err != nil {
			return err
		}
		return t.freezeTurned(f)
	})
	return f, err
}

func aboutStageFreeze(f models.StageFreeze) about {
	return about{string(models.EnvironmentObject), f.EnvironmentID, f.Environment, f.TenantID}
}

// freezeTurned has all that a freeze of a stage holds, or held, looked at: promotions, and requests that wait to begin.
func (t *tx) freezeTurned(f models.StageFreeze) error {
	if err := t.wakePromotions(`o.environment_id = ?`, f.EnvironmentID); err != nil {
		return err
	}
	waiting, err := many[string](t.db, `SELECT id::text FROM requests WHERE object_id = ? AND state = ? AND kind = ? ORDER BY number`, f.EnvironmentID, models.Approved, models.DeployEnvironment)
	if err != nil {
		return fmt.Errorf("find what waits for the freeze: %w", err)
	}
	for _, id := range waiting {
		if err := t.nudge(models.RunWork, id); err != nil {
			return err
		}
	}
	if err := t.notify("object:" + f.EnvironmentID); err != nil {
		return err
	}
	return t.notifyDeployed(f.EnvironmentID)
}

// LiftStageFreeze ends a freeze of a stage before its time. Lifting one that has ended changes nothing.
func (s *Store) LiftStageFreeze(ctx context.Context, actor models.Actor, tenant, id string) error {
	if !models.ValidID(id) {
		return translate(gorm.ErrRecordNotFound)
	}
	hidden := false
	err := s.tx(ctx, func(t *tx) error {
		seen, args := tenantScope(actor, `f.tenant_id`)
		found, err := readStageFreezes(t.db, `WHERE f.id = ? AND f.tenant_id = (SELECT id FROM tenants WHERE slug = ?) AND `+seen+` FOR UPDATE OF f`, append([]any{id, clip(tenant)}, args...)...)
		if err == nil && len(found) == 0 {
			err = gorm.ErrRecordNotFound
		}
		if hidden = errors.Is(err, gorm.ErrRecordNotFound); err != nil {
			return err
		}
		f := found[0]
		switch {
		case !actor.MayRunTenant(f.TenantID):
			return models.Errorf(models.Forbidden, "Only owners of %s and platform admins let promotions go on.", clip(tenant))
		case !f.Active(t.now()):
			return nil
		}
		if err := t.db.Exec(`UPDATE stage_freezes SET lifted_at = ?, lifted_by = ? WHERE id = ?`, t.now(), actor.Person.ID, f.ID).Error; err != nil {
			return fmt.Errorf("lift the freeze: %w", err)
		}
		if err := t.audit(actor, "stage.unfreeze", aboutStageFreeze(f), map[string]any{"until": f.Until}, map[string]any{"until": t.now()}); err != nil {
			return err
		}
		return t.freezeTurned(f)
	})
	if hidden {
		return s.unseen(ctx, actor, "stage freeze", id, err)
	}
	return err
}
