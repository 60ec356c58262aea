package views

import (
	"bytes"
	"compress/gzip"
	"testing"

	"slipway/static"
)

// TestFirstPageWeight holds the promise of 60 KB, packed, for everything a first visit loads but the font.
func TestFirstPageWeight(t *testing.T) {
	const limit = 60 * 1024
	for _, s := range stories() {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(render(t, s))); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sum := b.Len()
		for _, name := range []string{"app.css", "app.js", "htmx-2.0.11.min.js", "sse-2.2.4.min.js", "icons.svg", "favicon.svg"} {
			sum += len(static.Lookup(name).Gzip())
		}
		if sum > limit {
			t.Errorf("%s weighs %d bytes, more than %d", s.name, sum, limit)
		}
		if s.name == "home" {
			t.Logf("home: page %d bytes, with assets %d", b.Len(), sum)
		}
	}
}
