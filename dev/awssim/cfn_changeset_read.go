package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models/blueprint"
)

// The first page is smaller than AWS's, which depends on size: who forgets to page is found
// out, and pays little for it.
const (
	changesFirst   = 10
	changesPerPage = 100
)

func describeChangeSet(ctx context.Context, c *Call, in *cfn.DescribeChangeSetInput) (*cfn.DescribeChangeSetOutput, error) {
	s, cs, err := c.ofChangeSet(ctx, in.ChangeSetName, in.StackName)
	if err != nil {
		return nil, err
	}
	status, execution, reason := cs.shown(c.Now)
	out := &cfn.DescribeChangeSetOutput{ChangeSetId: &cs.ID, ChangeSetName: &cs.Name, StackId: &s.ID, StackName: &s.Name, CreationTime: &cs.Created,
		Status: cfntypes.ChangeSetStatus(status), ExecutionStatus: cfntypes.ExecutionStatus(execution), Parameters: shownParameters(cs.Definition), Tags: cfnTags(cs.Definition.Tags),
		IncludeNestedStacks: aws.Bool(false), OnStackFailure: cfntypes.OnStackFailure(cs.OnFailure), DeploymentMode: cfntypes.DeploymentMode(cs.Mode)}
	if reason != "" {
		out.StatusReason = &reason
	}
	if cs.Description != "" {
		out.Description = &cs.Description
	}
	for _, capability := range cs.Definition.Capabilities {
		out.Capabilities = append(out.Capabilities, cfntypes.Capability(capability))
	}
	if status != "CREATE_COMPLETE" {
		return out, nil
	}
	if cs.Mode == revertDrift {
		out.StackDriftStatus = cfntypes.StackDriftStatusInSync
		for _, status := range cs.Drift {
			if status == "MODIFIED" || status == "DELETED" {
				out.StackDriftStatus = cfntypes.StackDriftStatusDrifted
			}
		}
	}
	size := aws.Int32(changesPerPage)
	if in.NextToken == nil {
		size = aws.Int32(changesFirst)
	}
	changes, next, err := page(cs.Changes, in.NextToken, size, changesPerPage)
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	out.NextToken = next
	for _, change := range changes {
		r, err := cs.change(change, aws.ToBool(in.IncludePropertyValues))
		if err != nil {
			return nil, err
		}
		out.Changes = append(out.Changes, cfntypes.Change{Type: cfntypes.ChangeTypeResource, ResourceChange: r})
	}
	return out, nil
}

// change is one resource's change as AWS tells it.
func (cs *cfnChangeSet) change(change blueprint.ResourceChange, values bool) (*cfntypes.ResourceChange, error) {
	r := &cfntypes.ResourceChange{LogicalResourceId: aws.String(change.ID), ResourceType: aws.String(change.Type), Action: cfntypes.ChangeAction(change.Action), PolicyAction: cfntypes.PolicyAction(change.Policy)}
	if id := cs.Physical[change.ID]; id != "" {
		r.PhysicalResourceId = &id
	}
	r.ResourceDriftStatus = cfntypes.StackResourceDriftStatus(cs.Drift[change.ID])
	if values {
		for _, side := range []struct {
			from map[string]any
			to   **string
		}{{cs.Before[change.ID], &r.BeforeContext}, {cs.After[change.ID], &r.AfterContext}, {cs.Previous[change.ID], &r.PreviousDeploymentContext}} {
			if side.from == nil {
				continue
			}
			b, err := json.Marshal(map[string]any{"Properties": awsUnknown(side.from)})
			if err != nil {
				return nil, fmt.Errorf("properties of %s: %w", change.ID, err)
			}
			*side.to = aws.String(string(b))
		}
	}
	if change.Action != blueprint.Modify {
		return r, nil
	}
	r.Replacement = cfntypes.Replacement(change.Replacement)
	scopes := map[string]bool{}
	for _, d := range change.Details {
		if !scopes[d.Attribute] {
			scopes[d.Attribute] = true
			r.Scope = append(r.Scope, cfntypes.ResourceAttribute(d.Attribute))
		}
		detail, err := changeDetail(d, values)
		if err == nil && values && cs.Mode == revertDrift {
			err = cs.threeWays(change.ID, d, detail.Target)
		}
		if err != nil {
			return nil, err
		}
		r.Details = append(r.Details, detail)
	}
	return r, nil
}

var recreations = map[string]cfntypes.RequiresRecreation{
	blueprint.ReplaceNever: cfntypes.RequiresRecreationNever, blueprint.ReplaceMaybe: cfntypes.RequiresRecreationConditionally, blueprint.ReplaceAlways: cfntypes.RequiresRecreationAlways,
}

func changeDetail(d blueprint.PropertyChange, values bool) (cfntypes.ResourceChangeDetail, error) {
	out := cfntypes.ResourceChangeDetail{ChangeSource: cfntypes.ChangeSourceDirectModification, Evaluation: cfntypes.EvaluationTypeStatic}
	if blueprint.IsUnknown(d.After) {
		out.Evaluation = cfntypes.EvaluationTypeDynamic
	}
	if d.Because != nil {
		out.ChangeSource, out.CausingEntity = cfntypes.ChangeSourceResourceReference, aws.String(d.Because.Resource)
		if d.Because.Attribute != "Ref" {
			out.ChangeSource, out.CausingEntity = cfntypes.ChangeSourceResourceAttribute, aws.String(d.Because.Resource+"."+d.Because.Attribute)
		}
	}
	t := &cfntypes.ResourceTargetDefinition{Attribute: cfntypes.ResourceAttribute(d.Attribute), RequiresRecreation: recreations[d.Replaces]}
	out.Target = t
	if d.Name != "" && d.Attribute == "Properties" {
		t.Name = aws.String(d.Name)
	}
	if !values {
		return out, nil
	}
	t.Path, t.AttributeChangeType = aws.String(d.Path), cfntypes.AttributeChangeTypeModify
	switch {
	case d.Before == nil:
		t.AttributeChangeType = cfntypes.AttributeChangeTypeAdd
	case d.After == nil:
		t.AttributeChangeType = cfntypes.AttributeChangeTypeRemove
	}
	for _, side := range []struct {
		from any
		to   **string
	}{{d.Before, &t.BeforeValue}, {awsUnknown(d.After), &t.AfterValue}} {
		text, err := shownValue(side.from)
		if err != nil {
			return out, fmt.Errorf("value of %s: %w", d.Path, err)
		}
		if side.from != nil {
			*side.to = &text
		}
	}
	return out, nil
}

// threeWays tells where the values of a change come from, when it also takes back what was
// changed by hand.
func (cs *cfnChangeSet) threeWays(id string, d blueprint.PropertyChange, t *cfntypes.ResourceTargetDefinition) error {
	t.BeforeValueFrom, t.AfterValueFrom = cfntypes.BeforeValueFromActualState, cfntypes.AfterValueFromTemplate
	previous, _ := pointed(map[string]any{"Properties": cs.Previous[id]}, d.Path)
	if d.Attribute != "Properties" || reflect.DeepEqual(previous, d.Before) {
		t.BeforeValueFrom = cfntypes.BeforeValueFromPreviousDeploymentState
		return nil
	}
	t.Drift = &cfntypes.LiveResourceDrift{DriftDetectionTimestamp: &cs.Created}
	for _, side := range []struct {
		from any
		to   **string
	}{{previous, &t.Drift.PreviousValue}, {d.Before, &t.Drift.ActualValue}} {
		text, err := shownValue(side.from)
		if err != nil {
			return fmt.Errorf("drift of %s: %w", d.Path, err)
		}
		if side.from != nil {
			*side.to = &text
		}
	}
	return nil
}

// awsUnknown writes what is not known yet as AWS does.
func awsUnknown(v any) any { return blueprint.ReplaceUnknown(v, "{{changeSet:KNOWN_AFTER_APPLY}}") }

func shownValue(v any) (string, error) {
	if text, ok := v.(string); ok {
		return text, nil
	}
	b, err := json.Marshal(v)
	return string(b), err
}

func listChangeSets(ctx context.Context, c *Call, in *cfn.ListChangeSetsInput) (*cfn.ListChangeSetsOutput, error) {
	s, err := c.findStack(ctx, in.StackName, nil)
	if err != nil {
		return nil, err
	}
	all, err := bodies[*cfnChangeSet](ctx, c.Tx, `SELECT body FROM change_sets WHERE stack = $1 ORDER BY created_at DESC, id`, s.ID)
	if err != nil {
		return nil, err
	}
	some, next, err := page(all, in.NextToken, nil, 100)
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	out := &cfn.ListChangeSetsOutput{NextToken: next}
	for _, cs := range some {
		status, execution, reason := cs.shown(c.Now)
		summary := cfntypes.ChangeSetSummary{ChangeSetId: &cs.ID, ChangeSetName: &cs.Name, StackId: &s.ID, StackName: &s.Name, CreationTime: &cs.Created,
			Status: cfntypes.ChangeSetStatus(status), ExecutionStatus: cfntypes.ExecutionStatus(execution), IncludeNestedStacks: aws.Bool(false)}
		if reason != "" {
			summary.StatusReason = &reason
		}
		if cs.Description != "" {
			summary.Description = &cs.Description
		}
		out.Summaries = append(out.Summaries, summary)
	}
	return out, nil
}

// deleteChangeSet succeeds also when there is none; the stack under review stays.
func deleteChangeSet(ctx context.Context, c *Call, in *cfn.DeleteChangeSetInput) (*cfn.DeleteChangeSetOutput, error) {
	_, cs, err := c.ofChangeSet(ctx, in.ChangeSetName, in.StackName)
	if e, ok := err.(*APIError); ok && e.Code == "ChangeSetNotFound" {
		return &cfn.DeleteChangeSetOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	if cs.Execution == "EXECUTE_IN_PROGRESS" {
		return nil, refuse(400, "InvalidChangeSetStatus", "ChangeSet [%s] cannot be deleted in its current execution status of [%s]", cs.ID, cs.Execution)
	}
	if _, err := c.Tx.Exec(ctx, `DELETE FROM change_sets WHERE id = $1`, cs.ID); err != nil {
		return nil, fmt.Errorf("delete change set %s: %w", cs.Name, err)
	}
	return &cfn.DeleteChangeSetOutput{}, nil
}
