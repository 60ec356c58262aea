package store

import (
	"fmt"
	"time"

	"slipway/models"
)

// OutboxTopic wakes the workers that send notifications.
const OutboxTopic = "notifications"

// blockedAgain is after which time the same wait of the same request is told once more.
const blockedAgain = time.Hour

// tell writes an event into the outbox, in the transaction that it describes: it is told exactly when that commits, and then at least
// once. Who is told, by which right and choice, is found out by the worker. id and time are set here.
func (t *tx) tell(e models.Event) error {
	e.ID, e.At = models.NewID(), t.now()
	err := t.db.Exec(`INSERT INTO notification_events (id, kind, object_type, object_id, object_name, tenant_id, request_id, state, plan_id, plan_hash, person_id,
		by_id, by_name, subject, words, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.ID, e.Kind, e.Object, e.ObjectID, e.ObjectName, orNull(e.TenantID), orNull(e.RequestID), e.State, orNull(e.PlanID), e.PlanHash, orNull(e.PersonID),
		orNull(e.ByID), e.ByName, clipped(e.Subject, 300), clipped(e.Words, maxReason+500), e.At).Error
	if err != nil {
		return fmt.Errorf("write the event %s: %w", e.Kind, err)
	}
	return t.notify(OutboxTopic)
}

// tellOf tells what belongs to a request that has just moved.
func (t *tx) tellOf(actor models.Actor, r models.Request) error {
	e, ok := models.RequestEvent(actor, r)
	if !ok {
		return nil
	}
	return t.tell(e)
}

// tellBlocked tells that a request begins to wait for somebody. One that comes back to the same wait within the hour has told already.
func (t *tx) tellBlocked(r models.Request, w models.WaitingOn) error {
	type answer struct{ Told bool }
	a, err := one[answer](t.db, `SELECT EXISTS (SELECT FROM notification_events WHERE request_id = ? AND kind = ? AND words = ? AND at > ?) AS told`,
		r.ID, models.TellBlocked, clipped(w.Words, maxReason+500), t.now().Add(-blockedAgain))
	if err != nil {
		return fmt.Errorf("look whether the wait of %s was told: %w", r.ID, err)
	}
	if a.Told {
		return nil
	}
	return t.tell(models.BlockedEvent(r, w))
}

// tellEnd tells that an environment's end comes near.
func (t *tx) tellEnd(id, warning string) error {
	env, err := readEnvironment(t.db, `e.id = ?`, id)
	if err != nil {
		return err
	}
	ordered, err := t.orderedBy(env)
	if err != nil {
		return err
	}
	return t.tell(models.EndEvent(env, ordered, warning))
}

// tellOver tells that an environment's end has come, with what Slipway asks for because of it.
func (t *tx) tellOver(r models.Request) error {
	env, err := readEnvironment(t.db, `e.id = ?`, r.ObjectID)
	if err != nil {
		return err
	}
	e := models.EndEvent(env, "", "")
	if e.PersonID, err = t.orderedBy(env); err != nil {
		return err
	}
	e.RequestID, e.Words = r.ID, fmt.Sprintf("REQ-%d asks for what follows: %s. The rules decide on it as on everybody's.", r.Number, r.Title)
	return t.tell(e)
}

// orderedBy is who asked for an environment.
func (t *tx) orderedBy(env models.Environment) (string, error) {
	type row struct{ ID string }
	r, err := one[row](t.db, `SELECT requester_id AS id FROM requests WHERE id = ?`, env.RequestID)
	if err != nil {
		return "", fmt.Errorf("find who ordered %s: %w", env.Name, err)
	}
	return r.ID, nil
}
