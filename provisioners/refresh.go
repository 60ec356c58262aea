package provisioners

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/models"
)

// accountsAtOnce bounds one sweep: AWS is asked slowly, and the next sweep goes on with the oldest.
const accountsAtOnce = 20

// StaleAccounts lists accounts whose state AWS was last asked for before a moment of wall time, the longest ago first.
type StaleAccounts interface {
	StaleAccounts(ctx context.Context, before time.Time, limit int) ([]models.Account, error)
}

// SweepAccounts asks AWS anew for the accounts that were not asked for since age ago, so that pages show how an account stands although
// no run is on it. One that cannot be read does not keep the others from it.
func SweepAccounts(accounts StaleAccounts, clock models.Clock, age time.Duration, refresh func(context.Context, models.Account) error) func(context.Context) error {
	return func(ctx context.Context) error {
		stale, err := accounts.StaleAccounts(ctx, clock.Wall().Add(-age), accountsAtOnce)
		if err != nil {
			return err
		}
		var failed []error
		for _, a := range stale {
			if err := refresh(ctx, a); err != nil {
				failed = append(failed, fmt.Errorf("ask AWS for account %s: %w", a.Name, err))
			}
		}
		return errors.Join(failed...)
	}
}
