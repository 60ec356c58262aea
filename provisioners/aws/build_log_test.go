package aws

import (
	"strings"
	"testing"
	"unicode/utf8"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

func events(messages ...string) (all []logtypes.OutputLogEvent) {
	for _, m := range messages {
		all = append(all, logtypes.OutputLogEvent{Message: sdk.String(m), Timestamp: sdk.Int64(1_700_000_000_000)})
	}
	return all
}

// TestLogLines makes text of whatever a build writes, and never much of it.
func TestLogLines(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		wrote string
		want  string // lines, parted by |
		cut   bool
	}{
		"plain":                 {"Step 1/7\n", "Step 1/7", false},
		"several lines":         {"a\nb\r\nc\n", "a|b|c", false},
		"empty":                 {"\n", "", false},
		"colours":               {"\x1b[1;31mFAIL\x1b[0m ok", "FAIL ok", false},
		"a title of the window": {"\x1b]0;owned\x07after", "after", false},
		"a link":                {"\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click", false},
		"one that never ends":   {"\x1b]0;" + strings.Repeat("x", 100), "", false},
		"progress":              {"10%\r50%\r100%", "100%", false},
		"script":                {"<script>alert(1)</script>", "<script>alert(1)</script>", false}, // text: the page escapes it
		"controls":              {"a\x00b\x07c\u009bd\u202ee\tf", "abcde\tf", false},
		"no UTF-8":              {"a\xff\xfeb", "a\ufffdb", false},
		"a long line":           {strings.Repeat("é", 3000), strings.Repeat("é", 2000), true},
		"megabytes":             {strings.Repeat("x", 3<<20), strings.Repeat("x", 2000), true},
	} {
		var got []string
		cut := false
		for _, l := range linesOf(events(tc.wrote)) {
			got, cut = append(got, l.Text), cut || l.Cut
			if !utf8.ValidString(l.Text) || l.At.IsZero() {
				t.Errorf("%s: line %+v", name, l)
			}
		}
		if all := strings.Join(got, "|"); all != tc.want || cut != tc.cut {
			t.Errorf("%s: got %.80q (%d), cut %t", name, all, len(all), cut)
		}
	}
	many := linesOf(events(strings.Repeat("\n", 5000)+"end", "next"))
	if len(many) != linesPerEvent+1 || !many[linesPerEvent-1].Cut || many[linesPerEvent].Text != "next" || many[linesPerEvent].Number != linesPerEvent+1 {
		t.Errorf("an event of 5000 lines: %d lines", len(many))
	}
	if full := linesOf(events(strings.Split(strings.Repeat(strings.Repeat("l\n", 19)+"l\x01", 500), "\x01")...)); len(full) != logLines || !full[logLines-1].Cut {
		t.Errorf("a page of 10000 lines: %d lines", len(full))
	}
}

// TestOneLine is what commits and builds may say on a page.
func TestOneLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{" a\nb\tc ": "a b c", "a\x00\x1b[1mb": "a[1mb", "\u202eabc": "abc", strings.Repeat("ä", 600): strings.Repeat("ä", 500) + "…", "\xff": ""} {
		if got := oneLine(in, 500); got != want {
			t.Errorf("%q: got %q", in, got)
		}
	}
	if got := oneLine(strings.Repeat("é", 1<<20), 10); got != strings.Repeat("é", 10)+"…" {
		t.Errorf("megabytes: %q", got)
	}
	if got := messageOf(`{"ProviderType":"GitHub","CommitMessage":"Count again"}`); got != "Count again" {
		t.Errorf("summary: %q", got)
	}
	for link, want := range map[string]string{"https://a.example/x": "https://a.example/x", "javascript:alert(1)": "", "http://a.example": "", "https://" + strings.Repeat("a", 3000): ""} {
		if got := httpsOnly(link); got != want {
			t.Errorf("link %.40s: %q", link, got)
		}
	}
}
