package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"slipway/models"
)

// ClaimRecheck gives one caller, over all processes, the right to use a session's refresh token: a provider that sees a token twice
// ends it. Conflict: it is not due, somebody else has it, or the session is over. The lease goes by the database's clock; when it
// lapses without an outcome, whoever claims next is told that the token may be used up.
func (s *Store) ClaimRecheck(ctx context.Context, _ models.Actor, sessionID string, due, now time.Time, lease time.Duration) (r models.Recheck, err error) {
	err = s.tx(ctx, func(t *tx) error {
		type row struct {
			Fence                                int64
			Issuer, Subject, PersonID, NonceHash string
			RefreshToken                         []byte
			Doubt                                bool
		}
		rows, err := many[row](t.db, `UPDATE sessions n SET recheck_fence = o.recheck_fence + 1, recheck_lease = clock_timestamp() + make_interval(secs => ?), recheck_doubt = true
			FROM (SELECT id, recheck_fence, recheck_doubt FROM sessions WHERE id = ? AND ended_at IS NULL AND refresh_token IS NOT NULL
				AND COALESCE(checked_at, created_at) <= ? AND (recheck_next IS NULL OR recheck_next <= ?)
				AND (recheck_lease IS NULL OR recheck_lease < clock_timestamp()) FOR UPDATE) o
			WHERE n.id = o.id RETURNING n.recheck_fence AS fence, n.issuer, n.subject, n.person_id, n.nonce_hash, n.refresh_token, o.recheck_doubt AS doubt`,
			lease.Seconds(), sessionID, due, now)
		if err != nil {
			return fmt.Errorf("claim the refresh token of session %s: %w", sessionID, err)
		}
		if len(rows) == 0 {
			return models.Errorf(models.Conflict, "The refresh token is not due, or somebody else uses it.")
		}
		r = models.Recheck{SessionID: sessionID, Fence: rows[0].Fence, Issuer: rows[0].Issuer, Subject: rows[0].Subject, PersonID: rows[0].PersonID,
			NonceHash: rows[0].NonceHash, RefreshToken: rows[0].RefreshToken, Doubt: rows[0].Doubt}
		return nil
	})
	return r, err
}

// SettleRecheck writes what came of a recheck. Conflict: the lease has lapsed and somebody else has claimed the token since.
func (s *Store) SettleRecheck(ctx context.Context, actor models.Actor, r models.Recheck, out models.RecheckOutcome) error {
	return s.tx(ctx, func(t *tx) error {
		tag, err := t.pgx.Exec(t.ctx, `UPDATE sessions SET recheck_lease = NULL, recheck_doubt = $1, recheck_next = $2,
			refresh_token = CASE WHEN $3 THEN NULL ELSE COALESCE($4::bytea, refresh_token) END, id_token = COALESCE($5::bytea, id_token),
			checked_at = CASE WHEN $6 THEN $7::timestamptz ELSE checked_at END, failing_since = CASE WHEN $6 THEN NULL ELSE COALESCE(failing_since, $7::timestamptz) END
			WHERE id = $8 AND recheck_fence = $9 AND ended_at IS NULL`,
			out.Doubt, timeOrNull(out.Next), out.Lost, out.RefreshToken, out.IDToken, out.Vouched, out.At, r.SessionID, r.Fence)
		if err != nil {
			return fmt.Errorf("settle the recheck of session %s: %w", r.SessionID, err)
		}
		if tag.RowsAffected() == 0 {
			return models.Errorf(models.Conflict, "The session is over, or somebody else checks it.")
		}
		switch {
		case out.Vouched:
			return t.regroup(actor, r.PersonID, out)
		case out.Ended != "":
			return t.endBecause(actor, r.SessionID, out.Ended, out.Reason, out.At)
		}
		return nil
	})
}

// regroup writes a person's groups as the provider gives them now. A change is audited; it counts from the next request on.
func (t *tx) regroup(actor models.Actor, personID string, out models.RecheckOutcome) error {
	before, err := t.s.actorOf(t.db, personID)
	if err != nil {
		return err
	}
	err = t.db.Exec(`UPDATE people SET groups = ?, groups_seen_at = ? WHERE id = ? AND groups_seen_at <= ?`, texts(out.Groups), out.At, personID, out.At).Error
	if err != nil {
		return fmt.Errorf("write the groups of %s: %w", personID, err)
	}
	after, err := t.s.actorOf(t.db, personID)
	if err != nil || slices.Equal(before.Person.Groups, after.Person.Groups) {
		return err
	}
	return t.audit(actor, "auth.groups_changed", aboutPerson(after.Person), map[string]any{"groups": before.Person.Groups, "roles": before.Roles},
		map[string]any{"groups": after.Person.Groups, "roles": after.Roles})
}

// EndUnconfirmed ends a session that the provider has not vouched for in time.
func (s *Store) EndUnconfirmed(ctx context.Context, actor models.Actor, sessionID string, at time.Time) error {
	return s.tx(ctx, func(t *tx) error {
		return t.endBecause(actor, sessionID, models.EndedUnsure, "the identity provider has not confirmed the groups in time", at)
	})
}

// endBecause ends a session without its person's doing, once.
func (t *tx) endBecause(actor models.Actor, sessionID string, why models.EndReason, reason string, at time.Time) error {
	type row struct{ ID, Name string }
	ended, err := many[row](t.db, `UPDATE sessions s SET ended_at = ?, ended_why = ?, refresh_token = NULL, id_token = NULL FROM people p
		WHERE s.id = ? AND s.ended_at IS NULL AND p.id = s.person_id RETURNING p.id, p.name`, at, why, sessionID)
	if err != nil {
		return fmt.Errorf("end session %s: %w", sessionID, err)
	}
	if len(ended) == 0 {
		return nil
	}
	return t.audit(actor, "auth.session_ended", about{Type: "person", ID: ended[0].ID, Name: ended[0].Name}, nil, map[string]any{"why": why, "reason": clip(reason)})
}
