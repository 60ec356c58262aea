package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"slipway/models"
)

// submission is what becomes a request.
type submission struct {
	kind     models.RequestKind
	objectID string
	name     string // of the object
	tenantID string // empty for a tenant that does not exist yet
	inputs   any
	taken    string                     // what is said of a name that somebody has; empty: "taken"
	field    string                     // form field of a name that is reserved for the object; empty: it has its name already
	after    []string                   // requests that must succeed before it is planned
	then     func(models.Request) error // what else belongs to it, in the same transaction; nil: nothing
}

// submit inserts a request in planning with all that belongs to it, in one transaction. build is asked only when the key is new.
func (s *Store) submit(ctx context.Context, actor models.Actor, key, draftID string, build func(t *tx) (submission, error)) (models.Request, error) {
	if key == "" || len(key) > maxKey {
		return models.Request{}, models.Errorf(models.Invalid, "The form lost its key. Load it again; what you typed is kept if you save it as a draft.")
	}
	var r models.Request
	err := s.tx(ctx, func(t *tx) error {
		known, err := t.requestByKey(actor, key)
		if err == nil || !errors.Is(err, gorm.ErrRecordNotFound) {
			r = known
			return err
		}
		sub, err := build(t)
		if err != nil {
			return err
		}
		r, err = t.insertRequest(actor, key, sub)
		if err != nil || r.ID == "" { // somebody else's insert of the same key won meanwhile
			if err == nil {
				r, err = t.requestByKey(actor, key)
			}
			return err
		}
		return t.submitted(actor, r, sub, draftID)
	})
	return r, err
}

// submitted does what belongs to a new request.
func (t *tx) submitted(actor models.Actor, r models.Request, sub submission, draftID string) error {
	if sub.field != "" {
		if err := t.reserve(r, sub); err != nil {
			return err
		}
	}
	if err := t.waitFor(r.ID, sub.after); err != nil {
		return err
	}
	if sub.then != nil {
		if err := sub.then(r); err != nil {
			return err
		}
	}
	if models.ValidID(draftID) {
		if err := t.dropForm(actor, draftID); err != nil {
			return err
		}
	}
	if actor.IsSystem() && actor.System == expiryComponent {
		if err := t.tellOver(r); err != nil {
			return err
		}
	}
	if err := t.audit(actor, "request.submit", aboutRequest(r), nil, map[string]any{"state": r.State, "kind": r.Kind, "inputs": sub.inputs}); err != nil {
		return err
	}
	return t.planNext(r)
}

// insertRequest inserts the request in planning; the zero Request when the key is taken already.
func (t *tx) insertRequest(actor models.Actor, key string, sub submission) (models.Request, error) {
	inputs, err := document(sub.inputs)
	if err != nil {
		return models.Request{}, err
	}
	asker := actor.Person
	if actor.IsSystem() {
		if asker, err = t.systemPerson(actor.System); err != nil {
			return models.Request{}, err
		}
	}
	now := t.now()
	r := models.Request{
		ID: models.NewID(), Kind: sub.kind, ObjectType: sub.kind.Object(), ObjectID: sub.objectID, ObjectName: sub.name, TenantID: sub.tenantID, Title: sub.kind.Title(sub.name),
		State: models.Planning, Inputs: json.RawMessage(inputs), InputsBy: []string{asker.ID}, RequesterID: asker.ID, RequesterName: asker.Name,
		Key: key, StateSince: now, CreatedAt: now, SubmittedAt: now,
	}
	type numbered struct{ Number int64 }
	rows, err := many[numbered](t.db, `INSERT INTO requests (id, kind, object_type, object_id, object_name, tenant_id, title, state, inputs, inputs_by, requester_id, idempotency_key,
		state_since, created_at, submitted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (requester_id, idempotency_key) DO NOTHING RETURNING number`,
		r.ID, r.Kind, r.ObjectType, r.ObjectID, r.ObjectName, orNull(r.TenantID), r.Title, r.State, inputs, texts(r.InputsBy), r.RequesterID, key, now, now, now)
	if err != nil {
		return models.Request{}, fmt.Errorf("insert the request: %w", err)
	}
	if len(rows) == 0 {
		return models.Request{}, nil
	}
	r.Number = rows[0].Number
	return r, nil
}

// systemPerson is the row that stands for a component as a requester. Nobody can sign in as it: no provider has its issuer.
func (t *tx) systemPerson(component string) (models.Person, error) {
	type row struct{ ID, Name string }
	p, err := one[row](t.db, `SELECT id, name FROM people WHERE issuer = ? AND subject = ?`, models.SystemIssuer, component)
	if err != nil {
		return models.Person{}, fmt.Errorf("find who %s asks as: %w", component, err)
	}
	return models.Person{ID: p.ID, Issuer: models.SystemIssuer, Subject: component, Name: p.Name}, nil
}

// edit replaces the inputs of a request about an object of the type. build is asked only when the request may be edited.
func (s *Store) edit(ctx context.Context, actor models.Actor, id string, object models.ObjectType, build func(t *tx, r models.Request) (submission, error)) (models.Request, error) {
	var after models.Request
	err := s.changeRequest(ctx, actor, id, func(t *tx, r *models.Request) error {
		after = *r
		if r.ObjectType != object {
			return models.Errorf(models.Conflict, "This request is about a %s.", r.ObjectType)
		}
		again := r.State == models.Planning && actor.Person.ID == r.RequesterID
		if !again && r.State != models.ChangesRequested && r.State != models.PlanFailed {
			return models.Errorf(models.Conflict, "This request is %s, so its inputs stay as they are.", r.State.Words())
		}
		by, ok := r.MayMove(actor, models.Planning)
		if !again && !ok {
			return models.Errorf(models.Forbidden, "Only %s, who asked for it, can change what this request asks for.", r.RequesterName)
		}
		sub, err := build(t, *r)
		if err != nil {
			return err
		}
		inputs, err := document(sub.inputs)
		if err != nil {
			return err
		}
		if again {
			if sameJSON(r.Inputs, inputs) {
				return nil
			}
			return models.Errorf(models.Conflict, "This request is %s, so its inputs stay as they are.", r.State.Words())
		}
		if err := t.replaceInputs(actor, r, sub, inputs); err != nil {
			return err
		}
		if err := t.move(actor, r, models.Planning, by, ""); err != nil {
			return err
		}
		after = *r
		return t.planNext(*r)
	})
	return after, err
}

// replaceInputs writes other inputs, with what they reserve and wait for.
func (t *tx) replaceInputs(actor models.Actor, r *models.Request, sub submission, inputs jsonb) error {
	if sub.field != "" && sub.name != r.ObjectName {
		if err := t.db.Exec(`UPDATE names SET freed_at = ? WHERE request_id = ? AND freed_at IS NULL`, t.now(), r.ID).Error; err != nil {
			return fmt.Errorf("free the name %s: %w", r.ObjectName, err)
		}
		r.ObjectName, r.Title = sub.name, r.Kind.Title(sub.name)
		if err := t.reserve(*r, sub); err != nil {
			return err
		}
	}
	if err := t.waitFor(r.ID, sub.after); err != nil {
		return err
	}
	before := r.Inputs
	if r.Inputs = json.RawMessage(inputs); !slices.Contains(r.InputsBy, actor.Person.ID) {
		r.InputsBy = append(r.InputsBy, actor.Person.ID)
	}
	err := t.db.Exec(`UPDATE requests SET inputs = ?, inputs_by = ?, object_name = ?, title = ? WHERE id = ?`, inputs, texts(r.InputsBy), r.ObjectName, r.Title, r.ID).Error
	if err != nil {
		return fmt.Errorf("change the inputs of %s: %w", r.ID, err)
	}
	return t.audit(actor, "request.edit", aboutRequest(*r), map[string]any{"inputs": before}, map[string]any{"inputs": sub.inputs})
}
