package store

import (
	"fmt"

	"slipway/models"
)

// runStates are the request states that its run shares. A run that is planned again, or waits for a decision on its rest,
// keeps the state it had.
var runStates = map[models.RequestState]bool{
	models.Running: true, models.Stopping: true, models.Succeeded: true, models.Failed: true, models.Undoing: true, models.Undone: true, models.Abandoned: true,
}

// objectStates says what becomes of the object that a request creates; states without a row leave it as it is.
var objectStates = map[models.RequestState]models.ObjectState{
	models.Running: models.Creating, models.Succeeded: models.Ready, models.Failed: models.Broken, models.Abandoned: models.Broken,
	models.Undoing: models.Deleting, models.Undone: models.Deleted,
}

// move is the one place where a request changes state, with all that belongs to it: locks released, names freed, what it
// waited for cleared, its run and object moved along, audited, listeners woken. The update compares and sets: of many who
// race, one wins and the others get a Conflict. r is what the caller loaded, and is changed.
func (t *tx) move(actor models.Actor, r *models.Request, to models.RequestState, by models.Mover, reason string) error {
	next := *r
	if err := next.Move(to, by); err != nil {
		return err
	}
	now := t.now()
	next.StateSince, next.Reason, next.Waiting = now, reason, nil
	if next.State.Final() {
		next.EndedAt = now
	}
	res := t.db.Exec(`UPDATE requests SET state = ?, state_since = ?, reason = ?, waiting = NULL, ended_at = ? WHERE id = ? AND state = ?`,
		next.State, now, reason, timeOrNull(next.EndedAt), r.ID, r.State)
	if res.Error != nil {
		return fmt.Errorf("move request %s to %s: %w", r.ID, next.State, res.Error)
	}
	if res.RowsAffected == 0 {
		return models.Errorf(models.Conflict, "This request is not %s any more. Load the page again.", r.State.Words())
	}
	if err := t.settle(actor, next); err != nil {
		return err
	}
	err := t.audit(actor, "request."+string(next.State), aboutRequest(next),
		map[string]any{"state": r.State}, map[string]any{"state": next.State, "reason": reason, "plan_hash": next.PlanHash})
	if err != nil {
		return err
	}
	*r = next
	return t.wakeRequest(next)
}

// settle carries out what the state table says of locks, names, run and object.
func (t *tx) settle(actor models.Actor, r models.Request) error {
	effects := r.State.Effects()
	if !effects.HoldsLock {
		if err := t.db.Exec(`DELETE FROM locks WHERE request_id = ?`, r.ID).Error; err != nil {
			return fmt.Errorf("release the locks of %s: %w", r.ID, err)
		}
	}
	if effects.FreesName { // not once the object existed: a name is never used twice
		err := t.db.Exec(`UPDATE names SET freed_at = ? WHERE request_id = ? AND freed_at IS NULL AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = names.object_id)`,
			t.now(), r.ID).Error
		if err != nil {
			return fmt.Errorf("free the names of %s: %w", r.ID, err)
		}
	}
	if r.HasRun() && runStates[r.State] {
		over := r.State.Final() || r.State == models.Failed // a run that ended before, and whose rest was then decided on, keeps its end
		if err := t.db.Exec(`UPDATE runs SET state = ?, ended_at = CASE WHEN ? THEN COALESCE(ended_at, ?) END WHERE id = ?`, r.State, over, t.now(), r.RunID).Error; err != nil {
			return fmt.Errorf("move run %s: %w", r.RunID, err)
		}
	}
	return t.moveObject(actor, r)
}

// moveObject moves the tenant that the request creates, once it exists; its accounts become ready with it.
func (t *tx) moveObject(actor models.Actor, r models.Request) error {
	state, ok := objectStates[r.State]
	if r.Kind != models.CreateTenant || !ok {
		return nil
	}
	type was struct{ State models.ObjectState }
	old, err := many[was](t.db, `SELECT state FROM tenants WHERE id = ? AND state <> ? FOR UPDATE`, r.ObjectID, state)
	if err != nil || len(old) == 0 {
		return err
	}
	if err := t.db.Exec(`UPDATE tenants SET state = ?, updated_at = ? WHERE id = ?`, state, t.now(), r.ObjectID).Error; err != nil {
		return fmt.Errorf("move tenant %s: %w", r.ObjectID, err)
	}
	if state == models.Ready {
		if err := t.db.Exec(`UPDATE accounts SET state = ? WHERE tenant_id = ? AND state <> 'deleted'`, state, r.ObjectID).Error; err != nil {
			return fmt.Errorf("move the accounts of %s: %w", r.ObjectID, err)
		}
	}
	return t.audit(actor, "tenant."+string(state), about{string(models.TenantObject), r.ObjectID, r.ObjectName, r.ObjectID},
		map[string]any{"state": old[0].State}, map[string]any{"state": state})
}

// wakeRequest tells the pages that show the request, and those that show its run.
func (t *tx) wakeRequest(r models.Request) error {
	if err := t.notify("request:" + r.ID); err != nil {
		return err
	}
	if !r.HasRun() {
		return nil
	}
	return t.notify("run:" + r.RunID)
}
