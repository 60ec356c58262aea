package awssim

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

func TestConnectionHandshake(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	d := newDelivery(t, w, "")
	api := codeconnections.NewFromConfig(w.as(asAdmin))
	got, err := api.GetConnection(t.Context(), &codeconnections.GetConnectionInput{ConnectionArn: &d.connection})
	if err != nil || got.Connection.ConnectionStatus != "PENDING" || *got.Connection.ConnectionName != "shop" || got.Connection.ProviderType != "GitHub" {
		t.Fatalf("a new connection: %s, %v", asText(got), err)
	}
	first := *d.newest()[0].PipelineExecutionId
	d.ended(first, cptypes.PipelineExecutionStatusFailed)
	if a := d.actions(first); len(a) != 1 || !strings.Contains(aws.ToString(a[0].Output.ExecutionResult.ErrorDetails.Message), "PENDING") {
		t.Errorf("a source on a pending connection: %s", asText(a))
	}
	d.shake("AVAILABLE")
	list, err := api.ListConnections(t.Context(), &codeconnections.ListConnectionsInput{ProviderTypeFilter: "GitHub"})
	if err != nil || len(list.Connections) != 1 || list.Connections[0].ConnectionStatus != "AVAILABLE" {
		t.Errorf("after the handshake: %s, %v", asText(list), err)
	}
	d.shake("ERROR")
	_, err = api.GetConnection(t.Context(), &codeconnections.GetConnectionInput{ConnectionArn: aws.String(strings.Replace(d.connection, "a", "b", 4))})
	wantCode(t, "a connection that is not there", err, "ResourceNotFoundException")
	_, err = codeconnections.NewFromConfig(w.as(asHubAdmin)).GetConnection(t.Context(), &codeconnections.GetConnectionInput{ConnectionArn: &d.connection})
	wantCode(t, "another account's", err, "ResourceNotFoundException")
}

func TestPipelineNeedsItsConnection(t *testing.T) {
	t.Parallel()
	d := newStackTest(t, newWorld(t, fast))
	d.changeSet("shop", "make", pipelineStack, cfntypes.ChangeSetTypeCreate, "Connection", "arn:aws:codeconnections:eu-west-1:"+demoManagement+":connection/00000000-0000-4000-a000-000000000000")
	d.execute("shop", "make")
	s := d.want("shop", cfntypes.StackStatusRollbackComplete)
	d.happened(*s.StackId, "Pipeline CREATE_FAILED: Resource handler returned message: \"Action 'Source' in stage 'Source': the connection 'arn:aws:codeconnections:")
}

// TestDelivery follows a commit from its push to the approval, with another one behind it.
func TestDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	d := newDelivery(t, w, "AVAILABLE")
	first := d.newest()[0]
	if first.Trigger.TriggerType != cptypes.TriggerTypeCreatePipeline || first.ExecutionMode != cptypes.ExecutionModeQueued {
		t.Errorf("the first execution: %s", asText(first))
	}
	one := *first.PipelineExecutionId
	approval := d.waiting(one)
	two := d.push("Sell umbrellas", "web/shop.go")
	eventually(t, "the second behind the first", func() bool {
		s := d.state().StageStates[2]
		return len(s.InboundExecutions) == 1 && *s.InboundExecutions[0].PipelineExecutionId == two && *s.LatestExecution.PipelineExecutionId == one
	})
	a := d.actions(one)
	if len(a) != 3 || *a[0].ActionName != "slipway-shop-dev" || *a[2].ActionName != "Source" {
		t.Fatalf("actions: %s", asText(a))
	}
	digest, commit := a[1].Output.OutputVariables["IMAGE_DIGEST"], a[2].Output.OutputVariables["CommitId"]
	if len(commit) != 40 || !strings.HasSuffix(a[1].Output.OutputVariables["IMAGE_URI"], "@"+digest) || a[0].Input.ResolvedConfiguration["CustomData"] != "one "+digest {
		t.Errorf("variables: %s", asText(a))
	}
	found, err := d.images.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("shop/web")})
	if err != nil || len(found.ImageDetails) != 2 || *found.ImageDetails[0].ImageDigest != digest || !slices.Equal(found.ImageDetails[0].ImageTags, []string{commit}) {
		t.Errorf("images: %s, %v", asText(found), err)
	}
	wantCode(t, "another token", d.approve(aws.String("11111111-2222-4333-a444-555555555555"), cptypes.ApprovalStatusApproved), "InvalidApprovalTokenException")
	for _, tc := range []struct{ pipeline, stage, action, want string }{
		{"none", "shop-dev", "slipway-shop-dev", "PipelineNotFoundException"}, {"shop", "none", "slipway-shop-dev", "StageNotFoundException"},
		{"shop", "shop-dev", "none", "ActionNotFoundException"}, {"shop", "Build", "Build", "ActionNotFoundException"},
	} {
		_, err := d.pipelines.PutApprovalResult(t.Context(), &codepipeline.PutApprovalResultInput{PipelineName: &tc.pipeline, StageName: &tc.stage, ActionName: &tc.action, Token: approval.Token, Result: &cptypes.ApprovalResult{Status: "Approved", Summary: aws.String("")}})
		wantCode(t, tc.want, err, tc.want)
	}
	if err := d.approve(approval.Token, cptypes.ApprovalStatusApproved); err != nil {
		t.Fatal(err)
	}
	d.ended(one, cptypes.PipelineExecutionStatusSucceeded)
	wantCode(t, "a used token", d.approve(approval.Token, cptypes.ApprovalStatusRejected), "ApprovalAlreadyCompletedException")
	if err := d.approve(d.waiting(two).Token, cptypes.ApprovalStatusRejected); err != nil {
		t.Fatal(err)
	}
	d.ended(two, cptypes.PipelineExecutionStatusFailed)
	s := d.state().StageStates[2]
	if last := s.ActionStates[0].LatestExecution; last.Status != "Failed" || *last.Summary != "https://slipway.example/runs/1" || last.Token != nil || s.LatestExecution.Status != "Failed" {
		t.Errorf("after the rejection: %s", asText(s))
	}
	newest := d.newest()
	if r := newest[0].SourceRevisions[0]; newest[0].Trigger.TriggerType != cptypes.TriggerTypeWebhookV2 || !strings.Contains(*r.RevisionSummary, "Sell umbrellas") || !strings.Contains(*r.RevisionUrl, *r.RevisionId) {
		t.Errorf("the second execution: %s", asText(newest[0]))
	}
}

func TestPushesAreFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	d := newDelivery(t, w, "AVAILABLE")
	for name, tc := range map[string]struct {
		branch string
		paths  []string
		starts bool
	}{
		"a file of the service":      {"main", []string{"web/a/b.go"}, true},
		"everything":                 {"main", nil, true},
		"only what is excluded":      {"main", []string{"web/docs/README.md"}, false},
		"a file of something else":   {"main", []string{"api/a.go"}, false},
		"one of several files":       {"main", []string{"api/a.go", "web/a.go"}, true},
		"another branch":             {"next", []string{"web/a.go"}, false},
		"a branch with a name in it": {"main/next", []string{"web/a.go"}, false},
	} {
		out := d.deed("POST /commits", deed{Account: demoManagement, Name: "shop/web", Key: tc.branch, Value: name, Author: "Mina Vogel", Paths: tc.paths})
		p := out["pipelines"].([]map[string]any)
		if started := p[0]["execution"] != nil; started != tc.starts || started == (p[0]["ignored"] != nil) {
			t.Errorf("%s: %v", name, out)
		}
	}
	d.shake("ERROR")
	out := d.deed("POST /commits", deed{Account: demoManagement, Name: "shop/web", Key: "main", Value: "more", Author: "Mina Vogel"})
	if p := out["pipelines"].([]map[string]any); p[0]["ignored"] != "its connection is ERROR" {
		t.Errorf("over a broken connection: %v", out)
	}
}

func TestBuildFailsItsTests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	d := newDelivery(t, w, "AVAILABLE")
	one := *d.newest()[0].PipelineExecutionId
	d.waiting(one)
	d.deed("POST /builds/next", deed{Account: demoManagement, Name: "shop-build", Value: playsTests})
	two := d.push("Break it")
	d.ended(two, cptypes.PipelineExecutionStatusFailed)
	a := d.actions(two)[0]
	if *a.ActionName != "Build" || *a.Output.ExecutionResult.ErrorDetails.Code != "JobFailed" || len(a.Output.OutputVariables) > 0 {
		t.Errorf("the build: %s", asText(a))
	}
	got, err := d.builds.BatchGetBuilds(t.Context(), &codebuild.BatchGetBuildsInput{Ids: []string{*a.Output.ExecutionResult.ExternalExecutionId, "shop-build:none"}})
	if err != nil || len(got.Builds) != 1 || len(got.BuildsNotFound) != 1 || got.Builds[0].BuildStatus != cbtypes.StatusTypeFailed {
		t.Fatalf("builds: %s, %v", asText(got), err)
	}
	i := slices.IndexFunc(got.Builds[0].Phases, func(p cbtypes.BuildPhase) bool { return p.PhaseStatus == cbtypes.StatusTypeFailed })
	if i < 0 || got.Builds[0].Phases[i].PhaseType != cbtypes.BuildPhaseTypeBuild || *got.Builds[0].CurrentPhase != "COMPLETED" {
		t.Errorf("phases: %s", asText(got.Builds[0].Phases))
	}
	_, err = d.pipelines.RetryStageExecution(t.Context(), &codepipeline.RetryStageExecutionInput{PipelineName: aws.String("shop"), StageName: aws.String("Source"), PipelineExecutionId: &two, RetryMode: cptypes.StageRetryModeFailedActions})
	wantCode(t, "a stage that did not fail", err, "StageNotRetryableException")
	if _, err := d.pipelines.RetryStageExecution(t.Context(), &codepipeline.RetryStageExecutionInput{PipelineName: aws.String("shop"), StageName: aws.String("Build"), PipelineExecutionId: &two, RetryMode: cptypes.StageRetryModeFailedActions}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the retried build to pass", func() bool {
		return slices.ContainsFunc(d.actions(two), func(a cptypes.ActionExecutionDetail) bool { return *a.ActionName == "Build" && a.Status == "Succeeded" })
	})
	if _, err := d.pipelines.StopPipelineExecution(t.Context(), &codepipeline.StopPipelineExecutionInput{PipelineName: aws.String("shop"), PipelineExecutionId: &one, Abandon: true, Reason: aws.String("old")}); err != nil {
		t.Fatal(err)
	}
	d.ended(one, cptypes.PipelineExecutionStatusStopped)
	d.waiting(two)
	_, err = d.pipelines.StopPipelineExecution(t.Context(), &codepipeline.StopPipelineExecutionInput{PipelineName: aws.String("shop"), PipelineExecutionId: &one})
	wantCode(t, "an execution that ended", err, "PipelineExecutionNotStoppableException")
	_, err = d.pipelines.RetryStageExecution(t.Context(), &codepipeline.RetryStageExecutionInput{PipelineName: aws.String("shop"), StageName: aws.String("Build"), PipelineExecutionId: &one, RetryMode: cptypes.StageRetryModeFailedActions})
	wantCode(t, "not the latest", err, "NotLatestPipelineExecutionException")
}

func TestApprovalTimesOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	d := newDelivery(t, w, "AVAILABLE", "Timeout", "10")
	one := *d.newest()[0].PipelineExecutionId
	token := d.waiting(one).Token
	d.ended(one, cptypes.PipelineExecutionStatusFailed)
	if a := d.actions(one)[0]; *a.Output.ExecutionResult.ErrorDetails.Code != "Timeout" {
		t.Errorf("the approval: %s", asText(a))
	}
	wantCode(t, "a token whose time is over", d.approve(token, cptypes.ApprovalStatusApproved), "ApprovalAlreadyCompletedException")
}

func TestTransitionsAndTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	d := newDelivery(t, w, "AVAILABLE")
	ctx := t.Context()
	if _, err := d.pipelines.DisableStageTransition(ctx, &codepipeline.DisableStageTransitionInput{PipelineName: aws.String("shop"), StageName: aws.String("Source"), TransitionType: "Inbound", Reason: aws.String("paused")}); err != nil {
		t.Fatal(err)
	}
	start := &codepipeline.StartPipelineExecutionInput{Name: aws.String("shop"), ClientRequestToken: aws.String("once")}
	a, err := d.pipelines.StartPipelineExecution(ctx, start)
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.pipelines.StartPipelineExecution(ctx, start)
	if err != nil || *a.PipelineExecutionId != *b.PipelineExecutionId {
		t.Errorf("twice with one token: %s and %s, %v", asText(a), asText(b), err)
	}
	s := d.state().StageStates[0]
	if s.InboundTransitionState.Enabled || *s.InboundTransitionState.DisabledReason != "paused" || len(s.InboundExecutions) != 1 {
		t.Errorf("a paused stage: %s", asText(s))
	}
	if _, err := d.pipelines.EnableStageTransition(ctx, &codepipeline.EnableStageTransitionInput{PipelineName: aws.String("shop"), StageName: aws.String("Source"), TransitionType: "Inbound"}); err != nil {
		t.Fatal(err)
	}
	d.want("shop", cfntypes.StackStatusCreateComplete)
	_, err = d.pipelines.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: aws.String("none")})
	wantCode(t, "no pipeline", err, "PipelineNotFoundException")
	_, err = d.pipelines.GetPipelineExecution(ctx, &codepipeline.GetPipelineExecutionInput{PipelineName: aws.String("shop"), PipelineExecutionId: aws.String("11111111-2222-4333-a444-555555555555")})
	wantCode(t, "no execution", err, "PipelineExecutionNotFoundException")
	got, err := d.pipelines.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: aws.String("shop")})
	if err != nil || len(got.Pipeline.Stages) != 3 || *got.Pipeline.Version != 1 || got.Pipeline.ExecutionMode != "QUEUED" || got.Pipeline.Stages[0].Actions[0].Configuration["DetectChanges"] != "false" || len(got.Pipeline.Triggers) != 1 {
		t.Errorf("the pipeline: %s, %v", asText(got), err)
	}
	one := *d.newest()[1].PipelineExecutionId
	token := d.waiting(one).Token
	change := func(name string, parameters ...string) {
		d.changeSet("shop", name, pipelineStack, cfntypes.ChangeSetTypeUpdate, append(parameters, "Connection", d.connection)...)
		d.execute("shop", name)
		d.want("shop", cfntypes.StackStatusUpdateComplete)
	}
	change("source", "Format", "CODEBUILD_CLONE_REF")
	if again := d.waiting(one); *again.Token != *token || *d.state().PipelineVersion != 2 {
		t.Errorf("after another stage was changed: %s", asText(again))
	}
	change("stage", "Format", "CODEBUILD_CLONE_REF", "Message", "two")
	d.ended(one, cptypes.PipelineExecutionStatusCancelled)
	d.waiting(*a.PipelineExecutionId)
	if got := d.actions(*a.PipelineExecutionId)[0].Input.ResolvedConfiguration["CustomData"]; !strings.HasPrefix(got, "two sha256:") {
		t.Errorf("what waited goes into the changed stage with %q", got)
	}
	d.w.do(d.T, func(ctx context.Context, c *Call) error {
		_, err := c.Tx.Exec(ctx, `DELETE FROM objects WHERE bucket = 'shop-artifacts'`)
		return err
	})
	if _, err := d.cfn.DeleteStack(ctx, &cfn.DeleteStackInput{StackName: aws.String("shop")}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the stack", func() bool {
		_, err := d.cfn.DescribeStacks(ctx, &cfn.DescribeStacksInput{StackName: aws.String("shop")})
		return code(err) == "ValidationError"
	})
}
