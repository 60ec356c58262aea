package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"slipway/models"
)

// compare holds the deployed role against the one that deploy/aws declares: trust, inline and managed policies, boundary.
func (k *roleCheck) compare(ctx context.Context) error {
	if k.want == nil {
		return nil
	}
	want, ok := k.want.roles[k.role]
	if !ok {
		return fmt.Errorf("%s has no role slipway-%s", k.want.where, k.role)
	}
	out, err := k.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: k.roleName()})
	if err := k.compared("the role "+k.arn, err); err != nil || out == nil {
		return err
	}
	have, err := readPolicyText(sdk.ToString(out.Role.AssumeRolePolicyDocument))
	if err := k.compared("the trust policy of "+k.arn, err); err != nil {
		return err
	}
	if err == nil {
		k.differs(want.trust.compare("trust policy", have))
	}
	bound := ""
	if out.Role.PermissionsBoundary != nil {
		bound = sdk.ToString(out.Role.PermissionsBoundary.PermissionsBoundaryArn)
	}
	if bound != want.boundary {
		k.differs([]models.RoleDifference{{Place: "permission boundary", Want: want.boundary, Have: bound}})
	}
	if err := k.compareInline(ctx, want); err != nil {
		return err
	}
	if err := k.compareManaged(ctx, want); err != nil {
		return err
	}
	if k.role == execRole && k.want.boundary != nil {
		return k.compareBoundary(ctx)
	}
	return nil
}

// compared is noted, with a role that is not there as one that cannot be assumed.
func (k *roleCheck) compared(what string, err error) error {
	if is(err, "NoSuchEntity") {
		k.seen.Unseen = &models.HealthUnseenWhy{Said: "IAM answers that " + what + " does not exist.", Trust: k.trust()}
		return nil
	}
	return k.noted(what, err)
}

func (k *roleCheck) compareInline(ctx context.Context, want declaredRole) error {
	var names []string
	pages := iam.NewListRolePoliciesPaginator(k.iam, &iam.ListRolePoliciesInput{RoleName: k.roleName()})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return k.noted("which policies "+k.arn+" has", err)
		}
		names = append(names, out.PolicyNames...)
	}
	for _, name := range slices.Sorted(maps.Keys(want.inline)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		out, err := k.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: k.roleName(), PolicyName: &name})
		var have policyDoc
		if !is(err, "NoSuchEntity") {
			if err == nil {
				have, err = readPolicyText(sdk.ToString(out.PolicyDocument))
			}
			if err != nil {
				if err := k.noted("policy "+name+" of "+k.arn, err); err != nil {
					return err
				}
				continue
			}
		}
		k.differs(want.inline[name].compare("policy "+name, have))
	}
	return nil
}

func (k *roleCheck) compareManaged(ctx context.Context, want declaredRole) error {
	var have []string
	pages := iam.NewListAttachedRolePoliciesPaginator(k.iam, &iam.ListAttachedRolePoliciesInput{RoleName: k.roleName()})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return k.noted("which managed policies "+k.arn+" has", err)
		}
		for _, p := range out.AttachedPolicies {
			have = append(have, sdk.ToString(p.PolicyArn))
		}
	}
	for _, arn := range want.managed {
		if !slices.Contains(have, arn) {
			k.differs([]models.RoleDifference{{Place: "managed policies", Want: arn}})
		}
	}
	for _, arn := range have {
		if !slices.Contains(want.managed, arn) {
			k.differs([]models.RoleDifference{{Place: "managed policies", Have: arn}})
		}
	}
	return nil
}

// compareBoundary looks at the boundary of what CloudFormation makes: the one thing that bounds a workload's role.
func (k *roleCheck) compareBoundary(ctx context.Context) error {
	arn := strings.TrimSuffix(k.fill.Replace(theBoundary), " ")
	p, err := k.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if is(err, "NoSuchEntity") {
		k.differs(k.want.boundary.compare("boundary of workload roles", nil))
		return nil
	}
	if err != nil {
		return k.noted("the boundary "+arn, err)
	}
	v, err := k.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: p.Policy.DefaultVersionId})
	if err != nil {
		return k.noted("the boundary "+arn, err)
	}
	have, err := readPolicyText(sdk.ToString(v.PolicyVersion.Document))
	if err != nil {
		return k.noted("the boundary "+arn, err)
	}
	k.differs(k.want.boundary.compare("boundary of workload roles", have))
	return nil
}

// differs keeps differences, without the external id in them.
func (k *roleCheck) differs(all []models.RoleDifference) {
	for _, d := range all {
		d.Want, d.Have = k.hidden(d.Want), k.hidden(d.Have)
		k.seen.Differences = append(k.seen.Differences, d)
	}
}

// hidden replaces external ids: the installation's own by its name, any other by words.
func (k *roleCheck) hidden(statement string) string {
	statement = k.masked(statement)
	return foreignID.ReplaceAllString(statement, `${1}"(another external id)"`)
}
