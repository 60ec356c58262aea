package store

import (
	"context"
	"errors"
)

// Tidy does what time asks for: ends requests nobody went on with, writes counted denials, deletes ended sessions and old
// drafts. Any number of processes may call it, every few seconds.
func (s *Store) Tidy(ctx context.Context) error {
	_, denied := s.FlushDenied(ctx)
	_, expired := s.ExpireRequests(ctx)
	return errors.Join(denied, expired, s.SweepSessions(ctx), s.SweepForms(ctx))
}
