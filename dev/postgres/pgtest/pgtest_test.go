package pgtest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func schema(ctx context.Context, url string) error {
	return execute(ctx, url, `CREATE TABLE things (id int); INSERT INTO things VALUES (1); GRANT SELECT, INSERT ON things TO slipway_app`)
}

func TestDatabase(t *testing.T) {
	ctx := t.Context()
	owner, app := Database(t, schema)
	other, best := "", time.Hour
	for range 5 { // the machine may be busy: one of them shows what a copy takes
		start := time.Now()
		_, other = Database(t, schema)
		best = min(best, time.Since(start))
	}
	if t.Logf("a further database after %v", best); best > time.Second {
		t.Errorf("a copy of the template took %v, far over 100 ms", best)
	}
	if err := execute(ctx, app, `INSERT INTO things VALUES (2)`); err != nil {
		t.Errorf("the app role may not write what was granted: %v", err)
	}
	if err := execute(ctx, app, `CREATE TABLE more (id int)`); err == nil {
		t.Error("the app role may create tables")
	}
	if err := execute(ctx, owner, `CREATE TABLE more (id int)`); err != nil {
		t.Errorf("the owner may not create tables: %v", err)
	}
	conn, err := pgx.Connect(ctx, other)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var rows int
	var timeout string
	if err := conn.QueryRow(ctx, `SELECT count(*), current_setting('statement_timeout') FROM things`).Scan(&rows, &timeout); err != nil {
		t.Fatal(err)
	}
	if rows != 1 || timeout != "30s" {
		t.Errorf("the other database has %d rows and a statement timeout of %s: want 1 and 30s", rows, timeout)
	}
}
