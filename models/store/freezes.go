package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

const maxFreezes = 200 // that a page lists

type freezeRow struct {
	ID         string
	TenantID   *string
	TenantSlug string
	Reason     string
	ByID       string
	By         string
	From       time.Time
	Until      time.Time
	LiftedAt   *time.Time
	LiftedBy   string
}

func (r freezeRow) model() models.Freeze {
	return models.Freeze{ID: r.ID, TenantID: value(r.TenantID), TenantSlug: r.TenantSlug, Reason: r.Reason, ByID: r.ByID, By: r.By, From: r.From, Until: r.Until,
		LiftedAt: value(r.LiftedAt), LiftedBy: r.LiftedBy}
}

const freezeColumns = `f.id, f.tenant_id, COALESCE(t.slug, '') AS tenant_slug, f.reason, f.created_by AS by_id, p.name AS by, f.created_at AS from, f.until, f.lifted_at,
	COALESCE(l.name, '') AS lifted_by`

const freezesJoined = `freezes f JOIN people p ON p.id = f.created_by LEFT JOIN people l ON l.id = f.lifted_by LEFT JOIN tenants t ON t.id = f.tenant_id`

func readFreezes(db *gorm.DB, rest string, args ...any) ([]models.Freeze, error) {
	rows, err := many[freezeRow](db, `SELECT `+freezeColumns+` FROM `+freezesJoined+` `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read freezes: %w", err)
	}
	all := make([]models.Freeze, len(rows))
	for i, r := range rows {
		all[i] = r.model()
	}
	return all, nil
}

// Freezes lists the freezes of now and before, the latest first, for platform admins and auditors.
func (s *Store) Freezes(ctx context.Context, actor models.Actor) ([]models.Freeze, error) {
	if !actor.SeesAll() {
		return nil, models.Errorf(models.NotFound, "There is no page at this address.")
	}
	all, err := readFreezes(s.read(ctx), `ORDER BY f.created_at DESC, f.id DESC LIMIT ?`, maxFreezes)
	return all, translate(err)
}

// frozenNow is a JSON list of what stops runs at the moment that the actor may see: freezes of all, and of their tenants. Those that last
// longest come first.
func frozenNow(actor models.Actor, now time.Time) (string, []any) {
	seen, args := `true`, []any{now}
	if !actor.SeesAll() {
		mine := texts{}
		for _, m := range actor.Memberships {
			mine = append(mine, m.TenantID)
		}
		seen, args = `(f.tenant_id IS NULL OR f.tenant_id::text = ANY (?::text[]))`, append(args, mine)
	}
	return `(SELECT jsonb_agg(jsonb_build_object('ID', f.id, 'TenantID', COALESCE(f.tenant_id::text, ''), 'TenantSlug', COALESCE(t.slug, ''), 'Reason', f.reason,
			'ByID', f.created_by, 'By', p.name, 'From', f.created_at, 'Until', f.until) ORDER BY f.until DESC)
		FROM ` + freezesJoined + ` WHERE f.lifted_at IS NULL AND f.until > ? AND ` + seen + `)`, args
}

// AddFreeze stops new runs, of the tenant with the slug or of models.Everybody, until a moment in product time. The key is the form's: sent twice, it
// is one freeze.
func (s *Store) AddFreeze(ctx context.Context, actor models.Actor, key, slug, reason string, until time.Time) (f models.Freeze, err error) {
	if !actor.Has(models.PlatformAdmin) {
		return f, models.Errorf(models.Forbidden, "Only platform admins freeze runs.")
	}
	if !models.ValidID(key) {
		key = models.NewID()
	}
	err = s.tx(ctx, func(t *tx) error {
		f = models.Freeze{ID: key, Reason: strings.TrimSpace(reason), ByID: actor.Person.ID, By: actor.Name(), From: t.now(), Until: until}
		switch slug {
		case models.Everybody:
		case "":
			return models.InvalidFields(map[string]string{"tenant": "Say whose: a tenant's short name, or " + models.Everybody + " for all."})
		default:
			ids, err := many[string](t.db, `SELECT id::text FROM tenants WHERE slug = ? AND state <> 'deleted'`, slug)
			if err != nil {
				return fmt.Errorf("find the tenant %s: %w", clip(slug), err)
			}
			if len(ids) == 0 {
				return models.InvalidFields(map[string]string{"tenant": "There is no such tenant."})
			}
			f.TenantID, f.TenantSlug = ids[0], slug
		}
		if err := f.Check(f.From); err != nil {
			return err
		}
		res := t.db.Exec(`INSERT INTO freezes (id, tenant_id, reason, created_by, created_at, until) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			f.ID, orNull(f.TenantID), f.Reason, f.ByID, f.From, f.Until)
		if res.Error != nil {
			return fmt.Errorf("write the freeze: %w", res.Error)
		}
		if res.RowsAffected == 0 {
			return nil
		}
		if err := t.tell(models.FreezeEvent(actor, f, false)); err != nil {
			return err
		}
		return t.audit(actor, "freeze.begin", aboutFreeze(f), nil, map[string]any{"reason": f.Reason, "until": f.Until})
	})
	return f, err
}

func aboutFreeze(f models.Freeze) about {
	name := "all tenants"
	if f.TenantID != "" {
		name = f.TenantSlug
	}
	return about{"freeze", f.ID, name, f.TenantID}
}

// LiftFreeze ends a freeze before its time. What waited for it is looked at at once. Lifting one that has ended changes nothing.
func (s *Store) LiftFreeze(ctx context.Context, actor models.Actor, id string) error {
	if !actor.Has(models.PlatformAdmin) {
		return models.Errorf(models.Forbidden, "Only platform admins lift a freeze.")
	}
	if !models.ValidID(id) {
		return translate(gorm.ErrRecordNotFound)
	}
	return s.tx(ctx, func(t *tx) error {
		found, err := readFreezes(t.db, `WHERE f.id = ? FOR UPDATE OF f`, id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return gorm.ErrRecordNotFound
		}
		f := found[0]
		if !f.Active(t.now()) {
			return nil
		}
		if err := t.db.Exec(`UPDATE freezes SET lifted_at = ?, lifted_by = ? WHERE id = ?`, t.now(), actor.Person.ID, id).Error; err != nil {
			return fmt.Errorf("lift the freeze: %w", err)
		}
		if err := t.tell(models.FreezeEvent(actor, f, true)); err != nil {
			return err
		}
		if err := t.audit(actor, "freeze.lift", aboutFreeze(f), map[string]any{"until": f.Until}, map[string]any{"until": t.now()}); err != nil {
			return err
		}
		waiting, err := many[string](t.db, `SELECT id::text FROM requests WHERE state = ? AND waiting->>'for' = ? ORDER BY number`, models.Approved, models.WaitsForFreeze)
		if err != nil {
			return fmt.Errorf("find what waits for the freeze: %w", err)
		}
		for _, id := range waiting {
			if err := t.nudge(models.RunWork, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// frozen tells which freeze keeps the request from beginning a run; the one that lasts longest. nil: none does.
func (t *tx) frozen(req models.Request) (*models.Freeze, error) {
	found, err := readFreezes(t.db, `WHERE f.lifted_at IS NULL AND f.until > ? AND (f.tenant_id IS NULL OR f.tenant_id = ?) ORDER BY f.until DESC, f.id LIMIT 1`,
		t.now(), orNull(req.TenantID))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// frozenWait is what an approved request waits for while runs are stopped: all that would begin one, deletions too.
func (t *tx) frozenWait(req models.Request) (*models.WaitingOn, error) {
	f, err := t.frozen(req)
	if err != nil || f == nil {
		return nil, err
	}
	return &models.WaitingOn{For: models.WaitsForFreeze, Words: f.Words() + " It starts by itself then.", Since: t.now(), Until: f.Until}, nil
}

// notFrozen refuses what a person would begin while runs are stopped: another attempt, and taking back what was made.
func (t *tx) notFrozen(req models.Request) error {
	f, err := t.frozen(req)
	if err != nil || f == nil {
		return err
	}
	return models.Errorf(models.Conflict, "%s Come back then, or ask a platform admin to lift the freeze.", f.Words())
}
