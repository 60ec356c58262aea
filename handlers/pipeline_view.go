package handlers

import (
	"fmt"
	"strings"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// pipelineView turns what the store knows of a pipeline into its page for one reader.
func pipelineView(clock models.Clock, a models.Actor, page models.PipelinePage, v models.PipelineDelivery, write WorkflowWriter, token string) views.Pipeline {
	now, wall, p := clock.Now(), clock.Wall(), page.Pipeline
	d := views.Pipeline{
		Tenant: p.TenantSlug, Name: p.Name, Kind: p.Kind, State: p.State, Paused: p.Paused, Service: p.ServiceName, Class: p.Class, Made: ui.Ago(now, p.CreatedAt), Stack: stackFacts(now, p.Stack),
		Failure: views.FailureOf(page.Failure), Live: p.State != models.Deleted, Reading: reading(wall, p), Source: sourceFacts(p), Executions: executionRows(wall, p.TenantSlug, p.Name, v.Executions), More: v.More,
		Figures: views.FiguresOf(v.Figures), Estimate: objectEstimate(p.Estimate), Groups: resourceGroups(now, p.Stack.Resources), Resources: len(p.Stack.Resources), Open: rowsOf(now, page.Open, requestRow),
		Requests: rowsOf(now, page.Requests, requestRow), Runs: rowsOf(now, page.Runs, runRow), Activity: activities(now, page.Entries), Receipt: receiptView(now, page.Receipt), SeesAll: a.SeesAll(), CSRF: token,
	}
	d.RunID, d.Progress = lastRun(page.Runs)
	if x := page.Connection; x != nil {
		d.Connection = &views.ConnectionBrief{Name: x.Name, URL: urls.Connection(p.TenantSlug, x.Name), State: views.ConnectionState(x.State, x.Status)}
	}
	for i, s := range v.Stages {
		d.Stages = append(d.Stages, stageBox(now, wall, a, p, i+1, s))
	}
	for _, x := range v.Promotions {
		d.Promotions = append(d.Promotions, promotionRow(now, x))
	}
	d.Orders = pipelineOrders(now, v.Orders)
	d.Gates = gateTable(wall, v)
	own := a.MayRunTenant(p.TenantID) && p.State != models.Deleted
	for _, w := range v.Waivers {
		d.Waivers = append(d.Waivers, waiverRow(now, p, w, own))
	}
	for _, f := range v.Freezes {
		row := stageFreezeRow(now, f)
		if own {
			row.LiftURL, row.Key = urls.LiftStageFreeze(p.TenantSlug, p.Name, f.ID), models.NewID()
		}
		d.Freezes = append(d.Freezes, row)
	}
	if own {
		d.WaiveURL, d.FreezeURL = urls.ChangePipeline(p.TenantSlug, p.Name, "waive"), urls.ChangePipeline(p.TenantSlug, p.Name, "freeze")
	}
	if p.Kind == models.GitHubActions && write != nil && p.State != models.Deleted {
		d.Workflow = &views.WorkflowFile{Path: ".github/workflows/slipway-" + p.Name + ".yml", Text: write(p), URL: urls.PipelineWorkflow(p.TenantSlug, p.Name)}
	}
	d.Start = startAction(a, p, token)
	d.Actions = pipelineActions(a, p, token)
	return d
}

// reading says how old what AWS said is, and how often it is asked.
func reading(wall time.Time, p models.Pipeline) views.Reading {
	r := views.Reading{At: ui.Ago(wall, p.ReadAt)}
	switch p.Every() {
	case models.ReadMoving:
		r.Every = "every " + every(models.ReadMoving) + " while something moves"
	case models.ReadCalm:
		r.Every = "every " + every(models.ReadCalm) + " while nothing moves, and when somebody looks"
	}
	if g := p.ReadGap; g != nil {
		r.Gap = "Slipway cannot read " + g.What + ". " + g.Words
		r.Next = "What is shown is as old as it says. Slipway goes on asking."
		if g.Permission != "" {
			r.Next = "The permission " + g.Permission + " is missing in the tenant's account. " + r.Next
		}
	}
	return r
}

func every(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}

func sourceFacts(p models.Pipeline) []ui.Pair {
	var rows []ui.Pair
	put := func(label, value string) {
		if value != "" {
			rows = append(rows, ui.Pair{Label: label, Value: value})
		}
	}
	s := p.Source
	if p.Kind == models.CodePipeline && s.Kind == models.SourceImage {
		put("Image under the tag", s.Tag)
		put("Image repository", p.Repository)
		return rows
	}
	put("Repository", s.Repository)
	put("Its number", s.RepositoryID)
	put("Its owner's number", s.OwnerID)
	put("Branch", s.Branch)
	if p.Kind == models.CodePipeline && len(s.Paths) == 0 {
		put("Paths", "every push")
	}
	put("Paths", strings.Join(s.Paths, ", "))
	put("Image repository", p.Repository)
	return rows
}

func pipelineOrders(now time.Time, orders []models.PipelineOrder) []views.PipelineOrder {
	verbs := map[string]string{"start": "to start it", "stop": "to stop an execution", "retry": "to try a stage again"}
	var rows []views.PipelineOrder
	for _, o := range orders {
		row := views.PipelineOrder{State: ui.State{Tone: ui.Run}, Words: fmt.Sprintf("%s has asked %s. AWS is told within seconds.", o.Person, verbs[o.Verb]), At: ui.Ago(now, o.AskedAt)}
		if o.Failure != "" {
			row.State, row.Words = ui.State{Tone: ui.Fail}, fmt.Sprintf("%s asked %s, and it did not work: %s", o.Person, verbs[o.Verb], o.Failure)
		} else if !o.DoneAt.IsZero() {
			row.State, row.Words = ui.State{Tone: ui.OK}, fmt.Sprintf("%s asked %s, and AWS was told.", o.Person, verbs[o.Verb])
		}
		rows = append(rows, row)
	}
	return rows
}

func waiverRow(now time.Time, p models.Pipeline, w models.Waiver, own bool) views.WaiverRow {
	row := views.WaiverRow{Gate: views.GateTitle(w.Gate), Environment: w.Environment, Reason: w.Reason, By: w.By, Until: ui.At(w.Until)}
	if w.Digest != "" {
		row.Image = views.ShortDigest(w.Digest)
	}
	if own {
		row.EndURL, row.Key = urls.EndWaiver(p.TenantSlug, p.Name, w.ID), models.NewID()
	}
	return row
}

func stageFreezeRow(now time.Time, f models.StageFreeze) views.StageFreezeRow {
	return views.StageFreezeRow{Environment: f.Environment, Reason: f.Reason, By: f.By, At: ui.Ago(now, f.At), Until: ui.At(f.Until)}
}

func startAction(a models.Actor, p models.Pipeline, token string) *ui.Action {
	if !a.MayOrderFor(p.TenantID) || p.Kind != models.CodePipeline || p.State == models.Deleted || p.State == models.Deleting || p.State == models.Creating {
		return nil
	}
	act := &ui.Action{ID: "start", Label: "Start an execution", URL: urls.ChangePipeline(p.TenantSlug, p.Name, "start"), CSRF: token, Key: models.NewID(),
		Sure: "CodePipeline takes what its source holds now and goes through all stages with it."}
	if p.Paused {
		act.Why = "It is paused. Resume it to start an execution."
	}
	return act
}

// pipelineActions are what may be asked for, each with why not while it is not possible.
func pipelineActions(a models.Actor, p models.Pipeline, token string) []ui.Action {
	if !a.MayOrderFor(p.TenantID) || p.State == models.Deleted {
		return nil
	}
	why := func(k models.RequestKind) string {
		if no := p.MayNot(k); no != "" {
			return no
		}
		return busyWhy(p.State)
	}
	at := func(verb string) string { return urls.ChangePipeline(p.TenantSlug, p.Name, verb) }
	all := []ui.Action{{ID: "update", Label: "Change", Text: "Other stages, gates or source.", Icon: ui.IconPencil, URL: at("update"), Why: why(models.UpdatePipeline)}}
	if p.Paused {
		all = append(all, ui.Action{ID: "resume", Label: "Resume", Text: "Pushes start it again, and promotions go on.", Icon: ui.IconPlay, URL: at("resume"), Why: why(models.ResumePipeline), Post: true, CSRF: token, Key: models.NewID(),
			Sure: "Pushes start it again, and open promotions go on. You see the plan first."})
	} else {
		all = append(all, ui.Action{ID: "pause", Label: "Pause", Text: "Nothing starts it, and it promotes nothing.", Icon: ui.IconCirclePause, URL: at("pause"), Why: why(models.PausePipeline), Post: true, CSRF: token, Key: models.NewID(),
			Sure: "Pushes no longer start it, and open promotions are held. What runs goes on. You see the plan first."})
	}
	return append(all, ui.Action{ID: "delete", Label: "Delete", Text: "Its stack goes, with a receipt at the end. Environments and images stay.", Icon: ui.IconTrash, URL: at("delete"), Bad: true, Why: why(models.DeletePipeline)})
}
