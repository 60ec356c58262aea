package aws

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
)

// lookTime is how long a page waits for AWS; what has not come by then is shown as unseen.
const lookTime = 3 * time.Second

// pageJob is in the session's name of what pages read.
const pageJob = "page"

// unseen turns what kept a page from seeing something into words for that place of the page; nothing of it fails the page.
func unseen(what string, err error) error {
	if err == nil {
		return nil
	}
	why := "AWS did not answer in time. Load the page again."
	var e *CallError
	if errors.As(err, &e) && e.Code != "" {
		f := e.Describe()
		why = f.What + " " + f.Next
		if m := e.meaning(); m.fresh {
			why = fmt.Sprintf("%s Allow %s to %s (see deploy/aws).", f.What, e.action(), e.role())
		}
	}
	return models.Wrap(models.Unavailable, err, "%s %s", what, why)
}

// StackNow is how CloudFormation says that a stack stands right now; status is empty when there is none. A page that cannot see it gets
// an error of kind Unavailable that says in words why.
func (c *Clients) StackNow(ctx context.Context, s models.Stack) (status, reason string, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	st, err := c.readStack(ctx, s, who{job: pageJob})
	if err != nil || st == nil {
		return "", "", unseen("Slipway cannot see how stack "+s.Name+" stands.", err)
	}
	return string(st.StackStatus), clip(sdk.ToString(st.StackStatusReason), 400), nil
}

// readStack reads a stack with the role that can change nothing; nil when there is none.
func (c *Clients) readStack(ctx context.Context, s models.Stack, w who) (*cfn.Stack, error) {
	out, err := c.reader(s.Account, s.Region, s.Name, w).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &s.Name})
	if noStack(err) {
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

// reader looks at one stack. Exports and who imports them have no ARN of their own.
func (c *Clients) reader(account, region, stack string, w who) *cloudformation.Client {
	return cloudformation.NewFromConfig(c.spoke(account, region, "read", policy(
		statement{Action: []string{"cloudformation:Describe*", "cloudformation:GetTemplate", "cloudformation:ListStackResources"},
			Resource: []string{fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/*", c.partition, region, account, stack)}},
		statement{Action: []string{"cloudformation:ListImports"}}), w))
}
