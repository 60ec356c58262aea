package handlers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

func executionRows(wall time.Time, tenant, pipeline string, all []models.Execution) []views.ExecutionRow {
	var rows []views.ExecutionRow
	for _, e := range all {
		row := views.ExecutionRow{URL: urls.Execution(tenant, pipeline, e.Number), Number: e.Number, State: e.State, Trigger: e.Trigger, By: startedBy(e), Commit: ui.Short(e.Commit.ID), Message: firstLine(e.Commit.Message),
			Author: e.Commit.Author, Started: ui.Ago(wall, e.StartedAt), Took: took(e.StartedAt, e.EndedAt, wall)}
		for _, s := range e.Stages {
			row.Stages = append(row.Stages, views.StageMark{Name: s.Name, State: views.ExecutionState(s.State)})
		}
		rows = append(rows, row)
	}
	return rows
}

// executionView turns what the store knows of an execution into its page for one reader. Times are AWS's, by wall time.
func executionView(clock models.Clock, a models.Actor, x models.ExecutionPage, token string) views.Execution {
	now, wall, e, p := clock.Now(), clock.Wall(), x.Execution, x.Pipeline
	d := views.Execution{
		Tenant: p.TenantSlug, Pipeline: p.Name, Number: e.Number, State: e.State, Trigger: e.Trigger, By: startedBy(e), Commit: e.Commit.ID, Message: e.Commit.Message, Author: e.Commit.Author, Branch: e.Commit.Branch,
		CommitAt: ui.Ago(wall, e.Commit.At), Started: ui.Ago(wall, e.StartedAt), Took: took(e.StartedAt, e.EndedAt, wall), Digest: e.Digest, Scan: scanView(wall, x.Scan), Evidence: evidenceRows(wall, p.TenantSlug, x.Evidence), Orders: pipelineOrders(now, x.Orders), Live: !e.State.Ended() || openPromotion(x.Promotions), Reading: reading(wall, p),
	}
	if e.Link != "" {
		d.Link = ui.Out{URL: e.Link, Word: "This execution at " + hostWord(p.Kind)}
	}
	for _, b := range x.Builds {
		if b.Digest == e.Digest {
			d.Tag = b.Tag
		}
	}
	may := a.MayOrderFor(p.TenantID) && p.State != models.Deleted && p.Kind == models.CodePipeline
	for _, s := range e.Stages {
		d.Stages = append(d.Stages, executionStage(wall, x, s, may, token))
	}
	for _, r := range x.Promotions {
		d.Promotions = append(d.Promotions, promotionRow(now, r))
	}
	if b := x.Behind; b != nil {
		d.Behind = &views.Behind{Number: b.Number, URL: urls.Execution(p.TenantSlug, p.Name, b.Number)}
		for _, s := range b.Stages {
			if may && s.EnvironmentID != "" && (s.State == models.ExecutionWaiting || s.State == models.ExecutionRunning) {
				d.Behind.RejectURL = d.Behind.URL // its page has the promotion to reject
			}
		}
	}
	if may && (e.State == models.ExecutionRunning || e.State == models.ExecutionWaiting) {
		d.Stop = &ui.Action{ID: "stop", Label: "Stop it", URL: urls.StopExecution(p.TenantSlug, p.Name, e.Number), CSRF: token, Key: models.NewID(),
			Sure: "CodePipeline ends it after the actions that run now. A deployment that Slipway has begun goes on to its end."}
	}
	return d
}

func openPromotion(all []models.Promotion) bool {
	return slices.ContainsFunc(all, func(x models.Promotion) bool { return !x.State.Ended() })
}

func hostWord(k models.PipelineKind) string {
	if k == models.GitHubActions {
		return "GitHub"
	}
	return "AWS"
}

func executionStage(wall time.Time, x models.ExecutionPage, s models.ExecutionStage, may bool, token string) views.ExecutionStage {
	p, e := x.Pipeline, x.Execution
	row := views.ExecutionStage{Name: s.Name, State: s.State}
	if stage, ok := p.StageOf(s.EnvironmentID); ok {
		row.EnvURL = urls.Environment(p.TenantSlug, stage.Environment)
	}
	if s.Behind != "" {
		row.Behind = "It waits behind an older execution."
		if x.Behind != nil && x.Behind.ExternalID == s.Behind {
			row.Behind = fmt.Sprintf("It waits behind #%d.", x.Behind.Number)
		}
	}
	for _, act := range s.Actions {
		v := views.ExecutionAction{Name: act.Name, Kind: act.Kind, State: act.State, Took: took(act.StartedAt, act.EndedAt, wall), Words: act.Words, Code: act.ErrorCode}
		if act.LogGroup != "" && act.LogStream != "" {
			v.LogURL = urls.ExecutionLog(p.TenantSlug, p.Name, e.Number, s.Name, act.Name)
		}
		if act.Link != "" {
			v.Link = ui.Out{URL: act.Link, Word: act.Name + " at " + hostWord(p.Kind)}
		}
		for _, key := range slices.Sorted(maps.Keys(act.Outputs)) {
			v.Outputs = append(v.Outputs, ui.Pair{Label: key, Value: act.Outputs[key]})
		}
		row.Actions = append(row.Actions, v)
	}
	if may && s.State == models.ExecutionFailed && e.State == models.ExecutionFailed {
		row.Retry = &ui.Action{ID: "retry-" + s.Name, Label: "Try again", URL: urls.RetryStage(p.TenantSlug, p.Name, e.Number), CSRF: token, Key: models.NewID(),
			Sure: "CodePipeline runs the failed actions of " + s.Name + " again, with the same commit."}
	}
	return row
}

// scanView says what ECR found, severity by severity.
func scanView(wall time.Time, s *models.ImageScan) views.Scan {
	d := views.Scan{State: views.ScanState(s)}
	if s == nil {
		return d
	}
	d.Words, d.At = s.Words, ui.Ago(wall, s.ScannedAt)
	switch s.Source {
	case "basic":
		d.Source = "by ECR"
	case "inspector":
		d.Source = "by Inspector"
	}
	if s.State == models.ScanComplete {
		for _, sev := range models.Severities() {
			d.Counts = append(d.Counts, ui.Pair{Label: strings.ToLower(string(sev)), Value: ui.Count(s.Counts[sev])})
		}
	}
	return d
}

func evidenceRows(wall time.Time, tenant string, all []models.Evidence) []views.EvidenceRow {
	var rows []views.EvidenceRow
	for _, e := range all {
		row := views.EvidenceRow{Gate: views.GateTitle(e.Gate), State: ui.State{Label: "Pass", Tone: ui.OK}, Words: e.Words, By: e.PostedBy, At: ui.Ago(wall, e.PostedAt)}
		if !e.Passed {
			row.State = ui.State{Label: "Fail", Tone: ui.Fail}
		}
		if e.URL != "" {
			row.Link = ui.Out{URL: e.URL, Word: "Its page at CI"}
		}
		if e.FileSize > 0 {
			row.File, row.FileURL, row.Size = fileName(e), urls.Evidence(tenant, e.ID), fileSize(e.FileSize)
		}
		rows = append(rows, row)
	}
	return rows
}

func fileName(e models.Evidence) string {
	if e.FileName == "" {
		return string(e.Gate)
	}
	return e.FileName
}

func fileSize(n int) string {
	if n < 1024 {
		return ui.Plural(n, "byte", "bytes")
	}
	return fmt.Sprintf("%d KB", (n+1023)/1024)
}

// startedBy is who or what started an execution, for people. Nobody started the one that CodePipeline starts when it is made, and a push came
// through the pipeline's own connection, which the page names anyway; of everybody else the ARN says the name last.
func startedBy(e models.Execution) string {
	arn := strings.HasPrefix(e.TriggerBy, "arn:")
	switch {
	case e.Trigger == models.TriggerCreation || e.Trigger == models.TriggerPush && arn:
		return ""
	case arn:
		return e.TriggerBy[strings.LastIndex(e.TriggerBy, ":")+1:]
	}
	return e.TriggerBy
}
