package awssim

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
)

// TestStackReads asks everything there is to ask about a finished stack.
func TestStackReads(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, fast))
	ctx, name := t.Context(), aws.String("slw-reads")
	s.changeSet(*name, "first", topics, cfntypes.ChangeSetTypeCreate)
	s.execute(*name, "first")
	stack := s.want(*name, "CREATE_COMPLETE")

	if out, err := s.cfn.GetTemplate(ctx, &cfn.GetTemplateInput{StackName: name}); err != nil || *out.TemplateBody != topics {
		t.Errorf("template: %v", err)
	}
	if out, err := s.cfn.GetTemplateSummary(ctx, &cfn.GetTemplateSummaryInput{StackName: name}); err != nil || len(out.Parameters) != 2 || out.Capabilities[0] != "CAPABILITY_NAMED_IAM" || len(out.ResourceTypes) != 3 {
		t.Errorf("summary: %s, %v", asText(out), err)
	}
	if out, err := s.cfn.ValidateTemplate(ctx, &cfn.ValidateTemplateInput{TemplateBody: aws.String(topics)}); err != nil || len(out.Parameters) != 2 {
		t.Errorf("validation: %s, %v", asText(out), err)
	}
	if out, err := s.cfn.ListStacks(ctx, &cfn.ListStacksInput{StackStatusFilter: []cfntypes.StackStatus{"CREATE_COMPLETE"}}); err != nil || len(out.StackSummaries) != 2 { // slipway-org is there too
		t.Errorf("stacks: %s, %v", asText(out), err)
	}
	if out, err := s.cfn.ListStackResources(ctx, &cfn.ListStackResourcesInput{StackName: name}); err != nil || len(out.StackResourceSummaries) != 3 || out.StackResourceSummaries[0].ResourceStatus != "CREATE_COMPLETE" {
		t.Errorf("resources: %s, %v", asText(out), err)
	}
	if out, err := s.cfn.DescribeStackResource(ctx, &cfn.DescribeStackResourceInput{StackName: name, LogicalResourceId: aws.String("Role")}); err != nil || *out.StackResourceDetail.PhysicalResourceId != "alarms-role" {
		t.Errorf("resource: %s, %v", asText(out), err)
	}
	if out, err := s.cfn.DescribeStackResources(ctx, &cfn.DescribeStackResourcesInput{PhysicalResourceId: aws.String("alarms-role")}); err != nil || len(out.StackResources) != 3 {
		t.Errorf("resources of a role's stack: %s, %v", asText(out), err)
	}
	if out, err := s.cfn.ListExports(ctx, &cfn.ListExportsInput{}); err != nil || len(out.Exports) != 1 || *out.Exports[0].Name != "slw-reads-topic" {
		t.Errorf("exports: %s, %v", asText(out), err)
	}
	if out, err := s.cfn.ListChangeSets(ctx, &cfn.ListChangeSetsInput{StackName: name}); err != nil || len(out.Summaries) != 1 || out.Summaries[0].ExecutionStatus != "EXECUTE_COMPLETE" {
		t.Errorf("change sets: %s, %v", asText(out), err)
	}
	out, err := s.cfn.DescribeEvents(ctx, &cfn.DescribeEventsInput{OperationId: stack.LastOperations[0].OperationId})
	if err != nil || out.OperationEvents[0].ResourceStatus != "CREATE_COMPLETE" || out.OperationEvents[0].OperationStatus != "SUCCEEDED" || *out.OperationEvents[0].ClientRequestToken != "run-first" {
		t.Errorf("events of the operation: %s, %v", asText(out), err)
	}
	_, err = s.cfn.DescribeStackResource(ctx, &cfn.DescribeStackResourceInput{StackName: name, LogicalResourceId: aws.String("Nothing")})
	wantCode(t, "a resource that is not there", err, "ValidationError")
	_, err = s.cfn.DescribeChangeSet(ctx, &cfn.DescribeChangeSetInput{StackName: name, ChangeSetName: aws.String("nothing")})
	wantCode(t, "a change set that is not there", err, "ChangeSetNotFound")
}

func TestProtectionAndRepetition(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, fast))
	ctx, name := t.Context(), aws.String("slw-kept")
	s.changeSet(*name, "first", topics, cfntypes.ChangeSetTypeCreate)
	s.execute(*name, "first")
	s.want(*name, "CREATE_COMPLETE")
	protect := func(on bool) {
		if _, err := s.cfn.UpdateTerminationProtection(ctx, &cfn.UpdateTerminationProtectionInput{StackName: name, EnableTerminationProtection: &on}); err != nil {
			t.Fatal(err)
		}
	}
	protect(true)
	_, err := s.cfn.DeleteStack(ctx, &cfn.DeleteStackInput{StackName: name})
	wantCode(t, "deleting a protected stack", err, "ValidationError")
	protect(false)
	_, err = s.cfn.ExecuteChangeSet(ctx, &cfn.ExecuteChangeSetInput{StackName: name, ChangeSetName: aws.String("first"), ClientRequestToken: aws.String("another")})
	wantCode(t, "executing twice", err, "InvalidChangeSetStatus")
	s.changeSet(*name, "dropped", topics, cfntypes.ChangeSetTypeUpdate, "Display", "Loud")
	for range 2 {
		if _, err := s.cfn.DeleteChangeSet(ctx, &cfn.DeleteChangeSetInput{StackName: name, ChangeSetName: aws.String("dropped")}); err != nil {
			t.Errorf("delete a change set: %v", err)
		}
	}
	_, err = s.cfn.ExecuteChangeSet(ctx, &cfn.ExecuteChangeSetInput{StackName: name, ChangeSetName: aws.String("dropped")})
	wantCode(t, "executing a deleted change set", err, "ChangeSetNotFound")
	for range 2 {
		if _, err := s.cfn.DeleteStack(ctx, &cfn.DeleteStackInput{StackName: name}); err != nil {
			t.Errorf("delete the stack: %v", err)
		}
	}
	eventually(t, "the stack is gone", func() bool {
		_, err := s.cfn.DescribeStacks(ctx, &cfn.DescribeStacksInput{StackName: name})
		return code(err) == "ValidationError"
	})
	if _, err := s.cfn.DeleteStack(ctx, &cfn.DeleteStackInput{StackName: name}); err != nil {
		t.Errorf("delete a stack that is gone: %v", err)
	}
}

// TestBucketHoldsItsStack deletes a stack whose bucket is not empty.
func TestBucketHoldsItsStack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	s.changeSet("slw-store", "first", "Resources: {Store: {Type: AWS::S3::Bucket, Properties: {BucketName: slw-store-1}}, Topic: {Type: AWS::SNS::Topic}}", cfntypes.ChangeSetTypeCreate)
	s.execute("slw-store", "first")
	stack := s.want("slw-store", "CREATE_COMPLETE")
	if _, err := w.pool.Exec(t.Context(), `INSERT INTO objects (bucket, key, body, content_type, etag, modified_at) VALUES ('slw-store-1', 'k', 'v', 't', 'e', now())`); err != nil {
		t.Fatal(err)
	}
	remove := func(retain ...string) {
		t.Helper()
		if _, err := s.cfn.DeleteStack(t.Context(), &cfn.DeleteStackInput{StackName: stack.StackId, RetainResources: retain}); err != nil {
			t.Fatal(err)
		}
	}
	remove()
	if got := s.want(*stack.StackId, "DELETE_FAILED"); !strings.Contains(*got.StackStatusReason, "[Store]") {
		t.Errorf("the reason is %s", *got.StackStatusReason)
	}
	s.happened(*stack.StackId, "Store DELETE_FAILED: Resource handler returned message: \"The bucket you tried to delete is not empty")
	remove("Store")
	s.want(*stack.StackId, "DELETE_COMPLETE")
	s.happened(*stack.StackId, "Store DELETE_SKIPPED", "slw-store DELETE_COMPLETE")
}

// TestOwnStackSet makes a set of the platform team's own and takes it back.
func TestOwnStackSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	hub := cfn.NewFromConfig(w.as(asHubAdmin))
	id := vend(t, w, "own", demoNonprod)
	targets := &cfntypes.DeploymentTargets{OrganizationalUnitIds: []string{demoNonprod}}
	if _, err := hub.CreateStackSet(t.Context(), &cfn.CreateStackSetInput{StackSetName: aws.String("extra"), CallAs: cfntypes.CallAsDelegatedAdmin, PermissionModel: cfntypes.PermissionModelsServiceManaged,
		AutoDeployment: &cfntypes.AutoDeployment{Enabled: aws.Bool(true), RetainStacksOnAccountRemoval: aws.Bool(false)}, TemplateBody: aws.String("Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: extra}}}")}); err != nil {
		t.Fatal(err)
	}
	made, err := hub.CreateStackInstances(t.Context(), &cfn.CreateStackInstancesInput{StackSetName: aws.String("extra"), CallAs: cfntypes.CallAsDelegatedAdmin, DeploymentTargets: targets, Regions: []string{homeRegion, "eu-central-1"}})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "both regions have it", func() bool {
		op, err := hub.DescribeStackSetOperation(t.Context(), &cfn.DescribeStackSetOperationInput{StackSetName: aws.String("extra"), OperationId: made.OperationId, CallAs: cfntypes.CallAsDelegatedAdmin})
		if err != nil {
			t.Fatal(err)
		}
		return op.StackSetOperation.Status == "SUCCEEDED"
	})
	topics := `SELECT count(*) FROM stack_resources WHERE account = $1 AND type = 'AWS::SNS::Topic' AND status = 'CREATE_COMPLETE'`
	if n := count(t, w, topics, id); n != 2 {
		t.Errorf("%d topics, want one in each region", n)
	}
	if _, err := organizations.NewFromConfig(w.as(asAdmin)).MoveAccount(t.Context(), &organizations.MoveAccountInput{AccountId: &id, SourceParentId: aws.String(demoNonprod), DestinationParentId: aws.String(demoSuspended)}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its stacks leave with the account", func() bool {
		_, err := organizations.NewFromConfig(w.as(asAdmin)).ListRoots(t.Context(), &organizations.ListRootsInput{}) // any call lets what is due happen
		return err == nil && count(t, w, topics, id) == 0
	})
}
