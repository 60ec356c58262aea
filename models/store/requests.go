package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"slipway/models"
)

const maxKey = 200

// RequestTenant submits a request for a tenant: validated, its slug reserved, numbered, planned next, all in one transaction.
// The same key of the same person lands on the same request, however often and however much at once it is sent.
// draftID is the saved form it came from; empty: none.
func (s *Store) RequestTenant(ctx context.Context, actor models.Actor, key string, in models.TenantInputs, draftID string) (models.Request, error) {
	switch {
	case actor.IsSystem() || !actor.MayRequestTenant():
		return models.Request{}, models.Errorf(models.Forbidden, "You may not ask for a tenant. Ask the platform team for the role requester.")
	case key == "" || len(key) > maxKey:
		return models.Request{}, models.Errorf(models.Invalid, "The form lost its key. Load it again; what you typed is kept if you save it as a draft.")
	}
	in = trimmed(in)
	var r models.Request
	err := s.tx(ctx, func(t *tx) error {
		known, err := t.requestByKey(actor, key)
		if err == nil || !errors.Is(err, gorm.ErrRecordNotFound) {
			r = known
			return err
		}
		if err := in.Validate(s.opt.GroupPattern); err != nil {
			return err
		}
		r, err = t.insertTenantRequest(actor, key, in)
		if err != nil || r.ID == "" { // somebody else's insert of the same key won meanwhile
			if err == nil {
				r, err = t.requestByKey(actor, key)
			}
			return err
		}
		if err := t.reserve(r, in.Slug); err != nil {
			return err
		}
		if models.ValidID(draftID) {
			if err := t.dropForm(actor, draftID); err != nil {
				return err
			}
		}
		if err := t.audit(actor, "request.submit", aboutRequest(r), nil, map[string]any{"state": r.State, "kind": r.Kind, "inputs": in}); err != nil {
			return err
		}
		return t.planNext(r)
	})
	return r, err
}

// insertTenantRequest inserts the request in planning; the zero Request when the key is taken already.
func (t *tx) insertTenantRequest(actor models.Actor, key string, in models.TenantInputs) (models.Request, error) {
	inputs, err := document(in)
	if err != nil {
		return models.Request{}, err
	}
	now := t.now()
	r := models.Request{
		ID: models.NewID(), Kind: models.CreateTenant, ObjectType: models.TenantObject, ObjectID: models.NewID(), ObjectName: in.Slug, Title: "Create tenant " + in.Slug,
		State: models.Planning, Inputs: json.RawMessage(inputs), InputsBy: []string{actor.Person.ID}, RequesterID: actor.Person.ID, RequesterName: actor.Person.Name,
		Key: key, StateSince: now, CreatedAt: now, SubmittedAt: now,
	}
	type numbered struct{ Number int64 }
	rows, err := many[numbered](t.db, `INSERT INTO requests (id, kind, object_type, object_id, object_name, title, state, inputs, inputs_by, requester_id, idempotency_key,
		state_since, created_at, submitted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (requester_id, idempotency_key) DO NOTHING RETURNING number`,
		r.ID, r.Kind, r.ObjectType, r.ObjectID, r.ObjectName, r.Title, r.State, inputs, texts(r.InputsBy), r.RequesterID, key, now, now, now)
	if err != nil {
		return models.Request{}, fmt.Errorf("insert the request: %w", err)
	}
	if len(rows) == 0 {
		return models.Request{}, nil
	}
	r.Number = rows[0].Number
	return r, nil
}

func (t *tx) requestByKey(actor models.Actor, key string) (models.Request, error) {
	row, err := one[requestRow](t.db, `SELECT `+requestColumns+` FROM `+requestsJoined+` WHERE r.requester_id = ? AND r.idempotency_key = ?`, actor.Person.ID, key)
	if err != nil {
		return models.Request{}, err
	}
	return row.model()
}

// reserve takes a slug for the request's object until it ends without one; Invalid "taken" when somebody has it or ever had.
func (t *tx) reserve(r models.Request, slug string) error {
	used, err := slugUsed(t.db, slug, r.ObjectID)
	if err != nil {
		return err
	}
	if used {
		return models.InvalidFields(map[string]string{"slug": Taken})
	}
	err = t.db.Exec(`INSERT INTO names (object_type, name, object_id, request_id, reserved_at) VALUES (?, ?, ?, ?, ?)`, r.ObjectType, slug, r.ObjectID, r.ID, t.now()).Error
	if err != nil {
		return fmt.Errorf("reserve the name %s: %w", slug, err)
	}
	return nil
}

// planNext wakes the planner for a request in planning.
func (t *tx) planNext(r models.Request) error {
	if err := t.enqueue(models.PlanWork, r.ID, 0); err != nil {
		return err
	}
	return t.wakeRequest(r)
}

// SlugTaken is the live check: whether the slug is reserved, in use or was ever used, and nothing more.
func (s *Store) SlugTaken(ctx context.Context, actor models.Actor, slug string) (bool, error) {
	if !actor.MayRequestTenant() {
		return false, models.Errorf(models.Forbidden, "You may not ask for a tenant.")
	}
	used, err := slugUsed(s.read(ctx), slug, "")
	return used, translate(err)
}

func slugUsed(db *gorm.DB, slug, but string) (bool, error) {
	type answer struct{ Used bool }
	a, err := one[answer](db, `SELECT EXISTS (SELECT FROM names WHERE object_type = 'tenant' AND scope = '' AND name = ? AND freed_at IS NULL AND object_id IS DISTINCT FROM ?)
		OR EXISTS (SELECT FROM tenants WHERE slug = ? AND id IS DISTINCT FROM ?) AS used`, slug, orNull(but), slug, orNull(but))
	if err != nil {
		return false, fmt.Errorf("look for the name %s: %w", slug, err)
	}
	return a.Used, nil
}

// EditTenantRequest replaces the inputs of a request that was sent back or could not be planned, and plans it again. Sending
// the same inputs twice changes nothing the second time.
func (s *Store) EditTenantRequest(ctx context.Context, actor models.Actor, id string, in models.TenantInputs) (models.Request, error) {
	in = trimmed(in)
	var after models.Request
	err := s.changeRequest(ctx, actor, id, func(t *tx, r *models.Request) error {
		inputs, err := document(in)
		if err != nil {
			return err
		}
		after = *r
		if r.State == models.Planning && actor.Person.ID == r.RequesterID && sameJSON(r.Inputs, inputs) {
			return nil
		}
		if r.Kind != models.CreateTenant || r.State != models.ChangesRequested && r.State != models.PlanFailed {
			return models.Errorf(models.Conflict, "This request is %s, so its inputs stay as they are.", r.State.Words())
		}
		by, ok := r.MayMove(actor, models.Planning)
		if !ok {
			return models.Errorf(models.Forbidden, "Only %s, who asked for it, can change what this request asks for.", r.RequesterName)
		}
		if err := in.Validate(s.opt.GroupPattern); err != nil {
			return err
		}
		if err := t.rename(r, in.Slug); err != nil {
			return err
		}
		before := r.Inputs
		if r.Inputs = json.RawMessage(inputs); !slices.Contains(r.InputsBy, actor.Person.ID) {
			r.InputsBy = append(r.InputsBy, actor.Person.ID)
		}
		err = t.db.Exec(`UPDATE requests SET inputs = ?, inputs_by = ?, object_name = ?, title = ? WHERE id = ?`, inputs, texts(r.InputsBy), r.ObjectName, r.Title, r.ID).Error
		if err != nil {
			return fmt.Errorf("change the inputs of %s: %w", r.ID, err)
		}
		if err := t.audit(actor, "request.edit", aboutRequest(*r), map[string]any{"inputs": before}, map[string]any{"inputs": in}); err != nil {
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

// rename changes the slug that a request reserved, as long as its tenant does not exist.
func (t *tx) rename(r *models.Request, slug string) error {
	if slug == r.ObjectName {
		return nil
	}
	if r.TenantID != "" {
		return models.InvalidFields(map[string]string{"slug": "The tenant exists already, and a short name never changes."})
	}
	if err := t.db.Exec(`UPDATE names SET freed_at = ? WHERE request_id = ? AND freed_at IS NULL`, t.now(), r.ID).Error; err != nil {
		return fmt.Errorf("free the name %s: %w", r.ObjectName, err)
	}
	r.ObjectName, r.Title = slug, "Create tenant "+slug
	return t.reserve(*r, slug)
}

// PlanAgain computes the plan of a request anew: one that failed to plan or was sent back, one that waits for a decision, or
// what remains of a failed run.
func (s *Store) PlanAgain(ctx context.Context, actor models.Actor, id string) error {
	return s.changeRequest(ctx, actor, id, func(t *tx, r *models.Request) error {
		if r.State == models.Planning {
			return nil
		}
		by, ok := r.MayMove(actor, models.Planning)
		if !ok && r.State == models.AwaitingApproval {
			plan, err := readPlan(t.db, r.PlanID)
			if err != nil {
				return err
			}
			_, err = r.MayDecide(actor, plan.Notes.Demands)
			by, ok = models.ByApprover, err == nil
		}
		if !ok {
			_, err := mayLead(*r, actor, models.Planning)
			return err
		}
		if err := t.move(actor, r, models.Planning, by, "Planned again by "+actor.Name()); err != nil {
			return err
		}
		return t.planNext(*r)
	})
}

// CancelRequest ends a request that has not run. One that has run once goes back to failed instead.
func (s *Store) CancelRequest(ctx context.Context, actor models.Actor, id string) error {
	return s.changeRequest(ctx, actor, id, func(t *tx, r *models.Request) error {
		if r.State == models.Cancelled {
			return nil
		}
		by, err := mayLead(*r, actor, models.Cancelled)
		if err != nil {
			return err
		}
		return t.move(actor, r, models.Cancelled, by, "Cancelled by "+actor.Name())
	})
}

func trimmed(in models.TenantInputs) models.TenantInputs {
	for _, field := range []*string{&in.Slug, &in.DisplayName, &in.Description, &in.OwnerGroup, &in.DeveloperGroup, &in.ViewerGroup, &in.CostCentre} {
		*field = strings.TrimSpace(*field)
	}
	return in
}

// sameJSON compares documents whatever PostgreSQL made of spaces and the order of keys.
func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	ja, errA := json.Marshal(x)
	jb, errB := json.Marshal(y)
	return errA == nil && errB == nil && bytes.Equal(ja, jb)
}
