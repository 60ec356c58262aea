package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/models"
)

const (
	retentionSweep = "retention"      // its row's name, stored
	sweepBatch     = 1000             // rows of one transaction
	sweepLease     = time.Minute      // a replica that dies gives the sweep to another after this
	sweepStretch   = 20 * time.Second // of one call; what is left is done by the next
)

// ageing removes one batch of rows that are older than a time and says how many, and whether there may be more. It runs in the transaction
// that counts them.
type ageing func(t *tx, before time.Time, batch int) (removed int64, more bool, err error)

// sweptBy says how each kind of rows is removed, and by which clock it ages. What River removes itself has no entry.
var sweptBy = map[models.Swept]struct {
	wall bool
	do   ageing
}{
	models.SweptSessions: {true, deleted(`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE LEAST(expires_at, COALESCE(ended_at, expires_at)) < $1
		ORDER BY LEAST(expires_at, COALESCE(ended_at, expires_at)) LIMIT $2 FOR UPDATE SKIP LOCKED)`)},
	models.SweptSignIns:  {true, deleted(`DELETE FROM sign_ins WHERE state_hash IN (SELECT state_hash FROM sign_ins WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)`)},
	models.SweptLogouts:  {true, deleted(`DELETE FROM logout_tokens WHERE (issuer, jti) IN (SELECT issuer, jti FROM logout_tokens WHERE until < $1 ORDER BY until LIMIT $2)`)},
	models.SweptCITokens: {true, deleted(`DELETE FROM ci_tokens WHERE id IN (SELECT id FROM ci_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`)},
	models.SweptDrafts:   {true, deleted(`DELETE FROM saved_forms WHERE id IN (SELECT id FROM saved_forms WHERE saved_at < $1 ORDER BY saved_at LIMIT $2 FOR UPDATE SKIP LOCKED)`)},
	models.SweptKeys:     {false, sweepKeys},
	models.SweptEvents:   {false, sweepEvents},
	models.SweptWork:     {false, deleted(`DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE done AND created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)`)},
	models.SweptDrifts: {false, deleted(`DELETE FROM drifts WHERE id IN (SELECT d.id FROM drifts d WHERE d.started_at < $1 AND d.ended_at IS NOT NULL
		AND (d.accepted_until IS NULL OR d.accepted_until < $1) AND EXISTS (SELECT FROM drifts n WHERE n.object_id = d.object_id AND (n.started_at, n.id) > (d.started_at, d.id))
		ORDER BY d.started_at LIMIT $2 FOR UPDATE SKIP LOCKED)`)},
	models.SweptHealth: {true, deleted(`DELETE FROM health_changes WHERE id IN (SELECT id FROM health_changes WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)`)},
	models.SweptAlarms: {true, deleted(`DELETE FROM alarm_changes WHERE (environment_id, alarm, at) IN
		(SELECT environment_id, alarm, at FROM alarm_changes WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)`)},
	models.SweptNotices:   {false, sweepNotices},
	models.SweptCalls:     {true, deleted(`DELETE FROM aws_calls WHERE (hour, account) IN (SELECT hour, account FROM aws_calls WHERE hour < $1 ORDER BY hour LIMIT $2 FOR UPDATE SKIP LOCKED)`)},
	models.SweptProcesses: {true, deleted(`DELETE FROM processes WHERE owner IN (SELECT owner FROM processes WHERE seen_at < $1 ORDER BY seen_at LIMIT $2 FOR UPDATE SKIP LOCKED)`)},
	models.SweptCosts:     {true, sweepCosts},
	models.SweptSpends:    {true, sweepSpends},
	models.SweptMeter:     {true, deleted(`DELETE FROM metered_calls WHERE (day, api) IN (SELECT day, api FROM metered_calls WHERE day < $1::timestamptz ORDER BY day LIMIT $2 FOR UPDATE SKIP LOCKED)`)},

	models.SweptOrders:     {false, deleted(`DELETE FROM pipeline_orders WHERE id IN (SELECT id FROM pipeline_orders WHERE done_at < $1 ORDER BY done_at LIMIT $2 FOR UPDATE SKIP LOCKED)`)},
	models.SweptEvidence:   {true, deleted(sweepEvidence)},
	models.SweptScans:      {true, deleted(sweepScans)},
	models.SweptExecutions: {true, deleted(sweepExecutions)},
}

// deleted is an ageing by one statement: $1 is the time, $2 the batch.
func deleted(statement string) ageing {
	return func(t *tx, before time.Time, batch int) (int64, bool, error) {
		tag, err := t.pgx.Exec(t.ctx, statement, before, batch)
		return tag.RowsAffected(), tag.RowsAffected() == int64(batch), err
	}
}

// sweepKeys forgets the keys of forms that people sent. Those that Slipway itself makes say for ever what it has asked for already.
func sweepKeys(t *tx, before time.Time, batch int) (int64, bool, error) {
	requests, err := t.pgx.Exec(t.ctx, `UPDATE requests SET idempotency_key = 'swept:' || id WHERE id IN (SELECT r.id FROM requests r JOIN people p ON p.id = r.requester_id
		WHERE r.submitted_at < $1 AND r.idempotency_key NOT LIKE 'swept:%' AND p.issuer <> 'slipway' ORDER BY r.submitted_at LIMIT $2 FOR UPDATE OF r SKIP LOCKED)`, before, batch)
	if err != nil {
		return 0, false, err
	}
	comments, err := t.pgx.Exec(t.ctx, `UPDATE comments SET idempotency_key = 'swept:' || id WHERE id IN (SELECT id FROM comments
		WHERE at < $1 AND idempotency_key NOT LIKE 'swept:%' ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)`, before, batch)
	n, m := requests.RowsAffected(), comments.RowsAffected()
	return n + m, max(n, m) == int64(batch), err
}

// sweepEvents removes the log of runs that are over for good, and notes on the run that it did.
func sweepEvents(t *tx, before time.Time, batch int) (int64, bool, error) {
	const atOnce = 50
	rows, err := t.pgx.Query(t.ctx, `SELECT id::text FROM runs WHERE ended_at < $1 AND events_cleared_at IS NULL AND state IN ('succeeded', 'undone', 'abandoned')
		ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED`, before, atOnce)
	if err != nil {
		return 0, false, err
	}
	runs, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(runs) == 0 {
		return 0, false, err
	}
	tag, err := t.pgx.Exec(t.ctx, `DELETE FROM run_events WHERE id IN (SELECT id FROM run_events WHERE run_id = ANY($1::uuid[]) ORDER BY run_id, id LIMIT $2)`, runs, batch)
	if err != nil {
		return 0, false, err
	}
	_, err = t.pgx.Exec(t.ctx, `UPDATE runs SET events_cleared_at = $2 WHERE id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM run_events e WHERE e.run_id = runs.id)`, runs, t.now())
	return tag.RowsAffected(), len(runs) == atOnce || tag.RowsAffected() == int64(batch), err
}

// sweepNotices removes messages, and events whose messages are gone. What is still to be sent stays.
func sweepNotices(t *tx, before time.Time, batch int) (int64, bool, error) {
	messages, err := t.pgx.Exec(t.ctx, `DELETE FROM notifications WHERE id IN (SELECT id FROM notifications WHERE created_at < $1 AND state <> 'pending'
		ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)`, before, batch)
	if err != nil {
		return 0, false, err
	}
	events, err := t.pgx.Exec(t.ctx, `DELETE FROM notification_events WHERE id IN (SELECT e.id FROM notification_events e WHERE e.at < $1 AND e.told_at IS NOT NULL
		AND NOT EXISTS (SELECT FROM notifications n WHERE n.event_id = e.id) ORDER BY e.at LIMIT $2 FOR UPDATE SKIP LOCKED)`, before, batch)
	n, m := messages.RowsAffected(), events.RowsAffected()
	return n + m, max(n, m) == int64(batch), err
}

// errSwept says that another replica has the sweep now.
var errSwept = errors.New("another process has the sweep")

// Sweep removes what is older than models.Retentions says, when its night has come: by one process at a time, in small transactions, and from
// where it was cut short. It works for a short while at most; the next call goes on.
func (s *Store) Sweep(ctx context.Context, owner string) error {
	mine, err := s.takeSweep(ctx, owner)
	if err != nil || !mine {
		return err
	}
	began := s.clock.Wall()
	for _, r := range models.Retentions() {
		by, ours := sweptBy[r.Name]
		for more := ours; more; {
			if s.clock.Wall().Sub(began) > sweepStretch {
				return s.leaveSweep(ctx, owner)
			}
			now := s.clock.Now()
			if by.wall {
				now = s.clock.Wall()
			}
			if more, err = s.sweepOnce(ctx, owner, r.Name, by.do, now.Add(-r.Age)); errors.Is(err, errSwept) {
				return nil
			}
			if err != nil {
				return errors.Join(fmt.Errorf("sweep %s: %w", r.Name, err), s.leaveSweep(ctx, owner))
			}
		}
	}
	return s.endSweep(ctx, owner)
}

// takeSweep leases the sweep when it is due and nobody has it. One that was not finished goes on.
func (s *Store) takeSweep(ctx context.Context, owner string) (mine bool, err error) {
	err = s.tx(ctx, func(t *tx) error {
		mine = false
		if _, err := t.pgx.Exec(t.ctx, `INSERT INTO sweeps (name, due_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, retentionSweep, t.now()); err != nil {
			return fmt.Errorf("make the sweep's row: %w", err)
		}
		tag, err := t.pgx.Exec(t.ctx, `UPDATE sweeps SET lease_owner = $2, lease_until = clock_timestamp() + $3::interval,
				removed = CASE WHEN started_at IS NULL OR ended_at IS NOT NULL THEN '{}' ELSE removed END,
				started_at = CASE WHEN started_at IS NULL OR ended_at IS NOT NULL THEN $4::timestamptz ELSE started_at END, ended_at = NULL
			WHERE name = $1 AND due_at <= $4 AND (lease_until IS NULL OR lease_until < clock_timestamp())`, retentionSweep, owner, sweepLease, t.now())
		mine = tag.RowsAffected() == 1
		return err
	})
	return mine, err
}

// sweepOnce removes one batch, counts it and renews the lease, in one transaction.
func (s *Store) sweepOnce(ctx context.Context, owner string, name models.Swept, do ageing, before time.Time) (more bool, err error) {
	err = s.tx(ctx, func(t *tx) error {
		var n int64
		n, more, err = do(t, before, sweepBatch)
		if err != nil {
			return err
		}
		tag, err := t.pgx.Exec(t.ctx, `UPDATE sweeps SET lease_until = clock_timestamp() + $3::interval,
				removed = CASE WHEN $5::bigint > 0 THEN jsonb_set(removed, ARRAY[$4::text], to_jsonb(COALESCE((removed ->> $4::text)::bigint, 0) + $5::bigint)) ELSE removed END
			WHERE name = $1 AND lease_owner = $2`, retentionSweep, owner, sweepLease, string(name), n)
		if err == nil && tag.RowsAffected() == 0 {
			return errSwept
		}
		return err
	})
	return more, err
}

func (s *Store) leaveSweep(ctx context.Context, owner string) error {
	return s.tx(ctx, func(t *tx) error {
		_, err := t.pgx.Exec(t.ctx, `UPDATE sweeps SET lease_owner = NULL, lease_until = NULL WHERE name = $1 AND lease_owner = $2`, retentionSweep, owner)
		return err
	})
}

// endSweep writes that the night's work is done, and says in the audit log what was removed.
func (s *Store) endSweep(ctx context.Context, owner string) error {
	return s.tx(ctx, func(t *tx) error {
		var removed json.RawMessage
		err := t.pgx.QueryRow(t.ctx, `UPDATE sweeps SET lease_owner = NULL, lease_until = NULL, ended_at = $3, due_at = $4
			WHERE name = $1 AND lease_owner = $2 RETURNING removed`, retentionSweep, owner, t.now(), models.NextSweep(t.now())).Scan(&removed)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil || string(removed) == "{}" {
			return err
		}
		return t.audit(models.System("retention", ""), "retention.sweep", about{}, nil, removed)
	})
}
