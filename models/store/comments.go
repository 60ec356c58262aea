package store

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"slipway/models"
)

const maxComment = 5000

// Comment adds to a request's discussion. Who only reads, like an auditor, does not take part. The same key twice is one comment.
func (s *Store) Comment(ctx context.Context, actor models.Actor, requestID, key, body string) error {
	body = strings.TrimSpace(strings.ReplaceAll(body, "\r\n", "\n"))
	return s.changeRequest(ctx, actor, requestID, func(t *tx, r *models.Request) error {
		takesPart := actor.Person.ID == r.RequesterID || actor.TenantRole(r.TenantID) != "" || actor.Has(models.PlatformAdmin)
		switch {
		case actor.IsSystem() || !takesPart:
			return models.Errorf(models.Forbidden, "You may read this request, but not take part in it.")
		case key == "" || len(key) > maxKey:
			return models.Errorf(models.Invalid, "The form lost its key. Load the page again.")
		case body == "":
			return models.InvalidFields(map[string]string{"body": "Write something first."})
		case utf8.RuneCountInString(body) > maxComment:
			return models.InvalidFields(map[string]string{"body": fmt.Sprintf("At most %d characters.", maxComment)})
		}
		id := models.NewID()
		res := t.db.Exec(`INSERT INTO comments (id, request_id, person_id, body, idempotency_key, at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (person_id, idempotency_key) DO NOTHING`, id, r.ID, actor.Person.ID, body, key, t.now())
		if res.Error != nil {
			return fmt.Errorf("write the comment: %w", res.Error)
		}
		if res.RowsAffected == 0 {
			return nil
		}
		err := t.audit(actor, "request.comment", aboutRequest(*r), nil, map[string]any{"comment": id, "characters": utf8.RuneCountInString(body)})
		if err != nil {
			return err
		}
		return t.wakeRequest(*r)
	})
}
