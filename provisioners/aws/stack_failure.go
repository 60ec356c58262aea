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

// advice is who acts on a resource's failure and what to do, by what AWS says.
var advice = []struct {
	words       []string // any of them, in lower case
	types       []string // of the resource; empty: any
	owner, next string
}{
	{[]string{"not authorized", "access denied", "accessdenied", "explicit deny"}, nil, platform,
		"Allow it to slipway-cfn-exec (see deploy/aws), or look for a policy of the organization that denies it. "},
	{[]string{"limit exceeded", "limitexceeded", "quota", "maximum number", "too many"}, nil, platform, "Ask AWS for a higher limit in Service Quotas, or remove what is not needed any more. "},
	{[]string{"did not stabilize", "circuit breaker", "steady state", "notstabilized", "exceeded attempts to wait"}, []string{"AWS::ECS::Service"}, requester,
		"Look at the service's events and its log: the image does not start, or does not pass its health check. Correct it and deploy another image. "},
	{[]string{"already exists"}, nil, platform, "Something of that name is in the account already: find out whose it is and remove it. "},
	{[]string{"not empty"}, nil, requester, "Empty it, or let it be kept. "},
	{[]string{"dns", "validation"}, []string{"AWS::CertificateManager::Certificate"}, platform, "Look whether the zone of the account is delegated: the certificate's proof must be seen in it. "},
	{[]string{"capacity", "internal failure", "internalfailure", "service unavailable", "throttl", "rate exceeded"}, nil, byAWS, "Look at the AWS Health Dashboard. "},
}

// advise says who acts on a failed resource, and how.
func advise(typ, reason string) (owner, next string) {
	reason = strings.ToLower(reason)
	for _, a := range advice {
		if len(a.types) > 0 && !slices.Contains(a.types, typ) {
			continue
		}
		if slices.ContainsFunc(a.words, func(w string) bool { return strings.Contains(reason, w) }) {
			return a.owner, a.next
		}
	}
	return platform, "Read AWS's reason and cure it. "
}

// failure is why the stack is not as approved: the earliest failure of its own, AWS's reason, who acts, and how it goes on.
func (f following) failure(ctx context.Context) error {
	events, err := f.s.events(ctx, sdk.ToString(f.st.StackId), f.kept(outFrom))
	if err != nil {
		return err
	}
	failed := models.Failure{What: capital(f.words()) + " could not be changed; CloudFormation has taken back what it had changed.", Code: string(f.st.StackStatus), Owner: platform,
		Cause: clip(fmt.Sprintf("The stack is %s: %s", f.st.StackStatus, sdk.ToString(f.st.StackStatusReason)), 400)}
	rest, doing := "Then retry: the stack is as it was before, and the change is made anew.", "changed"
	if f.creating() {
		failed.What = capital(f.words()) + " could not be made; CloudFormation has rolled its stack back."
		rest, doing = "Then retry: Slipway removes what is left of the stack and makes it anew.", "made"
	}
	next := "Cure the cause. "
	if e := rootCause(events); e != nil {
		typ, reason := sdk.ToString(e.ResourceType), sdk.ToString(e.ResourceStatusReason)
		failed.What = fmt.Sprintf("%s (%s) of %s could not be %s.", sdk.ToString(e.LogicalResourceId), typ, f.words(), doing)
		failed.Cause, failed.Code = clip(reason, 400), string(e.ResourceStatus)
		failed.Owner, next = advise(typ, reason)
	}
	failed.Next = next + rest
	return provisioners.Final{Failure: failed}
}

// stuck is the failure of a roll-back that could not go on, with the resources that keep it from it.
func (f following) stuck(ctx context.Context) error {
	blocking, err := f.s.blocking(ctx)
	if err != nil {
		return err
	}
	return provisioners.Final{Failure: stuck(f.object, blocking)}
}

func stuck(o object, blocking []cfn.StackResourceSummary) models.Failure {
	failed := models.Failure{What: fmt.Sprintf("CloudFormation could not take back a failed change of %s.", o.words()), Code: string(cfn.StackStatusUpdateRollbackFailed), Owner: platform,
		Cause: "The stack is UPDATE_ROLLBACK_FAILED: nothing can be changed in it until its roll-back has come to an end.",
		Next:  "Cure what keeps it, then order Recover on the environment's page. There the resources can be named that the roll-back passes over."}
	if o.typ != models.EnvironmentObject {
		failed.Next = "Cure what keeps it, then continue the stack's roll-back in the CloudFormation console."
	}
	var said []string
	for _, r := range blocking {
		said = append(said, fmt.Sprintf("%s (%s): %s", sdk.ToString(r.LogicalResourceId), sdk.ToString(r.ResourceType), clip(strings.TrimRight(sdk.ToString(r.ResourceStatusReason), ". "), 200)))
	}
	if len(said) > 5 {
		said = append(said[:5], fmt.Sprintf("and %d more", len(said)-5))
	}
	if len(said) > 0 {
		failed.Cause = strings.Join(said, "; ") + "."
	}
	return failed
}

// blocking are the resources that a roll-back could not restore.
func (s stack) blocking(ctx context.Context) ([]cfn.StackResourceSummary, error) {
	all, err := s.resources(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(r cfn.StackResourceSummary) bool { return r.ResourceStatus != cfn.ResourceStatusUpdateFailed }), nil
}

// resources are all of a stack's, in the order of their logical ids. A stack has at most 500 of them.
func (s stack) resources(ctx context.Context) ([]cfn.StackResourceSummary, error) {
	var all []cfn.StackResourceSummary
	var next *string
	for range 20 {
		out, err := s.client().ListStackResources(ctx, &cloudformation.ListStackResourcesInput{StackName: &s.name, NextToken: next})
		if err != nil {
			return nil, err
		}
		all = append(all, out.StackResourceSummaries...)
		if next = out.NextToken; next == nil {
			break
		}
	}
	slices.SortFunc(all, func(a, b cfn.StackResourceSummary) int {
		return strings.Compare(sdk.ToString(a.LogicalResourceId), sdk.ToString(b.LogicalResourceId))
	})
	return all, nil
}

// newestEvent is the id of what the stack did last.
func (s stack) newestEvent(ctx context.Context, stackID string) (string, error) {
	out, err := s.client().DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &stackID})
	if err != nil || len(out.StackEvents) == 0 {
		return "", err
	}
	return sdk.ToString(out.StackEvents[0].EventId), nil
}
