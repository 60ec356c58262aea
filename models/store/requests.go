package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"slipway/models"
)

const maxKey = 200

// RequestTenant submits a request for a tenant: validated, its slug reserved, numbered, planned next, all in one transaction.
// The same key of the same person lands on the same request, however often and however much at once it is sent.
// draftID is the saved form it came from; empty: none.
func (s *Store) RequestTenant(ctx context.Context, actor models.Actor, key string, in models.TenantInputs, draftID string) (models.Request, error) {
	if actor.IsSystem() || !actor.MayRequestTenant() {
		return models.Request{}, models.Errorf(models.Forbidden, "You may not ask for a tenant. Ask the platform team for the role requester.")
	}
	in = trimmed(in)
	return s.submit(ctx, actor, key, draftID, func(*tx) (submission, error) {
		return submission{kind: models.CreateTenant, objectID: models.NewID(), name: in.Slug, inputs: in, field: "slug"}, in.Validate(s.opt.GroupPattern)
	})
}

func (t *tx) requestByKey(actor models.Actor, key string) (models.Request, error) {
	row, err := one[requestRow](t.db, `SELECT `+requestColumns+` FROM `+requestsJoined+` WHERE CASE WHEN ? THEN p.issuer = 'slipway' AND p.subject = ? ELSE r.requester_id = ? END
		AND r.idempotency_key = ?`, actor.IsSystem(), actor.System, orNull(actor.Person.ID), key)
	if err != nil {
		return models.Request{}, err
	}
	return row.model()
}

// reserve takes a name for the request's object until it ends without one; Invalid "taken" when somebody has it. A tenant's name that
// was ever used stays taken, other names are unique within their tenant.
func (t *tx) reserve(r models.Request, sub submission) error {
	name, taken := sub.name, models.InvalidFields(map[string]string{sub.field: cmp.Or(sub.taken, Taken)})
	used, err := nameUsed(t.db, r.ObjectType, r.TenantID, name, r.ObjectID)
	if err != nil {
		return err
	}
	if used {
		return taken
	}
	scope := r.TenantID
	if r.ObjectType == models.TenantObject {
		scope = ""
	}
	err = t.db.Exec(`INSERT INTO names (object_type, scope, name, object_id, request_id, reserved_at) VALUES (?, ?, ?, ?, ?, ?)`,
		r.ObjectType, scope, name, r.ObjectID, r.ID, t.now()).Error
	var known *models.Error
	if err = translate(err); errors.As(err, &known) && known.Fields["slug"] == Taken { // somebody else took it in this moment
		return taken
	}
	if err != nil {
		return fmt.Errorf("reserve the name %s: %w", name, err)
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
	used, err := nameUsed(s.read(ctx), models.TenantObject, "", slug, "")
	return used, translate(err)
}

// nameUsed tells whether another object than but has the name, or a request that has not ended.
func nameUsed(db *gorm.DB, object models.ObjectType, scope, name, but string) (bool, error) {
	if object == models.TenantObject {
		scope = ""
	}
	type answer struct{ Used bool }
	a, err := one[answer](db, `SELECT EXISTS (SELECT FROM names WHERE object_type = ? AND scope = ? AND name = ? AND freed_at IS NULL AND object_id IS DISTINCT FROM ?)
		OR ? = 'tenant' AND EXISTS (SELECT FROM tenants WHERE slug = ? AND id IS DISTINCT FROM ?) AS used`, object, scope, name, orNull(but), object, name, orNull(but))
	if err != nil {
		return false, fmt.Errorf("look for the name %s: %w", name, err)
	}
	return a.Used, nil
}

// EditTenantRequest replaces the inputs of a request that was sent back or could not be planned, and plans it again. Sending
// the same inputs twice changes nothing the second time.
func (s *Store) EditTenantRequest(ctx context.Context, actor models.Actor, id string, in models.TenantInputs) (models.Request, error) {
	in = trimmed(in)
	return s.edit(ctx, actor, id, models.TenantObject, func(_ *tx, r models.Request) (submission, error) {
		if err := in.Validate(s.opt.GroupPattern); err != nil {
			return submission{}, err
		}
		if r.TenantID != "" && in.Slug != r.ObjectName {
			return submission{}, models.InvalidFields(map[string]string{"slug": "The tenant exists already, and a short name never changes."})
		}
		return submission{name: in.Slug, inputs: in, field: "slug"}, nil
	})
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
