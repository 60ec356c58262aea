package store

import (
	"context"
	"encoding/json"
	"time"

	"slipway/models"
)

type entryRow struct {
	Entry auditRow `gorm:"embedded"`
	Seq   *int64
	Hash  []byte
}

func (r entryRow) model() models.AuditEntry {
	e := r.Entry
	return models.AuditEntry{ID: e.ID, At: e.At, ActorID: e.ActorID, Actor: e.Actor, Role: e.Role, Action: e.Action, ObjectType: e.ObjectType, ObjectID: e.ObjectID,
		ObjectName: e.ObjectName, TenantID: e.TenantID, RequestID: e.RequestID, Address: e.Address, Before: json.RawMessage(e.Before), After: json.RawMessage(e.After),
		Seq: value(r.Seq), Hash: r.Hash}
}

var auditList = listing[entryRow]{
	columns: `e.id, e.at, e.actor_id, e.actor, e.role, e.action, e.object_type, e.object_id, e.object_name, e.tenant_id, e.request_id, e.address, e.before, e.after,
		(SELECT l.seq FROM audit_seals l WHERE l.entry_id = e.id) AS seq, (SELECT l.hash FROM audit_seals l WHERE l.entry_id = e.id) AS hash`,
	from: `audit_entries e`, id: `e.id`, usual: "-at", sorts: map[string]column{"at": {`e.at`, "timestamptz"}},
}

// auditScope is the condition that an entry is visible: all of it to admins and auditors, their tenants' and their own to others.
func auditScope(actor models.Actor) (string, []any) {
	if actor.SeesAll() {
		return "TRUE", nil
	}
	return `(e.tenant_id = ANY (?::text[]) OR e.actor_id <> '' AND e.actor_id = ?)`, []any{tenantIDs(actor), actor.Person.ID}
}

func auditConditions(actor models.Actor, q models.ListQuery) (c conditions, err error) {
	seen, args := auditScope(actor)
	c.add(seen, args...)
	if err := c.search(q.Search, `e.object_name`, `e.actor`, `e.action`, `e.request_id`); err != nil {
		return c, err
	}
	return c, narrow(&c, q, map[string]filter{
		"actor": idOrName(`e.actor_id`, `e.actor`), "object": idOrName(`e.object_id`, `e.object_name`), "object_type": equals(`e.object_type`), "request": equals(`e.request_id`),
		"address": equals(`e.address`), "action": byAction,
		"tenant": func(c *conditions, slug string) error {
			c.add(`e.tenant_id = (SELECT t.id::text FROM tenants t WHERE t.slug = ?)`, slug)
			return nil
		},
		"from": fromDay(`e.at >= ?`, 0), "to": fromDay(`e.at < ?`, 24*time.Hour),
	})
}

// idOrName takes a whole id or a part of a name. What looks like an id is looked up as one alone, by its index.
func idOrName(id, name string) filter {
	return func(c *conditions, text string) error {
		if models.ValidID(text) {
			c.add(id+` = ?`, text)
			return nil
		}
		c.add(`(`+id+` = ? OR `+name+` ILIKE ?)`, text, containing(text))
		return nil
	}
}

// byAction takes a whole action (request.submit) or its first word (request).
func byAction(c *conditions, text string) error {
	c.add(`(e.action = ? OR starts_with(e.action, ?))`, text, text+".")
	return nil
}

// fromDay is a filter by a day in UTC, as a date field sends it; later moves the bound, so that "to" includes its day.
func fromDay(where string, later time.Duration) filter {
	return func(c *conditions, text string) error {
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return models.Errorf(models.Invalid, "Give a day as 2006-01-02.")
		}
		c.add(where, day.Add(later))
		return nil
	}
}

// AuditEntries lists what happened, newest first.
func (s *Store) AuditEntries(ctx context.Context, actor models.Actor, q models.ListQuery) (models.List[models.AuditEntry], error) {
	c, err := auditConditions(actor, q)
	if err != nil {
		return models.List[models.AuditEntry]{}, err
	}
	list, err := auditList.read(ctx, s, c, q)
	return convert(list, entryRow.model), err
}

// EachAuditEntry exports the entries of a list, audited itself.
func (s *Store) EachAuditEntry(ctx context.Context, actor models.Actor, q models.ListQuery, fn func(models.AuditEntry) error) error {
	c, err := auditConditions(actor, q)
	if err != nil {
		return err
	}
	return auditList.each(ctx, s, actor, "audit", c, q, func(r entryRow) error { return fn(r.model()) })
}
