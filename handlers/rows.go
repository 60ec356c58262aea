package handlers

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

const aDay = 24 * time.Hour

func requestRow(now time.Time, r models.RequestRow) views.RequestRow {
	row := views.RequestRow{ID: r.ID, Number: number(r.Number), Title: r.Title, State: r.State, Who: r.RequesterName,
		Asked: ui.Ago(now, r.SubmittedAt), Note: requestNote(r)}
	if r.HasPlan {
		row.Tally, row.Delta = r.Tally, ui.Delta(r.MonthlyPlanned.Sub(r.MonthlyNow))+"/mo"
	}
	return row
}

func requestNote(r models.RequestRow) string {
	switch {
	case r.Waiting != nil:
		words := waitWords(r.Waiting)
		if r.Waiting.For == "a person" { // the rest tells that person how: the request's page has it
			words, _, _ = strings.Cut(words, ". ")
		}
		return words
	case r.State == models.AwaitingApproval && r.Needed > 1:
		return fmt.Sprintf("%d of %d approvals given", r.Given, r.Needed)
	}
	return r.Reason
}

// waitWords makes a sentence of what is waited for: AWS's part is named by what it does, the rest says itself.
func waitWords(w *models.WaitingOn) string {
	if w.For == "AWS" {
		return "waits for " + w.Words
	}
	return w.Words
}

func queueRow(now time.Time, r models.RequestRow) views.QueueRow {
	delta := r.MonthlyPlanned.Sub(r.MonthlyNow)
	row := views.QueueRow{ID: r.ID, Title: r.Title, Who: r.RequesterName, Where: r.TenantSlug, Tally: r.Tally, Delta: ui.Delta(delta) + "/mo",
		Up: delta.GreaterThan(decimal.NewFromInt(100)), Asked: ui.Age(now, r.SubmittedAt), Old: now.Sub(r.SubmittedAt) > aDay}
	if r.Kind == models.CreateTenant {
		row.Where = "new tenant, accounts of its own"
	}
	if r.Needed > 1 {
		row.Given = fmt.Sprintf("%d of %d given", r.Given, r.Needed)
	}
	row.Promotion, _ = promotionBrief(r.Request, r.TenantSlug)
	return row
}

func runRow(now time.Time, r models.RunRow) views.RunRow {
	row := views.RunRow{ID: r.ID, Number: number(r.RequestNumber), Title: r.Title, State: r.RequestState, Started: ui.Ago(now, r.StartedAt), Took: took(r.StartedAt, r.EndedAt, now), Usual: usual("usually ", r.Usual)}
	if r.StepsAll > 0 {
		row.Progress = 100 * float64(r.StepsEnded) / float64(r.StepsAll)
	}
	row.Note = runNote(r)
	return row
}

func runNote(r models.RunRow) string {
	switch {
	case r.Failure != nil:
		return r.Failure.What
	case r.Current != "" && r.EndedAt.IsZero():
		return fmt.Sprintf("Step %d of %d: %s", r.CurrentAt, r.StepsAll, r.Current)
	case r.StepsAll > 0 && !r.EndedAt.IsZero():
		return fmt.Sprintf("%d of %d steps", r.StepsEnded, r.StepsAll)
	}
	return ""
}

func tenantRow(now time.Time, r models.TenantRow) views.TenantRow {
	row := views.TenantRow{Slug: r.Slug, Name: r.DisplayName, CostCentre: r.CostCentre, State: r.State, Budget: ui.Dollars(r.Budget),
		Made: ui.Ago(now, r.CreatedAt), Accounts: "none yet"}
	if r.AccountsAll > 0 {
		row.Accounts = fmt.Sprintf("%d of %d active", r.AccountsActive, r.AccountsAll)
	}
	if r.Estimate != nil {
		row.Estimate, row.Share = ui.USD(*r.Estimate), share(*r.Estimate, r.Budget)
	}
	return row
}

// share is what percentage of the budget an estimate takes.
func share(estimate, budget decimal.Decimal) float64 {
	if !budget.IsPositive() {
		return 0
	}
	return estimate.Div(budget).Mul(decimal.NewFromInt(100)).InexactFloat64()
}

// left says what an estimate leaves of a budget.
func left(estimate, budget decimal.Decimal) string {
	rest := budget.Sub(estimate)
	if rest.IsNegative() {
		return ui.USD(rest.Neg()) + " over the budget"
	}
	return ui.USD(rest) + " of the budget left"
}

func budgetCell(t models.Tenant) views.BudgetCell {
	return views.BudgetCell{Tenant: t.Slug, Estimate: ui.USD(*t.Estimate), Budget: "of " + ui.Dollars(t.Budget), Share: share(*t.Estimate, t.Budget),
		Note: left(*t.Estimate, t.Budget)}
}

func failRow(now time.Time, r models.RequestRow) views.FailRow {
	row := views.FailRow{State: views.RequestState(r.State), Title: r.Title, Tenant: r.TenantSlug, Text: r.Reason, URL: requestURL(r.ID), Action: "Open request",
		Since: ui.Age(now, r.StateSince)}
	if r.State == models.Failed && r.HasRun() {
		row.URL, row.Action = runURL(r.RunID), "Open run"
	}
	return row
}

func accountCard(now time.Time, a models.Account) views.AccountCard {
	return views.AccountCard{Name: a.Name, Class: a.Class, AWSID: a.AWSID, Email: a.Email, State: a.State, AWSState: a.AWSState,
		AWSStateAt: ui.Ago(now, a.AWSStateAt), OU: a.OU, Baseline: ui.Ago(now, a.BaselineAt), Late: a.Late, Enrolled: a.Enrolled,
		Reinstatable: ui.At(a.Reinstatable()), Gone: now.After(a.Reinstatable())}
}

// accountCards says of a tenant that stands still that its unfinished accounts stand still too.
func accountCards(now time.Time, t models.Tenant) []views.AccountCard {
	cards := rowsOf(now, t.Accounts, accountCard)
	for i := range cards {
		if t.State == models.Broken && cards[i].State == models.Creating {
			cards[i].State = models.Broken
		}
	}
	return cards
}

func rowsOf[In, Out any](now time.Time, in []In, row func(time.Time, In) Out) []Out {
	out := make([]Out, 0, len(in))
	for _, x := range in {
		out = append(out, row(now, x))
	}
	return out
}

// personList joins names as a sentence does: Ines, Jonas or Noor.
func personList(names []string, word string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " " + word + " " + names[n-1]
	}
}
