package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// requestColumns are all columns of a request and its requester's name: requests r JOIN people p.
const requestColumns = `r.id, r.number, r.kind, r.object_type, r.object_id, r.object_name, r.tenant_id, r.title, r.state, r.inputs, r.inputs_by, r.requester_id,
	p.name AS requester_name, r.idempotency_key, r.plan_id, r.plan_hash, r.run_id, r.waiting, r.reason, r.state_since, r.created_at, r.submitted_at, r.ended_at`

const requestsJoined = `requests r JOIN people p ON p.id = r.requester_id`

type requestRow struct {
	ID             string
	Number         int64
	Kind           models.RequestKind
	ObjectType     models.ObjectType
	ObjectID       string
	ObjectName     string
	TenantID       *string
	Title          string
	State          models.RequestState
	Inputs         jsonb
	InputsBy       texts
	RequesterID    string
	RequesterName  string
	IdempotencyKey string
	PlanID         *string
	PlanHash       string
	RunID          *string
	Waiting        jsonb
	Reason         string
	StateSince     time.Time
	CreatedAt      time.Time
	SubmittedAt    time.Time
	EndedAt        *time.Time
}

func (r requestRow) model() (models.Request, error) {
	m := models.Request{
		ID: r.ID, Number: r.Number, Kind: r.Kind, ObjectType: r.ObjectType, ObjectID: r.ObjectID, ObjectName: r.ObjectName, TenantID: value(r.TenantID),
		Title: r.Title, State: r.State, Inputs: json.RawMessage(r.Inputs), InputsBy: r.InputsBy, RequesterID: r.RequesterID, RequesterName: r.RequesterName,
		Key: r.IdempotencyKey, PlanID: value(r.PlanID), PlanHash: r.PlanHash, RunID: value(r.RunID), Reason: r.Reason,
		StateSince: r.StateSince, CreatedAt: r.CreatedAt, SubmittedAt: r.SubmittedAt, EndedAt: value(r.EndedAt),
	}
	if len(r.Waiting) > 0 {
		m.Waiting = &models.WaitingOn{}
		if err := r.Waiting.decode(m.Waiting); err != nil {
			return m, err
		}
	}
	return m, nil
}

// one reads exactly one row; gorm.ErrRecordNotFound when there is none.
func one[T any](db *gorm.DB, query string, args ...any) (T, error) {
	var rows []T
	if err := db.Raw(query, args...).Scan(&rows).Error; err != nil {
		var none T
		return none, err
	}
	if len(rows) == 0 {
		var none T
		return none, gorm.ErrRecordNotFound
	}
	return rows[0], nil
}

// many reads all rows; the query bounds them.
func many[T any](db *gorm.DB, query string, args ...any) ([]T, error) {
	var rows []T
	err := db.Raw(query, args...).Scan(&rows).Error
	return rows, err
}

// loadRequest reads a request for a change and keeps every other change of it out until the transaction ends.
func (t *tx) loadRequest(id string) (models.Request, error) {
	row, err := one[requestRow](t.db, `SELECT `+requestColumns+` FROM `+requestsJoined+` WHERE r.id = ? FOR UPDATE OF r`, id)
	if err != nil {
		return models.Request{}, err
	}
	return row.model()
}

// ownRequest is loadRequest for a person: what is not visible to them does not exist.
func (t *tx) ownRequest(actor models.Actor, id string) (models.Request, error) {
	if !models.ValidID(id) {
		return models.Request{}, gorm.ErrRecordNotFound
	}
	r, err := t.loadRequest(id)
	if err == nil && !r.VisibleTo(actor) {
		return models.Request{}, gorm.ErrRecordNotFound
	}
	return r, err
}

// Request reads one request as far as the actor may see it. What is not theirs is NotFound, and the attempt is audited.
func (s *Store) Request(ctx context.Context, actor models.Actor, id string) (models.Request, error) {
	if !models.ValidID(id) {
		return models.Request{}, translate(gorm.ErrRecordNotFound)
	}
	seen, args := requestScope(actor)
	row, err := one[requestRow](s.read(ctx), `SELECT `+requestColumns+` FROM `+requestsJoined+` WHERE r.id = ? AND `+seen, append([]any{id}, args...)...)
	if err != nil {
		return models.Request{}, s.unseen(ctx, actor, "request", id, err)
	}
	return row.model()
}

// requestScope is the condition that a request r is visible: its requester, its tenant's members, admins and auditors.
func requestScope(actor models.Actor) (string, []any) {
	if actor.SeesAll() {
		return "TRUE", nil
	}
	return `(r.requester_id = ? OR r.tenant_id = ANY (?::uuid[]))`, []any{orNull(actor.Person.ID), tenantIDs(actor)}
}

// tenantScope is the condition that a column holds the id of a visible tenant.
func tenantScope(actor models.Actor, column string) (string, []any) {
	if actor.SeesAll() {
		return "TRUE", nil
	}
	return column + ` = ANY (?::uuid[])`, []any{tenantIDs(actor)}
}

func tenantIDs(actor models.Actor) texts {
	ids := texts{}
	for _, m := range actor.Memberships {
		ids = append(ids, m.TenantID)
	}
	return ids
}

// changeRequest runs fn on a request that the actor may see, locked. Attempts at what they may not see are audited.
func (s *Store) changeRequest(ctx context.Context, actor models.Actor, id string, fn func(t *tx, r *models.Request) error) error {
	hidden := false
	err := s.tx(ctx, func(t *tx) error {
		r, err := t.ownRequest(actor, id)
		if hidden = errors.Is(err, gorm.ErrRecordNotFound); err != nil {
			return err
		}
		return fn(t, &r)
	})
	if hidden {
		return s.unseen(ctx, actor, "request", id, err)
	}
	return err
}
