package awssim

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func stackSetOperations() []operation {
	return []operation{
		handle(cloudformation, "CreateStackSet", createStackSet),
		handle(cloudformation, "DescribeStackSet", describeStackSet),
		handle(cloudformation, "CreateStackInstances", createStackInstances),
		handle(cloudformation, "DeleteStackInstances", deleteStackInstances),
		handle(cloudformation, "ListStackInstances", listStackInstances),
		handle(cloudformation, "DescribeStackInstance", describeStackInstance),
		handle(cloudformation, "ListStackSetOperations", listStackSetOperations),
		handle(cloudformation, "DescribeStackSetOperation", describeStackSetOperation),
	}
}

// findSet looks for a stack set by name or id. Service-managed ones are kept in the account
// that made them; a delegated administrator must say that it calls as one.
func (c *Call) findSet(ctx context.Context, nameOrID *string, callAs cfntypes.CallAs) (*stackSet, error) {
	given := aws.ToString(nameOrID)
	if err := c.callsAs(ctx, callAs); err != nil {
		return nil, err
	}
	all, err := c.stackSets(ctx, `account = $1 AND region = $2 AND (name = $3 OR id = $3)`, c.Account, c.Region, given)
	if err != nil {
		return nil, err
	}
	resource := arn(cloudformation, c.Region, c.Account, "stackset/"+given+":*")
	if len(all) > 0 {
		resource = all[0].arn()
	}
	if err := c.may(ctx, resource, nil); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, refuse(http.StatusNotFound, "StackSetNotFoundException", "StackSet %s not found", given)
	}
	if all[0].Model == "SERVICE_MANAGED" && c.Account != demoManagement && callAs != cfntypes.CallAsDelegatedAdmin {
		return nil, refuse(http.StatusNotFound, "StackSetNotFoundException", "StackSet %s not found", given)
	}
	return all[0], nil
}

// callsAs refuses DELEGATED_ADMIN from an account that is none.
func (c *Call) callsAs(ctx context.Context, callAs cfntypes.CallAs) error {
	if callAs != cfntypes.CallAsDelegatedAdmin {
		return nil
	}
	var is bool
	if err := c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM org_delegations WHERE account = $1 AND principal = 'member.org.stacksets.cloudformation.amazonaws.com')`, c.Account).Scan(&is); err != nil {
		return err
	}
	if !is {
		return invalid("Account used is not a delegated administrator")
	}
	return nil
}

func createStackSet(ctx context.Context, c *Call, in *cfn.CreateStackSetInput) (*cfn.CreateStackSetOutput, error) {
	name := aws.ToString(in.StackSetName)
	if err := c.callsAs(ctx, in.CallAs); err != nil {
		return nil, err
	}
	if err := c.may(ctx, arn(cloudformation, c.Region, c.Account, "stackset/"+name+":*"), keys{"cloudformation:TemplateUrl": one(aws.ToString(in.TemplateURL))}); err != nil {
		return nil, err
	}
	switch {
	case !stackNameForm.MatchString(name):
		return nil, invalid("1 validation error detected: Value '%s' at 'stackSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][a-zA-Z0-9-]{0,127}", name)
	case in.PermissionModel != cfntypes.PermissionModelsServiceManaged:
		return nil, invalid("The simulator plays service-managed stack sets only.")
	case in.AutoDeployment == nil:
		return nil, invalid("AutoDeployment must be specified with SERVICE_MANAGED permission model")
	}
	old, err := c.stackSets(ctx, `account = $1 AND region = $2 AND name = $3`, c.Account, c.Region, name)
	if err != nil {
		return nil, err
	}
	if len(old) > 0 {
		if token := aws.ToString(in.ClientRequestToken); token != "" && token == old[0].Token {
			return &cfn.CreateStackSetOutput{StackSetId: &old[0].ID}, nil
		}
		return nil, refuse(http.StatusConflict, "NameAlreadyExistsException", "The StackSet name %s is already in use", name)
	}
	set := &stackSet{ID: name + ":" + newRequestID(), Name: name, Account: c.Account, Region: c.Region, Description: aws.ToString(in.Description), Model: string(in.PermissionModel),
		Auto: aws.ToBool(in.AutoDeployment.Enabled), Retain: aws.ToBool(in.AutoDeployment.RetainStacksOnAccountRemoval), Token: aws.ToString(in.ClientRequestToken), Created: c.Now}
	set.Managed = in.ManagedExecution != nil && aws.ToBool(in.ManagedExecution.Active)
	if set.Definition.Template, err = c.templateText(ctx, in.TemplateBody, in.TemplateURL, "", false); err != nil {
		return nil, err
	}
	t, err := parsed(set.Definition.Template)
	if err != nil {
		return nil, err
	}
	if err := acknowledged(t, in.Capabilities); err != nil {
		return nil, err
	}
	for _, capability := range in.Capabilities {
		set.Definition.Capabilities = append(set.Definition.Capabilities, string(capability))
	}
	if set.Definition.Parameters, err = givenParameters(t, in.Parameters, nil); err != nil {
		return nil, err
	}
	if set.Definition.Tags, err = givenTags(in.Tags); err != nil {
		return nil, err
	}
	return &cfn.CreateStackSetOutput{StackSetId: &set.ID}, c.saveSet(ctx, set)
}

func describeStackSet(ctx context.Context, c *Call, in *cfn.DescribeStackSetInput) (*cfn.DescribeStackSetOutput, error) {
	set, err := c.findSet(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	out := &cfntypes.StackSet{StackSetId: &set.ID, StackSetName: &set.Name, StackSetARN: aws.String(set.arn()), Status: cfntypes.StackSetStatusActive, Description: optional(set.Description),
		TemplateBody: &set.Definition.Template, Parameters: shownParameters(set.Definition), Tags: cfnTags(set.Definition.Tags), PermissionModel: cfntypes.PermissionModels(set.Model),
		AutoDeployment:   &cfntypes.AutoDeployment{Enabled: &set.Auto, RetainStacksOnAccountRemoval: &set.Retain},
		ManagedExecution: &cfntypes.ManagedExecution{Active: &set.Managed}, OrganizationalUnitIds: set.Units, Regions: set.Regions}
	for _, capability := range set.Definition.Capabilities {
		out.Capabilities = append(out.Capabilities, cfntypes.Capability(capability))
	}
	return &cfn.DescribeStackSetOutput{StackSet: out}, nil
}

// targets are the accounts and units a call about instances means.
func (c *Call) targets(ctx context.Context, set *stackSet, d *cfntypes.DeploymentTargets) (accounts, units []string, err error) {
	if d == nil || len(d.OrganizationalUnitIds) == 0 {
		return nil, nil, invalid("Service managed stack sets must specify OrganizationalUnitIds in DeploymentTargets.")
	}
	under, err := c.accountsUnder(ctx, d.OrganizationalUnitIds...)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range under {
		in := slices.Contains(d.Accounts, a.ID)
		switch d.AccountFilterType {
		case cfntypes.AccountFilterTypeIntersection:
		case cfntypes.AccountFilterTypeDifference:
			in = !in
		default:
			in = true
		}
		if in {
			accounts = append(accounts, a.ID)
		}
	}
	return accounts, d.OrganizationalUnitIds, nil
}

func createStackInstances(ctx context.Context, c *Call, in *cfn.CreateStackInstancesInput) (*cfn.CreateStackInstancesOutput, error) {
	set, err := c.findSet(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	accounts, units, err := c.targets(ctx, set, in.DeploymentTargets)
	if err != nil {
		return nil, err
	}
	if len(in.Regions) == 0 {
		return nil, invalid("1 validation error detected: Value at 'regions' failed to satisfy constraint: Member must not be null")
	}
	if in.DeploymentTargets.AccountFilterType == "" || in.DeploymentTargets.AccountFilterType == cfntypes.AccountFilterTypeNone {
		for _, u := range units { // whole units become targets of auto-deployment
			if !slices.Contains(set.Units, u) {
				set.Units = append(set.Units, u)
			}
		}
		for _, r := range in.Regions {
			if !slices.Contains(set.Regions, r) {
				set.Regions = append(set.Regions, r)
			}
		}
		if err := c.saveSet(ctx, set); err != nil {
			return nil, err
		}
	}
	if err := c.deliver(ctx, set, accounts, in.Regions, units, c.Now); err != nil {
		return nil, err
	}
	all, err := c.setOperations(ctx, `stack_set = $1`, set.ID)
	if err != nil {
		return nil, err
	}
	o := all[0]
	if len(accounts) == 0 {
		end := c.Now
		o.Status, o.Ended = "SUCCEEDED", &end
		if err := c.saveSetOperation(ctx, o); err != nil {
			return nil, err
		}
	}
	return &cfn.CreateStackInstancesOutput{OperationId: &o.ID}, nil
}

func deleteStackInstances(ctx context.Context, c *Call, in *cfn.DeleteStackInstancesInput) (*cfn.DeleteStackInstancesOutput, error) {
	set, err := c.findSet(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	accounts, _, err := c.targets(ctx, set, in.DeploymentTargets)
	if err != nil {
		return nil, err
	}
	for _, account := range accounts {
		if err := c.withdraw(ctx, set, account, aws.ToBool(in.RetainStacks)); err != nil {
			return nil, err
		}
	}
	all, err := c.setOperations(ctx, `stack_set = $1`, set.ID)
	if err != nil || len(all) == 0 {
		return &cfn.DeleteStackInstancesOutput{}, err
	}
	return &cfn.DeleteStackInstancesOutput{OperationId: &all[0].ID}, nil
}

func (i *stackInstance) stack() *string { return optional(i.Stack) }

func listStackInstances(ctx context.Context, c *Call, in *cfn.ListStackInstancesInput) (*cfn.ListStackInstancesOutput, error) {
	set, err := c.findSet(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	all, err := c.instances(ctx, `stack_set = $1 AND ($2 = '' OR account = $2) AND ($3 = '' OR region = $3)`, set.ID, aws.ToString(in.StackInstanceAccount), aws.ToString(in.StackInstanceRegion))
	if err != nil {
		return nil, err
	}
	for _, f := range in.Filters {
		values := strings.Split(aws.ToString(f.Values), ",")
		all = slices.DeleteFunc(all, func(i *stackInstance) bool {
			switch f.Name {
			case cfntypes.StackInstanceFilterNameDetailedStatus:
				return !slices.Contains(values, i.Detailed)
			case cfntypes.StackInstanceFilterNameLastOperationId:
				return !slices.Contains(values, i.Operation)
			}
			return !slices.Contains(values, "NOT_CHECKED")
		})
	}
	some, next, err := page(all, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	out := &cfn.ListStackInstancesOutput{NextToken: next}
	for _, i := range some {
		out.Summaries = append(out.Summaries, cfntypes.StackInstanceSummary{StackSetId: &i.Set, Account: &i.Account, Region: &i.Region, OrganizationalUnitId: &i.Unit, StackId: i.stack(),
			Status: cfntypes.StackInstanceStatus(i.Status), StatusReason: optional(i.Reason), LastOperationId: &i.Operation, DriftStatus: cfntypes.StackDriftStatusNotChecked,
			StackInstanceStatus: &cfntypes.StackInstanceComprehensiveStatus{DetailedStatus: cfntypes.StackInstanceDetailedStatus(i.Detailed)}})
	}
	return out, nil
}

func describeStackInstance(ctx context.Context, c *Call, in *cfn.DescribeStackInstanceInput) (*cfn.DescribeStackInstanceOutput, error) {
	set, err := c.findSet(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	all, err := c.instances(ctx, `stack_set = $1 AND account = $2 AND region = $3`, set.ID, aws.ToString(in.StackInstanceAccount), aws.ToString(in.StackInstanceRegion))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, refuse(http.StatusNotFound, "StackInstanceNotFoundException", "Stack instance not found for StackSet %s, account %s and region %s", set.Name, aws.ToString(in.StackInstanceAccount), aws.ToString(in.StackInstanceRegion))
	}
	i := all[0]
	return &cfn.DescribeStackInstanceOutput{StackInstance: &cfntypes.StackInstance{StackSetId: &i.Set, Account: &i.Account, Region: &i.Region, OrganizationalUnitId: &i.Unit, StackId: i.stack(),
		Status: cfntypes.StackInstanceStatus(i.Status), StatusReason: optional(i.Reason), LastOperationId: &i.Operation, DriftStatus: cfntypes.StackDriftStatusNotChecked,
		StackInstanceStatus: &cfntypes.StackInstanceComprehensiveStatus{DetailedStatus: cfntypes.StackInstanceDetailedStatus(i.Detailed)}}}, nil
}
