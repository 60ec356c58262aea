package store

import (
	"slices"
	"testing"

	"slipway/models"
)

// TestAdminsHearOfALostRole: once when it is lost, not at every check that finds it still gone.
func TestAdminsHearOfALostRole(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	players(t, s)
	before := models.RoleHealth{State: models.HealthOK}
	for _, after := range []models.HealthState{models.HealthMissing, models.HealthMissing, models.HealthUnseen} {
		err := s.tx(t.Context(), func(w *tx) error {
			if err := w.startHealth(models.PlatformHealthID, "", "test"); err != nil {
				return err
			}
			return w.keepHealth(models.PlatformHealthID, before, after, healthResult{})
		})
		if err != nil {
			t.Fatal(err)
		}
		before.State = after
	}
	if got := toldBy(t, s, everyWay)[models.TellRoleLost]; !slices.Equal(got, []string{"admin", "approver"}) {
		t.Errorf("told: %q", got)
	}
}
