package awssim

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

const imagePipelineStack = `
Resources:
  Images:
    Type: AWS::ECR::Repository
    Properties: {RepositoryName: pushed/web, EmptyOnDelete: true}
  Artifacts:
    Type: AWS::S3::Bucket
    Properties: {BucketName: pushed-artifacts}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: pushed
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: [codepipeline.amazonaws.com, events.amazonaws.com]}, Action: "sts:AssumeRole"}]}
      Policies:
        - PolicyName: run
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: ["ecr:DescribeImages", "s3:PutObject", "codepipeline:StartPipelineExecution"], Resource: "*"}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.ecr], detail-type: ["ECR Image Action"], detail: {action-type: [PUSH], result: [SUCCESS], repository-name: [!Ref Images], image-tag: [{prefix: release-}]}}
      Targets: [{Id: pipeline, Arn: !Sub "arn:aws:codepipeline:${AWS::Region}:${AWS::AccountId}:${Pipeline}", RoleArn: !GetAtt Role.Arn, InputTransformer: {InputPathsMap: {digest: $.detail.image-digest}, InputTemplate: '{"sourceRevisions": [{"actionName": "Image", "revisionType": "IMAGE_DIGEST", "revisionValue": <digest>}]}'}}]
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: pushed
      PipelineType: V2
      ExecutionMode: QUEUED
      RoleArn: !GetAtt Role.Arn
      ArtifactStore: {Type: S3, Location: !Ref Artifacts}
      Stages:
        - Name: Image
          Actions:
            - Name: Image
              Namespace: Image
              ActionTypeId: {Category: Source, Owner: AWS, Provider: ECR, Version: "1"}
              Configuration: {RepositoryName: !Ref Images, ImageTag: release-1}
              OutputArtifacts: [{Name: image}]
        - Name: Approve
          Actions:
            - Name: slipway-dev
              ActionTypeId: {Category: Approval, Owner: AWS, Provider: Manual, Version: "1"}
              Configuration: {CustomData: "#{Image.ImageURI}"}
`

// TestImagePushStarts starts a pipeline by the push of an image, through a rule of EventBridge.
func TestImagePushStarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s, api := newStackTest(t, w), codepipeline.NewFromConfig(w.as(asAdmin))
	s.changeSet("pushed", "make", imagePipelineStack, cfntypes.ChangeSetTypeCreate)
	s.execute("pushed", "make")
	s.want("pushed", cfntypes.StackStatusCreateComplete)
	newest := func() []cptypes.PipelineExecutionSummary {
		out, err := api.ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String("pushed")})
		if err != nil {
			t.Fatal(err)
		}
		return out.PipelineExecutionSummaries
	}
	eventually(t, "the first execution to find no image", func() bool { all := newest(); return len(all) == 1 && all[0].Status == "Failed" })
	push := func(tag string) string {
		out, err := w.doDeed(t.Context(), "POST /images", deed{Account: demoManagement, Name: "pushed/web", Key: tag})
		if err != nil {
			t.Fatal(err)
		}
		return out["digest"].(string)
	}
	push("nightly")
	digest := push("release-2") // another tag than the action's own
	var actions []cptypes.ActionExecutionDetail
	eventually(t, "the approval", func() bool {
		all := newest()
		if len(all) != 2 || all[0].Trigger.TriggerType != cptypes.TriggerTypeCloudWatchEvent {
			t.Fatalf("executions: %s", asText(all))
		}
		out, err := api.ListActionExecutions(t.Context(), &codepipeline.ListActionExecutionsInput{PipelineName: aws.String("pushed"), Filter: &cptypes.ActionExecutionFilter{PipelineExecutionId: all[0].PipelineExecutionId}})
		if err != nil {
			t.Fatal(err)
		}
		actions = out.ActionExecutionDetails
		return len(actions) == 2
	})
	if got := actions[1].Output.OutputVariables; got["ImageDigest"] != digest || got["ImageTag"] != "release-2" || actions[0].Input.ResolvedConfiguration["CustomData"] != got["ImageURI"] {
		t.Errorf("the image: %s", asText(actions))
	}
}
