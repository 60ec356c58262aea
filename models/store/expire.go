package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/models"
)

// ExpireRequests ends what nobody decided or went on with in time, by product time. Workers call it every few seconds. A request that
// cannot be ended does not keep the others.
func (s *Store) ExpireRequests(ctx context.Context) (int, error) {
	expired := 0
	var failed []error
	for _, state := range models.RequestStates() {
		life := state.Effects().ExpireIn
		if life == 0 {
			continue
		}
		type due struct{ ID string }
		rows, err := many[due](s.read(ctx), `SELECT id FROM requests WHERE state = ? AND state_since < ? ORDER BY state_since LIMIT 200`, state, s.clock.Now().Add(-life))
		if err != nil {
			return expired, translate(fmt.Errorf("look for requests to expire: %w", err))
		}
		for _, d := range rows {
			ended, err := s.expire(ctx, d.ID, state, life)
			if err != nil {
				failed = append(failed, fmt.Errorf("expire request %s: %w", d.ID, err))
			}
			if ended {
				expired++
			}
		}
	}
	return expired, errors.Join(failed...)
}

// expire ends a request that is still in the state for too long.
func (s *Store) expire(ctx context.Context, id string, state models.RequestState, life time.Duration) (ended bool, err error) {
	err = s.tx(ctx, func(t *tx) error {
		r, err := t.loadRequest(id)
		if ended = err == nil && r.State == state && t.now().Sub(r.StateSince) >= life; !ended {
			return err
		}
		return t.move(models.System("clock", ""), &r, models.Expired, models.ByClock, fmt.Sprintf("Nothing happened for %d days.", int(life.Hours()/24)))
	})
	return ended && err == nil, err
}
