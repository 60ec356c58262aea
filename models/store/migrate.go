package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river"

	"slipway/models"
)

// Migrations go forward only, and each must leave the release before it working, because that one still serves while the next
// is rolled out: add tables, and columns with a default or null; drop or rename only what no shipped release reads, one release
// later; build large indexes CONCURRENTLY in a file of their own (-- +goose NO TRANSACTION); grant what is new to slipway_app.
//
//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the database to the newest schema, as slipway_owner. Several at once wait for each other.
func Migrate(ctx context.Context, url string) error {
	db, err := owner(url)
	if err != nil {
		return err
	}
	defer db.Close()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600)) // asks every second, for ten minutes
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// Reindex rebuilds River's indexes without locking writers out; the serving role may not.
func Reindex(ctx context.Context, url string) error {
	db, err := owner(url)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, name := range river.ReindexerIndexNamesDefault() {
		if _, err := db.ExecContext(ctx, "REINDEX INDEX CONCURRENTLY "+pgx.Identifier{name}.Sanitize()); err != nil {
			return fmt.Errorf("reindex %s: %w", name, err)
		}
	}
	return nil
}

func owner(url string) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the migration database URL cannot be read") // pgx's words could hold the password
	}
	cfg.ConnectTimeout = 5 * time.Second
	cfg.RuntimeParams["lock_timeout"] = "10000" // a migration that waits for a lock stops every query behind it
	cfg.RuntimeParams["application_name"] = "slipway-migrate"
	return stdlib.OpenDB(*cfg), nil
}

// SchemaVersion is the number of the newest migration in this binary.
func SchemaVersion() int64 {
	var newest int64
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return 0
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			newest = max(newest, n)
		}
	}
	return newest
}

// Ready tells whether the database answers and has at least this binary's schema. A newer one is fine: migrations keep
// the release before them working.
func (s *Store) Ready(ctx context.Context) error {
	var version int64
	err := s.read(ctx).Raw(`SELECT COALESCE(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version).Error
	if err != nil {
		return translate(fmt.Errorf("read the schema version: %w", err))
	}
	if version < SchemaVersion() {
		return models.Errorf(models.Unavailable, "The database has schema %d, this release needs %d: run slipway migrate.", version, SchemaVersion())
	}
	return nil
}
