package provisioners

import (
	"context"
	"errors"
	"fmt"

	"slipway/models"
)

// changeSetsAtOnce bounds one sweep, so that it stays within its deadline.
const changeSetsAtOnce = 20

// IdleSets is where the sweeper finds change sets that no plan needs any more.
type IdleSets interface {
	IdleChangeSets(ctx context.Context, limit int) ([]models.ChangeSet, error)
	EndedChangeSet(ctx context.Context, set models.ChangeSet, outcome string) error
}

// SweepChangeSets deletes the change sets of requests that have left the queue other than towards running. One that cannot be deleted
// does not keep the others.
func SweepChangeSets(sets IdleSets, aws ChangeSetDeleter) func(context.Context) error {
	return func(ctx context.Context) error {
		idle, err := sets.IdleChangeSets(ctx, changeSetsAtOnce)
		if err != nil {
			return err
		}
		var failed []error
		for _, set := range idle {
			if err := aws.DeleteChangeSet(ctx, set); err != nil {
				failed = append(failed, fmt.Errorf("delete change set %s of stack %s in %s: %w", set.Name, set.StackName, set.Account, err))
				continue
			}
			failed = append(failed, sets.EndedChangeSet(ctx, set, "deleted"))
		}
		return errors.Join(failed...)
	}
}
