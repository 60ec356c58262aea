package handlers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// requestView turns what the store knows of a request into its page for one reader.
func requestView(now, wall time.Time, a models.Actor, r models.RequestPage) views.Request {
	q := r.Request
	d := views.Request{
		ID: q.ID, Number: number(q.Number), Title: q.Title, Kind: q.Kind, State: q.State, Requester: q.RequesterName, Asked: ui.Ago(now, q.SubmittedAt),
		Facts: requestFacts(r), Reason: q.Reason, Failed: views.FailureOf(r.Failure), Wait: waiting(now, q.Waiting),
		Inputs: inputRows(q, r.NewGroups), RunID: q.RunID, MayEdit: mayEdit(a, q), MayComment: !a.Has(models.Auditor) || len(q.MoversOf(a)) > 0,
	}
	if r.Tenant != nil && a.SeesTenant(r.Tenant.ID) {
		d.TenantURL = urls.Tenant(r.Tenant.Slug)
		d.ObjectURL, d.ObjectWord = objectLink(q, r.Tenant)
		d.Promotion = requestPromotion(wall, q, r.Tenant.Slug)
	}
	if r.Run != nil {
		d.RunNote = runNote(*r.Run)
	}
	for _, x := range r.Comments {
		d.Comments = append(d.Comments, views.Comment{Who: x.PersonName, Role: commentRole(q, x), Body: x.Body, When: ui.Ago(now, x.At)})
	}
	d.By = decidedBy(r)
	if r.Plan != nil {
		d.Plan, d.PlanGood, d.Rules = planView(now, *r.Plan, r), planGood(now, *r.Plan, q.State), ruleRows(r.Plan.Notes.Rules)
		d.Demands, d.DemandWhy = demandRows(now, a, r), demandWhy(r)
		d.Effect = effectRows(*r.Plan)
	}
	if _, may := q.MayMove(a, models.Undoing); may && r.Run != nil {
		d.Undo = &views.Undo{RunID: q.RunID, Stays: staysFor(q.Kind, nil)}
	}
	d.Life = life(now, r)
	rights(&d, a, r)
	return d
}

// rights fills what this reader may do now; the store checks each of them again.
func rights(d *views.Request, a models.Actor, r models.RequestPage) {
	q := r.Request
	_, d.MayCancel = q.MayMove(a, models.Cancelled)
	if q.State == models.AwaitingApproval || q.State == models.PlanFailed {
		_, d.MayReplan = q.MayMove(a, models.Planning)
	}
	if q.State != models.AwaitingApproval || r.Plan == nil {
		return
	}
	if _, err := q.MayDecide(a, r.Plan.Notes.Demands); err != nil {
		d.WhyNot = models.Message(err)
		return
	}
	if slices.ContainsFunc(r.Approvals, func(x models.Approval) bool {
		return x.PersonID == a.Person.ID && x.Decision == models.Approve && !x.Dropped && x.PlanHash == r.Plan.Hash
	}) {
		d.WhyNot = "You approved this plan. Another person must decide too."
		return
	}
	d.MayDecide = true
}

// editable tells whether the inputs may be changed in this state, by whomever.
func editable(q models.Request) bool {
	return q.State == models.ChangesRequested || q.State == models.PlanFailed
}

// editedByForm are the kinds whose answers can be changed after somebody asked for that. The rest ask nothing that could be.
var editedByForm = map[models.RequestKind]bool{models.CreateTenant: true, models.ChangeTenant: true, models.AddAccount: true, models.EnrolAccount: true, models.CloseTenant: true,
	models.CreateEnvironment: true, models.CreatePipeline: true}

func mayEdit(a models.Actor, q models.Request) bool {
	return editable(q) && editedByForm[q.Kind] && slices.Contains(q.MoversOf(a), models.ByRequester)
}

func requestFacts(r models.RequestPage) []ui.Fact {
	var facts []ui.Fact
	if r.Plan == nil {
		return facts
	}
	accounts, regions := []string{}, []string{}
	for _, p := range r.Plan.Content.Parts {
		if p.Class != "" {
			name := string(p.Class)
			if p.Account != "" {
				name = ui.AccountNumber(p.Account)
			}
			accounts = addOnce(accounts, name)
		}
		if p.Region != "" {
			regions = addOnce(regions, p.Region)
		}
	}
	if len(accounts) > 0 {
		facts = append(facts, ui.Fact{Label: "Accounts", Value: strings.Join(accounts, ", ")})
	}
	if len(regions) > 0 {
		facts = append(facts, ui.Fact{Label: "Region", Value: strings.Join(regions, ", ")})
	}
	return facts
}

func addOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func waiting(now time.Time, w *models.WaitingOn) *views.Waiting {
	if w == nil {
		return nil
	}
	v := &views.Waiting{Words: waitWords(w), Since: ui.Age(now, w.Since), Person: w.For == "a person", Link: ui.Out{URL: w.Link, Word: cmp.Or(w.Action, "Open the page for it")}, Command: w.Command}
	if !w.Until.IsZero() {
		v.Until = ui.At(w.Until)
	}
	if models.ValidID(w.Ref) {
		v.URL = urls.Request(w.Ref)
	}
	return v
}

// inputRows shows the answers of the form; groups nobody has signed in with are marked.
func inputRows(q models.Request, unseen []string) []views.Input {
	if q.ObjectType != models.TenantObject {
		return objectInputs(q)
	}
	rows, err := tenantRows(q, unseen)
	if err != nil {
		return []views.Input{{Label: "Inputs", Value: "cannot be read; quote the request to the platform team"}}
	}
	return rows
}

func commentRole(q models.Request, x models.Comment) string {
	if x.PersonID == q.RequesterID {
		return "requester"
	}
	return ""
}

// decidedBy names who gave the reason that the request's state shows.
func decidedBy(r models.RequestPage) string {
	want := map[models.RequestState]models.Decision{models.Rejected: models.Reject, models.ChangesRequested: models.AskForChanges}[r.Request.State]
	by := ""
	for _, x := range r.Approvals {
		if x.Decision == want && want != "" {
			by = x.PersonName
		}
	}
	return by
}

// life is what stands under each stage.
func life(now time.Time, r models.RequestPage) views.Life {
	q := r.Request
	l := views.Life{Asked: ui.Ago(now, q.SubmittedAt).Ago, HadPlan: r.Plan != nil}
	if r.Plan != nil {
		l.Planned = "took " + ui.Span(r.Plan.ComputedAt.Sub(q.SubmittedAt))
		if r.Plan.Number > 1 {
			l.Planned = fmt.Sprintf("plan %d", r.Plan.Number)
		}
		l.Decided = decidedNote(r)
		l.Ran = usual("usually ", r.Plan.Notes.UsualTime)
	}
	if r.Run != nil {
		l.Ran = took(r.Run.StartedAt, r.Run.EndedAt, now)
	}
	if !q.EndedAt.IsZero() {
		l.Ended = ui.Ago(now, q.EndedAt).Ago
	}
	return l
}

func decidedNote(r models.RequestPage) string {
	if rule := r.Plan.Notes.ApprovedBy; rule != "" {
		return "by rule " + rule
	}
	needed, given := 0, 0
	for _, x := range r.Plan.Notes.Demands {
		needed += x.Count
	}
	for _, x := range models.Missing(r.Plan.Notes.Demands, current(r)) {
		given -= x.Count
	}
	if needed == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d given", needed+given, needed)
}

// current are the decisions on the plan as it stands.
func current(r models.RequestPage) []models.Approval {
	var some []models.Approval
	for _, x := range r.Approvals {
		if r.Plan != nil && x.PlanHash == r.Plan.Hash && !x.Dropped {
			some = append(some, x)
		}
	}
	return some
}
