package aws

import (
	"context"

	"slipway/models"
	"slipway/provisioners"
)

// accessChanges are the assignments of IAM Identity Center that end with the account: those that Slipway made, and no other.
func (e ending) accessChanges(ctx context.Context, w who, a standing) ([]models.Change, error) {
	return e.tenants.removals(ctx, w, a.Account)
}

// accessStep removes them.
func (e ending) accessStep() provisioners.Step {
	return place{Tenants: e.tenants, slug: e.tenant(), class: e.part.Class, part: e.part, step: e.step(stepAccessRemove)}.letOut()
}
