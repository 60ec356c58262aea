package awssim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
	"github.com/jackc/pgx/v5"
)

// assignTakes is how long an assignment takes, from the call to its terminal state.
const assignTakes = 20 * time.Second

// assignmentRequest is one thing that was asked for, and what became of it.
type assignmentRequest struct {
	ID, Verb, Account, PermissionSet, Principal, PrincipalType, Status, Reason string
	AskedAt, DueAt                                                             time.Time
}

const assignmentRequestColumns = `id, verb, account, permission_set, principal, principal_type, status, reason, asked_at, due_at`

func (r assignmentRequest) status() *ssotypes.AccountAssignmentOperationStatus {
	out := &ssotypes.AccountAssignmentOperationStatus{RequestId: &r.ID, Status: ssotypes.StatusValues(r.Status), CreatedDate: &r.AskedAt, PermissionSetArn: &r.PermissionSet,
		PrincipalId: &r.Principal, PrincipalType: ssotypes.PrincipalType(r.PrincipalType), TargetId: &r.Account, TargetType: ssotypes.TargetTypeAwsAccount}
	if r.Reason != "" {
		out.FailureReason = &r.Reason
	}
	return out
}

func (c *Call) assignmentRequests(ctx context.Context, where string, args ...any) ([]assignmentRequest, error) {
	rows, err := c.Tx.Query(ctx, `SELECT `+assignmentRequestColumns+` FROM assignment_requests WHERE `+where+` ORDER BY asked_at DESC, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read assignment requests: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[assignmentRequest])
	if err != nil {
		return nil, fmt.Errorf("read assignment requests: %w", err)
	}
	return all, nil
}

// askAssignment takes a request to make or remove an assignment. What the group is found out only later, as AWS does.
func (c *Call) askAssignment(ctx context.Context, instance *string, r assignmentRequest) (*ssotypes.AccountAssignmentOperationStatus, error) {
	if err := c.instanceCall(ctx, instance, r.PermissionSet, targetARN(r.Account)); err != nil {
		return nil, err
	}
	if _, err := c.permissionSet(ctx, r.PermissionSet); err != nil {
		return nil, err
	}
	a, ok, err := c.account(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	if !ok || r.Verb == "create" && a.State != "ACTIVE" {
		return nil, notThere("AWS account %s not found", r.Account)
	}
	open, err := c.assignmentRequests(ctx, `status = 'IN_PROGRESS' AND account = $1 AND permission_set = $2 AND principal = $3`, r.Account, r.PermissionSet, r.Principal)
	if err != nil {
		return nil, err
	}
	if len(open) > 0 {
		return nil, refuse(http.StatusBadRequest, "ConflictException", "Request %s for the same assignment is still in progress.", open[0].ID)
	}
	r.ID, r.Status, r.AskedAt, r.DueAt = newRequestID(), "IN_PROGRESS", c.Now, c.Now.Add(c.Sim.scaled(assignTakes))
	if _, err := c.Tx.Exec(ctx, `INSERT INTO assignment_requests (`+assignmentRequestColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.ID, r.Verb, r.Account, r.PermissionSet, r.Principal, r.PrincipalType, r.Status, r.Reason, r.AskedAt, r.DueAt); err != nil {
		return nil, fmt.Errorf("store assignment request: %w", err)
	}
	return r.status(), nil
}

func createAssignment(ctx context.Context, c *Call, in *ssoadmin.CreateAccountAssignmentInput) (*ssoadmin.CreateAccountAssignmentOutput, error) {
	s, err := c.askAssignment(ctx, in.InstanceArn, assignmentRequest{Verb: "create", Account: aws.ToString(in.TargetId), PermissionSet: aws.ToString(in.PermissionSetArn),
		Principal: aws.ToString(in.PrincipalId), PrincipalType: string(in.PrincipalType)})
	return &ssoadmin.CreateAccountAssignmentOutput{AccountAssignmentCreationStatus: s}, err
}

func deleteAssignment(ctx context.Context, c *Call, in *ssoadmin.DeleteAccountAssignmentInput) (*ssoadmin.DeleteAccountAssignmentOutput, error) {
	s, err := c.askAssignment(ctx, in.InstanceArn, assignmentRequest{Verb: "delete", Account: aws.ToString(in.TargetId), PermissionSet: aws.ToString(in.PermissionSetArn),
		Principal: aws.ToString(in.PrincipalId), PrincipalType: string(in.PrincipalType)})
	return &ssoadmin.DeleteAccountAssignmentOutput{AccountAssignmentDeletionStatus: s}, err
}

// finishAssignments is the ticker of assignments.
func finishAssignments(ctx context.Context, c *Call) error {
	due, err := c.assignmentRequests(ctx, `status = 'IN_PROGRESS' AND due_at <= $1`, c.Now)
	if err != nil {
		return err
	}
	for _, r := range due {
		if r.Reason, err = c.assign(ctx, r); err != nil {
			return fmt.Errorf("finish assignment request %s: %w", r.ID, err)
		}
		if r.Status = "SUCCEEDED"; r.Reason != "" {
			r.Status = "FAILED"
		}
		if _, err := c.Tx.Exec(ctx, `UPDATE assignment_requests SET status = $2, reason = $3 WHERE id = $1`, r.ID, r.Status, r.Reason); err != nil {
			return fmt.Errorf("finish assignment request %s: %w", r.ID, err)
		}
	}
	return nil
}

// assign makes or removes what was asked for; the reason is why not. A create_failed or delete_failed rule for the logical id
// CreateAccountAssignment or DeleteAccountAssignment names one; its match is looked for in account and permission set.
func (c *Call) assign(ctx context.Context, r assignmentRequest) (reason string, err error) {
	id, action := "CreateAccountAssignment", createFailed
	if r.Verb == "delete" {
		id, action = "DeleteAccountAssignment", deleteFailed
	}
	reason, failed, err := c.fault(ctx, demoManagement, r.Account+" "+r.PermissionSet, id, action)
	if err != nil || failed {
		return reason, err
	}
	if r.Verb == "delete" {
		tag, err := c.Tx.Exec(ctx, `DELETE FROM account_assignments WHERE account = $1 AND permission_set = $2 AND principal = $3 AND principal_type = $4`,
			r.Account, r.PermissionSet, r.Principal, r.PrincipalType)
		if err == nil && tag.RowsAffected() == 0 {
			return "Received a 404 status error: EntitlementItem doesn't exist with the given entitlement key.", nil
		}
		return "", err
	}
	known, err := c.groupByID(ctx, r.Principal)
	if err != nil {
		return "", err
	}
	if known.ID == "" || r.PrincipalType != string(ssotypes.PrincipalTypeGroup) {
		return fmt.Sprintf("Received a 404 status error: the %s assignee %s was not found in directory %s.", r.PrincipalType, r.Principal, demoStore), nil
	}
	if _, err := c.permissionSet(ctx, r.PermissionSet); err != nil {
		var refused *APIError
		if errors.As(err, &refused) {
			return "Received a 404 status error: " + refused.Message, nil
		}
		return "", err
	}
	_, err = c.Tx.Exec(ctx, `INSERT INTO account_assignments (account, permission_set, principal, principal_type, since) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		r.Account, r.PermissionSet, r.Principal, r.PrincipalType, r.DueAt)
	return "", err
}

func (c *Call) oneAssignmentRequest(ctx context.Context, instance *string, verb string, id *string) (*ssotypes.AccountAssignmentOperationStatus, error) {
	if err := c.instanceCall(ctx, instance); err != nil {
		return nil, err
	}
	all, err := c.assignmentRequests(ctx, `id = $1 AND verb = $2`, aws.ToString(id), verb)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, notThere("Request with id %s not found", aws.ToString(id))
	}
	return all[0].status(), nil
}

func describeAssignmentCreation(ctx context.Context, c *Call, in *ssoadmin.DescribeAccountAssignmentCreationStatusInput) (*ssoadmin.DescribeAccountAssignmentCreationStatusOutput, error) {
	s, err := c.oneAssignmentRequest(ctx, in.InstanceArn, "create", in.AccountAssignmentCreationRequestId)
	return &ssoadmin.DescribeAccountAssignmentCreationStatusOutput{AccountAssignmentCreationStatus: s}, err
}

func describeAssignmentDeletion(ctx context.Context, c *Call, in *ssoadmin.DescribeAccountAssignmentDeletionStatusInput) (*ssoadmin.DescribeAccountAssignmentDeletionStatusOutput, error) {
	s, err := c.oneAssignmentRequest(ctx, in.InstanceArn, "delete", in.AccountAssignmentDeletionRequestId)
	return &ssoadmin.DescribeAccountAssignmentDeletionStatusOutput{AccountAssignmentDeletionStatus: s}, err
}
