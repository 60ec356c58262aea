package views

import (
	"strings"

	"slipway/views/ui"
)

// StackStatus says CloudFormation's word for a resource or stack as a person would. A word it does not know stays as it is.
func StackStatus(word string) ui.State {
	verb, ended := strings.CutSuffix(word, "_COMPLETE")
	if ended {
		switch verb {
		case "CREATE":
			return ui.State{Label: "Created", Tone: ui.OK}
		case "UPDATE", "UPDATE_ROLLBACK", "IMPORT":
			return ui.State{Label: map[string]string{"UPDATE": "Updated", "UPDATE_ROLLBACK": "Rolled back", "IMPORT": "Imported"}[verb], Tone: ui.OK}
		case "DELETE":
			return ui.State{Label: "Deleted", Tone: ui.Idle, Icon: ui.IconMinus}
		case "ROLLBACK":
			return ui.State{Label: "Undone", Tone: ui.Fail}
		}
	}
	if verb, going := strings.CutSuffix(word, "_IN_PROGRESS"); going {
		if doing, ok := map[string]string{"CREATE": "Creating", "UPDATE": "Updating", "DELETE": "Deleting", "ROLLBACK": "Undoing", "UPDATE_ROLLBACK": "Rolling back",
			"UPDATE_COMPLETE_CLEANUP": "Cleaning up", "UPDATE_ROLLBACK_COMPLETE_CLEANUP": "Cleaning up", "REVIEW": "Planned"}[verb]; ok {
			return ui.State{Label: doing, Tone: ui.Run}
		}
	}
	switch {
	case strings.HasSuffix(word, "_FAILED"):
		return ui.State{Label: "Failed", Tone: ui.Fail}
	case word == "DELETE_SKIPPED":
		return ui.State{Label: "Kept", Tone: ui.Warn}
	case word == "":
		return ui.State{Label: "Not made yet", Tone: ui.Idle}
	}
	return ui.State{Label: word, Tone: ui.Idle}
}

// worse orders states by how much they want to be seen.
var worse = map[ui.Tone]int{ui.Fail: 5, ui.Warn: 4, ui.Run: 3, ui.Wait: 2, ui.Idle: 1}

// WorstState is the one of several that wants to be seen most.
func WorstState(states ...ui.State) ui.State {
	var worst ui.State
	for i, s := range states {
		if i == 0 || worse[s.Tone] > worse[worst.Tone] {
			worst = s
		}
	}
	return worst
}
