package handlers

import (
	"cmp"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// stageBox is one stage as it stands, with what can be done now.
func stageBox(now, wall time.Time, a models.Actor, p models.Pipeline, n int, s models.StageStatus) views.StageBox {
	name := cmp.Or(s.Runs.Environment, s.Environment)
	box := views.StageBox{Position: n, Name: name, URL: urls.Environment(p.TenantSlug, name), Stage: cmp.Or(s.Runs.Stage, s.Stage), Automatic: s.Automatic, State: views.CellState(s.Runs), Version: views.Version(s.Runs.Tag, s.Runs.Commit, s.Runs.Image),
		Image: s.Runs.Image, Commit: ui.Short(s.Runs.Commit), Since: ui.Ago(now, s.Runs.Since)}
	if e := s.Execution; e != nil && e.Number > 0 {
		box.Execution = &views.ExecutionBrief{Number: e.Number, URL: urls.Execution(p.TenantSlug, p.Name, e.Number)}
	}
	if w := s.Open; w != nil {
		box.Wait = &views.StageWait{URL: urls.Promotion(p.TenantSlug, w.ID), State: w.State, Version: promotionVersion(*w), Image: w.Image, Words: w.Reason, Since: ui.Age(now, w.CreatedAt)}
		if w.Approval != nil {
			box.Wait.Until = ui.In(wall, w.Approval.Until)
		}
		box.Gates = gateCounts(w.Gates)
	}
	box.Steps = stageSteps(a, p, name, s)
	return box
}

func promotionVersion(x models.Promotion) string { return views.Version("", x.Commit.ID, x.Image) }

// stageSteps are what can be done now, best first.
func stageSteps(a models.Actor, p models.Pipeline, name string, s models.StageStatus) []views.Step {
	var steps []views.Step
	may, own := a.MayOrderFor(p.TenantID), a.MayRunTenant(p.TenantID)
	at := func(verb string) string {
		return urls.With(urls.ChangePipeline(p.TenantSlug, p.Name, verb), "environment", name)
	}
	if w := s.Open; w != nil {
		if w.RequestID != "" {
			steps = append(steps, views.Step{URL: urls.Request(w.RequestID), Label: "Decide in the queue", Icon: ui.IconStamp})
		}
		if blocking := models.Blocking(w.Gates); len(blocking) > 0 && own && w.PersonID != a.Person.ID {
			steps = append(steps, views.Step{URL: urls.With(at("waive"), "gate", string(blocking[0].Gate), "digest", w.Digest()), Label: "Waive " + views.GateTitle(blocking[0].Gate), Icon: ui.IconSignpost})
		}
		if may {
			steps = append(steps, views.Step{URL: urls.RejectPromotion(p.TenantSlug, w.ID), Label: "Reject", Icon: ui.IconX})
		}
		return steps
	}
	if may && p.State != models.Deleted && p.State != models.Deleting && p.State != models.Creating {
		steps = append(steps, views.Step{URL: at("promote"), Label: "Promote an image", Icon: ui.IconRocket})
	}
	if may && s.Previous != nil {
		steps = append(steps, views.Step{URL: urls.Rollback(p.TenantSlug, name), Label: "Roll back", Icon: ui.IconUndo})
	}
	return steps
}

// gateCounts are how many gates stand in each state, worst first. Those that nobody asked for are counted, too.
func gateCounts(results []models.GateResult) []views.GateCount {
	var counts []views.GateCount
	for _, s := range []models.GateState{models.GateFail, models.GateWaiting, models.GateWaived, models.GatePass, models.GateUnset} {
		n := 0
		for _, r := range results {
			if r.State == s {
				n++
			}
		}
		if n > 0 {
			counts = append(counts, views.GateCount{State: views.GateState(s), N: n})
		}
	}
	return counts
}

// gateTable is gates by stages, each by the newest promotion to the stage.
func gateTable(wall time.Time, v models.PipelineDelivery) views.GateTable {
	var t views.GateTable
	newest := map[string][]models.GateResult{}
	for _, s := range v.Stages {
		t.Stages = append(t.Stages, cmp.Or(s.Runs.Environment, s.Environment))
		if s.Open != nil {
			newest[s.EnvironmentID] = s.Open.Gates
		}
	}
	for _, x := range v.Promotions {
		if _, known := newest[x.EnvironmentID]; !known && len(x.Gates) > 0 && !x.Rollback {
			newest[x.EnvironmentID] = x.Gates
		}
	}
	for _, info := range models.Gates() {
		row := views.PipelineGate{Title: info.Title, Text: info.Words, Own: info.Own}
		for _, s := range v.Stages {
			row.Cells = append(row.Cells, gateCell(wall, info.Gate, s, newest[s.EnvironmentID]))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func gateCell(wall time.Time, g models.Gate, s models.StageStatus, results []models.GateResult) views.GateCell {
	for _, r := range results {
		if r.Gate == g {
			cell := views.GateCell{State: views.GateState(r.State), Words: r.Words, At: ui.Ago(wall, r.At)}
			if w := r.Waiver; w != nil && r.State == models.GateWaived {
				cell.Words, cell.At = waivedWords(*w), ui.When{}
			}
			return cell
		}
	}
	for _, wanted := range s.Gates {
		if wanted == g {
			return views.GateCell{State: ui.State{Label: "Nothing asked yet", Tone: ui.Idle}}
		}
	}
	return views.GateCell{State: views.GateState(models.GateUnset)}
}

// waivedWords say by whom, until when and why.
func waivedWords(w models.Waiver) string {
	return "Waived by " + w.By + " until " + w.Until.UTC().Format("2 Jan 2006, 15:04 UTC") + ": " + w.Reason
}

func promotionRow(now time.Time, x models.Promotion) views.PromotionRow {
	return views.PromotionRow{URL: urls.Promotion(x.TenantSlug, x.ID), State: x.State, Environment: x.Environment, Version: promotionVersion(x), Image: x.Image, Words: x.Reason, By: x.AskedByName, Rollback: x.Rollback, At: ui.Ago(now, x.CreatedAt)}
}
