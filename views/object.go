package views

import (
	"slipway/models"
	"slipway/views/ui"
)

func (s Secret) state() ui.State {
	switch {
	case !s.Known:
		return ui.State{Label: "Not looked at", Tone: ui.Idle}
	case s.Filled:
		return ui.State{Label: "Has a value", Tone: ui.OK}
	}
	return ui.State{Label: "No value yet", Tone: ui.Warn, Icon: ui.IconKey}
}

func secretsLeft(secrets []Secret) string {
	n := 0
	for _, s := range secrets {
		if s.Known && !s.Filled {
			n++
		}
	}
	return countOrNone(n)
}

func countOrNothing(n int) string {
	if n == 0 {
		return "nothing"
	}
	return ui.Plural(n, "thing", "things")
}

// words say what the newest comparison came to.
func (d Drift) words() (ui.State, string) {
	switch d.State {
	case models.DriftUnknown:
		return ui.State{Label: "Never compared", Tone: ui.Idle}, "It is compared every night. CloudFormation says property by property what is not as declared."
	case models.DriftChecking:
		return ui.State{Label: "Comparing now", Tone: ui.Run}, orElse(by(d.By), "CloudFormation looks at each resource.")
	case models.DriftFailed:
		return ui.State{Label: "Could not be compared", Tone: ui.Warn}, d.Failure
	case models.DriftNone:
		return ui.State{Label: "As declared", Tone: ui.OK}, by(d.By)
	case models.DriftFound:
		if len(d.Rows) == 0 {
			return ui.State{Label: "As declared, but for what moves by itself", Tone: ui.OK}, by(d.By)
		}
		if !d.Accepted.At.IsZero() {
			return ui.State{Label: "Accepted", Tone: ui.Idle, Icon: ui.IconCheck}, ""
		}
	}
	return ui.State{}, ""
}

func by(name string) string {
	if name == "" || name == "nightly" {
		return ""
	}
	return "Asked for by " + name + "."
}
