package store

import (
	"context"
	"errors"
)

// Tidy does what time asks for at once: ends requests nobody went on with, writes counted denials. Any number of processes may call it,
// every few seconds. What only grows old is Sweep's.
func (s *Store) Tidy(ctx context.Context) error {
	_, denied := s.FlushDenied(ctx)
	_, expired := s.ExpireRequests(ctx)
	return errors.Join(denied, expired)
}
