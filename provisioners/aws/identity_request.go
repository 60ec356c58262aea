package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// verb is what is asked of IAM Identity Center. Either way it answers with a request, and works it later.
type verb string

const (
	assign   verb = "assign"
	unassign verb = "unassign"
)

// openRequests bounds how many requests in progress are read to find one whose id a crash hid.
const openRequests = 50

// ask sends a request and gives its id.
func (p people) ask(ctx context.Context, v verb, account, set, group string) (string, error) {
	if v == unassign {
		out, err := p.sso.DeleteAccountAssignment(ctx, &ssoadmin.DeleteAccountAssignmentInput{InstanceArn: &p.IdentityCenter.Instance, PermissionSetArn: &set,
			PrincipalId: &group, PrincipalType: ssotypes.PrincipalTypeGroup, TargetId: &account, TargetType: ssotypes.TargetTypeAwsAccount})
		if err != nil {
			return "", err
		}
		return requestID(out.AccountAssignmentDeletionStatus), nil
	}
	out, err := p.sso.CreateAccountAssignment(ctx, &ssoadmin.CreateAccountAssignmentInput{InstanceArn: &p.IdentityCenter.Instance, PermissionSetArn: &set,
		PrincipalId: &group, PrincipalType: ssotypes.PrincipalTypeGroup, TargetId: &account, TargetType: ssotypes.TargetTypeAwsAccount})
	if err != nil {
		return "", err
	}
	return requestID(out.AccountAssignmentCreationStatus), nil
}

func requestID(s *ssotypes.AccountAssignmentOperationStatus) string {
	if s == nil {
		return ""
	}
	return sdk.ToString(s.RequestId)
}

// request reads how far a request is; nil when AWS does not know it any more.
func (p people) request(ctx context.Context, v verb, id string) (*ssotypes.AccountAssignmentOperationStatus, error) {
	if v == unassign {
		out, err := p.sso.DescribeAccountAssignmentDeletionStatus(ctx, &ssoadmin.DescribeAccountAssignmentDeletionStatusInput{InstanceArn: &p.IdentityCenter.Instance, AccountAssignmentDeletionRequestId: &id})
		if is(err, "ResourceNotFoundException") {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return out.AccountAssignmentDeletionStatus, nil
	}
	out, err := p.sso.DescribeAccountAssignmentCreationStatus(ctx, &ssoadmin.DescribeAccountAssignmentCreationStatusInput{InstanceArn: &p.IdentityCenter.Instance, AccountAssignmentCreationRequestId: &id})
	if is(err, "ResourceNotFoundException") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return out.AccountAssignmentCreationStatus, nil
}

// inProgress finds the request for one assignment that AWS has not ended, whoever asked for it; empty when there is none.
func (p people) inProgress(ctx context.Context, v verb, account, set, group string) (string, error) {
	open, err := p.openRequests(ctx, v)
	if err != nil {
		return "", err
	}
	for _, m := range open[:min(len(open), openRequests)] {
		id := sdk.ToString(m.RequestId)
		s, err := p.request(ctx, v, id)
		if err != nil {
			return "", err
		}
		if s != nil && s.Status == ssotypes.StatusValuesInProgress && sdk.ToString(s.TargetId) == account && sdk.ToString(s.PermissionSetArn) == set && sdk.ToString(s.PrincipalId) == group {
			return id, nil
		}
	}
	return "", nil
}

func (p people) openRequests(ctx context.Context, v verb) ([]ssotypes.AccountAssignmentOperationStatusMetadata, error) {
	filter := &ssotypes.OperationStatusFilter{Status: ssotypes.StatusValuesInProgress}
	if v == unassign {
		out, err := p.sso.ListAccountAssignmentDeletionStatus(ctx, &ssoadmin.ListAccountAssignmentDeletionStatusInput{InstanceArn: &p.IdentityCenter.Instance, Filter: filter})
		if err != nil {
			return nil, err
		}
		return out.AccountAssignmentsDeletionStatus, nil
	}
	out, err := p.sso.ListAccountAssignmentCreationStatus(ctx, &ssoadmin.ListAccountAssignmentCreationStatusInput{InstanceArn: &p.IdentityCenter.Instance, Filter: filter})
	if err != nil {
		return nil, err
	}
	return out.AccountAssignmentsCreationStatus, nil
}
