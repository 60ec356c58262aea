// Package pgtest gives tests databases of their own on a real PostgreSQL, copied from a migrated template.
package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"slipway/deploy/sql"
	"slipway/dev/postgres"
)

// templateLock serialises test binaries that want the same template (any number that nobody else uses).
const templateLock = 7_146_501

// Migrate brings the database at url to the newest schema; it runs as slipway_owner.
type Migrate func(ctx context.Context, url string) error

// Database makes a database that ends with the test, and returns its connection strings for slipway_owner and slipway_app.
func Database(t testing.TB, migrate Migrate) (ownerURL, appURL string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	base, err := server()
	if err != nil {
		t.Fatalf("start a PostgreSQL for tests: %v", err)
	}
	admins, err := administrators()
	if err != nil {
		t.Fatalf("open the PostgreSQL for tests: %v", err)
	}
	template, err := templateFor(ctx, admins, base, migrate)
	if err != nil {
		t.Fatalf("make the template database: %v", err)
	}
	name := "test_" + strings.ToLower(rand.Text()[:12])
	if _, err := admins.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY file_copy OWNER slipway_owner"); err != nil {
		t.Fatalf("copy the template database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := admins.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Logf("drop %s: %v", name, err)
		}
	})
	return at(base, "slipway_owner", name), at(base, "slipway_app", name)
}

// server is the shared server, or this binary's own; its death signal and the next run's sweep clean up after it.
var server = sync.OnceValues(func() (string, error) {
	if shared := os.Getenv(postgres.TestServer); shared != "" {
		return shared, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir, err := postgres.Scratch("slipway-pgtest-")
	if err != nil {
		return "", err
	}
	s, err := postgres.Start(ctx, postgres.Options{Dir: filepath.Join(dir, "pg"), Settings: postgres.Forgetful})
	if err != nil {
		return "", err
	}
	return s.URL("postgres", "postgres"), nil
})

// administrators keeps the superuser's connections: a database costs two statements, and a connection costs the server more than both.
var administrators = sync.OnceValues(func() (*pgxpool.Pool, error) {
	base, err := server()
	if err != nil {
		return nil, err
	}
	cfg, err := pgxpool.ParseConfig(base)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = 4
	return pgxpool.NewWithConfig(context.Background(), cfg)
})

// templates are the names of those that this binary has found or made, by the name of their migration function.
var templates sync.Map

// templateFor makes the template once per server: named after the migration function and the SQL files of the checkout,
// so that a server that outlives a change never hands out an old schema.
func templateFor(ctx context.Context, admins *pgxpool.Pool, base string, migrate Migrate) (string, error) {
	function := runtime.FuncForPC(reflect.ValueOf(migrate).Pointer()).Name()
	if name, ok := templates.Load(function); ok {
		return name.(string), nil
	}
	key, err := templateKey(function)
	if err != nil {
		return "", err
	}
	name := "template_" + key
	if err := findTemplate(ctx, admins, base, name, migrate); err != nil {
		return "", err
	}
	templates.Store(function, name)
	return name, nil
}

func findTemplate(ctx context.Context, admins *pgxpool.Pool, base, name string, migrate Migrate) error {
	lent, err := admins.Acquire(ctx)
	if err != nil {
		return err
	}
	admin := lent.Hijack()
	defer admin.Close(context.WithoutCancel(ctx))
	if _, err := admin.Exec(ctx, `SELECT pg_advisory_lock($1)`, templateLock); err != nil { // freed with the connection
		return err
	}
	var ready bool
	err = admin.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)`, name).Scan(&ready)
	if err != nil || ready {
		return err
	}
	return makeTemplate(ctx, admin, base, name, migrate)
}

func makeTemplate(ctx context.Context, admin *pgx.Conn, base, name string, migrate Migrate) error {
	if err := postgres.Roles(ctx, admin); err != nil {
		return err
	}
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + name + " WITH (FORCE)", "CREATE DATABASE " + name} {
		if _, err := admin.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := execute(ctx, at(base, "", name), sql.Roles); err != nil {
		return err
	}
	if err := migrate(ctx, at(base, "slipway_owner", name)); err != nil {
		return err
	}
	_, err := admin.Exec(ctx, "ALTER DATABASE "+name+" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
	return err
}

func templateKey(function string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, function, sql.Roles)
	root, err := checkout()
	if err != nil {
		return "", err
	}
	for _, folder := range []string{"models", "dev"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".sql" {
				return err
			}
			content, err := os.ReadFile(path)
			fmt.Fprintln(sum, path, len(content))
			sum.Write(content)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:8]), nil
}

// checkout is the folder of go.mod: go test runs each binary in its package's folder.
func checkout() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// at is base's address with another role (empty: the same) and database.
func at(base, role, database string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	if role != "" {
		u.User = url.User(role)
	}
	u.Path = "/" + database
	return u.String()
}

func execute(ctx context.Context, dsn, statement string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}
