package aws

import (
	"context"
	"slices"

	"slipway/models"
	"slipway/provisioners"
)

// readRow reads what Slipway knows of the object's stack.
func (o *order) readRow(ctx context.Context) error {
	st, err := o.books.StackOf(ctx, o.id())
	if models.KindOf(err) == models.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	o.was = &st
	return nil
}

// fill works out the parameters and what of the plan follows from the template. A kind that may change only what comes from one source
// leaves every other parameter as it was last given; so do those that change none.
func (o *order) fill(ctx context.Context, g *ground, inputs map[string]string, only string) error {
	var err error
	if o.template, err = o.version.Parse(); err != nil {
		return finalf("The template of %s cannot be read: %v.", "Correct the blueprint, then plan again.", o.version.Ref(), err)
	}
	o.part.Blueprint, o.part.Digest, o.part.TemplateHash = o.version.Ref(), o.version.Digest, templateHash(o.version.Template)
	if only != "" && o.was != nil {
		err = o.change(ctx, g, only)
	} else {
		var clean map[string]string
		if clean, err = chosen(o.version, inputs); err == nil {
			o.part.Parameters, err = g.parameters(ctx, o.version, o.template, clean)
		}
	}
	if err != nil {
		return err
	}
	if _, err := o.resolve(); err != nil {
		return finalf("%s cannot be planned with %s: %v.", "Correct the request or the blueprint, then plan again.", capital(o.words()), o.version.Ref(), err)
	}
	return nil
}

// change takes all parameters as they were last given but the one that comes from a source.
func (o *order) change(ctx context.Context, g *ground, source string) error {
	o.part.Parameters = over(o.was.Parameters, nil)
	if source == nothingElse {
		return nil
	}
	name := parameterOf(o.version, source)
	if name == "" {
		return lacking("%s has no parameter for that (%s), so this cannot be asked of it.", "Choose another way.", o.version.Ref(), source)
	}
	value, err := g.value(ctx, source)
	o.part.Parameters[name] = value
	return err
}

// nothingElse stands for no source: every parameter stays.
const nothingElse = "nothing"

// draft plans each stack of a request and puts cost and notes to it.
func (s *Stacks) draft(ctx context.Context, p provisioners.Planning, orders ...order) (provisioners.Draft, error) {
	d := provisioners.Draft{PriceDigest: s.prices.Digest}
	for _, o := range orders {
		part, err := o.plan(ctx, p)
		if err != nil {
			return d, err
		}
		d.Parts = append(d.Parts, part.part)
		d.Problems = append(d.Problems, part.problems...)
		d.Notes = append(d.Notes, o.notes...)
		if d.Region == "" {
			d.Region = o.part.Region
		}
		if err := o.price(ctx, &d); err != nil {
			return d, err
		}
	}
	d.NotEstimated = unique(d.NotEstimated)
	if d.Estimate != nil {
		d.Estimate.NotEstimated = slices.Clone(d.NotEstimated)
	}
	return d, nil
}
