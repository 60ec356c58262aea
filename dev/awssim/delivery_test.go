package awssim

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
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
  Format: {Type: String, Default: CODE_ZIP}
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
              Configuration: {ConnectionArn: !Ref Connection, FullRepositoryId: shop/web, BranchName: main, DetectChanges: false, OutputArtifactFormat: !Ref Format}
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
