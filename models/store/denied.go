package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// longestRoute bounds what a stranger's path can put into the log.
const longestRoute = 200

// Denied audits an attempt at what is not the actor's: the first of a minute per actor, route and object is an entry at
// once, the rest are counted and become one entry when the minute is over, so that nobody can flood the log.
func (s *Store) Denied(ctx context.Context, actor models.Actor, route, objectType, objectID string) error {
	route, objectType, objectID = clip(route), clip(objectType), clip(objectID)
	who := actor.Person.ID
	if who == "" {
		who = actor.System + "@" + actor.Address
	}
	return s.tx(ctx, func(t *tx) error {
		return t.deny(who, t.entry(actor, "access.denied", about{Type: objectType, ID: objectID}), route, objectType+":"+objectID, nil)
	})
}

// deny counts a denial, and writes its entry when it is the first of its minute. detail is what the entry says beside.
func (t *tx) deny(who string, row auditRow, route, object string, detail map[string]any) error {
	after := map[string]any{}
	maps.Copy(after, detail)
	after["route"], after["count"] = route, 1
	var err error
	if row.After, err = document(after); err != nil {
		return err
	}
	kept, err := json.Marshal(row)
	if err != nil {
		return fmt.Errorf("encode the denial: %w", err)
	}
	type counted struct{ Count int }
	n, err := one[counted](t.db, `INSERT INTO audit_denied (actor, route, object, minute, count, entry) VALUES (?, ?, ?, ?, 0, ?)
		ON CONFLICT (actor, route, object, minute) DO UPDATE SET count = audit_denied.count + 1 RETURNING count`,
		who, route, object, t.now().Truncate(time.Minute), jsonb(kept))
	if err != nil {
		return fmt.Errorf("count the denial: %w", err)
	}
	if n.Count > 0 {
		return nil
	}
	return t.insertAudit(row)
}

// FlushDenied turns the counts of minutes that are over into one entry each. Workers call it every few seconds.
func (s *Store) FlushDenied(ctx context.Context) (int, error) {
	flushed := 0
	err := s.tx(ctx, func(t *tx) error {
		type counted struct {
			Count  int
			Route  string
			Minute time.Time
			Entry  jsonb
		}
		rows, err := many[counted](t.db, `DELETE FROM audit_denied WHERE (actor, route, object, minute) IN (
			SELECT actor, route, object, minute FROM audit_denied WHERE minute < ? ORDER BY minute LIMIT 500 FOR UPDATE SKIP LOCKED)
			RETURNING count, route, minute, entry`, t.now().Truncate(time.Minute))
		if err != nil {
			return fmt.Errorf("take the counted denials: %w", err)
		}
		flushed = 0
		for _, c := range rows {
			if c.Count == 0 {
				continue // its one entry was written at once
			}
			var row auditRow
			if err := c.Entry.decode(&row); err != nil {
				return err
			}
			row.ID, row.At = models.NewID(), t.now()
			after := map[string]any{} // what the first one said, and how many followed
			if err := row.After.decode(&after); err != nil {
				return err
			}
			after["route"], after["count"], after["minute"] = c.Route, c.Count, c.Minute
			if row.After, err = document(after); err != nil {
				return err
			}
			if err := t.insertAudit(row); err != nil {
				return err
			}
			flushed++
		}
		return nil
	})
	return flushed, err
}

// unseen makes the answer for a row that a scoped read did not find: NotFound, audited when a person asked. The audit's own
// failure is logged: the answer stays the same.
func (s *Store) unseen(ctx context.Context, actor models.Actor, objectType, id string, err error) error {
	if !errors.Is(err, gorm.ErrRecordNotFound) {
		return translate(err)
	}
	if !actor.IsSystem() {
		if failed := s.Denied(ctx, actor, objectType, objectType, id); failed != nil {
			s.log.ErrorContext(ctx, "audit a denied attempt", "object", objectType, "err", failed)
		}
	}
	return translate(err)
}

func clip(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if r := []rune(s); len(r) > longestRoute {
		return string(r[:longestRoute])
	}
	return s
}

// clipped is a text of AWS's as a column keeps it.
func clipped(s string, n int) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
