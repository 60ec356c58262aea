package urls

import (
	"fmt"
	"net/url"
)

// Addresses of what delivers images.
const (
	Pipelines    = "/pipelines"
	NewPipeline  = "/pipelines/new"
	ShowPipeline = "/pipelines/new/show" // the form with the fields of what was chosen
)

// Pipeline is a pipeline's page.
func Pipeline(tenant, name string) string {
	return Tenant(tenant) + "/pipelines/" + url.PathEscape(name)
}

// PipelineEvents streams a pipeline's page as it moves.
func PipelineEvents(tenant, name string) string { return Pipeline(tenant, name) + "/events" }

// PipelineDraft opens the order form with what was typed before.
func PipelineDraft(id string) string { return With(NewPipeline, "draft", id) }

// ChangePipeline is where something is asked of a pipeline, by its verb: update, pause, resume, delete, start, promote, waive, freeze.
func ChangePipeline(tenant, name, verb string) string { return Pipeline(tenant, name) + "/" + verb }

// PipelineWorkflow is the workflow file of a pipeline of GitHub Actions, to save.
func PipelineWorkflow(tenant, name string) string { return Pipeline(tenant, name) + "/workflow" }

// ShowPipelineUpdate is the form that changes a pipeline, drawn anew for what was chosen.
func ShowPipelineUpdate(tenant, name string) string { return Pipeline(tenant, name) + "/update/show" }

// EndWaiver takes a waiver back before its end.
func EndWaiver(tenant, pipeline, id string) string {
	return Pipeline(tenant, pipeline) + "/waivers/" + url.PathEscape(id) + "/end"
}

// LiftStageFreeze ends a freeze of a stage before its end.
func LiftStageFreeze(tenant, pipeline, id string) string {
	return Pipeline(tenant, pipeline) + "/freezes/" + url.PathEscape(id) + "/lift"
}

// Executions are all executions of a pipeline.
func Executions(tenant, pipeline string) string { return Pipeline(tenant, pipeline) + "/executions" }

// Execution is an execution's page.
func Execution(tenant, pipeline string, number int) string {
	return fmt.Sprintf("%s/%d", Executions(tenant, pipeline), number)
}

// ExecutionEvents streams an execution's page as it moves.
func ExecutionEvents(tenant, pipeline string, number int) string {
	return Execution(tenant, pipeline, number) + "/events"
}

// ExecutionLog is the log of one action of an execution.
func ExecutionLog(tenant, pipeline string, number int, stage, action string) string {
	return With(Execution(tenant, pipeline, number)+"/log", "stage", stage, "action", action)
}

// ExecutionLogFile is that log to save.
func ExecutionLogFile(tenant, pipeline string, number int, stage, action string) string {
	return With(Execution(tenant, pipeline, number)+"/log.txt", "stage", stage, "action", action)
}

// StopExecution ends an execution after what runs now.
func StopExecution(tenant, pipeline string, number int) string {
	return Execution(tenant, pipeline, number) + "/stop"
}

// RetryStage has a stage of an execution tried again.
func RetryStage(tenant, pipeline string, number int) string {
	return Execution(tenant, pipeline, number) + "/retry"
}

// Promotion is a promotion's page.
func Promotion(tenant, id string) string { return Tenant(tenant) + "/promotions/" + url.PathEscape(id) }

// RejectPromotion ends a promotion.
func RejectPromotion(tenant, id string) string { return Promotion(tenant, id) + "/reject" }

// Evidence is a file that CI posted, to save.
func Evidence(tenant, id string) string { return Tenant(tenant) + "/evidence/" + url.PathEscape(id) }

// Rollback brings back what ran healthy in an environment before.
func Rollback(tenant, environment string) string {
	return Environment(tenant, environment) + "/rollback"
}

// NewConnection asks for a connection to a source host.
func NewConnection(tenant string) string { return Tenant(tenant) + "/connections/new" }

// Connection is a connection's page.
func Connection(tenant, name string) string {
	return Tenant(tenant) + "/connections/" + url.PathEscape(name)
}

// DeleteConnection asks for a connection's end.
func DeleteConnection(tenant, name string) string { return Connection(tenant, name) + "/delete" }

// Where says what runs where in a tenant.
func Where(tenant string) string { return Tenant(tenant) + "/where" }

// pipelineLinks are the addresses above with sample names.
func pipelineLinks() []Link {
	const tenant, pipeline, id = "payments", "orders", "0190b9a0-0000-7000-8000-000000000001"
	links := []Link{
		{"GET", Pipelines}, {"GET", NewPipeline}, {"POST", NewPipeline}, {"POST", ShowPipeline}, {"GET", PipelineDraft(id)},
		{"GET", Pipeline(tenant, pipeline)}, {"GET", PipelineEvents(tenant, pipeline)}, {"GET", PipelineWorkflow(tenant, pipeline)},
		{"POST", ShowPipelineUpdate(tenant, pipeline)}, {"POST", ChangePipeline(tenant, pipeline, "pause")}, {"POST", ChangePipeline(tenant, pipeline, "resume")},
		{"POST", ChangePipeline(tenant, pipeline, "start")}, {"POST", EndWaiver(tenant, pipeline, id)}, {"POST", LiftStageFreeze(tenant, pipeline, id)},
		{"GET", Executions(tenant, pipeline)}, {"GET", Execution(tenant, pipeline, 12)}, {"GET", ExecutionEvents(tenant, pipeline, 12)},
		{"GET", ExecutionLog(tenant, pipeline, 12, "Build", "Build")}, {"GET", ExecutionLogFile(tenant, pipeline, 12, "Build", "Build")},
		{"POST", StopExecution(tenant, pipeline, 12)}, {"POST", RetryStage(tenant, pipeline, 12)},
		{"GET", Promotion(tenant, id)}, {"GET", RejectPromotion(tenant, id)}, {"POST", RejectPromotion(tenant, id)}, {"GET", Evidence(tenant, id)},
		{"GET", Rollback(tenant, "orders-dev")}, {"POST", Rollback(tenant, "orders-dev")},
		{"GET", NewConnection(tenant)}, {"POST", NewConnection(tenant)}, {"GET", Connection(tenant, "github")},
		{"GET", DeleteConnection(tenant, "github")}, {"POST", DeleteConnection(tenant, "github")}, {"GET", Where(tenant)},
	}
	for _, verb := range []string{"update", "delete", "promote", "waive", "freeze"} {
		links = append(links, Link{"GET", ChangePipeline(tenant, pipeline, verb)}, Link{"POST", ChangePipeline(tenant, pipeline, verb)})
	}
	return links
}
