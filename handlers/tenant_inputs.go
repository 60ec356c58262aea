package handlers

import (
	"encoding/json"
	"slices"
	"strings"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

// tenantRows shows what was asked for of a tenant; groups nobody has signed in with are marked.
func tenantRows(q models.Request, unseen []string) ([]views.Input, error) {
	switch q.Kind {
	case models.CreateTenant:
		var in models.TenantInputs
		err := json.Unmarshal(q.Inputs, &in)
		rows := []views.Input{{Label: "Short name", Value: in.Slug, Code: true}, {Label: "Display name", Value: in.DisplayName}, {Label: "What it is for", Value: in.Description}}
		rows = append(rows, groupRows(unseen, in.OwnerGroup, in.DeveloperGroup, in.ViewerGroup)...)
		return append(rows, views.Input{Label: "Cost centre", Value: in.CostCentre}, views.Input{Label: "Monthly budget", Value: ui.Dollars(in.Budget)},
			views.Input{Label: "AWS accounts", Value: accountsAsked(in)}), err
	case models.ChangeTenant:
		var in models.ChangeTenantInputs
		err := json.Unmarshal(q.Inputs, &in)
		return append(groupRows(unseen, in.OwnerGroup, in.DeveloperGroup, in.ViewerGroup), views.Input{Label: "Monthly budget", Value: ui.Dollars(in.Budget)}), err
	case models.CloseTenant:
		var in models.CloseTenantInputs
		err := json.Unmarshal(q.Inputs, &in)
		return []views.Input{{Label: "Closes", Value: q.ObjectName, Code: true}, {Label: "Why it ends", Value: in.Reason},
			{Label: "What is in its buckets", Value: goes(in.EmptyBuckets)}, {Label: "What is in its repositories", Value: goes(in.Images)}}, err
	}
	var in models.AccountInputs
	err := json.Unmarshal(q.Inputs, &in)
	rows := []views.Input{{Label: "Class", Value: string(in.Class)}}
	switch q.Kind {
	case models.AddAccount:
		rows = append(rows, views.Input{Label: "Account", Value: "a new one"})
	case models.EnrolAccount:
		rows = append(rows, views.Input{Label: "Account", Value: ui.AccountNumber(in.AWSID)}, views.Input{Label: "Where it stands afterwards", Value: placeWords(in)})
	}
	return rows, err
}

func groupRows(unseen []string, owner, developer, viewer string) []views.Input {
	row := func(label, group string) views.Input {
		in := views.Input{Label: label, Value: group, Code: true}
		if slices.Contains(unseen, group) {
			in.Mark = "nobody with this group has signed in yet"
		}
		return in
	}
	return []views.Input{row("Owners", owner), row("Developers", developer), row("Viewers", viewer)}
}

// accountsAsked names the classes, with the number of each account that is not made but enrolled.
func accountsAsked(in models.TenantInputs) string {
	var all []string
	for _, c := range in.Classes {
		words := string(c)
		if a, ok := in.Enrolled(c); ok {
			words += ": " + ui.AccountNumber(a.AWSID) + ", " + placeWords(a)
		}
		all = append(all, words)
	}
	if len(in.Enrol) > 0 {
		return strings.Join(all, "; ")
	}
	return strings.Join(all, ", ")
}

func placeWords(a models.AccountInputs) string {
	if a.Move {
		return "moved into the unit for " + string(a.Class) + " accounts"
	}
	return "left where it is"
}

func goes(may bool) string {
	if may {
		return "is deleted with it"
	}
	return "stands against the closing"
}
