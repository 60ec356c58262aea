package store

import (
	"testing"
	"time"

	"slipway/models"
)

// TestWhoLooksHasItRead: a look brings the next reading of a calm pipeline forward, and of no other.
func TestWhoLooksHasItRead(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	for name, tc := range map[string]struct {
		age    time.Duration
		moving bool
		gap    bool
		by     models.Actor
		soon   bool
	}{
		"calm and old":              {time.Minute, false, false, d.developer, true},
		"read just now":             {time.Second, false, false, d.developer, false},
		"read often anyway":         {time.Minute, true, false, d.developer, false},
		"AWS cannot be read":        {time.Minute, false, true, d.developer, false},
		"somebody who sees nothing": {time.Minute, false, false, models.Actor{Person: models.Person{ID: models.NewID()}}, false},
	} {
		later := d.clock.Now().Add(models.ReadCalm)
		exec(t, d.Store, `UPDATE pipelines SET read_at = $2, moving = $3, read_gap = CASE WHEN $4 THEN '{"what":"it","kind":"denied","words":"no"}'::jsonb END, read_due = $5 WHERE id = $1`,
			d.pipeline.ID, d.clock.Wall().Add(-tc.age), tc.moving, tc.gap, later)
		p, err := d.livingPipeline(t.Context(), d.developer, "payments", "shop")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.LookAtPipeline(t.Context(), tc.by, p); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		due, err := one[struct{ ReadDue time.Time }](d.read(t.Context()), `SELECT read_due FROM pipelines WHERE id = ?`, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if soon := due.ReadDue.Before(later.Add(-time.Second)); soon != tc.soon {
			t.Errorf("%s: it is read soon: %v, want %v", name, soon, tc.soon)
		}
	}
}
