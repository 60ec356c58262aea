package awssim

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// failing adds a failure rule for a logical id.
func (t *stackTest) failing(stack, logical string, times int) {
	t.Helper()
	t.w.do(t.T, func(ctx context.Context, c *Call) error {
		_, err := c.Tx.Exec(ctx, `INSERT INTO rules (match, logical_id, times, action, reason, created_at) VALUES ($1, $2, $3, 'create_failed', 'It rained.', $4)`, stack, logical, times, c.Now)
		return err
	})
}

func TestStackFailures(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		on     cfntypes.OnStackFailure
		status cfntypes.StackStatus
		then   []string
	}{
		"roll back":  {"", "ROLLBACK_COMPLETE", []string{"ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Role]. Rollback requested by user.", "ROLLBACK_COMPLETE"}},
		"delete":     {cfntypes.OnStackFailureDelete, "DELETE_COMPLETE", []string{"DELETE_IN_PROGRESS", "DELETE_COMPLETE"}},
		"do nothing": {cfntypes.OnStackFailureDoNothing, "CREATE_FAILED", []string{"CREATE_FAILED: The following resource(s) failed to create: [Role]."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStackTest(t, newWorld(t, fast))
			s.failing("slw-fails", "Role", 0)
			out, err := s.cfn.CreateChangeSet(t.Context(), &cfn.CreateChangeSetInput{StackName: aws.String("slw-fails"), ChangeSetName: aws.String("cs"), TemplateBody: aws.String(topics), OnStackFailure: tc.on,
				ChangeSetType: cfntypes.ChangeSetTypeCreate, Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}})
			if err != nil {
				t.Fatal(err)
			}
			s.described("slw-fails", "cs")
			s.execute("slw-fails", "cs")
			s.want(*out.StackId, tc.status)
			lines := []string{"Topic CREATE_COMPLETE", "Policy CREATE_COMPLETE", "Role CREATE_FAILED: It rained."}
			for _, l := range tc.then {
				lines = append(lines, "slw-fails "+l)
			}
			s.happened(*out.StackId, lines...)
			s.roles(map[string]bool{"alarms-role": tc.status == "CREATE_FAILED"})
		})
	}
}

func TestUpdateRollsBack(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, fast))
	s.changeSet("slw-back", "one", topics, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-back", "one")
	before := s.want("slw-back", "CREATE_COMPLETE")
	s.failing("slw-back", "Role", 1)
	s.changeSet("slw-back", "two", topics, cfntypes.ChangeSetTypeUpdate, "Name", "pages")
	s.execute("slw-back", "two")
	after := s.want("slw-back", "UPDATE_ROLLBACK_COMPLETE")
	s.happened(*after.StackId, "Topic UPDATE_COMPLETE", "Role UPDATE_FAILED: It rained.", "slw-back UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to update: [Role].",
		"Topic UPDATE_COMPLETE", "slw-back UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "Topic DELETE_COMPLETE", "slw-back UPDATE_ROLLBACK_COMPLETE")
	s.roles(map[string]bool{"alarms-role": true, "pages-role": false})
	if *after.Outputs[0].OutputValue != *before.Outputs[0].OutputValue {
		t.Errorf("the output became %s", *after.Outputs[0].OutputValue)
	}
	if again := s.changeSet("slw-back", "three", topics, cfntypes.ChangeSetTypeUpdate); aws.ToString(again.StatusReason) != noChanges {
		t.Errorf("after the rollback the old template changes %s", asText(again.Changes))
	}
	s.changeSet("slw-back", "four", topics, cfntypes.ChangeSetTypeUpdate, "Name", "pages")
	s.execute("slw-back", "four")
	s.want("slw-back", "UPDATE_COMPLETE")
	s.roles(map[string]bool{"alarms-role": false, "pages-role": true})
}

func TestNameConflicts(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, fast))
	s.changeSet("slw-a", "cs", topics, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-a", "cs")
	s.want("slw-a", "CREATE_COMPLETE")
	early := s.changeSet("slw-b", "cs", topics, cfntypes.ChangeSetTypeCreate)
	if early.Status != "FAILED" || !strings.Contains(*early.StatusReason, "AWS::EarlyValidation::ResourceExistenceCheck") {
		t.Errorf("a taken name: %s %s", early.Status, aws.ToString(early.StatusReason))
	}
	events, err := s.cfn.DescribeEvents(t.Context(), &cfn.DescribeEventsInput{StackName: aws.String("slw-b"), ChangeSetName: aws.String("cs"), Filters: &cfntypes.EventFilter{FailedEvents: aws.Bool(true)}})
	if err != nil || len(events.OperationEvents) == 0 || events.OperationEvents[0].EventType != "VALIDATION_ERROR" {
		t.Errorf("what the check found: %s, %v", asText(events), err)
	}
	if _, err := s.cfn.CreateChangeSet(t.Context(), &cfn.CreateChangeSetInput{StackName: aws.String("slw-b"), ChangeSetName: aws.String("late"), TemplateBody: aws.String(topics), DisableValidation: aws.Bool(true),
		ChangeSetType: cfntypes.ChangeSetTypeCreate, Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}}); err != nil {
		t.Fatal(err)
	}
	s.described("slw-b", "late")
	s.execute("slw-b", "late")
	stack := s.want("slw-b", "ROLLBACK_COMPLETE")
	s.happened(*stack.StackId, "Topic CREATE_FAILED: Resource of type 'AWS::SNS::Topic' with identifier 'arn:aws:sns:eu-west-1:111111111111:alarms' already exists.", "slw-b ROLLBACK_COMPLETE")
	s.roles(map[string]bool{"alarms-role": true}) // of the first stack: untouched
}

// TestStackResumes opens the world anew in the middle of a stack, several times.
func TestStackResumes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	s := newStackTest(t, w)
	s.changeSet("slw-long", "cs", topics, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-long", "cs")
	for i := range 4 {
		if s.stack("slw-long").StackStatus == "CREATE_COMPLETE" {
			t.Fatalf("it was complete after %d openings already", i)
		}
		s = newStackTest(t, openWorld(t, w.database, 5))
	}
	stack := s.want("slw-long", "CREATE_COMPLETE")
	seen := map[string]int{}
	for _, line := range s.history(*stack.StackId) {
		if seen[line]++; seen[line] > 1 {
			t.Errorf("%s happened %d times", line, seen[line])
		}
	}
}

func TestChangeSetRefusals(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, fast))
	base := func() *cfn.CreateChangeSetInput {
		return &cfn.CreateChangeSetInput{StackName: aws.String("slw-x"), ChangeSetName: aws.String("cs"), TemplateBody: aws.String(topics), ChangeSetType: cfntypes.ChangeSetTypeCreate,
			Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}}
	}
	for name, tc := range map[string]struct {
		change func(*cfn.CreateChangeSetInput)
		code   string
		words  string
	}{
		"no capability": {func(in *cfn.CreateChangeSetInput) { in.Capabilities = nil }, "InsufficientCapabilitiesException", "CAPABILITY_NAMED_IAM"},
		"bad name":      {func(in *cfn.CreateChangeSetInput) { in.ChangeSetName = aws.String("1st") }, "ValidationError", "changeSetName"},
		"no such stack": {func(in *cfn.CreateChangeSetInput) { in.ChangeSetType = cfntypes.ChangeSetTypeUpdate }, "ValidationError", "does not exist"},
		"unknown type": {func(in *cfn.CreateChangeSetInput) {
			in.TemplateBody = aws.String("Resources: {A: {Type: AWS::SNS::Tropic}}")
		}, "ValidationError", "Unrecognized resource types: [AWS::SNS::Tropic]"},
		"unknown parameter": {func(in *cfn.CreateChangeSetInput) {
			in.Parameters = []cfntypes.Parameter{{ParameterKey: aws.String("X"), ParameterValue: aws.String("y")}}
		}, "ValidationError", "do not exist in the template"},
		"not a template": {func(in *cfn.CreateChangeSetInput) { in.TemplateBody = aws.String("Resources: [") }, "ValidationError", "Template format error"},
		"unknown role":   {func(in *cfn.CreateChangeSetInput) { in.RoleARN = aws.String("arn:aws:iam::111111111111:role/none") }, "ValidationError", "is invalid or cannot be assumed"},
	} {
		in := base()
		tc.change(in)
		_, err := s.cfn.CreateChangeSet(t.Context(), in)
		wantCode(t, name, err, tc.code)
		if err != nil && !strings.Contains(err.Error(), tc.words) {
			t.Errorf("%s: %v, want %q in it", name, err, tc.words)
		}
	}
	if _, err := s.cfn.DescribeStacks(t.Context(), &cfn.DescribeStacksInput{StackName: aws.String("slw-x")}); code(err) != "ValidationError" {
		t.Errorf("refused change sets left a stack behind: %v", err)
	}
	bad := s.changeSet("slw-y", "cs", strings.Replace(topics, "DisplayName", "Dispaly", 1), cfntypes.ChangeSetTypeCreate)
	if bad.Status != "FAILED" || !strings.Contains(fmt.Sprint(*bad.StatusReason), "PropertyValidation") {
		t.Errorf("an unknown property: %s %s", bad.Status, *bad.StatusReason)
	}
	s.changeSet("slw-z", "cs", topics, cfntypes.ChangeSetTypeCreate)
	s.changeSet("slw-z", "cs", topics, cfntypes.ChangeSetTypeCreate) // the same token: the same change set
	in := base()
	in.StackName = aws.String("slw-z")
	_, err := s.cfn.CreateChangeSet(t.Context(), in)
	wantCode(t, "the same name with another token", err, "AlreadyExistsException")
}

// TestRollbackFails takes a permission away in the middle, so that the way back is closed too.
func TestRollbackFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	s := newStackTest(t, w)
	exec := Role{Account: demoManagement, Name: "exec", Path: "/", TrustPolicy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudformation.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
		Inline: map[string]string{"p": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sns:*","iam:*"],"Resource":"*"}]}`}}
	w.role(t, exec)
	change := func(name string, kind cfntypes.ChangeSetType, display string) {
		if _, err := s.cfn.CreateChangeSet(t.Context(), &cfn.CreateChangeSetInput{StackName: aws.String("slw-stuck"), ChangeSetName: &name, TemplateBody: aws.String(topics), ChangeSetType: kind, RoleARN: aws.String(exec.ARN()),
			Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}, Parameters: []cfntypes.Parameter{{ParameterKey: aws.String("Display"), ParameterValue: &display}},
			Tags: []cfntypes.Tag{{Key: aws.String("colour"), Value: &display}}}); err != nil {
			t.Fatal(err)
		}
		s.described("slw-stuck", name)
		s.execute("slw-stuck", name)
	}

	change("one", cfntypes.ChangeSetTypeCreate, "Alarms")
	s.want("slw-stuck", "CREATE_COMPLETE")
	s.failing("slw-stuck", "Role", 1)
	change("two", cfntypes.ChangeSetTypeUpdate, "Loud")
	eventually(t, "the topic is updated", func() bool {
		return strings.Contains(strings.Join(s.history("slw-stuck"), "\n"), "Topic UPDATE_COMPLETE")
	})
	allowed := exec.Inline
	exec.Inline = map[string]string{"p": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`}
	w.role(t, exec)
	stuck := s.want("slw-stuck", "UPDATE_ROLLBACK_FAILED")
	s.happened(*stuck.StackId, "slw-stuck UPDATE_ROLLBACK_IN_PROGRESS", "Topic UPDATE_FAILED: Resource handler returned message: \"User: arn:aws:sts::111111111111:assumed-role/exec/AWSCloudFormation is not authorized to perform: sns:SetTopicAttributes",
		"slw-stuck UPDATE_ROLLBACK_FAILED: The following resource(s) failed to update: [Topic].")
	exec.Inline = allowed
	w.role(t, exec)
	if _, err := s.cfn.ContinueUpdateRollback(t.Context(), &cfn.ContinueUpdateRollbackInput{StackName: aws.String("slw-stuck")}); err != nil {
		t.Fatal(err)
	}
	s.want("slw-stuck", "UPDATE_ROLLBACK_COMPLETE")
	if n := count(t, w, `SELECT count(*) FROM stack_resources WHERE id = 'Topic' AND body->'Properties'->>'DisplayName' = 'Alarms'`); n != 1 {
		t.Error("the topic did not get its old name back")
	}
}
