package store

import (
	"testing"

	"slipway/models"
)

// TestCursorsOfWhatNeverEnds: a page may end at a row whose time is infinite; anything else that is no time is refused.
func TestCursorsOfWhatNeverEnds(t *testing.T) {
	t.Parallel()
	for value, ok := range map[string]bool{"infinity": true, "-infinity": true, "2026-11-26 10:00:00+00": true, "never": false, "": false} {
		c := cursor{"expires", value, models.NewID()}
		got, err := parseCursor(c.String(), "expires", column{`COALESCE(e.expires_at, 'infinity')`, "timestamptz"})
		if (err == nil) != ok || ok && got != c {
			t.Errorf("%q: %+v, %v", value, got, err)
		}
	}
}
