package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"slipway/models"
)

const (
	longestClosed = 15 * time.Minute // of a circuit
	firstRetry    = 30 * time.Second
	longestRetry  = time.Hour
)

// End writes what a delivery came to, under its lease: a worker that lost it gets ErrStale, and whoever has it now decides.
func (o *Outbox) End(ctx context.Context, d models.Delivery, r models.Result) error {
	return o.s.tx(ctx, func(t *tx) error {
		state, next := models.NotePending, t.now().Add(max(retryAfter(d.Attempts), r.After))
		address := d.To
		if d.Channel == models.ByWebhook {
			address = d.Hook.Host
		}
		type since struct{ Since time.Time }
		row, err := many[since](t.db, `SELECT since FROM notifications WHERE id = ? AND generation = ? AND lease_owner = ? AND state = 'pending' FOR UPDATE`, d.ID, d.Generation, d.Owner)
		if err != nil {
			return fmt.Errorf("lock notification %s: %w", d.ID, err)
		}
		if len(row) == 0 {
			return models.ErrStale
		}
		switch {
		case r.OK:
			state = models.NoteSent
		case r.Unset:
			state = models.NoteNotConfigured
		case r.Permanent || t.now().Sub(row[0].Since) >= models.GiveUpAfter:
			state = models.NoteFailed
		}
		var ended *time.Time
		if state != models.NotePending {
			ended = timeOrNull(t.now())
		}
		err = t.db.Exec(`UPDATE notifications SET state = ?, error = ?, address = ?, next_at = ?, ended_at = ?, lease_owner = NULL, lease_until = NULL WHERE id = ?`,
			state, clipped(r.Error, 500), address, next, ended, d.ID).Error
		if err != nil {
			return fmt.Errorf("write the outcome of notification %s: %w", d.ID, err)
		}
		return t.circuit(d.Destination, r)
	})
}

// circuit counts failures of a destination in a row. The first success brings forward what waits for its next try.
func (t *tx) circuit(destination string, r models.Result) error {
	if !r.OK && !r.Theirs {
		return nil
	}
	type was struct{ Failures int }
	before, err := many[was](t.db, `SELECT failures FROM notification_destinations WHERE name = ? FOR UPDATE`, destination)
	if err != nil {
		return fmt.Errorf("read the circuit of %s: %w", destination, err)
	}
	failures := 0
	if len(before) > 0 {
		failures = before[0].Failures
	}
	var closed, okAt *time.Time
	switch {
	case r.OK && failures >= probeAt:
		if err := t.db.Exec(`UPDATE notifications SET next_at = ? WHERE destination = ? AND state = 'pending' AND lease_owner IS NULL AND next_at > ?`, t.now(), destination, t.now()).Error; err != nil {
			return fmt.Errorf("bring forward what waits for %s: %w", destination, err)
		}
		fallthrough
	case r.OK:
		failures, okAt = 0, timeOrNull(t.now())
	default:
		if failures++; failures >= circuitAt {
			closed = timeOrNull(t.now().Add(jitter(min(firstRetry<<min(failures-circuitAt, 10), longestClosed))))
		}
	}
	err = t.db.Exec(`INSERT INTO notification_destinations (name, failures, closed_until, error, ok_at, updated_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE
		SET failures = excluded.failures, closed_until = excluded.closed_until, error = excluded.error, ok_at = COALESCE(excluded.ok_at, notification_destinations.ok_at), updated_at = excluded.updated_at`,
		destination, failures, closed, clipped(r.Error, 500), okAt, t.now()).Error
	if err != nil {
		return fmt.Errorf("write the circuit of %s: %w", destination, err)
	}
	return nil
}

func retryAfter(attempts int) time.Duration {
	return jitter(min(firstRetry<<min(max(attempts-1, 0), 10), longestRetry))
}

// jitter spreads what would come at once: 80 to 120 percent.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + time.Duration(rand.Int64N(int64(d)*2/5+1))
}

// Release gives back what a worker that stops has not begun to send, or has no answer for yet.
func (o *Outbox) Release(ctx context.Context, owner string) error {
	_, err := o.s.pool.Exec(ctx, `UPDATE notifications SET lease_owner = NULL, lease_until = NULL, attempts = attempts - 1 WHERE lease_owner = $1`, owner)
	if err != nil {
		return fmt.Errorf("release notifications of %s: %w", owner, err)
	}
	return nil
}
