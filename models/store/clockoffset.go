package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// clockSetting keeps how far product time is ahead of wall time. Only development builds ever write it.
const clockSetting = "clock_offset"

type clockOffset struct {
	Milliseconds int64 `json:"milliseconds"`
}

// MoveClock moves product time forward for every process and gives the new offset; this process has it when the call returns.
func (s *Store) MoveClock(ctx context.Context, actor models.Actor, by time.Duration) (time.Duration, error) {
	if by < 0 {
		return 0, models.Errorf(models.Invalid, "Product time only moves forward.")
	}
	var offset clockOffset
	err := s.tx(ctx, func(t *tx) error {
		before := clockOffset{}
		if err := t.setting(clockSetting, &before); err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
			return err
		}
		offset = clockOffset{before.Milliseconds + by.Milliseconds()}
		if err := t.setSetting(clockSetting, offset); err != nil {
			return err
		}
		if err := t.audit(actor, "clock.move", about{Type: "clock"}, before, offset); err != nil {
			return err
		}
		return t.notify("clock")
	})
	if err != nil {
		return 0, err
	}
	return offset.std(), s.ReadClock(ctx)
}

func (o clockOffset) std() time.Duration { return time.Duration(o.Milliseconds) * time.Millisecond }

// ReadClock brings this process's clock to the offset in the database; a clock that cannot be shifted stays.
func (s *Store) ReadClock(ctx context.Context) error {
	clock, ok := s.clock.(*models.ShiftedClock)
	if !ok {
		return nil
	}
	type row struct{ Value jsonb }
	r, err := one[row](s.read(ctx), `SELECT value FROM settings WHERE name = ?`, clockSetting)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return translate(fmt.Errorf("read the clock's offset: %w", err))
	}
	var offset clockOffset
	if err := r.Value.decode(&offset); err != nil {
		return err
	}
	clock.SetOffset(offset.std())
	return nil
}

// FollowClock keeps this process's clock at the database's offset until the context ends: told by notification, and looked up every
// two seconds in case one is missed.
func (s *Store) FollowClock(ctx context.Context, changes *Changes) {
	moved, stop := changes.Subscribe("clock")
	defer stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if err := s.ReadClock(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "clock offset not read", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-moved:
		case <-tick.C:
		}
	}
}
