package pgtest

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Role is a role that the server lets in by its password alone, while all others need none.
type Role struct {
	t    testing.TB
	name string
	app  string
}

// PasswordRole makes a role that may do what the role of a connection string may, and ends with the test.
func PasswordRole(t testing.TB, app string) *Role {
	t.Helper()
	u, err := url.Parse(app)
	if err != nil {
		t.Fatal(err)
	}
	r := &Role{t: t, name: "test_" + strings.ToLower(rand.Text()[:12]), app: app}
	name := pgx.Identifier{r.name}.Sanitize()
	r.exec(`CREATE ROLE ` + name + ` LOGIN IN ROLE ` + pgx.Identifier{u.User.Username()}.Sanitize())
	r.exec(hba(`'local all ` + r.name + ` scram-sha-256' || E'\n' || rules`))
	t.Cleanup(func() {
		r.exec(hba(`replace(rules, 'local all ` + r.name + ` scram-sha-256' || E'\n', '')`))
		r.End()
		r.exec(`DROP ROLE ` + name)
	})
	return r
}

// hba changes the server's rules of who is let in. They are read before they are written: COPY begins with an empty file.
func hba(change string) string {
	return `DO $$ DECLARE rules text := pg_read_file(current_setting('hba_file')); BEGIN
		EXECUTE format('COPY (SELECT line FROM regexp_split_to_table(%L, E''\n'') WITH ORDINALITY AS r (line, n) ORDER BY n) TO %L', rtrim(` + change + `, E'\n'), current_setting('hba_file'));
		PERFORM pg_reload_conf(); END $$`
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// URL connects as the role.
func (r *Role) URL(password string) string {
	u, err := url.Parse(r.app)
	if err != nil {
		r.t.Fatal(err)
	}
	u.User = url.UserPassword(r.name, password)
	return u.String()
}

// Set changes the role's password; connections that are open stay.
func (r *Role) Set(password string) {
	r.t.Helper()
	r.exec(`ALTER ROLE ` + pgx.Identifier{r.name}.Sanitize() + ` PASSWORD ` + quoted(password))
}

// End closes the role's connections.
func (r *Role) End() {
	r.t.Helper()
	r.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ` + quoted(r.name))
}

func (r *Role) exec(sql string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	base, err := server()
	if err == nil {
		err = execute(ctx, base, sql)
	}
	if err != nil {
		r.t.Fatalf("%.60s: %v", sql, err)
	}
}
