package awssim

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
	"github.com/jackc/pgx/v5"
)

func (c *Call) statusesOf(ctx context.Context, instance *string, verb string, filter *ssotypes.OperationStatusFilter, token *string, size *int32) ([]ssotypes.AccountAssignmentOperationStatusMetadata, *string, error) {
	if err := c.instanceCall(ctx, instance); err != nil {
		return nil, nil, err
	}
	status := ""
	if filter != nil {
		status = string(filter.Status)
	}
	all, err := c.assignmentRequests(ctx, `verb = $1 AND $2 IN ('', status)`, verb, status)
	if err != nil {
		return nil, nil, err
	}
	out := make([]ssotypes.AccountAssignmentOperationStatusMetadata, 0, len(all))
	for _, r := range all {
		out = append(out, ssotypes.AccountAssignmentOperationStatusMetadata{RequestId: &r.ID, Status: ssotypes.StatusValues(r.Status), CreatedDate: &r.AskedAt})
	}
	return page(out, token, size, 100)
}

func listAssignmentCreations(ctx context.Context, c *Call, in *ssoadmin.ListAccountAssignmentCreationStatusInput) (*ssoadmin.ListAccountAssignmentCreationStatusOutput, error) {
	all, next, err := c.statusesOf(ctx, in.InstanceArn, "create", in.Filter, in.NextToken, in.MaxResults)
	return &ssoadmin.ListAccountAssignmentCreationStatusOutput{AccountAssignmentsCreationStatus: all, NextToken: next}, err
}

func listAssignmentDeletions(ctx context.Context, c *Call, in *ssoadmin.ListAccountAssignmentDeletionStatusInput) (*ssoadmin.ListAccountAssignmentDeletionStatusOutput, error) {
	all, next, err := c.statusesOf(ctx, in.InstanceArn, "delete", in.Filter, in.NextToken, in.MaxResults)
	return &ssoadmin.ListAccountAssignmentDeletionStatusOutput{AccountAssignmentsDeletionStatus: all, NextToken: next}, err
}

// assignment is who may do what in which account.
type assignment struct {
	Account, PermissionSet, Principal, PrincipalType string
	Since                                            time.Time
}

func (c *Call) assignments(ctx context.Context, where string, args ...any) ([]assignment, error) {
	rows, err := c.Tx.Query(ctx, `SELECT account, permission_set, principal, principal_type, since FROM account_assignments WHERE `+where+` ORDER BY account, permission_set, principal`, args...)
	if err != nil {
		return nil, fmt.Errorf("read assignments: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[assignment])
	if err != nil {
		return nil, fmt.Errorf("read assignments: %w", err)
	}
	return all, nil
}

func listAssignments(ctx context.Context, c *Call, in *ssoadmin.ListAccountAssignmentsInput) (*ssoadmin.ListAccountAssignmentsOutput, error) {
	account, set := aws.ToString(in.AccountId), aws.ToString(in.PermissionSetArn)
	if err := c.instanceCall(ctx, in.InstanceArn, set, targetARN(account)); err != nil {
		return nil, err
	}
	if _, err := c.permissionSet(ctx, set); err != nil {
		return nil, err
	}
	all, err := c.assignments(ctx, `account = $1 AND permission_set = $2`, account, set)
	if err != nil {
		return nil, err
	}
	out := make([]ssotypes.AccountAssignment, 0, len(all))
	for _, a := range all {
		out = append(out, ssotypes.AccountAssignment{AccountId: &a.Account, PermissionSetArn: &a.PermissionSet, PrincipalId: &a.Principal, PrincipalType: ssotypes.PrincipalType(a.PrincipalType)})
	}
	out, next, err := page(out, in.NextToken, in.MaxResults, 100)
	return &ssoadmin.ListAccountAssignmentsOutput{AccountAssignments: out, NextToken: next}, err
}

func listAssignmentsOf(ctx context.Context, c *Call, in *ssoadmin.ListAccountAssignmentsForPrincipalInput) (*ssoadmin.ListAccountAssignmentsForPrincipalOutput, error) {
	if err := c.instanceCall(ctx, in.InstanceArn); err != nil {
		return nil, err
	}
	account := ""
	if in.Filter != nil {
		account = aws.ToString(in.Filter.AccountId)
	}
	all, err := c.assignments(ctx, `principal = $1 AND principal_type = $2 AND $3 IN ('', account)`, aws.ToString(in.PrincipalId), string(in.PrincipalType), account)
	if err != nil {
		return nil, err
	}
	out := make([]ssotypes.AccountAssignmentForPrincipal, 0, len(all))
	for _, a := range all {
		out = append(out, ssotypes.AccountAssignmentForPrincipal{AccountId: &a.Account, PermissionSetArn: &a.PermissionSet, PrincipalId: &a.Principal, PrincipalType: ssotypes.PrincipalType(a.PrincipalType)})
	}
	out, next, err := page(out, in.NextToken, in.MaxResults, 100)
	return &ssoadmin.ListAccountAssignmentsForPrincipalOutput{AccountAssignments: out, NextToken: next}, err
}
