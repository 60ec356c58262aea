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

const (
	catalogTokenColumns = `id, name, scope, created_by, created_at, used_at, revoked_by, revoked_at`
	catalogTouch        = time.Minute // how exact the time of the last use is
	shownRevoked        = 50
)

type catalogTokenRow struct {
	ID        string
	Name      string
	Scope     string
	CreatedBy string
	CreatedAt time.Time
	UsedAt    *time.Time
	RevokedBy string
	RevokedAt *time.Time
}

func (r catalogTokenRow) model() models.CatalogToken {
	return models.CatalogToken{ID: r.ID, Name: r.Name, Scope: r.Scope, CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt, UsedAt: value(r.UsedAt), RevokedBy: r.RevokedBy, RevokedAt: value(r.RevokedAt)}
}

var errCatalogAdmins = models.Errorf(models.Forbidden, "Only platform admins make and revoke the tokens that Backstage reads with.")

// CatalogTokens lists the tokens of the catalogue feed, those that are good first, for platform admins and auditors.
func (s *Store) CatalogTokens(ctx context.Context, actor models.Actor) ([]models.CatalogToken, error) {
	if !actor.SeesAll() {
		return nil, models.Errorf(models.Forbidden, "Only platform admins and auditors see the tokens that Backstage reads with.")
	}
	rows, err := many[catalogTokenRow](s.read(ctx), `SELECT `+catalogTokenColumns+` FROM catalog_tokens ORDER BY revoked_at DESC NULLS FIRST, name, id LIMIT ?`, models.MaxCatalogTokens+shownRevoked)
	if err != nil {
		return nil, translate(fmt.Errorf("list catalogue tokens: %w", err))
	}
	var list []models.CatalogToken
	for _, r := range rows {
		list = append(list, r.model())
	}
	return list, nil
}

// AddCatalogToken keeps a token under its hash.
func (s *Store) AddCatalogToken(ctx context.Context, actor models.Actor, name string, hash []byte) error {
	if !actor.Has(models.PlatformAdmin) {
		return errCatalogAdmins
	}
	token := models.CatalogToken{ID: models.NewID(), Name: strings.TrimSpace(name), Scope: models.CatalogScope}
	if err := token.Check(); err != nil {
		return err
	}
	return s.tx(ctx, func(t *tx) error {
		if err := t.db.Exec(`LOCK TABLE catalog_tokens IN SHARE ROW EXCLUSIVE MODE`).Error; err != nil {
			return fmt.Errorf("lock the catalogue tokens: %w", err)
		}
		names, err := many[string](t.db, `SELECT name FROM catalog_tokens WHERE revoked_at IS NULL`)
		switch {
		case err != nil:
			return fmt.Errorf("read the catalogue tokens: %w", err)
		case slices.Contains(names, token.Name):
			return models.InvalidFields(map[string]string{"name": "Another token has this name. Revoke it first, or choose another name."})
		case len(names) >= models.MaxCatalogTokens:
			return models.Errorf(models.Conflict, "There are %d tokens already, which is all there can be. Revoke one first.", models.MaxCatalogTokens)
		}
		err = t.db.Exec(`INSERT INTO catalog_tokens (id, name, scope, token_hash, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
			token.ID, token.Name, token.Scope, hash, actor.Name(), t.now()).Error
		if err != nil {
			return fmt.Errorf("add catalogue token %s: %w", token.Name, err)
		}
		return t.audit(actor, "catalog_token.add", about{"catalog_token", token.ID, token.Name, ""}, nil, map[string]any{"scope": token.Scope})
	})
}

// RevokeCatalogToken makes a token good for nothing, at once.
func (s *Store) RevokeCatalogToken(ctx context.Context, actor models.Actor, id string) error {
	if !actor.Has(models.PlatformAdmin) {
		return errCatalogAdmins
	}
	if !models.ValidID(id) {
		return translate(gorm.ErrRecordNotFound)
	}
	return s.tx(ctx, func(t *tx) error {
		name, err := one[string](t.db, `UPDATE catalog_tokens SET revoked_at = ?, revoked_by = ? WHERE id = ? AND revoked_at IS NULL RETURNING name`, t.now(), actor.Name(), id)
		if err != nil {
			return err
		}
		return t.audit(actor, "catalog_token.revoke", about{"catalog_token", id, name, ""}, map[string]any{"scope": models.CatalogScope}, nil)
	})
}

// CatalogReader finds the token with a hash and notes its use, once a minute. NotFound: there is none that is good.
func (s *Store) CatalogReader(ctx context.Context, _ models.Actor, hash []byte) (models.CatalogToken, error) {
	row, err := one[catalogTokenRow](s.read(ctx), `SELECT `+catalogTokenColumns+` FROM catalog_tokens WHERE token_hash = ? AND revoked_at IS NULL`, hash)
	if err != nil {
		return models.CatalogToken{}, translate(err)
	}
	if now := s.clock.Now(); now.Sub(value(row.UsedAt)) > catalogTouch {
		err = s.tx(ctx, func(t *tx) error {
			return t.db.Exec(`UPDATE catalog_tokens SET used_at = ? WHERE id = ? AND (used_at IS NULL OR used_at < ?)`, now, row.ID, now.Add(-catalogTouch)).Error
		})
	}
	return row.model(), err
}
