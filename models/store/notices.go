package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

type noticeRow struct {
	ID          string
	Kind        models.EventKind
	Channel     models.Channel
	Destination string
	Recipient   string
	Address     string
	Subject     string
	Number      *int64
	RequestID   *string
	State       models.NotificationState
	Attempts    int
	Error       string
	NextAt      time.Time
	CreatedAt   time.Time
	EndedAt     *time.Time
}

func (r noticeRow) model() models.Notification {
	return models.Notification{ID: r.ID, Kind: r.Kind, Channel: r.Channel, Destination: r.Destination, Recipient: r.Recipient, Address: r.Address, Subject: r.Subject,
		Request: value(r.Number), RequestID: value(r.RequestID), State: r.State, Attempts: r.Attempts, Error: r.Error, NextAt: r.NextAt, CreatedAt: r.CreatedAt, EndedAt: value(r.EndedAt)}
}

var noticeList = listing[noticeRow]{
	columns: `n.id, e.kind, n.channel, n.destination, COALESCE(p.name, w.name, n.recipient) AS recipient, COALESCE(NULLIF(n.address, ''), p.email, w.host, '') AS address, e.subject, r.number,
		e.request_id, n.state, n.attempts, n.error, n.next_at, n.created_at, n.ended_at`,
	from: `notifications n`, id: `n.id`, usual: "-created", sorts: map[string]column{"created": {`n.created_at`, "timestamptz"}},
	wide: `JOIN notification_events e ON e.id = n.event_id LEFT JOIN people p ON p.id = n.person_id LEFT JOIN webhooks w ON w.id = n.webhook_id LEFT JOIN requests r ON r.id = e.request_id`,
}

// Notifications lists what was sent to whom and what became of it, newest first, for platform admins and auditors.
func (s *Store) Notifications(ctx context.Context, actor models.Actor, q models.ListQuery) (models.List[models.Notification], error) {
	if !actor.SeesAll() {
		return models.List[models.Notification]{}, models.Errorf(models.Forbidden, "Only platform admins and auditors see the delivery log.")
	}
	c, err := noticeConditions(q)
	if err != nil {
		return models.List[models.Notification]{}, err
	}
	list, err := noticeList.read(ctx, s, c, q)
	return convert(list, noticeRow.model), err
}

// EachNotification exports the delivery log, audited.
func (s *Store) EachNotification(ctx context.Context, actor models.Actor, q models.ListQuery, fn func(models.Notification) error) error {
	if !actor.SeesAll() {
		return models.Errorf(models.Forbidden, "Only platform admins and auditors see the delivery log.")
	}
	c, err := noticeConditions(q)
	if err != nil {
		return err
	}
	return noticeList.each(ctx, s, actor, "notifications", c, q, func(r noticeRow) error { return fn(r.model()) })
}

func noticeConditions(q models.ListQuery) (c conditions, err error) {
	if err := c.search(q.Search, `(SELECT e.subject FROM notification_events e WHERE e.id = n.event_id)`, `n.address`, `n.error`); err != nil {
		return c, err
	}
	kinds := append(models.EventKinds(), models.TellTest)
	return c, narrow(&c, q, map[string]filter{
		"state": oneOf(`n.state`, models.NotificationStates()), "channel": oneOf(`n.channel`, models.Channels()), "destination": equals(`n.destination`),
		"kind": oneOf(`(SELECT e.kind FROM notification_events e WHERE e.id = n.event_id)`, kinds),
		"from": fromDay(`n.created_at >= ?`, 0), "to": fromDay(`n.created_at < ?`, 24*time.Hour),
	})
}

// MyNotifications are the newest messages to the person themselves.
func (s *Store) MyNotifications(ctx context.Context, actor models.Actor, limit int) ([]models.Notification, error) {
	rows, err := many[noticeRow](s.read(ctx), `SELECT `+noticeList.columns+` FROM notifications n `+noticeList.wide+` WHERE n.person_id = ? ORDER BY n.created_at DESC, n.id DESC LIMIT ?`,
		orNull(actor.Person.ID), limit)
	if err != nil {
		return nil, translate(fmt.Errorf("list a person's notifications: %w", err))
	}
	var list []models.Notification
	for _, r := range rows {
		list = append(list, r.model())
	}
	return list, nil
}

// EventsOff are the kinds that the person does not want to be told of.
func (s *Store) EventsOff(ctx context.Context, actor models.Actor) ([]models.EventKind, error) {
	off, err := many[models.EventKind](s.read(ctx), `SELECT kind FROM notification_choices WHERE person_id = ? AND NOT wanted ORDER BY kind`, orNull(actor.Person.ID))
	if err != nil {
		return nil, translate(fmt.Errorf("read a person's choices: %w", err))
	}
	return off, nil
}

// ChooseEvents writes which kinds the person wants; all others are off, but for those that cannot be.
func (s *Store) ChooseEvents(ctx context.Context, actor models.Actor, wanted []models.EventKind) error {
	if actor.Person.ID == "" {
		return models.Errorf(models.Forbidden, "Only a person chooses what they are told of.")
	}
	for _, k := range wanted {
		if !slices.Contains(models.EventKinds(), k) {
			return models.Errorf(models.Invalid, "There is no event %q.", clip(string(k)))
		}
	}
	return s.tx(ctx, func(t *tx) error {
		for _, k := range models.EventKinds() {
			if k.Forced() {
				continue
			}
			err := t.db.Exec(`INSERT INTO notification_choices (person_id, kind, wanted) VALUES (?, ?, ?) ON CONFLICT (person_id, kind) DO UPDATE SET wanted = excluded.wanted`,
				actor.Person.ID, k, slices.Contains(wanted, k)).Error
			if err != nil {
				return fmt.Errorf("write a choice: %w", err)
			}
		}
		return t.audit(actor, "notifications.choose", aboutPerson(actor.Person), nil, map[string]any{"wanted": wanted})
	})
}

// TestNotification sends the person a message, through the outbox like all others.
func (s *Store) TestNotification(ctx context.Context, actor models.Actor) error {
	if actor.Person.ID == "" {
		return models.Errorf(models.Forbidden, "Only a person can be sent a test.")
	}
	return s.tx(ctx, func(t *tx) error { return t.tell(models.TestOf(actor, "")) })
}

// Redeliver sends a message again, under the same id, whatever became of it and of what it is about.
func (s *Store) Redeliver(ctx context.Context, actor models.Actor, id string) error {
	if !actor.Has(models.PlatformAdmin) {
		return models.Errorf(models.Forbidden, "Only platform admins send a notification again.")
	}
	if !models.ValidID(id) {
		return translate(gorm.ErrRecordNotFound)
	}
	return s.tx(ctx, func(t *tx) error {
		row, err := one[noticeRow](t.db, `SELECT `+noticeList.columns+` FROM notifications n `+noticeList.wide+` WHERE n.id = ? FOR UPDATE OF n`, id)
		if err != nil {
			return err
		}
		if !row.model().Redeliverable() {
			return models.Errorf(models.Conflict, "It is still being sent.")
		}
		err = t.db.Exec(`UPDATE notifications SET state = 'pending', forced = true, attempts = 0, error = '', since = ?, next_at = ?, ended_at = NULL, generation = generation + 1 WHERE id = ?`,
			t.now(), t.now(), id).Error
		if err != nil {
			return fmt.Errorf("send notification %s again: %w", id, err)
		}
		if err := t.audit(actor, "notification.redeliver", about{"notification", id, row.Subject, ""}, map[string]any{"state": row.State, "error": row.Error}, nil); err != nil {
			return err
		}
		return t.notify(OutboxTopic)
	})
}

// Destinations lists where messages go, with the circuit of each and what waits, for platform admins and auditors.
func (s *Store) Destinations(ctx context.Context, actor models.Actor) ([]models.Destination, error) {
	if !actor.SeesAll() {
		return nil, models.Errorf(models.Forbidden, "Only platform admins and auditors see the delivery log.")
	}
	type row struct {
		Name        string
		Failures    int
		ClosedUntil *time.Time
		Error       string
		OKAt        *time.Time `gorm:"column:ok_at"`
		Pending     int
	}
	rows, err := many[row](s.read(ctx), `SELECT d.name, COALESCE(c.failures, 0) AS failures, c.closed_until, COALESCE(c.error, '') AS error, c.ok_at,
		(SELECT count(*) FROM notifications n WHERE n.destination = d.name AND n.state = 'pending') AS pending
		FROM (SELECT ? AS name UNION ALL SELECT ? UNION ALL SELECT 'webhook:' || id FROM webhooks WHERE removed_at IS NULL) d LEFT JOIN notification_destinations c ON c.name = d.name
		ORDER BY d.name`, models.MailDestination, models.ConfigDestination)
	if err != nil {
		return nil, translate(fmt.Errorf("list destinations: %w", err))
	}
	var list []models.Destination
	for _, r := range rows {
		list = append(list, models.Destination{Name: r.Name, Failures: r.Failures, ClosedUntil: value(r.ClosedUntil), Error: r.Error, OKAt: value(r.OKAt), Pending: r.Pending})
	}
	return list, nil
}
