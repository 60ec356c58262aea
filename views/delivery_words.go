package views

import (
	"slipway/models"
	"slipway/views/ui"
)

var executionStates = map[models.ExecutionState]ui.State{
	models.ExecutionAhead:      {Label: "Not reached", Tone: ui.Idle},
	models.ExecutionWaiting:    {Label: "Waiting", Tone: ui.Wait, Icon: ui.IconClock},
	models.ExecutionRunning:    {Label: "Running", Tone: ui.Run},
	models.ExecutionStopping:   {Label: "Stopping", Tone: ui.Run, Icon: ui.IconCirclePause},
	models.ExecutionStopped:    {Label: "Stopped", Tone: ui.Idle, Icon: ui.IconCirclePause},
	models.ExecutionSucceeded:  {Label: "Succeeded", Tone: ui.OK},
	models.ExecutionFailed:     {Label: "Failed", Tone: ui.Fail},
	models.ExecutionSuperseded: {Label: "Superseded", Tone: ui.Idle, Icon: ui.IconCircleMinus},
}

// ExecutionState is how pages show where an execution, a stage or an action of one stands.
func ExecutionState(s models.ExecutionState) ui.State {
	if st, ok := executionStates[s]; ok {
		return st
	}
	return ui.State{Label: string(s), Tone: ui.Idle}
}

var gateStates = map[models.GateState]ui.State{
	models.GatePass:    {Label: "Pass", Tone: ui.OK},
	models.GateFail:    {Label: "Fail", Tone: ui.Fail},
	models.GateWaived:  {Label: "Waived", Tone: ui.Warn, Icon: ui.IconSignpost},
	models.GateWaiting: {Label: "Waiting", Tone: ui.Wait, Icon: ui.IconClock},
	models.GateUnset:   {Label: "Not configured", Tone: ui.Idle, Icon: ui.IconCircleMinus},
}

// GateState is how pages show a gate's result. One that nobody asked for says so: none is skipped silently.
func GateState(s models.GateState) ui.State {
	if st, ok := gateStates[s]; ok {
		return st
	}
	return ui.State{Label: orElse(string(s), "Not judged yet"), Tone: ui.Idle}
}

var promotionStates = map[models.PromotionState]ui.State{
	models.PromotionChecking:   {Label: "Gates are checked", Tone: ui.Run},
	models.PromotionBlocked:    {Label: "A gate blocks it", Tone: ui.Fail, Icon: ui.IconShield},
	models.PromotionHeld:       {Label: "Held", Tone: ui.Warn, Icon: ui.IconCirclePause},
	models.PromotionRequested:  {Label: "Requested", Tone: ui.Wait},
	models.PromotionSucceeded:  {Label: "Runs there", Tone: ui.OK},
	models.PromotionFailed:     {Label: "Failed", Tone: ui.Fail},
	models.PromotionRejected:   {Label: "Rejected", Tone: ui.Fail, Icon: ui.IconX},
	models.PromotionSuperseded: {Label: "Superseded", Tone: ui.Idle, Icon: ui.IconCircleMinus},
}

// PromotionState is how pages show where a promotion stands.
func PromotionState(s models.PromotionState) ui.State {
	if st, ok := promotionStates[s]; ok {
		return st
	}
	return ui.State{Label: string(s), Tone: ui.Idle}
}

// ConnectionStatus is how pages show AWS's word for a connection.
func ConnectionStatus(s models.ConnectionStatus) ui.State {
	switch s {
	case models.ConnectionPending:
		return ui.State{Label: "Waits for a person", Tone: ui.Wait, Icon: ui.IconClock}
	case models.ConnectionAvailable:
		return ui.State{Label: "Available", Tone: ui.OK}
	case models.ConnectionError:
		return ui.State{Label: "In error", Tone: ui.Fail}
	case "":
		return ui.State{Label: "Not read yet", Tone: ui.Idle}
	}
	return ui.State{Label: string(s), Tone: ui.Idle}
}

// PipelineKind is a kind of pipeline in words.
func PipelineKind(k models.PipelineKind) string {
	switch k {
	case models.CodePipeline:
		return "CodePipeline"
	case models.GitHubActions:
		return "GitHub Actions"
	}
	return string(k)
}

var triggerWords = map[models.Trigger]string{
	models.TriggerPush: "a push", models.TriggerImage: "a pushed image", models.TriggerManual: "by hand",
	models.TriggerCreation: "by itself, when the pipeline was made", models.TriggerWorkflow: "a workflow", models.TriggerOther: "something else",
}

// TriggerWords say what started an execution.
func TriggerWords(t models.Trigger) string { return orElse(triggerWords[t], string(t)) }

var scanStates = map[models.ScanState]ui.State{
	models.ScanWaiting:     {Label: "Being scanned", Tone: ui.Run},
	models.ScanComplete:    {Label: "Scanned", Tone: ui.OK},
	models.ScanFailed:      {Label: "The scan failed", Tone: ui.Fail},
	models.ScanUnsupported: {Label: "Cannot be scanned", Tone: ui.Warn},
	models.ScanExpired:     {Label: "The scan has expired", Tone: ui.Warn},
	models.ScanAbsent:      {Label: "Image is not there", Tone: ui.Fail},
	models.ScanUnreadable:  {Label: "Could not be read", Tone: ui.Warn},
}

// ScanState is how pages show what ECR says of an image. One with critical or high findings is not simply well.
func ScanState(s *models.ImageScan) ui.State {
	switch {
	case s == nil || s.State == "":
		return ui.State{Label: "Not scanned yet", Tone: ui.Idle}
	case s.State == models.ScanComplete && s.Counts[models.Critical] > 0:
		return ui.State{Label: ui.Plural(s.Counts[models.Critical], "critical finding", "critical findings"), Tone: ui.Fail}
	case s.State == models.ScanComplete && s.Counts[models.High] > 0:
		return ui.State{Label: ui.Plural(s.Counts[models.High], "high finding", "high findings"), Tone: ui.Warn}
	case s.State == models.ScanComplete:
		return ui.State{Label: "Nothing critical or high", Tone: ui.OK}
	}
	if st, ok := scanStates[s.State]; ok {
		return st
	}
	return ui.State{Label: string(s.State), Tone: ui.Idle}
}

// AnswerWords say what CodePipeline was told of a promotion; empty when it does not wait for an answer.
func AnswerWords(s models.AnswerState) string {
	switch s {
	case models.AnswerDue:
		return "CodePipeline waits for the answer. It is told only after the run has ended."
	case models.AnswerSent:
		return "CodePipeline was told."
	case models.AnswerLate:
		return "CodePipeline had given up waiting before the answer came. What runs goes on, and its page at AWS shows a failed approval."
	case models.AnswerGone:
		return "Somebody else had answered at AWS, or the execution had ended. Slipway read it anew and counts that."
	}
	return ""
}

// GateTitle is a gate's name for people.
func GateTitle(g models.Gate) string {
	if info, ok := models.GateOf(g); ok {
		return info.Title
	}
	return string(g)
}

// ShortDigest is what people compare of an image's digest.
func ShortDigest(image string) string {
	d := models.DigestOf(image)
	if d == "" {
		d = image
	}
	if len(d) > 19 && d[:7] == "sha256:" {
		return d[:19]
	}
	return d
}
