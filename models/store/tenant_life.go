package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm"

	"slipway/models"
)

// RequestTenantLife submits what may be asked of a tenant that exists: in is AccountInputs, ChangeTenantInputs or CloseTenantInputs, as
// the kind wants it. Its owners and platform admins may.
func (s *Store) RequestTenantLife(ctx context.Context, actor models.Actor, slug string, kind models.RequestKind, key string, in any) (models.Request, error) {
	in, class, err := s.tenantLife(kind, slug, in)
	if err != nil {
		return models.Request{}, err
	}
	hidden := false
	r, err := s.submit(ctx, actor, key, "", func(t *tx) (submission, error) {
		tenant, err := t.ownTenant(actor, slug)
		if hidden = errors.Is(err, gorm.ErrRecordNotFound); err != nil {
			return submission{}, err
		}
		if why := tenant.MayNot(kind, class); why != "" {
			return submission{}, models.Errorf(models.Conflict, "%s", why)
		}
		if err := changesSomething(tenant, in); err != nil {
			return submission{}, err
		}
		return submission{kind: kind, objectID: tenant.ID, name: tenant.Slug, tenantID: tenant.ID, inputs: in}, nil
	})
	if hidden {
		return r, s.unseen(ctx, actor, string(models.TenantObject), slug, err)
	}
	return r, err
}

// EditTenantLife replaces the inputs of such a request after changes were asked for, or when it could not be planned.
func (s *Store) EditTenantLife(ctx context.Context, actor models.Actor, requestID string, in any) (models.Request, error) {
	r, err := s.Request(ctx, actor, requestID)
	if err != nil {
		return r, err
	}
	in, class, err := s.tenantLife(r.Kind, r.ObjectName, in)
	if err != nil {
		return r, err
	}
	return s.edit(ctx, actor, requestID, models.TenantObject, func(t *tx, r models.Request) (submission, error) {
		tenant, err := t.ownTenant(actor, r.ObjectName)
		if err != nil {
			return submission{}, err
		}
		if why := tenant.MayNot(r.Kind, class); why != "" {
			return submission{}, models.Errorf(models.Conflict, "%s", why)
		}
		return submission{name: r.ObjectName, inputs: in}, changesSomething(tenant, in)
	})
}

// tenantLife checks the inputs of a kind: what it gives back is trimmed, with the class that it is about.
func (s *Store) tenantLife(kind models.RequestKind, slug string, in any) (any, models.Class, error) {
	switch v := in.(type) {
	case models.AccountInputs:
		if kind != models.AddAccount && kind != models.EnrolAccount && kind != models.MoveAccount {
			break
		}
		if v.AWSID = strings.TrimSpace(v.AWSID); kind != models.EnrolAccount {
			v.AWSID, v.Move = "", false
		}
		return v, v.Class, v.Validate(kind)
	case models.ChangeTenantInputs:
		if kind != models.ChangeTenant {
			break
		}
		for _, f := range []*string{&v.OwnerGroup, &v.DeveloperGroup, &v.ViewerGroup} {
			*f = strings.TrimSpace(*f)
		}
		return v, "", v.Validate(s.opt.GroupPattern)
	case models.CloseTenantInputs:
		if kind != models.CloseTenant {
			break
		}
		v.Confirm, v.Reason = strings.TrimSpace(v.Confirm), strings.TrimSpace(v.Reason)
		return v, "", v.Validate(slug)
	}
	return nil, "", models.Errorf(models.Invalid, "Tenants know no %q with these inputs.", clip(string(kind)))
}

// changesSomething refuses a change that would leave everything as it is.
func changesSomething(tenant models.Tenant, in any) error {
	v, ok := in.(models.ChangeTenantInputs)
	if ok && v.OwnerGroup == tenant.OwnerGroup && v.DeveloperGroup == tenant.DeveloperGroup && v.ViewerGroup == tenant.ViewerGroup && v.Budget.Equal(tenant.Budget) {
		return models.InvalidFields(map[string]string{"budget": "Nothing of this differs from what is there already."})
	}
	return nil
}

// ownTenant finds a tenant that the actor may change, with its accounts. What they do not see does not exist; what they see but may not
// change is Forbidden.
func (t *tx) ownTenant(actor models.Actor, slug string) (models.Tenant, error) {
	seen, args := tenantScope(actor, `t.id`)
	row, err := one[tenantRow](t.db, `SELECT `+tenantColumns+` FROM tenants t WHERE t.slug = ? AND `+seen, append([]any{clip(slug)}, args...)...)
	if err != nil {
		return models.Tenant{}, err
	}
	tenant := row.model()
	if !actor.MayRunTenant(tenant.ID) {
		return tenant, models.Errorf(models.Forbidden, "Only owners of %s and platform admins can ask for that.", tenant.Slug)
	}
	tenant.Accounts, err = readAccounts(t.db, tenant.ID)
	return tenant, err
}

// EditTenant corrects what people read of a tenant, at once. Its owners and platform admins may.
func (s *Store) EditTenant(ctx context.Context, actor models.Actor, slug string, facts models.TenantFacts) error {
	for _, f := range []*string{&facts.DisplayName, &facts.Description, &facts.CostCentre} {
		*f = strings.TrimSpace(*f)
	}
	if err := facts.Validate(); err != nil {
		return err
	}
	hidden := false
	err := s.tx(ctx, func(t *tx) error {
		tenant, err := t.ownTenant(actor, slug)
		if hidden = errors.Is(err, gorm.ErrRecordNotFound); err != nil {
			return err
		}
		if tenant.State == models.Deleted || !tenant.ClosingAt.IsZero() {
			return models.Errorf(models.Conflict, "The tenant %s is closed or on its way to be, so it stays as it is.", tenant.Slug)
		}
		return t.saveTenant(actor, tenant.ID, func(m *models.Tenant) {
			m.DisplayName, m.Description, m.CostCentre = facts.DisplayName, facts.Description, facts.CostCentre
		})
	})
	if hidden {
		return s.unseen(ctx, actor, string(models.TenantObject), slug, err)
	}
	return err
}

// saveTenant writes what people and runs may change of a tenant, under a row lock, and audits what differs.
func (t *tx) saveTenant(actor models.Actor, id string, change func(*models.Tenant)) error {
	if err := t.db.Exec(`SELECT 1 FROM tenants WHERE id = ? FOR UPDATE`, id).Error; err != nil {
		return err
	}
	before, err := readTenant(t.db, id)
	if err != nil {
		return err
	}
	after := before
	change(&after)
	old, now := tenantFacts(before), tenantFacts(after)
	if reflect.DeepEqual(old, now) {
		return nil
	}
	err = t.db.Exec(`UPDATE tenants SET display_name = ?, description = ?, owner_group = ?, developer_group = ?, viewer_group = ?, cost_centre = ?, budget = ?, closing_at = ?,
		updated_at = ? WHERE id = ?`, after.DisplayName, after.Description, after.OwnerGroup, after.DeveloperGroup, after.ViewerGroup, after.CostCentre, after.Budget,
		timeOrNull(after.ClosingAt), t.now(), id).Error
	if err != nil {
		return fmt.Errorf("write tenant %s: %w", before.Slug, err)
	}
	return t.audit(actor, "tenant.change", about{string(models.TenantObject), id, before.Slug, id}, old, now)
}

func tenantFacts(t models.Tenant) map[string]any {
	return map[string]any{"display_name": t.DisplayName, "description": t.Description, "owner_group": t.OwnerGroup, "developer_group": t.DeveloperGroup,
		"viewer_group": t.ViewerGroup, "cost_centre": t.CostCentre, "budget": t.Budget.String(), "closing_at": timeOrNull(t.ClosingAt)}
}
