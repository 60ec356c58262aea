package views

import (
	"context"
	"io"

	"github.com/a-h/templ"
	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/models/price"
	"slipway/views/ui"
)

func estimateStories() []story {
	e := estimated()
	was := decimal.RequireFromString("71.10")
	regionless := price.Estimate{Region: "eu-west-1", Unpriced: true, NotEstimated: []string{"Without a price for eu-west-1 in the price file: NAT gateways, 2; KMS key"}}
	part := e
	part.Region, part.Unpriced, part.Lines = "eu-west-1", true, e.Lines[2:3]
	hibernated := price.Estimate{Region: "us-east-1", Notes: []string{"No tasks of Service run, so none are in the estimate."}}
	odd := e
	odd.Lines = []price.Line{{CostLine: models.CostLine{Item: hostile + long, Planned: decimal.RequireFromString("1234567.891")}, Resources: []string{long, hostile}, Key: "x", Source: hostile, Day: "some day"}}
	odd.NotEstimated, odd.Notes = []string{hostile, long}, []string{hostile}
	typed := map[string]string{"nat_data_gb": "100", "load_balancer_lcu": "lots"}
	fields := ui.UsageFields("usage-", e.Uses, typed, map[string]string{"load_balancer_lcu": "Use digits, with a point before decimals: 12.5."})
	show := func(e price.Estimate, o ui.EstimateOptions) templ.Component {
		return ui.EstimateOf(ui.EstimateFrom(e, o))
	}
	return []story{
		{"fragment-estimate", show(e, ui.EstimateOptions{ID: "estimate", Assumed: "Size S", Was: &was})},
		{"fragment-estimate-folded", show(e, ui.EstimateOptions{ID: "estimate", Folded: true})},
		{"fragment-estimate-no-prices", show(regionless, ui.EstimateOptions{ID: "estimate", Was: &was})},
		{"fragment-estimate-at-least", show(part, ui.EstimateOptions{ID: "estimate"})},
		{"fragment-estimate-nothing", show(hibernated, ui.EstimateOptions{ID: "estimate", Was: &was})},
		{"fragment-estimate-long", show(odd, ui.EstimateOptions{ID: "estimate", Assumed: hostile})},
		{"fragment-usage-fields", templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
			for _, f := range fields {
				if err := ui.FieldOf(f).Render(ctx, w); err != nil {
					return err
				}
			}
			return nil
		})},
	}
}

func estimated() price.Estimate {
	line := func(item, key, usage, unit, quantity, each, day string, from ...string) price.Line {
		q, p := decimal.RequireFromString(quantity), decimal.RequireFromString(each)
		return price.Line{CostLine: models.CostLine{Item: item, Planned: q.Mul(p)}, Resources: from, Key: key, Unit: unit, Quantity: q, UnitPrice: p, Usage: usage, Source: "Infracost golden test output", Day: day}
	}
	return price.Estimate{
		Lines: []price.Line{
			line("NAT gateways, 2", "nat.gateway", "", "gateway hours", "1460", "0.045", "2024-07-01", "NatA", "NatB"),
			line("Fargate processors, ARM, 1 vCPU", "fargate.arm.vcpu", "", "vCPU hours", "730", "0.03238", "2026-11-23", "Service", "Task"),
			line("KMS key", "kms.key", "", "", "1", "1", "2024-07-01", "LogKey"),
			line("Load balancer capacity, 1 LCU on average", "alb.lcu", "load_balancer_lcu", "LCU hours", "730", "0.008", "2024-07-01", "LoadBalancer"),
			line("Uses of keys, 10 × 10,000", "kms.requests", "kms_requests_10k", "× 10,000 requests", "10", "0.03", "2024-07-01", "LogKey"),
		},
		NotEstimated: []string{"Data between zones", "Container Insights of Cluster", "Data through NAT gateways: no amount is assumed"},
		Notes:        []string{"Nightly is off, so what it starts is not in the estimate."},
		Uses:         []string{"load_balancer_lcu", "nat_data_gb", "kms_requests_10k"}, Region: "us-east-1", Date: "2024-07-01",
	}
}
