package store

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"slipway/models"
)

// RequestConnection submits a request for a connection: a link to a source host in one account, by default the one that holds the tenant's
// image repositories.
func (s *Store) RequestConnection(ctx context.Context, actor models.Actor, tenantSlug, key string, in models.ConnectionInputs) (models.Request, error) {
	in = models.ConnectionInputs{Name: strings.TrimSpace(in.Name), Provider: in.Provider, Class: in.Class}
	if err := in.Validate(models.CreateConnection); err != nil {
		return models.Request{}, err
	}
	v, err := s.OfferedBlueprint(ctx, actor, models.ConnectionBlueprint)
	if err != nil {
		return models.Request{}, notOffered(err, models.ConnectionBlueprint)
	}
	in.Digest = v.Digest
	return s.order(ctx, actor, tenantSlug, key, "", func(_ *tx, tenant models.Tenant) (submission, error) {
		account, err := home(tenant)
		if in.Class != "" {
			account, err = accountOf(tenant, in.Class)
		}
		in.AccountID, in.Class = account.ID, account.Class
		return submission{kind: models.CreateConnection, objectID: models.NewID(), name: in.Name, inputs: in, field: "name"}, err
	})
}

// ChangeConnection submits the deletion of a connection. It is refused while a pipeline needs it.
func (s *Store) ChangeConnection(ctx context.Context, actor models.Actor, tenantSlug, name string, kind models.RequestKind, key string, in models.ConnectionInputs) (models.Request, error) {
	if kind != models.DeleteConnection {
		return models.Request{}, models.Errorf(models.Invalid, "Connections know no %q.", clip(string(kind)))
	}
	c, err := s.livingConnection(ctx, actor, tenantSlug, name)
	if err != nil {
		return models.Request{}, err
	}
	if strings.TrimSpace(in.Confirm) != c.Name {
		return models.Request{}, models.InvalidFields(map[string]string{"confirm": fmt.Sprintf("Type %s to show that you mean this connection.", c.Name)})
	}
	in = models.ConnectionInputs{Confirm: c.Name, Digest: c.Stack.Digest, AccountID: c.AccountID}
	return s.order(ctx, actor, tenantSlug, key, "", func(t *tx, _ models.Tenant) (submission, error) {
		return submission{kind: kind, objectID: c.ID, name: c.Name, inputs: in}, t.deletable(models.ConnectionObject, c.ID, c.Name)
	})
}

func (s *Store) livingConnection(ctx context.Context, actor models.Actor, tenantSlug, name string) (models.Connection, error) {
	where, args := named(actor, "c", tenantSlug, name)
	c, err := readConnection(s.read(ctx), where, args...)
	if err != nil {
		return c, s.unseen(ctx, actor, string(models.ConnectionObject), tenantSlug+"/"+name, err)
	}
	return c, nil
}

// Connections lists the connections of a tenant that are not deleted.
func (s *Store) Connections(ctx context.Context, actor models.Actor, tenantSlug string) ([]models.Connection, error) {
	seen, args := tenantScope(actor, `t.id`)
	list, err := connections(s.read(ctx), `t.slug = ? AND `+seen, append([]any{clip(tenantSlug)}, args...)...)
	return list, translate(err)
}

func connections(db *gorm.DB, where string, args ...any) ([]models.Connection, error) {
	rows, err := many[connectionRow](db, `SELECT `+connectionColumns+` FROM `+connectionJoined+` WHERE c.state <> 'deleted' AND `+where+` ORDER BY c.name LIMIT 200`, args...)
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	return modelsOf(rows, connectionRow.model)
}
