package awssim

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func iamOperations() []operation {
	return []operation{
		handle("iam", "GetRole", getRole),
		handle("iam", "ListRoles", listRoles),
		handle("iam", "GetRolePolicy", getRolePolicy),
		handle("iam", "ListRolePolicies", listRolePolicies),
		handle("iam", "ListAttachedRolePolicies", listAttachedRolePolicies),
		handle("iam", "GetPolicy", getPolicy),
		handle("iam", "GetPolicyVersion", getPolicyVersion),
		handle("iam", "UpdateAccountPasswordPolicy", updatePasswordPolicy),
		handle("iam", "GetAccountPasswordPolicy", getPasswordPolicy),
		handle("iam", "DeleteAccountPasswordPolicy", deletePasswordPolicy),
		handle("iam", "SimulatePrincipalPolicy", simulatePrincipal),
		handle("iam", "GetOpenIDConnectProvider", getOIDCProvider),
		handle("iam", "ListOpenIDConnectProviders", listOIDCProviders),
	}
}

func iamTags(tags map[string]string) []iamtypes.Tag {
	var out []iamtypes.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, iamtypes.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}

// encoded is a policy as IAM returns it: URL-encoded.
func encoded(text string) *string {
	return aws.String(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
}

func roleOut(r Role) iamtypes.Role {
	out := iamtypes.Role{Arn: aws.String(r.ARN()), RoleName: &r.Name, RoleId: &r.ID, Path: &r.Path, CreateDate: &r.Created, AssumeRolePolicyDocument: encoded(r.TrustPolicy),
		MaxSessionDuration: &r.MaxSession, Tags: iamTags(r.Tags)}
	if r.Description != "" {
		out.Description = &r.Description
	}
	if r.Boundary != "" {
		out.PermissionsBoundary = &iamtypes.AttachedPermissionsBoundary{PermissionsBoundaryArn: &r.Boundary, PermissionsBoundaryType: iamtypes.PermissionsBoundaryAttachmentTypePolicy}
	}
	return out
}

// ownRole asks for a role of the caller's account. Permission is asked for the role's real
// ARN; a role that is not there is asked for without a path.
func (c *Call) ownRole(ctx context.Context, name *string) (Role, error) {
	r, ok, err := c.role(ctx, c.Account, aws.ToString(name))
	if err != nil {
		return r, err
	}
	if !ok {
		r = Role{Account: c.Account, Name: aws.ToString(name), Path: "/"}
	}
	if err := c.may(ctx, r.ARN(), nil); err != nil {
		return r, err
	}
	if !ok {
		return r, refuse(http.StatusNotFound, "NoSuchEntity", "The role with name %s cannot be found.", r.Name)
	}
	return r, nil
}

func getRole(ctx context.Context, c *Call, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	r, err := c.ownRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	out := roleOut(r)
	return &iam.GetRoleOutput{Role: &out}, nil
}

func listRoles(ctx context.Context, c *Call, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	prefix := aws.ToString(in.PathPrefix)
	if prefix == "" {
		prefix = "/"
	}
	if err := c.may(ctx, arn("iam", "", c.Account, "role"+prefix), nil); err != nil {
		return nil, err
	}
	all, err := c.roles(ctx, `account = $1 AND starts_with(path, $2)`, c.Account, prefix)
	if err != nil {
		return nil, err
	}
	out := make([]iamtypes.Role, 0, len(all))
	for _, r := range all {
		r.Tags, r.Boundary = nil, "" // the list leaves them out, as AWS does
		out = append(out, roleOut(r))
	}
	out, next, err := page(out, in.Marker, in.MaxItems, 1000)
	return &iam.ListRolesOutput{Roles: out, Marker: next, IsTruncated: next != nil}, err
}

func getRolePolicy(ctx context.Context, c *Call, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	r, err := c.ownRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	text, ok := r.Inline[aws.ToString(in.PolicyName)]
	if !ok {
		return nil, refuse(http.StatusNotFound, "NoSuchEntity", "The role policy with name %s cannot be found.", aws.ToString(in.PolicyName))
	}
	return &iam.GetRolePolicyOutput{RoleName: &r.Name, PolicyName: in.PolicyName, PolicyDocument: encoded(text)}, nil
}

func listRolePolicies(ctx context.Context, c *Call, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	r, err := c.ownRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	names, next, err := page(slices.Sorted(maps.Keys(r.Inline)), in.Marker, in.MaxItems, 1000)
	return &iam.ListRolePoliciesOutput{PolicyNames: names, Marker: next, IsTruncated: next != nil}, err
}

func listAttachedRolePolicies(ctx context.Context, c *Call, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	r, err := c.ownRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	var all []iamtypes.AttachedPolicy
	for _, a := range r.Managed {
		all = append(all, iamtypes.AttachedPolicy{PolicyArn: &a, PolicyName: aws.String(a[strings.LastIndexByte(a, '/')+1:])})
	}
	all, next, err := page(all, in.Marker, in.MaxItems, 1000)
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: all, Marker: next, IsTruncated: next != nil}, err
}

// readPolicy asks for a managed policy of the caller's account, or AWS's own.
func (c *Call) readPolicy(ctx context.Context, id *string) (Policy, error) {
	if err := c.may(ctx, aws.ToString(id), nil); err != nil {
		return Policy{}, err
	}
	p, ok, err := c.policy(ctx, aws.ToString(id))
	if err == nil && (!ok || (p.Account != c.Account && p.Account != "aws")) {
		err = refuse(http.StatusNotFound, "NoSuchEntity", "Policy %s was not found.", aws.ToString(id))
	}
	return p, err
}

func getPolicy(ctx context.Context, c *Call, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	p, err := c.readPolicy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	version := fmt.Sprintf("v%d", p.Version)
	return &iam.GetPolicyOutput{Policy: &iamtypes.Policy{Arn: in.PolicyArn, PolicyName: &p.Name, PolicyId: &p.ID, Path: &p.Path, DefaultVersionId: &version,
		IsAttachable: true, CreateDate: &p.Created, UpdateDate: &p.Created, Tags: iamTags(p.Tags)}}, nil
}

func getPolicyVersion(ctx context.Context, c *Call, in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, error) {
	p, err := c.readPolicy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	version := fmt.Sprintf("v%d", p.Version)
	if aws.ToString(in.VersionId) != version { // older versions are not kept
		return nil, refuse(http.StatusNotFound, "NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", aws.ToString(in.PolicyArn), aws.ToString(in.VersionId))
	}
	return &iam.GetPolicyVersionOutput{PolicyVersion: &iamtypes.PolicyVersion{Document: encoded(p.Document), VersionId: &version, IsDefaultVersion: true, CreateDate: &p.Created}}, nil
}

const passwordPolicy = "password-policy"

func updatePasswordPolicy(ctx context.Context, c *Call, in *iam.UpdateAccountPasswordPolicyInput) (*iam.UpdateAccountPasswordPolicyOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	length := aws.ToInt32(in.MinimumPasswordLength)
	if in.MinimumPasswordLength == nil {
		length = 6 // what is left out falls back to IAM's own default
	}
	if length < 6 || length > 128 {
		return nil, invalid("1 validation error detected: Value '%d' at 'minimumPasswordLength' failed to satisfy constraint: Member must have value between 6 and 128", length)
	}
	return &iam.UpdateAccountPasswordPolicyOutput{}, c.set(ctx, c.Account, "", passwordPolicy, iamtypes.PasswordPolicy{
		MinimumPasswordLength: &length, RequireSymbols: in.RequireSymbols, RequireNumbers: in.RequireNumbers, RequireUppercaseCharacters: in.RequireUppercaseCharacters,
		RequireLowercaseCharacters: in.RequireLowercaseCharacters, AllowUsersToChangePassword: in.AllowUsersToChangePassword, HardExpiry: in.HardExpiry,
		MaxPasswordAge: in.MaxPasswordAge, PasswordReusePrevention: in.PasswordReusePrevention, ExpirePasswords: aws.ToInt32(in.MaxPasswordAge) > 0})
}

func getPasswordPolicy(ctx context.Context, c *Call, _ *iam.GetAccountPasswordPolicyInput) (*iam.GetAccountPasswordPolicyOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	out := &iam.GetAccountPasswordPolicyOutput{PasswordPolicy: &iamtypes.PasswordPolicy{}}
	ok, err := c.setting(ctx, c.Account, "", passwordPolicy, out.PasswordPolicy)
	if err == nil && !ok {
		err = noPasswordPolicy(c.Account)
	}
	return out, err
}

func noPasswordPolicy(account string) error {
	return refuse(http.StatusNotFound, "NoSuchEntity", "The Password Policy with domain name %s cannot be found.", account)
}

func deletePasswordPolicy(ctx context.Context, c *Call, _ *iam.DeleteAccountPasswordPolicyInput) (*iam.DeleteAccountPasswordPolicyOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	there, err := c.unset(ctx, c.Account, "", passwordPolicy)
	if err == nil && !there {
		err = noPasswordPolicy(c.Account)
	}
	return &iam.DeleteAccountPasswordPolicyOutput{}, err
}

// simulatePrincipal asks the same evaluator that decides real calls.
func simulatePrincipal(ctx context.Context, c *Call, in *iam.SimulatePrincipalPolicyInput) (*iam.SimulatePrincipalPolicyOutput, error) {
	if err := c.may(ctx, aws.ToString(in.PolicySourceArn), nil); err != nil {
		return nil, err
	}
	account, path, name, ok := splitRoleARN(aws.ToString(in.PolicySourceArn))
	if !ok || account != c.Account || len(in.PolicyInputList) > 0 || len(in.PermissionsBoundaryPolicyInputList) > 0 || in.ResourcePolicy != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidInput", "The simulator plays this for roles of the caller's account, with their own policies.")
	}
	k := keys{}
	for _, e := range in.ContextEntries {
		k[aws.ToString(e.ContextKeyName)] = e.ContextKeyValues
	}
	resources := in.ResourceArns
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	out := &iam.SimulatePrincipalPolicyOutput{}
	for _, action := range in.ActionNames {
		for _, resource := range resources {
			why, err := c.refusalOf(ctx, c.question(asRole(account, path, name, "simulation", ""), action, resource, k))
			if err != nil {
				return nil, err
			}
			decision := iamtypes.PolicyEvaluationDecisionTypeAllowed
			switch {
			case strings.HasPrefix(why, "with an explicit deny"):
				decision = iamtypes.PolicyEvaluationDecisionTypeExplicitDeny
			case why != "":
				decision = iamtypes.PolicyEvaluationDecisionTypeImplicitDeny
			}
			out.EvaluationResults = append(out.EvaluationResults, iamtypes.EvaluationResult{EvalActionName: &action, EvalResourceName: &resource, EvalDecision: decision})
		}
	}
	return out, nil
}
