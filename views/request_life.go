package views

import (
	"fmt"
	"strings"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// ways are the five stages of every request, marked by where it stands.
func (r Request) ways() []ui.Way {
	w := []ui.Way{
		{Label: "Asked", Note: r.Life.Asked, Mark: ui.WayDone}, {Label: "Planned", Note: r.Life.Planned}, {Label: "Approved", Note: r.Life.Decided},
		{Label: "Run", Note: r.Life.Ran}, {Label: "Done", Note: r.Life.Ended},
	}
	here, mark, label := r.stage()
	for i := 1; i < here && i < len(w); i++ {
		w[i].Mark = ui.WayDone
	}
	if here < len(w) {
		w[here].Mark = mark
		w[here].Label = label
	}
	if r.State.Final() && here < len(w)-1 {
		w[here].Note, w[len(w)-1].Note = r.Life.Ended, ""
	}
	return w
}

// stage says at which of the five the request is, how it is marked and what it is called there.
func (r Request) stage() (int, ui.WayMark, string) {
	label := RequestState(r.State).Label
	switch r.State {
	case models.Draft:
		return 0, ui.WayNow, label
	case models.Planning:
		return 1, ui.WayNow, label
	case models.PlanFailed:
		return 1, ui.WayBad, label
	case models.AwaitingApproval, models.ChangesRequested:
		return 2, ui.WayNow, label
	case models.Approved:
		return 2, ui.WayNow, label
	case models.Rejected:
		return 2, ui.WayBad, label
	case models.Running, models.Stopping, models.Undoing:
		return 3, ui.WayNow, label
	case models.Failed:
		return 3, ui.WayBad, label
	case models.Undone, models.Abandoned:
		return 4, ui.WayBad, label
	case models.Cancelled, models.Expired:
		if r.Life.HadPlan {
			return 2, ui.WayBad, label
		}
		return 1, ui.WayBad, label
	}
	return 4, ui.WayDone, label
}

// banner is what a reader must know before the plan: why the request stands still, or that it moves by itself.
func (r Request) banner() *ui.Callout {
	by := orElse(r.By, "Slipway")
	switch r.State {
	case models.PlanFailed:
		if r.Failed != nil {
			c := r.Failed.callout("why")
			return &c
		}
		return &ui.Callout{ID: "why", Tone: ui.Fail, Title: "The plan could not be made", Text: r.Reason}
	case models.ChangesRequested:
		return &ui.Callout{ID: "why", Tone: ui.Warn, Title: by + " asked for changes", Text: r.Reason}
	case models.Rejected:
		return &ui.Callout{ID: "why", Tone: ui.Fail, Title: by + " rejected this plan", Text: r.Reason}
	case models.Failed:
		if r.Failed != nil {
			c := r.Failed.callout("why")
			return &c
		}
		return &ui.Callout{ID: "why", Tone: ui.Fail, Title: "The run stopped before its end", Text: r.Reason}
	case models.Expired:
		return &ui.Callout{ID: "why", Tone: ui.Idle, Title: "This request expired", Text: orElse(r.Reason, "Nobody decided in time. Ask again to have it planned anew.")}
	case models.Cancelled:
		return &ui.Callout{ID: "why", Tone: ui.Idle, Title: "This request was cancelled", Text: r.Reason}
	case models.Abandoned:
		return &ui.Callout{ID: "why", Tone: ui.Idle, Title: "This request was abandoned", Text: orElse(r.Reason, "What was made until then stays as it is.")}
	case models.Undone:
		return &ui.Callout{ID: "why", Tone: ui.Idle, Title: "This request was taken back", Text: orElse(r.Reason, "Everything that its run had made is gone again.")}
	case models.NoChange:
		return &ui.Callout{ID: "why", Tone: ui.OK, Title: "Everything is already as asked", Text: "Nothing had to be changed."}
	case models.AwaitingApproval, models.Planning:
		if r.Reason != "" {
			return &ui.Callout{ID: "why", Tone: ui.Warn, Title: "This plan takes the place of an earlier one", Text: r.Reason}
		}
	}
	return nil
}

// inputsFirst puts what was asked for before the plan, except where the plan takes something away: that stands first.
func (r Request) inputsFirst() bool { return r.Plan == nil || r.Plan.destructive() == "" }

// destructive says which kinds of change an approver must have read; empty when nothing is taken away.
func (p Plan) destructive() string {
	var parts []string
	if n := p.Tally[models.Delete]; n > 0 {
		parts = append(parts, theThings(n, "delete"))
	}
	if n := p.Tally[models.Replace]; n > 0 {
		parts = append(parts, theThings(n, "replace"))
	}
	return strings.Join(parts, " and ")
}

func theThings(n int, what string) string {
	if n == 1 {
		return "the " + what
	}
	return fmt.Sprintf("the %d %ss", n, what)
}

// loud are the rules a reader must see; quiet ones only passed.
func (r Request) loud() (loud, quiet []Rule) {
	for _, x := range r.Rules {
		if x.Effect == "pass" && x.Error == "" {
			quiet = append(quiet, x)
		} else {
			loud = append(loud, x)
		}
	}
	return loud, quiet
}

func ruleNames(rules []Rule) string {
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = orElse(r.Title, r.ID)
	}
	return strings.Join(names, ", ")
}

// given counts the approvals there are of those that are needed.
func (r Request) given() string {
	got, all := 0, 0
	for _, d := range r.Demands {
		switch d.State {
		case DemandApproved, DemandByRule:
			got, all = got+1, all+1
		case DemandWaiting, DemandNobody:
			all++
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d", got, all)
}

func dirClass(dir int) string {
	switch {
	case dir > 0:
		return "s-up"
	case dir < 0:
		return "s-down"
	}
	return "s-muted"
}

// place puts the page where its reader came from: the queue while it waits, the list otherwise.
func (r Request) place(p ui.Page) ui.Page {
	p.Bar = r.MayDecide && r.Plan != nil || r.WhyNot != ""
	title := r.Title + ": " + RequestState(r.State).Label
	if r.State == models.AwaitingApproval {
		return p.On(ui.AtApprovals, title, ui.Crumb{Label: "Approvals", URL: urls.Approvals}, ui.Crumb{Label: r.Number})
	}
	return p.On(ui.AtRequests, title, ui.Crumb{Label: "Requests", URL: urls.Requests}, ui.Crumb{Label: r.Number})
}

// runCallout leads to the run and to what came of it.
func (r Request) runCallout() ui.Callout {
	st := RequestState(r.State)
	c := ui.Callout{ID: "now", Tone: st.Tone, Title: st.Label, Text: r.RunNote}
	switch r.State {
	case models.Succeeded:
		c.Title = doneTitle(r.Kind)
	case models.Running:
		c.Title = "It is running"
		if r.Wait != nil {
			c.Text = strings.TrimSpace(strings.TrimSuffix(c.Text, ".") + ". " + sentence(r.Wait.Words))
		}
	case models.Stopping:
		c.Title = "It stops at the next safe point"
	case models.Undoing:
		c.Title = "It is being undone"
	}
	return c
}

func planCount(p Plan) string {
	return ui.Plural(p.Total-p.Tally[models.Exists], "change", "changes")
}
