package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

const healthColumns = `h.object_id, h.state, h.at, h.by_whom, h.since, h.result, h.checking, h.asked_by, h.failure`

type healthRow struct {
	ObjectID string
	State    models.HealthState
	At       *time.Time
	ByWhom   string
	Since    *time.Time
	Result   jsonb
	Checking bool
	AskedBy  string
	Failure  string
}

// healthResult is what the result column holds.
type healthResult struct {
	Roles []models.RoleCheck    `json:"roles,omitempty"`
	Items []models.Prerequisite `json:"items,omitempty"`
}

func (r healthRow) model() (models.RoleHealth, error) {
	var found healthResult
	err := r.Result.decode(&found)
	return models.RoleHealth{State: r.State, At: value(r.At), By: r.ByWhom, Since: value(r.Since), Checking: r.Checking, Asked: r.AskedBy, Roles: found.Roles, Failure: r.Failure}, err
}

// readHealth reads the last check of an account; the zero value when there was none.
func readHealth(db *gorm.DB, objectID string) (models.RoleHealth, error) {
	row, err := one[healthRow](db, `SELECT `+healthColumns+` FROM role_health h WHERE h.object_id = ?`, objectID)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return models.RoleHealth{}, nil
	}
	if err != nil {
		return models.RoleHealth{}, fmt.Errorf("read the role health of %s: %w", objectID, err)
	}
	return row.model()
}

// AccountPage reads all that an account's page shows, in four queries. What is not theirs is NotFound, and audited.
func (s *Store) AccountPage(ctx context.Context, actor models.Actor, tenantSlug string, class models.Class) (p models.AccountPage, err error) {
	if p.Tenant, p.Account, err = s.visibleAccount(ctx, actor, tenantSlug, class); err != nil {
		return p, err
	}
	db := s.read(ctx)
	if p.Health, err = readHealth(db, p.Account.ID); err != nil {
		return p, translate(err)
	}
	seen, args := auditScope(actor)
	rows, err := many[entryRow](db, `SELECT `+auditList.columns+` FROM `+auditList.from+` WHERE e.object_id = ? AND `+seen+` ORDER BY e.at DESC, e.id DESC LIMIT ?`,
		append(append([]any{p.Account.ID}, args...), pageEntries)...)
	if err != nil {
		return p, translate(fmt.Errorf("read the audit entries of %s: %w", p.Account.Name, err))
	}
	for _, e := range rows {
		p.Entries = append(p.Entries, e.model())
	}
	return p, nil
}

// visibleAccount finds the account of a class: the living one, or else the last that was.
func (s *Store) visibleAccount(ctx context.Context, actor models.Actor, tenantSlug string, class models.Class) (models.Tenant, models.Account, error) {
	db := s.read(ctx)
	seen, args := tenantScope(actor, `t.id`)
	row, err := one[tenantRow](db, `SELECT `+tenantColumns+` FROM tenants t WHERE t.slug = ? AND `+seen, append([]any{clip(tenantSlug)}, args...)...)
	if err != nil {
		return models.Tenant{}, models.Account{}, s.unseen(ctx, actor, string(models.TenantObject), tenantSlug, err)
	}
	account, err := one[accountRecord](db, `SELECT `+accountColumns+` FROM accounts a WHERE a.tenant_id = ? AND a.class = ? ORDER BY a.state = 'deleted', a.created_at DESC, a.id LIMIT 1`,
		row.ID, clip(string(class)))
	if err != nil {
		return models.Tenant{}, models.Account{}, translate(err)
	}
	return row.model(), account.model(), nil
}

// TenantHealth reads how Slipway's roles stand in a tenant's accounts, by the account's row. What was never checked is not in it.
func (s *Store) TenantHealth(ctx context.Context, actor models.Actor, tenantID string) (map[string]models.RoleHealth, error) {
	if !actor.SeesTenant(tenantID) {
		return nil, translate(gorm.ErrRecordNotFound)
	}
	rows, err := many[healthRow](s.read(ctx), `SELECT `+healthColumns+` FROM role_health h JOIN accounts a ON a.id = h.account_id WHERE a.tenant_id = ?`, tenantID)
	if err != nil {
		return nil, translate(fmt.Errorf("read the role health of tenant %s: %w", tenantID, err))
	}
	all := map[string]models.RoleHealth{}
	for _, r := range rows {
		if all[r.ObjectID], err = r.model(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// CheckHealthNow has Slipway's roles in an account checked. A check that goes on already is enough.
func (s *Store) CheckHealthNow(ctx context.Context, actor models.Actor, tenantSlug string, class models.Class) error {
	tenant, account, err := s.visibleAccount(ctx, actor, tenantSlug, class)
	switch {
	case err != nil:
		return err
	case !actor.MayCheckHealth(tenant.ID):
		return models.Errorf(models.Forbidden, "Only owners of %s and platform admins can ask for that.", tenantSlug)
	case account.AWSID == "" || account.State == models.Deleted || account.State == models.Creating:
		return models.Errorf(models.Conflict, "Account %s is %s. Its roles can be checked once it is ready.", account.Name, account.State)
	}
	return s.tx(ctx, func(t *tx) error {
		if err := t.audit(actor, "account.health-check", about{string(models.AccountObject), account.ID, account.Name, account.TenantID}, nil, nil); err != nil {
			return err
		}
		return t.startHealth(account.ID, account.ID, actor.Name())
	})
}

// Platform reads how the organization's set-up stood when the worker last looked. Auditors read it.
func (s *Store) Platform(ctx context.Context, actor models.Actor) (models.PlatformHealth, error) {
	if !actor.SeesAll() {
		return models.PlatformHealth{}, models.Errorf(models.NotFound, "There is no page at this address.")
	}
	row, err := one[healthRow](s.read(ctx), `SELECT `+healthColumns+` FROM role_health h WHERE h.object_id = ?`, models.PlatformHealthID)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return models.PlatformHealth{}, nil
	}
	if err != nil {
		return models.PlatformHealth{}, translate(fmt.Errorf("read how the organization's set-up stands: %w", err))
	}
	var found healthResult
	err = row.Result.decode(&found)
	return models.PlatformHealth{At: value(row.At), By: row.ByWhom, Checking: row.Checking, Asked: row.AskedBy, Failure: row.Failure, Items: found.Items, Roles: found.Roles}, err
}

// CheckPlatformNow has the organization's set-up looked at.
func (s *Store) CheckPlatformNow(ctx context.Context, actor models.Actor) error {
	switch {
	case !actor.SeesAll():
		return models.Errorf(models.NotFound, "There is no page at this address.")
	case !actor.Has(models.PlatformAdmin):
		return models.Errorf(models.Forbidden, "Only platform admins can ask for that.")
	}
	return s.tx(ctx, func(t *tx) error {
		if err := t.audit(actor, "platform.health-check", about{"platform", models.PlatformHealthID, "platform", ""}, nil, nil); err != nil {
			return err
		}
		return t.startHealth(models.PlatformHealthID, "", actor.Name())
	})
}

// startHealth wakes the check of an account, or of the organization's set-up; one that is open goes on.
func (t *tx) startHealth(objectID, accountID, by string) error {
	err := t.db.Exec(`INSERT INTO role_health (object_id, account_id, due) VALUES (?, ?, ?) ON CONFLICT (object_id) DO NOTHING`, objectID, orNull(accountID), t.now().Add(24*time.Hour)).Error
	if err != nil {
		return fmt.Errorf("begin a role check of %s: %w", objectID, err)
	}
	begun := t.db.Exec(`UPDATE role_health SET checking = true, asked_by = ? WHERE object_id = ? AND NOT (checking AND EXISTS (SELECT FROM journal WHERE kind = ? AND object_id = ? AND NOT done))`,
		by, objectID, models.HealthWork, objectID)
	if begun.Error != nil {
		return fmt.Errorf("begin a role check of %s: %w", objectID, begun.Error)
	}
	if begun.RowsAffected == 0 {
		return nil
	}
	return t.enqueue(models.HealthWork, objectID, 0)
}
