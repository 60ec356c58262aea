package handlers

import (
	"fmt"
	"slices"
	"strings"

	"slipway/models"
	"slipway/views"
)

// undoView says what taking a failed run back would do, as far as it is known before: the steps it goes through, and what stays.
func undoView(r models.RunPage) *views.Undo {
	u := &views.Undo{RunID: r.Run.ID, Stays: staysFor(r.Run.Kind, r.Run.Steps)}
	for i := len(r.Run.Steps) - 1; i >= 0; i-- {
		if s := r.Run.Steps[i]; touched(s) {
			u.Steps = append(u.Steps, s.Title)
		}
	}
	return u
}

// touched tells whether the run may have changed the world with the step.
func touched(s models.Step) bool { return s.State == models.StepDone || s.Intent }

// staysFor names what an undo leaves behind for certain. Without the steps it says what that would be of each kind.
func staysFor(k models.RequestKind, steps []models.Step) []string {
	var stays []string
	any := func(prefix string) bool {
		return steps == nil || slices.ContainsFunc(steps, func(s models.Step) bool { return touched(s) && strings.HasPrefix(s.Name, prefix) })
	}
	switch k {
	case models.CreateTenant, models.AddAccount:
		if any("account.create.") {
			stays = append(stays, "An AWS account that was created stays open. Taking back never closes one.")
		}
	case models.CloseTenant:
		if any("content.") {
			stays = append(stays, "What was deleted is not brought back.")
		}
		if any("account.close.") {
			stays = append(stays, fmt.Sprintf("A closed account stays closed. Only AWS can reinstate it, for %d days.", int(models.ReinstateFor/aDay)))
		}
	default:
		if k.Effect() == models.Destroys {
			stays = append(stays, "What was deleted is not brought back.")
		}
	}
	return stays
}
