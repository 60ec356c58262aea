package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// GiveFrameCode keeps a code for the session of its actor. Codes that came to nothing are deleted on the way.
func (s *Store) GiveFrameCode(ctx context.Context, _ models.Actor, code models.FrameCode) error {
	return s.tx(ctx, func(t *tx) error {
		if err := t.db.Exec(`DELETE FROM frame_codes WHERE expires_at < ?`, s.clock.Wall()).Error; err != nil {
			return fmt.Errorf("delete codes that came to nothing: %w", err)
		}
		err := t.db.Exec(`INSERT INTO frame_codes (session_id, code_hash, nonce_hash, expires_at) VALUES (?, ?, ?, ?)`, code.SessionID, code.CodeHash, code.NonceHash, code.ExpiresAt).Error
		if err != nil {
			return fmt.Errorf("keep the code of a frame: %w", err)
		}
		return nil
	})
}

// errFrameCode is all that a stranger learns of a code.
var errFrameCode = models.Errorf(models.NotFound, "The code is not good: used already, too old, for another frame, or never given.")

// StartFrame uses a code up, whatever comes of it, and begins a frame's session under the token's hash. NotFound: the code is not good for
// the frame with this nonce, or the session it came from is over.
func (s *Store) StartFrame(ctx context.Context, actor models.Actor, codeHash, nonceHash, tokenHash []byte) error {
	good := false
	err := s.tx(ctx, func(t *tx) error {
		type row struct {
			NonceHash []byte
			SessionID string
			ExpiresAt time.Time
			PersonID  string
			EndsAt    time.Time
			EndedAt   *time.Time
		}
		now := s.clock.Wall()
		if err := t.db.Exec(`DELETE FROM frame_sessions WHERE expires_at < ?`, now).Error; err != nil {
			return fmt.Errorf("delete frames that are over: %w", err)
		}
		r, err := one[row](t.db, `WITH used AS (DELETE FROM frame_codes WHERE code_hash = ? RETURNING nonce_hash, session_id, expires_at)
			SELECT u.nonce_hash, u.session_id, u.expires_at, s.person_id, s.expires_at AS ends_at, s.ended_at FROM used u JOIN sessions s ON s.id = u.session_id`, codeHash)
		good = err == nil && bytes.Equal(r.NonceHash, nonceHash) && now.Before(r.ExpiresAt) && r.EndedAt == nil && now.Before(r.EndsAt)
		if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && !good {
			return nil // the code stays used
		}
		if err != nil {
			return err
		}
		until := now.Add(models.FrameLife)
		if r.EndsAt.Before(until) {
			until = r.EndsAt
		}
		err = t.db.Exec(`INSERT INTO frame_sessions (session_id, token_hash, created_at, expires_at) VALUES (?, ?, ?, ?)`, r.SessionID, tokenHash, now, until).Error
		if err != nil {
			return fmt.Errorf("begin the session of a frame: %w", err)
		}
		who, err := s.actorOf(t.db, r.PersonID)
		if err != nil {
			return err
		}
		who.RequestID, who.Address = actor.RequestID, actor.Address
		return t.audit(who, "auth.frame", aboutPerson(who.Person), nil, map[string]any{"until": until})
	})
	if err == nil && !good {
		err = errFrameCode
	}
	return err
}

// FrameSession finds a frame's session by its token's hash, with the session it came from, ended or not, and its person with the rights of
// this moment: one query.
func (s *Store) FrameSession(ctx context.Context, actor models.Actor, tokenHash []byte) (models.FrameSession, models.Actor, error) {
	type row struct {
		FrameUntil time.Time
		Session    sessionRow `gorm:"embedded"`
	}
	r, err := one[row](s.read(ctx), `SELECT f.expires_at AS frame_until, `+sessionColumns+` FROM frame_sessions f JOIN sessions s ON s.id = f.session_id JOIN people p ON p.id = s.person_id
		WHERE f.token_hash = ?`, tokenHash)
	if err != nil {
		return models.FrameSession{}, models.Actor{}, translate(err)
	}
	session, who, err := s.sessionOf(r.Session, actor)
	return models.FrameSession{Session: session, ExpiresAt: r.FrameUntil}, who, err
}
