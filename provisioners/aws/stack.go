package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// stack is one CloudFormation stack in an account, as a session for one job sees it.
type stack struct {
	clients               *Clients
	account, region, name string
	who                   who
}

func (s stack) client() *cloudformation.Client {
	return cloudformation.NewFromConfig(s.clients.spoke(s.account, s.region, "deploy", s.clients.deployStack(s.account, s.region, s.name), s.who))
}

// as is the same stack in a session of another purpose.
func (s stack) as(purpose string, approved bool) stack {
	s.who.purpose, s.who.approve = purpose, approved
	return s
}

// describe reads the stack by name; nil when there is none. AWS has no code of its own for that.
func (s stack) describe(ctx context.Context) (*cfn.Stack, error) {
	out, err := s.client().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &s.name})
	if is(err, "ValidationError") && strings.Contains(err.Error(), "does not exist") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(out.Stacks) != 1 || out.Stacks[0].StackStatus == cfn.StackStatusDeleteComplete {
		return nil, nil
	}
	return &out.Stacks[0], nil
}

// changeSet reads a change set with all its pages; nil when there is none.
func (s stack) changeSet(ctx context.Context, name string) (*cloudformation.DescribeChangeSetOutput, error) {
	var whole *cloudformation.DescribeChangeSetOutput
	var next *string
	for {
		out, err := s.client().DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: &s.name, ChangeSetName: &name, NextToken: next, IncludePropertyValues: sdk.Bool(true)})
		if is(err, "ChangeSetNotFound", "ChangeSetNotFoundException") || is(err, "ValidationError") && strings.Contains(err.Error(), "does not exist") {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if whole == nil {
			whole = out
		} else {
			whole.Changes = append(whole.Changes, out.Changes...)
		}
		if next = out.NextToken; next == nil {
			return whole, nil
		}
	}
}

// remove deletes the stack; the token makes a repetition harmless.
func (s stack) remove(ctx context.Context, id *string, token string) error {
	_, err := s.client().DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: id, ClientRequestToken: &token})
	return err
}

// Bounds of reading events: a look is short, and a stack has at most a few thousand of them.
const (
	eventPages = 10
	eventsKept = 300 // new ones of one look
)

// events reads a stack's events since the one last seen, oldest first. AWS lists them newest first, so it stops at what is known.
func (s stack) events(ctx context.Context, stackID, seen string) ([]cfn.StackEvent, error) {
	var found []cfn.StackEvent
	var next *string
	for range eventPages {
		out, err := s.client().DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &stackID, NextToken: next})
		if err != nil {
			return nil, err
		}
		for _, e := range out.StackEvents {
			if sdk.ToString(e.EventId) == seen {
				slices.Reverse(found)
				return found, nil
			}
			found = append(found, e)
		}
		if next = out.NextToken; next == nil || len(found) > eventsKept {
			break
		}
	}
	slices.Reverse(found)
	return found, nil
}

// lines turns stack events into lines of the run's log; AWS's event id keeps each one single.
func lines(events []cfn.StackEvent) []provisioners.Event {
	var out []provisioners.Event
	for _, e := range events {
		text := fmt.Sprintf("%s (%s): %s", sdk.ToString(e.LogicalResourceId), sdk.ToString(e.ResourceType), e.ResourceStatus)
		if why := sdk.ToString(e.ResourceStatusReason); why != "" {
			text += ": " + clip(why, 300)
		}
		level := "info"
		if strings.HasSuffix(string(e.ResourceStatus), "_FAILED") {
			level = "fail"
		}
		out = append(out, provisioners.Event{Key: "stack." + sdk.ToString(e.EventId), Level: level, Text: text, At: sdk.ToTime(e.Timestamp)})
	}
	return out
}

// rootCause is the earliest failure of a resource that was not merely cancelled because of another.
func rootCause(events []cfn.StackEvent) *cfn.StackEvent {
	for i, e := range events {
		if strings.HasSuffix(string(e.ResourceStatus), "_FAILED") && sdk.ToString(e.PhysicalResourceId) != sdk.ToString(e.StackId) &&
			!strings.Contains(strings.ToLower(sdk.ToString(e.ResourceStatusReason)), "cancelled") {
			return &events[i]
		}
	}
	return nil
}

// failed is why a stack did not come up, in words, with its root cause.
func (s stack) failed(ctx context.Context, st *cfn.Stack) error {
	all, err := s.events(ctx, sdk.ToString(st.StackId), "")
	if err != nil {
		return err
	}
	f := models.Failure{What: fmt.Sprintf("The stack %s could not be made; CloudFormation has rolled it back.", s.name), Cause: "The stack is " + string(st.StackStatus) + ": " + sdk.ToString(st.StackStatusReason),
		Code: string(st.StackStatus), Owner: platform, Next: "Cure the cause, then retry: Slipway removes what is left of the stack and makes it anew."}
	if e := rootCause(all); e != nil {
		f.What = fmt.Sprintf("%s (%s) of stack %s could not be made.", sdk.ToString(e.LogicalResourceId), sdk.ToString(e.ResourceType), s.name)
		f.Cause, f.Code = clip(sdk.ToString(e.ResourceStatusReason), 400), string(e.ResourceStatus)
	}
	return provisioners.Final{Failure: f}
}

// DeleteChangeSet takes away a change set that no plan needs, and for a CREATE the stack it left in review once it is seen to hold
// nothing. What is gone already is no error.
func (c *Clients) DeleteChangeSet(ctx context.Context, set models.ChangeSet) error {
	s := stack{clients: c, account: set.Account, region: set.Region, name: set.StackName, who: who{job: set.RequestID, purpose: planCleanup}}
	st, err := s.describe(ctx)
	if err != nil || st == nil {
		return judge(err, 0, false)
	}
	if _, err := s.client().DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{StackName: &set.StackName, ChangeSetName: &set.Name}); err != nil &&
		!is(err, "ChangeSetNotFound", "ChangeSetNotFoundException", "InvalidChangeSetStatus") {
		return judge(err, 0, false)
	}
	if set.Type != string(cfn.ChangeSetTypeCreate) || st.StackStatus != cfn.StackStatusReviewInProgress {
		return nil
	}
	empty, err := s.empty(ctx)
	if err != nil || !empty {
		return judge(err, 0, false)
	}
	return judge(s.remove(ctx, st.StackId, "slw-sweep-"+set.Name), 0, false)
}

// empty tells whether a stack in review holds no resource and no other change set.
func (s stack) empty(ctx context.Context) (bool, error) {
	held, err := s.client().ListStackResources(ctx, &cloudformation.ListStackResourcesInput{StackName: &s.name})
	if err != nil {
		return false, err
	}
	sets, err := s.client().ListChangeSets(ctx, &cloudformation.ListChangeSetsInput{StackName: &s.name})
	if err != nil {
		return false, err
	}
	return len(held.StackResourceSummaries) == 0 && len(sets.Summaries) == 0, nil
}
