package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"slipway/models"
)

// Journal is the truth of background work: what the engine knows survives any crash here. Leases and due times are set and compared
// with the database's clock, so that workers need not agree on the time.
type Journal struct{ s *Store }

// Journal gives the engine its memory.
func (s *Store) Journal() *Journal { return &Journal{s} }

// soon is below which a wake-up skips River's scheduler, which only looks every few seconds: the job is ready with its time in the
// future, as River itself writes short snoozes.
const soon = 5 * time.Second

// enqueue opens a journal row for the object, or takes the open one from whoever has it, and wakes it after the delay. What is in
// flight on an open row ends without effect.
func (t *tx) enqueue(kind models.JournalKind, objectID string, delay time.Duration) error {
	var wake models.WakeArgs
	var at time.Time
	err := t.pgx.QueryRow(t.ctx, `INSERT INTO journal (id, kind, object_id, next_at, created_at) VALUES ($1, $2, $3, clock_timestamp() + $4::interval, $5)
		ON CONFLICT (kind, object_id) WHERE NOT done DO UPDATE SET next_at = EXCLUDED.next_at, generation = journal.generation + 1,
			lease_owner = NULL, lease_until = NULL, attempts = 0
		RETURNING id, generation, next_at`, models.NewID(), kind, objectID, delay, t.now()).Scan(&wake.JournalID, &wake.Generation, &at)
	if err != nil {
		return fmt.Errorf("open journal row %s %s: %w", kind, objectID, err)
	}
	return t.wake(kind, wake, at, delay)
}

// nudge wakes an open row now, unless a call is in flight: that one's end looks at what has changed.
func (t *tx) nudge(kind models.JournalKind, objectID string) error {
	var wake models.WakeArgs
	err := t.pgx.QueryRow(t.ctx, `UPDATE journal SET next_at = clock_timestamp(), generation = generation + 1
		WHERE kind = $1 AND object_id = $2 AND NOT done AND lease_owner IS NULL RETURNING id, generation`, kind, objectID).Scan(&wake.JournalID, &wake.Generation)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("nudge journal row %s %s: %w", kind, objectID, err)
	}
	return t.wake(kind, wake, time.Time{}, 0)
}

// wake inserts River's job for a row.
func (t *tx) wake(kind models.JournalKind, wake models.WakeArgs, at time.Time, delay time.Duration) error {
	opts := &river.InsertOpts{MaxAttempts: 5, Queue: kind.Queue()}
	if delay > 0 {
		opts.ScheduledAt = at
	}
	job, err := t.s.river.InsertTx(t.ctx, t.pgx, wake, opts)
	if err != nil {
		return fmt.Errorf("insert wake-up of %s: %w", wake.JournalID, err)
	}
	if delay <= 0 || delay > soon {
		return nil
	}
	if _, err := t.pgx.Exec(t.ctx, `UPDATE river_job SET state = 'available' WHERE id = $1 AND state = 'scheduled'`, job.Job.ID); err != nil {
		return fmt.Errorf("ready wake-up of %s: %w", wake.JournalID, err)
	}
	return nil
}

// Take leases the row for one call. Nil: the wake-up is older than the row, or the row is done, leased or not due.
func (j *Journal) Take(ctx context.Context, wake models.WakeArgs, owner string, lease time.Duration) (*models.Job, error) {
	job := models.Job{ID: wake.JournalID, Owner: owner}
	var state []byte
	err := j.s.pool.QueryRow(ctx, `UPDATE journal SET lease_owner = $3, lease_until = clock_timestamp() + $4::interval
		WHERE id = $1 AND generation = $2 AND NOT done AND lease_owner IS NULL AND next_at <= clock_timestamp()
		RETURNING kind, object_id, generation, attempts, state`, wake.JournalID, wake.Generation, owner, lease).
		Scan(&job.Kind, &job.ObjectID, &job.Generation, &job.Attempts, &state)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take journal row %s: %w", wake.JournalID, translate(err))
	}
	job.State = state
	return &job, nil
}

// Renew prolongs a lease that still holds.
func (j *Journal) Renew(ctx context.Context, job models.Job, lease time.Duration) error {
	tag, err := j.s.pool.Exec(ctx, `UPDATE journal SET lease_until = clock_timestamp() + $4::interval
		WHERE id = $1 AND generation = $2 AND lease_owner = $3 AND lease_until > clock_timestamp() AND NOT done`, job.ID, job.Generation, job.Owner, lease)
	if err != nil {
		return fmt.Errorf("renew lease of %s: %w", job.ID, err)
	}
	if tag.RowsAffected() == 0 {
		return models.ErrStale
	}
	return nil
}

// Sweep takes what has a lapsed lease, or none and is over grace past due, by one UPDATE that raises the generation, and wakes it in
// the same transaction. Workers that sweep at the same time share the rows. What is late only because the queue is long keeps its place
// in it: its wake-up counts from when it was due, and the new times keep the order of the old ones.
func (j *Journal) Sweep(ctx context.Context, grace time.Duration) (int, error) {
	n := 0
	err := j.s.tx(ctx, func(t *tx) error {
		rows, err := t.pgx.Query(t.ctx, `WITH late AS (SELECT id, next_at FROM journal WHERE NOT done AND (lease_until < clock_timestamp()
				OR lease_owner IS NULL AND next_at < clock_timestamp() - $1::interval) ORDER BY next_at LIMIT 500 FOR UPDATE SKIP LOCKED),
			queue AS (SELECT id, next_at AS due, row_number() OVER (ORDER BY next_at, id) AS place FROM late)
			UPDATE journal SET generation = generation + 1, lease_owner = NULL, lease_until = NULL,
				next_at = clock_timestamp() - interval '10 milliseconds' + queue.place * interval '10 microseconds'
			FROM queue WHERE journal.id = queue.id RETURNING journal.id, generation, kind, due`, grace)
		if err != nil {
			return fmt.Errorf("sweep the journal: %w", err)
		}
		late, err := pgx.CollectRows(rows, pgx.RowToStructByPos[lateRow])
		if n = len(late); err != nil || n == 0 {
			return err
		}
		return t.wakeLate(late)
	})
	return n, err
}

// lateRow is a swept row of the journal.
type lateRow struct {
	JournalID  string
	Generation int64
	Kind       models.JournalKind
	Due        time.Time
}

// wakeLate inserts River's jobs for swept rows, each with its place in the queue.
func (t *tx) wakeLate(late []lateRow) error {
	many, due := make([]river.InsertManyParams, len(late)), make([]time.Time, len(late))
	for i, r := range late {
		many[i] = river.InsertManyParams{Args: models.WakeArgs{JournalID: r.JournalID, Generation: r.Generation}, InsertOpts: &river.InsertOpts{MaxAttempts: 5, Queue: r.Kind.Queue()}}
		due[i] = r.Due
	}
	jobs, err := t.s.river.InsertManyTx(t.ctx, t.pgx, many)
	if err != nil {
		return fmt.Errorf("wake swept rows: %w", err)
	}
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.Job.ID
	}
	// A time of its own at the insert would make River schedule the job, and wait for its scheduler.
	_, err = t.pgx.Exec(t.ctx, `UPDATE river_job r SET scheduled_at = d.due FROM unnest($1::bigint[], $2::timestamptz[]) AS d (id, due) WHERE r.id = d.id`, ids, due)
	if err != nil {
		return fmt.Errorf("place swept rows: %w", err)
	}
	return nil
}

// Release gives back every lease of a worker that stops; the sweep of another goes on at once with what is due.
func (j *Journal) Release(ctx context.Context, owner string) error {
	_, err := j.s.pool.Exec(ctx, `UPDATE journal SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = $1`, owner)
	if err != nil {
		return fmt.Errorf("release leases of %s: %w", owner, err)
	}
	return nil
}

// End writes the outcome of a job that has nothing else to write.
func (j *Journal) End(ctx context.Context, job models.Job, next models.NextCall) error {
	return j.s.tx(ctx, func(t *tx) error { return t.endJob(job, next) })
}

// Keep commits the job's state without ending it.
func (j *Journal) Keep(ctx context.Context, job models.Job, state any) error {
	return j.s.tx(ctx, func(t *tx) error {
		doc, err := document(state)
		if err != nil {
			return err
		}
		tag, err := t.pgx.Exec(t.ctx, `UPDATE journal SET state = $4::jsonb WHERE id = $1 AND generation = $2 AND lease_owner = $3 AND NOT done`,
			job.ID, job.Generation, job.Owner, string(doc))
		if err == nil && tag.RowsAffected() == 0 {
			err = models.ErrStale
		}
		return err
	})
}

// fence locks the job's row for this transaction and refuses a worker whose row was taken since.
func (t *tx) fence(job models.Job) error {
	var one int
	err := t.pgx.QueryRow(t.ctx, `SELECT 1 FROM journal WHERE id = $1 AND generation = $2 AND lease_owner = $3 AND NOT done FOR UPDATE`,
		job.ID, job.Generation, job.Owner).Scan(&one)
	if errors.Is(err, pgx.ErrNoRows) {
		return models.ErrStale
	}
	return err
}

// endJob ends a job in the transaction of its outcome: lease cleared, due time, next wake-up.
func (t *tx) endJob(job models.Job, next models.NextCall) error {
	var state *string
	if next.State != nil {
		doc, err := json.Marshal(next.State)
		if err != nil {
			return fmt.Errorf("encode state of %s: %w", job.ID, err)
		}
		text := string(doc)
		state = &text
	}
	var at time.Time
	err := t.pgx.QueryRow(t.ctx, `UPDATE journal SET lease_owner = NULL, lease_until = NULL, done = $4, next_at = clock_timestamp() + $5::interval,
			attempts = $6, state = COALESCE($7::jsonb, state)
		WHERE id = $1 AND generation = $2 AND lease_owner = $3 AND NOT done RETURNING next_at`,
		job.ID, job.Generation, job.Owner, next.Done, next.Delay, next.Attempts, state).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return models.ErrStale
	}
	if err != nil {
		return fmt.Errorf("end job %s: %w", job.ID, err)
	}
	if next.Done {
		return nil
	}
	return t.wake(job.Kind, models.WakeArgs{JournalID: job.ID, Generation: job.Generation}, at, next.Delay)
}
