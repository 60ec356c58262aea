package awssim

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

func costOperations() []operation {
	return []operation{
		handle("ce", "GetCostAndUsage", getCosts),
		handle("ce", "GetCostForecast", getForecast),
		handle("ce", "ListCostAllocationTags", listCostTags),
	}
}

// costTags is the setting with the keys by which costs are told apart: key to whether it is active.
const costTags = "cost-allocation-tags"

// costTagsOf are the keys that billing has seen. The demo organization's were switched on by its platform team.
func (c *Call) costTagsOf(ctx context.Context) (map[string]bool, error) {
	tags := map[string]bool{"slipway:tenant": true, "slipway:environment": true, "slipway:cost-centre": true}
	_, err := c.setting(ctx, demoManagement, "", costTags, &tags)
	return tags, err
}

// listCostTags is for the management account only, as all of billing is.
func listCostTags(ctx context.Context, c *Call, in *costexplorer.ListCostAllocationTagsInput) (*costexplorer.ListCostAllocationTagsOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	if c.Account != demoManagement {
		return nil, refuse(http.StatusBadRequest, "AccessDeniedException", "Linked account doesn't have access to cost allocation tags.")
	}
	tags, err := c.costTagsOf(ctx)
	if err != nil {
		return nil, err
	}
	out := []cetypes.CostAllocationTag{}
	for _, key := range sortedKeys(tags) {
		t := cetypes.CostAllocationTag{TagKey: &key, Type: cetypes.CostAllocationTagTypeUserDefined, Status: cetypes.CostAllocationTagStatusInactive,
			LastUsedDate: aws.String(c.Now.Format(time.RFC3339))}
		if tags[key] {
			t.Status = cetypes.CostAllocationTagStatusActive
		}
		if (in.Status == "" || in.Status == t.Status) && (in.Type == "" || in.Type == t.Type) && (len(in.TagKeys) == 0 || slices.Contains(in.TagKeys, key)) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b cetypes.CostAllocationTag) int { return strings.Compare(*a.TagKey, *b.TagKey) })
	some, next, err := page(out, in.NextToken, in.MaxResults, 1000)
	return &costexplorer.ListCostAllocationTagsOutput{CostAllocationTags: some, NextToken: next}, err
}
