package awssim

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func listStackSetOperations(ctx context.Context, c *Call, in *cfn.ListStackSetOperationsInput) (*cfn.ListStackSetOperationsOutput, error) {
	set, err := c.findSet(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	all, err := c.setOperations(ctx, `stack_set = $1`, set.ID)
	if err != nil {
		return nil, err
	}
	some, next, err := page(all, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	out := &cfn.ListStackSetOperationsOutput{NextToken: next}
	for _, o := range some {
		out.Summaries = append(out.Summaries, cfntypes.StackSetOperationSummary{OperationId: &o.ID, Action: cfntypes.StackSetOperationAction(o.Action), Status: cfntypes.StackSetOperationStatus(o.Status),
			CreationTimestamp: &o.Created, EndTimestamp: o.Ended, StatusReason: optional(o.Reason), StatusDetails: &cfntypes.StackSetOperationStatusDetails{FailedStackInstancesCount: aws.Int32(int32(o.Failed))}})
	}
	return out, nil
}

func describeStackSetOperation(ctx context.Context, c *Call, in *cfn.DescribeStackSetOperationInput) (*cfn.DescribeStackSetOperationOutput, error) {
	set, err := c.findSet(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	all, err := c.setOperations(ctx, `stack_set = $1 AND id = $2`, set.ID, aws.ToString(in.OperationId))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, refuse(http.StatusNotFound, "OperationNotFoundException", "Operation %s not found", aws.ToString(in.OperationId))
	}
	o := all[0]
	return &cfn.DescribeStackSetOperationOutput{StackSetOperation: &cfntypes.StackSetOperation{OperationId: &o.ID, StackSetId: &set.ID, Action: cfntypes.StackSetOperationAction(o.Action),
		Status: cfntypes.StackSetOperationStatus(o.Status), CreationTimestamp: &o.Created, EndTimestamp: o.Ended, RetainStacks: &o.Retain, StatusReason: optional(o.Reason),
		DeploymentTargets: &cfntypes.DeploymentTargets{OrganizationalUnitIds: o.Units, Accounts: o.Accounts},
		StatusDetails:     &cfntypes.StackSetOperationStatusDetails{FailedStackInstancesCount: aws.Int32(int32(o.Failed))}}}, nil
}
