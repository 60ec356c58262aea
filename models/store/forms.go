package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// What one person may leave in saved forms.
const (
	maxForms     = 50
	maxFormBytes = 64 << 10
)

const formColumns = `id, person_id, issuer, subject, path, fields, expired, saved_at`

type formRow struct {
	ID       string
	PersonID string
	Issuer   string
	Subject  string
	Path     string
	Fields   jsonb
	Expired  bool
	SavedAt  time.Time
}

func (r formRow) model() (models.SavedForm, error) {
	f := models.SavedForm{ID: r.ID, PersonID: r.PersonID, Issuer: r.Issuer, Subject: r.Subject, Path: r.Path, Expired: r.Expired, SavedAt: r.SavedAt}
	return f, r.Fields.decode(&f.Fields)
}

// SaveExpiredForm keeps a form for the person of an expired session: PersonID, Issuer and Subject are the session's.
func (s *Store) SaveExpiredForm(ctx context.Context, _ models.Actor, f models.SavedForm) (string, error) {
	f.ID, f.Expired = "", true
	return s.saveForm(ctx, f)
}

// SaveForm keeps a draft of the actor's; with an id it replaces that draft.
func (s *Store) SaveForm(ctx context.Context, actor models.Actor, f models.SavedForm) (string, error) {
	f.PersonID, f.Issuer, f.Subject, f.Expired = actor.Person.ID, actor.Person.Issuer, actor.Person.Subject, false
	return s.saveForm(ctx, f)
}

func (s *Store) saveForm(ctx context.Context, f models.SavedForm) (string, error) {
	fields, err := document(f.Fields)
	if err != nil {
		return "", err
	}
	if fields == nil {
		fields = jsonb("{}")
	}
	if len(fields) > maxFormBytes {
		return "", models.Errorf(models.TooLarge, "This form is too long to be kept as a draft.")
	}
	if f.ID != "" && !models.ValidID(f.ID) {
		return "", translate(gorm.ErrRecordNotFound)
	}
	id := f.ID
	err = s.tx(ctx, func(t *tx) error {
		if f.ID != "" {
			res := t.db.Exec(`UPDATE saved_forms SET path = ?, fields = ?, expired = ?, saved_at = ? WHERE id = ? AND issuer = ? AND subject = ?`,
				f.Path, fields, f.Expired, s.clock.Wall(), f.ID, f.Issuer, f.Subject)
			if res.Error == nil && res.RowsAffected == 0 {
				return gorm.ErrRecordNotFound
			}
			return res.Error
		}
		id = models.NewID()
		err := t.db.Exec(`INSERT INTO saved_forms (`+formColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			id, f.PersonID, f.Issuer, f.Subject, f.Path, fields, f.Expired, s.clock.Wall()).Error
		if err != nil {
			return fmt.Errorf("save the form: %w", err)
		}
		return t.db.Exec(`DELETE FROM saved_forms WHERE id IN (SELECT id FROM saved_forms WHERE person_id = ? ORDER BY saved_at DESC OFFSET ?)`, f.PersonID, maxForms).Error
	})
	return id, err
}

// ListForms lists the actor's drafts, newest first.
func (s *Store) ListForms(ctx context.Context, actor models.Actor) ([]models.SavedForm, error) {
	rows, err := many[formRow](s.read(ctx), `SELECT `+formColumns+` FROM saved_forms WHERE issuer = ? AND subject = ? ORDER BY saved_at DESC, id LIMIT ?`,
		actor.Person.Issuer, actor.Person.Subject, maxForms)
	if err != nil {
		return nil, translate(fmt.Errorf("list drafts: %w", err))
	}
	return modelsOf(rows, formRow.model)
}

// LoadForm reads a draft, for the issuer and subject that saved it and nobody else.
func (s *Store) LoadForm(ctx context.Context, actor models.Actor, id string) (models.SavedForm, error) {
	if !models.ValidID(id) {
		return models.SavedForm{}, translate(gorm.ErrRecordNotFound)
	}
	row, err := one[formRow](s.read(ctx), `SELECT `+formColumns+` FROM saved_forms WHERE id = ? AND issuer = ? AND subject = ?`, id, actor.Person.Issuer, actor.Person.Subject)
	if err != nil {
		return models.SavedForm{}, s.unseen(ctx, actor, "draft", id, err)
	}
	return row.model()
}

// DeleteForm throws a draft away. One that is gone already is no error.
func (s *Store) DeleteForm(ctx context.Context, actor models.Actor, id string) error {
	if !models.ValidID(id) {
		return translate(gorm.ErrRecordNotFound)
	}
	return s.tx(ctx, func(t *tx) error { return t.dropForm(actor, id) })
}

// dropForm deletes the actor's own draft, when a request was made of it or they no longer want it.
func (t *tx) dropForm(actor models.Actor, id string) error {
	err := t.db.Exec(`DELETE FROM saved_forms WHERE id = ? AND issuer = ? AND subject = ?`, id, actor.Person.Issuer, actor.Person.Subject).Error
	if err != nil {
		return fmt.Errorf("delete the draft: %w", err)
	}
	return nil
}

// modelsOf turns rows into what the rest of the house knows.
func modelsOf[R, M any](rows []R, model func(R) (M, error)) ([]M, error) {
	list := make([]M, 0, len(rows))
	for _, r := range rows {
		m, err := model(r)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}
