package awssim

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// The ways out of an operation that failed or is not wanted any more.

func continueUpdateRollback(ctx context.Context, c *Call, in *cfn.ContinueUpdateRollbackInput) (*cfn.ContinueUpdateRollbackOutput, error) {
	s, err := c.findStack(ctx, in.StackName, keys{"cloudformation:RoleArn": one(aws.ToString(in.RoleARN))})
	if err != nil {
		return nil, err
	}
	token := aws.ToString(in.ClientRequestToken)
	switch {
	case s.repeats("CONTINUE_ROLLBACK", token):
		return &cfn.ContinueUpdateRollbackOutput{}, nil
	case s.Status != "UPDATE_ROLLBACK_FAILED":
		return nil, invalid("Stack:%s is in %s state and can not continue rollback.", s.ID, s.Status)
	case aws.ToBool(in.ForceRollback) && len(in.ResourcesToSkip) > 0:
		return nil, invalid("ForceRollback and ResourcesToSkip cannot be specified at the same time.")
	}
	for _, id := range in.ResourcesToSkip {
		if !slices.Contains(s.Failed, id) {
			return nil, invalid("The following resource(s) [%s] cannot be skipped: only resources in the UPDATE_FAILED state can be.", id)
		}
	}
	s.SkipRestore = slices.Clone(in.ResourcesToSkip)
	if aws.ToBool(in.ForceRollback) {
		s.SkipRestore = slices.Clone(s.Failed)
	}
	if in.RoleARN != nil {
		if s.RunAs, err = c.serviceRole(ctx, *in.RoleARN, s.ID); err != nil {
			return nil, err
		}
		s.RoleARN = *in.RoleARN
	}
	return &cfn.ContinueUpdateRollbackOutput{}, c.rollBack(ctx, s, "CONTINUE_ROLLBACK", token)
}

// repeats says that a call was made before: its token is that of the last operation.
func (s *cfnStack) repeats(operation, token string) bool {
	return token != "" && s.Token == token && s.OperationType == operation
}

// rollbackStack takes a stack that was left as it failed back to where it was.
func rollbackStack(ctx context.Context, c *Call, in *cfn.RollbackStackInput) (*cfn.RollbackStackOutput, error) {
	s, err := c.findStack(ctx, in.StackName, keys{"cloudformation:RoleArn": one(aws.ToString(in.RoleARN))})
	if err != nil {
		return nil, err
	}
	token := aws.ToString(in.ClientRequestToken)
	if s.repeats("ROLLBACK", token) {
		return &cfn.RollbackStackOutput{StackId: &s.ID, OperationId: &s.Operation}, nil
	}
	switch s.Status {
	case "UPDATE_FAILED":
		err = c.rollBack(ctx, s, "ROLLBACK", token)
	case "CREATE_FAILED":
		s.RetainExceptOnCreate = s.RetainExceptOnCreate || aws.ToBool(in.RetainExceptOnCreate)
		s.newOperation("ROLLBACK", token)
		if err = c.turn(ctx, s, "ROLLBACK_IN_PROGRESS", "User Initiated", c.Now); err == nil {
			err = c.takeDown(ctx, s, "ROLLBACK_COMPLETE", true, c.Now)
		}
	default:
		err = invalid("Stack:%s is in %s state and can not be rolled back.", s.ID, s.Status)
	}
	if err != nil {
		return nil, err
	}
	return &cfn.RollbackStackOutput{StackId: &s.ID, OperationId: &s.Operation}, c.saveStack(ctx, s)
}

// rollBack undoes an update, whose new resources are known by s.Making.
func (c *Call) rollBack(ctx context.Context, s *cfnStack, kind, token string) error {
	s.Token = token
	if kind != s.OperationType {
		s.newOperation(kind, token)
	}
	if err := c.turn(ctx, s, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated", c.Now); err != nil {
		return err
	}
	if err := c.goBack(ctx, s, c.Now); err != nil {
		return err
	}
	return c.saveStack(ctx, s)
}

func cancelUpdateStack(ctx context.Context, c *Call, in *cfn.CancelUpdateStackInput) (*cfn.CancelUpdateStackOutput, error) {
	s, err := c.findStack(ctx, in.StackName, nil)
	if err != nil {
		return nil, err
	}
	if s.Status != "UPDATE_IN_PROGRESS" {
		return nil, invalid("CancelUpdateStack cannot be called from current stack status")
	}
	if _, err := c.Tx.Exec(ctx, `DELETE FROM stack_steps WHERE stack = $1`, s.ID); err != nil {
		return nil, fmt.Errorf("cancel the update of %s: %w", s.Name, err)
	}
	if _, err := c.cancelRunning(ctx, s, c.Now); err != nil {
		return nil, err
	}
	return &cfn.CancelUpdateStackOutput{}, c.rollBack(ctx, s, s.OperationType, aws.ToString(in.ClientRequestToken))
}
