package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

const (
	maxName  = 63
	hashSize = 12 // hexadecimal digits
)

var (
	plainName  = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`)
	looksLike  = regexp.MustCompile(`-[0-9a-f]{12}$`) // as a name that was given a hash
	notInNames = regexp.MustCompile(`[^a-z0-9._]+`)
	reserved   = []string{PlatformGroup}
)

// Name is the name of a thing within Backstage's limits, for ever the same, whatever else there is. Parts that are a good name as they
// stand stay so, joined by dots; anything else becomes readable remains and a hash of what identifies the thing. The two never meet: a
// name that ends as if it had a hash is given one, too.
func Name(id string, parts ...string) string {
	joined := strings.Join(parts, ".")
	dotted := len(parts) > 1 && slices.ContainsFunc(parts, func(p string) bool { return p == "" || strings.Contains(p, ".") })
	if !dotted && len(joined) <= maxName && plainName.MatchString(joined) && !looksLike.MatchString(joined) && !slices.Contains(reserved, joined) {
		return joined
	}
	return Hashed(id, joined)
}

// Hashed is a name that always carries a hash: for things whose readable part others may have, too.
func Hashed(id, text string) string {
	sum := sha256.Sum256([]byte(id))
	rest := notInNames.ReplaceAllString(strings.ToLower(text), "-")
	if most := maxName - hashSize - 1; len(rest) > most {
		rest = rest[:most]
	}
	if rest = strings.Trim(rest, "-._"); rest == "" {
		rest = "x"
	}
	return rest + "-" + hex.EncodeToString(sum[:])[:hashSize]
}

// text is what people wrote, on one line of valid, printable characters and of bounded length.
func text(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return strings.TrimSpace(s)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

var notInTags = regexp.MustCompile(`[^a-z0-9+#]+`)

// tags are the texts as Backstage takes tags; what leaves nothing is left out.
func tags(all ...string) []string {
	var kept []string
	for _, s := range all {
		s = strings.Trim(notInTags.ReplaceAllString(strings.ToLower(s), "-"), "-")
		if len(s) > maxName {
			s = strings.TrimRight(s[:maxName], "-")
		}
		if s != "" && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
