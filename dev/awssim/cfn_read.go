package awssim

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models/blueprint"
)

func stackReads() []operation {
	return []operation{
		handle(cloudformation, "DescribeStacks", describeStacks),
		handle(cloudformation, "ListStacks", listStacks),
		handle(cloudformation, "DescribeStackEvents", describeStackEvents),
		handle(cloudformation, "DescribeEvents", describeEvents),
		handle(cloudformation, "DescribeStackResources", describeStackResources),
		handle(cloudformation, "DescribeStackResource", describeStackResource),
		handle(cloudformation, "ListStackResources", listStackResources),
		handle(cloudformation, "GetTemplate", getTemplate),
		handle(cloudformation, "GetTemplateSummary", getTemplateSummary),
		handle(cloudformation, "ValidateTemplate", validateTemplate),
		handle(cloudformation, "ListExports", listExports),
		handle(cloudformation, "ListImports", listImports),
	}
}

func stackOut(s *cfnStack) cfntypes.Stack {
	out := cfntypes.Stack{StackId: &s.ID, StackName: &s.Name, StackStatus: cfntypes.StackStatus(s.Status), CreationTime: &s.Created, LastUpdatedTime: s.Updated, DeletionTime: s.Deleted,
		DisableRollback: aws.Bool(s.DisableRollback), EnableTerminationProtection: aws.Bool(s.Protected), Parameters: shownParameters(s.Definition), Tags: cfnTags(s.Definition.Tags),
		DetailedStatus: cfntypes.DetailedStatus(s.Detailed), RetainExceptOnCreate: aws.Bool(s.RetainExceptOnCreate), RollbackConfiguration: &cfntypes.RollbackConfiguration{}}
	out.StackStatusReason, out.Description, out.RoleARN, out.ChangeSetId = optional(s.Reason), optional(s.Description), optional(s.RoleARN), optional(s.ChangeSet)
	status, checked := s.driftInfo()
	out.DriftInformation = &cfntypes.StackDriftInformation{StackDriftStatus: status, LastCheckTimestamp: checked}
	if s.ForceDelete {
		out.DeletionMode = cfntypes.DeletionModeForceDeleteStack
	}
	for _, o := range s.Outputs {
		one := cfntypes.Output{OutputKey: aws.String(o.Name), OutputValue: aws.String(o.Value)}
		if o.Description != "" {
			one.Description = aws.String(o.Description)
		}
		if o.Export != "" {
			one.ExportName = aws.String(o.Export)
		}
		out.Outputs = append(out.Outputs, one)
	}
	for _, capability := range s.Definition.Capabilities {
		out.Capabilities = append(out.Capabilities, cfntypes.Capability(capability))
	}
	out.LastOperations = operationsOut(s)
	return out
}

// driftInfo is what is known of the stack's drift since its last change.
func (s *cfnStack) driftInfo() (cfntypes.StackDriftStatus, *time.Time) {
	if s.Drift == nil {
		return cfntypes.StackDriftStatusNotChecked, nil
	}
	return cfntypes.StackDriftStatus(s.Drift.Status), &s.Drift.At
}

func (r *cfnResource) driftInfo() (cfntypes.StackResourceDriftStatus, *time.Time) {
	if r.drift == nil {
		return cfntypes.StackResourceDriftStatusNotChecked, nil
	}
	return cfntypes.StackResourceDriftStatus(r.drift.Status), &r.drift.At
}

func operationsOut(s *cfnStack) []cfntypes.OperationEntry {
	var out []cfntypes.OperationEntry
	for _, o := range s.Operations {
		out = append(out, cfntypes.OperationEntry{OperationId: aws.String(o.ID), OperationType: cfntypes.OperationType(o.Type)})
	}
	return out
}

func describeStacks(ctx context.Context, c *Call, in *cfn.DescribeStacksInput) (*cfn.DescribeStacksOutput, error) {
	if in.StackName != nil {
		s, err := c.findStack(ctx, in.StackName, nil)
		if err != nil {
			return nil, err
		}
		return &cfn.DescribeStacksOutput{Stacks: []cfntypes.Stack{stackOut(s)}}, nil
	}
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.stacks(ctx, `account = $1 AND region = $2 AND status <> 'DELETE_COMPLETE'`, c.Account, c.Region)
	if err != nil {
		return nil, err
	}
	some, next, err := page(all, in.NextToken, nil, 50)
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	out := &cfn.DescribeStacksOutput{NextToken: next}
	for _, s := range some {
		out.Stacks = append(out.Stacks, stackOut(s))
	}
	return out, nil
}

func listStacks(ctx context.Context, c *Call, in *cfn.ListStacksInput) (*cfn.ListStacksOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.stacks(ctx, `account = $1 AND region = $2`, c.Account, c.Region)
	if err != nil {
		return nil, err
	}
	if len(in.StackStatusFilter) > 0 {
		all = slices.DeleteFunc(all, func(s *cfnStack) bool {
			return !slices.Contains(in.StackStatusFilter, cfntypes.StackStatus(s.Status))
		})
	}
	some, next, err := page(all, in.NextToken, nil, 100)
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	out := &cfn.ListStacksOutput{NextToken: next}
	for _, s := range some {
		one := cfntypes.StackSummary{StackId: &s.ID, StackName: &s.Name, StackStatus: cfntypes.StackStatus(s.Status), CreationTime: &s.Created, LastUpdatedTime: s.Updated, DeletionTime: s.Deleted,
			LastOperations: operationsOut(s)}
		status, checked := s.driftInfo()
		one.DriftInformation = &cfntypes.StackDriftInformationSummary{StackDriftStatus: status, LastCheckTimestamp: checked}
		if s.Description != "" {
			one.TemplateDescription = &s.Description
		}
		if s.Reason != "" {
			one.StackStatusReason = &s.Reason
		}
		out.StackSummaries = append(out.StackSummaries, one)
	}
	return out, nil
}

// shownResources are the resources of a stack that callers see, one for each logical id.
func (c *Call) shownResources(ctx context.Context, s *cfnStack, logical *string) ([]*cfnResource, error) {
	all, err := c.resources(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if strings.HasSuffix(r.Status, "_IN_PROGRESS") {
			r.forgetUnmade()
		}
	}
	if logical == nil {
		return all, nil
	}
	all = slices.DeleteFunc(all, func(r *cfnResource) bool { return r.ID != *logical })
	if len(all) == 0 {
		return nil, invalid("Resource %s does not exist for stack %s", *logical, s.Name)
	}
	return all, nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func describeStackResources(ctx context.Context, c *Call, in *cfn.DescribeStackResourcesInput) (*cfn.DescribeStackResourcesOutput, error) {
	name := in.StackName
	if name == nil && in.PhysicalResourceId != nil {
		var id string
		err := c.Tx.QueryRow(ctx, `SELECT stack FROM stack_resources WHERE account = $1 AND region = $2 AND physical_id = $3 AND status <> 'DELETE_COMPLETE' LIMIT 1`, c.Account, c.Region, *in.PhysicalResourceId).Scan(&id)
		if isNoRows(err) {
			if err := c.may(ctx, "*", nil); err != nil {
				return nil, err
			}
			return nil, invalid("Stack for %s does not exist", *in.PhysicalResourceId)
		}
		if err != nil {
			return nil, err
		}
		name = &id
	}
	s, err := c.findStack(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	all, err := c.shownResources(ctx, s, in.LogicalResourceId)
	if err != nil {
		return nil, err
	}
	out := &cfn.DescribeStackResourcesOutput{}
	for _, r := range all[:min(len(all), 100)] {
		status, checked := r.driftInfo()
		out.StackResources = append(out.StackResources, cfntypes.StackResource{StackId: &s.ID, StackName: &s.Name, LogicalResourceId: &r.ID, PhysicalResourceId: optional(r.Physical), ResourceType: &r.Type,
			ResourceStatus: cfntypes.ResourceStatus(r.Status), ResourceStatusReason: optional(r.Reason), Timestamp: &r.At,
			DriftInformation: &cfntypes.StackResourceDriftInformation{StackResourceDriftStatus: status, LastCheckTimestamp: checked}})
	}
	return out, nil
}

func describeStackResource(ctx context.Context, c *Call, in *cfn.DescribeStackResourceInput) (*cfn.DescribeStackResourceOutput, error) {
	s, err := c.findStack(ctx, in.StackName, nil)
	if err != nil {
		return nil, err
	}
	if in.LogicalResourceId == nil {
		return nil, invalid("1 validation error detected: Value null at 'logicalResourceId' failed to satisfy constraint: Member must not be null")
	}
	all, err := c.shownResources(ctx, s, in.LogicalResourceId)
	if err != nil {
		return nil, err
	}
	r := all[0]
	status, checked := r.driftInfo()
	return &cfn.DescribeStackResourceOutput{StackResourceDetail: &cfntypes.StackResourceDetail{StackId: &s.ID, StackName: &s.Name, LogicalResourceId: &r.ID, PhysicalResourceId: optional(r.Physical),
		ResourceType: &r.Type, ResourceStatus: cfntypes.ResourceStatus(r.Status), ResourceStatusReason: optional(r.Reason), LastUpdatedTimestamp: &r.At,
		DriftInformation: &cfntypes.StackResourceDriftInformation{StackResourceDriftStatus: status, LastCheckTimestamp: checked}}}, nil
}

func listStackResources(ctx context.Context, c *Call, in *cfn.ListStackResourcesInput) (*cfn.ListStackResourcesOutput, error) {
	s, err := c.findStack(ctx, in.StackName, nil)
	if err != nil {
		return nil, err
	}
	all, err := c.shownResources(ctx, s, nil)
	if err != nil {
		return nil, err
	}
	some, next, err := page(all, in.NextToken, nil, 100)
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	out := &cfn.ListStackResourcesOutput{NextToken: next}
	for _, r := range some {
		status, checked := r.driftInfo()
		out.StackResourceSummaries = append(out.StackResourceSummaries, cfntypes.StackResourceSummary{LogicalResourceId: &r.ID, PhysicalResourceId: optional(r.Physical), ResourceType: &r.Type,
			ResourceStatus: cfntypes.ResourceStatus(r.Status), ResourceStatusReason: optional(r.Reason), LastUpdatedTimestamp: &r.At,
			DriftInformation: &cfntypes.StackResourceDriftInformationSummary{StackResourceDriftStatus: status, LastCheckTimestamp: checked}})
	}
	return out, nil
}

func getTemplate(ctx context.Context, c *Call, in *cfn.GetTemplateInput) (*cfn.GetTemplateOutput, error) {
	if in.ChangeSetName != nil {
		_, cs, err := c.ofChangeSet(ctx, in.ChangeSetName, in.StackName)
		if err != nil {
			return nil, err
		}
		return &cfn.GetTemplateOutput{TemplateBody: &cs.Definition.Template, StagesAvailable: []cfntypes.TemplateStage{cfntypes.TemplateStageOriginal, cfntypes.TemplateStageProcessed}}, nil
	}
	s, err := c.findStack(ctx, in.StackName, nil)
	if err != nil {
		return nil, err
	}
	if s.Definition.Template == "" {
		return nil, invalid("Stack with id %s does not exist", s.Name)
	}
	return &cfn.GetTemplateOutput{TemplateBody: &s.Definition.Template, StagesAvailable: []cfntypes.TemplateStage{cfntypes.TemplateStageOriginal, cfntypes.TemplateStageProcessed}}, nil
}

// capabilitiesOf are what a template needs acknowledged, and why.
func capabilitiesOf(t *blueprint.Template) (out []cfntypes.Capability, reason *string) {
	need := t.NeedsIAM()
	if need == "" {
		return nil, nil
	}
	var types []string
	for _, r := range t.Resources {
		if strings.HasPrefix(r.Type, "AWS::IAM::") && !slices.Contains(types, r.Type) {
			types = append(types, r.Type)
		}
	}
	slices.Sort(types)
	return []cfntypes.Capability{cfntypes.Capability(need)}, aws.String("The following resource(s) require capabilities: [" + strings.Join(types, ", ") + "]")
}
