package store

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/dev/postgres/pgtest"
	"slipway/models"
)

// A migration runs while the release before it serves. What could break that one has to say why it does not, on the line above the statement:
// -- contract: no release since v1.4 reads it.
const contract = "-- contract: "

// harmful are statements that the previous release may not survive. The table is the first group; on one that the same file makes anything goes.
var harmful = map[string]*regexp.Regexp{
	"drops a table":                 regexp.MustCompile(`(?i)^DROP\s+(?:TABLE|VIEW|TYPE|FUNCTION|SEQUENCE|SCHEMA)\s+(?:IF\s+EXISTS\s+)?(\S+)`),
	"drops a column":                regexp.MustCompile(`(?i)^ALTER\s+TABLE\s+(\S+)[\s\S]*\bDROP\s+COLUMN\b`),
	"renames":                       regexp.MustCompile(`(?i)^ALTER\s+\S+\s+(\S+)[\s\S]*\bRENAME\b`),
	"changes a type":                regexp.MustCompile(`(?i)^ALTER\s+TABLE\s+(\S+)[\s\S]*\bALTER\s+(?:COLUMN\s+)?\S+\s+(?:SET\s+DATA\s+)?TYPE\b`),
	"forbids null":                  regexp.MustCompile(`(?i)^ALTER\s+TABLE\s+(\S+)[\s\S]*\bSET\s+NOT\s+NULL\b`),
	"drops a constraint":            regexp.MustCompile(`(?i)^ALTER\s+TABLE\s+(\S+)[\s\S]*\bDROP\s+CONSTRAINT\b`), // an ON CONFLICT may name it
	"drops a default":               regexp.MustCompile(`(?i)^ALTER\s+TABLE\s+(\S+)[\s\S]*\bDROP\s+DEFAULT\b`),
	"adds a constraint":             regexp.MustCompile(`(?i)^ALTER\s+TABLE\s+(\S+)[\s\S]*\bADD\s+(?:CONSTRAINT|CHECK|UNIQUE|FOREIGN|EXCLUDE|PRIMARY)\b`),
	"makes something unique":        regexp.MustCompile(`(?i)^CREATE\s+UNIQUE\s+INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?\S+\s+ON\s+(\S+)`),
	"changes a type's values":       regexp.MustCompile(`(?i)^ALTER\s+TYPE\s+(\S+)`),
	"takes a right away":            regexp.MustCompile(`(?i)^REVOKE\b[\s\S]*\bON\s+(\S+)`),
	"deletes rows":                  regexp.MustCompile(`(?i)^(?:DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+(\S+)`),
	"adds a trigger":                regexp.MustCompile(`(?i)^CREATE\s+(?:CONSTRAINT\s+)?TRIGGER\b[\s\S]*?\bON\s+(\S+)`),
	"adds a column that must exist": nil, // needs a look at the default: see mustExist
}

var (
	addColumn  = regexp.MustCompile(`(?i)\bADD\s+COLUMN\s+(?:IF\s+NOT\s+EXISTS\s+)?([^,;]+(?:\([^)]*\)[^,;]*)*)`)
	alterTable = regexp.MustCompile(`(?i)^ALTER\s+TABLE\s+(\S+)`)
	makesTable = regexp.MustCompile(`(?im)^CREATE\s+(?:UNLOGGED\s+)?(?:TABLE|TYPE)\s+(?:IF\s+NOT\s+EXISTS\s+)?(\S+)`)
)

// breaks lists what a migration does that the release before it may not survive, without a word why it does.
func breaks(source string) (found []string) {
	own := map[string]bool{}
	for _, m := range makesTable.FindAllStringSubmatch(source, -1) {
		own[m[1]] = true
	}
	if strings.Contains(source, "+goose Down") {
		found = append(found, "goes back")
	}
	for _, s := range statements(source) {
		if s.excused {
			continue
		}
		for what, pattern := range harmful {
			if pattern == nil {
				continue
			}
			if m := pattern.FindStringSubmatch(s.text); m != nil && !own[strings.TrimRight(m[1], ";(")] {
				found = append(found, what)
			}
		}
		if m := alterTable.FindStringSubmatch(s.text); m != nil && !own[m[1]] && mustExist(s.text) {
			found = append(found, "adds a column that must exist")
		}
	}
	return found
}

// mustExist tells whether a statement adds a column that old inserts, which do not name it, would leave null against its will.
func mustExist(statement string) bool {
	for _, m := range addColumn.FindAllStringSubmatch(statement, -1) {
		column := strings.ToUpper(m[1])
		if strings.Contains(column, "NOT NULL") && !strings.Contains(column, "DEFAULT") && !strings.Contains(column, "GENERATED") {
			return true
		}
	}
	return false
}

type statement struct {
	text    string
	excused bool
}

// statements cuts a migration at the semicolons that end a line; bodies between goose's marks are one.
func statements(source string) (all []statement) {
	var text strings.Builder
	excused, body := false, false
	end := func() {
		if s := strings.TrimSpace(text.String()); s != "" {
			all = append(all, statement{s, excused})
		}
		text.Reset()
		excused = false
	}
	for line := range strings.Lines(source) {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "-- +goose StatementBegin"):
			body = true
		case strings.HasPrefix(trimmed, "-- +goose StatementEnd"):
			body = false
			end()
		case strings.HasPrefix(trimmed, contract) && len(trimmed) > len(contract)+10:
			excused = true
		case strings.HasPrefix(trimmed, "--"):
		default:
			code, _, _ := strings.Cut(line, " --")
			text.WriteString(strings.TrimRight(code, "\n") + "\n")
			if !body && strings.HasSuffix(strings.TrimSpace(code), ";") {
				end()
			}
		}
	}
	end()
	return all
}

// TestMigrationsLeaveTheReleaseBeforeWorking reads every migration there is.
func TestMigrationsLeaveTheReleaseBeforeWorking(t *testing.T) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil || len(entries) < 6 {
		t.Fatal(len(entries), err)
	}
	for _, e := range entries {
		source, err := migrations.ReadFile("migrations/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range breaks(string(source)) {
			t.Errorf("%s %s: expand now and contract a release later, or say above the statement why nothing that still serves minds (%s...)", e.Name(), what, contract)
		}
	}
}

// TestHarmfulMigrationsAreFound gives the check what it is for.
func TestHarmfulMigrationsAreFound(t *testing.T) {
	for source, want := range map[string]string{
		"DROP TABLE runs;":                                                            "drops a table",
		"ALTER TABLE runs\n    DROP COLUMN failure;":                                  "drops a column",
		"ALTER TABLE runs RENAME COLUMN a TO b;":                                      "renames",
		"alter table runs alter column state type int;":                               "changes a type",
		"ALTER TABLE runs ALTER state SET NOT NULL;":                                  "forbids null",
		"ALTER TABLE runs ADD COLUMN a text NOT NULL;":                                "adds a column that must exist",
		"ALTER TABLE runs ADD COLUMN a text DEFAULT 'x', ADD COLUMN b text NOT NULL;": "adds a column that must exist",
		"ALTER TABLE runs ADD CONSTRAINT x CHECK (a > 0);":                            "adds a constraint",
		"CREATE UNIQUE INDEX x ON runs (a);":                                          "makes something unique",
		"ALTER TABLE runs DROP CONSTRAINT x;":                                         "drops a constraint",
		"REVOKE INSERT ON runs FROM slipway_app;":                                     "takes a right away",
		"DELETE FROM runs;":                                                           "deletes rows",
		"CREATE TRIGGER x BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION f();":   "adds a trigger",
		"ALTER TABLE runs ALTER COLUMN state DROP DEFAULT;":                           "drops a default",
		"ALTER TYPE mood ADD VALUE 'x';":                                              "changes a type's values",
		"-- +goose Down\nSELECT 1;":                                                   "goes back",
		"-- contract: x\nDROP TABLE runs;":                                            "drops a table", // says nothing
		"-- contract: no release since v1.4 reads it\nSELECT 1;\nDROP TABLE runs;":    "drops a table", // excuses another

		"-- contract: no release since v1.4 reads it\nDROP TABLE runs;":                                                 "",
		"CREATE TABLE mine (a int);\nALTER TABLE mine ADD CONSTRAINT x CHECK (a > 0);":                                  "",
		"CREATE TABLE mine (a int);\nCREATE UNIQUE INDEX x ON mine (a);":                                                "",
		"ALTER TABLE runs ADD COLUMN a text NOT NULL DEFAULT '', ADD COLUMN b numeric(14, 2);":                          "",
		"ALTER TABLE runs ADD COLUMN a text; -- DROP COLUMN b;":                                                         "",
		"CREATE INDEX x ON runs (a) WHERE a IS NOT NULL;\nGRANT SELECT ON runs TO slipway_app;":                         "",
		"-- +goose StatementBegin\nCREATE FUNCTION f() AS $$\nBEGIN\n  DELETE FROM x;\nEND $$;\n-- +goose StatementEnd": "",
	} {
		if got := strings.Join(breaks(source), ", "); got != want {
			t.Errorf("%s: found %q, want %q", source, got, want)
		}
	}
}

// TestMigrationLetsQueriesThrough: a migration that cannot have a lock gives up before those behind it do, and gets it in the end.
func TestMigrationLetsQueriesThrough(t *testing.T) {
	t.Parallel()
	ownerURL, appURL := pgtest.Database(t, before12)
	holder, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.WithoutCancel(t.Context()))
	tx, err := holder.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), `SELECT count(*) FROM runs`) // a long report
	}
	if err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error, 1)
	go func() { migrated <- Migrate(t.Context(), ownerURL) }()
	s := openAt(t, appURL)
	eventuallyTrue(t, "the migration to wait", s, `SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'runs'::regclass AND NOT granted)`)
	if n := count(t, s, `SELECT count(*) FROM runs`); n != 0 { // queues behind the migration, for less than it bears
		t.Errorf("%d runs", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Errorf("migrate: %v", err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// before12 is the schema of the releases before 0012_retention.
func before12(ctx context.Context, url string) error {
	db, err := owner(url)
	if err != nil {
		return err
	}
	defer db.Close()
	p, err := migrator(db)
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, 11)
	return err
}

func eventuallyTrue(t *testing.T, what string, s *Store, query string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var yes bool
		if err := s.pool.QueryRow(ctx, query).Scan(&yes); err != nil {
			t.Fatal(err)
		}
		if yes {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// TestSchemaBehindAndAhead: an older schema is named by what it lacks, a newer one serves.
func TestSchemaBehindAndAhead(t *testing.T) {
	t.Parallel()
	ownerURL, appURL := pgtest.Database(t, before12)
	s := openAt(t, appURL)
	err := s.Ready(t.Context())
	if text := models.Message(err); models.KindOf(err) != models.Unavailable || !strings.Contains(text, "0012_retention") || strings.Contains(text, "0006_environments") {
		t.Errorf("an older schema: %v", err)
	}
	if err := Migrate(t.Context(), ownerURL); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("migrated under a running release: %v", err)
	}
	next, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close(context.WithoutCancel(t.Context()))
	if _, err := next.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("the next release's schema: %v", err)
	}
}
