package awssim

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

func organizationsOperations() []operation {
	const svc = "organizations"
	return []operation{
		handle(svc, "DescribeOrganization", describeOrganization),
		handle(svc, "ListRoots", listRoots),
		handle(svc, "ListOrganizationalUnitsForParent", listUnits),
		handle(svc, "CreateOrganizationalUnit", createUnit),
		handle(svc, "DescribeOrganizationalUnit", describeUnit),
		handle(svc, "ListParents", listParents),
		handle(svc, "ListChildren", listChildren),
		handle(svc, "CreateAccount", createAccount),
		handle(svc, "DescribeCreateAccountStatus", describeCreation),
		handle(svc, "ListCreateAccountStatus", listCreations),
		handle(svc, "ListAccounts", listAccounts),
		handle(svc, "ListAccountsForParent", listAccountsForParent),
		handle(svc, "DescribeAccount", describeAccount),
		handle(svc, "MoveAccount", moveAccount),
		handle(svc, "CloseAccount", closeAccount),
		handle(svc, "TagResource", tagOrgResource),
		handle(svc, "UntagResource", untagOrgResource),
		handle(svc, "ListTagsForResource", listOrgTags),
		handle(svc, "ListPolicies", listPolicies),
		handle(svc, "ListPoliciesForTarget", listPoliciesForTarget),
		handle(svc, "DescribePolicy", describePolicy),
		handle(svc, "ListAWSServiceAccessForOrganization", listServiceAccess),
		handle(svc, "ListDelegatedAdministrators", listDelegatedAdministrators),
		handle(svc, "ListDelegatedServicesForAccount", listDelegatedServices),
	}
}

// orgRead asks for a read: the management account and delegated administrators may.
func (c *Call) orgRead(ctx context.Context, resource string) error {
	if ok, err := c.governs(ctx, ""); err != nil || !ok {
		return orElse(err, notYours())
	}
	return c.may(ctx, resource, nil)
}

// governs says whether the caller's account is the management account, or one to which it
// has delegated a service; an empty service stands for any.
func (c *Call) governs(ctx context.Context, service string) (ok bool, err error) {
	if c.Account == demoManagement {
		return true, nil
	}
	if err := c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM org_delegations WHERE account = $1 AND $2 IN ('', principal))`, c.Account, service).Scan(&ok); err != nil {
		return false, fmt.Errorf("look for delegations: %w", err)
	}
	return ok, nil
}

// orgWrite asks for a change: the management account only.
func (c *Call) orgWrite(ctx context.Context, k keys, resources ...string) error {
	if c.Account != demoManagement {
		return notYours()
	}
	for _, r := range resources {
		if err := c.may(ctx, r, k); err != nil {
			return err
		}
	}
	return nil
}

func notYours() error {
	return denied("organizations", "You don't have permissions to access this resource.")
}

func describeOrganization(ctx context.Context, c *Call, _ *organizations.DescribeOrganizationInput) (*organizations.DescribeOrganizationOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil { // every member may ask where it belongs
		return nil, err
	}
	a, _, err := c.account(ctx, demoManagement)
	if err != nil {
		return nil, err
	}
	features := orgtypes.OrganizationFeatureSetAll
	if _, err := c.setting(ctx, demoManagement, "", organizationFeatures, &features); err != nil {
		return nil, err
	}
	return &organizations.DescribeOrganizationOutput{Organization: &orgtypes.Organization{
		Id: aws.String(demoOrganization), Arn: aws.String(orgARN("organization/" + demoOrganization)), FeatureSet: features,
		MasterAccountId: &a.ID, MasterAccountArn: aws.String(accountARN(a.ID)), MasterAccountEmail: &a.Email,
		AvailablePolicyTypes: []orgtypes.PolicyTypeSummary{{Type: orgtypes.PolicyTypeServiceControlPolicy, Status: orgtypes.PolicyTypeStatusEnabled}},
	}}, nil
}

func listRoots(ctx context.Context, c *Call, in *organizations.ListRootsInput) (*organizations.ListRootsOutput, error) {
	if err := c.orgRead(ctx, "*"); err != nil {
		return nil, err
	}
	root := orgtypes.Root{Id: aws.String(demoRoot), Arn: aws.String(nodeARN(demoRoot)), Name: aws.String("Root"),
		PolicyTypes: []orgtypes.PolicyTypeSummary{{Type: orgtypes.PolicyTypeServiceControlPolicy, Status: orgtypes.PolicyTypeStatusEnabled},
			{Type: orgtypes.PolicyTypeTagPolicy, Status: orgtypes.PolicyTypeStatusEnabled}}}
	roots, next, err := page([]orgtypes.Root{root}, in.NextToken, in.MaxResults, 20)
	return &organizations.ListRootsOutput{Roots: roots, NextToken: next}, err
}

func unit(n node) orgtypes.OrganizationalUnit {
	return orgtypes.OrganizationalUnit{Id: &n.ID, Arn: aws.String(nodeARN(n.ID)), Name: &n.Name}
}

func listUnits(ctx context.Context, c *Call, in *organizations.ListOrganizationalUnitsForParentInput) (*organizations.ListOrganizationalUnitsForParentOutput, error) {
	parent := aws.ToString(in.ParentId)
	if err := c.orgRead(ctx, nodeARN(parent)); err != nil {
		return nil, err
	}
	if err := c.parentMustExist(ctx, parent, "ParentNotFoundException"); err != nil {
		return nil, err
	}
	nodes, err := c.nodes(ctx, `parent = $1`, parent)
	if err != nil {
		return nil, err
	}
	units := make([]orgtypes.OrganizationalUnit, 0, len(nodes))
	for _, n := range nodes {
		units = append(units, unit(n))
	}
	units, next, err := page(units, in.NextToken, in.MaxResults, 20)
	return &organizations.ListOrganizationalUnitsForParentOutput{OrganizationalUnits: units, NextToken: next}, err
}

func (c *Call) parentMustExist(ctx context.Context, id, code string) error {
	_, ok, err := c.node(ctx, id)
	if err == nil && !ok {
		err = refuse(http.StatusBadRequest, code, "You specified parent that doesn't exist.")
	}
	return err
}

func createUnit(ctx context.Context, c *Call, in *organizations.CreateOrganizationalUnitInput) (*organizations.CreateOrganizationalUnitOutput, error) {
	parent, name := aws.ToString(in.ParentId), aws.ToString(in.Name)
	tags := orgTags(in.Tags)
	if err := c.orgWrite(ctx, tagKeys(tags), nodeARN(parent)); err != nil {
		return nil, err
	}
	if err := c.parentMustExist(ctx, parent, "ParentNotFoundException"); err != nil {
		return nil, err
	}
	if name == "" || len(name) > 128 {
		return nil, refuse(http.StatusBadRequest, "InvalidInputException", "You specified an invalid value for Name.")
	}
	n := node{ID: "ou-demo-" + hexID(8), Parent: parent, Name: name, Tags: tags}
	tag, err := c.Tx.Exec(ctx, `INSERT INTO org_nodes (id, parent, name, tags) VALUES ($1, $2, $3, $4) ON CONFLICT (parent, name) DO NOTHING`, n.ID, n.Parent, n.Name, jsonText(tags))
	if err != nil {
		return nil, fmt.Errorf("create organizational unit: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil, refuse(http.StatusConflict, "DuplicateOrganizationalUnitException", "An OU with the same name already exists.")
	}
	if err := c.attach(ctx, fullAccess, n.ID); err != nil {
		return nil, err
	}
	u := unit(n)
	return &organizations.CreateOrganizationalUnitOutput{OrganizationalUnit: &u}, nil
}

func describeUnit(ctx context.Context, c *Call, in *organizations.DescribeOrganizationalUnitInput) (*organizations.DescribeOrganizationalUnitOutput, error) {
	id := aws.ToString(in.OrganizationalUnitId)
	if err := c.orgRead(ctx, nodeARN(id)); err != nil {
		return nil, err
	}
	n, ok, err := c.node(ctx, id)
	if err != nil {
		return nil, err
	}
	if !ok || id == demoRoot {
		return nil, refuse(http.StatusBadRequest, "OrganizationalUnitNotFoundException", "You specified an organizational unit that doesn't exist.")
	}
	u := unit(n)
	return &organizations.DescribeOrganizationalUnitOutput{OrganizationalUnit: &u}, nil
}

func parentKind(id string) orgtypes.ParentType {
	if id == demoRoot {
		return orgtypes.ParentTypeRoot
	}
	return orgtypes.ParentTypeOrganizationalUnit
}

func listParents(ctx context.Context, c *Call, in *organizations.ListParentsInput) (*organizations.ListParentsOutput, error) {
	id := aws.ToString(in.ChildId)
	if err := c.orgRead(ctx, childARN(id)); err != nil {
		return nil, err
	}
	a, ok, err := c.account(ctx, id)
	if err != nil {
		return nil, err
	}
	parent := a.Parent
	if !ok {
		n, found, err := c.node(ctx, id)
		if err != nil {
			return nil, err
		}
		if parent = n.Parent; !found || parent == "" {
			return nil, refuse(http.StatusBadRequest, "ChildNotFoundException", "You specified a child that doesn't exist.")
		}
	}
	return &organizations.ListParentsOutput{Parents: []orgtypes.Parent{{Id: &parent, Type: parentKind(parent)}}}, nil
}

func childARN(id string) string {
	if accountIDForm.MatchString(id) {
		return accountARN(id)
	}
	return nodeARN(id)
}

var accountIDForm = regexp.MustCompile(`^\d{12}$`)

func listChildren(ctx context.Context, c *Call, in *organizations.ListChildrenInput) (*organizations.ListChildrenOutput, error) {
	parent := aws.ToString(in.ParentId)
	if err := c.orgRead(ctx, nodeARN(parent)); err != nil {
		return nil, err
	}
	if err := c.parentMustExist(ctx, parent, "ParentNotFoundException"); err != nil {
		return nil, err
	}
	var children []orgtypes.Child
	if in.ChildType == orgtypes.ChildTypeAccount {
		all, err := c.accounts(ctx, `parent = $1 AND state <> 'CLOSED' AND listed_after <= $2`, parent, c.Now)
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			children = append(children, orgtypes.Child{Id: &a.ID, Type: orgtypes.ChildTypeAccount})
		}
	} else {
		all, err := c.nodes(ctx, `parent = $1`, parent)
		if err != nil {
			return nil, err
		}
		for _, n := range all {
			children = append(children, orgtypes.Child{Id: &n.ID, Type: orgtypes.ChildTypeOrganizationalUnit})
		}
	}
	children, next, err := page(children, in.NextToken, in.MaxResults, 20)
	return &organizations.ListChildrenOutput{Children: children, NextToken: next}, err
}

func listServiceAccess(ctx context.Context, c *Call, in *organizations.ListAWSServiceAccessForOrganizationInput) (*organizations.ListAWSServiceAccessForOrganizationOutput, error) {
	if err := c.orgRead(ctx, "*"); err != nil {
		return nil, err
	}
	rows, err := c.Tx.Query(ctx, `SELECT principal, enabled_at FROM org_services ORDER BY principal`)
	if err != nil {
		return nil, fmt.Errorf("read trusted services: %w", err)
	}
	defer rows.Close()
	var all []orgtypes.EnabledServicePrincipal
	for rows.Next() {
		var name string
		var at time.Time
		if err := rows.Scan(&name, &at); err != nil {
			return nil, fmt.Errorf("read trusted service: %w", err)
		}
		all = append(all, orgtypes.EnabledServicePrincipal{ServicePrincipal: &name, DateEnabled: &at})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read trusted services: %w", err)
	}
	all, next, err := page(all, in.NextToken, in.MaxResults, 20)
	return &organizations.ListAWSServiceAccessForOrganizationOutput{EnabledServicePrincipals: all, NextToken: next}, err
}
