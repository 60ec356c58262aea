package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/jackc/pgx/v5"

	"slipway/models"
)

// sealLock is the session advisory lock of the one sealer of a database. Never change it: two releases must exclude each other.
const sealLock = 7_146_502

// SealOptions are the sealer's rhythm.
type SealOptions struct {
	Every       time.Duration                                 // between looks; 0: 500 ms
	Batch       int                                           // entries of one transaction; 0: 1000
	AnchorEvery time.Duration                                 // how often the head is logged and anchored; 0: one minute
	Anchor      func(context.Context, models.AuditHead) error // keeps the head elsewhere; nil: the log only
}

// sealer chains committed entries. It writes on the connection that holds the lock, so that losing the lock means losing the pen.
type sealer struct {
	s    *Store
	o    SealOptions
	conn *pgx.Conn
	head models.AuditHead
}

// Seal chains audit entries until the context ends or the connection is lost. Every worker may call it; one at a time seals, the others
// wait for the lock.
func (s *Store) Seal(ctx context.Context, o SealOptions) error {
	if o.Every == 0 {
		o.Every = 500 * time.Millisecond
	}
	if o.Batch == 0 {
		o.Batch = 1000
	}
	if o.AnchorEvery == 0 {
		o.AnchorEvery = time.Minute
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer closeQuietly(conn)
	w := &sealer{s: s, o: o, conn: conn}
	if err := w.lock(ctx); err != nil {
		return err
	}
	if err := w.readHead(ctx); err != nil {
		return err
	}
	return w.run(ctx)
}

func (w *sealer) lock(ctx context.Context) error {
	for {
		var mine bool
		if err := w.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, sealLock).Scan(&mine); err != nil {
			return fmt.Errorf("ask for the sealer's lock: %w", err)
		}
		if mine {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(w.o.Every):
		}
	}
}

func (w *sealer) readHead(ctx context.Context) error {
	err := w.conn.QueryRow(ctx, `SELECT seq, hash, sealed_at FROM audit_seals ORDER BY seq DESC LIMIT 1`).Scan(&w.head.Seq, &w.head.Hash, &w.head.At)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("read the head of the chain: %w", err)
	}
	return nil
}

// run seals at every tick what is new. Entries are found by how young their identifier is, which is cheap; one whose transaction took
// longer to commit is found by the wider looks that come less often.
func (w *sealer) run(ctx context.Context) error {
	var anchored, looked, searched time.Time
	for {
		now := w.s.clock.Wall()
		reach := 15 * time.Second // longer than any page's transaction
		switch {
		case now.Sub(searched) >= 10*time.Minute:
			reach, searched, looked = 0, now, now // everything
		case now.Sub(looked) >= time.Minute:
			reach, looked = time.Hour, now
		}
		if err := w.catchUp(ctx, reach); err != nil {
			return err
		}
		if now.Sub(anchored) >= w.o.AnchorEvery && w.head.Seq > 0 {
			anchored = now
			w.anchor(ctx)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(w.o.Every):
		}
	}
}

// catchUp seals batches until none is full, each from where the one before ended.
func (w *sealer) catchUp(ctx context.Context, reach time.Duration) error {
	from := "00000000-0000-0000-0000-000000000000"
	if reach > 0 {
		from = idFrom(w.s.clock.Wall().Add(-reach))
	}
	for {
		n, last, err := w.batch(ctx, from)
		if err != nil || n < w.o.Batch {
			return err
		}
		from = last
	}
}

// anchor puts the head where a rewritten chain cannot reach. A failed anchor is logged and tried again a minute later: sealing goes on.
func (w *sealer) anchor(ctx context.Context) {
	w.s.log.InfoContext(ctx, "audit head", "anchor", w.head.String())
	if w.o.Anchor == nil {
		return
	}
	within, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := w.o.Anchor(within, w.head); err != nil {
		w.s.log.ErrorContext(ctx, "audit head not anchored", "seq", w.head.Seq, "err", err)
	}
}

const entryColumns = `e.id, e.at, e.actor_id, e.actor, e.role, e.action, e.object_type, e.object_id, e.object_name, e.tenant_id, e.request_id, e.address, e.before, e.after`

// batch seals the oldest unsealed entries from an identifier on, in one transaction, and tells the last it has seen.
func (w *sealer) batch(ctx context.Context, from string) (n int, last string, err error) {
	rows, err := w.conn.Query(ctx, `SELECT `+entryColumns+` FROM audit_entries e WHERE e.id >= $1
		AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id) ORDER BY e.id LIMIT $2`, from, w.o.Batch)
	if err != nil {
		return 0, "", fmt.Errorf("read unsealed entries: %w", err)
	}
	entries, err := pgx.CollectRows(rows, scanEntry)
	if err != nil || len(entries) == 0 {
		return 0, "", err
	}
	head := w.head
	head.At = w.s.clock.Now()
	seqs, ids, hashes := make([]int64, len(entries)), make([]string, len(entries)), make([][]byte, len(entries))
	for i, e := range entries {
		if head.Hash, err = chain(head.Hash, e); err != nil {
			return 0, "", err
		}
		head.Seq++
		seqs[i], ids[i], hashes[i] = head.Seq, e.ID, head.Hash
	}
	_, err = w.conn.Exec(ctx, `INSERT INTO audit_seals (seq, entry_id, hash, sealed_at) SELECT seq, id, hash, $4 FROM unnest($1::bigint[], $2::uuid[], $3::bytea[]) AS n (seq, id, hash)`,
		seqs, ids, hashes, head.At)
	if err != nil {
		return 0, "", fmt.Errorf("write seals: %w", err)
	}
	w.head = head
	return len(entries), ids[len(ids)-1], nil
}

// idFrom is the smallest identifier made at a time or later: version 7 begins with the milliseconds.
func idFrom(at time.Time) string {
	ms := fmt.Sprintf("%012x", at.UnixMilli())
	return ms[:8] + "-" + ms[8:] + "-7000-8000-000000000000"
}

func scanEntry(row pgx.CollectableRow) (models.AuditEntry, error) {
	var e models.AuditEntry
	var before, after []byte
	err := row.Scan(&e.ID, &e.At, &e.ActorID, &e.Actor, &e.Role, &e.Action, &e.ObjectType, &e.ObjectID, &e.ObjectName, &e.TenantID, &e.RequestID, &e.Address, &before, &after)
	e.Before, e.After = before, after
	return e, err
}

// sealed is the form of an entry that is hashed. Adding or renaming a field breaks every chain there is.
type sealed struct {
	ID         string          `json:"id"`
	At         string          `json:"at"`
	ActorID    string          `json:"actor_id"`
	Actor      string          `json:"actor"`
	Role       string          `json:"role"`
	Action     string          `json:"action"`
	ObjectType string          `json:"object_type"`
	ObjectID   string          `json:"object_id"`
	ObjectName string          `json:"object_name"`
	TenantID   string          `json:"tenant_id"`
	RequestID  string          `json:"request_id"`
	Address    string          `json:"address"`
	Before     json.RawMessage `json:"before"`
	After      json.RawMessage `json:"after"`
}

// chain is SHA-256 over the hash before and the entry's RFC 8785 form.
func chain(prev []byte, e models.AuditEntry) ([]byte, error) {
	raw, err := json.Marshal(sealed{ID: e.ID, At: e.At.UTC().Format(time.RFC3339Nano), ActorID: e.ActorID, Actor: e.Actor, Role: e.Role, Action: e.Action,
		ObjectType: e.ObjectType, ObjectID: e.ObjectID, ObjectName: e.ObjectName, TenantID: e.TenantID, RequestID: e.RequestID, Address: e.Address,
		Before: e.Before, After: e.After})
	if err != nil {
		return nil, fmt.Errorf("encode audit entry %s: %w", e.ID, err)
	}
	canonical, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("canonicalize audit entry %s: %w", e.ID, err)
	}
	h := sha256.New()
	h.Write(prev)
	h.Write(canonical)
	return h.Sum(nil), nil
}
