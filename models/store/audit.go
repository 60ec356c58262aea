package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"slipway/models"
)

// about names what an audit entry is about. Fields may be empty.
type about struct{ Type, ID, Name, TenantID string }

func aboutRequest(r models.Request) about {
	return about{"request", r.ID, fmt.Sprintf("REQ-%d %s", r.Number, r.Title), r.TenantID}
}

func aboutPerson(p models.Person) about { return about{"person", p.ID, p.Name, ""} }

// auditRow is a row of audit_entries, written once and never again.
type auditRow struct {
	ID         string
	At         time.Time // product time
	ActorID    string
	Actor      string
	Role       string
	Action     string
	ObjectType string
	ObjectID   string
	ObjectName string
	TenantID   string
	RequestID  string
	Address    string
	Before     jsonb
	After      jsonb
}

// audit writes who did what in the transaction it describes. before and after are anything JSON can hold, or nil; what
// looks like a secret is masked whatever the caller passes.
func (t *tx) audit(actor models.Actor, action string, what about, before, after any) error {
	old, err := masked(before)
	if err != nil {
		return err
	}
	now, err := masked(after)
	if err != nil {
		return err
	}
	row := t.entry(actor, action, what)
	row.Before, row.After = old, now
	return t.insertAudit(row)
}

// entry is an audit row without before and after.
func (t *tx) entry(actor models.Actor, action string, what about) auditRow {
	return auditRow{
		ID: models.NewID(), At: t.now(), ActorID: actor.Person.ID, Actor: actorName(actor), Role: actor.StrongestRole(what.TenantID), Action: action,
		ObjectType: what.Type, ObjectID: what.ID, ObjectName: what.Name, TenantID: what.TenantID, RequestID: actor.RequestID, Address: actor.Address,
	}
}

func (t *tx) insertAudit(r auditRow) error {
	err := t.db.Exec(`INSERT INTO audit_entries (id, at, actor_id, actor, role, action, object_type, object_id, object_name, tenant_id, request_id, address, before, after)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.At, r.ActorID, r.Actor, r.Role, r.Action, r.ObjectType, r.ObjectID, r.ObjectName, r.TenantID, r.RequestID, r.Address, r.Before, r.After).Error
	if err != nil {
		return fmt.Errorf("write the audit entry %s: %w", r.Action, err)
	}
	return nil
}

func actorName(a models.Actor) string {
	if n := a.Name(); n != "" {
		return n
	}
	return "nobody"
}

const mask = "(masked)"

// secretWords are parts of JSON keys whose values never enter an audit entry.
var secretWords = []string{"secret", "password", "passwd", "token", "verifier", "credential", "private_key", "privatekey", "access_key", "accesskey", "external_id",
	"externalid", "authorization", "cookie", "csrf"}

// masked is v as JSON with every value under a secret's name replaced.
func masked(v any) (jsonb, error) {
	doc, err := document(v)
	if err != nil || doc == nil {
		return doc, err
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("read an audit value back: %w", err)
	}
	return document(maskTree(tree))
}

func maskTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if isSecret(k) && inner != nil {
				v[k] = mask
				continue
			}
			v[k] = maskTree(inner)
		}
	case []any:
		for i := range v {
			v[i] = maskTree(v[i])
		}
	}
	return v
}

func isSecret(key string) bool {
	key = strings.ReplaceAll(strings.ToLower(key), "-", "_")
	for _, w := range secretWords {
		if strings.Contains(key, w) {
			return true
		}
	}
	return false
}
