package awssim

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// rule adds a failure rule through the admin API.
func (t *stackTest) rule(ru rule) {
	t.Helper()
	if got := t.w.admin(t.T, "POST", "/rules", ru, nil); got != http.StatusCreated {
		t.Fatalf("rule %+v: %d", ru, got)
	}
}

func (t *stackTest) created(stack, template string) cfntypes.Stack {
	t.Helper()
	t.changeSet(stack, "first", template, cfntypes.ChangeSetTypeCreate)
	t.execute(stack, "first")
	return t.want(stack, "CREATE_COMPLETE")
}

func (t *stackTest) delete(in *cfn.DeleteStackInput) {
	t.Helper()
	if _, err := t.cfn.DeleteStack(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// TestDeleteFails goes both ways out of DELETE_FAILED, and what a failure stands in the way of.
func TestDeleteFails(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, fast))
	stack := s.created("slw-stays", topics)
	s.rule(rule{Action: deleteFailed, Match: "slw-stays", LogicalID: "Policy", Reason: "It is in use.", Times: 2})
	_, err := s.cfn.DeleteStack(t.Context(), &cfn.DeleteStackInput{StackName: stack.StackId, DeletionMode: cfntypes.DeletionModeForceDeleteStack})
	wantCode(t, "forcing a stack that did not fail", err, "ValidationError")
	s.delete(&cfn.DeleteStackInput{StackName: stack.StackId})
	failed := s.want(*stack.StackId, "DELETE_FAILED")
	if *failed.StackStatusReason != "The following resource(s) failed to delete: [Policy]. " {
		t.Errorf("the reason is %q", *failed.StackStatusReason)
	}
	if lines := strings.Join(s.history(*stack.StackId), "\n"); strings.Contains(lines, "Topic DELETE") || !strings.Contains(lines, "Policy DELETE_FAILED: It is in use.") {
		t.Errorf("what the policy stands on was touched:\n%s", lines)
	}
	s.delete(&cfn.DeleteStackInput{StackName: stack.StackId, DeletionMode: cfntypes.DeletionModeForceDeleteStack})
	gone := s.want(*stack.StackId, "DELETE_COMPLETE")
	s.happened(*stack.StackId, "slw-stays DELETE_FAILED", "Policy DELETE_SKIPPED: It is in use.", "Topic DELETE_COMPLETE", "slw-stays DELETE_COMPLETE")
	if gone.DeletionMode != cfntypes.DeletionModeForceDeleteStack {
		t.Errorf("the deletion mode is %q", gone.DeletionMode)
	}
}

// TestRollbackOfCreateFails ends in ROLLBACK_FAILED, from where only deletion leads on.
func TestRollbackOfCreateFails(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, fast))
	s.rule(rule{Action: createFailed, Match: "slw-husk", LogicalID: "Role", Times: 1})
	s.rule(rule{Action: deleteFailed, Match: "slw-husk", LogicalID: "Topic", Times: 1})
	s.changeSet("slw-husk", "one", topics, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-husk", "one")
	stack := s.want("slw-husk", "ROLLBACK_FAILED")
	_, err := s.cfn.CreateChangeSet(t.Context(), &cfn.CreateChangeSetInput{StackName: stack.StackId, ChangeSetName: aws.String("two"), UsePreviousTemplate: aws.Bool(true), Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}})
	wantCode(t, "updating a husk", err, "ValidationError")
	s.delete(&cfn.DeleteStackInput{StackName: stack.StackId, RetainResources: nil})
	s.want(*stack.StackId, "DELETE_COMPLETE")
}

// TestForcedRollback leaves a resource as the failed update made it, which is drift then.
func TestForcedRollback(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]cfn.ContinueUpdateRollbackInput{
		"forced":  {ForceRollback: aws.Bool(true)},
		"skipped": {ResourcesToSkip: []string{"Topic"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fast)
			s := newStackTest(t, w)
			s.created("slw-stuck", topics)
			s.rule(rule{Action: updateFailed, Match: "slw-stuck", LogicalID: "Role", Times: 1})
			s.rule(rule{Action: rollbackFailed, Match: "slw-stuck", LogicalID: "Topic"})
			s.changeSet("slw-stuck", "two", strings.Replace(topics, "DependsOn: Policy", "DependsOn: [Policy, Topic]\n    DeletionPolicy: Retain", 1), cfntypes.ChangeSetTypeUpdate, "Display", "Loud")
			s.execute("slw-stuck", "two")
			s.want("slw-stuck", "UPDATE_ROLLBACK_FAILED")
			carryOn := func(in cfn.ContinueUpdateRollbackInput) error {
				in.StackName, in.ClientRequestToken = aws.String("slw-stuck"), aws.String("again")
				_, err := s.cfn.ContinueUpdateRollback(t.Context(), &in)
				return err
			}
			wantCode(t, "both at once", carryOn(cfn.ContinueUpdateRollbackInput{ForceRollback: aws.Bool(true), ResourcesToSkip: []string{"Topic"}}), "ValidationError")
			wantCode(t, "skipping what did not fail", carryOn(cfn.ContinueUpdateRollbackInput{ResourcesToSkip: []string{"Policy"}}), "ValidationError")
			for range 2 { // the second with the same token: no harm
				if err := carryOn(tc); err != nil {
					t.Fatal(err)
				}
			}
			stack := s.want("slw-stuck", "UPDATE_ROLLBACK_COMPLETE")
			s.happened(*stack.StackId, "Topic UPDATE_FAILED", "slw-stuck UPDATE_ROLLBACK_FAILED", "slw-stuck UPDATE_ROLLBACK_IN_PROGRESS", "Topic UPDATE_COMPLETE: Resource rollback skipped", "slw-stuck UPDATE_ROLLBACK_COMPLETE")
			if stack.LastOperations[0].OperationType != "CONTINUE_ROLLBACK" || stack.LastOperations[1].OperationType != "UPDATE_STACK" {
				t.Errorf("the operations are %s", asText(stack.LastOperations))
			}
			s.detect("slw-stuck")
			s.wantDrifts("slw-stuck", "Topic MODIFIED /DisplayName NOT_EQUAL Alarms -> Loud")
		})
	}
}

// TestLeftAsItFailed keeps a failed update for debugging, and takes it back later.
func TestLeftAsItFailed(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, fast))
	s.created("slw-left", topics)
	s.rule(rule{Action: updateFailed, Match: "slw-left", LogicalID: "Role", Times: 1})
	s.changeSet("slw-left", "two", topics, cfntypes.ChangeSetTypeUpdate, "Name", "pages")
	if _, err := s.cfn.ExecuteChangeSet(t.Context(), &cfn.ExecuteChangeSetInput{StackName: aws.String("slw-left"), ChangeSetName: aws.String("two"), DisableRollback: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	s.want("slw-left", "UPDATE_FAILED")
	if got := s.described("slw-left", "two").ExecutionStatus; got != "EXECUTE_FAILED" {
		t.Errorf("the change set is %s", got)
	}
	out, err := s.cfn.RollbackStack(t.Context(), &cfn.RollbackStackInput{StackName: aws.String("slw-left"), ClientRequestToken: aws.String("back")})
	if err != nil {
		t.Fatal(err)
	}
	stack := s.want("slw-left", "UPDATE_ROLLBACK_COMPLETE")
	if stack.LastOperations[0].OperationType != "ROLLBACK" || *stack.LastOperations[0].OperationId != *out.OperationId {
		t.Errorf("the operations are %s", asText(stack.LastOperations))
	}
	s.happened(*stack.StackId, "slw-left UPDATE_FAILED", "slw-left UPDATE_ROLLBACK_IN_PROGRESS", "Topic DELETE_COMPLETE", "slw-left UPDATE_ROLLBACK_COMPLETE")
	s.roles(map[string]bool{"alarms-role": true, "pages-role": false})
}

// TestUpdateIsCancelled stops an update in the middle.
func TestUpdateIsCancelled(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, fast))
	s.created("slw-halt", topics)
	s.rule(rule{Action: slowResource, Match: "slw-halt", LogicalID: "Topic", DelayMS: 60000, Times: 1})
	s.changeSet("slw-halt", "two", topics, cfntypes.ChangeSetTypeUpdate, "Display", "Loud")
	s.execute("slw-halt", "two")
	eventually(t, "the topic is under way", func() bool { return slices.Contains(s.history("slw-halt"), "Topic UPDATE_IN_PROGRESS") })
	if _, err := s.cfn.CancelUpdateStack(t.Context(), &cfn.CancelUpdateStackInput{StackName: aws.String("slw-halt")}); err != nil {
		t.Fatal(err)
	}
	stack := s.want("slw-halt", "UPDATE_ROLLBACK_COMPLETE")
	s.happened(*stack.StackId, "Topic UPDATE_FAILED: Resource update cancelled", "slw-halt UPDATE_ROLLBACK_COMPLETE")
}

// TestDeletionPolicies deletes a stack and updates another with each policy there is.
func TestDeletionPolicies(t *testing.T) {
	t.Parallel()
	const template = `
Parameters: {Name: {Type: String, Default: one}}
Resources:
  Kept: {Type: AWS::SNS::Topic, DeletionPolicy: Retain, UpdateReplacePolicy: Retain, Properties: {TopicName: !Sub "${Name}-kept"}}
  Later: {Type: AWS::SNS::Topic, DeletionPolicy: RetainExceptOnCreate, UpdateReplacePolicy: Delete, Properties: {TopicName: !Sub "${Name}-later"}}
  Saved: {Type: AWS::EC2::Volume, DeletionPolicy: Snapshot, UpdateReplacePolicy: Snapshot, Properties: {AvailabilityZone: !Sub "${AWS::Region}a", Size: 1}}
  Fails: {Type: AWS::SNS::Topic, DependsOn: [Kept, Later, Saved]}
`
	s := newStackTest(t, newWorld(t, fast))
	s.rule(rule{Action: createFailed, Match: "slw-new", LogicalID: "Fails", Times: 1})
	s.changeSet("slw-new", "one", template, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-new", "one")
	s.happened(*s.want("slw-new", "ROLLBACK_COMPLETE").StackId, "Kept DELETE_SKIPPED")
	s.happened(*s.want("slw-new", "ROLLBACK_COMPLETE").StackId, "Later DELETE_COMPLETE")

	s.changeSet("slw-old", "one", template, cfntypes.ChangeSetTypeCreate, "Name", "two")
	s.execute("slw-old", "one")
	stack := s.want("slw-old", "CREATE_COMPLETE")
	two := s.changeSet("slw-old", "two", template, cfntypes.ChangeSetTypeUpdate, "Name", "three")
	for id, want := range map[string]cfntypes.PolicyAction{"Kept": "ReplaceAndRetain", "Later": "ReplaceAndDelete"} {
		if got := s.change(two, id).PolicyAction; got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	s.execute("slw-old", "two")
	s.want("slw-old", "UPDATE_COMPLETE")
	s.happened(*stack.StackId, "slw-old UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Kept DELETE_SKIPPED", "slw-old UPDATE_COMPLETE")
	s.happened(*stack.StackId, "slw-old UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Later DELETE_COMPLETE", "slw-old UPDATE_COMPLETE")
	s.delete(&cfn.DeleteStackInput{StackName: stack.StackId})
	s.want(*stack.StackId, "DELETE_COMPLETE")
	for _, line := range []string{"Kept DELETE_SKIPPED", "Later DELETE_SKIPPED", "Saved DELETE_COMPLETE"} {
		s.happened(*stack.StackId, "slw-old DELETE_IN_PROGRESS", line, "slw-old DELETE_COMPLETE")
	}
}

// TestChangeSetsFail switches on what can go wrong before there is anything to carry out.
func TestChangeSetsFail(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, fast))
	s.rule(rule{Action: validationError, Match: "slw-checked", LogicalID: "Topic", Reason: "The name is not nice."})
	s.rule(rule{Action: changeSetFailed, Match: "slw-broken", Reason: "Access denied for the template."})
	checked := s.changeSet("slw-checked", "one", topics, cfntypes.ChangeSetTypeCreate)
	if checked.Status != "FAILED" || checked.ExecutionStatus != "UNAVAILABLE" || !strings.Contains(*checked.StatusReason, "EarlyValidation") {
		t.Errorf("with a finding: %s", asText(checked))
	}
	events, err := s.cfn.DescribeEvents(t.Context(), &cfn.DescribeEventsInput{ChangeSetName: checked.ChangeSetId, Filters: &cfntypes.EventFilter{FailedEvents: aws.Bool(true)}})
	if err != nil || len(events.OperationEvents) != 1 || *events.OperationEvents[0].ValidationPath != "/Resources/Topic/Properties" || *events.OperationEvents[0].ValidationStatusReason != "The name is not nice." {
		t.Errorf("what was found: %s, %v", asText(events), err)
	}
	broken := s.changeSet("slw-broken", "one", topics, cfntypes.ChangeSetTypeCreate)
	if broken.Status != "FAILED" || *broken.StatusReason != "Access denied for the template." {
		t.Errorf("without a finding: %s", asText(broken))
	}
}

// TestTooSlow makes one resource take longer than all the others together.
func TestTooSlow(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, 20000))
	s.rule(rule{Action: slowResource, Match: "slw-slow", LogicalID: "Topic", DelayMS: 400})
	stack := s.created("slw-slow", "Resources: {Topic: {Type: AWS::SNS::Topic}, Other: {Type: AWS::SNS::Topic}}")
	s.happened(*stack.StackId, "Other CREATE_COMPLETE", "Topic CREATE_COMPLETE")
	if took := s.took(*stack.StackId); took.Milliseconds() < 400 {
		t.Errorf("it took %v", took)
	}
}

// took is the time from a stack's first event to its last.
func (t *stackTest) took(stack string) time.Duration {
	t.Helper()
	out, err := t.cfn.DescribeStackEvents(t.Context(), &cfn.DescribeStackEventsInput{StackName: &stack})
	if err != nil {
		t.Fatal(err)
	}
	return out.StackEvents[0].Timestamp.Sub(*out.StackEvents[len(out.StackEvents)-1].Timestamp)
}

// TestWhoMayRecover asks each of the newer operations as a role that may all of them, but for
// other stacks.
func TestWhoMayRecover(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	own := newStackTest(t, w)
	stack := own.created("slw-drift", drifting)
	w.role(t, Role{Account: demoManagement, Name: "other", Path: "/", TrustPolicy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sts:AssumeRole"}]}`,
		Inline: map[string]string{"p": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cloudformation:*","Resource":"arn:aws:cloudformation:*:*:stack/other-*"}]}`}})
	cfg, err := assume(t, w.as(asAdmin), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111111111111:role/other"), RoleSessionName: aws.String("other")})
	if err != nil {
		t.Fatal(err)
	}
	api := cfn.NewFromConfig(cfg)
	ctx, name := t.Context(), aws.String("slw-drift")
	for what, call := range map[string]func() error{
		"DetectStackDrift": func() error {
			_, err := api.DetectStackDrift(ctx, &cfn.DetectStackDriftInput{StackName: name})
			return err
		},
		"DetectStackResourceDrift": func() error {
			_, err := api.DetectStackResourceDrift(ctx, &cfn.DetectStackResourceDriftInput{StackName: name, LogicalResourceId: aws.String("Topic")})
			return err
		},
		"DescribeStackDriftDetectionStatus": func() error {
			_, err := api.DescribeStackDriftDetectionStatus(ctx, &cfn.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: name})
			return err
		},
		"DescribeStackResourceDrifts": func() error {
			_, err := api.DescribeStackResourceDrifts(ctx, &cfn.DescribeStackResourceDriftsInput{StackName: stack.StackId})
			return err
		},
		"ContinueUpdateRollback": func() error {
			_, err := api.ContinueUpdateRollback(ctx, &cfn.ContinueUpdateRollbackInput{StackName: name})
			return err
		},
		"RollbackStack": func() error { _, err := api.RollbackStack(ctx, &cfn.RollbackStackInput{StackName: name}); return err },
		"CancelUpdateStack": func() error {
			_, err := api.CancelUpdateStack(ctx, &cfn.CancelUpdateStackInput{StackName: name})
			return err
		},
		"DeleteStack": func() error { _, err := api.DeleteStack(ctx, &cfn.DeleteStackInput{StackName: name}); return err },
	} {
		err := call()
		wantCode(t, what, err, "AccessDenied")
		if err != nil && !strings.Contains(err.Error(), "is not authorized to perform: cloudformation:"+what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
