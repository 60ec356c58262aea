package views

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Classes made of a prefix and a tone; the code spells them out nowhere.
var composed = regexp.MustCompile(`^(is|f|h)-(ok|run|wait|warn|fail|idle|swap|1)$|^c-(1|2|3|a1|idle|fail)$`)

// TestNoUnusedClass holds the rule that a class which no view uses is deleted.
func TestNoUnusedClass(t *testing.T) {
	used := map[string]bool{}
	word := regexp.MustCompile(`[A-Za-z][A-Za-z0-9_-]*`)
	for _, glob := range []string{"*.templ", "ui/*.templ", "chart/*.templ", "*.go", "ui/*.go", "chart/*.go"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") || strings.HasSuffix(f, "_templ.go") {
				continue
			}
			for _, w := range word.FindAllString(read(t, f), -1) {
				used[w] = true
			}
		}
	}
	files, err := filepath.Glob("ui/css/*.css")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CSS part found: %v", err)
	}
	imported := read(t, "app.css")
	comment, class := regexp.MustCompile(`(?s)/\*.*?\*/|"[^"]*"`), regexp.MustCompile(`\.([a-zA-Z][\w-]*)`)
	for _, f := range files {
		if !strings.Contains(imported, filepath.Base(f)) {
			t.Errorf("app.css does not import %s", f)
		}
		for _, m := range class.FindAllStringSubmatch(comment.ReplaceAllString(read(t, f), ""), -1) {
			if !used[m[1]] && !composed.MatchString(m[1]) {
				t.Errorf("%s: no view uses .%s", f, m[1])
			}
		}
	}
}

// TestEveryOwnClassExists finds a misspelt class.
func TestEveryOwnClassExists(t *testing.T) {
	css := read(t, "../static/app.css")
	own := regexp.MustCompile(`class="([^"]*)"`)
	for _, s := range stories() {
		for _, m := range own.FindAllStringSubmatch(render(t, s), -1) {
			for _, c := range strings.Fields(m[1]) {
				if (strings.HasPrefix(c, "s-") || strings.HasPrefix(c, "is-") || strings.HasPrefix(c, "f-")) && !strings.Contains(css, "."+c) {
					t.Errorf("%s uses class %s, which app.css does not know", s.name, c)
				}
			}
		}
	}
}

// TestPolicy finds what the content policy would refuse: style attributes, inline handlers and scripts, foreign addresses.
func TestPolicy(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)<[^>]*\s(style|on[a-z]+|hx-on[:a-z-]*)=|<script(?:>| [^>]*>[^<])|<style|javascript:|(?:src|href)="(?:https?:)?//[^"]*"`)
	outside := regexp.MustCompile(`href="https://[^"]*" rel="noopener noreferrer"`) // a reader goes there, nothing is loaded
	for _, s := range stories() {
		html := strings.ReplaceAll(outside.ReplaceAllString(render(t, s), ""), `href="https://login.example.com/end?x=1&amp;y=2"`, "")
		if bad := forbidden.FindString(html); bad != "" {
			t.Errorf("%s contains %q", s.name, bad)
		}
		if strings.Contains(html, "<script>alert") {
			t.Errorf("%s lets what was typed through", s.name)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
