package store

import (
	"context"
	"fmt"
	"time"

	"slipway/models"
)

// How often a check comes by itself, in product time: an account's once a day, at a time of day that its id decides.
const platformEvery = time.Hour

// HealthBook is where checks of Slipway's roles are kept.
type HealthBook struct{ s *Store }

// HealthBook gives the engine and its sweep the checks.
func (s *Store) HealthBook() *HealthBook { return &HealthBook{s} }

// StartDue starts the checks whose turn it is, and puts each one's next turn off. A new account's first turn comes within ten minutes.
func (b *HealthBook) StartDue(ctx context.Context, limit int) (int, error) {
	started := 0
	err := b.s.tx(ctx, func(t *tx) error {
		started = 0
		_, err := t.pgx.Exec(t.ctx, `INSERT INTO role_health (object_id, account_id, due)
			SELECT a.id, a.id, $1::timestamptz + make_interval(secs => 60 + abs(hashtext(a.id::text)::bigint) % 540) FROM accounts a
				WHERE a.state IN ('ready', 'changing', 'broken') AND a.aws_id IS NOT NULL AND NOT EXISTS (SELECT FROM role_health h WHERE h.object_id = a.id)
			UNION ALL SELECT $2::uuid, NULL, $1::timestamptz + interval '1 minute' WHERE NOT EXISTS (SELECT FROM role_health h WHERE h.object_id = $2::uuid)
			ON CONFLICT (object_id) DO NOTHING`, t.now(), models.PlatformHealthID)
		if err != nil {
			return fmt.Errorf("note whose roles are checked: %w", err)
		}
		type due struct {
			ObjectID  string
			AccountID *string
		}
		rows, err := many[due](t.db, `SELECT h.object_id, h.account_id FROM role_health h LEFT JOIN accounts a ON a.id = h.account_id
			WHERE h.due <= ? AND (h.account_id IS NULL OR a.state IN ('ready', 'changing', 'broken')) ORDER BY h.due LIMIT ? FOR UPDATE OF h SKIP LOCKED`, t.now(), limit)
		if err != nil {
			return fmt.Errorf("find whose roles are due for a check: %w", err)
		}
		for _, r := range rows {
			if err := t.db.Exec(`UPDATE role_health SET due = CASE WHEN account_id IS NULL THEN ?::timestamptz
				ELSE date_trunc('day', ?::timestamptz) + interval '1 day' + make_interval(secs => abs(hashtext(object_id::text)::bigint) % 86400) END WHERE object_id = ?`,
				t.now().Add(platformEvery), t.now(), r.ObjectID).Error; err != nil {
				return fmt.Errorf("put off the next role check of %s: %w", r.ObjectID, err)
			}
			if err := t.startHealth(r.ObjectID, value(r.AccountID), models.NightlyHealth); err != nil {
				return err
			}
			started++
		}
		return nil
	})
	return started, err
}

// HealthAccount reads the account of a check that goes on.
func (b *HealthBook) HealthAccount(ctx context.Context, job models.Job) (models.Account, error) {
	return b.s.Registry().Account(ctx, job.ObjectID)
}

// EndHealth writes what a check of an account found. A check that could not be made leaves the result of the one before. That an account
// became healthy, or is not any more, is audited once.
func (b *HealthBook) EndHealth(ctx context.Context, job models.Job, roles []models.RoleCheck, failure string) error {
	return b.end(ctx, job, models.WorstHealth(roles), healthResult{Roles: roles}, failure)
}

// EndPlatform writes how the organization's set-up stands.
func (b *HealthBook) EndPlatform(ctx context.Context, job models.Job, found models.PlatformHealth) error {
	state := models.HealthOK
	for _, p := range found.Items {
		if p.State == models.PrerequisiteUnmet {
			state = models.HealthMissing
		} else if p.State == models.PrerequisiteUnseen && state == models.HealthOK {
			state = models.HealthUnseen
		}
	}
	if state == models.HealthOK && len(found.Roles) > 0 {
		state = models.WorstHealth(found.Roles)
	}
	return b.end(ctx, job, state, healthResult{Items: found.Items, Roles: found.Roles}, found.Failure)
}

func (b *HealthBook) end(ctx context.Context, job models.Job, state models.HealthState, found healthResult, failure string) error {
	return b.s.tx(ctx, func(t *tx) error {
		if err := t.fence(job); err != nil {
			return err
		}
		before, err := readHealth(t.db, job.ObjectID)
		if err != nil {
			return err
		}
		if failure != "" {
			err = t.db.Exec(`UPDATE role_health SET checking = false, failure = ? WHERE object_id = ?`, clipped(failure, 2000), job.ObjectID).Error
		} else {
			err = t.keepHealth(job.ObjectID, before, state, found)
		}
		if err != nil {
			return fmt.Errorf("end the role check of %s: %w", job.ObjectID, err)
		}
		if err := t.notify("object:" + job.ObjectID); err != nil {
			return err
		}
		return t.endJob(job, models.NextCall{Done: true})
	})
}

func (t *tx) keepHealth(objectID string, before models.RoleHealth, state models.HealthState, found healthResult) error {
	doc, err := document(found)
	if err != nil {
		return err
	}
	since := before.Since
	turned := before.State == "" || before.Healthy() != (state == models.HealthOK)
	if turned {
		since = t.now()
	}
	err = t.db.Exec(`UPDATE role_health SET state = ?, at = ?, by_whom = asked_by, since = ?, result = ?, checking = false, failure = '' WHERE object_id = ?`, state, t.now(), since, doc, objectID).Error
	if err == nil {
		err = t.tellLost(objectID, before.State, state, found)
	}
	if err != nil || !turned {
		return err
	}
	return t.healthTurned(objectID, before.State, state, found)
}

// healthTurned records that something became healthy, or is not any more. The first check is recorded only when all is not well.
func (t *tx) healthTurned(objectID string, before, after models.HealthState, found healthResult) error {
	if before == "" && after == models.HealthOK {
		return nil
	}
	what, action := about{"platform", objectID, "platform", ""}, "platform.health"
	if objectID != models.PlatformHealthID {
		row, err := one[accountRecord](t.db, `SELECT `+accountColumns+` FROM accounts a WHERE a.id = ?`, objectID)
		if err != nil {
			return err
		}
		what, action = about{string(models.AccountObject), row.ID, row.Name, row.TenantID}, "account.health"
	}
	lost := models.RoleHealth{Roles: found.Roles}.Missing()
	return t.audit(models.System("health", ""), action, what, map[string]any{"state": before}, map[string]any{"state": after, "missing": lost})
}
