package views

import (
	"fmt"
	"strings"
	"time"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

var digest1, digest2 = "sha256:" + strings.Repeat("9f3c", 16), "sha256:" + strings.Repeat("a107", 16)

func cell(env string, stage models.Stage, c models.StageCell, since time.Duration) StageCell {
	c.Environment, c.Stage = env, stage
	return StageCell{Environment: env, Tenant: "payments", State: CellState(c), Version: Version(c.Tag, c.Commit, c.Image), Image: c.Image, Since: ago(since)}
}

func pipelineRowStories() []PipelineRow {
	runs := models.StageCell{State: models.Ready, Image: "r@" + digest1, Tag: "1.4.2"}
	waits, frozen, blocked := runs, runs, runs
	waits.Waiting, waits.Tag, frozen.Frozen, blocked.Blocked, blocked.Tag, blocked.Commit = true, "1.4.1", true, true, "", "4be0d1c2a4b6"
	return []PipelineRow{
		{Tenant: "payments", Name: "orders", Kind: models.CodePipeline, Service: "orders", Source: "acme/orders, main", State: PipelineState(models.Ready, false), Last: LastExecution{Number: 214, State: models.ExecutionRunning, Words: "4be0d1c2 Count refunds once", At: ago(4 * time.Minute)},
			Cells: []StageCell{cell("orders-dev", models.Dev, runs, 3*time.Minute), cell("orders-staging", models.Staging, waits, 26*time.Hour), cell("orders-prod", models.Production, frozen, 90*time.Hour)}},
		{Tenant: "payments", Name: "ledger", Kind: models.GitHubActions, Service: "ledger", Source: "acme/ledger, main", State: PipelineState(models.Ready, true), Last: LastExecution{Number: 9, State: models.ExecutionFailed, Words: "0c8d Move to the new API", At: ago(26 * time.Hour)},
			Cells: []StageCell{cell("ledger-dev", models.Dev, blocked, time.Hour), cell("ledger-prod", models.Production, models.StageCell{State: models.Ready}, 0)}},
		{Tenant: "payments", Name: "reports", Kind: models.CodePipeline, Service: "reports", State: PipelineState(models.Creating, false)},
	}
}

func pipelineStory() Pipeline {
	rows := pipelineRowStories()
	d := Pipeline{
		Tenant: "payments", Name: "orders", Kind: models.CodePipeline, State: models.Ready, Service: "orders", Class: models.NonProd, Made: ago(90 * 24 * time.Hour), Live: true, CSRF: "token",
		Stack:      StackFacts{Account: "209355718840", Region: "eu-west-1", Status: "CREATE_COMPLETE", At: ago(time.Hour)},
		Reading:    Reading{At: ago(12 * time.Second), Every: "every 10 s while something moves"},
		Source:     []ui.Pair{{Label: "Repository", Value: "acme/orders"}, {Label: "Branch", Value: "main"}, {Label: "Paths", Value: "services/orders/**"}},
		Connection: &ConnectionBrief{Name: "github", URL: urls.Connection("payments", "github"), State: ConnectionStatus(models.ConnectionAvailable)},
		WaiveURL:   urls.ChangePipeline("payments", "orders", "waive"), FreezeURL: urls.ChangePipeline("payments", "orders", "freeze"), More: true,
		Start: &ui.Action{ID: "start", Label: "Start an execution", URL: urls.ChangePipeline("payments", "orders", "start"), CSRF: "token", Key: id1, Sure: "CodePipeline takes what its source holds now."},
		Figures: FiguresOf(models.DeliveryFigures{Environment: "orders-prod", Window: models.FiguresWindow, Deployments: 22, Failed: 2, PerWeek: 5.5, LeadTime: models.Milliseconds(26 * time.Hour), LeadKnown: 20,
			FailureRate: 2.0 / 24}),
	}
	steps := []Step{{URL: urls.Request(id1), Label: "Decide in the queue", Icon: ui.IconStamp}, {URL: urls.RejectPromotion("payments", id1), Label: "Reject", Icon: ui.IconX}}
	for i, c := range rows[0].Cells {
		box := StageBox{Position: i + 1, Name: c.Environment, URL: urls.Environment("payments", c.Environment), Stage: []models.Stage{models.Dev, models.Staging, models.Production}[i], Automatic: i == 0, State: c.State, Version: c.Version, Image: c.Image, Commit: "4be0d1c2", Since: c.Since,
			Execution: &ExecutionBrief{Number: 214 - i, URL: urls.Execution("payments", "orders", 214-i)}, Steps: []Step{{URL: urls.Rollback("payments", c.Environment), Label: "Roll back", Icon: ui.IconUndo}}}
		if i == 1 {
			box.Wait = &StageWait{URL: urls.Promotion("payments", id1), State: models.PromotionRequested, Version: "1.4.2", Image: "r@" + digest1, Words: "REQ-1851 waits for Jonas Weil or Noor Haddad.", Since: ui.Age(now, now.Add(-2*time.Minute)), Until: ui.In(now, now.Add(167*time.Hour))}
			box.Gates, box.Steps = []GateCount{{State: GateState(models.GateWaived), N: 1}, {State: GateState(models.GatePass), N: 4}, {State: GateState(models.GateUnset), N: 5}}, steps
		}
		d.Stages = append(d.Stages, box)
	}
	d.Gates = gateStory()
	d.Executions = executionStories()
	d.Orders = []PipelineOrder{{State: ui.State{Tone: ui.Run}, Words: "Aiko Mori has asked to start it. AWS is told within seconds.", At: ago(3 * time.Second)}}
	d.Promotions = []PromotionRow{{URL: urls.Promotion("payments", id1), State: models.PromotionRequested, Environment: "orders-staging", Version: "4be0d1c2", Image: "r@" + digest1, Words: "REQ-1851 waits for a decision.", By: "CodePipeline", At: ago(2 * time.Minute)},
		{URL: urls.Promotion("payments", id2), State: models.PromotionSucceeded, Environment: "orders-prod", Version: "0c8d4411", Rollback: true, By: "Aiko Mori", At: ago(90 * time.Hour)}}
	d.Waivers = []WaiverRow{{Gate: "Image scan", Environment: "orders-staging", Image: digest1[:19], Reason: "The library is not reachable from outside; the fix comes on Thursday.", By: "Noor Haddad", Until: at(-70 * time.Hour), EndURL: urls.EndWaiver("payments", "orders", id1), Key: id2}}
	d.Freezes = []StageFreezeRow{{Environment: "orders-prod", Reason: "Quarter end.", By: "Noor Haddad", At: ago(time.Hour), Until: at(-70 * time.Hour), LiftURL: urls.LiftStageFreeze("payments", "orders", id1), Key: id2}}
	d.Actions = []ui.Action{{ID: "update", Label: "Change", Text: "Other stages, gates or source.", Icon: ui.IconPencil, URL: urls.ChangePipeline("payments", "orders", "update")},
		{ID: "delete", Label: "Delete", Text: "Its stack goes.", Icon: ui.IconTrash, URL: urls.ChangePipeline("payments", "orders", "delete"), Bad: true, Why: "It is being changed. Possible once the run has ended."}}
	return d
}

func gateStory() GateTable {
	t := GateTable{Stages: []string{"orders-dev", "orders-staging", "orders-prod"}}
	states := []models.GateState{models.GatePass, models.GateFail, models.GateWaived, models.GateWaiting, models.GateUnset}
	for i, g := range models.Gates() {
		row := PipelineGate{Title: g.Title, Text: g.Words, Own: g.Own}
		for j := range t.Stages {
			row.Cells = append(row.Cells, GateCell{State: GateState(states[(i+j)%len(states)]), Words: "2 critical (0 allowed)", At: ago(time.Duration(i+1) * time.Hour)})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func executionStories() []ExecutionRow {
	states := []models.ExecutionState{models.ExecutionRunning, models.ExecutionWaiting, models.ExecutionFailed, models.ExecutionSucceeded, models.ExecutionStopped, models.ExecutionSuperseded, models.ExecutionStopping}
	var rows []ExecutionRow
	for i, s := range states {
		rows = append(rows, ExecutionRow{URL: urls.Execution("payments", "orders", 214-i), Number: 214 - i, State: s, Trigger: models.TriggerPush, By: "webhook", Commit: fmt.Sprintf("%08x", 0x4be0d1c2+i), Message: "Count refunds once", Author: "Aiko Mori",
			Started: ago(time.Duration(i*i+1) * time.Hour), Took: "6 m 12 s", Stages: []StageMark{{"Source", ExecutionState(models.ExecutionSucceeded)}, {"Build", ExecutionState(s)}, {"orders-dev", ExecutionState(models.ExecutionAhead)}}})
	}
	rows[6].Trigger, rows[6].By, rows[6].Stages = models.TriggerCreation, "", nil
	return rows
}

func deliveryStories() []story {
	list := Pipelines{Facts: []ui.Fact{{Value: "3 pipelines"}}, Rows: pipelineRowStories(), MayAsk: true, CSV: "/pipelines?format=csv", Sorts: ui.SortLinks(urls.Pipelines, nil, "-last", "name", "state", "last")}
	wide := Pipelines{Rows: []PipelineRow{{Tenant: "a-twenty-letter-slug", Name: long[:60], Service: long, Source: long, State: PipelineState(models.Broken, false), Last: LastExecution{Number: 99999, State: models.ExecutionFailed, Words: long, At: ago(9 * time.Hour)},
		Cells: []StageCell{cell(long, models.Production, models.StageCell{State: models.Ready, Image: "x@" + digest1, Tag: long}, time.Hour)}}}}
	d := pipelineStory()
	gap, bare, deleted, hostileOne := d, Pipeline{Tenant: "payments", Name: "reports", Kind: models.GitHubActions, State: models.Creating, Service: "reports", Live: true, Progress: "Step 2 of 5: Create the stack"}, d, d
	gap.Reading = Reading{At: ago(3 * time.Hour), Every: "every 5 min while nothing moves", Gap: "Slipway cannot read the pipeline's executions. AWS refused: AccessDenied.", Next: "The permission codepipeline:ListPipelineExecutions is missing in the tenant's account."}
	bare.Workflow = &WorkflowFile{Path: ".github/workflows/slipway-reports.yml", Text: "name: Slipway\non:\n  push:\n    branches: [main]\n", URL: urls.PipelineWorkflow("payments", "reports")}
	deleted.State, deleted.Live, deleted.Receipt, deleted.Actions, deleted.Start = models.Deleted, false, &Receipt{At: ago(time.Hour), ScannedIn: []string{"eu-west-1"}}, nil, nil
	hostileOne.Executions = []ExecutionRow{{URL: "/x", Number: 1, State: "odd", Commit: long, Message: hostile + long, Author: hostile, By: hostile, Started: ago(time.Hour), Took: "1 s", Stages: []StageMark{{hostile, ExecutionState("odd")}, {long, ExecutionState("")}}}}
	hostileOne.Stages = []StageBox{{Position: 1, Name: long, URL: "/x", State: CellState(models.StageCell{State: models.Broken}), Version: long, Image: hostile, Commit: long, Since: ago(time.Hour), Wait: &StageWait{URL: "/x", Words: hostile + long, Version: long}, Steps: []Step{{URL: "/x", Label: "Waive Static analysis", Icon: ui.IconSignpost}}}}
	hostileOne.Waivers = []WaiverRow{{Gate: hostile, Environment: long, Reason: hostile + long, By: hostile, Until: at(0)}}
	env := Environment{Tenant: "payments", Name: "orders-dev", Stage: models.Dev, State: models.Ready, Made: ago(time.Hour), Delivery: &EnvironmentDelivery{Tenant: "payments", By: "What runs here was promoted:", ByURL: urls.Promotion("payments", id1), ByWord: "the promotion", At: ago(time.Hour),
		Pipelines: []string{"orders", "orders-hotfix"}, Open: d.Promotions[:1], Freeze: &d.Freezes[0], Previous: digest2[:19], RollbackURL: urls.Rollback("payments", "orders-dev")}}
	past := env
	past.Delivery = &EnvironmentDelivery{Tenant: "payments"}
	service := Service{Tenant: "payments", Name: "orders", State: models.Ready, Pipelines: pipelineRowStories()[:2], PipelineURL: urls.NewPipeline, Images: []ImageRow{{Version: "1.4.2", Digest: digest1, Scan: ScanState(nil), Commit: "4be0d1c2 Count refunds once, by Aiko Mori", Built: ago(time.Hour), By: "orders #214", ByURL: urls.Execution("payments", "orders", 214), Runs: pipelineRowStories()[0].Cells},
		{Version: digest2[:19], Digest: digest2, Scan: ScanState(&models.ImageScan{State: models.ScanComplete, Counts: map[models.Severity]int{models.Critical: 1}})}}}
	holds := Tenant{Slug: "payments", Name: "Payments", State: models.Ready, Holds: Holds{MayAsk: true, Pipelines: pipelineRowStories(), PipelinesAll: 12, Connections: []ConnectionRow{{Tenant: "payments", Name: "github", Provider: models.GitHub, Class: models.NonProd, State: ConnectionStatus(models.ConnectionPending)}}}}
	return append([]story{
		{"environment-delivery", EnvironmentPage(developer(), env)}, {"environment-past-pipelines", EnvironmentPage(developer(), past)}, {"service-delivery", ServicePage(developer(), service)}, {"tenant-delivery", TenantPage(developer(), holds)},
		{"pipelines", PipelinesPage(admin(), list)}, {"pipelines-long", PipelinesPage(admin(), wide)}, {"pipelines-empty", PipelinesPage(developer(), Pipelines{MayAsk: true})}, {"pipelines-empty-viewer", PipelinesPage(developer(), Pipelines{})},
		{"pipelines-none", PipelinesPage(developer(), Pipelines{Filters: ui.Filters{URL: urls.Pipelines, Set: true}})},
		{"pipeline", PipelinePage(admin(), d)}, {"pipeline-gap", PipelinePage(developer(), gap)}, {"pipeline-bare", PipelinePage(developer(), bare)}, {"pipeline-deleted", PipelinePage(developer(), deleted)},
		{"pipeline-long", PipelinePage(developer(), hostileOne)}, {"fragment-pipeline", PipelineLive(d)},
	}, append(executionPageStories(), deliveryFormStories()...)...)
}
