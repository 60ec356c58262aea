package awssim

import (
	"slices"
	"strings"
)

// wordPattern is a filter pattern of words.
type wordPattern struct{ all, some, none []string }

func readPattern(text string) (wordPattern, error) {
	var p wordPattern
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") || strings.HasPrefix(text, "%") {
		return p, logsParameter("Invalid filter pattern: the simulator reads words only")
	}
	for text != "" {
		into := &p.all
		switch text[0] {
		case '-':
			into, text = &p.none, text[1:]
		case '?':
			into, text = &p.some, text[1:]
		}
		word, rest, _ := strings.Cut(text, " ")
		if quoted, ok := strings.CutPrefix(text, `"`); ok {
			var closed bool
			if word, rest, closed = strings.Cut(quoted, `"`); !closed {
				return p, logsParameter("Invalid filter pattern: a quotation mark is missing")
			}
		}
		*into, text = append(*into, word), strings.TrimSpace(rest)
	}
	return p, nil
}

func (p wordPattern) fits(text string) bool {
	has := func(word string) bool { return strings.Contains(text, word) }
	if slices.ContainsFunc(p.none, has) || (len(p.some) > 0 && !slices.ContainsFunc(p.some, has)) {
		return false
	}
	return !slices.ContainsFunc(p.all, func(word string) bool { return !has(word) })
}
