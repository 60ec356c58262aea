package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

const (
	spreadAtOnce = 20                  // events of one call: what it makes is sent before the next
	seenLately   = 90 * 24 * time.Hour // whose groups were seen before is not told by group: they may have left
)

// Sealer encrypts what the database keeps secret; use names what a value is for.
type Sealer interface {
	Seal(plain []byte, use string) []byte
	Open(sealed []byte, use string) ([]byte, error)
}

// Outbox is what the courier of notifications works from. Everything in it survives any crash: events wait until they are spread to
// recipients, in one transaction each, and messages wait until their outcome is written under the lease that they were taken with.
type Outbox struct{ s *Store }

// Outbox gives the courier its memory.
func (s *Store) Outbox() *Outbox { return &Outbox{s} }

const eventColumns = `e.id, e.kind, e.object_type, e.object_id, e.object_name, e.tenant_id, e.request_id, e.state, e.plan_id, e.plan_hash, e.person_id, e.by_id, e.by_name, e.subject, e.words, e.at`

type outboxRow struct {
	ID         string
	Kind       models.EventKind
	ObjectType models.ObjectType
	ObjectID   string
	ObjectName string
	TenantID   *string
	RequestID  *string
	State      string
	PlanID     *string
	PlanHash   string
	PersonID   *string
	ByID       *string
	ByName     string
	Subject    string
	Words      string
	At         time.Time
}

func (r outboxRow) model() models.Event {
	return models.Event{ID: r.ID, Kind: r.Kind, Object: r.ObjectType, ObjectID: r.ObjectID, ObjectName: r.ObjectName, TenantID: value(r.TenantID), RequestID: value(r.RequestID),
		State: r.State, PlanID: value(r.PlanID), PlanHash: r.PlanHash, PersonID: value(r.PersonID), ByID: value(r.ByID), ByName: r.ByName, Subject: r.Subject, Words: r.Words, At: r.At}
}

// Spread makes the messages of events that nobody was told of yet, by the rights and choices of this moment. ways says what the process
// can send with: what it cannot is written down as not configured. An event that cannot be spread does not keep the others.
func (o *Outbox) Spread(ctx context.Context, ways models.Ways) (int, error) {
	done := 0
	var failed []error
	skip := texts{}
	for done+len(skip) < spreadAtOnce {
		id := ""
		err := o.s.tx(ctx, func(t *tx) error {
			id = ""
			row, err := one[outboxRow](t.db, `SELECT `+eventColumns+` FROM notification_events e WHERE e.told_at IS NULL AND e.id <> ALL (?::uuid[]) ORDER BY e.at, e.id LIMIT 1 FOR UPDATE SKIP LOCKED`, skip)
			if errors.Is(err, gorm.ErrRecordNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			id = row.ID
			return t.spread(row.model(), ways)
		})
		if err != nil && id == "" {
			return done, errors.Join(append(failed, fmt.Errorf("take an event: %w", err))...)
		}
		if err != nil {
			failed, skip = append(failed, fmt.Errorf("spread event %s: %w", id, err)), append(skip, id)
			continue
		}
		if id == "" {
			break
		}
		done++
	}
	return done, errors.Join(failed...)
}

// letter is a notification as it is made.
type letter struct {
	channel     models.Channel
	destination string
	recipient   string
	personID    string
	webhookID   string
	state       models.NotificationState
	problem     string
}

func (t *tx) spread(e models.Event, ways models.Ways) error {
	stand, err := t.standing(e)
	if err != nil {
		return err
	}
	letters, err := t.letters(e, stand, ways)
	if err != nil {
		return err
	}
	hooks, err := t.hookLetters(e, ways)
	if err != nil {
		return err
	}
	for _, l := range append(letters, hooks...) {
		var ended *time.Time
		if l.state != models.NotePending {
			ended = timeOrNull(t.now())
		}
		err := t.db.Exec(`INSERT INTO notifications (id, event_id, channel, destination, recipient, person_id, webhook_id, state, error, since, next_at, created_at, ended_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event_id, destination, recipient) DO NOTHING`, models.NewID(), e.ID, l.channel, l.destination, l.recipient,
			orNull(l.personID), orNull(l.webhookID), l.state, l.problem, t.now(), t.now(), t.now(), ended).Error
		if err != nil {
			return fmt.Errorf("write a message of %s: %w", e.ID, err)
		}
	}
	if err := t.db.Exec(`UPDATE notification_events SET told_at = ? WHERE id = ?`, t.now(), e.ID).Error; err != nil {
		return fmt.Errorf("mark event %s as told: %w", e.ID, err)
	}
	return nil
}

// hearer is a person with their choice about one kind of event.
type hearer struct {
	Person personRow `gorm:"embedded"`
	Wanted bool
}

// letters are the e-mails of an event: to whom it concerns and who wants them.
func (t *tx) letters(e models.Event, stand models.Standing, ways models.Ways) ([]letter, error) {
	if e.Kind == models.TellTest && e.PersonID == "" {
		return nil, nil
	}
	people, err := t.hearers(e, stand)
	if err != nil {
		return nil, err
	}
	var all []letter
	for _, p := range people {
		who, err := t.s.actor(p.Person)
		if err != nil {
			return nil, err
		}
		if !e.Concerns(who, stand) || !p.Wanted && !e.Kind.Forced() {
			continue
		}
		l := letter{channel: models.ByMail, destination: models.MailDestination, recipient: who.Person.ID, personID: who.Person.ID, state: models.NotePending}
		switch {
		case !ways.Mail:
			l.state, l.problem = models.NoteNotConfigured, "No mail server is configured (SLIPWAY_SMTP_URL)."
		case who.Person.Email == "":
			l.state, l.problem = models.NoteFailed, noAddress
		}
		all = append(all, l)
	}
	return all, nil
}

const noAddress = "The identity provider gave no verified e-mail address at the last sign-in."

// hearers are the people whom an event may concern: whoever asked or ordered, admins, and the tenant's owners and developers.
func (t *tx) hearers(e models.Event, stand models.Standing) ([]hearer, error) {
	ids, groups := texts{}, texts(slices.Clone(t.s.opt.AdminGroups))
	if e.PersonID != "" {
		ids = append(ids, e.PersonID)
	}
	if stand.Request != nil {
		ids = append(ids, stand.Request.RequesterID)
	}
	more, err := many[string](t.db, `SELECT group_name FROM role_mappings WHERE role = 'platform-admin'
		UNION SELECT unnest(ARRAY[owner_group, developer_group]) FROM tenants WHERE id = ? OR ?`, orNull(e.TenantID), e.Kind == models.TellFreeze && e.TenantID == "")
	if err != nil {
		return nil, fmt.Errorf("find the groups that %s concerns: %w", e.ID, err)
	}
	people, err := many[hearer](t.db, `SELECT `+personColumns+`, COALESCE(c.wanted, true) AS wanted FROM people p LEFT JOIN notification_choices c ON c.person_id = p.id AND c.kind = ?
		WHERE p.issuer <> ? AND (p.id = ANY (?::uuid[]) OR p.groups && ?::text[] AND (p.groups_seen_at > ? OR ?)) ORDER BY p.id`,
		e.Kind, models.SystemIssuer, ids, append(groups, more...), t.now().Add(-seenLately), e.Kind.Forced())
	if err != nil {
		return nil, fmt.Errorf("find whom %s concerns: %w", e.ID, err)
	}
	return people, nil
}

// hookLetters are the messages to webhooks.
func (t *tx) hookLetters(e models.Event, ways models.Ways) ([]letter, error) {
	if e.Kind == models.TellTest && e.State == "" {
		return nil, nil
	}
	var all []letter
	if e.Kind != models.TellTest && ways.Webhook || e.State == models.ConfigDestination {
		l := letter{channel: models.ByWebhook, destination: models.ConfigDestination, recipient: models.ConfigDestination, state: models.NotePending}
		if !ways.Webhook {
			l.state, l.problem = models.NoteNotConfigured, "No webhook is configured (SLIPWAY_WEBHOOK_URL)."
		}
		all = append(all, l)
	}
	type row struct {
		ID    string
		Kinds texts
	}
	hooks, err := many[row](t.db, `SELECT id, kinds FROM webhooks WHERE removed_at IS NULL ORDER BY id LIMIT ?`, models.MaxWebhooks)
	if err != nil {
		return nil, fmt.Errorf("find webhooks: %w", err)
	}
	for _, h := range hooks {
		wanted := len(h.Kinds) == 0 || slices.Contains(h.Kinds, string(e.Kind))
		if e.Kind == models.TellTest {
			wanted = strings.EqualFold(e.State, models.DestinationOf(h.ID))
		}
		if wanted {
			all = append(all, letter{channel: models.ByWebhook, destination: models.DestinationOf(h.ID), recipient: h.ID, webhookID: h.ID, state: models.NotePending})
		}
	}
	return all, nil
}

// standing is what is true of an event's request and object now.
func (t *tx) standing(e models.Event) (models.Standing, error) {
	s := models.Standing{}
	if e.Kind == models.TellExpiry {
		warned, err := many[string](t.db, `SELECT expiry_warned FROM environments WHERE id::text = ?`, e.ObjectID)
		if err != nil {
			return s, fmt.Errorf("read the warning of %s: %w", e.ObjectName, err)
		}
		s.Warned = strings.Join(warned, "")
	}
	if e.RequestID == "" {
		return s, nil
	}
	type row struct {
		Request requestRow `gorm:"embedded"`
		Issuer  string
	}
	r, err := one[row](t.db, `SELECT `+requestColumns+`, p.issuer FROM `+requestsJoined+` WHERE r.id = ?`, e.RequestID)
	if err != nil {
		return s, fmt.Errorf("read request %s: %w", e.RequestID, err)
	}
	req, err := r.Request.model()
	if err != nil {
		return s, err
	}
	s.Request, s.ByItself = &req, r.Issuer == models.SystemIssuer
	if e.Kind != models.TellApprovers || req.PlanID == "" {
		return s, nil
	}
	plan, err := readPlan(t.db, req.PlanID)
	if err != nil {
		return s, err
	}
	given, _, err := t.approvals(req, req.PlanHash)
	s.Missing = models.Missing(plan.Notes.Demands, given)
	for _, a := range given {
		s.Decided = append(s.Decided, a.PersonID)
	}
	return s, err
}
