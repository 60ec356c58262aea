package handlers

import (
	"cmp"
	"fmt"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// logLines is how many events a run's page shows before "All".
const logLines = 60

// runView turns what the store knows of a run into its page for one reader.
func runView(now time.Time, a models.Actor, r models.RunPage, wholeLog bool) views.Run {
	d := views.Run{
		ID: r.Run.ID, RequestID: r.Request.ID, RequestNumber: number(r.Request.Number), Title: r.Run.Title, Kind: r.Run.Kind, State: r.Request.State, Attempt: r.Run.Attempt,
		Started: ui.At(r.Run.StartedAt), ApprovedBy: r.Run.ApprovedBy, PlanHash: r.Run.PlanHash, Failure: views.FailureOf(r.Run.Failure),
		Usual: usual("similar runs take ", r.Usual), LogTotal: len(r.Events), LogTitle: "Events",
	}
	d.Stacks = r.Run.Kind.Object() != models.TenantObject
	if r.Tenant != nil {
		if !d.Stacks {
			d.Accounts = accountCards(now, *r.Tenant)
		}
		if a.SeesTenant(r.Tenant.ID) {
			d.Tenant = r.Tenant.Slug
			d.ObjectURL, d.ObjectName = objectURL(r.Request, r.Tenant.Slug), r.Request.ObjectName
		}
	}
	d.Tree, d.Roots = runTree(now, r)
	if r.Slot != nil {
		d.Queue = &views.Queue{Ahead: r.Slot.Ahead, Slots: r.Slot.Slots, Busy: r.Slot.Busy}
	}
	d.Elapsed = took(r.Run.StartedAt, r.Run.EndedAt, now)
	if r.Run.EndedAt.IsZero() {
		d.Elapsed += " so far"
	} else {
		d.Elapsed = "took " + d.Elapsed
	}
	stepRows(&d, now, r)
	logRows(&d, r, wholeLog)
	_, d.MayStop = r.Request.MayMove(a, models.Stopping)
	_, d.MayRetry = r.Request.MayMove(a, models.Running)
	_, d.MayAbandon = r.Request.MayMove(a, models.Abandoned)
	if _, may := r.Request.MayMove(a, models.Undoing); may {
		d.Undo = undoView(r)
	}
	d.StopNote = stopNote(r)
	return d
}

// stepRows places each step on the run's own time line.
func stepRows(d *views.Run, now time.Time, r models.RunPage) {
	end := r.Run.EndedAt
	if end.IsZero() {
		end = now
	}
	whole := max(end.Sub(r.Run.StartedAt), time.Second)
	for _, s := range r.Run.Steps {
		row := ui.StepRow{N: s.Position, Title: s.Title, Part: s.Part, State: s.State, Note: stepNote(s)}
		if !s.StartedAt.IsZero() {
			till := s.EndedAt
			if till.IsZero() {
				till = end
			}
			row.Took = ui.Span(till.Sub(s.StartedAt))
			row.From = percent(s.StartedAt.Sub(r.Run.StartedAt), whole)
			row.Width = min(percent(till.Sub(s.StartedAt), whole), 100-row.From)
		}
		if s.State == models.StepDone || s.State == models.StepSkipped {
			d.Ended++
		}
		if s.Waiting != nil && s.State == models.StepWaiting && s.Waiting.For != "AWS" {
			d.Wait = waiting(now, s.Waiting)
			if url := healthOf(r.Tenant, s.Waiting); url != "" {
				d.Wait.URL = url
			}
		}
		d.Steps = append(d.Steps, row)
	}
}

func percent(part, whole time.Duration) float64 {
	return max(0, min(100, 100*part.Seconds()/whole.Seconds()))
}

func stepNote(s models.Step) string {
	switch {
	case s.Failure != nil && s.State == models.StepFailed:
		return s.Failure.What
	case s.Waiting != nil && (s.State == models.StepWaiting || s.State == models.StepRunning):
		return waitWords(s.Waiting)
	case s.Tries > 0 && s.EndedAt.IsZero():
		return fmt.Sprintf("%s so far", ui.Plural(s.Tries, "failed try", "failed tries"))
	}
	return ""
}

func logRows(d *views.Run, r models.RunPage, whole bool) {
	first := 0
	if !whole && len(r.Events) > logLines {
		first = len(r.Events) - logLines
		d.LogAllURL = urls.With(urls.Run(r.Run.ID), "log", "all")
	}
	if !r.Run.EventsCleared.IsZero() {
		d.LogSwept = fmt.Sprintf("These lines were deleted on %s: events are kept for %d days after a run has ended. Its steps, their times and the result stay.",
			r.Run.EventsCleared.UTC().Format("2 Jan 2006"), int(models.KeptFor(models.SweptEvents).Hours()/24))
	}
	for i, e := range r.Events[first:] {
		d.Log = append(d.Log, ui.LogLine{N: first + i + 1, At: e.At, Level: e.Level, Text: e.Text})
	}
}

// stopNote says what still ends while a run stops, and what stays after it failed.
func stopNote(r models.RunPage) string {
	done, left := 0, 0
	for _, s := range r.Run.Steps {
		switch s.State {
		case models.StepDone, models.StepSkipped:
			done++
		case models.StepPending, models.StepFailed:
			left++
		}
	}
	switch r.Request.State {
	case models.Stopping:
		return "The step under way ends first; no other one begins."
	case models.Failed:
		return fmt.Sprintf("%s done and stay as they are, %s left.", ui.Plural(done, "step is", "steps are"), ui.Plural(left, "step is", "steps are"))
	case models.Abandoned:
		return "Given up. What was made stays as it is."
	case models.Undone:
		return cmp.Or(r.Request.Reason, "Everything that this run had made was taken back.")
	}
	return ""
}

func runStateOptions() []ui.Option {
	options := []ui.Option{{Value: "", Label: "Any"}}
	for _, s := range []models.RequestState{models.Running, models.Stopping, models.Failed, models.Undoing, models.Succeeded, models.Undone, models.Abandoned} {
		options = append(options, ui.Option{Value: string(s), Label: views.RequestState(s).Label})
	}
	return options
}
