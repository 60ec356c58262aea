package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

const hookColumns = `w.id, w.name, w.host, w.url, w.form, w.secret, w.kinds, w.created_by, w.created_at, w.removed_at`

type hookRow struct {
	ID        string
	Name      string
	Host      string
	URL       []byte `gorm:"column:url"`
	Form      models.HookForm
	Secret    []byte
	Kinds     texts
	CreatedBy string
	CreatedAt time.Time
	RemovedAt *time.Time
}

// model leaves address and secret out.
func (r hookRow) model() models.Webhook {
	w := models.Webhook{ID: r.ID, Name: r.Name, Host: r.Host, Form: r.Form, CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt}
	for _, k := range r.Kinds {
		w.Kinds = append(w.Kinds, models.EventKind(k))
	}
	return w
}

var errNotifyAdmins = models.Errorf(models.Forbidden, "Only platform admins change where notifications go.")

// Webhooks lists the webhooks of the database, without their secrets, for platform admins and auditors.
func (s *Store) Webhooks(ctx context.Context, actor models.Actor) ([]models.Webhook, error) {
	if !actor.SeesAll() {
		return nil, models.Errorf(models.Forbidden, "Only platform admins and auditors see the webhooks.")
	}
	rows, err := many[hookRow](s.read(ctx), `SELECT `+hookColumns+` FROM webhooks w WHERE w.removed_at IS NULL ORDER BY w.name LIMIT ?`, models.MaxWebhooks)
	if err != nil {
		return nil, translate(fmt.Errorf("list webhooks: %w", err))
	}
	var list []models.Webhook
	for _, r := range rows {
		list = append(list, r.model())
	}
	return list, nil
}

// AddWebhook keeps a webhook and gives it back with the secret of a signed one, which nobody can read again.
func (s *Store) AddWebhook(ctx context.Context, actor models.Actor, w models.Webhook) (models.Webhook, error) {
	w.Name, w.URL = strings.TrimSpace(w.Name), strings.TrimSpace(w.URL)
	switch {
	case !actor.Has(models.PlatformAdmin):
		return w, errNotifyAdmins
	case s.opt.Keys == nil:
		return w, models.Errorf(models.Unavailable, "Webhooks need SLIPWAY_SECRET_KEYS: their addresses are secrets.")
	}
	if err := w.Check(); err != nil {
		return w, err
	}
	w.ID, w.CreatedBy = models.NewID(), actor.Name()
	var secret []byte
	if w.Form == models.SignedHook {
		raw := make([]byte, 32)
		rand.Read(raw) // never fails: crypto/rand ends the process instead
		w.Secret = "whsec_" + base64.StdEncoding.EncodeToString(raw)
		secret = s.opt.Keys.Seal([]byte(w.Secret), hookSecretUse)
	}
	kinds := texts{}
	for _, k := range w.Kinds {
		kinds = append(kinds, string(k))
	}
	err := s.tx(ctx, func(t *tx) error {
		if err := t.roomForHook(w.Name); err != nil {
			return err
		}
		w.CreatedAt = t.now()
		err := t.db.Exec(`INSERT INTO webhooks (id, name, host, url, form, secret, kinds, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			w.ID, w.Name, w.Host, s.opt.Keys.Seal([]byte(w.URL), hookURLUse), w.Form, secret, kinds, w.CreatedBy, w.CreatedAt).Error
		if err != nil {
			return fmt.Errorf("add webhook %s: %w", w.Name, err)
		}
		return t.audit(actor, "webhook.add", about{"webhook", w.ID, w.Name, ""}, nil, map[string]any{"host": w.Host, "form": w.Form, "kinds": w.Kinds})
	})
	return w, err
}

// roomForHook refuses a name that is taken, and one too many. Two at once wait for each other.
func (t *tx) roomForHook(name string) error {
	if err := t.db.Exec(`LOCK TABLE webhooks IN SHARE ROW EXCLUSIVE MODE`).Error; err != nil {
		return fmt.Errorf("lock the webhooks: %w", err)
	}
	names, err := many[string](t.db, `SELECT name FROM webhooks WHERE removed_at IS NULL`)
	if err != nil {
		return fmt.Errorf("read the webhooks: %w", err)
	}
	switch {
	case slices.Contains(names, name):
		return models.InvalidFields(map[string]string{"name": "Another webhook has this name."})
	case len(names) >= models.MaxWebhooks:
		return models.Errorf(models.Conflict, "There are %d webhooks already, which is all there can be. Remove one first.", models.MaxWebhooks)
	}
	return nil
}

// RemoveWebhook forgets a webhook's address and secret. What waits for it is superseded.
func (s *Store) RemoveWebhook(ctx context.Context, actor models.Actor, id string) error {
	if !actor.Has(models.PlatformAdmin) {
		return errNotifyAdmins
	}
	if !models.ValidID(id) {
		return translate(gorm.ErrRecordNotFound)
	}
	return s.tx(ctx, func(t *tx) error {
		row, err := one[hookRow](t.db, `UPDATE webhooks w SET removed_at = ?, url = NULL, secret = NULL WHERE w.id = ? AND w.removed_at IS NULL RETURNING `+hookColumns, t.now(), id)
		if err != nil {
			return err
		}
		err = t.db.Exec(`UPDATE notifications SET state = 'superseded', error = ?, ended_at = ?, generation = generation + 1, lease_owner = NULL, lease_until = NULL
			WHERE webhook_id = ? AND state = 'pending'`, removedWebhook, t.now(), id).Error
		if err != nil {
			return fmt.Errorf("end what waits for %s: %w", row.Name, err)
		}
		return t.audit(actor, "webhook.remove", about{"webhook", id, row.Name, ""}, map[string]any{"host": row.Host, "form": row.Form}, nil)
	})
}

// TestWebhook sends a message to one webhook, through the outbox like all others.
func (s *Store) TestWebhook(ctx context.Context, actor models.Actor, destination string) error {
	if !actor.Has(models.PlatformAdmin) {
		return errNotifyAdmins
	}
	id, ok := strings.CutPrefix(destination, models.DestinationOf(""))
	if !ok || destination != models.ConfigDestination && !models.ValidID(id) {
		return translate(gorm.ErrRecordNotFound)
	}
	return s.tx(ctx, func(t *tx) error {
		name := destination
		if destination != models.ConfigDestination {
			row, err := one[hookRow](t.db, `SELECT `+hookColumns+` FROM webhooks w WHERE w.id = ? AND w.removed_at IS NULL`, id)
			if err != nil {
				return err
			}
			name = row.Name
		}
		if err := t.audit(actor, "webhook.test", about{"webhook", id, name, ""}, nil, nil); err != nil {
			return err
		}
		return t.tell(models.TestOf(actor, destination))
	})
}

// AllowedNetworks lists what webhooks may reach although it is not public, for platform admins and auditors.
func (s *Store) AllowedNetworks(ctx context.Context, actor models.Actor) ([]models.AllowedNetwork, error) {
	if !actor.SeesAll() {
		return nil, models.Errorf(models.Forbidden, "Only platform admins and auditors see the allowed networks.")
	}
	rows, err := many[models.AllowedNetwork](s.read(ctx), `SELECT id, block::text AS block, note, created_by, created_at FROM notification_networks ORDER BY notification_networks.block LIMIT 1000`)
	if err != nil {
		return nil, translate(fmt.Errorf("list allowed networks: %w", err))
	}
	return rows, nil
}

// AllowNetwork lets webhooks reach a network that is not public.
func (s *Store) AllowNetwork(ctx context.Context, actor models.Actor, block, note string) error {
	if !actor.Has(models.PlatformAdmin) {
		return errNotifyAdmins
	}
	p, err := models.ParseNetwork(block)
	if err != nil {
		return err
	}
	note = clipped(strings.TrimSpace(note), 200)
	return s.tx(ctx, func(t *tx) error {
		id := models.NewID()
		res := t.db.Exec(`INSERT INTO notification_networks (id, block, note, created_by, created_at) VALUES (?, ?::cidr, ?, ?, ?) ON CONFLICT (block) DO NOTHING`, id, p.String(), note, actor.Name(), t.now())
		if res.Error != nil {
			return fmt.Errorf("allow network %s: %w", p, res.Error)
		}
		if res.RowsAffected == 0 {
			return models.InvalidFields(map[string]string{"block": "It is allowed already."})
		}
		return t.audit(actor, "webhook.allow_network", about{"network", id, p.String(), ""}, nil, map[string]any{"block": p.String(), "note": note})
	})
}

// ForbidNetwork takes a network back.
func (s *Store) ForbidNetwork(ctx context.Context, actor models.Actor, id string) error {
	if !actor.Has(models.PlatformAdmin) {
		return errNotifyAdmins
	}
	if !models.ValidID(id) {
		return translate(gorm.ErrRecordNotFound)
	}
	return s.tx(ctx, func(t *tx) error {
		block, err := one[string](t.db, `DELETE FROM notification_networks WHERE id = ? RETURNING block::text`, id)
		if err != nil {
			return err
		}
		return t.audit(actor, "webhook.forbid_network", about{"network", id, block, ""}, map[string]any{"block": block}, nil)
	})
}
