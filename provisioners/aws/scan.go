package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"slipway/provisioners"
)

// Bounds of one scan.
const (
	scanPages = 5   // of 100 resources, read by one look
	scanLines = 500 // kept; beyond them the receipt says that there are more
)

// globalRegion is where the tags of what belongs to no region are listed.
var globalRegion = map[string]string{"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}

// scan is a search for everything that carries an object's owner tag, region by region. It is kept in the journal between looks.
type scan struct {
	Region int       `json:"region"` // index of the region that is looked through
	Token  string    `json:"token,omitempty"`
	Found  []scanned `json:"found,omitempty"`
	Unseen []string  `json:"unseen,omitempty"` // in words
	Seen   []string  `json:"seen,omitempty"`   // regions
	More   bool      `json:"more,omitempty"`
	ended  bool      // every region was looked through
}

// scanned is one thing that carries the tag.
type scanned struct {
	ARN    string    `json:"arn"`
	Region string    `json:"region"`
	Ends   time.Time `json:"ends,omitzero"`  // AWS deletes it by itself on that day
	Gone   bool      `json:"gone,omitempty"` // the tag's index still lists it, its service does not know it
}

// scanRegions are the allowed regions and the one where global things are listed.
func (c *Clients) scanRegions() []string {
	all := slices.Clone(c.Regions)
	if len(all) == 0 {
		all = []string{c.Region}
	}
	if global := globalRegion[c.partition]; global != "" && !slices.Contains(all, global) {
		all = append(all, global)
	}
	return all
}

// scanOn goes on with a scan for a tag's value for one look. What it may not see is written down, never taken for empty.
func (c *Clients) scanOn(ctx context.Context, account string, tag tagging.TagFilter, w who, s *scan) error {
	regions := c.scanRegions()
	for range scanPages {
		if s.Region >= len(regions) {
			break
		}
		region := regions[s.Region]
		more, err := c.scanPage(ctx, account, region, tag, w, s)
		var e *CallError
		switch {
		case err == nil && more:
			continue
		case err == nil:
			s.Seen = append(s.Seen, region)
		case errors.As(err, &e) && e.verdict(false) == final:
			s.Unseen = append(s.Unseen, fmt.Sprintf("Region %s: %s %s", region, e.fill(e.meaning().what), e.fill(e.meaning().next)))
		default:
			return err
		}
		s.Region, s.Token = s.Region+1, ""
	}
	s.ended = s.Region >= len(regions)
	return nil
}

// scanPage reads one page of a region.
func (c *Clients) scanPage(ctx context.Context, account, region string, tag tagging.TagFilter, w who, s *scan) (more bool, err error) {
	cfg := c.spoke(account, region, "read", policy(statement{Action: []string{"tag:GetResources", "kms:DescribeKey", "secretsmanager:DescribeSecret"}}), w)
	out, err := resourcegroupstaggingapi.NewFromConfig(cfg).GetResources(ctx, &resourcegroupstaggingapi.GetResourcesInput{
		TagFilters: []tagging.TagFilter{tag}, ResourcesPerPage: sdk.Int32(100), PaginationToken: nonEmpty(s.Token)})
	if is(err, "PaginationTokenExpiredException") {
		s.Token = ""
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, m := range out.ResourceTagMappingList {
		one := scanned{ARN: sdk.ToString(m.ResourceARN), Region: region}
		if slices.ContainsFunc(s.Found, func(f scanned) bool { return f.ARN == one.ARN }) {
			continue // read twice after an expired token, or global
		}
		if len(s.Found) >= scanLines {
			s.More = true
			break
		}
		if err := c.ending(ctx, cfg, &one); err != nil {
			s.Unseen = append(s.Unseen, fmt.Sprintf("Whether %s is already being deleted: %s", one.ARN, innermost(err)))
		}
		s.Found = append(s.Found, one)
	}
	s.Token = sdk.ToString(out.PaginationToken)
	return s.Token != "" && !s.More, nil
}

// ending finds out whether AWS deletes a key or secret by itself, and when.
func (c *Clients) ending(ctx context.Context, cfg sdk.Config, s *scanned) error {
	switch part := strings.SplitN(s.ARN, ":", 6); {
	case len(part) < 6:
	case part[2] == "kms" && strings.HasPrefix(part[5], "key/"):
		out, err := kms.NewFromConfig(cfg).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &s.ARN})
		if is(err, "NotFoundException") {
			s.Gone = true
			return nil
		}
		if err != nil {
			return err
		}
		if out.KeyMetadata != nil && out.KeyMetadata.KeyState == kmstypes.KeyStatePendingDeletion {
			s.Ends = sdk.ToTime(out.KeyMetadata.DeletionDate).UTC()
		}
	case part[2] == "secretsmanager":
		out, err := secretsmanager.NewFromConfig(cfg).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &s.ARN})
		if is(err, "ResourceNotFoundException") {
			s.Gone = true
			return nil
		}
		if err != nil {
			return err
		}
		s.Ends = sdk.ToTime(out.DeletedDate).UTC()
	}
	return nil
}

// named tells whether an ARN is that of a physical id.
func (s scanned) named(physical string) bool {
	if physical == "" {
		return false
	}
	arn := strings.TrimSuffix(s.ARN, ":*")
	physical = strings.TrimSuffix(physical, ":*")
	return arn == physical || strings.HasSuffix(arn, "/"+physical) || strings.HasSuffix(arn, ":"+physical)
}

// words are the type of a thing whose resource type is not known: service and kind, out of its ARN.
func (s scanned) words() string {
	part := strings.SplitN(s.ARN, ":", 6)
	if len(part) < 6 {
		return "unknown"
	}
	kind, _, _ := strings.Cut(strings.ReplaceAll(part[5], "/", ":"), ":")
	return strings.TrimSpace(part[2] + " " + kind)
}

// scanStep goes on with the scan of a run's step: More until every region was looked through.
func (o object) scanStep(ctx context.Context, run *provisioners.Run, tag, value string) (scan, provisioners.Result, error) {
	var s scan
	if len(run.Cursor) > 0 {
		if err := json.Unmarshal(run.Cursor, &s); err != nil {
			return s, absent, fmt.Errorf("read where the scan for %s goes on: %w", o.words(), err)
		}
	}
	if err := o.clients.scanOn(ctx, o.part.Account, tagging.TagFilter{Key: &tag, Values: []string{value}}, workOf(run), &s); err != nil || s.ended {
		return s, absent, err
	}
	cursor, err := json.Marshal(s)
	return s, provisioners.Result{Found: provisioners.More, Cursor: cursor}, err
}
