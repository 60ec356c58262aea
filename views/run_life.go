package views

import (
	"slipway/models"
	"slipway/views/ui"
)

// Undo is what taking a failed run back would do, as far as that is known before.
type Undo struct {
	RunID string
	Steps []string // that it goes through, in this order; empty on pages that do not know them
	Stays []string // in sentences
}

// undoSteps is how many steps are named before the rest is counted.
const undoSteps = 6

func (u Undo) named() (some []string, more int) {
	if len(u.Steps) <= undoSteps+1 {
		return u.Steps, 0
	}
	return u.Steps[:undoSteps], len(u.Steps) - undoSteps
}

// doneTitle says what a run that succeeded came to.
func doneTitle(k models.RequestKind) string {
	switch {
	case k == models.CloseTenant:
		return "The tenant is closed as planned"
	case k.Effect() == models.Destroys:
		return "Everything is deleted as planned"
	case k.Effect() == models.Changes, k == models.ChangeTenant, k == models.MoveAccount:
		return "Everything was changed as planned"
	}
	return "Everything was made as planned"
}

func (w Waiting) callout(id string) ui.Callout {
	c := ui.Callout{ID: id, Tone: ui.Wait, Title: "It waits", Text: sentence(w.Words)}
	if w.Person {
		c.Title = "It waits for you, or somebody who may do this"
	}
	return c
}
