package aws

import (
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// detach waits until a person has deleted the stack with Slipway's roles, so that the stack set can deliver its own. Slipway cannot do
// that: its only ways into the account are the roles in that very stack. CloudFormation deletes with the credentials of whoever asks, and
// those end with the first of the roles, so that the stack would be left half deleted; and neither slipway-deploy nor slipway-cfn-exec may
// touch the platform's roles, or a stack could give itself everything.
func (p place) detach() provisioners.Step {
	return provisioners.Step{Title: fmt.Sprintf("Wait until the stack %s in account %s is deleted", models.ManualStack, p.part.Account), Find: func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		res, err := p.findDetached(ctx, run)
		return res, judge(err, run.Waited, false)
	}, Stays: fmt.Sprintf("account %s stays without Slipway's roles until the stack %s is deployed there again", p.part.Account, models.ManualStack)}
}

func (p place) findDetached(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	id := p.part.Account
	if _, err := p.stillMember(ctx, run, id); err != nil {
		return absent, err
	}
	row, err := p.registry.BoundAccount(ctx, id)
	if err != nil {
		return absent, err
	}
	outputs := map[string]string{"row": row.ID, outUnseen: ""}
	gone, status, err := p.detached(ctx, run)
	switch {
	case err != nil:
		return absent, err
	case gone:
		return p.settled(run, outputs), nil
	case run.Waited > personLimit:
		return absent, provisioners.Final{Failure: models.Failure{What: fmt.Sprintf("The stack %s is still in account %s.", models.ManualStack, id), Owner: platform,
			Cause: fmt.Sprintf("Slipway has waited %d days for its deletion; it is %s.", int(personLimit.Hours()/24), status),
			Next:  "Delete it, then retry: the run goes on from this step."}}
	}
	return provisioners.Result{Found: provisioners.Working, Outputs: outputs, Waiting: &models.WaitingOn{For: "a person", Until: p.until(run),
		Command: []string{fmt.Sprintf("aws cloudformation delete-stack --region %s --stack-name %s", p.clients.Region, models.ManualStack)},
		Words: fmt.Sprintf("a person to delete the stack %s in account %s, with the account's own credentials; Slipway cannot, for its roles there are what the stack holds. It is %s",
			models.ManualStack, id, status)}}, nil
}

// outUnseen is since when Slipway cannot see the stack any more.
const outUnseen = "unseen"

// settled lets a moment pass: the roles go before the rest of the stack, and a single refusal may pass.
func (p place) settled(run *provisioners.Run, outputs map[string]string) provisioners.Result {
	now := p.clients.Clock.Wall()
	since, err := time.Parse(time.RFC3339Nano, run.Outputs[outUnseen])
	if err != nil {
		since = now
	}
	outputs[outUnseen] = since.Format(time.RFC3339Nano)
	if now.Sub(since) >= p.clients.FreshFor/15 {
		return provisioners.Result{Found: provisioners.Present, Outputs: outputs}
	}
	return provisioners.Result{Found: provisioners.Working, Outputs: outputs, Waiting: aws("CloudFormation to delete the rest of the stack " + models.ManualStack)}
}

// detached tells whether the stack is gone. Once its roles are, Slipway sees nothing of the account any more, which is what it waits for;
// should they only have lost their trust, the stack set cannot deliver its own, and says so.
func (p place) detached(ctx context.Context, run *provisioners.Run) (gone bool, status string, err error) {
	p.clients.forget(p.clients.roleARN(p.part.Account, "read"))
	api := cloudformation.NewFromConfig(p.clients.spoke(p.part.Account, p.clients.Region, "read", lookAtSpoke, workOf(run)))
	out, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: sdk.String(models.ManualStack)})
	switch {
	case is(err, "ValidationError") && strings.Contains(err.Error(), "does not exist"):
		return true, "", nil
	case err != nil:
		words, err := notYetIn(err)
		return words != "", "", err
	}
	st := out.Stacks[0].StackStatus
	return st == cfn.StackStatusDeleteComplete, string(st), nil
}
