package price

import (
	"fmt"

	"slipway/models"
	"slipway/models/blueprint"
)

// machines are the sizes of build machines, as price keys have them.
var machines = map[string]string{"BUILD_GENERAL1_SMALL": "small", "BUILD_GENERAL1_MEDIUM": "medium", "BUILD_GENERAL1_LARGE": "large"}

// buildProject prices the minutes of a project's builds. It costs nothing while nothing is built.
func buildProject(w *walk, res blueprint.ResolvedResource) {
	size, ok := text(path(res, "Environment", "ComputeType"), "")
	family, known := text(path(res, "Environment", "Type"), "")
	switch {
	case !ok || !known:
		w.leave(fmt.Sprintf("Builds of %s: their machine is known only later", res.ID))
		return
	case machines[size] == "" || family != "LINUX_CONTAINER" && family != "ARM_CONTAINER":
		w.leave(fmt.Sprintf("Builds of %s: only small, medium and large Linux machines are estimated", res.ID))
		return
	}
	processor := "x86"
	if family == "ARM_CONTAINER" {
		processor = "arm"
	}
	w.use("codebuild."+processor+"."+machines[size], "build_minutes", res.ID)
}

// pipeline prices the minutes of its actions; what waits for an approval costs nothing.
func pipeline(w *walk, res blueprint.ResolvedResource) {
	if !is(res.Properties["PipelineType"], "V2", "V1") {
		w.leave(fmt.Sprintf("%s: only pipelines of the type V2 are estimated", res.ID))
		return
	}
	w.use("codepipeline.action", "pipeline_action_minutes", res.ID)
}

// delivery stands in for what a pipeline is given: a push through a connection, and one environment.
func delivery(arn func(service, rest string) string) map[string]string {
	given := map[string]string{"service.RepositoryName": "slw-example/example", "connection.provider": "GitHub",
		"workflows.issuer": "https://token.actions.githubusercontent.com", "workflows.ProviderArn": "arn:aws:iam::" + otherAccount + ":oidc-provider/token.actions.githubusercontent.com",
		"pipeline.source": "connection", "pipeline.connection": arn("codeconnections", "connection/00000000-0000-4000-8000-000000000002"), "pipeline.repository": "example/example",
		"pipeline.repository_id": "1", "pipeline.owner_id": "1", "pipeline.branch": "main", "pipeline.paths": "", "pipeline.tag": "", "pipeline.paused": "false", "pipeline.stage.1": "example"}
	for n := 1; n <= models.MaxStages; n++ {
		given[fmt.Sprintf("pipeline.timeout.%d", n)] = fmt.Sprint(models.DefaultTimeout)
		if n > 1 {
			given[fmt.Sprintf("pipeline.stage.%d", n)] = ""
		}
	}
	return given
}
