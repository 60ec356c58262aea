package store

import (
	"context"
	"fmt"
	"time"

	"slipway/models"
)

// EndAtProvider ends the sessions that a logout token names, and remembers the token until it has expired. A session whose id the
// provider never told us is taken for one of those meant, when it is the same person's. Nothing to end is no error: they may have
// signed out here, too.
func (s *Store) EndAtProvider(ctx context.Context, actor models.Actor, out models.ProviderLogout, at time.Time) error {
	return s.tx(ctx, func(t *tx) error {
		res := t.db.Exec(`INSERT INTO logout_tokens (issuer, jti, until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, out.Issuer, out.TokenID, out.Until)
		if res.Error != nil {
			return fmt.Errorf("remember the logout token: %w", res.Error)
		}
		if res.RowsAffected == 0 {
			return models.Errorf(models.Conflict, "This logout token was used already.")
		}
		which, args := `subject = ?`, []any{out.Subject}
		switch {
		case out.SID != "" && out.Subject != "":
			which, args = `subject = ? AND sid IN (?, '')`, []any{out.Subject, out.SID}
		case out.SID != "":
			which, args = `sid = ?`, []any{out.SID}
		}
		ended, err := many[string](t.db, `UPDATE sessions SET ended_at = ?, ended_why = 'provider', refresh_token = NULL, id_token = NULL
			WHERE issuer = ? AND ended_at IS NULL AND `+which+` RETURNING person_id::text`, append([]any{at, out.Issuer}, args...)...)
		if err != nil {
			return fmt.Errorf("end the sessions that the provider names: %w", err)
		}
		what, err := t.aboutSubject(out, ended)
		if err != nil {
			return err
		}
		return t.audit(actor, "auth.provider_signout", what, nil, map[string]any{"sessions": len(ended), "subject": out.Subject, "sid": out.SID})
	})
}

// aboutSubject finds whom a logout is about: the person of a session that ended, or of the subject.
func (t *tx) aboutSubject(out models.ProviderLogout, ended []string) (about, error) {
	where, args := `issuer = ? AND subject = ?`, []any{out.Issuer, out.Subject}
	if len(ended) > 0 {
		where, args = `id = ?`, []any{ended[0]}
	}
	type row struct{ ID, Name string }
	people, err := many[row](t.db, `SELECT id, name FROM people WHERE `+where, args...)
	if err != nil || len(people) == 0 {
		return about{}, err
	}
	return about{Type: "person", ID: people[0].ID, Name: people[0].Name}, nil
}

// RefuseLogout audits a logout token that was not obeyed. The reason holds no secret.
func (s *Store) RefuseLogout(ctx context.Context, actor models.Actor, reason string) error {
	return s.tx(ctx, func(t *tx) error {
		return t.audit(actor, "auth.logout_refused", about{}, nil, map[string]any{"reason": clip(reason)})
	})
}
