package aws

import (
	"context"

	"slipway/models"
	"slipway/provisioners"
)

// accessChanges are the assignments of IAM Identity Center that end with the account.
func (e ending) accessChanges(context.Context, who, standing) ([]models.Change, error) {
	return nil, nil
}

// accessStep removes them.
func (e ending) accessStep() provisioners.Step { return provisioners.Step{} }
