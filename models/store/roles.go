package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

type mappingRow struct {
	ID        string
	GroupName string
	Role      models.PlatformRole
	CreatedBy string
	CreatedAt time.Time
}

func (r mappingRow) model() models.RoleMapping {
	return models.RoleMapping{ID: r.ID, Group: r.GroupName, Role: r.Role, CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt}
}

const mappingColumns = `id, group_name, role, created_by, created_at`

// RoleMappings lists which groups give which role, the configured admin groups first. Everyone who is signed in may read
// it: the page for people without a role says which groups give access.
func (s *Store) RoleMappings(ctx context.Context, _ models.Actor) ([]models.RoleMapping, error) {
	rows, err := many[mappingRow](s.read(ctx), `SELECT `+mappingColumns+` FROM role_mappings ORDER BY role, group_name`)
	if err != nil {
		return nil, translate(fmt.Errorf("list role mappings: %w", err))
	}
	var list []models.RoleMapping
	for _, g := range s.opt.AdminGroups {
		list = append(list, models.RoleMapping{Group: g, Role: models.PlatformAdmin, FromConfig: true})
	}
	for _, r := range rows {
		list = append(list, r.model())
	}
	return list, nil
}

// AddRoleMapping grants a platform role to a group.
func (s *Store) AddRoleMapping(ctx context.Context, actor models.Actor, group string, role models.PlatformRole) (models.RoleMapping, error) {
	group = strings.TrimSpace(group)
	bad := map[string]string{}
	if group == "" || len(group) > 256 || strings.ContainsFunc(group, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		bad["group"] = "Give the group's name exactly as your identity provider sends it."
	}
	if !slices.Contains(models.PlatformRoles(), role) {
		bad["role"] = "Choose platform-admin, auditor or requester."
	}
	m := models.RoleMapping{ID: models.NewID(), Group: group, Role: role, CreatedBy: actor.Name()}
	err := s.mappings(ctx, actor, func(t *tx) error {
		if err := models.InvalidFields(bad); err != nil {
			return err
		}
		m.CreatedAt = t.now()
		before, err := t.rolesOf(group)
		if err != nil {
			return err
		}
		if slices.Contains(before, string(role)) {
			return models.Errorf(models.Conflict, "The group %s is %s already.", group, role)
		}
		err = t.db.Exec(`INSERT INTO role_mappings (`+mappingColumns+`) VALUES (?, ?, ?, ?, ?)`, m.ID, group, role, m.CreatedBy, m.CreatedAt).Error
		if err != nil {
			return fmt.Errorf("add the role mapping: %w", err)
		}
		return t.auditMapping(actor, "roles.map", m, before, append(slices.Clone(before), string(role)))
	})
	return m, err
}

// RemoveRoleMapping takes a platform role from a group, unless nobody could be platform-admin any more.
func (s *Store) RemoveRoleMapping(ctx context.Context, actor models.Actor, id string) error {
	if !models.ValidID(id) {
		return translate(gorm.ErrRecordNotFound)
	}
	return s.mappings(ctx, actor, func(t *tx) error {
		row, err := one[mappingRow](t.db, `SELECT `+mappingColumns+` FROM role_mappings WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if row.Role == models.PlatformAdmin && len(s.opt.AdminGroups) == 0 {
			type counted struct{ N int }
			left, err := one[counted](t.db, `SELECT count(*) AS n FROM role_mappings WHERE role = 'platform-admin' AND id <> ?`, id)
			if err != nil {
				return fmt.Errorf("count admin mappings: %w", err)
			}
			if left.N == 0 {
				return models.Errorf(models.Conflict, "This is the last group of platform admins. Map another group first.")
			}
		}
		before, err := t.rolesOf(row.GroupName)
		if err != nil {
			return err
		}
		if err := t.db.Exec(`DELETE FROM role_mappings WHERE id = ?`, id).Error; err != nil {
			return fmt.Errorf("remove the role mapping: %w", err)
		}
		after := slices.DeleteFunc(slices.Clone(before), func(r string) bool { return r == string(row.Role) })
		return t.auditMapping(actor, "roles.unmap", row.model(), before, after)
	})
}

// mappings runs a change of the mapping by an admin; two changes never run at once, so that the last one stays.
func (s *Store) mappings(ctx context.Context, actor models.Actor, fn func(t *tx) error) error {
	if !actor.Has(models.PlatformAdmin) && !actor.IsSystem() {
		return models.Errorf(models.Forbidden, "Only platform admins change who holds which role.")
	}
	return s.tx(ctx, func(t *tx) error {
		if err := t.db.Exec(`LOCK TABLE role_mappings IN SHARE ROW EXCLUSIVE MODE`).Error; err != nil {
			return fmt.Errorf("lock the role mapping: %w", err)
		}
		return fn(t)
	})
}

func (t *tx) rolesOf(group string) ([]string, error) {
	rows, err := many[mappingRow](t.db, `SELECT `+mappingColumns+` FROM role_mappings WHERE group_name = ? ORDER BY role`, group)
	if err != nil {
		return nil, fmt.Errorf("read the roles of %s: %w", group, err)
	}
	roles := []string{}
	for _, r := range rows {
		roles = append(roles, string(r.Role))
	}
	return roles, nil
}

func (t *tx) auditMapping(actor models.Actor, action string, m models.RoleMapping, before, after []string) error {
	slices.Sort(after)
	return t.audit(actor, action, about{Type: "role_mapping", ID: m.ID, Name: m.Group}, map[string]any{"roles": before}, map[string]any{"roles": after})
}
