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

const connectionStack = `
Resources:
  Connection:
    Type: AWS::CodeConnections::Connection
    Properties: {ConnectionName: shop, ProviderType: GitHub}
Outputs:
  Arn: {Value: !Ref Connection}
  Status: {Value: !GetAtt Connection.ConnectionStatus}
`

const pipelineStack = `
Parameters:
  Connection: {Type: String}
  Timeout: {Type: Number, Default: 10080}
  Message: {Type: String, Default: one}
Resources:
  Images:
    Type: AWS::ECR::Repository
    Properties: {RepositoryName: shop/web, EmptyOnDelete: true, ImageScanningConfiguration: {ScanOnPush: true}, ImageTagMutability: IMMUTABLE}
  Artifacts:
    Type: AWS::S3::Bucket
    Properties: {BucketName: shop-artifacts}
  BuildRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: shop-build
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: codebuild.amazonaws.com}, Action: "sts:AssumeRole"}]}
      Policies:
        - PolicyName: build
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: ["ecr:*", "logs:CreateLogStream", "logs:PutLogEvents"], Resource: "*"}
              - {Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: !Sub "${Artifacts.Arn}/*"}
  PipelineRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: shop-pipeline
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: codepipeline.amazonaws.com}, Action: "sts:AssumeRole"}]}
      Policies:
        - PolicyName: run
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: "codeconnections:UseConnection", Resource: !Ref Connection}
              - {Effect: Allow, Action: ["codebuild:StartBuild", "codebuild:BatchGetBuilds"], Resource: !GetAtt Project.Arn}
              - {Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: !Sub "${Artifacts.Arn}/*"}
  Project:
    Type: AWS::CodeBuild::Project
    Properties:
      Name: shop-build
      ServiceRole: !GetAtt BuildRole.Arn
      Artifacts: {Type: CODEPIPELINE}
      Environment:
        Type: ARM_CONTAINER
        ComputeType: BUILD_GENERAL1_SMALL
        Image: aws/codebuild/amazonlinux-aarch64-standard:3.0
        EnvironmentVariables: [{Name: REPOSITORY_URI, Value: !GetAtt Images.RepositoryUri}]
      Source:
        Type: CODEPIPELINE
        BuildSpec: |
          version: 0.2
          env: {exported-variables: [IMAGE_DIGEST, IMAGE_URI]}
          phases: {build: {commands: [make]}}
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: shop
      PipelineType: V2
      ExecutionMode: QUEUED
      RoleArn: !GetAtt PipelineRole.Arn
      ArtifactStore: {Type: S3, Location: !Ref Artifacts}
      Triggers:
        - ProviderType: CodeStarSourceConnection
          GitConfiguration:
            SourceActionName: Source
            Push: [{Branches: {Includes: [main]}, FilePaths: {Includes: ["web/**"], Excludes: ["**/*.md"]}}]
      Stages:
        - Name: Source
          Actions:
            - Name: Source
              Namespace: SourceVariables
              ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
              Configuration: {ConnectionArn: !Ref Connection, FullRepositoryId: shop/web, BranchName: main, DetectChanges: false}
              OutputArtifacts: [{Name: source}]
        - Name: Build
          Actions:
            - Name: Build
              Namespace: BuildVariables
              ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
              InputArtifacts: [{Name: source}]
              OutputArtifacts: [{Name: built}]
              Configuration:
                ProjectName: !Ref Project
                EnvironmentVariables: '[{"name":"COMMIT","value":"#{SourceVariables.CommitId}","type":"PLAINTEXT"}]'
        - Name: shop-dev
          Actions:
            - Name: slipway-shop-dev
              ActionTypeId: {Category: Approval, Owner: AWS, Provider: Manual, Version: "1"}
              TimeoutInMinutes: !Ref Timeout
              Configuration: {CustomData: !Sub "${Message} #{BuildVariables.IMAGE_DIGEST}"}
Outputs:
  Arn: {Value: !GetAtt Pipeline.Arn}
  Version: {Value: !GetAtt Pipeline.Version}
`

// delivery is a shop with a pipeline, and clients for it.
type delivery struct {
	*stackTest
	pipelines  *codepipeline.Client
	builds     *codebuild.Client
	images     *ecr.Client
	connection string
}

// newDelivery makes a connection, and a pipeline on it that is not started by hand.
func newDelivery(t *testing.T, w *world, status string, parameters ...string) *delivery {
	t.Helper()
	d := &delivery{stackTest: newStackTest(t, w), pipelines: codepipeline.NewFromConfig(w.as(asAdmin)), builds: codebuild.NewFromConfig(w.as(asAdmin)), images: ecr.NewFromConfig(w.as(asAdmin))}
	d.make("connection", connectionStack)
	d.connection = *d.stack("connection").Outputs[0].OutputValue
	if status != "" {
		d.shake(status)
	}
	d.make("shop", pipelineStack, append([]string{"Connection", d.connection}, parameters...)...)
	return d
}

func (d *delivery) make(name, template string, parameters ...string) {
	d.Helper()
	d.changeSet(name, "make", template, cfntypes.ChangeSetTypeCreate, parameters...)
	d.execute(name, "make")
	d.want(name, cfntypes.StackStatusCreateComplete)
}

func (d *delivery) shake(status string) {
	d.Helper()
	d.deed("PUT /connections", deed{Account: demoManagement, Name: d.connection, Value: status})
}

func (d *delivery) deed(route string, in deed) map[string]any {
	d.Helper()
	out, err := d.w.doDeed(d.Context(), route, in)
	if err != nil {
		d.Fatalf("%s: %v", route, err)
	}
	return out
}

// newest are the executions, the newest first.
func (d *delivery) newest() []cptypes.PipelineExecutionSummary {
	d.Helper()
	out, err := d.pipelines.ListPipelineExecutions(d.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String("shop")})
	if err != nil {
		d.Fatal(err)
	}
	return out.PipelineExecutionSummaries
}

func (d *delivery) state() *codepipeline.GetPipelineStateOutput {
	d.Helper()
	out, err := d.pipelines.GetPipelineState(d.Context(), &codepipeline.GetPipelineStateInput{Name: aws.String("shop")})
	if err != nil {
		d.Fatal(err)
	}
	return out
}

// waiting is the state of the approval, once an execution waits for it.
func (d *delivery) waiting(execution string) *cptypes.ActionExecution {
	d.Helper()
	var a *cptypes.ActionExecution
	eventually(d.T, "the approval of "+execution, func() bool {
		s := d.state().StageStates[2]
		if s.LatestExecution == nil || *s.LatestExecution.PipelineExecutionId != execution {
			return false
		}
		a = s.ActionStates[0].LatestExecution
		return a != nil && a.Token != nil
	})
	return a
}

func (d *delivery) ended(execution string, want cptypes.PipelineExecutionStatus) {
	d.Helper()
	var got cptypes.PipelineExecutionStatus
	eventually(d.T, "the end of "+execution, func() bool {
		out, err := d.pipelines.GetPipelineExecution(d.Context(), &codepipeline.GetPipelineExecutionInput{PipelineName: aws.String("shop"), PipelineExecutionId: &execution})
		if err != nil {
			d.Fatal(err)
		}
		got = out.PipelineExecution.Status
		return got != cptypes.PipelineExecutionStatusInProgress && got != cptypes.PipelineExecutionStatusStopping
	})
	if got != want {
		d.Fatalf("execution %s is %s, want %s: %s", execution, got, want, asText(d.actions(execution)))
	}
}

func (d *delivery) actions(execution string) []cptypes.ActionExecutionDetail {
	d.Helper()
	out, err := d.pipelines.ListActionExecutions(d.Context(), &codepipeline.ListActionExecutionsInput{PipelineName: aws.String("shop"), Filter: &cptypes.ActionExecutionFilter{PipelineExecutionId: &execution}})
	if err != nil {
		d.Fatal(err)
	}
	return out.ActionExecutionDetails
}

func (d *delivery) approve(token *string, status cptypes.ApprovalStatus) error {
	_, err := d.pipelines.PutApprovalResult(d.Context(), &codepipeline.PutApprovalResultInput{PipelineName: aws.String("shop"), StageName: aws.String("shop-dev"), ActionName: aws.String("slipway-shop-dev"), Token: token,
		Result: &cptypes.ApprovalResult{Status: status, Summary: aws.String("https://slipway.example/runs/1")}})
	return err
}

// push pushes a commit and answers the execution it starts.
func (d *delivery) push(message string, paths ...string) string {
	d.Helper()
	out := d.deed("POST /commits", deed{Account: demoManagement, Name: "shop/web", Key: "main", Value: message, Author: "Mina Vogel", Paths: paths})
	pipelines := out["pipelines"].([]map[string]any)
	if len(pipelines) != 1 || pipelines[0]["execution"] == nil {
		d.Fatalf("the push started %v", out)
	}
	return pipelines[0]["execution"].(string)
}

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
	d.changeSet("shop", "change", pipelineStack, cfntypes.ChangeSetTypeUpdate, "Connection", d.connection, "Message", "two")
	d.execute("shop", "change")
	d.want("shop", cfntypes.StackStatusUpdateComplete)
	d.ended(*a.PipelineExecutionId, cptypes.PipelineExecutionStatusCancelled)
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
