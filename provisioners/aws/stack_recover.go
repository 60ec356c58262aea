package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// stageRecover continues a roll-back that stopped.
const stageRecover = "recover"

// planRecovery says which resources the roll-back tries again, and which it passes over.
func (o object) planRecovery(ctx context.Context, p provisioners.Planning, skip []string) (planned, error) {
	s := o.stackFor(askedBy(p))
	out := planned{part: o.part}
	st, err := s.describe(ctx)
	if err != nil {
		return out, err
	}
	if st == nil {
		return out, finalf("The stack %s of %s is not there any more.", "Delete the environment, then order it anew.", s.name, o.words())
	}
	if err := o.foreign(st); err != nil {
		return out, err
	}
	switch {
	case working(st.StackStatus):
		return out, provisioners.Wait{For: "AWS", Words: fmt.Sprintf("CloudFormation to end what it is doing with stack %s (%s)", s.name, st.StackStatus)}
	case st.StackStatus != cfn.StackStatusUpdateRollbackFailed:
		out.part.Changes = []models.Change{{Step: o.step(stepObjectStack), LogicalID: s.name, Type: "AWS::CloudFormation::Stack", Action: models.Exists,
			Note: fmt.Sprintf("The stack is %s: no roll-back has to be continued.", st.StackStatus)}}
		return out, nil
	}
	blocking, err := s.blocking(ctx)
	if err != nil {
		return out, err
	}
	for _, id := range skip {
		if !slices.ContainsFunc(blocking, func(r cfn.StackResourceSummary) bool { return sdk.ToString(r.LogicalResourceId) == id }) {
			return out, lacking("%s does not keep the roll-back from going on, so it cannot be passed over.", "Name only resources that are UPDATE_FAILED, then plan again.", clip(id, 80))
		}
	}
	out.part.Changes = append(out.part.Changes, models.Change{Step: o.step(stepObjectStack), LogicalID: s.name, Type: "AWS::CloudFormation::Stack", Action: models.Modify,
		Note: "Its roll-back is continued to where it was before the last change."})
	for _, r := range blocking {
		ch := models.Change{Step: o.step(stepObjectStack), LogicalID: sdk.ToString(r.LogicalResourceId), Type: sdk.ToString(r.ResourceType), Action: models.Modify,
			Note: "It is taken back again. It failed before: " + clip(sdk.ToString(r.ResourceStatusReason), 200)}
		if slices.Contains(skip, ch.LogicalID) {
			ch.Note = "It is passed over: it stays in the account as it is, and is not what the stack thinks it is until it is reverted."
		}
		out.part.Changes = append(out.part.Changes, ch)
	}
	return out, nil
}

// recovery begins the continuation, unless nothing has to be continued any more.
func (f following) recovery(ctx context.Context) (provisioners.Result, error) {
	switch status := f.st.StackStatus; status {
	case cfn.StackStatusUpdateRollbackFailed:
		newest, err := f.s.newestEvent(ctx, sdk.ToString(f.st.StackId))
		return f.next(stageRecover, map[string]string{outFrom: newest, outSeen: newest}), err
	case cfn.StackStatusUpdateRollbackComplete:
		return f.result(provisioners.Present, map[string]string{"stack": sdk.ToString(f.st.StackId)}), nil
	default:
		return absent, provisioners.Mismatch{Words: fmt.Sprintf("the stack of %s is %s now: no roll-back has to be continued", f.words(), status)}
	}
}

func (f following) continueRollback(ctx context.Context) error {
	var in models.EnvironmentInputs
	if err := json.Unmarshal(f.run.Plan.Content.Inputs, &in); err != nil {
		return fmt.Errorf("read the inputs of plan %s: %w", f.run.Plan.ID, err)
	}
	token := f.token()
	_, err := f.s.client().ContinueUpdateRollback(ctx, &cloudformation.ContinueUpdateRollbackInput{StackName: &f.s.name, ClientRequestToken: &token, ResourcesToSkip: in.Skip,
		RoleARN: sdk.String(f.clients.roleARN(f.s.account, "cfn-exec"))})
	return err
}
