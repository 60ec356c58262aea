package awssim

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// waiter is a type that real blueprints do not use: here it waits for the account's setting
// "gate", as a certificate does for its record.
const waiter = "AWS::SSM::Document"

func init() {
	behaviourOf("") // the table is made
	behaviours.all[waiter] = behaviour{patience: time.Hour, undriftable: true,
		ready: func(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _, _ time.Time) (string, error) {
			var open string
			if _, err := c.setting(ctx, s.Account, "", "gate", &open); err != nil {
				return "", err
			}
			switch {
			case open == "broken" && verb != "delete":
				return "", refuse(400, "InvalidRequest", "It will never be ready.")
			case open == verb || open == "all" || verb == "delete" && open != "create":
				return "", nil
			}
			return "Not ready yet.", nil
		}}
}

const waiting = `
Resources:
  Gate: {Type: AWS::SSM::Document, Properties: {Content: {a: b}}}
  Behind: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Gate}}
  Beside: {Type: AWS::SNS::Topic}
`

func (t *stackTest) gate(value string) {
	t.Helper()
	t.w.do(t.T, func(ctx context.Context, c *Call) error { return c.set(ctx, demoManagement, "", "gate", value) })
}

// TestResourceWaits keeps one resource waiting: what stands on it waits, the rest goes on.
func TestResourceWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 300)
	s := newStackTest(t, w)
	s.changeSet("slw-wait", "one", waiting, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-wait", "one")
	eventually(t, "the stack is configured", func() bool {
		return strings.Contains(strings.Join(s.history("slw-wait"), "\n"), "Beside CREATE_COMPLETE")
	})
	if lines := strings.Join(s.history("slw-wait"), "\n"); strings.Contains(lines, "Behind CREATE") {
		t.Errorf("what stands on the waiting resource began:\n%s", lines)
	}
	where := w.url + "/_slipway/stacks?" + url.Values{"account": {demoManagement}, "stack": {*s.stack("slw-wait").StackId}}.Encode()
	eventually(t, "the page says what it waits for", func() bool {
		res, err := browser.Get(where)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return strings.Contains(readAll(t, res), "CREATE_IN_PROGRESS. It waits: Not ready yet.")
	})
	s = newStackTest(t, openWorld(t, w.database, 300)) // it waits over a restart too
	s.gate("create")
	stack := s.want("slw-wait", "CREATE_COMPLETE")
	s.happened(*stack.StackId, "Gate CREATE_IN_PROGRESS", "Gate CREATE_IN_PROGRESS: Resource creation Initiated", "Gate CREATE_IN_PROGRESS: Eventual consistency check initiated", "Gate CREATE_COMPLETE", "Behind CREATE_IN_PROGRESS", "slw-wait CREATE_COMPLETE")

	if _, err := s.cfn.DeleteStack(t.Context(), &cfn.DeleteStackInput{StackName: stack.StackId}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what stood on it goes", func() bool {
		return strings.Contains(strings.Join(s.history(*stack.StackId), "\n"), "Gate DELETE_IN_PROGRESS")
	})
	if got := s.stack(*stack.StackId).StackStatus; got != "DELETE_IN_PROGRESS" {
		t.Errorf("with a resource that cannot go yet the stack is %s", got)
	}
	s.gate("delete")
	s.want(*stack.StackId, "DELETE_COMPLETE")
	s.happened(*stack.StackId, "Behind DELETE_COMPLETE", "Gate DELETE_IN_PROGRESS", "Gate DELETE_COMPLETE")
}

// TestStackIsConfigured watches the last part of an operation, in which all that is left is to settle.
func TestStackIsConfigured(t *testing.T) {
	t.Parallel()
	s := newStackTest(t, newWorld(t, 300))
	s.changeSet("slw-near", "one", "Resources: {Gate: {Type: AWS::SSM::Document, Properties: {Content: {a: b}}}}", cfntypes.ChangeSetTypeCreate)
	s.execute("slw-near", "one")
	eventually(t, "the stack is configured", func() bool { return s.stack("slw-near").DetailedStatus == cfntypes.DetailedStatusConfigurationComplete })
	out, err := s.cfn.DescribeStackEvents(t.Context(), &cfn.DescribeStackEventsInput{StackName: aws.String("slw-near")})
	if err != nil || out.StackEvents[0].DetailedStatus != cfntypes.DetailedStatusConfigurationComplete || out.StackEvents[1].DetailedStatus != cfntypes.DetailedStatusConfigurationComplete {
		t.Errorf("the newest events are %s, %v", asText(out), err)
	}
	s.gate("all")
	if got := s.want("slw-near", "CREATE_COMPLETE"); got.DetailedStatus != "" {
		t.Errorf("a finished stack is still %s", got.DetailedStatus)
	}
}

// TestWaitingEnds is for a resource that is never ready.
func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ gate, words string }{
		"patience ends": {"", "Gate CREATE_FAILED: Resource handler returned message: \"Not ready yet.\" (RequestToken: "},
		"refused":       {"broken", "Gate CREATE_FAILED: Resource handler returned message: \"It will never be ready."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStackTest(t, newWorld(t, 3000)) // an hour is long enough here to open the gate in
			s.gate(tc.gate)
			s.changeSet("slw-never", "one", waiting, cfntypes.ChangeSetTypeCreate)
			s.execute("slw-never", "one")
			eventually(t, "it fails", func() bool { return strings.Contains(strings.Join(s.history("slw-never"), "\n"), tc.words) })
			stack := s.want("slw-never", "ROLLBACK_COMPLETE")
			s.happened(*stack.StackId, tc.words, "slw-never ROLLBACK_IN_PROGRESS", "slw-never ROLLBACK_COMPLETE")
		})
	}
}
