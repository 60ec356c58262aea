package handlers

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// actions are what the audit log's verbs mean to a reader of an activity list; the object's name follows.
var actions = map[string]string{
	"request.submit": "asked for", "request.edit": "changed the answers of", "request.comment": "commented on", "request.planning": "began to plan",
	"request.awaiting_approval": "put up for decision", "request.approved": "has all approvals for", "request.running": "began", "request.stopping": "asked to stop",
	"request.succeeded": "finished", "request.failed": "stopped at a failure in", "request.rejected": "rejected", "request.cancelled": "cancelled",
	"request.expired": "let expire", "request.abandoned": "abandoned", "plan.computed": "computed the plan of", "approval.approve": "approved",
	"approval.reject": "rejected", "approval.changes": "asked for changes in", "approval.break_glass": "approved alone, by break-glass,",
	"tenant.creating": "registered the tenant", "tenant.ready": "made the tenant ready", "tenant.broken": "left the tenant incomplete",
	"tenant.change": "changed what is said of the tenant", "tenant.receipt": "wrote the receipt of the tenant", "tenant.deleting": "began to close the tenant", "tenant.deleted": "closed the tenant",
	"account.creating": "reserved", "account.slot": "queued the creation of", "account.enrolled": "enrolled", "account.access": "noted who gets into",
	"account.health": "noted what its roles may do in", "account.health-check": "asked to check the roles in", "approvals.dropped": "dropped the approvals of",
	"freeze.begin": "froze new runs", "freeze.lift": "lifted a freeze", "rules.change": "put other rules in force by",
	"connection.change": "noted AWS's word on the connection", "identity_provider.creating": "began to make the identity provider", "identity_provider.change": "changed the identity provider",
	"identity_provider.stack": "noted AWS's word on the stack of the identity provider", "identity_provider.deleted": "deleted the identity provider",
	"costs.read-again": "had all read again by the collector",
	"build.register":   "registered a build of", "evidence.post": "posted evidence about", "gate.waive": "waived a gate of", "gate.waiver.end": "took back a waiver of",
	"pipeline.start": "started", "pipeline.stop": "stopped an execution of", "pipeline.retry": "had a stage tried again of",
	"promotion.ask": "asked for the promotion of", "promotion.answer": "answered CodePipeline about", "promotion.succeeded": "finished the promotion of",
	"promotion.requested": "asked to deploy the promotion of", "promotion.blocked": "met a gate in the promotion of", "promotion.held": "holds back the promotion of",
	"promotion.rejected": "rejected the promotion of", "promotion.failed": "stopped at a failure in the promotion of", "promotion.superseded": "replaced the promotion of",
	"promotion.checking": "checks the gates of the promotion of", "stage.freeze": "stopped promotions to", "stage.unfreeze": "lets promotions go again to",
}

// actionWords says an audit action as a person would; one without words of its own stays as it is, with spaces.
func actionWords(action string) string {
	if words, ok := actions[action]; ok {
		return words
	}
	object, state, _ := strings.Cut(action, ".")
	if words, ok := objectMoves[state]; ok {
		return strings.ReplaceAll(words, "%", object)
	}
	return strings.NewReplacer(".", " ", "_", " ").Replace(action)
}

// objectMoves are what the state of an object became, for every kind of object.
var objectMoves = map[string]string{
	"creating": "began to make the %", "ready": "has the % ready", "changing": "began to change the %", "broken": "left the % incomplete", "deleting": "began to delete the %",
	"deleted": "deleted the %", "stack": "noted AWS's word on the stack of the %", "change": "changed the %", "receipt": "wrote the receipt of the %", "estimate": "noted the estimate of the %", "drifted": "found drift in the %", "check_drift": "asked to compare the % with its account", "expiry_warned": "warned of the end of the %",
}

// echoes are moves of a request that only follow from a person's decision, which has an entry of its own.
var echoes = []string{"request.approved", "request.rejected", "request.changes_requested"}

func activities(now time.Time, entries []models.AuditEntry) []ui.Entry {
	var list []ui.Entry
	for _, e := range entries {
		if !slices.Contains(echoes, e.Action) || isSystem(e) {
			list = append(list, activity(now, e))
		}
	}
	return list
}

// isSystem tells whether a part of Slipway acted, and nobody else.
func isSystem(e models.AuditEntry) bool { return e.Role == "system" }

func activity(now time.Time, e models.AuditEntry) ui.Entry {
	entry := ui.Entry{Icon: ui.IconScrollText, Tone: ui.Idle, Who: e.Actor, Text: actionWords(e.Action), When: ui.Ago(now, e.At)}
	if isSystem(e) {
		entry.Who = "Slipway"
	}
	switch e.Action {
	case "request.failed", "tenant.broken", "environment.broken", "network.broken", "service.broken", "connection.broken", "pipeline.broken":
		entry.Icon, entry.Tone = ui.IconCircleX, ui.Fail
	case "request.succeeded", "tenant.ready", "environment.ready", "network.ready", "service.ready", "connection.ready", "pipeline.ready":
		entry.Icon, entry.Tone = ui.IconCircleCheck, ui.OK
	case "account.change":
		entry.Text = accountWords(e)
	}
	switch {
	case e.ObjectType == "request" && models.ValidID(e.ObjectID):
		entry.URL, entry.Word = urls.Request(e.ObjectID), e.ObjectName
	case e.ObjectType == "account":
		entry.Text += " account " + e.ObjectName
	}
	return entry
}

// accountWords says what a change of an account's row means.
func accountWords(e models.AuditEntry) string {
	var was, is struct {
		OU       string `json:"ou"`
		State    string `json:"state"`
		AWSID    string `json:"aws_id"`
		CreateID string `json:"create_id"`
	}
	if json.Unmarshal(e.Before, &was) != nil || json.Unmarshal(e.After, &is) != nil {
		return "changed"
	}
	switch {
	case was.AWSID == "" && is.AWSID != "":
		return "got AWS's number for"
	case was.CreateID == "" && is.CreateID != "":
		return "asked AWS to create"
	case was.OU != is.OU:
		return "moved"
	case was.State != is.State:
		return "made " + is.State
	}
	return "noted AWS's word on"
}
