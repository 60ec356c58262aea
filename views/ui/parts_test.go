package ui

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// TestOutLink: an output can hold anything; only web addresses become links.
func TestOutLink(t *testing.T) {
	for url, link := range map[string]bool{
		"https://orders.example.com/x?y=1": true, "http://orders.example.com": true,
		"javascript:alert(1)": false, "data:text/html,x": false, "//orders.example.com": false, "orders.example.com": false, "https://": false,
		"https://user:secret@example.com": false, "https://exa mple.com": false, "": false, "ftp://example.com": false,
	} {
		var b bytes.Buffer
		if err := OutLink(Out{URL: url}).Render(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "href="); got != link {
			t.Errorf("%q as a link: %v, want %v: %s", url, got, link, b.String())
		}
	}
}
