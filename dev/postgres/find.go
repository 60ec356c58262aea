package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MinVersion is the oldest PostgreSQL Slipway's SQL runs on.
const MinVersion = 15

const superuser = "postgres"

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// usual are the folders packages install to, besides the PATH.
var usual = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin", "/Applications/Postgres.app/Contents/Versions/*/bin",
}

// Find returns the folder of the newest usable server programs: SLIPWAY_PG_BIN if set, else the PATH and the usual folders.
func Find() (string, error) { return find(0) }

// find prefers a major version, for data that was made by it.
func find(prefer int) (string, error) {
	if bin := os.Getenv("SLIPWAY_PG_BIN"); bin != "" {
		version, err := versionOf(bin)
		if err == nil && version < MinVersion {
			err = fmt.Errorf("version %d is older than %d", version, MinVersion)
		}
		if err != nil {
			return "", fmt.Errorf("SLIPWAY_PG_BIN=%s: %w", bin, err)
		}
		return bin, nil
	}
	type found struct {
		dir     string
		version int
	}
	var all []found
	for _, dir := range candidates() {
		if version, err := versionOf(dir); err == nil && version >= MinVersion {
			all = append(all, found{dir, version})
		}
	}
	if len(all) == 0 {
		return "", fmt.Errorf("no PostgreSQL server programs (initdb, postgres) of version %d or newer were found: run make dev, which installs them, or set SLIPWAY_PG_BIN to their folder", MinVersion)
	}
	rank := func(f found) int {
		if f.version == prefer {
			return 1000
		}
		return f.version
	}
	return slices.MaxFunc(all, func(a, b found) int { return cmp.Compare(rank(a), rank(b)) }).dir, nil
}

func candidates() []string {
	var dirs []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(initdb); err == nil { // initdb finds its siblings and share files from its own place
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	for _, pattern := range usual {
		matches, _ := filepath.Glob(pattern)
		dirs = append(dirs, matches...)
	}
	return append(dirs, installed()...)
}

// installed is where scripts/postgres puts its own copy: in the checkout, above wherever a test runs.
func installed() []string {
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return []string{filepath.Join(dir, ".cache", "postgres", "native", "bin")}
		}
		dir = filepath.Dir(dir)
	}
	return nil
}

func versionOf(bin string) (int, error) {
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		return 0, err
	}
	out, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("ask postgres for its version: %w", err)
	}
	match := versionPattern.FindSubmatch(out)
	if match == nil {
		return 0, errors.New("postgres does not tell its version")
	}
	return strconv.Atoi(string(match[1]))
}

// madeBy is the major version that made the data, 0 when there is none yet.
func madeBy(data string) int {
	content, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return 0
	}
	version, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return version
}

// matching refuses data of another major version, in words: PostgreSQL's own are in a log nobody reads.
func matching(bin, data string) error {
	version, err := versionOf(bin)
	if err != nil {
		return err
	}
	if made := madeBy(data); made != version {
		return fmt.Errorf("%s was made by PostgreSQL %d, but %s is version %d: set SLIPWAY_PG_BIN to the other programs, or remove the folder to start anew", data, made, bin, version)
	}
	return nil
}
