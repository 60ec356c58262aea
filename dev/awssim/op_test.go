package awssim

import (
	"testing"
	"time"
)

// TestDurationsComeBackWhole: what is due at a moment is found by that moment as the database gives it back.
func TestDurationsComeBackWhole(t *testing.T) {
	t.Parallel()
	for _, speed := range []float64{1, 7, 60, 333, 10000} {
		for _, d := range []time.Duration{time.Second, 7 * time.Second, 80 * time.Second / 3, time.Hour} {
			if got := (&Sim{speed: speed}).scaled(d); got != got.Truncate(time.Microsecond) || got <= 0 {
				t.Errorf("%s at speed %v is %d ns", d, speed, got)
			}
		}
	}
}
