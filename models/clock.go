package models

import (
	"sync/atomic"
	"time"
)

// Clock tells the time. main passes one; nothing in models, store, provisioners or views reads the wall clock itself.
type Clock interface {
	Now() time.Time  // product time, UTC: wall time plus the development offset
	Wall() time.Time // wall time, UTC: sessions, saved forms, the job queue, times that AWS gave
}

// ShiftedClock is the wall clock plus an offset that only development builds ever set. The zero value is the wall clock.
type ShiftedClock struct{ offset atomic.Int64 }

// Now is product time in UTC.
func (c *ShiftedClock) Now() time.Time { return c.Wall().Add(c.Offset()) }

// Wall is wall time in UTC, cut to the microseconds that PostgreSQL keeps.
func (c *ShiftedClock) Wall() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Offset is how far product time is ahead of wall time.
func (c *ShiftedClock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// SetOffset moves product time; it never goes back.
func (c *ShiftedClock) SetOffset(d time.Duration) {
	for {
		old := c.offset.Load()
		if int64(d) <= old || c.offset.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}
