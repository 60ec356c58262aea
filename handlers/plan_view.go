package handlers

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

// planView shows a frozen plan: the destructive first, then by place.
func planView(now time.Time, p models.Plan, r models.RequestPage) *views.Plan {
	before, after := p.Content.Monthly()
	v := &views.Plan{
		Hash: p.Hash, Tally: p.Content.Tally(), CostNow: ui.USD(before), CostPlanned: ui.USD(after), CostDelta: ui.Delta(after.Sub(before)),
		PriceNote: priceNote(p.Notes), NotEstimated: p.Notes.NotEstimated, Notes: p.Notes.Notes, BudgetNote: budgetNote(r, after),
	}
	for i, part := range p.Content.Parts {
		shown := planPart(fmt.Sprintf("part-%d", i+1), part)
		shown.Parameters = parameterRows(part, p.Content.Inputs)
		v.Parts = append(v.Parts, shown)
		v.Total += len(part.Changes)
	}
	problemsAt(v, p.Notes.Problems)
	for i := range v.Parts {
		v.Parts[i] = folded(foldByService(v.Parts[i]), p.Content.Parts[i].Blueprint)
	}
	if v.Estimate = planEstimate(p); v.Estimate != nil {
		v.NotEstimated = nil // the estimate says it
	}
	for _, l := range p.Content.Cost {
		v.Cost = append(v.Cost, views.CostRow{Item: strings.TrimSuffix(l.Item, " ("+p.Notes.Region+" list price)"), Part: l.Part, Now: ui.USD(l.Now), Planned: ui.USD(l.Planned), Delta: ui.Delta(l.Planned.Sub(l.Now)), Dir: l.Planned.Cmp(l.Now)})
	}
	return v
}

var actionOrder = []models.Action{models.Delete, models.Replace, models.Modify, models.Add, models.Exists}

func planPart(id string, p models.PlanPart) views.PlanPart {
	v := views.PlanPart{ID: id, Name: p.Name}
	var notes []string
	if p.Account != "" {
		notes = append(notes, ui.AccountNumber(p.Account))
	}
	if p.Region != "" {
		notes = append(notes, p.Region)
	}
	if p.Blueprint != "" {
		notes = append(notes, p.Blueprint)
	}
	if p.Mode != "" {
		notes = append(notes, modeWords[p.Mode])
	}
	v.Note = strings.Join(notes, ", ")
	changes := slices.Clone(p.Changes)
	slices.SortStableFunc(changes, func(a, b models.Change) int {
		return slices.Index(actionOrder, a.Action) - slices.Index(actionOrder, b.Action)
	})
	for i, ch := range changes {
		v.Changes = append(v.Changes, changeView(fmt.Sprintf("%s-%d", id, i+1), ch))
	}
	return v
}

// foldOver is how many harmless changes of a kind stand one by one; more fold into one row that opens.
const foldOver = 5

// folded puts the many additions of a part, and what exists already, behind one row each. What takes something away or
// changes it always stands by itself.
func folded(v views.PlanPart, blueprint string) views.PlanPart {
	add := func(id string, action models.Action, title string, belongs func(ui.Change) bool) {
		var in, out []ui.Change
		for _, ch := range v.Changes {
			if ch.Action == action && belongs(ch) {
				in = append(in, ch)
			} else {
				out = append(out, ch)
			}
		}
		if len(in) > foldOver {
			v.Changes = out
			v.Folds = append(v.Folds, ui.Fold{ID: v.ID + id, Action: action, Title: fmt.Sprintf("%d %s", len(in), title), Changes: in})
		}
	}
	resource := func(ch ui.Change) bool { return blueprint != "" && strings.HasPrefix(ch.Type, "AWS::") }
	add("-settings", models.Add, "settings of the account", func(ch ui.Change) bool { return blueprint != "" && !resource(ch) })
	add("-stack", models.Add, "resources of "+blueprint, resource)
	add("-add", models.Add, "things", func(ui.Change) bool { return true })
	add("-exists", models.Exists, "things", func(ui.Change) bool { return true })
	there := slices.IndexFunc(v.Changes, func(ch ui.Change) bool { return ch.Action == models.Exists })
	if there >= 0 && len(v.Folds) > 0 { // they are in order, what exists last
		v.Changes, v.There = v.Changes[:there], v.Changes[there:]
	}
	return v
}

func changeView(id string, ch models.Change) ui.Change {
	v := ui.Change{ID: id, Action: ch.Action, Name: ch.LogicalID, Type: ch.Type, Note: ch.Note, Open: ch.Action == models.Delete || ch.Action == models.Replace}
	switch {
	case ch.Action == models.Delete:
		v.Tag = goneWord(ch.Type)
	case ch.Action == models.Add && strings.HasSuffix(ch.Type, " policy"):
		v.Tag = "applies from then on"
	case ch.Replacement == "True":
		v.Tag = "new before old"
	case ch.Replacement == "Conditional":
		v.Tag = "may be replaced"
	}
	for _, p := range ch.Properties {
		v.Props = append(v.Props, ui.Prop{Path: p.Path, Before: inWords(p.Before), After: inWords(p.After)})
	}
	return v
}

// notYet are the markers of values that AWS, or Slipway's own reading of a template, knows only once something is made.
var notYet = regexp.MustCompile(`\{\{(?:changeSet:KNOWN_AFTER_APPLY|known after apply(?:: ([^{}]*))?)\}\}`)

func inWords(value *string) *string {
	if value == nil || !strings.Contains(*value, "{{") {
		return value
	}
	words := notYet.ReplaceAllStringFunc(*value, func(marker string) string {
		if name := notYet.FindStringSubmatch(marker)[1]; name != "" {
			return "(" + name + ", known once it is made)"
		}
		return "(known once it is made)"
	})
	return &words
}

func budgetNote(r models.RequestPage, planned decimal.Decimal) string {
	in, ok := tenantInputs(r.Request)
	if !ok || !in.Budget.IsPositive() {
		return ""
	}
	part := share(planned, in.Budget)
	if part > 0 && part < 1 {
		return "under 1 % of the budget of " + ui.Dollars(in.Budget)
	}
	return fmt.Sprintf("%.0f %% of the budget of %s", part, ui.Dollars(in.Budget))
}

// planGood says how long a waiting plan may still be approved as it stands.
func planGood(now time.Time, p models.Plan, state models.RequestState) string {
	if state != models.AwaitingApproval {
		return ""
	}
	age := now.Sub(p.ComputedAt)
	if age >= models.PlanLife {
		return ui.Span(age) + " old, is computed again when approved"
	}
	return "good for " + ui.Span(models.PlanLife-age)
}

func ruleRows(outcomes []models.RuleOutcome) []views.Rule {
	rows := make([]views.Rule, 0, len(outcomes))
	for _, o := range outcomes {
		effect := "pass"
		if o.Matched {
			effect = o.Effect
		}
		rows = append(rows, views.Rule{ID: o.ID, Title: o.Title, Effect: effect, Message: o.Message, Error: o.Error})
	}
	order := []string{"deny", "warn", "require", "approve", "pass"}
	slices.SortStableFunc(rows, func(a, b views.Rule) int { return slices.Index(order, a.Effect) - slices.Index(order, b.Effect) })
	return rows
}

func effectRows(p models.Plan) []ui.Pair {
	before, after := p.Content.Monthly()
	rows := []ui.Pair{{Label: "Monthly", Value: ui.Delta(after.Sub(before))}}
	switch {
	case p.Notes.UsualTime > 0:
		rows = append(rows, ui.Pair{Label: "Usual time", Value: ui.Span(p.Notes.UsualTime.Std()) + ", worst " + ui.Span(p.Notes.WorstTime.Std())})
	default:
		rows = append(rows, ui.Pair{Label: "Usual time", Value: fmt.Sprintf("not known yet: %s of five past runs", ui.Count(p.Notes.PastRuns))})
	}
	return append(rows, ui.Pair{Label: "Plan", Value: fmt.Sprintf("%d", p.Number)})
}

// demandRows lists what was decided and what is still asked, in this order.
func demandRows(now time.Time, a models.Actor, r models.RequestPage) []views.Demand {
	var rows []views.Demand
	if rule := r.Plan.Notes.ApprovedBy; rule != "" {
		rows = append(rows, views.Demand{Who: "Rule " + rule, Note: "approved this plan without a person", State: views.DemandByRule})
	}
	for _, x := range r.Approvals {
		if x.RuleID != "" {
			continue
		}
		rows = append(rows, views.Demand{Who: x.PersonName, Note: decisionNote(r, x), When: ui.Ago(now, x.At), State: demandState(x, r.Plan.Hash)})
	}
	if r.Request.State.Final() || r.Request.HasRun() {
		return rows
	}
	for _, d := range models.Missing(r.Plan.Notes.Demands, current(r)) {
		who := "A " + d.Role
		if d.Role == string(models.Owner) {
			who = "An owner of " + r.Request.ObjectName
			if r.Tenant != nil {
				who = "An owner of " + r.Tenant.Slug
			}
		}
		row := views.Demand{Who: who, Note: approverNames(a, r.Plan.Notes.Approvers), State: views.DemandWaiting}
		if len(r.Plan.Notes.Approvers) == 0 {
			row.State, row.Note = views.DemandNobody, "nobody who may decide has signed in yet"
		}
		for range d.Count {
			rows = append(rows, row)
		}
	}
	return rows
}

func demandState(x models.Approval, hash string) views.DemandState {
	switch {
	case x.Decision == models.Reject:
		return views.DemandRejected
	case x.Decision == models.AskForChanges:
		return views.DemandChanges
	case x.Dropped || x.PlanHash != hash:
		return views.DemandDropped
	}
	return views.DemandApproved
}

// decisionNote leaves out a reason that stands above the plan already.
func decisionNote(r models.RequestPage, x models.Approval) string {
	note := "as " + x.Role
	if x.BreakGlass {
		note += ", break-glass"
	}
	if x.Reason != "" && x.Reason != r.Request.Reason {
		note += ": " + x.Reason
	}
	return note
}

// approverNames puts the reader first, as "you".
func approverNames(a models.Actor, names []string) string {
	list := []string{}
	if i := slices.Index(names, a.Person.Name); i >= 0 {
		list = append(list, "you")
		names = slices.Delete(slices.Clone(names), i, i+1)
	}
	if more := len(names) - 3; more > 0 {
		return personList(append(append(list, names[:3]...), fmt.Sprintf("%d more", more)), "or")
	}
	return personList(append(list, names...), "or")
}

// demandWhy says which rules ask for the approvals.
func demandWhy(r models.RequestPage) string {
	var ids []string
	for _, d := range r.Plan.Notes.Demands {
		for _, id := range d.Rules {
			ids = addOnce(ids, id)
		}
	}
	why := r.Request.RequesterName + " asked and cannot approve."
	if len(ids) > 0 {
		return "Asked for by rule " + personList(ids, "and") + ". " + why
	}
	return "No rule speaks on this plan, so one platform-admin decides. " + why
}
