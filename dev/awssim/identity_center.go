package awssim

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// The demo organization's instance of IAM Identity Center. Its ids never change, for configuration names them.
const (
	demoInstance      = "arn:aws:sso:::instance/ssoins-demo000000000001"
	demoStore         = "d-93670decaf"
	demoPermissionSet = "arn:aws:sso:::permissionSet/ssoins-demo000000000001/ps-"
	identityService   = "sso.amazonaws.com"
)

func identityCenterOperations() []operation {
	const svc = "sso"
	return []operation{
		handle(svc, "ListInstances", listInstances),
		handle(svc, "DescribeInstance", describeInstance),
		handle(svc, "ListPermissionSets", listPermissionSets),
		handle(svc, "DescribePermissionSet", describePermissionSet),
		handle(svc, "CreateAccountAssignment", createAssignment),
		handle(svc, "DeleteAccountAssignment", deleteAssignment),
		handle(svc, "DescribeAccountAssignmentCreationStatus", describeAssignmentCreation),
		handle(svc, "DescribeAccountAssignmentDeletionStatus", describeAssignmentDeletion),
		handle(svc, "ListAccountAssignmentCreationStatus", listAssignmentCreations),
		handle(svc, "ListAccountAssignmentDeletionStatus", listAssignmentDeletions),
		handle(svc, "ListAccountAssignments", listAssignments),
		handle(svc, "ListAccountAssignmentsForPrincipal", listAssignmentsOf),
		handle("identitystore", "GetGroupId", getGroupID),
		handle("identitystore", "DescribeGroup", describeGroup),
		handle("identitystore", "ListGroups", listGroups),
	}
}

// identityCall asks for every resource of a call: the management account and delegated administrators may.
func (c *Call) identityCall(ctx context.Context, resources ...string) error {
	if ok, err := c.governs(ctx, identityService); err != nil || !ok {
		return orElse(err, denied(c.Service, "User: "+c.Principal.ARN+" is not authorized to perform: "+c.Service+":"+c.Op))
	}
	for _, r := range resources {
		if err := c.may(ctx, r, nil); err != nil {
			return err
		}
	}
	return nil
}

// instanceCall is a call about the instance, which has to be the one there is.
func (c *Call) instanceCall(ctx context.Context, instance *string, resources ...string) error {
	name := aws.ToString(instance)
	if err := c.identityCall(ctx, append([]string{name}, resources...)...); err != nil {
		return err
	}
	if name != demoInstance || c.Region != homeRegion {
		return notThere("Instance with name %s not found", name)
	}
	return nil
}

func notThere(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "ResourceNotFoundException", format, args...)
}

func targetARN(account string) string { return "arn:aws:sso:::account/" + account }

func listInstances(ctx context.Context, c *Call, in *ssoadmin.ListInstancesInput) (*ssoadmin.ListInstancesOutput, error) {
	if err := c.identityCall(ctx, "*"); err != nil {
		return nil, err
	}
	var all []ssotypes.InstanceMetadata
	if c.Region == homeRegion {
		made := c.Now.AddDate(-1, 0, 0)
		all = append(all, ssotypes.InstanceMetadata{InstanceArn: aws.String(demoInstance), IdentityStoreId: aws.String(demoStore), OwnerAccountId: aws.String(demoManagement),
			Name: aws.String("demo"), Status: ssotypes.InstanceStatusActive, CreatedDate: &made, PrimaryRegion: aws.String(homeRegion)})
	}
	all, next, err := page(all, in.NextToken, in.MaxResults, 10)
	return &ssoadmin.ListInstancesOutput{Instances: all, NextToken: next}, err
}

func describeInstance(ctx context.Context, c *Call, in *ssoadmin.DescribeInstanceInput) (*ssoadmin.DescribeInstanceOutput, error) {
	if err := c.instanceCall(ctx, in.InstanceArn); err != nil {
		return nil, err
	}
	made := c.Now.AddDate(-1, 0, 0)
	return &ssoadmin.DescribeInstanceOutput{InstanceArn: in.InstanceArn, IdentityStoreId: aws.String(demoStore), OwnerAccountId: aws.String(demoManagement),
		Name: aws.String("demo"), Status: ssotypes.InstanceStatusActive, CreatedDate: &made, PrimaryRegion: aws.String(homeRegion), PermissionSetsEnabled: aws.Bool(true)}, nil
}

// permissionSet is a set of permissions as the instance keeps it.
type permissionSet struct {
	ARN, Name, Description string
	Made                   time.Time
}

func (c *Call) permissionSet(ctx context.Context, arn string) (permissionSet, error) {
	p := permissionSet{ARN: arn}
	err := c.Tx.QueryRow(ctx, `SELECT name, description, made_at FROM permission_sets WHERE arn = $1 AND NOT gone`, arn).Scan(&p.Name, &p.Description, &p.Made)
	if isNoRows(err) {
		return p, notThere("PermissionSet with id %s not found", arn)
	}
	if err != nil {
		return p, fmt.Errorf("read permission set %s: %w", arn, err)
	}
	return p, nil
}

func listPermissionSets(ctx context.Context, c *Call, in *ssoadmin.ListPermissionSetsInput) (*ssoadmin.ListPermissionSetsOutput, error) {
	if err := c.instanceCall(ctx, in.InstanceArn); err != nil {
		return nil, err
	}
	var all []string
	if err := c.Tx.QueryRow(ctx, `SELECT coalesce(array_agg(arn ORDER BY arn), '{}') FROM permission_sets WHERE NOT gone`).Scan(&all); err != nil {
		return nil, fmt.Errorf("read permission sets: %w", err)
	}
	all, next, err := page(all, in.NextToken, in.MaxResults, 100)
	return &ssoadmin.ListPermissionSetsOutput{PermissionSets: all, NextToken: next}, err
}

func describePermissionSet(ctx context.Context, c *Call, in *ssoadmin.DescribePermissionSetInput) (*ssoadmin.DescribePermissionSetOutput, error) {
	arn := aws.ToString(in.PermissionSetArn)
	if err := c.instanceCall(ctx, in.InstanceArn, arn); err != nil {
		return nil, err
	}
	p, err := c.permissionSet(ctx, arn)
	if err != nil {
		return nil, err
	}
	return &ssoadmin.DescribePermissionSetOutput{PermissionSet: &ssotypes.PermissionSet{PermissionSetArn: &p.ARN, Name: &p.Name, Description: &p.Description,
		CreatedDate: &p.Made, SessionDuration: aws.String("PT1H")}}, nil
}
