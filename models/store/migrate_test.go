package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"slipway/dev/postgres/pgtest"
	"slipway/models"
)

func nothing(context.Context, string) error { return nil }

func TestMigrateTwiceAndByThreeAtOnce(t *testing.T) {
	t.Parallel()
	ownerURL, appURL := pgtest.Database(t, nothing)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := Migrate(t.Context(), ownerURL); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := Migrate(t.Context(), ownerURL); err != nil {
		t.Errorf("a second time: %v", err)
	}
	s := openAt(t, appURL)
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if n := count(t, s, `SELECT count(*) FROM goose_db_version WHERE version_id > 0`); n != len(migrationNames()) || n == 0 {
		t.Errorf("%d migrations applied, want %d", n, len(migrationNames()))
	}
	if err := Reindex(t.Context(), ownerURL); err != nil {
		t.Errorf("reindex: %v", err)
	}
}

func TestNotReadyWithoutSchemaOrDatabase(t *testing.T) {
	t.Parallel()
	_, appURL := pgtest.Database(t, nothing)
	if err := openAt(t, appURL).Ready(t.Context()); models.KindOf(err) != models.Unavailable || !strings.Contains(models.Message(err), "0001_init, 0002_river, ") {
		t.Errorf("without a schema: %v", err)
	}
	gone := openAt(t, "postgres://slipway_app@127.0.0.1:1/none")
	if err := gone.Ready(t.Context()); models.KindOf(err) != models.Unavailable {
		t.Errorf("no database: got %v, want unavailable", err)
	}
	if err := gone.tx(t.Context(), func(*tx) error { return nil }); models.KindOf(err) != models.Unavailable {
		t.Errorf("no database: got %v, want unavailable", err)
	}
}

// TestServingRoleHasNoMoreRightsThanItNeeds walks what slipway_app must not be able to do.
func TestServingRoleHasNoMoreRightsThanItNeeds(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	signIn(t, s, "ola")
	for _, statement := range []string{
		`UPDATE audit_entries SET actor = 'nobody'`, `DELETE FROM audit_entries`, `TRUNCATE audit_entries`, `UPDATE audit_seals SET seq = seq`, `DELETE FROM audit_seals`,
		`CREATE TABLE mine (id int)`, `ALTER TABLE audit_entries ADD COLUMN x int`, `DROP TABLE people`, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9, true)`,
		`ALTER TABLE approvals DISABLE TRIGGER approvals_four_eyes`, `CREATE SCHEMA mine`,
	} {
		_, err := s.pool.Exec(t.Context(), statement)
		refuses(t, statement, err, "42501")
	}
}

// TestRiverSchemaIsRivers compares our second migration with what River's own migrator makes.
func TestRiverSchemaIsRivers(t *testing.T) {
	t.Parallel()
	oursURL, _ := pgtest.Database(t, Migrate)
	theirsURL, _ := pgtest.Database(t, nothing)
	theirs, err := pgxpool.New(t.Context(), theirsURL)
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	migrator, err := rivermigrate.New(riverpgxv5.New(theirs), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrator.Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	ours, err := pgxpool.New(t.Context(), oursURL)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	validator, err := rivermigrate.New(riverpgxv5.New(ours), nil)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := validator.Validate(t.Context(), nil); err != nil || !v.OK {
		t.Errorf("River finds its schema incomplete: %+v, %v", v, err)
	}
	want, got := riverShape(t, theirs), riverShape(t, ours)
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("not River's: %s", line)
		}
	}
	if len(want) < 40 {
		t.Errorf("only %d lines compared", len(want))
	}
}

// riverShape describes River's columns, indexes, constraints, enum and functions, one a line.
func riverShape(t *testing.T, db *pgxpool.Pool) []string {
	t.Helper()
	var lines []string
	for _, query := range []string{
		`SELECT format('column %s.%s %s null=%s default=%s', table_name, column_name, udt_name || COALESCE(character_maximum_length::text, ''), is_nullable, column_default)
			FROM information_schema.columns WHERE table_schema = 'public' AND table_name LIKE 'river%'`,
		`SELECT 'index ' || indexdef FROM pg_indexes WHERE tablename LIKE 'river%'`,
		`SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid::regclass::text LIKE 'river%'`,
		`SELECT 'enum ' || string_agg(enumlabel, ' ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = 'river_job_state'::regtype`,
		`SELECT format('function %s %s %s', proname, pg_get_function_arguments(oid), regexp_replace(prosrc, '\s+', ' ', 'g')) FROM pg_proc WHERE proname LIKE 'river%'`,
		`SELECT format('table %s %s', relname, relpersistence) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'river%'`,
		`SELECT format('migration %s %s', line, version) FROM river_migration`,
	} {
		rows, err := db.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, found...)
	}
	return lines
}

// TestAddedColumnsDoNotDisturbWhoServes: a release that is running must bear the next one's migration, statements that its
// connections have prepared included.
func TestAddedColumnsDoNotDisturbWhoServes(t *testing.T) {
	t.Parallel()
	s, ownerURL := open(t, func(o *Options) { o.Connections = 1 })
	c := players(t, s)
	seed(t, s, c.dev, 3)
	first, err := s.Requests(t.Context(), c.admin, models.ListQuery{Search: "payments"})
	if err != nil || len(first.Rows) != 1 {
		t.Fatal(len(first.Rows), err)
	}
	r := first.Rows[0]
	visit := func() error {
		_, tenant := s.TenantPage(t.Context(), c.admin, "payments")
		_, request := s.RequestPage(t.Context(), c.admin, r.ID)
		_, run := s.RunPage(t.Context(), c.admin, r.RunID)
		_, home := s.Home(t.Context(), c.admin)
		_, audit := s.AuditEntries(t.Context(), c.admin, models.ListQuery{})
		_, rules := s.RuleActivity(t.Context(), c.admin)
		_, account := s.Registry().Tenant(t.Context(), r.TenantID)
		_, forms := s.ListForms(t.Context(), c.admin)
		return errors.Join(tenant, request, run, home, audit, rules, account, forms)
	}
	if err := visit(); err != nil {
		t.Fatal(err)
	}
	owner, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.Background())
	_, err = owner.Exec(t.Context(), `DO $$ DECLARE name text; BEGIN
		FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP EXECUTE format('ALTER TABLE %I ADD COLUMN of_the_next_release text', name); END LOOP; END $$`)
	if err != nil {
		t.Fatal(err)
	}
	if err := visit(); err != nil {
		t.Errorf("after the next release's migration: %v", err)
	}
}

// TestEveryTableIsGranted fails when a migration forgets the serving role.
func TestEveryTableIsGranted(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	rows, err := s.pool.Query(t.Context(), `SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
		AND (c.relkind = 'r' AND NOT has_table_privilege(c.oid, 'SELECT') OR c.relkind = 'S' AND c.relname <> 'goose_db_version_id_seq' AND NOT has_sequence_privilege(c.oid, 'USAGE'))`)
	if err != nil {
		t.Fatal(err)
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(missing) > 0 {
		t.Errorf("not granted to slipway_app: %v, %v", missing, err)
	}
}

func TestFailuresAreWordsForPeople(t *testing.T) {
	t.Parallel()
	s, _ := open(t, func(o *Options) { o.StatementTimeout = 2 * time.Second })
	for query, kind := range map[string]models.Kind{
		`SELECT 1/0`: models.Internal, `SELECT 'x'::uuid`: models.NotFound, `SELECT pg_sleep(60)`: models.Unavailable, `SELECT E'\x00'`: models.Invalid,
	} {
		err := s.tx(t.Context(), func(w *tx) error {
			_, err := w.pgx.Exec(w.ctx, strings.ReplaceAll(query, `E'\x00'`, `convert_from('\x00', 'UTF8')`))
			return err
		})
		if err == nil || models.KindOf(err) != kind {
			t.Errorf("%s: got %v, want %s", query, err, kind)
		}
	}
}

func TestFullPoolIsUnavailableSoon(t *testing.T) {
	t.Parallel()
	s, _ := open(t, func(o *Options) { o.Connections = 1; o.AcquireTimeout = time.Second })
	err := s.tx(t.Context(), func(*tx) error {
		_, read := s.RoleMappings(t.Context(), models.Actor{})
		return read
	})
	if models.KindOf(err) != models.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	// The connection is free again as soon as the transaction is over; a busy machine may need more than one wait to hand it out.
	for err = s.Ready(t.Context()); models.KindOf(err) == models.Unavailable && t.Context().Err() == nil; {
		err = s.Ready(t.Context())
	}
	if err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestDeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for _, name := range []string{"a", "b"} {
		if err := s.tx(t.Context(), func(w *tx) error { return w.setSetting(name, 0) }); err != nil {
			t.Fatal(err)
		}
	}
	var ready, wg sync.WaitGroup
	ready.Add(2)
	for i, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		wg.Go(func() {
			first := true
			err := s.tx(t.Context(), func(w *tx) error {
				if err := bump(w, order[0]); err != nil {
					return err
				}
				if first {
					first = false
					ready.Done()
					ready.Wait()
				}
				return bump(w, order[1])
			})
			if err != nil {
				t.Errorf("transaction %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := count(t, s, `SELECT sum(value::int) FROM settings`); n != 4 {
		t.Errorf("the sum is %d, want every change once: 4", n)
	}
}

func bump(w *tx, name string) error {
	tag, err := w.pgx.Exec(w.ctx, `UPDATE settings SET value = to_jsonb(value::int + 1) WHERE name = $1`, name)
	if err == nil && tag.RowsAffected() != 1 {
		err = errors.New("no setting " + name)
	}
	if err != nil {
		return fmt.Errorf("bump %s: %w", name, err)
	}
	return nil
}
