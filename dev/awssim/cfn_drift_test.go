package awssim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// byHand changes a resource through the admin API.
func (t *stackTest) byHand(stack, resource, path, value string) {
	t.Helper()
	h := handChange{Account: demoManagement, Stack: stack, Resource: resource, Path: path, Value: json.RawMessage(value), Delete: path == ""}
	if got := t.w.admin(t.T, "POST", "/drift", h, nil); got != http.StatusNoContent {
		t.Fatalf("changing %s of %s by hand: %d", path, resource, got)
	}
}

// detect runs a detection to its end.
func (t *stackTest) detect(stack string, resources ...string) *cfn.DescribeStackDriftDetectionStatusOutput {
	t.Helper()
	begun, err := t.cfn.DetectStackDrift(t.Context(), &cfn.DetectStackDriftInput{StackName: &stack, LogicalResourceIds: resources})
	if err != nil {
		t.Fatal(err)
	}
	return t.detected(begun.StackDriftDetectionId)
}

func (t *stackTest) detected(id *string) (out *cfn.DescribeStackDriftDetectionStatusOutput) {
	t.Helper()
	eventually(t.T, "the detection ends", func() bool {
		var err error
		if out, err = t.cfn.DescribeStackDriftDetectionStatus(t.Context(), &cfn.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: id}); err != nil {
			t.Fatal(err)
		}
		return out.DetectionStatus != cfntypes.StackDriftDetectionStatusDetectionInProgress
	})
	return out
}

// drifts are what a detection found, in one line each.
func (t *stackTest) drifts(stack string, only ...cfntypes.StackResourceDriftStatus) []string {
	t.Helper()
	lines := []string{}
	p := cfn.NewDescribeStackResourceDriftsPaginator(t.cfn, &cfn.DescribeStackResourceDriftsInput{StackName: &stack, StackResourceDriftStatusFilters: only, MaxResults: aws.Int32(1)})
	for p.HasMorePages() {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.StackResourceDrifts {
			line := *d.LogicalResourceId + " " + string(d.StackResourceDriftStatus)
			for _, p := range d.PropertyDifferences {
				line += " " + *p.PropertyPath + " " + string(p.DifferenceType) + " " + *p.ExpectedValue + " -> " + *p.ActualValue
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func (t *stackTest) wantDrifts(stack string, want ...string) {
	t.Helper()
	if got := t.drifts(stack, cfntypes.StackResourceDriftStatusModified, cfntypes.StackResourceDriftStatusDeleted); !slices.Equal(got, want) {
		t.Errorf("drift of %s:\n%s\nwant\n%s", stack, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const drifting = `
Parameters: {Display: {Type: String, Default: Alarms}, Days: {Type: Number, Default: 7}}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: drifting, DisplayName: !Ref Display}}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /drifting, RetentionInDays: !Ref Days}}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: x, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 10.0.0.0/8}]}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: drifting
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: "sts:AssumeRole"}]}
  Doc: {Type: AWS::CloudFormation::WaitConditionHandle}
`

func TestDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	const name = "slw-drift"
	s.changeSet(name, "one", drifting, cfntypes.ChangeSetTypeCreate)
	s.execute(name, "one")
	if got := s.want(name, "CREATE_COMPLETE").DriftInformation.StackDriftStatus; got != "NOT_CHECKED" {
		t.Errorf("before any detection the stack is %s", got)
	}
	if got := s.detect(name); got.StackDriftStatus != "IN_SYNC" || *got.DriftedStackResourceCount != 0 {
		t.Errorf("a new stack is %s", asText(got))
	}
	s.byHand(name, "Topic", "/DisplayName", `"Noise"`)
	s.byHand(name, "Topic", "/KmsMasterKeyId", `"alias/own"`) // not declared: nobody compares it
	s.byHand(name, "Group", "/SecurityGroupIngress/1", `{"IpProtocol":"-1","CidrIp":"0.0.0.0/0"}`)
	s.byHand(name, "Group", "/SecurityGroupIngress/0/FromPort", `22`)
	s.byHand(name, "Logs", "/RetentionInDays", `null`)
	s.byHand(name, "Role", "", "")
	s.wantDrifts(name) // nobody has looked yet
	if got := s.detect(name); got.StackDriftStatus != "DRIFTED" || *got.DriftedStackResourceCount != 4 {
		t.Errorf("the stack is %s", asText(got))
	}
	s.wantDrifts(name, "Topic MODIFIED /DisplayName NOT_EQUAL Alarms -> Noise", "Logs MODIFIED /RetentionInDays REMOVE 7 -> null",
		`Group MODIFIED /SecurityGroupIngress/0/FromPort NOT_EQUAL 80 -> 22 /SecurityGroupIngress/1 ADD null -> {"CidrIp":"0.0.0.0/0","IpProtocol":"-1"}`, "Role DELETED")
	s.roles(map[string]bool{"drifting": false})
	if got := s.stack(name).DriftInformation; got.StackDriftStatus != "DRIFTED" || got.LastCheckTimestamp == nil {
		t.Errorf("the stack says %s", asText(got))
	}
	list, err := s.cfn.ListStackResources(t.Context(), &cfn.ListStackResourcesInput{StackName: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list.StackResourceSummaries {
		want := map[string]cfntypes.StackResourceDriftStatus{"Role": "DELETED", "Doc": "NOT_CHECKED"}[*r.LogicalResourceId]
		if want != "" && r.DriftInformation.StackResourceDriftStatus != want {
			t.Errorf("%s is %s in the list, want %s", *r.LogicalResourceId, r.DriftInformation.StackResourceDriftStatus, want)
		}
	}
	s.revert(name)
}

// revert takes everything back by a change set, and looks again.
func (t *stackTest) revert(name string) {
	t.Helper()
	if _, err := t.cfn.CreateChangeSet(t.Context(), &cfn.CreateChangeSetInput{StackName: &name, ChangeSetName: aws.String("revert"), UsePreviousTemplate: aws.Bool(true), DeploymentMode: cfntypes.DeploymentModeRevertDrift,
		Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}}); err != nil {
		t.Fatal(err)
	}
	cs := t.described(name, "revert")
	if len(cs.Changes) != 4 || cs.StackDriftStatus != "DRIFTED" || cs.DeploymentMode != "REVERT_DRIFT" {
		t.Fatalf("the change set: %s", asText(cs))
	}
	topic := t.change(cs, "Topic")
	d := topic.Details[0].Target
	if topic.ResourceDriftStatus != "MODIFIED" || len(topic.Details) != 1 || *d.Path != "/Properties/DisplayName" || *d.BeforeValue != "Noise" || *d.AfterValue != "Alarms" || d.BeforeValueFrom != "ACTUAL_STATE" ||
		d.AfterValueFrom != "TEMPLATE" || *d.Drift.PreviousValue != "Alarms" || *d.Drift.ActualValue != "Noise" {
		t.Errorf("the topic: %s", asText(topic))
	}
	if role := t.change(cs, "Role"); role.Action != "Add" || role.ResourceDriftStatus != "DELETED" {
		t.Errorf("the role: %s", asText(role))
	}
	t.execute(name, "revert")
	stack := t.want(name, "UPDATE_COMPLETE")
	t.happened(*stack.StackId, "slw-drift UPDATE_IN_PROGRESS", "Role CREATE_COMPLETE", "slw-drift UPDATE_COMPLETE")
	t.roles(map[string]bool{"drifting": true})
	if got := stack.DriftInformation.StackDriftStatus; got != "NOT_CHECKED" {
		t.Errorf("after an update the stack is %s", got)
	}
	if got := t.detect(name); got.StackDriftStatus != "IN_SYNC" {
		t.Errorf("after the revert: %s\n%v", asText(got), t.drifts(name))
	}
}

// TestDriftOutlivesUpdates changes by hand what an update does not write, and what it does.
func TestDriftOutlivesUpdates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	const name = "slw-drift"
	s.changeSet(name, "one", drifting, cfntypes.ChangeSetTypeCreate)
	s.execute(name, "one")
	s.want(name, "CREATE_COMPLETE")
	s.byHand(name, "Topic", "/DisplayName", `"Noise"`)
	s.byHand(name, "Logs", "/RetentionInDays", `30`)
	if got := s.changeSet(name, "plain", drifting, cfntypes.ChangeSetTypeUpdate); aws.ToString(got.StatusReason) != noChanges {
		t.Errorf("a plain change set sees drift: %s", asText(got.Changes))
	}
	s.changeSet(name, "two", drifting, cfntypes.ChangeSetTypeUpdate, "Display", "Loud")
	s.execute(name, "two")
	s.want(name, "UPDATE_COMPLETE")
	begun, err := s.cfn.DetectStackDrift(t.Context(), &cfn.DetectStackDriftInput{StackName: aws.String(name), LogicalResourceIds: []string{"Topic", "Logs"}})
	if err != nil {
		t.Fatal(err)
	}
	s = newStackTest(t, openWorld(t, w.database, fast)) // another process sees its end
	if got := s.detected(begun.StackDriftDetectionId); *got.DriftedStackResourceCount != 1 {
		t.Errorf("the detection: %s", asText(got))
	}
	s.wantDrifts(name, "Logs MODIFIED /RetentionInDays NOT_EQUAL 7 -> 30")
	one, err := s.cfn.DetectStackResourceDrift(t.Context(), &cfn.DetectStackResourceDriftInput{StackName: aws.String(name), LogicalResourceId: aws.String("Group")})
	if err != nil || one.StackResourceDrift.StackResourceDriftStatus != "IN_SYNC" || one.StackResourceDrift.ActualProperties == nil {
		t.Errorf("one resource: %s, %v", asText(one), err)
	}
	s.byHand(name, "Role", "", "")
	s.changeSet(name, "gone", strings.Replace(drifting, "RoleName: drifting", "RoleName: drifting\n      Description: x", 1), cfntypes.ChangeSetTypeUpdate, "Display", "Loud")
	s.execute(name, "gone")
	s.happened(*s.want(name, "UPDATE_ROLLBACK_FAILED").StackId, "Role UPDATE_FAILED: Resource of type 'AWS::IAM::Role' with identifier 'drifting' was not found.")
}

func TestDriftRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	const name = "slw-drift"
	s.changeSet(name, "one", drifting, cfntypes.ChangeSetTypeCreate)
	_, err := s.cfn.DetectStackDrift(t.Context(), &cfn.DetectStackDriftInput{StackName: aws.String(name)})
	wantCode(t, "detecting drift of a stack under review", err, "ValidationError")
	s.execute(name, "one")
	s.want(name, "CREATE_COMPLETE")
	_, err = s.cfn.DetectStackResourceDrift(t.Context(), &cfn.DetectStackResourceDriftInput{StackName: aws.String(name), LogicalResourceId: aws.String("Doc")})
	wantCode(t, "a type without drift detection", err, "ValidationError")
	_, err = s.cfn.DetectStackDrift(t.Context(), &cfn.DetectStackDriftInput{StackName: aws.String(name), LogicalResourceIds: []string{"Nothing"}})
	wantCode(t, "an unknown resource", err, "ValidationError")
	_, err = s.cfn.DescribeStackDriftDetectionStatus(t.Context(), &cfn.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: aws.String("nothing")})
	wantCode(t, "an unknown detection", err, "ValidationError")
	for what, h := range map[string]handChange{
		"no such stack":    {Account: demoManagement, Stack: "slw-none", Resource: "Topic", Path: "/A"},
		"no such resource": {Account: demoManagement, Stack: name, Resource: "Nothing", Path: "/A"},
		"no path":          {Account: demoManagement, Stack: name, Resource: "Topic", Path: "DisplayName", Value: json.RawMessage(`1`)},
		"inside a text":    {Account: demoManagement, Stack: name, Resource: "Topic", Path: "/DisplayName/0", Value: json.RawMessage(`1`)},
		"outside a list":   {Account: demoManagement, Stack: name, Resource: "Group", Path: "/SecurityGroupIngress/7", Value: json.RawMessage(`1`)},
	} {
		if got := w.admin(t, "POST", "/drift", h, nil); got != http.StatusNotFound && got != http.StatusBadRequest {
			t.Errorf("%s: %d", what, got)
		}
	}
}
