package handlers

import (
	"encoding/json"
	"slices"
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
	options := []ui.Option{{Value: "", Label: "Any"}, {Value: "failing", Label: "Stands still"}}
	for _, s := range models.RequestStates() {
		if s != models.Draft {
			options = append(options, ui.Option{Value: string(s), Label: views.RequestState(s).Label})
		}
	}
	return options
}

// requestKindOptions are the kinds of request by object, as they read without a name.
func requestKindOptions() []ui.Option {
	kinds := models.RequestKinds()
	slices.Sort(kinds)
	options := []ui.Option{{Value: "", Label: "Any"}}
	for _, k := range kinds {
		options = append(options, ui.Option{Value: string(k), Label: strings.TrimSpace(k.Title(""))})
	}
	return options
}

// tenantInputs reads what a tenant request asks for; false when it asks for something else.
func tenantInputs(q models.Request) (models.TenantInputs, bool) {
	var in models.TenantInputs
	ok := q.Kind == models.CreateTenant && json.Unmarshal(q.Inputs, &in) == nil
	return in, ok
}
