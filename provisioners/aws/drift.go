package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/provisioners"
)

// driftJob is in the session's name of drift checks: they belong to no run.
const driftJob = "drift-"

// Bounds of one look: a stack has at most 500 resources.
const (
	driftPages   = 10
	maxDriftText = 4000 // characters of one side of a property
)

// driftStack narrows to comparing one stack. What a comparison itself is asked by has no ARN.
func (c *Clients) driftStack(account, region, stack string) string {
	return policy(
		statement{Action: []string{"cloudformation:Describe*", "cloudformation:DetectStackDrift", "cloudformation:GetTemplate", "cloudformation:ListStackResources"},
			Resource: []string{fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/*", c.partition, region, account, stack)}},
		statement{Action: []string{"cloudformation:DescribeStackDriftDetectionStatus"}})
}

func (c *Clients) driftClient(st models.Stack) *cloudformation.Client {
	return cloudformation.NewFromConfig(c.spoke(st.Account, st.Region, "deploy", c.driftStack(st.Account, st.Region, st.Name), who{job: driftJob + st.ObjectID}))
}

// StartDrift begins a comparison of the environment's stack. A stack that is being changed is waited for.
func (c *Clients) StartDrift(ctx context.Context, env models.Environment) (string, error) {
	api, st := c.driftClient(env.Stack), env.Stack
	out, err := api.DetectStackDrift(ctx, &cloudformation.DetectStackDriftInput{StackName: &st.Name})
	switch {
	case noStack(err):
		return "", finalf("There is no stack %s in account %s.", "Plan a change of the environment: it says what is left.", st.Name, st.Account)
	case is(err, "ValidationError") && strings.Contains(err.Error(), "_IN_PROGRESS"):
		return "", provisioners.Wait{For: "AWS", Words: "CloudFormation to end what it is doing with stack " + st.Name}
	case is(err, "ValidationError", "OperationInProgressException") && strings.Contains(strings.ToLower(err.Error()), "already in progress"):
		return "", provisioners.Wait{For: "AWS", Words: "another comparison of stack " + st.Name}
	case err != nil:
		return "", judge(err, 0, false)
	}
	return sdk.ToString(out.StackDriftDetectionId), nil
}

// PollDrift tells whether a comparison has ended and what it found. A resource that CloudFormation could not compare is named, never
// counted as unchanged.
func (c *Clients) PollDrift(ctx context.Context, env models.Environment, id string) (bool, models.Drift, error) {
	done, found, err := c.pollDrift(ctx, env.Stack, id)
	return done, found, judge(err, 0, false)
}

func (c *Clients) pollDrift(ctx context.Context, st models.Stack, id string) (bool, models.Drift, error) {
	api := c.driftClient(st)
	status, err := api.DescribeStackDriftDetectionStatus(ctx, &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: &id})
	if is(err, "ValidationError") {
		return false, models.Drift{}, finalf("CloudFormation does not know comparison %s any more.", "Check again.", id)
	}
	if err != nil || status.DetectionStatus == cfn.StackDriftDetectionStatusDetectionInProgress {
		return false, models.Drift{}, err
	}
	found := models.Drift{State: models.DriftNone}
	if status.DetectionStatus == cfn.StackDriftDetectionStatusDetectionFailed { // some resources may have been compared all the same
		found.Failure = "CloudFormation could not compare everything: " + clip(sdk.ToString(status.DetectionStatusReason), 400)
	}
	compared, err := c.readDrifts(ctx, api, st, &found)
	if err != nil {
		return false, found, err
	}
	if err := c.readCoverage(ctx, api, st, compared, &found); err != nil {
		return false, found, err
	}
	switch {
	case len(found.Resources) > 0:
		found.State = models.DriftFound
	case found.Failure != "":
		found.State = models.DriftFailed
	}
	return true, found, nil
}

// readDrifts reads what was compared: by logical id, the drifted ones with their properties into found.
func (c *Clients) readDrifts(ctx context.Context, api *cloudformation.Client, st models.Stack, found *models.Drift) (map[string]bool, error) {
	var expected map[string]map[string]string
	compared := map[string]bool{}
	var next *string
	for range driftPages {
		out, err := api.DescribeStackResourceDrifts(ctx, &cloudformation.DescribeStackResourceDriftsInput{StackName: &st.Name, NextToken: next, MaxResults: sdk.Int32(100)})
		if err != nil {
			return nil, err
		}
		for _, d := range out.StackResourceDrifts {
			switch d.StackResourceDriftStatus {
			case cfn.StackResourceDriftStatusModified, cfn.StackResourceDriftStatusDeleted:
				if expected == nil {
					if expected, err = c.expectedDrift(ctx, api, st); err != nil {
						return nil, err
					}
				}
				found.Resources = append(found.Resources, driftOf(d, expected[sdk.ToString(d.LogicalResourceId)]))
			case cfn.StackResourceDriftStatusInSync:
			default:
				continue
			}
			compared[sdk.ToString(d.LogicalResourceId)] = true
		}
		if next = out.NextToken; next == nil {
			break
		}
	}
	found.Checked = len(compared)
	slices.SortFunc(found.Resources, func(a, b models.ResourceDrift) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return compared, nil
}

// readCoverage names the types of what was not compared.
func (c *Clients) readCoverage(ctx context.Context, api *cloudformation.Client, st models.Stack, compared map[string]bool, found *models.Drift) error {
	var next *string
	for range driftPages {
		out, err := api.ListStackResources(ctx, &cloudformation.ListStackResourcesInput{StackName: &st.Name, NextToken: next})
		if err != nil {
			return err
		}
		for _, r := range out.StackResourceSummaries {
			if typ := sdk.ToString(r.ResourceType); !compared[sdk.ToString(r.LogicalResourceId)] && r.ResourceStatus != cfn.ResourceStatusDeleteComplete && !slices.Contains(found.NotChecked, typ) {
				found.NotChecked = append(found.NotChecked, typ)
			}
		}
		if next = out.NextToken; next == nil {
			break
		}
	}
	slices.Sort(found.NotChecked)
	return nil
}

// expectedDrift reads from the stack's own template what its blueprint says moves by itself: path to reason, by logical id. A template
// that cannot be read expects nothing.
func (c *Clients) expectedDrift(ctx context.Context, api *cloudformation.Client, st models.Stack) (map[string]map[string]string, error) {
	expected := map[string]map[string]string{}
	out, err := api.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &st.Name, TemplateStage: cfn.TemplateStageOriginal})
	if err != nil {
		return nil, err
	}
	t, err := blueprint.Parse([]byte(sdk.ToString(out.TemplateBody)))
	if err != nil {
		c.Logger.WarnContext(ctx, "template not read for expected drift", "stack", st.Name, "account", st.Account, "err", err)
		return expected, nil
	}
	for _, r := range t.Resources {
		expected[r.ID] = r.ExpectedDrift
	}
	return expected, nil
}

// driftOf is one drifted resource. It is expected when every property that differs is.
func driftOf(d cfn.StackResourceDrift, expected map[string]string) models.ResourceDrift {
	r := models.ResourceDrift{LogicalID: sdk.ToString(d.LogicalResourceId), PhysicalID: sdk.ToString(d.PhysicalResourceId), Type: sdk.ToString(d.ResourceType),
		Status: string(d.StackResourceDriftStatus)}
	known := 0
	for _, p := range d.PropertyDifferences {
		path := sdk.ToString(p.PropertyPath)
		r.Properties = append(r.Properties, models.PropertyDrift{Path: path, Declared: clip(sdk.ToString(p.ExpectedValue), maxDriftText),
			Actual: clip(sdk.ToString(p.ActualValue), maxDriftText), Kind: string(p.DifferenceType)})
		if matchesPath(expected, path) {
			known++
		}
	}
	r.Expected = d.StackResourceDriftStatus == cfn.StackResourceDriftStatusModified && known > 0 && known == len(r.Properties)
	return r
}

// matchesPath tells whether a property's path is, or lies below, one of the expected ones; * stands for any one segment.
func matchesPath(expected map[string]string, path string) bool {
	have := strings.Split(strings.Trim(path, "/"), "/")
	for e := range expected {
		want := strings.Split(strings.Trim(e, "/"), "/")
		if len(want) <= len(have) && slices.EqualFunc(want, have[:len(want)], func(w, h string) bool { return w == "*" || w == h }) {
			return true
		}
	}
	return false
}

// noStack tells CloudFormation's way of saying that there is no such stack.
func noStack(err error) bool {
	return is(err, "ValidationError") && strings.Contains(err.Error(), "does not exist")
}
