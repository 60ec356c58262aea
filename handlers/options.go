package handlers

import (
	"encoding/json"
	"strings"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

// sortOr is the sort in force: what was asked for, or the list's own.
func sortOr(asked, own string) string {
	if asked == "" {
		return own
	}
	return asked
}

// keep makes a hidden parameter of a filter form; none when it has no value.
func keep(name, value string) []ui.Pair {
	if value == "" {
		return nil
	}
	return []ui.Pair{{Label: name, Value: value}}
}

func objectStateOptions() []ui.Option {
	options := []ui.Option{{Value: "", Label: "Any"}}
	for _, s := range []models.ObjectState{models.Creating, models.Ready, models.Changing, models.Broken, models.Deleting, models.Deleted} {
		options = append(options, ui.Option{Value: string(s), Label: views.ObjectState(s).Label})
	}
	return options
}

func requestStateOptions() []ui.Option {
	options := []ui.Option{{Value: "", Label: "Any"}}
	for _, s := range models.RequestStates() {
		if s != models.Draft {
			options = append(options, ui.Option{Value: string(s), Label: views.RequestState(s).Label})
		}
	}
	return options
}

// tenantInputs reads what a tenant request asks for; false when it asks for something else.
func tenantInputs(q models.Request) (models.TenantInputs, bool) {
	var in models.TenantInputs
	ok := q.Kind == models.CreateTenant && json.Unmarshal(q.Inputs, &in) == nil
	return in, ok
}

// actions are what the audit log's verbs mean to a reader of an activity list.
var actions = map[string]string{
	"request.submit": "asked for", "request.edit": "changed the answers of", "request.comment": "commented on", "request.planning": "began to plan",
	"request.awaiting_approval": "put up for decision", "request.approved": "has all approvals for", "request.running": "began", "request.stopping": "was asked to stop",
	"request.succeeded": "finished", "request.failed": "stopped at a failure in", "request.rejected": "rejected", "request.cancelled": "cancelled",
	"request.expired": "expired", "request.abandoned": "abandoned", "plan.computed": "computed the plan of", "approval.approve": "approved",
	"approval.reject": "rejected", "approval.changes": "asked for changes in", "approval.break_glass": "approved alone, by break-glass,",
	"tenant.creating": "registered the tenant", "tenant.ready": "made the tenant ready", "tenant.broken": "left the tenant incomplete",
	"account.creating": "reserved an account", "account.slot": "queued an account to be created", "account.change": "recorded what AWS said of an account",
	"rules.change": "put other rules in force by",
}

// actionWords says an audit action as a person would; one without words of its own stays as it is, with spaces.
func actionWords(action string) string {
	if words, ok := actions[action]; ok {
		return words
	}
	return strings.NewReplacer(".", " ", "_", " ").Replace(action)
}
