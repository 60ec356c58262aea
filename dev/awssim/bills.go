package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/price"
)

// billLine is what a stack costs a month at one list price.
type billLine struct {
	Key     string          `json:"key"`             // of the price file
	Usage   string          `json:"usage,omitempty"` // the assumption it rests on; empty: fixed
	Monthly decimal.Decimal `json:"monthly"`
}

// listPrices are those Slipway estimates with, so that what is paid is what was estimated.
var listPrices = sync.OnceValues(func() (*price.List, error) { return price.Load(price.Default()) })

// bill keeps what a stack costs from now on, when it is other than before.
func (c *Call) bill(ctx context.Context, s *cfnStack, at time.Time) error {
	lines, err := c.linesOf(ctx, s)
	if err != nil {
		return err
	}
	text, err := json.Marshal(lines)
	if err != nil {
		return fmt.Errorf("bill of %s: %w", s.Name, err)
	}
	var same bool
	err = c.Tx.QueryRow(ctx, `SELECT lines = $2::jsonb FROM bills WHERE stack = $1 AND to_at IS NULL`, s.ID, text).Scan(&same)
	open := err == nil
	if err != nil && !isNoRows(err) {
		return fmt.Errorf("read the bill of %s: %w", s.Name, err)
	}
	b := &pgx.Batch{}
	if open && !same {
		b.Queue(`UPDATE bills SET to_at = greatest($2, from_at) WHERE stack = $1 AND to_at IS NULL`, s.ID, at)
	}
	if !same && len(lines) > 0 {
		b.Queue(`INSERT INTO bills (stack, account, region, tags, lines, from_at) VALUES ($1, $2, $3, $4, $5, $6)`, s.ID, s.Account, s.Region, jsonText(s.Definition.Tags), text, at)
	}
	if b.Len() == 0 {
		return nil
	}
	return c.send(ctx, s, b)
}

// linesOf prices what of a stack stands, with the estimator that plans use and the use that its
// blueprint assumes.
func (c *Call) linesOf(ctx context.Context, s *cfnStack) ([]billLine, error) {
	d := s.Definition
	if d.Template == "" && s.Next != nil {
		d = *s.Next
	}
	if s.Status == deleted || d.Template == "" {
		return nil, nil
	}
	t, err := d.template()
	if err != nil {
		return nil, fmt.Errorf("template of %s: %w", s.Name, err)
	}
	r, err := t.Resolve(s.inputs(d))
	if err != nil {
		return nil, fmt.Errorf("price %s: %w", s.Name, err)
	}
	standing, err := c.resources(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	live := map[string]*cfnResource{}
	for _, one := range standing {
		if one.live() && !one.gone && one.Physical != "" {
			live[one.ID] = one
		}
	}
	var there []blueprint.ResolvedResource
	for _, res := range r.Resources {
		if one := live[res.ID]; one != nil {
			res.Properties = one.Properties
			there = append(there, res)
		}
	}
	r.Resources = there
	return priced(s.Region, r, c.Sim.assumed(d))
}

// assumed is the use that a stack's blueprint assumes for its size.
func (s *Sim) assumed(d cfnDefinition) price.Usage {
	if s.opts.Usage == nil {
		return nil
	}
	usage, _ := price.ParseUsage(s.opts.Usage(d.Tags[models.TagBlueprint], d.Template, d.Parameters["Size"])) // what it cannot read is not used
	return usage
}

// priced are the lines of an estimate. Where the file has no price of a region, its origin's is
// taken: AWS gives nothing away.
func priced(region string, r *blueprint.Resolved, u price.Usage) ([]billLine, error) {
	list, err := listPrices()
	if err != nil {
		return nil, err
	}
	lines := list.EstimateTemplate("", region, r, u)
	if lines.Unpriced && region != list.Origin {
		lines.Lines = append(lines.Lines, missing(lines, list.EstimateTemplate("", list.Origin, r, u))...)
	}
	var out []billLine
	for _, l := range lines.Lines {
		if !l.Planned.IsZero() {
			out = append(out, billLine{Key: l.Key, Usage: l.Usage, Monthly: l.Planned})
		}
	}
	return out, nil
}

func missing(have, all models.Estimate) []models.EstimateLine {
	known := map[string]bool{}
	for _, l := range have.Lines {
		known[l.Key+"@"+l.Usage] = true
	}
	var out []models.EstimateLine
	for _, l := range all.Lines {
		if !known[l.Key+"@"+l.Usage] {
			out = append(out, l)
		}
	}
	return out
}

// billOld bills the stacks that stood before there were bills, and those of the demo organization.
func (c *Call) billOld(ctx context.Context) error {
	all, err := c.stacks(ctx, `status LIKE '%\_COMPLETE' AND status <> 'DELETE_COMPLETE' AND NOT EXISTS (SELECT 1 FROM bills b WHERE b.stack = stacks.id)`)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := c.bill(ctx, s, s.Created); err != nil {
			return err
		}
	}
	return nil
}

// billedService is what a bill calls the service that a price is of.
func billedService(key string) string {
	for _, of := range [][2]string{
		{"nat.", "EC2 - Other"}, {"data.", "EC2 - Other"}, {"ipv4", "Amazon Virtual Private Cloud"}, {"interface.", "Amazon Virtual Private Cloud"}, {"endpoint.", "Amazon Virtual Private Cloud"},
		{"alb", "Amazon Elastic Load Balancing"}, {"fargate.", "Amazon Elastic Container Service"}, {"waf.", "AWS WAF"}, {"kms.", "AWS Key Management Service"}, {"secret", "AWS Secrets Manager"},
		{"route53.", "Amazon Route 53"}, {"cloudwatch.", "AmazonCloudWatch"}, {"logs.", "AmazonCloudWatch"}, {"flowlogs.", "AmazonCloudWatch"}, {"ecr.", "Amazon EC2 Container Registry (ECR)"},
		{"s3.", "Amazon Simple Storage Service"}, {"cloudfront.", "Amazon CloudFront"}, {"xray.", "AWS X-Ray"}, {"sns.", "Amazon Simple Notification Service"}, {"eks.", "Amazon Elastic Container Service for Kubernetes"},
		{"config.", "AWS Config"},
	} {
		if strings.HasPrefix(key, of[0]) {
			return of[1]
		}
	}
	return "AWS Cost Explorer"
}

// billedRegion is where a price is paid: services of the whole world have none.
func billedRegion(key, region string) string {
	if strings.HasPrefix(key, "route53.") || strings.HasPrefix(key, "cloudfront.") {
		return "global"
	}
	return region
}
