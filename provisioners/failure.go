package provisioners

import (
	"errors"
	"fmt"
	"strings"

	"slipway/models"
)

// usedUp is the failure of a step whose tries are used up; what AWS said last is in it when the error can tell.
func usedUp(step Step, tries int, err error) models.Failure {
	f := describe(err)
	if f.What == "" {
		f.What = fmt.Sprintf("%s did not work.", step.Title)
	}
	f.Cause = strings.TrimSpace(fmt.Sprintf("%s Tried %d times; the last answer was: %s", f.Cause, tries, sentence(err)))
	if f.Owner == "" {
		f.Owner = "Platform team"
	}
	if f.Next == "" {
		f.Next = "Look at the last lines of the log, cure the cause, then retry: the run goes on from this step."
	}
	return f
}

func describe(err error) models.Failure {
	var d Described
	if errors.As(err, &d) {
		return d.Describe()
	}
	return models.Failure{}
}

// sentence is an error as one line of a run's log: no stack, no line breaks, bounded.
func sentence(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return s
}

func stopped(req models.Request, at models.Step) *models.Failure {
	why := req.Reason
	if why == "" {
		why = "Stopped"
	}
	return &models.Failure{What: why + ".", Cause: fmt.Sprintf("The run ended at a safe point, before %q.", at.Title), Owner: "Requester",
		Next: "Go on from this step, or give the request up."}
}

func unknownStep(row models.Step, err error) *models.Failure {
	return &models.Failure{What: fmt.Sprintf("%s cannot be run.", row.Title), Cause: sentence(err), Owner: "Platform team",
		Next: "This version of Slipway does not know the step. Deploy one that does, then retry."}
}
