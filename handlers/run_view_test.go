package handlers

import (
	"strings"
	"testing"
	"time"

	"slipway/models"
)

// TestSweptRunSaysSo: a run without events tells a log that is still to come from one that was deleted.
func TestSweptRunSaysSo(t *testing.T) {
	p := models.RunPage{Run: models.Run{ID: "r", State: models.Succeeded, StartedAt: testNow.Add(-100 * aDay), EndedAt: testNow.Add(-100*aDay + time.Hour)}, Request: models.Request{State: models.Succeeded}}
	if d := runView(testNow, models.Actor{}, p, false); d.LogSwept != "" {
		t.Errorf("got %q of a run that was not swept", d.LogSwept)
	}
	p.Run.EventsCleared = testNow.Add(-9 * aDay)
	if d := runView(testNow, models.Actor{}, p, false); !strings.HasPrefix(d.LogSwept, "These lines were deleted on 14 Nov 2026: events are kept for 90 days") || d.Elapsed != "took 1 h 00 m" {
		t.Errorf("got %q, %q", d.LogSwept, d.Elapsed)
	}
}
