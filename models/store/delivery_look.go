package store

import (
	"context"
	"fmt"
	"time"

	"slipway/models"
)

// lookAfter is how old a reading may be, in wall time, before somebody who looks has the pipeline read again.
const lookAfter = 20 * time.Second

// LookAtPipeline brings the next reading of a calm pipeline forward because somebody looks at it: they see a push in seconds, and AWS is
// asked seldom about what nobody looks at. It changes nothing while executions move, and while AWS cannot be read.
func (s *Store) LookAtPipeline(ctx context.Context, actor models.Actor, p models.Pipeline) error {
	if !actor.SeesTenant(p.TenantID) || p.Every() != models.ReadCalm || p.ReadGap != nil || s.clock.Wall().Sub(p.ReadAt) < lookAfter {
		return nil
	}
	now := s.clock.Now()
	if err := s.read(ctx).Exec(`UPDATE pipelines SET read_due = ? WHERE id = ? AND read_due > ? AND NOT moving`, now, p.ID, now).Error; err != nil {
		return translate(fmt.Errorf("have pipeline %s read: %w", p.Name, err))
	}
	return nil
}
