package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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

// A migration that waits for a lock stops every query behind it, so it gives up before those do (see Open), lets them through, and tries again.
const (
	lockWait  = 3 * time.Second
	lockTries = 20
)

// Migrate brings the database to the newest schema, as slipway_owner. Several at once wait for each other.
func Migrate(ctx context.Context, url string) error {
	db, err := owner(url)
	if err != nil {
		return err
	}
	defer db.Close()
	p, err := migrator(db)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		if _, err = p.Up(ctx); err == nil {
			return nil
		}
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "55P03" || try == lockTries {
			return fmt.Errorf("migrate the database: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("migrate the database: %w", ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

func migrator(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600)) // asks every second, for ten minutes
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
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
	cfg.RuntimeParams["lock_timeout"] = strconv.FormatInt(lockWait.Milliseconds(), 10)
	cfg.RuntimeParams["application_name"] = "slipway-migrate"
	return stdlib.OpenDB(*cfg), nil
}

// migrationNames are the migrations in this binary by their number: 0001_init of 0001_init.sql.
func migrationNames() map[int64]string {
	names := map[int64]string{}
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return names
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			names[n] = strings.TrimSuffix(e.Name(), ".sql")
		}
	}
	return names
}

// SchemaVersion is the number of the newest migration in this binary.
func SchemaVersion() int64 {
	var newest int64
	for n := range migrationNames() {
		newest = max(newest, n)
	}
	return newest
}

// Ready tells whether the database answers and has every migration of this binary, and names those it has not. A newer schema is fine:
// migrations keep the release before them working.
func (s *Store) Ready(ctx context.Context) error {
	applied, err := many[int64](s.read(ctx), `SELECT DISTINCT version_id FROM goose_db_version WHERE is_applied`)
	if err != nil && !noSchema(err) {
		return translate(fmt.Errorf("read the schema version: %w", err))
	}
	var missing []string
	for n, name := range migrationNames() {
		if !slices.Contains(applied, n) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return models.Errorf(models.Unavailable, "The database lacks the migration %s of this release: run slipway migrate.", strings.Join(missing, ", "))
	}
	return nil
}

// noSchema tells whether nothing was ever migrated here, or nothing was granted yet.
func noSchema(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "42501")
}
