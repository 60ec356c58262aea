package aws

import (
	"context"
	"slices"
	"strings"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/price"
	"slipway/provisioners"
)

// price puts to the draft what the order costs a month, beside what its object costs now.
func (o order) price(ctx context.Context, d *provisioners.Draft) error {
	resolved, err := o.resolve()
	if err != nil {
		return err
	}
	after, err := o.estimate(o.version, resolved, o.usage)
	if err != nil {
		return err
	}
	before, err := o.present(ctx)
	if err != nil {
		return err
	}
	d.Cost = append(d.Cost, price.Compare(before, after)...)
	if after.Date != "" && (d.PriceDate == "" || after.Date < d.PriceDate) {
		d.PriceDate = after.Date
	}
	for _, line := range o.version.Meta.Cost.NotEstimated {
		after.NotEstimated = append(after.NotEstimated, line.Note)
	}
	d.NotEstimated = append(d.NotEstimated, after.NotEstimated...)
	d.Estimate = joined(d.Estimate, after)
	return nil
}

// estimate prices a resolved template at the blueprint's assumption for its size, with what people changed of it.
func (o order) estimate(v blueprint.Version, resolved *blueprint.Resolved, changed map[string]string) (models.Estimate, error) {
	usage, problems := price.ParseUsage(over(assumption(v, resolved.Parameters["Size"]), changed))
	if len(problems) > 0 {
		var said []string
		for _, key := range sortedKeys(problems) {
			said = append(said, key+": "+problems[key])
		}
		return models.Estimate{}, lacking("The assumed use of %s cannot be priced: %s", "Correct the request, then plan again.", o.words(), strings.Join(said, " "))
	}
	return o.prices.EstimateTemplate(o.part.Name, o.part.Region, resolved, usage), nil
}

// assumption is the blueprint's profile of a size, or its smallest where sizes say nothing.
func assumption(v blueprint.Version, size string) map[string]string {
	for _, s := range []string{size, "S"} {
		if u, ok := v.Meta.Cost.Usage[s]; ok {
			return u
		}
	}
	return nil
}

// present is what the object costs now, at today's prices: those of its estimate may be older than what it is compared with.
func (o order) present(ctx context.Context) (models.Estimate, error) {
	if o.was == nil || o.part.Mode == models.StackCreate || o.was.Digest == "" {
		return models.Estimate{}, nil
	}
	v, err := o.books.BlueprintByDigest(ctx, o.was.Digest)
	if err != nil {
		return models.Estimate{}, err
	}
	template, err := v.Parse()
	if err != nil {
		return models.Estimate{}, finalf("The template of %s cannot be read: %v.", "Correct the blueprint, then plan again.", v.Ref(), err)
	}
	resolved, err := template.Resolve(blueprint.Inputs{Parameters: o.was.Parameters, Account: o.part.Account, Region: o.part.Region, StackName: o.part.StackName,
		Tags: o.part.Tags, Masked: true, Partition: o.clients.partition})
	if err != nil {
		return models.Estimate{}, finalf("What %s is made of now cannot be worked out: %v.", "Correct the blueprint, then plan again.", o.words(), err)
	}
	return o.estimate(v, resolved, o.wasUsage)
}

// joined is one estimate of two stacks.
func joined(whole *models.Estimate, more models.Estimate) *models.Estimate {
	if whole == nil {
		return &more
	}
	both := *whole
	both.Lines = append(slices.Clone(whole.Lines), more.Lines...)
	both.NotEstimated = unique(append(slices.Clone(whole.NotEstimated), more.NotEstimated...))
	both.Notes = unique(append(slices.Clone(whole.Notes), more.Notes...))
	both.Uses = unique(append(slices.Clone(whole.Uses), more.Uses...))
	both.Unpriced = whole.Unpriced || more.Unpriced
	if more.Date != "" && (both.Date == "" || more.Date < both.Date) {
		both.Date = more.Date
	}
	return &both
}
