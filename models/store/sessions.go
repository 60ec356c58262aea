package store

import (
	"context"
	"fmt"
	"time"

	"slipway/models"
)

// BeginSignIn keeps a sign-in under the hash of its state. Verifier arrives encrypted and Nonce hashed.
func (s *Store) BeginSignIn(ctx context.Context, _ models.Actor, in models.SignIn) error {
	return s.tx(ctx, func(t *tx) error {
		if err := t.db.Exec(`DELETE FROM sign_ins WHERE expires_at < ?`, t.s.clock.Wall()).Error; err != nil {
			return fmt.Errorf("delete sign-ins that came to nothing: %w", err)
		}
		err := t.db.Exec(`INSERT INTO sign_ins (nonce, state_hash, verifier, browser_hash, return_to, draft, expires_at, fresh) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			in.Nonce, in.StateHash, []byte(in.Verifier), in.BrowserHash, in.ReturnTo, orNull(in.Draft), in.ExpiresAt, in.Fresh).Error
		if err != nil {
			return fmt.Errorf("keep the sign-in: %w", err)
		}
		return nil
	})
}

// TakeSignIn deletes the sign-in and returns it, so that it works once; an expired one too, for the caller to refuse.
func (s *Store) TakeSignIn(ctx context.Context, _ models.Actor, stateHash []byte) (in models.SignIn, err error) {
	type row struct {
		StateHash   []byte
		Nonce       string
		Verifier    []byte
		BrowserHash []byte
		ReturnTo    string
		Draft       *string
		ExpiresAt   time.Time
		Fresh       bool
	}
	err = s.tx(ctx, func(t *tx) error {
		r, err := one[row](t.db, `DELETE FROM sign_ins WHERE state_hash = ? RETURNING state_hash, nonce, verifier, browser_hash, return_to, draft, expires_at, fresh`, stateHash)
		in = models.SignIn{StateHash: r.StateHash, Nonce: r.Nonce, Verifier: string(r.Verifier), BrowserHash: r.BrowserHash, ReturnTo: r.ReturnTo,
			Draft: value(r.Draft), ExpiresAt: r.ExpiresAt, Fresh: r.Fresh}
		return err
	})
	return in, err
}

// SignIn writes the person, inserts their session, ends the one it replaces and audits it.
func (s *Store) SignIn(ctx context.Context, actor models.Actor, p models.Person, session models.Session, replaces []byte) (who models.Actor, err error) {
	if session.ID == "" {
		session.ID = models.NewID()
	}
	err = s.tx(ctx, func(t *tx) error {
		if who, err = t.upsertPerson(p); err != nil {
			return err
		}
		who.RequestID, who.Address = actor.RequestID, actor.Address
		if len(replaces) > 0 {
			err := t.db.Exec(`UPDATE sessions SET ended_at = ?, refresh_token = NULL, id_token = NULL WHERE token_hash = ? AND ended_at IS NULL`, session.CreatedAt, replaces).Error
			if err != nil {
				return fmt.Errorf("end the session before: %w", err)
			}
		}
		err := t.db.Exec(`INSERT INTO sessions (id, token_hash, person_id, issuer, subject, sid, groups, csrf_secret, id_token, created_at, last_seen_at, expires_at, fresh_at,
				nonce_hash, refresh_token, checked_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, session.ID, session.TokenHash, who.Person.ID, p.Issuer, p.Subject, session.SID, texts(p.Groups),
			session.CSRFSecret, session.IDToken, session.CreatedAt, session.LastSeenAt, session.ExpiresAt, timeOrNull(session.FreshAt),
			session.NonceHash, session.RefreshToken, session.CreatedAt).Error
		if err != nil {
			return fmt.Errorf("insert the session: %w", err)
		}
		return t.audit(who, "auth.signin", aboutPerson(who.Person), nil, map[string]any{"groups": p.Groups, "roles": who.Roles})
	})
	return who, err
}

// RefuseSignIn audits a sign-in that failed. The reason holds no secret.
func (s *Store) RefuseSignIn(ctx context.Context, actor models.Actor, reason string) error {
	return s.tx(ctx, func(t *tx) error {
		return t.audit(actor, "auth.refused", about{}, nil, map[string]any{"reason": clip(reason)})
	})
}

type sessionRow struct {
	Person     personRow `gorm:"embedded"`
	ID         string
	TokenHash  []byte
	SID        string `gorm:"column:sid"`
	AtSignIn   texts
	CSRFSecret []byte `gorm:"column:csrf_secret"`
	IDToken    []byte `gorm:"column:id_token"`
	CreatedAt  time.Time
	LastSeenAt time.Time
	ExpiresAt  time.Time
	EndedAt    *time.Time
	EndedWhy   models.EndReason
	FreshAt    *time.Time

	NonceHash    string
	Rechecks     bool
	CheckedAt    time.Time
	RecheckNext  *time.Time
	FailingSince *time.Time
}

// sessionColumns are a session s and its person p.
const sessionColumns = `s.id, s.token_hash, s.sid, s.groups AS at_sign_in, s.csrf_secret, s.id_token, s.created_at, s.last_seen_at,
	s.expires_at, s.ended_at, s.ended_why, s.fresh_at,
	s.nonce_hash, s.refresh_token IS NOT NULL AS rechecks, COALESCE(s.checked_at, s.created_at) AS checked_at, s.recheck_next, s.failing_since, ` + personColumns

// Session finds a session, ended or not, by its token's hash, and its person with the rights of this moment: one query.
func (s *Store) Session(ctx context.Context, actor models.Actor, tokenHash []byte) (models.Session, models.Actor, error) {
	r, err := one[sessionRow](s.read(ctx), `SELECT `+sessionColumns+` FROM sessions s JOIN people p ON p.id = s.person_id WHERE s.token_hash = ?`, tokenHash)
	if err != nil {
		return models.Session{}, models.Actor{}, translate(err)
	}
	return s.sessionOf(r, actor)
}

// sessionOf is a session with its person, who acts in the request that the given actor began.
func (s *Store) sessionOf(r sessionRow, actor models.Actor) (models.Session, models.Actor, error) {
	who, err := s.actor(r.Person)
	who.RequestID, who.Address = actor.RequestID, actor.Address
	return models.Session{
		ID: r.ID, TokenHash: r.TokenHash, PersonID: who.Person.ID, Issuer: who.Person.Issuer, Subject: who.Person.Subject, SID: r.SID, Groups: r.AtSignIn,
		CSRFSecret: r.CSRFSecret, IDToken: r.IDToken, CreatedAt: r.CreatedAt, LastSeenAt: r.LastSeenAt, ExpiresAt: r.ExpiresAt, EndedAt: value(r.EndedAt), EndedWhy: r.EndedWhy, FreshAt: value(r.FreshAt),
		NonceHash: r.NonceHash, Rechecks: r.Rechecks, CheckedAt: r.CheckedAt, RecheckNext: value(r.RecheckNext), FailingSince: value(r.FailingSince),
	}, who, err
}

// TouchSession sets when the session was last seen, unless that is later already.
func (s *Store) TouchSession(ctx context.Context, _ models.Actor, sessionID string, seen time.Time) error {
	return s.tx(ctx, func(t *tx) error {
		return t.db.Exec(`UPDATE sessions SET last_seen_at = ? WHERE id = ? AND last_seen_at < ?`, seen, sessionID, seen).Error
	})
}

// EndSession signs out, once.
func (s *Store) EndSession(ctx context.Context, actor models.Actor, sessionID string, at time.Time) error {
	return s.tx(ctx, func(t *tx) error {
		res := t.db.Exec(`UPDATE sessions SET ended_at = ?, refresh_token = NULL, id_token = NULL WHERE id = ? AND ended_at IS NULL`, at, sessionID)
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		return t.audit(actor, "auth.signout", aboutPerson(actor.Person), nil, nil)
	})
}
