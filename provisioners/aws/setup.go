package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"slipway/models/blueprint"
)

// SetUp is the text of deploy/aws, which Slipway's roles are held against, and what CloudFormation needs for the blueprints that come
// with Slipway.
type SetUp struct {
	Org, Spoke, DNS []byte
	OrgParameters   map[string]string // of org.yaml, where its defaults do not hold: IdentityCenterArn, PermissionSetArns
	Makes           []blueprint.Need
}

// installation is what the set-up was deployed with, as the organization itself says.
type installation struct {
	parameters map[string]string // of the stack set: OrganizationId, HubAccountId, ExternalId, AllowedRegions, ArtifactsBucket
	root       string            // of the organization; only asked for the organization role
}

// errNoParameters says that what the roles were made with is not known, so that they cannot be compared.
var errNoParameters = errors.New("the parameters of the set-up cannot be read")

// installed reads the parameters that spoke.yaml was delivered with.
func (c *Clients) installed(ctx context.Context) (installation, error) {
	out, err := cloudformation.NewFromConfig(c.hub(c.Region)).DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: &c.StackSet, CallAs: cfn.CallAsDelegatedAdmin})
	if err != nil {
		return installation{}, err
	}
	i := installation{parameters: map[string]string{}}
	if out.StackSet == nil {
		return i, errNoParameters
	}
	for _, p := range out.StackSet.Parameters {
		i.parameters[sdk.ToString(p.ParameterKey)] = sdk.ToString(p.ParameterValue)
	}
	return i, nil
}

// rootOf reads the root of the organization, which org.yaml names.
func rootOf(ctx context.Context, org *organizations.Client) (string, error) {
	out, err := org.ListRoots(ctx, &organizations.ListRootsInput{})
	if err != nil || len(out.Roots) == 0 {
		return "", err
	}
	return sdk.ToString(out.Roots[0].Id), nil
}

// declaredRole is a role as deploy/aws says it should be in one account.
type declaredRole struct {
	trust    policyDoc
	inline   map[string]policyDoc
	managed  []string
	boundary string
}

// declared is everything of one template in one account.
type declared struct {
	roles    map[string]declaredRole // by the end of the name: read, deploy, cfn-exec, org, dns
	boundary policyDoc               // of workload roles; nil where the template has none
	where    string                  // deploy/aws/spoke.yaml
}

// allows are all statements that a role should have.
func (r declaredRole) allows() policyDoc {
	var all policyDoc
	for _, doc := range r.inline {
		all = append(all, doc...)
	}
	return all
}

// declare resolves a template for an account. Only what the template itself names is looked up, never what is deployed.
func (c *Clients) declare(where string, template []byte, account string, parameters map[string]string) (declared, error) {
	d := declared{roles: map[string]declaredRole{}, where: where}
	t, err := blueprint.Parse(template)
	if err != nil {
		return d, fmt.Errorf("read %s: %w", where, err)
	}
	known := map[string]string{}
	for _, p := range t.Parameters {
		if v, ok := parameters[p.Name]; ok {
			known[p.Name] = v
		}
	}
	refs, arns := map[string]string{}, map[string]string{}
	resolved, err := t.Resolve(blueprint.Inputs{Parameters: known, Account: account, Region: c.Region, Partition: c.partition, StackName: c.StackSet, Attr: func(id, attr string) (any, bool) {
		if v, ok := refs[id]; ok && attr == "Ref" {
			return v, true
		}
		arn, ok := arns[id]
		return arn, ok && (attr == "Ref" || attr == "Arn")
	}, Each: func(r blueprint.ResolvedResource) {
		if kind := map[string]string{"AWS::IAM::Role": "role", "AWS::IAM::ManagedPolicy": "policy"}[r.Type]; kind != "" {
			name, _ := r.Properties[map[string]string{"role": "RoleName", "policy": "ManagedPolicyName"}[kind]].(string)
			path, _ := r.Properties["Path"].(string)
			if arns[r.ID] = fmt.Sprintf("arn:%s:iam::%s:%s%s%s", c.partition, account, kind, path, name); kind == "role" {
				refs[r.ID] = name
			}
		}
	}})
	if err != nil {
		return d, fmt.Errorf("resolve %s: %w", where, err)
	}
	for _, r := range resolved.Resources {
		if err := d.take(r); err != nil {
			return d, fmt.Errorf("read %s of %s: %w", r.ID, where, err)
		}
	}
	return d, nil
}

func (d *declared) take(r blueprint.ResolvedResource) (err error) {
	switch r.Type {
	case "AWS::IAM::ManagedPolicy":
		d.boundary, err = readPolicyDoc(r.Properties["PolicyDocument"])
	case "AWS::IAM::RolePolicy":
		of, _ := r.Properties["RoleName"].(string)
		name, _ := r.Properties["PolicyName"].(string)
		role, ok := d.roles[strings.TrimPrefix(of, "slipway-")]
		if !ok {
			return fmt.Errorf("it names the role %q, which the template does not make", of)
		}
		role.inline[name], err = readPolicyDoc(r.Properties["PolicyDocument"])
	case "AWS::IAM::Role":
		role := declaredRole{inline: map[string]policyDoc{}, managed: textList(r.Properties["ManagedPolicyArns"])}
		role.boundary, _ = r.Properties["PermissionsBoundary"].(string)
		if role.trust, err = readPolicyDoc(r.Properties["AssumeRolePolicyDocument"]); err != nil {
			return err
		}
		list, _ := r.Properties["Policies"].([]any)
		for _, item := range list {
			p, _ := item.(map[string]any)
			name, _ := p["PolicyName"].(string)
			if role.inline[name], err = readPolicyDoc(p["PolicyDocument"]); err != nil {
				return err
			}
		}
		name, _ := r.Properties["RoleName"].(string)
		d.roles[strings.TrimPrefix(name, "slipway-")] = role
	}
	return err
}
