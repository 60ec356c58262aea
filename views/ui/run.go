package ui

import (
	"fmt"
	"time"

	"slipway/models"
)

// StepRow is one step of a run. From and Width place its bar, in percent of the run's length so far.
type StepRow struct {
	N     int // position, from 1
	Title string
	Part  string // "payments-nonprod"; empty for what concerns the whole tenant
	State models.StepState
	From  float64
	Width float64
	Took  string // "2 m 14 s"; empty before it started
	Note  string // what it waits for, how often it was tried, or why it was skipped
}

// LogLine is one line of a run's events.
type LogLine struct {
	N     int
	At    time.Time
	Level string // info, ok, warn or fail
	Text  string
}

var stepStates = map[models.StepState]State{
	models.StepPending: {Label: "not started", Tone: Idle},
	models.StepRunning: {Label: "running", Tone: Run},
	models.StepWaiting: {Label: "waiting", Tone: Run, Icon: IconClock},
	models.StepDone:    {Label: "done", Tone: OK},
	models.StepSkipped: {Label: "was there already", Tone: OK, Icon: IconCircleMinus},
	models.StepFailed:  {Label: "failed", Tone: Fail},
	models.StepUndone:  {Label: "undone", Tone: Idle, Icon: IconUndo},
}

func (r StepRow) state() State {
	if s, ok := stepStates[r.State]; ok {
		return s
	}
	return State{Label: string(r.State), Tone: Idle}
}

func (r StepRow) began() bool { return r.Took != "" }

// bar keeps a short step visible.
func (r StepRow) bar() string { return pct(max(r.Width, 0.6)) }

func (r StepRow) alt() string {
	if !r.began() {
		return r.Title + " has not started"
	}
	return fmt.Sprintf("%s took %s", r.Title, r.Took)
}

func (l LogLine) id() string { return fmt.Sprintf("L%d", l.N) }

func (l LogLine) class() string {
	switch l.Level {
	case "fail", "warn", "ok":
		return "is-" + l.Level
	}
	return ""
}
