package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// personColumns are a person and their rights of this moment: roles by today's mapping of the groups last seen, memberships
// by the tenants' own groups.
const personColumns = `p.id AS person_id, p.issuer, p.subject, p.name, p.email, p.groups, p.groups_seen_at,
	ARRAY(SELECT DISTINCT m.role FROM role_mappings m WHERE m.group_name = ANY (p.groups)) AS roles,
	(SELECT jsonb_agg(jsonb_build_object('TenantID', t.id, 'Slug', t.slug, 'Role',
		CASE WHEN t.owner_group = ANY (p.groups) THEN 'owner' WHEN t.developer_group = ANY (p.groups) THEN 'developer' ELSE 'viewer' END) ORDER BY t.slug)
		FROM tenants t WHERE t.owner_group = ANY (p.groups) OR t.developer_group = ANY (p.groups) OR t.viewer_group = ANY (p.groups)) AS memberships`

type personRow struct {
	PersonID     string
	Issuer       string
	Subject      string
	Name         string
	Email        string
	Groups       texts
	GroupsSeenAt time.Time
	Roles        texts
	Memberships  jsonb
}

func (r personRow) person() models.Person {
	return models.Person{ID: r.PersonID, Issuer: r.Issuer, Subject: r.Subject, Name: r.Name, Email: r.Email, Groups: r.Groups, GroupsSeenAt: r.GroupsSeenAt}
}

// actor gives the person their roles, strongest first. The configured admin groups count whatever the mapping says.
func (s *Store) actor(r personRow) (models.Actor, error) {
	a := models.Actor{Person: r.person()}
	for _, role := range models.PlatformRoles() {
		glass := role == models.PlatformAdmin && slices.ContainsFunc(s.opt.AdminGroups, func(g string) bool { return slices.Contains(r.Groups, g) })
		if glass || slices.Contains(r.Roles, string(role)) {
			a.Roles = append(a.Roles, role)
		}
	}
	return a, r.Memberships.decode(&a.Memberships)
}

// actorOf is a person with the roles and memberships of this moment: what "checked again" means where nobody is signed in.
func (s *Store) actorOf(db *gorm.DB, personID string) (models.Actor, error) {
	row, err := one[personRow](db, `SELECT `+personColumns+` FROM people p WHERE p.id = ?`, personID)
	if err != nil {
		return models.Actor{}, fmt.Errorf("read person %s: %w", personID, err)
	}
	return s.actor(row)
}

// upsertPerson writes a person as the provider described them at this sign-in.
func (t *tx) upsertPerson(p models.Person) (models.Actor, error) {
	type key struct{ ID string }
	k, err := one[key](t.db, `INSERT INTO people (id, issuer, subject, name, email, groups, groups_seen_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (issuer, subject) DO UPDATE SET name = excluded.name, email = excluded.email, groups = excluded.groups, groups_seen_at = excluded.groups_seen_at
		RETURNING id`, models.NewID(), p.Issuer, p.Subject, p.Name, p.Email, texts(p.Groups), p.GroupsSeenAt, t.now())
	if err != nil {
		return models.Actor{}, fmt.Errorf("write the person: %w", err)
	}
	return t.s.actorOf(t.db, k.ID)
}

// UnseenGroups lists those of the groups that nobody had at a sign-in yet: perhaps a typing error, perhaps a new team.
func (s *Store) UnseenGroups(ctx context.Context, _ models.Actor, groups []string) ([]string, error) {
	return unseenGroups(s.read(ctx), groups)
}

func unseenGroups(db *gorm.DB, groups []string) ([]string, error) {
	type row struct{ Name string }
	rows, err := many[row](db, `SELECT DISTINCT g.name FROM unnest(?::text[]) AS g (name)
		WHERE NOT EXISTS (SELECT FROM people p WHERE p.groups @> ARRAY[g.name]) ORDER BY g.name`, texts(groups))
	if err != nil {
		return nil, translate(fmt.Errorf("look for groups never seen: %w", err))
	}
	var unseen []string
	for _, r := range rows {
		unseen = append(unseen, r.Name)
	}
	return unseen, nil
}

// AdminGroupsAtStart audits a change of the configured admin groups since the last start, once, however many processes start.
func (s *Store) AdminGroupsAtStart(ctx context.Context) error {
	now := slices.Sorted(slices.Values(s.opt.AdminGroups))
	return s.tx(ctx, func(t *tx) error {
		var before []string
		err := t.setting(adminGroupsSetting, &before)
		if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
			return err
		}
		if err == nil && slices.Equal(before, now) {
			return nil
		}
		if err := t.setSetting(adminGroupsSetting, now); err != nil {
			return err
		}
		return t.audit(models.System("start-up", ""), "roles.break_glass", about{Type: "setting", ID: adminGroupsSetting, Name: "SLIPWAY_ADMIN_GROUPS"},
			map[string]any{"groups": before}, map[string]any{"groups": now})
	})
}
