package aws

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"slipway/models"
)

// simulatedAtOnce is how many actions one call asks for.
const simulatedAtOnce = 100

// foreignID is an external id in a statement, unless it was masked already.
var foreignID = regexp.MustCompile(`("sts:ExternalId": \[\s*)"[^"(][^"]*"`)

// rows are the table's rows of the role; of CloudFormation's, what the shipped blueprints need.
func (k *roleCheck) rows() []permission {
	if k.role == execRole {
		return k.makes()
	}
	var out []permission
	for _, p := range permissions() {
		used := map[string]bool{"": true, "bucket": k.ArtifactsBucket != "", "people": k.SetUp.OrgParameters["IdentityCenterArn"] != "", "suspended": k.OUSuspended != ""}
		if p.role == k.role && used[p.only] && (p.resource != theRoot || k.rooted) {
			out = append(out, p)
		}
	}
	if k.role == deployRole {
		for _, region := range k.Regions {
			if region != k.Region {
				out = append(out, permission{role: k.role, action: "cloudformation:CreateChangeSet", resource: strings.ReplaceAll(aStack, "{region}", region), needed: "plan in " + region,
					with: facts{"cloudformation:RoleArn": {"{exec}"}, regionKey: {region}}})
			}
		}
	}
	return out
}

// The resources and keys that CloudFormation's role is asked for, where * alone would be no answer.
var (
	aWorkload    = "arn:{partition}:iam::{account}:role/slipway/workload/role-check"
	anIdentity   = "arn:{partition}:iam::{account}:oidc-provider/role-check.example.com"
	aServiceRole = "arn:{partition}:iam::{account}:role/aws-service-role/check"
	bounded      = facts{"iam:PermissionsBoundary": {theBoundary}}
	boundedVerbs = []string{"iam:AttachRolePolicy", "iam:CreateRole", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"}
	linkedTo     = []string{"ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com"}
)

// makes are the permissions that the shipped blueprints need.
func (k *roleCheck) makes() []permission {
	var out []permission
	for _, n := range k.SetUp.Makes {
		p := permission{role: execRole, action: n.Action, resource: anything, needed: "make " + n.Resource}
		switch {
		case n.PassedTo != "":
			p.resource, p.with = aWorkload, facts{"iam:PassedToService": {n.PassedTo}}
			p.needed = "hand a workload's role to " + n.PassedTo
		case n.Action == "iam:CreateServiceLinkedRole":
			p.resource, p.with = aServiceRole, facts{"iam:AWSServiceName": linkedTo[:1]}
		case slices.Contains(boundedVerbs, n.Action):
			p.resource, p.with = aWorkload, bounded
		case strings.Contains(n.Action, "OpenIDConnectProvider"):
			p.resource = anIdentity
		case strings.HasPrefix(n.Action, "iam:"):
			p.resource = aWorkload
		case n.Action == "kms:CreateGrant":
			p.resource, p.with = aKey, facts{"kms:GrantIsForAWSResource": {"true"}}
		case n.Action == "kms:RetireGrant":
			p.resource = aKey
		case n.Action == "kms:Decrypt" || strings.HasPrefix(n.Action, "kms:GenerateDataKey"):
			p.resource, p.with = aKey, facts{"kms:ViaService": {"secretsmanager.{region}.amazonaws.com"}}
		}
		out = append(out, p)
	}
	return out
}

// simulate asks IAM whether the role may do each of its rows, many of the same kind in one call.
func (k *roleCheck) simulate(ctx context.Context) error {
	if k.seen.Unseen != nil && strings.HasPrefix(k.seen.Unseen.Said, "IAM answers") {
		return nil // there is no role
	}
	groups := map[string][]permission{}
	for _, p := range k.rows() {
		key := p.resource + "\n" + fmt.Sprint(p.with)
		groups[key] = append(groups[key], p)
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		for part := range slices.Chunk(groups[key], simulatedAtOnce) {
			if err := k.ask(ctx, part); err != nil {
				return k.noted("what the role "+k.arn+" may do", err)
			}
		}
	}
	return nil
}

// ask simulates actions that go to one resource and bring the same along.
func (k *roleCheck) ask(ctx context.Context, rows []permission) error {
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &k.arn, ResourceArns: []string{k.fill.Replace(rows[0].resource)}}
	for _, p := range rows {
		in.ActionNames = append(in.ActionNames, p.action)
	}
	with := facts{regionKey: {k.Region}}
	maps.Copy(with, rows[0].with)
	for _, key := range slices.Sorted(maps.Keys(with)) {
		entry := iamtypes.ContextEntry{ContextKeyName: &key, ContextKeyType: iamtypes.ContextKeyTypeEnumString}
		if strings.HasPrefix(key, "route53:") || key == "aws:TagKeys" {
			entry.ContextKeyType = iamtypes.ContextKeyTypeEnumStringList
		}
		for _, v := range with[key] {
			entry.ContextKeyValues = append(entry.ContextKeyValues, k.fill.Replace(k.fill.Replace(v)))
		}
		in.ContextEntries = append(in.ContextEntries, entry)
	}
	answers := map[string]iamtypes.EvaluationResult{}
	pages := iam.NewSimulatePrincipalPolicyPaginator(k.iam, in)
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range out.EvaluationResults {
			answers[strings.ToLower(*r.EvalActionName)] = r
		}
	}
	for _, p := range rows {
		r, ok := answers[strings.ToLower(p.action)]
		if !ok {
			return fmt.Errorf("IAM did not answer for %s", p.action)
		}
		k.keep(k.answer(p, r.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeAllowed, k.denier(r)))
	}
	return nil
}

// keep replaces what the check noticed by itself.
func (k *roleCheck) keep(a models.ActionCheck) {
	i := slices.IndexFunc(k.seen.Actions, func(b models.ActionCheck) bool {
		return b.Action == a.Action && b.Resource == a.Resource && b.Needed == a.Needed
	})
	if i < 0 {
		k.seen.Actions = append(k.seen.Actions, a)
		return
	}
	a.Granted = a.Granted && k.seen.Actions[i].Granted // AWS has just refused it, whatever it simulates
	k.seen.Actions[i] = a
}

// denier says what denies an action, where adding a statement would not help.
func (k *roleCheck) denier(r iamtypes.EvaluationResult) string {
	switch {
	case r.OrganizationsDecisionDetail != nil && !r.OrganizationsDecisionDetail.AllowedByOrganizations:
		return "a service control policy of the organization"
	case r.PermissionsBoundaryDecisionDetail != nil && !r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary:
		return "the permission boundary of the role"
	case r.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeExplicitDeny && len(r.MatchedStatements) > 0 && r.MatchedStatements[0].SourcePolicyId != nil:
		return "a statement of the role's policy " + *r.MatchedStatements[0].SourcePolicyId
	case r.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeExplicitDeny:
		return "a statement of one of the role's policies"
	}
	return ""
}

// answer is a row's result. The statement to add is the one of deploy/aws that grants it, cut down to the action.
func (k *roleCheck) answer(p permission, granted bool, denier string) models.ActionCheck {
	resource := k.fill.Replace(p.resource)
	a := models.ActionCheck{Action: p.action, Resource: resource, Needed: p.needed, Granted: granted}
	if granted {
		return a
	}
	a.Denied = denier
	add := policyStatement{Effect: "Allow", Action: []string{p.action}, Resource: []string{resource}}
	if k.want != nil {
		if s, ok := k.want.roles[k.role].allows().granting(p.action, resource, p.with); ok {
			add = s
		}
	}
	a.Statement = add.json()
	return a
}
