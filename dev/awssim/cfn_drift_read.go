package awssim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/jackc/pgx/v5"
)

func driftOperations() []operation {
	return []operation{
		handle(cloudformation, "DetectStackDrift", detectStackDrift),
		handle(cloudformation, "DetectStackResourceDrift", detectStackResourceDrift),
		handle(cloudformation, "DescribeStackDriftDetectionStatus", describeDetection),
		handle(cloudformation, "DescribeStackResourceDrifts", describeResourceDrifts),
	}
}

const (
	detectionTakes = 6 * time.Second // and half a second for each resource
	driftsPerPage  = 20              // fewer than AWS's: who forgets to page is found out
)

// detectable refuses a detection in a state in which AWS does none.
func (s *cfnStack) detectable() error {
	switch s.Status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED":
		return nil
	}
	return invalid("Drift detection cannot be performed on stack [%s] in %s state.", s.ID, s.Status)
}

func detectStackDrift(ctx context.Context, c *Call, in *cfn.DetectStackDriftInput) (*cfn.DetectStackDriftOutput, error) {
	s, err := c.findStack(ctx, in.StackName, nil)
	if err != nil {
		return nil, err
	}
	if err := s.detectable(); err != nil {
		return nil, err
	}
	all, err := c.resources(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range in.LogicalResourceIds {
		if !slices.ContainsFunc(all, func(r *cfnResource) bool { return r.ID == id && r.live() }) {
			return nil, invalid("Resource %s does not exist for stack %s", id, s.Name)
		}
	}
	var running bool
	if err := c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM drift_detections WHERE stack = $1 AND NOT done)`, s.ID).Scan(&running); err != nil {
		return nil, fmt.Errorf("look for a detection of %s: %w", s.Name, err)
	}
	if running {
		return nil, invalid("Drift detection is already in progress for stack [%s]", s.ID)
	}
	d := &cfnDetection{ID: newRequestID(), Stack: s.ID, Resources: in.LogicalResourceIds, Status: "DETECTION_IN_PROGRESS", Drift: "NOT_CHECKED", At: c.Now}
	took := c.pause(s, detectionTakes+time.Duration(len(all))*time.Second/2)
	_, err = c.Tx.Exec(ctx, `INSERT INTO drift_detections (id, account, region, stack, at, due_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7)`, d.ID, s.Account, s.Region, s.ID, c.Now, c.Now.Add(took), d)
	if err != nil {
		return nil, fmt.Errorf("begin a detection of %s: %w", s.Name, err)
	}
	return &cfn.DetectStackDriftOutput{StackDriftDetectionId: &d.ID}, nil
}

func (c *Call) detections(ctx context.Context, where string, args ...any) ([]*cfnDetection, error) {
	rows, err := c.Tx.Query(ctx, `SELECT body, due_at FROM drift_detections WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read drift detections: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*cfnDetection, error) {
		d := &cfnDetection{}
		err := row.Scan(d, &d.due)
		d.due = d.due.UTC()
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("read drift detections: %w", err)
	}
	return all, nil
}

// saveDetection ends a detection. Those before it are not kept: nobody waits for them any more.
func (c *Call) saveDetection(ctx context.Context, s *cfnStack, d *cfnDetection) error {
	if _, err := c.Tx.Exec(ctx, `UPDATE drift_detections SET done = true, body = $2 WHERE id = $1`, d.ID, d); err != nil {
		return fmt.Errorf("end the detection of %s: %w", s.Name, err)
	}
	if _, err := c.Tx.Exec(ctx, `DELETE FROM drift_detections WHERE stack = $1 AND done AND at < $2::timestamptz - interval '1 day'`, s.ID, c.Now); err != nil {
		return fmt.Errorf("drop old detections of %s: %w", s.Name, err)
	}
	return nil
}

func describeDetection(ctx context.Context, c *Call, in *cfn.DescribeStackDriftDetectionStatusInput) (*cfn.DescribeStackDriftDetectionStatusOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.detections(ctx, `id = $1 AND account = $2 AND region = $3`, aws.ToString(in.StackDriftDetectionId), c.Account, c.Region)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, invalid("Drift detection with id %s does not exist", aws.ToString(in.StackDriftDetectionId))
	}
	d := all[0]
	out := &cfn.DescribeStackDriftDetectionStatusOutput{StackDriftDetectionId: &d.ID, StackId: &d.Stack, Timestamp: &d.At, DetectionStatus: cfntypes.StackDriftDetectionStatus(d.Status), DetectionStatusReason: optional(d.Reason)}
	if d.Status == "DETECTION_COMPLETE" {
		out.StackDriftStatus, out.DriftedStackResourceCount = cfntypes.StackDriftStatus(d.Drift), &d.Drifted
	}
	return out, nil
}

func describeResourceDrifts(ctx context.Context, c *Call, in *cfn.DescribeStackResourceDriftsInput) (*cfn.DescribeStackResourceDriftsOutput, error) {
	s, err := c.findStack(ctx, in.StackName, nil)
	if err != nil {
		return nil, err
	}
	all, err := c.resourcesWhere(ctx, `stack = $1 AND drift IS NOT NULL AND status <> 'DELETE_COMPLETE'`, s.ID)
	if err != nil {
		return nil, err
	}
	if wanted := in.StackResourceDriftStatusFilters; len(wanted) > 0 {
		all = slices.DeleteFunc(all, func(r *cfnResource) bool {
			return !slices.Contains(wanted, cfntypes.StackResourceDriftStatus(r.drift.Status))
		})
	}
	size := in.MaxResults
	if size == nil {
		size = aws.Int32(driftsPerPage)
	}
	some, next, err := page(all, in.NextToken, size, 100)
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	out := &cfn.DescribeStackResourceDriftsOutput{NextToken: next, StackResourceDrifts: []cfntypes.StackResourceDrift{}}
	for _, r := range some {
		out.StackResourceDrifts = append(out.StackResourceDrifts, driftOut(s, r))
	}
	return out, nil
}

func driftOut(s *cfnStack, r *cfnResource) cfntypes.StackResourceDrift {
	d := r.drift
	out := cfntypes.StackResourceDrift{StackId: &s.ID, LogicalResourceId: &r.ID, PhysicalResourceId: &d.Physical, ResourceType: &r.Type, Timestamp: &d.At,
		StackResourceDriftStatus: cfntypes.StackResourceDriftStatus(d.Status), ExpectedProperties: &d.Expected, ActualProperties: optional(d.Actual), PropertyDifferences: []cfntypes.PropertyDifference{}}
	for _, p := range d.Differences {
		out.PropertyDifferences = append(out.PropertyDifferences, cfntypes.PropertyDifference{PropertyPath: aws.String(p.Path), DifferenceType: cfntypes.DifferenceType(p.Kind), ExpectedValue: aws.String(p.Expected), ActualValue: aws.String(p.Actual)})
	}
	return out
}

// detectStackResourceDrift answers at once, as AWS does for one resource.
func detectStackResourceDrift(ctx context.Context, c *Call, in *cfn.DetectStackResourceDriftInput) (*cfn.DetectStackResourceDriftOutput, error) {
	s, err := c.findStack(ctx, in.StackName, nil)
	if err != nil {
		return nil, err
	}
	if err := s.detectable(); err != nil {
		return nil, err
	}
	r, err := c.resource(ctx, s.ID, aws.ToString(in.LogicalResourceId))
	switch {
	case err != nil:
		return nil, err
	case r == nil || !r.live():
		return nil, invalid("Resource %s does not exist for stack %s", aws.ToString(in.LogicalResourceId), s.Name)
	case !r.driftable():
		return nil, invalid("Drift detection is not supported for resource type %s", r.Type)
	}
	if r.drift, err = c.compare(ctx, s, r, c.Now); err != nil {
		return nil, err
	}
	out := driftOut(s, r)
	return &cfn.DetectStackResourceDriftOutput{StackResourceDrift: &out}, nil
}
