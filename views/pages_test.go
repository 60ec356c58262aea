package views

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"slipway/models"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	out    = flag.String("out", "", "directory to write every page to, for looking at")
)

// Addresses of assets change with their content; the pages around them do not.
var assetHash = regexp.MustCompile(`\?v=[0-9a-f]{10}|integrity="[^"]*"`)

func render(t *testing.T, s story) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.page.Render(context.Background(), &b); err != nil {
		t.Fatalf("render %s: %v", s.name, err)
	}
	return b.String()
}

// tagStart breaks lines before tags, so that a difference shows where it is.
var tagStart = regexp.MustCompile(`><([a-z!])`)

func TestPages(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range stories() {
		if seen[s.name] {
			t.Errorf("%s is told twice", s.name)
		}
		seen[s.name] = true
		html := render(t, s)
		if *out != "" {
			if err := os.WriteFile(filepath.Join(*out, s.name+".html"), []byte(html), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got := tagStart.ReplaceAllString(assetHash.ReplaceAllString(html, ""), ">\n<$1") + "\n"
		file := filepath.Join("testdata", s.name+".html")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if got != string(want) {
			t.Errorf("%s differs from %s at %s", s.name, file, firstDifference(got, string(want)))
		}
	}
	files, err := filepath.Glob("testdata/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".html"); !seen[name] {
			t.Errorf("%s belongs to no page", f)
		}
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "line " + g[i] + "\nwant " + w[i]
		}
	}
	return "its length"
}

// TestEveryKindHasWords: a webhook's owner chooses from all kinds, and each says what it is.
func TestEveryKindHasWords(t *testing.T) {
	for _, kind := range models.EventKinds() {
		if hookWords[kind] == "" {
			t.Errorf("%s has no words", kind)
		}
	}
}
