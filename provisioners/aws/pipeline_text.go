package aws

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode"
)

// messageOf takes the commit's message out of what CodePipeline makes of it for sources by connection.
func messageOf(summary string) string {
	var s struct{ CommitMessage string }
	if strings.HasPrefix(summary, "{") && len(summary) < 1<<16 && json.Unmarshal([]byte(summary), &s) == nil && s.CommitMessage != "" {
		return s.CommitMessage
	}
	return summary
}

// oneLine is text of others as one line that a page can show: no control characters, and so long at most.
func oneLine(s string, n int) string {
	if len(s) > 8*n { // before anything walks through megabytes
		s = s[:8*n]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
	return clip(strings.TrimSpace(s), n)
}

func httpsOnly(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" || u.Host == "" || len(link) > 2000 {
		return ""
	}
	return link
}
