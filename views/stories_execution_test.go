package views

import (
	"fmt"
	"time"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

func executionStory() Execution {
	return Execution{
		Tenant: "payments", Pipeline: "orders", Number: 213, State: models.ExecutionRunning, Trigger: models.TriggerPush, By: "webhook", Commit: "4be0d1c2a4b6c8d0e2f4061829304152637485aa", Message: "Count refunds once\n\nThey were counted twice.",
		Author: "Aiko Mori", Branch: "main", CommitAt: ago(12 * time.Minute), Started: ago(11 * time.Minute), Took: "11 m 02 s", Link: ui.Out{URL: "https://eu-west-1.console.aws.amazon.com/codesuite/x", Word: "This execution at AWS"}, Digest: digest1, Tag: "4be0d1c", Live: true,
		Stages: []ExecutionStage{
			{Name: "Source", State: models.ExecutionSucceeded, Actions: []ExecutionAction{{Name: "Source", Kind: "source", State: models.ExecutionSucceeded, Took: "4.1 s", Outputs: []ui.Pair{{Label: "CommitId", Value: "4be0d1c2a4b6"}}}}},
			{Name: "Build", State: models.ExecutionFailed, Retry: &ui.Action{ID: "retry-Build", Label: "Try again", URL: urls.RetryStage("payments", "orders", 213), CSRF: "token", Key: id1, Sure: "CodePipeline runs the failed actions again."},
				Actions: []ExecutionAction{{Name: "Build", Kind: "build", State: models.ExecutionFailed, Took: "3 m 12 s", Words: "Build terminated with state: FAILED. Phase: BUILD, Message: exit status 1", Code: "JobFailed", LogURL: urls.ExecutionLog("payments", "orders", 213, "Build", "Build"),
					Link: ui.Out{URL: "https://eu-west-1.console.aws.amazon.com/codesuite/y", Word: "Build at AWS"}}}},
			{Name: "orders-dev", State: models.ExecutionAhead, EnvURL: urls.Environment("payments", "orders-dev"), Behind: "It waits behind #212.", Actions: []ExecutionAction{{Name: "slipway-orders-dev", Kind: "approval", State: models.ExecutionWaiting}}},
		},
		Scan:     Scan{State: ScanState(&models.ImageScan{State: models.ScanComplete, Counts: map[models.Severity]int{models.High: 3}}), Counts: []ui.Pair{{Label: "critical", Value: "0"}, {Label: "high", Value: "3"}}, At: ago(3 * time.Minute), Source: "by ECR"},
		Evidence: []EvidenceRow{{Gate: "Static analysis", State: ui.State{Label: "Pass", Tone: ui.OK}, Words: "No finding.", Link: ui.Out{URL: "https://ci.example.com/1", Word: "Its page at CI"}, File: "report.html", FileURL: urls.Evidence("payments", id1), Size: "12 KB", By: "repo:acme/orders:ref:refs/heads/main", At: ago(time.Minute)}},
		Behind:   &Behind{Number: 212, URL: urls.Execution("payments", "orders", 212), RejectURL: urls.Execution("payments", "orders", 212)}, Promotions: []PromotionRow{{URL: urls.Promotion("payments", id1), State: models.PromotionBlocked, Environment: "orders-dev", Version: "4be0d1c2", Words: "The image scan fails.", By: "CodePipeline", At: ago(time.Minute)}},
		Stop: &ui.Action{ID: "stop", Label: "Stop it", URL: urls.StopExecution("payments", "orders", 213), CSRF: "token", Key: id2, Sure: "CodePipeline ends it after the actions that run now."},
	}
}

func logStory() ExecutionLog {
	d := ExecutionLog{Tenant: "payments", Pipeline: "orders", Number: 213, Stage: "Build", Action: "Build", State: models.ExecutionRunning, Grows: true, MoreURL: "/x?next=1&from=4&shown=4", FileURL: urls.ExecutionLogFile("payments", "orders", 213, "Build", "Build"),
		Link: ui.Out{URL: "https://eu-west-1.console.aws.amazon.com/cloudwatch/z", Word: "The log at AWS"}}
	for i, text := range []string{"[Container] 2026/11/23 09:02:11 Entering phase BUILD", "go test ./...", hostile, long + long} {
		d.Lines = append(d.Lines, LogRow{N: i + 1, Time: ui.At(now.Add(time.Duration(i) * time.Second)), Text: text, Cut: i == 3})
	}
	return d
}

func promotionStory() Promotion {
	d := Promotion{ID: id1, Tenant: "payments", Pipeline: "orders", Environment: "orders-staging", Stage: models.Staging, Service: "orders", State: models.PromotionBlocked, Reason: "The image scan fails, and static analysis waits for evidence.", Version: "4be0d1c2", Digest: digest1, Was: digest2[:19],
		WasDigest: digest2, Commit: &ui.Pair{Label: "4be0d1c2a4b6c8d0e2f4061829304152637485aa", Value: "Count refunds once, by Aiko Mori"}, Execution: &ExecutionBrief{Number: 213, URL: urls.Execution("payments", "orders", 213)}, AskedBy: "CodePipeline", Asked: ago(5 * time.Minute),
		Scan: executionStory().Scan, Evidence: executionStory().Evidence, Until: ui.In(now, now.Add(160*time.Hour)), Answer: AnswerWords(models.AnswerDue), Moving: true, RejectURL: urls.RejectPromotion("payments", id1),
		Older: &ui.Pair{Label: "0c8d4411", Value: urls.Promotion("payments", id2)}, OlderReject: urls.RejectPromotion("payments", id2)}
	states := []models.GateState{models.GatePass, models.GateFail, models.GateWaived, models.GateWaiting, models.GateUnset}
	for i, g := range models.Gates() {
		row := PromotionGate{Gate: g.Gate, Title: g.Title, State: states[i%5], Words: g.Words, At: ago(time.Hour)}
		switch row.State {
		case models.GateFail, models.GateWaiting:
			row.WaiveURL = urls.With(urls.ChangePipeline("payments", "orders", "waive"), "gate", string(g.Gate))
		case models.GateWaived:
			row.Waived = "Waived by Noor Haddad until 26 Nov 2026, 09:14 UTC: the fix comes on Thursday."
		case models.GatePass:
			row.Link, row.File, row.FileURL = ui.Out{URL: "https://ci.example.com/1", Word: "Its page at CI"}, "report.sarif", urls.Evidence("payments", id1)
		}
		d.Gates = append(d.Gates, row)
	}
	return d
}

func executionPageStories() []story {
	d, creation, p, late := executionStory(), executionStory(), promotionStory(), promotionStory()
	creation.Trigger, creation.Behind, creation.Stop, creation.Commit, creation.Digest, creation.Stages, creation.Evidence, creation.Live, creation.State = models.TriggerCreation, nil, nil, "", "", nil, nil, false, models.ExecutionFailed
	late.State, late.Reason, late.Answer, late.AnswerLate, late.Moving, late.RejectURL, late.Older, late.Until, late.AnswerSaid = models.PromotionSucceeded, "", AnswerWords(models.AnswerLate), true, false, "", nil, ui.When{}, "The action had timed out."
	late.Request = &PromotionRequest{URL: urls.Request(id1), Number: "REQ-1851", State: models.Succeeded}
	frozen := promotionStory()
	frozen.State, frozen.Reason, frozen.Older, frozen.Rollback, frozen.Freeze, frozen.Now = models.PromotionHeld, hostile+long, nil, true, &StageFreezeRow{Environment: "orders-staging", Reason: hostile + long, By: long, Until: at(-time.Hour)}, digest2
	ended, gone, paged := logStory(), logStory(), logStory()
	ended.Grows, ended.State, gone.Grows, gone.Lines, gone.Gap, gone.GapNext = false, models.ExecutionSucceeded, false, nil, "Slipway cannot read the log. AWS refused: AccessDenied.", "Reload the page to try again."
	paged.Grows, paged.From, paged.NextURL = false, 5000, "/x?next=2&from=5004"
	conn := Connection{Tenant: "payments", Name: "github", Provider: models.GitHub, Class: models.NonProd, Status: models.ConnectionPending, StatusAt: ago(20 * time.Second), State: models.Creating, Made: ago(3 * time.Minute), Stack: StackFacts{Account: "209355718840", Region: "eu-west-1", Status: "CREATE_COMPLETE", At: ago(time.Minute)},
		Finish: ui.Out{URL: "https://eu-west-1.console.aws.amazon.com/codesuite/settings/connections", Word: "Finish it in the AWS console"}}
	ready, broken := conn, conn
	ready.Status, ready.State, ready.Pipelines = models.ConnectionAvailable, models.Ready, pipelineRowStories()[:1]
	ready.Actions = []ui.Action{{ID: "delete", Label: "Delete", Icon: ui.IconTrash, URL: urls.DeleteConnection("payments", "github"), Bad: true, Why: "It starts 1 pipeline. Change or delete them first."}}
	broken.Status, broken.State = models.ConnectionError, models.Ready
	asked := Request{ID: id1, Number: "REQ-1851", Title: "Deploy to environment orders-staging", Kind: models.DeployEnvironment, State: models.Planning, Requester: "Slipway (pipelines)", Asked: ago(time.Minute), CSRF: "token", Key: id2}
	asked.Promotion = &PromotionBrief{URL: urls.Promotion("payments", id1), Pipeline: "orders", PipeURL: urls.Pipeline("payments", "orders"), Environment: "orders-staging", AskedBy: "CodePipeline", Commit: "4be0d1c2a4b6", From: digest2, To: digest1, Gates: p.Gates,
		Counts: []GateCount{{State: GateState(models.GateFail), N: 2}, {State: GateState(models.GatePass), N: 8}}}
	return []story{
		{"request-promotion", RequestPage(admin(), asked)},
		{"execution", ExecutionPage(admin(), d)}, {"execution-creation", ExecutionPage(developer(), creation)}, {"fragment-execution", ExecutionLive(d)},
		{"executions", ExecutionsPage(admin(), Executions{Tenant: "payments", Pipeline: "orders", Rows: executionStories(), Filters: ui.Filters{URL: "/x", Label: "Filter executions"}})}, {"executions-empty", ExecutionsPage(admin(), Executions{Tenant: "payments", Pipeline: "orders"})},
		{"execution-log", ExecutionLogPage(admin(), logStory())}, {"execution-log-ended", ExecutionLogPage(admin(), ended)}, {"execution-log-gap", ExecutionLogPage(admin(), gone)}, {"execution-log-next", ExecutionLogPage(admin(), paged)}, {"fragment-execution-log", ExecutionLogLines(logStory())},
		{"promotion", PromotionPage(admin(), p)}, {"promotion-late", PromotionPage(developer(), late)}, {"promotion-frozen", PromotionPage(developer(), frozen)},
		{"connection-pending", ConnectionPage(developer(), conn)}, {"connection", ConnectionPage(developer(), ready)}, {"connection-error", ConnectionPage(developer(), broken)},
		{"where", WherePage(developer(), whereStory())}, {"where-empty", WherePage(developer(), Where{Tenant: "payments", MayAsk: true})},
	}
}

func whereStory() Where {
	d := Where{Tenant: "payments", Columns: []string{"development", "staging", "production"}}
	for i := range 3 {
		r := pipelineRowStories()[0]
		d.Rows = append(d.Rows, WhereRow{Service: fmt.Sprintf("service-%d", i), Pipelines: []string{"orders"}, Cells: [][]StageCell{{r.Cells[0]}, {r.Cells[1]}, nil}})
	}
	d.Rows[2].Service, d.Rows[2].Cells[0] = long, append(d.Rows[2].Cells[0], pipelineRowStories()[1].Cells...)
	return d
}

func deliveryFormStories() []story {
	stage := StageForm{Environment: "orders-dev", Automatic: true, Gates: []string{"build", "image-scan"}, Limits: map[models.Severity]string{models.Critical: "0", models.High: "0"}, Hours: "168"}
	d := PipelineOrderForm{Form: PipelineForm{Tenant: "payments", Kind: "codepipeline", Source: "connection", Name: "orders", Service: "orders", Connection: "github", Repository: "acme/orders", Branch: "main", CSRF: "token", Key: id1, Stages: []StageForm{stage, {Hours: "168"}}},
		Tenants: []ui.Option{{Value: "payments", Label: "payments"}}, Services: []ui.Option{{Label: "Choose"}, {Value: "orders", Label: "orders"}}, Connections: []ui.Option{{Label: "Choose"}, {Value: "github", Label: "github, GitHub"}},
		Envs: []ui.Option{{Label: "Choose"}, {Value: "orders-dev", Label: "orders-dev, dev"}, {Value: "orders-prod", Label: "orders-prod, prod"}}, From: map[string]string{"codepipeline": "$1.00/mo"}}
	actions, bad, image, update := d, d, d, d
	actions.Form.Kind, actions.Connections, actions.NoBlueprint = "github-actions", nil, "The blueprint github-actions is not offered in this installation."
	bad.Form.Errors = map[string]string{"name": "This name is taken.", "connection": "Choose a connection, or order one first.", "stages": "Choose one to 5 environments.", "stage.1.gates": "There is no gate \"x\".", "stage.1.scan": "Give each as a whole number.", "stage.2.timeout": "Give 30 minutes to 60 days.", "repository": "Name the repository as owner/name.", "": "Too much."}
	bad.Connections, bad.Services, bad.Form.Service, bad.NoEnvs = bad.Connections[:1], bad.Services[:1], "", "Choose the service first."
	image.Form.Source, image.Form.Tag = "image", "main"
	update.Pipeline = "orders"
	stages := []ui.Option{{Label: "Choose"}, {Value: "orders-dev", Label: "orders-dev"}}
	x := models.Promotion{ID: id1, Pipeline: "orders", Environment: "orders-dev", Image: "r@" + digest1, State: models.PromotionBlocked, Approval: &models.PromotionApproval{}}
	over := x
	over.State = models.PromotionSucceeded
	wrong := map[string]string{"reason": "Say why in 10 to 500 characters.", "until": "At most 30 days ahead.", "environment": "Choose the stage.", "gate": "Choose the gate.", "digest": "Choose the image.", "provider": "Choose the source host.", "name": "Lower case letters only.", "confirm": "This is not its name."}
	form := func(name string, f ObjectForm) story {
		f.CSRF, f.Key = "token", id1
		return story{name, ObjectFormPage(developer(), f)}
	}
	return []story{
		{"form-pipeline", PipelineFormPage(developer(), d)}, {"form-pipeline-actions", PipelineFormPage(developer(), actions)}, {"form-pipeline-errors", PipelineFormPage(developer(), bad)}, {"form-pipeline-image", PipelineFormPage(developer(), image)},
		{"form-pipeline-update", PipelineFormPage(developer(), update)}, {"form-pipeline-empty", PipelineFormPage(developer(), PipelineOrderForm{})}, {"fragment-form-pipeline", PipelineFormContent(d)},
		form("form-pipeline-delete", PipelineDelete("payments", "orders", ChangeForm{})), form("form-waive", WaiveGate("payments", "orders", stages, WaiverForm{Gate: "image-scan", Until: "2026-11-30T09:00"})), form("form-waive-errors", WaiveGate("payments", "orders", stages, WaiverForm{Errors: wrong})),
		form("form-stage-freeze", FreezeStage("payments", "orders", stages, StageFreezeForm{})), form("form-promote", PromoteImage("payments", "orders", stages, stages, PromoteForm{Errors: wrong})), form("form-promote-none", PromoteImage("payments", "orders", stages, nil, PromoteForm{})),
		form("form-reject", RejectPromotion("payments", x, RejectForm{})), form("form-reject-ended", RejectPromotion("payments", over, RejectForm{})), form("form-rollback", RollbackForm("payments", "orders-dev", "r@"+digest1, "r@"+digest2, "until 20 Nov 2026, 09:14 UTC")),
		form("form-rollback-none", RollbackForm("payments", "orders-dev", "", "", "")), form("form-connection", NewConnection("payments", ConnectionForm{Name: "github", Provider: "GitHub", Back: urls.PipelineDraft(id1)})), form("form-connection-errors", NewConnection("payments", ConnectionForm{Errors: wrong})),
		form("form-connection-delete", DeleteConnection("payments", "github", nil, ConnectionForm{})), form("form-connection-used", DeleteConnection("payments", "github", []ui.Pair{{Label: "payments / orders", Value: urls.Pipeline("payments", "orders")}}, ConnectionForm{})),
	}
}
