package provisioners_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// clockRule finds what reads a clock by itself: Go's, or in SQL the database's. clock_timestamp() is for leases alone.
var clockRule = regexp.MustCompile(`\btime\.(Now|Since|Until)\(|\b(now|current_timestamp|statement_timestamp|transaction_timestamp|localtimestamp)\(\)`)

// TestTimeComesFromTheClock holds the rule that models, store, provisioners and views are given the time.
func TestTimeComesFromTheClock(t *testing.T) {
	seen := 0
	for _, folder := range []string{"../models", "../provisioners", "../views"} {
		err := fs.WalkDir(os.DirFS(folder), ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || !strings.HasSuffix(path, ".go") {
				return err
			}
			seen++
			src, err := fs.ReadFile(os.DirFS(folder), path)
			if err != nil {
				return err
			}
			for i, line := range strings.Split(string(src), "\n") {
				code, _, _ := strings.Cut(line, "//")
				code = strings.ReplaceAll(code, "t.now()", "")
				code = strings.ReplaceAll(code, ") now() time.Time", "")
				if clockRule.MatchString(code) && !(folder == "../models" && path == "clock.go") {
					t.Errorf("%s/%s:%d reads a clock: %s", folder, path, i+1, strings.TrimSpace(line))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 50 {
		t.Errorf("looked at %d files only", seen)
	}
}
