package awssim

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	storedocument "github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	storetypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

func byName(name string) *identitystore.GetGroupIdInput {
	return &identitystore.GetGroupIdInput{IdentityStoreId: aws.String(demoStore), AlternateIdentifier: &storetypes.AlternateIdentifierMemberUniqueAttribute{
		Value: storetypes.UniqueAttribute{AttributePath: aws.String("displayName"), AttributeValue: storedocument.NewLazyDocument(name)}}}
}

// TestAssignment gives a group access to an account and takes it back, through the SDK's own clients.
func TestAssignment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	ctx := t.Context()
	store, sso := identitystore.NewFromConfig(w.as(asAdmin)), ssoadmin.NewFromConfig(w.as(asAdmin))
	_, err := store.GetGroupId(ctx, byName("payments-owners"))
	wantCode(t, "no such group", err, "ResourceNotFoundException")
	if _, err := w.doDeed(ctx, "PUT /groups", deed{Account: demoManagement, Name: "payments-owners", On: true}); err != nil {
		t.Fatal(err)
	}
	g, err := store.GetGroupId(ctx, byName("payments-owners"))
	if err != nil {
		t.Fatal(err)
	}
	byExternal, err := store.GetGroupId(ctx, &identitystore.GetGroupIdInput{IdentityStoreId: aws.String(demoStore), AlternateIdentifier: &storetypes.AlternateIdentifierMemberExternalId{
		Value: storetypes.ExternalId{Id: aws.String("ext-payments-owners"), Issuer: aws.String(identityIssuer)}}})
	if err != nil || *byExternal.GroupId != *g.GroupId {
		t.Errorf("by external id: %v", err)
	}
	instances, err := sso.ListInstances(ctx, &ssoadmin.ListInstancesInput{})
	if err != nil || len(instances.Instances) != 1 || *instances.Instances[0].IdentityStoreId != demoStore {
		t.Fatalf("instances: %+v, %v", instances, err)
	}
	set := permissionSetOf(0)
	in := &ssoadmin.CreateAccountAssignmentInput{InstanceArn: aws.String(demoInstance), PermissionSetArn: &set, PrincipalId: g.GroupId, PrincipalType: ssotypes.PrincipalTypeGroup,
		TargetId: aws.String(demoAudit), TargetType: ssotypes.TargetTypeAwsAccount}
	status := func(id *string) ssotypes.AccountAssignmentOperationStatus {
		t.Helper()
		var last ssotypes.AccountAssignmentOperationStatus
		eventually(t, "the end of the request", func() bool {
			s, err := sso.DescribeAccountAssignmentCreationStatus(ctx, &ssoadmin.DescribeAccountAssignmentCreationStatusInput{InstanceArn: in.InstanceArn, AccountAssignmentCreationRequestId: id})
			if err != nil {
				t.Fatal(err)
			}
			last = *s.AccountAssignmentCreationStatus
			return last.Status != ssotypes.StatusValuesInProgress
		})
		return last
	}
	out, err := sso.CreateAccountAssignment(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sso.CreateAccountAssignment(ctx, in)
	wantCode(t, "the same again at once", err, "ConflictException")
	if s := status(out.AccountAssignmentCreationStatus.RequestId); s.Status != ssotypes.StatusValuesSucceeded {
		t.Fatalf("it ended %+v", s)
	}
	list, err := sso.ListAccountAssignments(ctx, &ssoadmin.ListAccountAssignmentsInput{InstanceArn: in.InstanceArn, AccountId: in.TargetId, PermissionSetArn: &set})
	if err != nil || len(list.AccountAssignments) != 1 || *list.AccountAssignments[0].PrincipalId != *g.GroupId {
		t.Fatalf("assignments: %+v, %v", list, err)
	}
	if _, err := w.doDeed(ctx, "PUT /groups", deed{Account: demoManagement, Name: "payments-owners"}); err != nil {
		t.Fatal(err)
	}
	if out, err = sso.CreateAccountAssignment(ctx, in); err != nil {
		t.Fatal(err)
	}
	if s := status(out.AccountAssignmentCreationStatus.RequestId); s.Status != ssotypes.StatusValuesFailed || s.FailureReason == nil {
		t.Errorf("a group that is gone: %+v", s)
	}
	if _, err := w.doDeed(ctx, "PUT /permission-sets", deed{Account: demoManagement, Name: "SlipwayOwner"}); err != nil {
		t.Fatal(err)
	}
	_, err = sso.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{InstanceArn: in.InstanceArn, PermissionSetArn: &set})
	wantCode(t, "a permission set that is gone", err, "ResourceNotFoundException")
	_, err = ssoadmin.NewFromConfig(w.as(asHubAdmin)).ListInstances(ctx, &ssoadmin.ListInstancesInput{})
	wantCode(t, "another account", err, "AccessDeniedException")
}
