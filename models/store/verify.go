package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/models"
)

// Verify reads the whole chain in one snapshot, a row at a time, and reports what does not hold. Anchors are heads kept elsewhere.
func (s *Store) Verify(ctx context.Context, anchors ...models.Anchor) (models.AuditReport, error) {
	r := models.AuditReport{Anchors: len(anchors)}
	kept := map[int64][]models.Anchor{}
	for _, a := range anchors {
		kept[a.Seq] = append(kept[a.Seq], a)
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return r, translate(err)
	}
	defer closeQuietly(conn)
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		if err := verifyChain(ctx, tx, kept, &r); err != nil {
			return err
		}
		return s.unsealed(ctx, tx, &r)
	})
	if err != nil {
		return r, translate(fmt.Errorf("verify the audit log: %w", err))
	}
	for seq, beyond := range kept { // those that the chain has are taken out; one that is missing inside of it is the gap
		for _, a := range beyond {
			if seq > r.Head.Seq {
				r.Doubts = append(r.Doubts, models.Doubt{Anchor: a})
			}
		}
	}
	slices.SortFunc(r.Doubts, func(a, b models.Doubt) int {
		return cmp.Or(cmp.Compare(a.Anchor.Seq, b.Anchor.Seq), a.Anchor.At.Compare(b.Anchor.At))
	})
	return r, nil
}

type sealRow struct {
	seq   int64
	hash  []byte
	at    time.Time
	entry *models.AuditEntry // nil: the entry itself is gone
}

func verifyChain(ctx context.Context, tx pgx.Tx, kept map[int64][]models.Anchor, r *models.AuditReport) error {
	rows, err := tx.Query(ctx, `SELECT s.seq, s.hash, s.sealed_at, s.entry_id, e.id IS NOT NULL, COALESCE(e.at, s.sealed_at), COALESCE(e.actor_id, ''), COALESCE(e.actor, ''),
			COALESCE(e.role, ''), COALESCE(e.action, ''), COALESCE(e.object_type, ''), COALESCE(e.object_id, ''), COALESCE(e.object_name, ''),
			COALESCE(e.tenant_id, ''), COALESCE(e.request_id, ''), COALESCE(e.address, ''), e.before, e.after
		FROM audit_seals s LEFT JOIN audit_entries e ON e.id = s.entry_id ORDER BY s.seq`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var prev []byte
	for rows.Next() {
		row, err := scanSeal(rows)
		if err != nil {
			return err
		}
		if err := verifyRow(row, prev, r); err != nil {
			return err
		}
		for _, a := range kept[row.seq] {
			if a.Sum != r.Head.Sum() {
				r.Doubts = append(r.Doubts, models.Doubt{Anchor: a, Chain: r.Head})
			}
		}
		delete(kept, row.seq)
		prev = row.hash // goes on from what is stored, so that one broken entry is one finding
	}
	return rows.Err()
}

func scanSeal(rows pgx.Rows) (sealRow, error) {
	var row sealRow
	var e models.AuditEntry
	var there bool
	var before, after []byte
	err := rows.Scan(&row.seq, &row.hash, &row.at, &e.ID, &there, &e.At, &e.ActorID, &e.Actor, &e.Role, &e.Action, &e.ObjectType, &e.ObjectID, &e.ObjectName,
		&e.TenantID, &e.RequestID, &e.Address, &before, &after)
	if e.Before, e.After = before, after; there {
		row.entry = &e
	}
	return row, err
}

func verifyRow(row sealRow, prev []byte, r *models.AuditReport) error {
	if want := r.Head.Seq + 1; row.seq != want && r.Gap == 0 {
		r.Gap = want
	}
	broken := ""
	if row.entry == nil {
		broken = "the entry is gone, its seal is still there"
	} else {
		hash, err := chain(prev, *row.entry)
		if err != nil {
			return err
		}
		if !bytes.Equal(hash, row.hash) {
			broken = fmt.Sprintf("entry %s (%s by %s) is not what was sealed, or follows another entry than before", row.entry.ID, row.entry.Action, row.entry.Actor)
		}
	}
	if broken != "" && r.BrokenAt == 0 {
		r.BrokenAt, r.Broken = row.seq, broken
	}
	r.Sealed++
	r.Head = models.AuditHead{Seq: row.seq, Hash: row.hash, At: row.at}
	return nil
}

// unsealed measures the tail that no seal covers yet.
func (s *Store) unsealed(ctx context.Context, tx pgx.Tx, r *models.AuditReport) error {
	var oldest *time.Time
	err := tx.QueryRow(ctx, `SELECT count(*), min(e.at) FROM audit_entries e WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id)`).Scan(&r.Unsealed, &oldest)
	if err == nil && oldest != nil {
		r.UnsealedAge = max(0, s.clock.Now().Sub(*oldest))
	}
	return err
}
