package awssim

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
)

func taggingOperations() []operation {
	return []operation{handle("tag", "GetResources", getResources)}
}

// getResources finds everything in the account and region that has tags: of stacks, of stacks
// that are gone but left it behind, and keys that wait for their deletion. What is global is
// found in us-east-1, where AWS keeps it.
func getResources(ctx context.Context, c *Call, in *tagging.GetResourcesInput) (*tagging.GetResourcesOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	if len(in.TagFilters) > 50 || len(in.ResourceARNList) > 100 || (len(in.ResourceARNList) > 0 && (len(in.TagFilters) > 0 || in.ResourcesPerPage != nil)) {
		return nil, refuse(http.StatusBadRequest, "InvalidParameterException", "ResourceARNList cannot be combined with TagFilters or ResourcesPerPage, and no list may be too long.")
	}
	if in.ExcludeCompliantResources != nil || in.IncludeComplianceDetails != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidParameterException", "The simulator plays no tag policies.")
	}
	all, err := c.things(ctx, `account = $1 AND tags <> '{}'`, c.Account)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t *thing) bool {
		return taggedIn(t) != c.Region || !tagsFit(t.Tags, in.TagFilters) || !typeFits(t.ARN, in.ResourceTypeFilters) || (len(in.ResourceARNList) > 0 && !slices.Contains(in.ResourceARNList, t.ARN))
	})
	slices.SortFunc(all, func(a, b *thing) int { return strings.Compare(a.ARN, b.ARN) })
	most := in.ResourcesPerPage
	if most != nil && (*most < 1 || *most > 100) {
		return nil, refuse(http.StatusBadRequest, "InvalidParameterException", "ResourcesPerPage must be between 1 and 100")
	}
	if most == nil {
		most = aws.Int32(50)
	}
	token := in.PaginationToken
	if aws.ToString(token) == "" {
		token = nil
	}
	some, next, err := page(all, token, most, 100)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "PaginationTokenExpiredException", "A PaginationToken is valid for a maximum of 15 minutes.")
	}
	if next == nil {
		next = aws.String("") // this is how the last page looks
	}
	out := &tagging.GetResourcesOutput{PaginationToken: next, ResourceTagMappingList: []tagtypes.ResourceTagMapping{}}
	for _, t := range some {
		m := tagtypes.ResourceTagMapping{ResourceARN: aws.String(strings.TrimSuffix(t.ARN, ":*")), Tags: []tagtypes.Tag{}}
		for _, k := range sortedKeys(t.Tags) {
			m.Tags = append(m.Tags, tagtypes.Tag{Key: aws.String(k), Value: aws.String(t.Tags[k])})
		}
		out.ResourceTagMappingList = append(out.ResourceTagMappingList, m)
	}
	return out, nil
}

// taggedIn is the region whose tagging service knows a thing.
func taggedIn(t *thing) string {
	switch parts := strings.SplitN(t.ARN, ":", 5); {
	case len(parts) == 5 && slices.Contains([]string{"cloudfront", "iam", "route53"}, parts[2]):
		return "us-east-1"
	}
	return t.Region
}

// tagsFit: every filter must hold; within one, any of its values.
func tagsFit(tags map[string]string, filters []tagtypes.TagFilter) bool {
	for _, f := range filters {
		v, has := tags[aws.ToString(f.Key)]
		if !has || (len(f.Values) > 0 && !slices.Contains(f.Values, v)) {
			return false
		}
	}
	return true
}

// typeFits matches service and, where given, resource type: "ecs", "elasticloadbalancing:loadbalancer".
func typeFits(a string, filters []string) bool {
	if len(filters) == 0 {
		return true
	}
	parts := strings.SplitN(a, ":", 6)
	if len(parts) != 6 {
		return false
	}
	kind := parts[5]
	if i := strings.IndexAny(kind, "/:"); i >= 0 {
		kind = kind[:i]
	}
	return slices.ContainsFunc(filters, func(f string) bool {
		service, want, typed := strings.Cut(f, ":")
		return service == parts[2] && (!typed || want == kind)
	})
}
