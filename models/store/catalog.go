package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"slipway/models"
	"slipway/models/catalog"
)

// mayReadCatalog is Backstage's reader, and what works for Slipway itself; no person.
func mayReadCatalog(actor models.Actor) error {
	if actor.System != models.CatalogComponent {
		return models.Errorf(models.Forbidden, "The catalogue is read with a token of its own.")
	}
	return nil
}

// CatalogIndex lists the documents there are.
func (s *Store) CatalogIndex(ctx context.Context, actor models.Actor) (catalog.Index, error) {
	var index catalog.Index
	if err := mayReadCatalog(actor); err != nil {
		return index, err
	}
	db := s.read(ctx)
	var err error
	if index.Tenants, err = many[string](db, `SELECT slug FROM tenants WHERE state <> 'deleted' ORDER BY slug`); err != nil {
		return index, translate(fmt.Errorf("list the tenants for the catalogue: %w", err))
	}
	if index.People, err = many[string](db, `SELECT DISTINCT right(id::text, 1) AS part FROM people WHERE issuer <> ? ORDER BY part`, models.SystemIssuer); err != nil {
		return index, translate(fmt.Errorf("list the people for the catalogue: %w", err))
	}
	return index, nil
}

// CatalogGroups lists the groups that have a role in a tenant.
func (s *Store) CatalogGroups(ctx context.Context, actor models.Actor) ([]catalog.Group, error) {
	if err := mayReadCatalog(actor); err != nil {
		return nil, err
	}
	all, err := catalogGroups(s.read(ctx), "", catalog.MaxPerFile+1)
	return all, tooMany(len(all), err)
}

// CatalogPeople lists the people of one part; NotFound when there are none.
func (s *Store) CatalogPeople(ctx context.Context, actor models.Actor, part string) ([]catalog.Person, error) {
	if err := mayReadCatalog(actor); err != nil {
		return nil, err
	}
	all, err := s.catalogPeople(s.read(ctx), `right(p.id::text, 1) = ?`, catalog.MaxPerFile+1, part)
	if err == nil && len(all) == 0 {
		err = gorm.ErrRecordNotFound
	}
	return all, tooMany(len(all), err)
}

// CatalogTenant reads all that a tenant has, in six queries.
func (s *Store) CatalogTenant(ctx context.Context, actor models.Actor, slug string) (f catalog.File, err error) {
	if err := mayReadCatalog(actor); err != nil {
		return f, err
	}
	db := s.read(ctx)
	tenants, err := catalogTenants(db, `t.slug = ?`, 1, clip(slug))
	if err == nil && len(tenants) == 0 {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return f, translate(err)
	}
	f.Tenant = tenants[0]
	of := catalogPlace{`t.id = ?`, []any{f.Tenant.ID}, catalog.MaxPerFile}
	if f.Accounts, err = catalogAccounts(db, of); err != nil {
		return f, translate(err)
	}
	if f.Networks, err = catalogNetworks(db, of); err != nil {
		return f, translate(err)
	}
	if f.Environments, err = catalogEnvironments(db, of); err != nil {
		return f, translate(err)
	}
	if f.Services, err = catalogServices(db, of); err != nil {
		return f, translate(err)
	}
	f.Pipelines, err = catalogPipelines(db, of)
	return f, tooMany(1+len(f.Accounts)+len(f.Networks)+len(f.Environments)+len(f.Services)+len(f.Pipelines), err)
}

// tooMany refuses a document that would have to be cut short.
func tooMany(n int, err error) error {
	if err == nil && n > catalog.MaxPerFile {
		return models.Errorf(models.Unavailable, "This document would hold more than %d entities. Read /backstage/entities in pages instead.", catalog.MaxPerFile)
	}
	return translate(err)
}

// CatalogSection reads what follows a place within its section, in one query.
func (s *Store) CatalogSection(ctx context.Context, actor models.Actor, at catalog.Cursor, limit int) (b catalog.Batch, err error) {
	if err := mayReadCatalog(actor); err != nil {
		return b, err
	}
	db, after := s.read(ctx), catalogPlace{`t.slug >= ? AND (t.slug > ? OR x.name > ?)`, []any{at.Key, at.Key, at.Sub}, limit}
	switch at.Section {
	case catalog.Groups:
		b.Groups, err = catalogGroups(db, at.Key, limit)
	case catalog.People:
		where, args := `TRUE`, []any{}
		if at.Key != "" {
			where, args = `p.id > ?::uuid`, []any{at.Key}
		}
		b.People, err = s.catalogPeople(db, where, limit, args...)
	case catalog.Tenants:
		b.Tenants, err = catalogTenants(db, `t.slug > ?`, limit, at.Key)
	case catalog.Accounts:
		after.where = `t.slug >= ? AND (t.slug > ? OR x.class > ?)`
		b.Accounts, err = catalogAccounts(db, after)
	case catalog.Networks:
		b.Networks, err = catalogNetworks(db, after)
	case catalog.Environments:
		b.Environments, err = catalogEnvironments(db, after)
	case catalog.Services:
		b.Services, err = catalogServices(db, after)
	case catalog.Pipelines:
		b.Pipelines, err = catalogPipelines(db, after)
	default:
		err = models.Errorf(models.Invalid, "The catalogue has no section %d.", at.Section)
	}
	return b, translate(err)
}

// catalogGroups reads groups in order, each with a few of the tenants that it has a role in.
func catalogGroups(db *gorm.DB, after string, limit int) ([]catalog.Group, error) {
	type row struct {
		Name  string
		Roles jsonb
		Total int
	}
	one := func(column string) string {
		return `(SELECT DISTINCT ` + column + ` AS name FROM tenants WHERE ` + column + ` > @after AND state <> 'deleted' ORDER BY 1 LIMIT @limit)`
	}
	rows, err := many[row](db, `SELECT g.name, r.roles, r.total FROM (SELECT DISTINCT name FROM (`+one("owner_group")+` UNION ALL `+one("developer_group")+` UNION ALL `+one("viewer_group")+`) u
		ORDER BY name LIMIT @limit) g CROSS JOIN LATERAL (SELECT (jsonb_agg(jsonb_build_object('slug', f.slug, 'role', f.role) ORDER BY f.slug, f.role) FILTER (WHERE f.nth <= 5)) AS roles, count(*) AS total
			FROM (SELECT t.slug, x.role, row_number() OVER (ORDER BY t.slug, x.role) AS nth FROM tenants t CROSS JOIN LATERAL (VALUES ('owner', t.owner_group), ('developer', t.developer_group), ('viewer', t.viewer_group)) x (role, name)
				WHERE (t.owner_group = g.name OR t.developer_group = g.name OR t.viewer_group = g.name) AND x.name = g.name AND t.state <> 'deleted') f) r ORDER BY g.name`,
		map[string]any{"after": after, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list the groups for the catalogue: %w", err)
	}
	all := make([]catalog.Group, len(rows))
	for i, r := range rows {
		all[i] = catalog.Group{Name: r.Name, All: r.Total}
		if err := r.Roles.decode(&all[i].Of); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// catalogPeople reads people in the order of their ids, with those of their groups that a tenant knows.
func (s *Store) catalogPeople(db *gorm.DB, where string, limit int, args ...any) ([]catalog.Person, error) {
	type row struct {
		ID      string
		Subject string
		Name    string
		Email   string
		Known   texts
		Admin   bool
	}
	rows, err := many[row](db, `SELECT p.id, p.subject, p.name, p.email, ARRAY(SELECT g FROM unnest(p.groups) g WHERE EXISTS (SELECT FROM tenants t WHERE t.owner_group = g AND t.state <> 'deleted')
			OR EXISTS (SELECT FROM tenants t WHERE t.developer_group = g AND t.state <> 'deleted') OR EXISTS (SELECT FROM tenants t WHERE t.viewer_group = g AND t.state <> 'deleted') ORDER BY g) AS known,
		p.groups && ?::text[] OR EXISTS (SELECT FROM role_mappings m WHERE m.role = 'platform-admin' AND m.group_name = ANY (p.groups)) AS admin
		FROM people p WHERE p.issuer <> ? AND `+where+` ORDER BY p.id LIMIT ?`, append(append([]any{texts(s.opt.AdminGroups), models.SystemIssuer}, args...), limit)...)
	if err != nil {
		return nil, fmt.Errorf("list people for the catalogue: %w", err)
	}
	all := make([]catalog.Person, len(rows))
	for i, r := range rows {
		all[i] = catalog.Person{ID: r.ID, Subject: r.Subject, Name: r.Name, Email: r.Email, Groups: r.Known, Admin: r.Admin}
	}
	return all, nil
}
