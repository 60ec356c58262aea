package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"
)

// mostBytes is the largest file that belongs into the repository.
const mostBytes = 1 << 20

// binaries may be there although nobody can read them: patterns of path.Match.
var binaries = []string{"docs/img/*.png", "static/*.woff2", "models/blueprint/schema.zip"}

// programs are how compiled files begin: ELF, Mach-O (both ways round), Windows.
var programs = []string{"\x7fELF", "\xcf\xfa\xed\xfe", "\xfe\xed\xfa\xcf", "\xca\xfe\xba\xbe", "MZ"}

// unwanted says why a file does not belong into the repository; empty when it does.
func unwanted(name string, size int64, head []byte) string {
	for _, magic := range programs {
		if bytes.HasPrefix(head, []byte(magic)) && bytes.IndexByte(head, 0) >= 0 {
			return "is a compiled program"
		}
	}
	if size > mostBytes {
		return fmt.Sprintf("has %d bytes, %d are the most", size, mostBytes)
	}
	if bytes.IndexByte(head, 0) < 0 {
		return ""
	}
	for _, pattern := range binaries {
		if ok, err := path.Match(pattern, name); err == nil && ok {
			return ""
		}
	}
	return "is binary and not on the list"
}

// TestOnlySourcesAreTracked reads every file that git tracks: once, a program of 92 MB slipped in.
func TestOnlySourcesAreTracked(t *testing.T) {
	list, err := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z").Output()
	if err != nil {
		t.Fatalf("list the tracked files: %v", err)
	}
	names := strings.Split(strings.TrimRight(string(list), "\x00"), "\x00")
	if len(names) < 500 {
		t.Fatalf("only %d files are tracked", len(names))
	}
	for _, name := range names {
		info, err := os.Lstat(name)
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if !info.Mode().IsRegular() {
			t.Errorf("%s is no plain file", name)
			continue
		}
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		head, err := io.ReadAll(io.LimitReader(file, 8192))
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if why := unwanted(name, info.Size(), head); why != "" {
			t.Errorf("%s %s", name, why)
		}
	}
}

func TestUnwantedFiles(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		size int64
		head string
		want string
	}{
		"source":            {"main.go", 900, "package main\n", ""},
		"picture":           {"docs/img/home.png", 90_000, "\x89PNG\r\n\x1a\n\x00", ""},
		"program":           {"slipway-dev", 92 << 20, "\x7fELF\x02\x01\x01\x00", "is a compiled program"},
		"program by a name": {"docs/img/home.png", 900, "\x7fELF\x02\x01\x01\x00", "is a compiled program"},
		"large":             {"testdata/dump.sql", 2 << 20, "SELECT 1;", "has 2097152 bytes, 1048576 are the most"},
		"large picture":     {"docs/img/home.png", 2 << 20, "\x89PNG\x00", "has 2097152 bytes, 1048576 are the most"},
		"archive":           {"backup.tar", 900, "backup\x00\x00", "is binary and not on the list"},
	} {
		if got := unwanted(tc.file, tc.size, []byte(tc.head)); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}
