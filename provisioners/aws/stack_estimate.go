package aws

import (
	"context"

	"slipway/provisioners"
)

// price puts what the order costs a month to the draft.
func (o order) price(context.Context, *provisioners.Draft) error { return nil }
