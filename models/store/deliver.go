package store

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/models"
)

const (
	circuitAt      = 5 // failures in a row after which a destination is left alone for a while
	probeAt        = 2 // failures in a row after which one message at a time is tried
	hookURLUse     = "webhook.url"
	hookSecretUse  = "webhook.secret"
	removedWebhook = "The webhook was removed."
)

// Due lists the destinations that something is due for and that are not left alone.
func (o *Outbox) Due(ctx context.Context) ([]string, error) {
	names, err := many[string](o.s.read(ctx), `SELECT d.name FROM (SELECT ? AS name UNION ALL SELECT ? UNION ALL SELECT 'webhook:' || id FROM webhooks) d
		WHERE EXISTS (SELECT FROM notifications n WHERE n.destination = d.name AND n.state = 'pending' AND n.next_at <= ? AND (n.lease_until IS NULL OR n.lease_until < clock_timestamp()))
		AND NOT EXISTS (SELECT FROM notification_destinations c WHERE c.name = d.name AND c.closed_until > ?)`,
		models.MailDestination, models.ConfigDestination, o.s.clock.Now(), o.s.clock.Now())
	if err != nil {
		return nil, translate(fmt.Errorf("look for due notifications: %w", err))
	}
	return names, nil
}

// leased is a message with the lease that it was taken by.
type leased struct {
	ID         string
	EventID    string
	Channel    models.Channel
	PersonID   *string
	WebhookID  *string
	Forced     bool
	Generation int64
	Attempts   int
}

// Take leases what is due for a destination. A message whose lease lapsed was perhaps sent: it is taken again, under the same id. What is
// about something that is no more so ends here, and what could not be sent for a day, too. A destination in trouble gets one at a time.
func (o *Outbox) Take(ctx context.Context, owner, destination string, limit int, lease time.Duration) (taken []models.Delivery, err error) {
	err = o.s.tx(ctx, func(t *tx) error {
		taken = nil
		failures, err := t.giveUp(destination)
		if err != nil {
			return err
		}
		if failures >= probeAt {
			limit = 1
		}
		rows, err := many[leased](t.db, `UPDATE notifications SET lease_owner = ?, lease_until = clock_timestamp() + ?::interval, generation = generation + 1, attempts = attempts + 1
			WHERE id IN (SELECT id FROM notifications WHERE destination = ? AND state = 'pending' AND next_at <= ? AND (lease_until IS NULL OR lease_until < clock_timestamp())
				ORDER BY next_at, id LIMIT ? FOR UPDATE SKIP LOCKED) RETURNING id, event_id, channel, person_id, webhook_id, forced, generation, attempts`,
			owner, lease.String(), destination, t.now(), limit)
		if err != nil {
			return fmt.Errorf("lease notifications: %w", err)
		}
		for _, row := range rows {
			d, over, err := t.delivery(row)
			if err != nil {
				return fmt.Errorf("read notification %s: %w", row.ID, err)
			}
			if over != "" {
				if err := t.supersede(row.ID, over); err != nil {
					return err
				}
				continue
			}
			d.Owner, d.Destination = owner, destination
			taken = append(taken, d)
		}
		return nil
	})
	return taken, err
}

// giveUp ends what could not be sent for a day, and says how often in a row its destination failed.
func (t *tx) giveUp(destination string) (int, error) {
	type circuit struct {
		Failures int
		Error    string
	}
	c, err := many[circuit](t.db, `SELECT failures, error FROM notification_destinations WHERE name = ?`, destination)
	if err != nil {
		return 0, fmt.Errorf("read the circuit of %s: %w", destination, err)
	}
	now := circuit{}
	if len(c) > 0 {
		now = c[0]
	}
	err = t.db.Exec(`UPDATE notifications SET state = 'failed', ended_at = ?, lease_owner = NULL, lease_until = NULL, generation = generation + 1,
			error = COALESCE(NULLIF(error, ''), NULLIF(?, ''), 'The worker that sent it ended before it knew the outcome.')
		WHERE destination = ? AND state = 'pending' AND since < ? AND (attempts > 0 OR ?) AND (lease_until IS NULL OR lease_until < clock_timestamp())`,
		t.now(), now.Error, destination, t.now().Add(-models.GiveUpAfter), now.Failures >= circuitAt).Error
	if err != nil {
		return 0, fmt.Errorf("give up old notifications: %w", err)
	}
	return now.Failures, nil
}

func (t *tx) supersede(id, why string) error {
	err := t.db.Exec(`UPDATE notifications SET state = 'superseded', error = ?, ended_at = ?, attempts = attempts - 1, lease_owner = NULL, lease_until = NULL WHERE id = ?`, why, t.now(), id).Error
	if err != nil {
		return fmt.Errorf("supersede notification %s: %w", id, err)
	}
	return nil
}

// delivery is a message with all that is needed to send it; or why it is over.
func (t *tx) delivery(row leased) (d models.Delivery, over string, err error) {
	d = models.Delivery{ID: row.ID, Generation: row.Generation, Attempts: row.Attempts, Channel: row.Channel}
	event, err := one[outboxRow](t.db, `SELECT `+eventColumns+` FROM notification_events e WHERE e.id = ?`, row.EventID)
	if err != nil {
		return d, "", err
	}
	d.Event = event.model()
	stand, err := t.standing(d.Event)
	if err != nil {
		return d, "", err
	}
	if over = d.Event.Over(stand); over != "" && !row.Forced {
		return d, over, nil
	}
	if row.PersonID != nil {
		if over, err = t.addressee(&d, *row.PersonID, stand); err != nil || over != "" {
			return d, over, err
		}
	}
	if row.WebhookID != nil {
		if over, err = t.hook(&d, *row.WebhookID); err != nil || over != "" {
			return d, over, err
		}
	}
	return d, "", t.facts(&d, stand)
}

// addressee is the person a message goes to, as long as it still concerns them.
func (t *tx) addressee(d *models.Delivery, personID string, stand models.Standing) (string, error) {
	who, err := t.s.actorOf(t.db, personID)
	if err != nil {
		return "", err
	}
	if !d.Event.Concerns(who, stand) {
		return "It does not concern " + who.Person.Name + " any more.", nil
	}
	if who.Person.Email == "" {
		return noAddress, nil
	}
	d.To, d.ToName = who.Person.Email, who.Person.Name
	return "", nil
}

// hook opens a webhook's address and secret. One that cannot be opened is left for its outcome to say so.
func (t *tx) hook(d *models.Delivery, id string) (string, error) {
	row, err := one[hookRow](t.db, `SELECT `+hookColumns+` FROM webhooks w WHERE w.id = ?`, id)
	if err != nil {
		return "", err
	}
	if row.RemovedAt != nil {
		return removedWebhook, nil
	}
	d.Hook = row.model()
	if t.s.opt.Keys == nil {
		return "", nil
	}
	for _, part := range []struct {
		sealed []byte
		use    string
		into   *string
	}{{row.URL, hookURLUse, &d.Hook.URL}, {row.Secret, hookSecretUse, &d.Hook.Secret}} {
		if len(part.sealed) == 0 {
			continue
		}
		plain, err := t.s.opt.Keys.Open(part.sealed, part.use)
		if err != nil {
			t.s.log.ErrorContext(t.ctx, "a webhook cannot be opened with SLIPWAY_SECRET_KEYS", "webhook", row.Name, "err", err)
			d.Hook.URL = ""
			return "", nil
		}
		*part.into = string(plain)
	}
	return "", nil
}

// facts are the lines that a message says of its request.
func (t *tx) facts(d *models.Delivery, stand models.Standing) error {
	if d.Event.TenantID != "" {
		slug, err := one[string](t.db, `SELECT slug FROM tenants WHERE id = ?`, d.Event.TenantID)
		if err != nil {
			return fmt.Errorf("read the tenant of event %s: %w", d.Event.ID, err)
		}
		d.Slug = slug
		d.Facts = append(d.Facts, models.Fact{Label: "Tenant", Value: slug})
	}
	if stand.Request == nil {
		return nil
	}
	r := *stand.Request
	d.Number, d.Title = r.Number, r.Title
	d.Facts = append(d.Facts, models.Fact{Label: "Request", Value: fmt.Sprintf("REQ-%d %s", r.Number, r.Title)}, models.Fact{Label: "Asked by", Value: r.RequesterName})
	type money struct {
		Now, Planned string
		Why          *string
	}
	m, err := many[money](t.db, `SELECT round(p.monthly_now, 2)::text AS now, round(p.monthly_planned, 2)::text AS planned, r.inputs->>'reason' AS why
		FROM requests r LEFT JOIN plans p ON p.id = COALESCE(?::uuid, r.plan_id) WHERE r.id = ?`, orNull(d.Event.PlanID), r.ID)
	if err != nil {
		return fmt.Errorf("read the cost of %s: %w", r.ID, err)
	}
	for _, x := range m {
		if x.Planned != "" {
			d.Facts = append(d.Facts, models.Fact{Label: "Monthly cost", Value: fmt.Sprintf("$%s (now $%s)", x.Planned, x.Now)})
		}
		if value(x.Why) != "" {
			d.Facts = append(d.Facts, models.Fact{Label: "Reason", Value: value(x.Why)})
		}
	}
	return nil
}

// Networks are what webhooks may reach although it is not public.
func (o *Outbox) Networks(ctx context.Context) ([]netip.Prefix, error) {
	rows, err := o.s.pool.Query(ctx, `SELECT block FROM notification_networks ORDER BY block LIMIT 1000`)
	if err != nil {
		return nil, fmt.Errorf("read allowed networks: %w", translate(err))
	}
	blocks, err := pgx.CollectRows(rows, pgx.RowTo[netip.Prefix])
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("read allowed networks: %w", translate(err))
	}
	return blocks, nil
}
