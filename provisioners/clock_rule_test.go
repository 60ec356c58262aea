package provisioners_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// clockRule finds what reads a clock by itself: Go's, or in SQL the database's.
var clockRule = regexp.MustCompile(`\btime\.(Now|Since|Until)\(|\b(now|NOW|(?i:clock_timestamp|statement_timestamp|transaction_timestamp|timeofday))\(\)|(?i:\b(current_timestamp|localtimestamp|current_date|current_time)\b)`)

// ownClock are the files that may: the clock itself, and those that set and compare leases. River's schema is River's own.
var ownClock = map[string]string{
	"models/clock.go": "time.Now()", "models/store/journal.go": "clock_timestamp()", "models/store/gauges.go": "clock_timestamp()", "models/store/deliver.go": "clock_timestamp()",
	"models/store/retention.go": "clock_timestamp()", "models/store/sessions_recheck.go": "clock_timestamp()", "models/store/work.go": "clock_timestamp()",
	"models/store/migrations/0002_river.sql": "",
}

// TestTimeComesFromTheClock holds the rule that models, store, provisioners and views are given the time.
func TestTimeComesFromTheClock(t *testing.T) {
	seen := 0
	for _, folder := range []string{"models", "provisioners", "views"} {
		err := fs.WalkDir(os.DirFS("../"+folder), ".", func(path string, d fs.DirEntry, err error) error {
			path = folder + "/" + path
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".sql") && !strings.HasSuffix(path, ".templ") {
				return err
			}
			seen++
			src, err := os.ReadFile("../" + path)
			if err != nil {
				return err
			}
			for i, line := range strings.Split(string(src), "\n") {
				if found := readsClock(path, line); found != "" {
					t.Errorf("%s:%d reads a clock: %s", path, i+1, found)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 100 {
		t.Errorf("looked at %d files only", seen)
	}
}

// readsClock gives what in a line of a file reads a clock that is not its own.
func readsClock(path, line string) string {
	code, _, _ := strings.Cut(line, "//")
	if strings.HasSuffix(path, ".sql") {
		code, _, _ = strings.Cut(line, "--")
	}
	code = strings.ReplaceAll(strings.ReplaceAll(code, "t.now()", ""), ") now() time.Time", "") // the transaction's own, which asks the Clock
	if mine, ok := ownClock[path]; ok {
		if mine == "" {
			return ""
		}
		code = strings.ReplaceAll(code, mine, "")
	}
	return clockRule.FindString(code)
}

func TestReadsClockFinds(t *testing.T) {
	for _, tc := range []struct{ path, line, want string }{
		{"models/a.go", "at := time.Now().UTC()", "time.Now("}, {"models/clock.go", "return time.Now().UTC()", ""}, {"models/clock.go", "time.Since(x)", "time.Since("},
		{"models/store/a.go", "`UPDATE a SET b = NOW()`", "NOW()"}, {"models/store/a.go", "WHERE at < current_timestamp`", "current_timestamp"},
		{"models/store/a.go", "lease_until > clock_timestamp()", "clock_timestamp()"}, {"models/store/journal.go", "lease_until > clock_timestamp()", ""},
		{"models/store/migrations/0003.sql", "at timestamptz DEFAULT now(), -- x", "now()"}, {"models/store/migrations/0003.sql", "at timestamptz -- never now()", ""},
		{"models/store/a.go", "now := t.now() // not now()", ""}, {"provisioners/a.go", "e.Clock.Now()", ""},
	} {
		if got := readsClock(tc.path, tc.line); got != tc.want {
			t.Errorf("%s: %q found %q, want %q", tc.path, tc.line, got, tc.want)
		}
	}
}
