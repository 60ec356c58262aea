// Package views holds the pages: values in, HTML out. The structs are the contract with the handlers, which fill them.
package views

import (
	"slipway/models"
	"slipway/views/ui"
)

var requestStates = map[models.RequestState]ui.State{
	models.Draft:            {Label: "Draft", Tone: ui.Idle, Icon: ui.IconPencil},
	models.Planning:         {Label: "Planning", Tone: ui.Run},
	models.PlanFailed:       {Label: "Plan failed", Tone: ui.Fail},
	models.ChangesRequested: {Label: "Changes asked for", Tone: ui.Warn},
	models.AwaitingApproval: {Label: "Awaiting approval", Tone: ui.Wait},
	models.Approved:         {Label: "Approved", Tone: ui.Wait, Icon: ui.IconCircleCheck},
	models.Running:          {Label: "Running", Tone: ui.Run},
	models.Stopping:         {Label: "Stopping", Tone: ui.Run},
	models.Failed:           {Label: "Failed", Tone: ui.Fail},
	models.Undoing:          {Label: "Undoing", Tone: ui.Run},
	models.Succeeded:        {Label: "Succeeded", Tone: ui.OK},
	models.NoChange:         {Label: "No change", Tone: ui.OK, Icon: ui.IconCircleMinus},
	models.Rejected:         {Label: "Rejected", Tone: ui.Fail},
	models.Expired:          {Label: "Expired", Tone: ui.Idle, Icon: ui.IconClock},
	models.Cancelled:        {Label: "Cancelled", Tone: ui.Idle, Icon: ui.IconCircleMinus},
	models.Undone:           {Label: "Undone", Tone: ui.Idle, Icon: ui.IconUndo},
	models.Abandoned:        {Label: "Abandoned", Tone: ui.Idle, Icon: ui.IconCircleMinus},
}

// RequestState is how pages show where a request or its run stands.
func RequestState(s models.RequestState) ui.State {
	if st, ok := requestStates[s]; ok {
		return st
	}
	return ui.State{Label: string(s), Tone: ui.Idle}
}

var objectStates = map[models.ObjectState]ui.State{
	models.Creating: {Label: "Being made", Tone: ui.Run},
	models.Ready:    {Label: "Ready", Tone: ui.OK},
	models.Changing: {Label: "Being changed", Tone: ui.Run},
	models.Broken:   {Label: "Broken", Tone: ui.Fail},
	models.Deleting: {Label: "Being deleted", Tone: ui.Run},
	models.Deleted:  {Label: "Deleted", Tone: ui.Idle, Icon: ui.IconMinus},
}

// ObjectState is how pages show where a tenant or account stands.
func ObjectState(s models.ObjectState) ui.State {
	if st, ok := objectStates[s]; ok {
		return st
	}
	return ui.State{Label: string(s), Tone: ui.Idle}
}

// awsStates are AWS's own words for an account, in tone only: the word stays AWS's.
var awsStates = map[string]ui.Tone{
	"ACTIVE": ui.OK, "PENDING_ACTIVATION": ui.Run, "SUSPENDED": ui.Warn, "PENDING_CLOSURE": ui.Warn, "CLOSED": ui.Idle,
}

func awsState(word string) ui.State {
	if word == "" {
		return ui.State{Label: "not asked yet", Tone: ui.Idle}
	}
	if tone, ok := awsStates[word]; ok {
		return ui.State{Label: word, Tone: tone}
	}
	return ui.State{Label: word, Tone: ui.Warn}
}

// liveRequest tells whether the engine may move the request at any moment, so that its page keeps asking.
func liveRequest(s models.RequestState) bool {
	switch s {
	case models.Planning, models.Approved, models.Running, models.Stopping, models.Undoing:
		return true
	}
	return false
}

// Failure is why something ended, in four parts: what, why with the numbers, what to do, who owns it with the ids to quote.
type Failure struct {
	What      string // plain words, the callout's title
	Cause     string // with the numbers
	Next      string // what to do, in words
	Owner     string // Platform team, Requester, AWS
	Code      string // AWS error code; may be empty
	RequestID string // AWS request id; may be empty
}

// FailureOf takes over what the engine recorded; nil stays nil.
func FailureOf(f *models.Failure) *Failure {
	if f == nil {
		return nil
	}
	return &Failure{What: f.What, Cause: f.Cause, Next: f.Next, Owner: f.Owner, Code: f.Code, RequestID: f.RequestID}
}

func (f Failure) callout(id string) ui.Callout {
	c := ui.Callout{ID: id, Tone: ui.Fail, Title: f.What, Text: f.Cause, Next: f.Next}
	for _, p := range []ui.Pair{{Label: "Owner", Value: f.Owner}, {Label: "AWS error", Value: f.Code}, {Label: "AWS request id", Value: f.RequestID}} {
		if p.Value != "" {
			c.Facts = append(c.Facts, p)
		}
	}
	return c
}
