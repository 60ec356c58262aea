package handlers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// modeWords say what a plan does to a stack. The first plans had no mode: they make it.
var modeWords = map[models.StackMode]string{
	models.StackCreate:  "makes the stack",
	models.StackUpdate:  "changes the stack",
	models.StackRevert:  "puts back what drifted",
	models.StackRecover: "ends the roll-back that stopped",
	models.StackDelete:  "deletes the stack",
}

// byServiceOver is how many changes of one action a part shows before they stand by service.
const byServiceOver = 20

// foldByService puts many additions or changes of a part behind one row for each AWS service. What deletes or replaces always stands by
// itself.
func foldByService(v views.PlanPart) views.PlanPart {
	for _, action := range []models.Action{models.Modify, models.Add} {
		count := 0
		for _, ch := range v.Changes {
			if ch.Action == action {
				count++
			}
		}
		if count <= byServiceOver {
			continue
		}
		var rest []ui.Change
		at := map[string]int{}
		for _, ch := range v.Changes {
			if ch.Action != action || len(ch.Problems) > 0 {
				rest = append(rest, ch)
				continue
			}
			service := awsService(ch.Type)
			i, known := at[service]
			if !known {
				i = len(v.Folds)
				at[service] = i
				v.Folds = append(v.Folds, ui.Fold{ID: fmt.Sprintf("%s-%s-%s", v.ID, action, strings.ToLower(strings.ReplaceAll(service, " ", "-"))), Action: action, Title: cmp.Or(serviceWords[service], service)})
			}
			v.Folds[i].Changes = append(v.Folds[i].Changes, ch)
		}
		v.Changes = rest
	}
	for i, f := range v.Folds {
		if len(f.Changes) > 1 && !strings.HasPrefix(f.Title, ui.Count(len(f.Changes))+" ") {
			v.Folds[i].Title = fmt.Sprintf("%d of %s", len(f.Changes), f.Title)
		}
	}
	return v
}

// problemsAt puts what AWS said beside the resources it said it of. What it said of no change in the plan stands over the part.
func problemsAt(v *views.Plan, problems []models.PlanProblem) {
	for _, p := range problems {
		said := ui.Said{Path: p.Path, Text: p.Message, Fatal: p.Fatal}
		found := false
		for i := range v.Parts {
			for j := range v.Parts[i].Changes {
				if ch := &v.Parts[i].Changes[j]; ch.Name == p.LogicalID && !found {
					ch.Problems, ch.Open, found = append(ch.Problems, said), true, true
				}
			}
		}
		if !found {
			v.Problems = append(v.Problems, views.PlanSaid{Resource: p.LogicalID, Said: said})
		}
	}
}

// parameterRows are what the stack is given: what was answered, then what Slipway takes from what it stands on.
func parameterRows(p models.PlanPart, inputs json.RawMessage) (rows []views.PlanParameter) {
	var in models.EnvironmentInputs
	answered := map[string]string{}
	if json.Unmarshal(inputs, &in) == nil { // other kinds answer by other fields; then all of it counts as given
		answered = in.Inputs
	}
	for _, name := range slices.Sorted(maps.Keys(p.Parameters)) {
		_, own := answered[name]
		rows = append(rows, views.PlanParameter{Name: name, Value: p.Parameters[name], Answered: own})
	}
	slices.SortStableFunc(rows, func(a, b views.PlanParameter) int { return cmp.Compare(yes(b.Answered), yes(a.Answered)) })
	return rows
}

// planEstimate is the estimate position by position, with the difference to now.
func planEstimate(p models.Plan) *ui.Estimate {
	if p.Notes.Estimate == nil {
		return nil
	}
	before, _ := p.Content.Monthly()
	o := ui.EstimateOptions{ID: "plan-estimate", Folded: true}
	if before.IsPositive() {
		o.Was = &before
	}
	e := ui.EstimateFrom(*p.Notes.Estimate, o)
	return &e
}

// objectLink is the page of what a request is about, once something is there to see.
func objectLink(q models.Request, t *models.Tenant) (url, word string) {
	if t == nil || !q.HasRun() {
		return "", ""
	}
	if address := objectURL(q, t.Slug); address != "" {
		return address, "Open the " + string(q.ObjectType)
	}
	return urls.Tenant(t.Slug), "Open the tenant"
}

// objectInputs shows what was asked for of an environment, service, network, connection or pipeline.
func objectInputs(q models.Request) []views.Input {
	var rows []views.Input
	put := func(label, value string, code bool) {
		if value != "" {
			rows = append(rows, views.Input{Label: label, Value: value, Code: code})
		}
	}
	var err error
	switch q.ObjectType {
	case models.EnvironmentObject:
		err = environmentRows(q, put)
	case models.NetworkObject:
		var in models.NetworkInputs
		if err = json.Unmarshal(q.Inputs, &in); err == nil {
			put("Account", string(in.Class), false)
			put("Region", in.Region, false)
			put("Addresses", in.CIDR, true)
			put("VPC", in.VPC, true)
			put("Public subnets", strings.Join(in.Public, ", "), true)
			put("Private subnets", strings.Join(in.Private, ", "), true)
			answers(in.Inputs, put)
		}
	case models.ServiceObject:
		var in models.ServiceInputs
		if err = json.Unmarshal(q.Inputs, &in); err == nil {
			put("Service", cmp.Or(in.Name, q.ObjectName), true)
			if in.Empty {
				put("Images", "are deleted with it", false)
			}
		}
	case models.ConnectionObject:
		err = connectionInputs(q, put)
	case models.PipelineObject:
		err = pipelineInputs(q, put)
	}
	if err != nil {
		return []views.Input{{Label: "Inputs", Value: "cannot be read; quote the request to the platform team"}}
	}
	return rows
}

func environmentRows(q models.Request, put func(label, value string, code bool)) error {
	var in models.EnvironmentInputs
	if err := json.Unmarshal(q.Inputs, &in); err != nil {
		return err
	}
	put("Environment", q.ObjectName, true)
	put("Stage", string(in.Stage), false)
	put("Region", in.Region, false)
	if in.Blueprint != "" {
		put("Blueprint", in.Blueprint+" "+in.Version, false)
	}
	put("Service", in.Service, true)
	put("Image", in.Image, true)
	if in.Days > 0 {
		put("Lives for", ui.Plural(in.Days, "day", "days"), false)
	}
	put("May differ until", in.Until, false)
	put("Why", in.Reason, false)
	if in.EmptyBuckets {
		put("Buckets", "may be emptied", false)
	}
	put("Stays in the account", strings.Join(in.Retain, ", "), true)
	put("Passed over", strings.Join(in.Skip, ", "), true)
	answers(in.Inputs, put)
	for _, key := range slices.Sorted(maps.Keys(in.Usage)) {
		put("Assumed "+strings.ReplaceAll(key, "_", " "), in.Usage[key], false)
	}
	return nil
}

func answers(in map[string]string, put func(label, value string, code bool)) {
	for _, name := range slices.Sorted(maps.Keys(in)) {
		put(name, in[name], true)
	}
}
