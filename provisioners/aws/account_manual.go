package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// personLimit is how long a run waits for a person in an account before it fails and frees the tenant for other requests.
const personLimit = 14 * 24 * time.Hour

// outTemplate is where the template lies that a person deploys, once it does.
const outTemplate = "template"

// manual waits until a person has deployed Slipway's roles where the stack set does not reach, from the very template that was planned.
func (p place) manual() provisioners.Step {
	return provisioners.Step{Title: fmt.Sprintf("Wait for the stack %s in account %s", models.ManualStack, p.part.Account), Find: func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		res, err := p.findManual(ctx, run)
		return res, judge(err, run.Waited, false)
	}, Stays: fmt.Sprintf("the stack %s stays in account %s until a person deletes it", models.ManualStack, p.part.Account)}
}

func (p place) findManual(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	id := p.part.Account
	if _, err := p.stillMember(ctx, run, id); err != nil {
		return absent, err
	}
	if want := p.property("/TemplateHash"); want != templateHash(p.clients.SetUp.Spoke) {
		return absent, provisioners.Mismatch{Words: fmt.Sprintf("the template of Slipway's roles is another version now than when account %s was planned", id)}
	}
	asks, err := p.manualStack(ctx, run)
	if err != nil {
		return absent, err
	}
	lacks, err := p.lacking(ctx, run, asks)
	if err != nil {
		return absent, err
	}
	if lacks == "" {
		return p.reached(), p.note(ctx, run, func(a *models.Account) { a.ByHand = true })
	}
	if run.Waited > personLimit {
		return absent, provisioners.Final{Failure: models.Failure{What: fmt.Sprintf("Slipway cannot get into account %s.", id), Owner: platform,
			Cause: fmt.Sprintf("It has waited %d days for the stack %s: %s.", int(personLimit.Hours()/24), models.ManualStack, lacks),
			Next:  p.trustedBy(ctx, run) + " Deploy the stack, then retry: the run goes on from this step."}}
	}
	if run.Attempt > 0 && run.Outputs[outTemplate] != asks.address { // planning only looks
		if err := p.clients.keepSpoke(ctx); err != nil {
			return absent, err
		}
	}
	return provisioners.Result{Found: provisioners.Working, Outputs: map[string]string{outTemplate: asks.address}, Waiting: &models.WaitingOn{For: "a person", Until: p.until(run), Link: asks.link(p.clients), Action: "Create the stack in AWS", Command: asks.command(),
		Words: fmt.Sprintf("a person to deploy the stack %s in account %s, from the template %s; %s. %s", models.ManualStack, id, asks.address, lacks, p.trustedBy(ctx, run))}}, nil
}

// until is when the run gives up on a person.
func (p place) until(run *provisioners.Run) time.Time {
	return p.clients.Clock.Now().Add(personLimit - run.Waited).Truncate(time.Hour)
}

// lacking says what keeps Slipway out of the account; empty when it is in, by the stack and the template that were asked for.
func (p place) lacking(ctx context.Context, run *provisioners.Run, asks manualStack) (string, error) {
	for _, role := range []string{"read", "deploy"} {
		p.clients.forget(p.clients.roleARN(p.part.Account, role))
	}
	if err := p.enter(ctx, run, p.part.Account); err != nil {
		return notYetIn(err)
	}
	api := cloudformation.NewFromConfig(p.clients.spoke(p.part.Account, p.clients.Region, "read", lookAtSpoke, workOf(run)))
	out, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: sdk.String(models.ManualStack)})
	if is(err, "ValidationError") && strings.Contains(err.Error(), "does not exist") {
		return fmt.Sprintf("its roles can be assumed, but they are not of a stack with that name in %s", p.clients.Region), nil
	}
	if err != nil {
		return "", err
	}
	st := out.Stacks[0]
	if st.StackStatus != cfn.StackStatusCreateComplete && st.StackStatus != cfn.StackStatusUpdateComplete {
		return fmt.Sprintf("it is %s", st.StackStatus), nil
	}
	if differs := asks.differs(st.Parameters, p.clients.ExternalID); differs != "" {
		return fmt.Sprintf("it was given another %s than this installation has: update it", differs), nil
	}
	body, err := api.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: sdk.String(models.ManualStack), TemplateStage: cfn.TemplateStageOriginal})
	if err != nil {
		return "", err
	}
	if !sameText(sdk.ToString(body.TemplateBody), string(p.clients.SetUp.Spoke)) {
		return "it was made from another template: update it with the one that is linked", nil
	}
	return "", nil
}

// notYetIn tells a refusal, which is what AWS answers as long as there is no role that trusts Slipway, from an answer that did not come.
func notYetIn(err error) (string, error) {
	var e *CallError
	if !errors.As(err, &e) || !e.meaning().fresh {
		return "", err
	}
	return "its roles cannot be assumed yet", nil
}

func sameText(a, b string) bool {
	clean := func(s string) string { return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n ") }
	return clean(a) == clean(b)
}

// trustedBy says what the trust policies of the spoke roles must ask for. AWS never says which condition was not met, nor whether a role
// is there at all, so a person has to compare.
func (p place) trustedBy(ctx context.Context, run *provisioners.Run) string {
	hub, err := p.clients.hubAccount(ctx)
	if err != nil {
		hub = "of the hub"
	}
	account, err := p.account(run)
	if err != nil {
		account = "of the tenant"
	}
	return fmt.Sprintf("The roles %s and %s must trust %s with sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity, for the external id of this installation (SLIPWAY_EXTERNAL_ID), "+
		"this organization (aws:PrincipalOrgID), the session tag %s = %s and any source identity; roles that another installation made trust another hub or another external id.",
		p.clients.roleARN(account, "read"), p.clients.roleARN(account, "deploy"), p.clients.roleARN(hub, "worker"), tagAccount, account)
}

// inTheWay explains an instance that failed because its roles are there already.
func inTheWay(reason string) string {
	if !strings.Contains(strings.ToLower(reason), "already exists") {
		return ""
	}
	return fmt.Sprintf("Roles of these names are in the account already: of another installation of Slipway, or of a stack %s that a person made. Delete that stack first. ", models.ManualStack)
}
