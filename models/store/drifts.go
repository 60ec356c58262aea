package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

const driftColumns = `d.id, d.object_id, d.state, d.started_at, d.ended_at, d.by_whom, d.detection_id, d.checked, d.not_checked, d.resources, d.failure, d.accepted_until, d.accepted_by, d.accepted_reason`

type driftRow struct {
	ID             string
	ObjectID       string
	State          models.DriftState
	StartedAt      time.Time
	EndedAt        *time.Time
	ByWhom         string
	DetectionID    string
	Checked        int
	NotChecked     texts
	Resources      jsonb
	Failure        string
	AcceptedUntil  *time.Time
	AcceptedBy     string
	AcceptedReason string
}

func (r driftRow) model() (models.Drift, error) {
	d := models.Drift{ID: r.ID, ObjectID: r.ObjectID, State: r.State, StartedAt: r.StartedAt, EndedAt: value(r.EndedAt), By: r.ByWhom, DetectionID: r.DetectionID, Checked: r.Checked,
		NotChecked: r.NotChecked, Failure: r.Failure, Accepted: value(r.AcceptedUntil), AcceptedBy: r.AcceptedBy, Reason: r.AcceptedReason}
	return d, r.Resources.decode(&d.Resources)
}

func newestDrift(db *gorm.DB, objectID string) (models.Drift, error) {
	row, err := one[driftRow](db, `SELECT `+driftColumns+` FROM drifts d WHERE d.object_id = ? ORDER BY d.started_at DESC, d.id LIMIT 1`, objectID)
	if err != nil {
		return models.Drift{}, err
	}
	return row.model()
}

// CheckDriftNow has an environment compared with its account. A check that goes on already is enough.
func (s *Store) CheckDriftNow(ctx context.Context, actor models.Actor, tenantSlug, name string) error {
	env, err := s.livingEnvironment(ctx, actor, tenantSlug, name)
	if err != nil {
		return err
	}
	if !actor.MayOrderFor(env.TenantID) {
		return models.Errorf(models.Forbidden, "Only owners and developers of %s, and platform admins, can ask for that.", tenantSlug)
	}
	if why := env.MayNot(models.RevertEnvironment, s.clock.Now()); why != "" {
		return models.Errorf(models.Conflict, "%s", why)
	}
	return s.tx(ctx, func(t *tx) error {
		if _, err := t.openDrift(env, actor.Name()); err != nil {
			return err
		}
		if err := t.audit(actor, "environment.drift-check", about{string(models.EnvironmentObject), env.ID, env.Name, env.TenantID}, nil, nil); err != nil {
			return err
		}
		return t.startDrift(env.ID)
	})
}

// startDrift wakes the check of an environment; one that is open goes on.
func (t *tx) startDrift(id string) error {
	type open struct{ N int }
	there, err := one[open](t.db, `SELECT count(*) AS n FROM journal WHERE kind = ? AND object_id = ? AND NOT done`, models.DriftWork, id)
	if err != nil || there.N > 0 {
		return err
	}
	return t.enqueue(models.DriftWork, id, 0)
}

// openDrift gives the check of an environment that goes on, or makes the row of a new one.
func (t *tx) openDrift(env models.Environment, by string) (models.Drift, error) {
	d, err := newestDrift(t.db, env.ID)
	if err == nil && d.State == models.DriftChecking {
		return d, nil
	}
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return d, err
	}
	d = models.Drift{ID: models.NewID(), ObjectID: env.ID, State: models.DriftChecking, StartedAt: t.now(), By: by}
	if err := t.db.Exec(`INSERT INTO drifts (id, object_id, tenant_id, state, started_at, by_whom) VALUES (?, ?, ?, 'checking', ?, ?)`, d.ID, env.ID, env.TenantID, t.now(), by).Error; err != nil {
		return d, fmt.Errorf("begin a drift check of %s: %w", env.Name, err)
	}
	if err := t.db.Exec(`UPDATE environments SET drift = 'checking' WHERE id = ?`, env.ID).Error; err != nil {
		return d, fmt.Errorf("write the drift of %s: %w", env.Name, err)
	}
	return d, t.notify("object:" + env.ID)
}

// DriftBook is where drift checks are kept.
type DriftBook struct{ s *Store }

// DriftBook gives the engine and its sweep the checks.
func (s *Store) DriftBook() *DriftBook { return &DriftBook{s} }

// StartDue starts the nightly check of environments whose turn it is, and puts each one's next turn off by a day. A new environment's first
// turn comes at a time of day that its id decides, so that checks are spread over the day.
func (b *DriftBook) StartDue(ctx context.Context, limit int) (int, error) {
	started := 0
	err := b.s.tx(ctx, func(t *tx) error {
		started = 0
		_, err := t.pgx.Exec(t.ctx, `UPDATE environments SET drift_due = $1::timestamptz + make_interval(secs => abs(hashtext(id::text)::bigint) % 86400)
			WHERE drift_due IS NULL AND state IN ('ready', 'broken')`, t.now())
		if err != nil {
			return fmt.Errorf("spread drift checks: %w", err)
		}
		ids, err := many[string](t.db, `SELECT e.id::text FROM environments e JOIN stacks s ON s.object_id = e.id WHERE e.drift_due <= ? AND e.state = 'ready' AND s.stack_id <> ''
			ORDER BY e.drift_due LIMIT ? FOR UPDATE OF e SKIP LOCKED`, t.now(), limit)
		if err != nil {
			return fmt.Errorf("find what is due for a drift check: %w", err)
		}
		for _, id := range ids {
			if err := t.db.Exec(`UPDATE environments SET drift_due = drift_due + (ceil(GREATEST(extract(epoch FROM ?::timestamptz - drift_due), 1) / 86400) * interval '1 day') WHERE id = ?`, t.now(), id).Error; err != nil {
				return fmt.Errorf("put off the next drift check of %s: %w", id, err)
			}
			if err := t.startDrift(id); err != nil {
				return err
			}
			started++
		}
		return nil
	})
	return started, err
}

// BeginDrift makes the check's row for an environment, or gives the one that still goes on.
func (b *DriftBook) BeginDrift(ctx context.Context, job models.Job, by string) (d models.Drift, env models.Environment, err error) {
	err = b.s.tx(ctx, func(t *tx) (err error) {
		if err := t.fence(job); err != nil {
			return err
		}
		if env, err = readEnvironment(t.db, `e.id = ?`, job.ObjectID); err != nil {
			return err
		}
		d, err = t.openDrift(env, by)
		return err
	})
	return d, env, err
}

// KeepDetection writes down CloudFormation's id of the comparison and ends the job until the next look.
func (b *DriftBook) KeepDetection(ctx context.Context, job models.Job, driftID, detectionID string, next models.NextCall) error {
	return b.s.tx(ctx, func(t *tx) error {
		if err := t.fence(job); err != nil {
			return err
		}
		if err := t.db.Exec(`UPDATE drifts SET detection_id = ? WHERE id = ?`, detectionID, driftID).Error; err != nil {
			return fmt.Errorf("keep the id of drift check %s: %w", driftID, err)
		}
		return t.endJob(job, next)
	})
}

// EndDrift writes what a check found, and the environment's drift with it. What a person has accepted stays accepted until its day, as
// long as nothing else has drifted.
func (b *DriftBook) EndDrift(ctx context.Context, job models.Job, d models.Drift) error {
	return b.s.tx(ctx, func(t *tx) error {
		if err := t.fence(job); err != nil {
			return err
		}
		if err := t.endDrift(d); err != nil {
			return err
		}
		return t.endJob(job, models.NextCall{Done: true})
	})
}

func (t *tx) endDrift(d models.Drift) error {
	env, err := readEnvironment(t.db, `e.id = ?`, d.ObjectID)
	if err != nil {
		return err
	}
	found, err := document(d.Resources)
	if err != nil {
		return err
	}
	if found == nil {
		found = jsonb(`[]`)
	}
	if err := t.carryAcceptance(&d); err != nil {
		return err
	}
	err = t.db.Exec(`UPDATE drifts SET state = ?, ended_at = ?, checked = ?, not_checked = ?, resources = ?, failure = ?, accepted_until = ?, accepted_by = ?, accepted_reason = ? WHERE id = ?`,
		d.State, t.now(), d.Checked, texts(d.NotChecked), found, clipped(d.Failure, 2000), timeOrNull(d.Accepted), d.AcceptedBy, d.Reason, d.ID).Error
	if err != nil {
		return fmt.Errorf("end drift check %s: %w", d.ID, err)
	}
	drifted := len(d.Unexpected())
	if err := t.db.Exec(`UPDATE environments SET drift = ?, drifted = ?, drift_at = ? WHERE id = ?`, d.State, drifted, t.now(), d.ObjectID).Error; err != nil {
		return fmt.Errorf("write the drift of %s: %w", env.Name, err)
	}
	if err := t.notify("object:" + env.ID); err != nil {
		return err
	}
	return t.audit(models.System("drift", ""), "environment.drift", about{string(models.EnvironmentObject), env.ID, env.Name, env.TenantID}, nil,
		map[string]any{"state": d.State, "drifted": drifted, "checked": d.Checked, "failure": d.Failure})
}

// carryAcceptance keeps what a person accepted, when the very same has drifted as in the check that they looked at.
func (t *tx) carryAcceptance(d *models.Drift) error {
	row, err := one[driftRow](t.db, `SELECT `+driftColumns+` FROM drifts d WHERE d.object_id = ? AND d.id <> ? AND d.accepted_until > ? ORDER BY d.started_at DESC, d.id LIMIT 1`, d.ObjectID, d.ID, t.now())
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what was accepted: %w", err)
	}
	old, err := row.model()
	if err != nil {
		return err
	}
	a, err := document(old.Unexpected())
	if err != nil {
		return err
	}
	b, err := document(d.Unexpected())
	if err != nil {
		return err
	}
	if len(d.Unexpected()) > 0 && string(a) == string(b) {
		d.Accepted, d.AcceptedBy, d.Reason = old.Accepted, old.AcceptedBy, old.Reason
	}
	return nil
}

// AcceptDrift lets what the newest check found be until a day; a step of a request does it.
func (g *Registry) AcceptDrift(ctx context.Context, actor models.Actor, objectID string, until time.Time, by, reason string) error {
	return g.s.tx(ctx, func(t *tx) error {
		d, err := newestDrift(t.db, objectID)
		if err != nil {
			return err
		}
		env, err := readEnvironment(t.db, `e.id = ?`, objectID)
		if err != nil {
			return err
		}
		if d.Accepted.Equal(until) && d.AcceptedBy == by && d.Reason == reason {
			return nil
		}
		if err := t.db.Exec(`UPDATE drifts SET accepted_until = ?, accepted_by = ?, accepted_reason = ? WHERE id = ?`, until, by, reason, d.ID).Error; err != nil {
			return fmt.Errorf("accept the drift of %s: %w", env.Name, err)
		}
		return t.audit(actor, "environment.drift-accepted", about{string(models.EnvironmentObject), env.ID, env.Name, env.TenantID}, nil,
			map[string]any{"until": until, "by": by, "reason": reason, "drifted": len(d.Unexpected())})
	})
}
