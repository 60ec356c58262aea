package aws

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

func (p place) pollBaseline(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	s, err := p.stack(run)
	if err != nil {
		return absent, err
	}
	st, err := s.describe(ctx)
	if err != nil {
		return absent, err
	}
	onward := provisioners.Result{Found: provisioners.Onward}
	switch stage := run.Outputs["stage"]; {
	case stage == stageClear && st == nil:
		return onward, nil
	case stage == stageClear:
		return clearing(s, st, "what the failed baseline left")
	case st == nil:
		return absent, nil
	case st.StackStatus == cfn.StackStatusReviewInProgress:
		set, err := s.changeSet(ctx, changeSetName(run))
		if err != nil || set == nil {
			return absent, err
		}
		if waitsFor := set.Status == cfn.ChangeSetStatusCreatePending || set.Status == cfn.ChangeSetStatusCreateInProgress || set.ExecutionStatus == cfn.ExecutionStatusExecuteInProgress; waitsFor {
			return provisioners.Result{Found: provisioners.Working, Waiting: aws("CloudFormation to work out the change set")}, nil
		}
		return onward, nil
	}
	return p.following(ctx, run, s, st)
}

func aws(words string) *models.WaitingOn { return &models.WaitingOn{For: "AWS", Words: words} }

// clearing waits until a stack is gone.
func clearing(s stack, st *cfn.Stack, what string) (provisioners.Result, error) {
	if st.StackStatus == cfn.StackStatusDeleteFailed {
		return absent, provisioners.Final{Failure: models.Failure{What: fmt.Sprintf("What is left of stack %s cannot be deleted.", s.name), Cause: sdk.ToString(st.StackStatusReason),
			Code: string(st.StackStatus), Owner: platform, Next: "Look at the stack's events, remove what holds it, then retry."}}
	}
	return provisioners.Result{Found: provisioners.Working, Waiting: aws("CloudFormation to remove " + what)}, nil
}

// following writes the stack's new events into the run's log until it is complete, or has failed.
func (p place) following(ctx context.Context, run *provisioners.Run, s stack, st *cfn.Stack) (provisioners.Result, error) {
	news, err := s.events(ctx, sdk.ToString(st.StackId), run.Outputs["seen"])
	if err != nil {
		return absent, err
	}
	res := provisioners.Result{Found: provisioners.Working, Events: lines(news), Outputs: map[string]string{}, Waiting: aws("CloudFormation to make the stack")}
	if len(news) > 0 {
		res.Outputs["seen"] = sdk.ToString(news[len(news)-1].EventId)
	}
	switch status := st.StackStatus; {
	case status == cfn.StackStatusRollbackInProgress:
		res.Waiting = aws("CloudFormation to roll the stack back")
	case strings.HasSuffix(string(status), "_IN_PROGRESS"):
	case status == cfn.StackStatusRollbackComplete, status == cfn.StackStatusRollbackFailed, status == cfn.StackStatusCreateFailed, status == cfn.StackStatusDeleteFailed:
		return p.rolledBack(ctx, run, s, st)
	default:
		return p.complete(ctx, run, s, st, &res)
	}
	return res, nil
}

func (p place) rolledBack(ctx context.Context, run *provisioners.Run, s stack, st *cfn.Stack) (provisioners.Result, error) {
	if err := p.registry.EndedChangeSet(ctx, p.ownerRow(run, s), "failed"); err != nil {
		return absent, err
	}
	return absent, s.failed(ctx, st)
}

// complete records the stack that is there, and what AWS says of the account by now.
func (p place) complete(ctx context.Context, run *provisioners.Run, s stack, st *cfn.Stack, res *provisioners.Result) (provisioners.Result, error) {
	if res == nil {
		res = &provisioners.Result{Outputs: map[string]string{}}
	}
	if run.Outputs["compared"] != "" {
		if err := p.registry.EndedChangeSet(ctx, p.ownerRow(run, s), "executed"); err != nil {
			return absent, err
		}
	}
	if err := p.registry.SaveAccount(ctx, actorOf(run), p.row(run), func(a *models.Account) { a.BaselineAt = p.clients.Clock.Wall() }); err != nil {
		return absent, err
	}
	a, err := p.registry.Account(ctx, p.row(run))
	if err != nil {
		return absent, err
	}
	if err := p.clients.Refresh(ctx, p.registry, a, run.StartedBy); err != nil {
		return absent, err
	}
	res.Found, res.Waiting = provisioners.Present, nil
	res.Outputs["stack"] = sdk.ToString(st.StackId)
	for i, o := range st.Outputs {
		if i < 20 {
			res.Outputs["output."+sdk.ToString(o.OutputKey)] = sdk.ToString(o.OutputValue)
		}
	}
	return *res, nil
}

// undoBaseline deletes the stack. What the template retains stays.
func (p place) undoBaseline(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	s, err := p.stack(run)
	if err != nil {
		return absent, err
	}
	st, err := s.describe(ctx)
	if err != nil {
		return absent, err
	}
	switch {
	case st == nil:
		return present, p.registry.SaveAccount(ctx, actorOf(run), p.row(run), func(a *models.Account) { a.BaselineAt = time.Time{} })
	case tagOf(st.Tags, tagTenant) != p.slug && st.StackStatus != cfn.StackStatusReviewInProgress:
		return present, nil // another's, not ours to delete
	case st.StackStatus == cfn.StackStatusDeleteFailed && run.Outputs["deleting"] != "":
		return clearing(s, st, "what the failed baseline left")
	case st.StackStatus == cfn.StackStatusDeleteInProgress:
		return provisioners.Result{Found: provisioners.Working, Waiting: aws("CloudFormation to delete the stack")}, nil
	case strings.HasSuffix(string(st.StackStatus), "_IN_PROGRESS") && st.StackStatus != cfn.StackStatusReviewInProgress:
		return provisioners.Result{Found: provisioners.Working, Waiting: aws("CloudFormation to end what it is doing with the stack")}, nil
	}
	err = s.as("", true).remove(ctx, st.StackId, changeSetName(run)+"-undo"+strconv.Itoa(run.Attempt))
	return provisioners.Result{Found: provisioners.Working, Outputs: map[string]string{"deleting": "yes"}, Waiting: aws("CloudFormation to delete the stack")}, err
}
