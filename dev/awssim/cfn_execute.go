package awssim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// ofChangeSet finds a change set by its id, or by its name and its stack.
func (c *Call) ofChangeSet(ctx context.Context, name, stack *string) (*cfnStack, *cfnChangeSet, error) {
	given := aws.ToString(name)
	if given == "" {
		return nil, nil, invalid("1 validation error detected: Value null at 'changeSetName' failed to satisfy constraint: Member must not be null")
	}
	if stack == nil {
		if !strings.HasPrefix(given, "arn:") {
			return nil, nil, invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
		}
		var id string
		err := c.Tx.QueryRow(ctx, `SELECT stack FROM change_sets WHERE id = $1`, given).Scan(&id)
		if isNoRows(err) {
			if err := c.may(ctx, given, nil); err != nil {
				return nil, nil, err
			}
			return nil, nil, notFoundChangeSet(given)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("find change set %s: %w", given, err)
		}
		stack = &id
	}
	s, err := c.findStack(ctx, stack, keys{"cloudformation:ChangeSetName": one(given)})
	if err != nil {
		return nil, nil, err
	}
	cs, err := c.changeSet(ctx, s, given)
	if err != nil {
		return nil, nil, err
	}
	if cs == nil {
		return nil, nil, notFoundChangeSet(given)
	}
	return s, cs, nil
}

func executeChangeSet(ctx context.Context, c *Call, in *cfn.ExecuteChangeSetInput) (*cfn.ExecuteChangeSetOutput, error) {
	s, cs, err := c.ofChangeSet(ctx, in.ChangeSetName, in.StackName)
	if err != nil {
		return nil, err
	}
	token := aws.ToString(in.ClientRequestToken)
	status, execution, _ := cs.shown(c.Now)
	if execution != "AVAILABLE" {
		if token != "" && s.Token == token && s.ChangeSet == cs.ID { // a repeated call
			return &cfn.ExecuteChangeSetOutput{}, nil
		}
		return nil, refuse(http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet [%s] cannot be executed in its current status of [%s] and execution status of [%s]", cs.ID, status, execution)
	}
	if err := s.busy(); err != nil {
		return nil, err
	}
	if in.DisableRollback != nil && cs.OnFailure != "" {
		return nil, invalid("OnStackFailure of the change set and DisableRollback cannot be specified at the same time.")
	}
	s.DisableRollback, s.RetainExceptOnCreate = aws.ToBool(in.DisableRollback), aws.ToBool(in.RetainExceptOnCreate)
	if err := c.others(ctx, cs); err != nil {
		return nil, err
	}
	return &cfn.ExecuteChangeSetOutput{}, c.execute(ctx, s, cs, token)
}

// others become obsolete when one change set is carried out.
func (c *Call) others(ctx context.Context, cs *cfnChangeSet) error {
	_, err := c.Tx.Exec(ctx, `UPDATE change_sets SET body = jsonb_set(body, '{Execution}', '"OBSOLETE"') WHERE stack = $1 AND id <> $2 AND body->>'Execution' = 'AVAILABLE'`, cs.Stack, cs.ID)
	if err != nil {
		return fmt.Errorf("retire change sets of %s: %w", cs.StackName, err)
	}
	return nil
}

// execute begins the operation of a change set.
func (c *Call) execute(ctx context.Context, s *cfnStack, cs *cfnChangeSet, token string) error {
	cs.Execution = "EXECUTE_IN_PROGRESS"
	if err := c.saveChangeSet(ctx, cs); err != nil {
		return err
	}
	s.ChangeSet, s.RoleARN, s.RunAs, s.OnFailure = cs.ID, cs.RoleARN, cs.RunAs, cs.OnFailure
	return c.launch(ctx, s, cs.Definition, cs.Type, token, cs.Mode == revertDrift)
}

// launch makes a stack what a definition says: verb is CREATE or UPDATE. revert takes back
// what was changed by hand.
func (c *Call) launch(ctx context.Context, s *cfnStack, d cfnDefinition, verb, token string, revert bool) error {
	s.newOperation(verb+"_STACK", token)
	s.Making = s.Operation
	all, err := c.resources(ctx, s.ID)
	if err != nil {
		return err
	}
	next := d.clone()
	have := byID(all)
	if revert {
		if have, err = c.actual(ctx, s, have); err != nil {
			return err
		}
	}
	work, outputs, err := c.work(s, next, have)
	if err != nil {
		return invalid("%s", capital(err.Error()))
	}
	next.Outputs = outputs
	s.Next = &next
	t, err := parsed(d.Template)
	if err != nil {
		return err
	}
	s.Description = t.Description
	reason := "User Initiated"
	if verb == "CREATE" {
		s.Definition = cfnDefinition{Template: d.Template, Parameters: d.Parameters, Tags: d.Tags, Capabilities: d.Capabilities}
	} else {
		at := c.Now
		s.Updated = &at
	}
	at := c.Now
	if s.Instant {
		at = s.Created
	}
	if err := c.turn(ctx, s, verb+"_IN_PROGRESS", reason, at); err != nil {
		return err
	}
	for i, p := range work {
		work[i].revert = revert
		if old := have[p.res.ID]; p.change == "Keep" && !slices.Equal(old.Depends, p.res.Depends) {
			if err := c.saveResource(ctx, s, p.res); err != nil {
				return err
			}
		}
	}
	if err := c.begin(ctx, s, work, verb, at); err != nil {
		return err
	}
	return c.saveStack(ctx, s)
}

func deleteStack(ctx context.Context, c *Call, in *cfn.DeleteStackInput) (*cfn.DeleteStackOutput, error) {
	s, err := c.findStack(ctx, in.StackName, keys{"cloudformation:RoleArn": one(aws.ToString(in.RoleARN))})
	if isAbsent(err) {
		return &cfn.DeleteStackOutput{}, nil // AWS does not mind
	}
	if err != nil {
		return nil, err
	}
	token := aws.ToString(in.ClientRequestToken)
	switch {
	case s.Status == deleted, s.Status == "DELETE_IN_PROGRESS":
		return &cfn.DeleteStackOutput{}, nil
	case s.Protected:
		return nil, invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", s.Name)
	case strings.HasSuffix(s.Status, "_IN_PROGRESS") && s.Status != "REVIEW_IN_PROGRESS" && s.Status != "CREATE_IN_PROGRESS":
		return nil, invalid("Stack [%s] cannot be deleted while in status %s", s.Name, s.Status)
	case in.DeletionMode == cfntypes.DeletionModeForceDeleteStack && s.Status != "DELETE_FAILED":
		return nil, invalid("Invalid operation on stack [%s]. The deletion mode FORCE_DELETE_STACK is only for a stack in the DELETE_FAILED state.", s.ID)
	case len(in.RetainResources) > 0 && s.Status != "DELETE_FAILED":
		return nil, invalid("Invalid operation on stack [%s]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state.", s.ID)
	}
	if in.RoleARN != nil {
		if s.RunAs, err = c.serviceRole(ctx, *in.RoleARN, s.ID); err != nil {
			return nil, err
		}
		s.RoleARN = *in.RoleARN
	}
	s.SkipDelete = slices.Clone(in.RetainResources)
	s.ForceDelete = in.DeletionMode == cfntypes.DeletionModeForceDeleteStack
	return &cfn.DeleteStackOutput{}, c.destroy(ctx, s, token)
}

// isAbsent says that a stack does not exist, in CloudFormation's one way of saying so.
func isAbsent(err error) bool {
	e, ok := err.(*APIError)
	return ok && e.Code == "ValidationError" && strings.HasSuffix(e.Message, "does not exist")
}

// destroy begins the deletion of a stack.
func (c *Call) destroy(ctx context.Context, s *cfnStack, token string) error {
	if _, err := c.Tx.Exec(ctx, `DELETE FROM stack_steps WHERE stack = $1`, s.ID); err != nil {
		return fmt.Errorf("drop the steps of %s: %w", s.Name, err)
	}
	if _, err := c.cancelRunning(ctx, s, c.Now); err != nil {
		return err
	}
	s.newOperation("DELETE_STACK", token)
	if err := c.turn(ctx, s, "DELETE_IN_PROGRESS", "User Initiated", c.Now); err != nil {
		return err
	}
	if err := c.takeDown(ctx, s, deleted, false, c.Now); err != nil {
		return err
	}
	return c.saveStack(ctx, s)
}

func updateTerminationProtection(ctx context.Context, c *Call, in *cfn.UpdateTerminationProtectionInput) (*cfn.UpdateTerminationProtectionOutput, error) {
	s, err := c.findStack(ctx, in.StackName, nil)
	if err != nil {
		return nil, err
	}
	if s.Status == deleted || s.Status == "DELETE_IN_PROGRESS" {
		return nil, invalid("Stack [%s] is in %s state", s.Name, s.Status)
	}
	s.Protected = aws.ToBool(in.EnableTerminationProtection)
	return &cfn.UpdateTerminationProtectionOutput{StackId: &s.ID}, c.saveStack(ctx, s)
}
