package awssim

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// fast is a speed at which a stack takes some hundredths of a second.
const fast = 2000

// stackTest drives one stack with an administrator's SDK client.
type stackTest struct {
	*testing.T
	w   *world
	cfn *cfn.Client
}

func newStackTest(t *testing.T, w *world) *stackTest {
	return &stackTest{t, w, cfn.NewFromConfig(w.as(asAdmin))}
}

func (t *stackTest) changeSet(stack, name, template string, kind cfntypes.ChangeSetType, parameters ...string) *cfn.DescribeChangeSetOutput {
	t.Helper()
	in := &cfn.CreateChangeSetInput{StackName: &stack, ChangeSetName: &name, TemplateBody: &template, ChangeSetType: kind, ClientToken: aws.String("token-" + name),
		Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}, Tags: []cfntypes.Tag{{Key: aws.String("team"), Value: aws.String("payments")}}}
	for i := 0; i < len(parameters); i += 2 {
		in.Parameters = append(in.Parameters, cfntypes.Parameter{ParameterKey: &parameters[i], ParameterValue: &parameters[i+1]})
	}
	if _, err := t.cfn.CreateChangeSet(t.Context(), in); err != nil {
		t.Fatalf("create change set %s: %v", name, err)
	}
	return t.described(stack, name)
}

// described waits for a change set and reads all its pages.
func (t *stackTest) described(stack, name string) *cfn.DescribeChangeSetOutput {
	t.Helper()
	var out *cfn.DescribeChangeSetOutput
	eventually(t.T, "change set "+name, func() bool {
		var err error
		out, err = t.cfn.DescribeChangeSet(t.Context(), &cfn.DescribeChangeSetInput{StackName: &stack, ChangeSetName: &name, IncludePropertyValues: aws.Bool(true)})
		if err != nil {
			t.Fatal(err)
		}
		return out.Status != cfntypes.ChangeSetStatusCreateInProgress
	})
	for next := out.NextToken; next != nil; {
		more, err := t.cfn.DescribeChangeSet(t.Context(), &cfn.DescribeChangeSetInput{StackName: &stack, ChangeSetName: &name, IncludePropertyValues: aws.Bool(true), NextToken: next})
		if err != nil {
			t.Fatal(err)
		}
		out.Changes = append(out.Changes, more.Changes...)
		next = more.NextToken
	}
	return out
}

func (t *stackTest) execute(stack, name string) {
	t.Helper()
	if _, err := t.cfn.ExecuteChangeSet(t.Context(), &cfn.ExecuteChangeSetInput{StackName: &stack, ChangeSetName: &name, ClientRequestToken: aws.String("run-" + name)}); err != nil {
		t.Fatalf("execute %s: %v", name, err)
	}
}

func (t *stackTest) stack(name string) cfntypes.Stack {
	t.Helper()
	out, err := t.cfn.DescribeStacks(t.Context(), &cfn.DescribeStacksInput{StackName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out.Stacks[0]
}

func (t *stackTest) settled(name string) cfntypes.Stack {
	t.Helper()
	var s cfntypes.Stack
	eventually(t.T, "the end of "+name, func() bool {
		s = t.stack(name)
		return !strings.HasSuffix(string(s.StackStatus), "_IN_PROGRESS")
	})
	return s
}

func (t *stackTest) want(name string, status cfntypes.StackStatus) cfntypes.Stack {
	t.Helper()
	s := t.settled(name)
	if s.StackStatus != status {
		t.Fatalf("stack %s is %s (%s), want %s\n%s", name, s.StackStatus, aws.ToString(s.StackStatusReason), status, strings.Join(t.history(*s.StackId), "\n"))
	}
	return s
}

// history is what happened to a stack, oldest first: "Topic CREATE_COMPLETE".
func (t *stackTest) history(stack string) []string {
	t.Helper()
	var out []string
	p := cfn.NewDescribeStackEventsPaginator(t.cfn, &cfn.DescribeStackEventsInput{StackName: &stack})
	for p.HasMorePages() {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.StackEvents {
			line := *e.LogicalResourceId + " " + string(e.ResourceStatus)
			if r := aws.ToString(e.ResourceStatusReason); r != "" {
				line += ": " + r
			}
			out = append(out, line)
		}
	}
	slices.Reverse(out)
	return out
}

func (t *stackTest) happened(stack string, lines ...string) {
	t.Helper()
	have := t.history(stack)
	for at, line := range lines {
		i := slices.IndexFunc(have, func(h string) bool { return strings.HasPrefix(h, line) })
		if i < 0 {
			t.Fatalf("%q (number %d) did not happen, in this order; after it came:\n%s", line, at, strings.Join(have, "\n"))
		}
		have = have[i+1:]
	}
}

func (t *stackTest) change(out *cfn.DescribeChangeSetOutput, id string) *cfntypes.ResourceChange {
	t.Helper()
	for _, c := range out.Changes {
		if *c.ResourceChange.LogicalResourceId == id {
			return c.ResourceChange
		}
	}
	t.Fatalf("the change set does not change %s", id)
	return nil
}

const topics = `
Parameters:
  Name: {Type: String, Default: alarms}
  Display: {Type: String, Default: Alarms}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: !Ref Name, DisplayName: !Ref Display}
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sns:Publish, Resource: !Ref Topic}]}
  Role:
    Type: AWS::IAM::Role
    DependsOn: Policy
    Properties:
      RoleName: !Sub ${Name}-role
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: "sts:AssumeRole"}]}
Outputs:
  Arn: {Value: !Ref Topic, Export: {Name: !Sub "${AWS::StackName}-topic"}}
`

func TestStackLifecycle(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, fast))
	cs := s.changeSet("slw-topics", "first", topics, cfntypes.ChangeSetTypeCreate)
	if cs.Status != "CREATE_COMPLETE" || cs.ExecutionStatus != "AVAILABLE" || len(cs.Changes) != 3 {
		t.Fatalf("change set %s %s with %d changes", cs.Status, cs.ExecutionStatus, len(cs.Changes))
	}
	if got := s.stack("slw-topics").StackStatus; got != "REVIEW_IN_PROGRESS" {
		t.Errorf("the stack under review is %s", got)
	}
	if after := aws.ToString(s.change(cs, "Policy").AfterContext); !strings.Contains(after, "{{changeSet:KNOWN_AFTER_APPLY}}") || !strings.Contains(after, "sns:Publish") {
		t.Errorf("the policy will be %s", after)
	}
	s.execute("slw-topics", "first")
	s.execute("slw-topics", "first") // the same token: no harm
	stack := s.want("slw-topics", "CREATE_COMPLETE")
	s.happened(*stack.StackId, "slw-topics REVIEW_IN_PROGRESS", "slw-topics CREATE_IN_PROGRESS", "Topic CREATE_IN_PROGRESS", "Topic CREATE_IN_PROGRESS: Resource creation Initiated",
		"Topic CREATE_COMPLETE", "Policy CREATE_IN_PROGRESS", "Policy CREATE_COMPLETE", "Role CREATE_COMPLETE", "slw-topics CREATE_COMPLETE")
	if len(stack.Outputs) != 1 || *stack.Outputs[0].OutputValue != "arn:aws:sns:eu-west-1:111111111111:alarms" {
		t.Errorf("outputs %+v", stack.Outputs)
	}

	none := s.changeSet("slw-topics", "none", topics, cfntypes.ChangeSetTypeUpdate)
	if none.Status != "FAILED" || *none.StatusReason != noChanges {
		t.Errorf("a change set without changes is %s: %v", none.Status, aws.ToString(none.StatusReason))
	}

	other := s.changeSet("slw-topics", "other", topics, cfntypes.ChangeSetTypeUpdate, "Display", "Loud")
	display := s.change(other, "Topic")
	if display.Replacement != "False" || *display.Details[0].Target.BeforeValue != "Alarms" || *display.Details[0].Target.AfterValue != "Loud" || len(other.Changes) != 1 {
		t.Errorf("changing the display name: %s", asText(display))
	}
	replace := s.changeSet("slw-topics", "replace", topics, cfntypes.ChangeSetTypeUpdate, "Name", "pages")
	topic := s.change(replace, "Topic")
	if topic.Replacement != "True" || topic.PolicyAction != "ReplaceAndDelete" || topic.Details[0].Target.RequiresRecreation != "Always" {
		t.Errorf("renaming the topic: %s", asText(topic))
	}
	if policy := s.change(replace, "Policy"); policy.Details[0].Evaluation != "Dynamic" || aws.ToString(policy.Details[0].CausingEntity) != "Topic" {
		t.Errorf("what refers to the renamed topic: %s", asText(policy))
	}
	s.execute("slw-topics", "replace")
	stack = s.want("slw-topics", "UPDATE_COMPLETE")
	s.happened(*stack.StackId, "Topic UPDATE_IN_PROGRESS: Requested update requires the creation of a new physical resource", "Topic UPDATE_COMPLETE", "Policy UPDATE_COMPLETE",
		"slw-topics UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Role DELETE_COMPLETE", "slw-topics UPDATE_COMPLETE")
	if got := s.described("slw-topics", "other"); got.ExecutionStatus != "OBSOLETE" {
		t.Errorf("the other change set is %s", got.ExecutionStatus)
	}
	s.roles(map[string]bool{"alarms-role": false, "pages-role": true})

	if _, err := s.cfn.DeleteStack(t.Context(), &cfn.DeleteStackInput{StackName: aws.String("slw-topics")}); err != nil {
		t.Fatal(err)
	}
	stack = s.want(*stack.StackId, "DELETE_COMPLETE")
	s.happened(*stack.StackId, "slw-topics DELETE_IN_PROGRESS", "Role DELETE_COMPLETE", "Policy DELETE_COMPLETE", "Topic DELETE_COMPLETE", "slw-topics DELETE_COMPLETE")
	s.roles(map[string]bool{"pages-role": false})
	_, err := s.cfn.DescribeStacks(t.Context(), &cfn.DescribeStacksInput{StackName: aws.String("slw-topics")})
	if code(err) != "ValidationError" || !strings.Contains(err.Error(), "Stack with id slw-topics does not exist") {
		t.Errorf("describing a deleted stack by its name: %v", err)
	}
}

func asText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// roles asks which roles of the management account exist.
func (t *stackTest) roles(want map[string]bool) {
	t.Helper()
	t.w.do(t.T, func(ctx context.Context, c *Call) error {
		for name, exists := range want {
			if _, ok, err := c.role(ctx, demoManagement, name); err != nil || ok != exists {
				t.Errorf("role %s exists: %v (%v), want %v", name, ok, err, exists)
			}
		}
		return nil
	})
}
