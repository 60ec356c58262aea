package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestURLChangesWithContent(t *testing.T) {
	for _, name := range []string{"app.css", "app.js", "icons.svg", "favicon.svg"} {
		f := Lookup(name)
		if f == nil {
			t.Fatalf("%s is not embedded", name)
		}
		if want := "/static/" + name + "?v=" + f.Hash; URL(name) != want {
			t.Errorf("URL(%s) = %s, want %s", name, URL(name), want)
		}
		if !Immutable(name, f.Hash) || Immutable(name, "") || Immutable(name, "0000000000") {
			t.Errorf("%s: only its own hash may be cached for ever", name)
		}
	}
	if got := URL("htmx-2.0.11.min.js"); got != "/static/htmx-2.0.11.min.js" || !Immutable("htmx-2.0.11.min.js", "") {
		t.Errorf("a versioned name needs no hash, got %s", got)
	}
	if Immutable("nothing.js", "") || Lookup("../go.mod") != nil {
		t.Error("what is not embedded does not exist")
	}
}

func TestPackedIsTheSame(t *testing.T) {
	for _, name := range []string{"app.css", "app.js", "icons.svg"} {
		f := Lookup(name)
		r, err := gzip.NewReader(bytes.NewReader(f.Gzip()))
		if err != nil {
			t.Fatalf("open packed %s: %v", name, err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, f.Body) {
			t.Errorf("%s: packed body differs (%v)", name, err)
		}
	}
	if Lookup("inter-latin-5.3.0.woff2").Gzip() != nil {
		t.Error("a font is packed already")
	}
}

func TestVendoredListIsTrue(t *testing.T) {
	list, err := os.ReadFile("VENDORED.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| (\\S+) \\|.*`(sha384-[^`]+)` \\|$")
	found := map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(string(list), -1) {
		found[m[1]] = true
		if got := Integrity(m[1]); got != m[2] {
			t.Errorf("%s has integrity %s, listed is %s", m[1], got, m[2])
		}
	}
	for _, name := range []string{"htmx-2.0.11.min.js", "sse-2.2.4.min.js", "inter-latin-5.3.0.woff2", "icons.svg"} {
		if !found[name] {
			t.Errorf("%s is not listed in VENDORED.md", name)
		}
	}
}

// The content policy forbids what these words would do.
func TestOwnScriptKeepsThePolicy(t *testing.T) {
	for _, word := range []string{"eval(", "new Function", ".style", "innerHTML", "http:", "https:"} {
		for _, name := range []string{"app.js", "frame.js"} {
			if strings.Contains(string(Lookup(name).Body), word) {
				t.Errorf("%s contains %q", name, word)
			}
		}
	}
}
