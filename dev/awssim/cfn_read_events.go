package awssim

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/jackc/pgx/v5"
)

const eventsPerPage = 100

// events reads the events of a stack, newest first.
func (c *Call) events(ctx context.Context, stack, where string, args ...any) ([]cfnEvent, error) {
	rows, err := c.Tx.Query(ctx, `SELECT stack, event_id, logical_id, physical_id, type, status, reason, properties, token, operation, kind, at, validation, detailed, seq
		FROM stack_events WHERE stack = $1 AND `+where, append([]any{stack}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read events of %s: %w", stack, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[cfnEvent])
	if err != nil {
		return nil, fmt.Errorf("read events of %s: %w", stack, err)
	}
	for i := range all {
		all[i].At = all[i].At.UTC()
	}
	return all, nil
}

// eventPage reads one page. Its token is where it ended, so that what happens meanwhile moves
// nothing.
func (c *Call) eventPage(ctx context.Context, stack string, token *string, where string, args ...any) ([]cfnEvent, *string, error) {
	before := int64(math.MaxInt64)
	if token != nil {
		raw, err := base64.RawURLEncoding.DecodeString(*token)
		if err == nil {
			before, err = strconv.ParseInt(strings.TrimPrefix(string(raw), "before:"), 10, 64)
		}
		if err != nil {
			return nil, nil, invalid("Invalid NextToken")
		}
	}
	args = append(args, before, eventsPerPage+1)
	all, err := c.events(ctx, stack, fmt.Sprintf("%s AND seq < $%d ORDER BY seq DESC LIMIT $%d", where, len(args), len(args)+1), args...)
	if err != nil || len(all) <= eventsPerPage {
		return all, nil, err
	}
	all = all[:eventsPerPage]
	next := base64.RawURLEncoding.EncodeToString([]byte("before:" + strconv.FormatInt(all[eventsPerPage-1].Seq, 10)))
	return all, &next, nil
}

func describeStackEvents(ctx context.Context, c *Call, in *cfn.DescribeStackEventsInput) (*cfn.DescribeStackEventsOutput, error) {
	s, err := c.findStack(ctx, in.StackName, nil)
	if err != nil {
		return nil, err
	}
	some, next, err := c.eventPage(ctx, s.ID, in.NextToken, `kind = 'STACK_EVENT'`)
	if err != nil {
		return nil, err
	}
	out := &cfn.DescribeStackEventsOutput{NextToken: next}
	for _, e := range some {
		out.StackEvents = append(out.StackEvents, cfntypes.StackEvent{StackId: &s.ID, StackName: &s.Name, EventId: aws.String(e.ID), Timestamp: aws.Time(e.At), LogicalResourceId: aws.String(e.Logical),
			PhysicalResourceId: aws.String(e.Physical), ResourceType: aws.String(e.Type), ResourceStatus: cfntypes.ResourceStatus(e.Status), ResourceStatusReason: optional(e.Reason),
			ResourceProperties: optional(e.Properties), ClientRequestToken: optional(e.Token), OperationId: optional(e.Operation), DetailedStatus: cfntypes.DetailedStatus(e.Detailed)})
	}
	return out, nil
}

// describeEvents is the newer way: by operation, stack or change set, with what checks found.
func describeEvents(ctx context.Context, c *Call, in *cfn.DescribeEventsInput) (*cfn.DescribeEventsOutput, error) {
	s, where, args, err := c.whichEvents(ctx, in)
	if err != nil {
		return nil, err
	}
	if in.Filters != nil && aws.ToBool(in.Filters.FailedEvents) {
		where += ` AND (kind <> 'STACK_EVENT' OR status LIKE '%FAILED')`
	}
	some, next, err := c.eventPage(ctx, s.ID, in.NextToken, where, args...)
	if err != nil {
		return nil, err
	}
	out := &cfn.DescribeEventsOutput{NextToken: next}
	for _, e := range some {
		out.OperationEvents = append(out.OperationEvents, eventOut(s, e))
	}
	return out, nil
}

func (c *Call) whichEvents(ctx context.Context, in *cfn.DescribeEventsInput) (*cfnStack, string, []any, error) {
	switch {
	case in.OperationId != nil:
		var id string
		err := c.Tx.QueryRow(ctx, `SELECT e.stack FROM stack_events e JOIN stacks s ON s.id = e.stack WHERE e.operation = $1 AND s.account = $2 AND s.region = $3 LIMIT 1`, *in.OperationId, c.Account, c.Region).Scan(&id)
		if isNoRows(err) {
			if err := c.may(ctx, "*", nil); err != nil {
				return nil, "", nil, err
			}
			return nil, "", nil, invalid("Operation with id %s does not exist", *in.OperationId)
		}
		if err != nil {
			return nil, "", nil, fmt.Errorf("find operation: %w", err)
		}
		s, err := c.findStack(ctx, &id, nil)
		return s, `operation = $2`, []any{*in.OperationId}, err
	case in.ChangeSetName != nil:
		s, cs, err := c.ofChangeSet(ctx, in.ChangeSetName, in.StackName)
		if err != nil {
			return nil, "", nil, err
		}
		return s, `operation = $2`, []any{cs.Operation}, nil
	default:
		s, err := c.findStack(ctx, in.StackName, nil)
		return s, `true`, nil, err
	}
}

func eventOut(s *cfnStack, e cfnEvent) cfntypes.OperationEvent {
	out := cfntypes.OperationEvent{StackId: &s.ID, EventId: aws.String(e.ID), EventType: cfntypes.EventType(e.Kind), Timestamp: aws.Time(e.At), StartTime: aws.Time(e.At),
		OperationId: optional(e.Operation), LogicalResourceId: optional(e.Logical), PhysicalResourceId: optional(e.Physical), ResourceType: optional(e.Type), ClientRequestToken: optional(e.Token)}
	for _, o := range s.Operations {
		if o.ID == e.Operation {
			out.OperationType = cfntypes.OperationType(o.Type)
		}
	}
	if v := e.Validation; v != nil {
		out.ValidationName, out.ValidationPath, out.ValidationStatusReason = aws.String(v.Name), aws.String(v.Path), aws.String(v.Reason)
		out.ValidationStatus, out.ValidationFailureMode = cfntypes.ValidationStatusFailed, cfntypes.HookFailureModeFail
		return out
	}
	out.DetailedStatus = cfntypes.DetailedStatus(e.Detailed)
	out.ResourceStatus, out.ResourceStatusReason, out.ResourceProperties = cfntypes.ResourceStatus(e.Status), optional(e.Reason), optional(e.Properties)
	switch {
	case strings.HasSuffix(e.Status, "_IN_PROGRESS"):
		out.OperationStatus = cfntypes.BeaconStackOperationStatusInProgress
	case strings.HasSuffix(e.Status, "FAILED"):
		out.OperationStatus = cfntypes.BeaconStackOperationStatusFailed
	default:
		out.OperationStatus = cfntypes.BeaconStackOperationStatusSucceeded
	}
	if e.Logical != s.Name {
		out.OperationStatus = ""
	} else if out.OperationStatus != cfntypes.BeaconStackOperationStatusInProgress {
		out.EndTime = aws.Time(e.At)
	}
	return out
}

func getTemplateSummary(ctx context.Context, c *Call, in *cfn.GetTemplateSummaryInput) (*cfn.GetTemplateSummaryOutput, error) {
	text := ""
	if in.StackName != nil {
		s, err := c.findStack(ctx, in.StackName, nil)
		if err != nil {
			return nil, err
		}
		text = s.Definition.Template
	} else {
		if err := c.may(ctx, "*", nil); err != nil {
			return nil, err
		}
		var err error
		if text, err = c.templateText(ctx, in.TemplateBody, in.TemplateURL, "", false); err != nil {
			return nil, err
		}
	}
	t, err := parsed(text)
	if err != nil {
		return nil, err
	}
	out := &cfn.GetTemplateSummaryOutput{Description: optional(t.Description), Version: aws.String("2010-09-09")}
	out.Capabilities, out.CapabilitiesReason = capabilitiesOf(t)
	for _, p := range t.Parameters {
		d := cfntypes.ParameterDeclaration{ParameterKey: aws.String(p.Name), ParameterType: aws.String(p.Type), Description: optional(p.Description), DefaultValue: p.Default, NoEcho: aws.Bool(p.NoEcho)}
		if len(p.AllowedValues) > 0 {
			d.ParameterConstraints = &cfntypes.ParameterConstraints{AllowedValues: p.AllowedValues}
		}
		out.Parameters = append(out.Parameters, d)
	}
	for _, r := range t.Resources {
		if !slices.Contains(out.ResourceTypes, r.Type) {
			out.ResourceTypes = append(out.ResourceTypes, r.Type)
		}
	}
	slices.Sort(out.ResourceTypes)
	return out, nil
}

func validateTemplate(ctx context.Context, c *Call, in *cfn.ValidateTemplateInput) (*cfn.ValidateTemplateOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	text, err := c.templateText(ctx, in.TemplateBody, in.TemplateURL, "", false)
	if err != nil {
		return nil, err
	}
	t, err := parsed(text)
	if err != nil {
		return nil, err
	}
	out := &cfn.ValidateTemplateOutput{Description: optional(t.Description)}
	out.Capabilities, out.CapabilitiesReason = capabilitiesOf(t)
	for _, p := range t.Parameters {
		out.Parameters = append(out.Parameters, cfntypes.TemplateParameter{ParameterKey: aws.String(p.Name), DefaultValue: p.Default, Description: optional(p.Description), NoEcho: aws.Bool(p.NoEcho)})
	}
	return out, nil
}

func listExports(ctx context.Context, c *Call, in *cfn.ListExportsInput) (*cfn.ListExportsOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.stacks(ctx, `account = $1 AND region = $2 AND status <> 'DELETE_COMPLETE'`, c.Account, c.Region)
	if err != nil {
		return nil, err
	}
	var exports []cfntypes.Export
	for _, s := range all {
		for _, o := range s.Outputs {
			if o.Export != "" {
				exports = append(exports, cfntypes.Export{ExportingStackId: &s.ID, Name: aws.String(o.Export), Value: aws.String(o.Value)})
			}
		}
	}
	slices.SortFunc(exports, func(a, b cfntypes.Export) int { return strings.Compare(*a.Name, *b.Name) })
	some, next, err := page(exports, in.NextToken, nil, 100)
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	return &cfn.ListExportsOutput{Exports: some, NextToken: next}, nil
}

// listImports: templates with imports are refused, so no export is ever imported.
func listImports(ctx context.Context, c *Call, in *cfn.ListImportsInput) (*cfn.ListImportsOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	return nil, invalid("Export '%s' is not imported by any stack.", aws.ToString(in.ExportName))
}
