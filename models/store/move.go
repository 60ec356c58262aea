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

// move is the one place where a request changes state, with all that belongs to it: locks released, names freed, what it
// waited for cleared, its run and object moved along, audited, people told, listeners woken. The update compares and sets: of many who
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
	if err := t.delivered(next); err != nil {
		return err
	}
	err := t.audit(actor, "request."+string(next.State), aboutRequest(next),
		map[string]any{"state": r.State}, map[string]any{"state": next.State, "reason": reason, "plan_hash": next.PlanHash})
	if err != nil {
		return err
	}
	if err := t.tellOf(actor, next); err != nil {
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
	if r.HasRun() && runStates[r.State] {
		over := r.State.Final() || r.State == models.Failed // a run that ended before, and whose rest was then decided on, keeps its end
		if err := t.db.Exec(`UPDATE runs SET state = ?, ended_at = CASE WHEN ? THEN COALESCE(ended_at, ?) END WHERE id = ?`, r.State, over, t.now(), r.RunID).Error; err != nil {
			return fmt.Errorf("move run %s: %w", r.RunID, err)
		}
	}
	if err := t.moveObject(actor, r); err != nil {
		return err
	}
	if err := t.freeNames(r); err != nil {
		return err
	}
	return t.wakeDependents(r)
}

// tables are where the objects of requests live.
var tables = map[models.ObjectType]string{
	models.TenantObject: "tenants", models.NetworkObject: "networks", models.ServiceObject: "services", models.EnvironmentObject: "environments",
	models.ConnectionObject: "connections", models.PipelineObject: "pipelines",
}

// moveObject moves the object of the request, once it exists. A tenant's accounts become ready with it.
func (t *tx) moveObject(actor models.Actor, r models.Request) error {
	state, ok := r.Kind.ObjectState(r.State)
	table := tables[r.ObjectType]
	if !ok || table == "" {
		return nil
	}
	type was struct{ State models.ObjectState }
	old, err := many[was](t.db, `SELECT state FROM `+table+` WHERE id = ? AND state NOT IN (?, 'deleted') FOR UPDATE`, r.ObjectID, state)
	if err != nil || len(old) == 0 {
		return err
	}
	if err := t.db.Exec(`UPDATE `+table+` SET state = ?, updated_at = ? WHERE id = ?`, state, t.now(), r.ObjectID).Error; err != nil {
		return fmt.Errorf("move %s %s: %w", r.ObjectType, r.ObjectID, err)
	}
	if err := t.moveAccounts(r, state); err != nil {
		return err
	}
	if err := t.moveReading(r.ObjectType, r.ObjectID, state); err != nil {
		return err
	}
	tenant := r.TenantID
	if r.ObjectType == models.TenantObject {
		tenant = r.ObjectID
	}
	return t.audit(actor, string(r.ObjectType)+"."+string(state), about{string(r.ObjectType), r.ObjectID, r.ObjectName, tenant},
		map[string]any{"state": old[0].State}, map[string]any{"state": state})
}

// moveAccounts makes a tenant's accounts ready when what made them has succeeded, and ends them with the tenant.
func (t *tx) moveAccounts(r models.Request, state models.ObjectState) error {
	if r.ObjectType != models.TenantObject || state != models.Deleted && (state != models.Ready || r.State != models.Succeeded) {
		return nil
	}
	if err := t.db.Exec(`UPDATE accounts SET state = ? WHERE tenant_id = ? AND state <> 'deleted'`, state, r.ObjectID).Error; err != nil {
		return fmt.Errorf("move the accounts of %s: %w", r.ObjectID, err)
	}
	return nil
}

// freeNames gives back what a request reserved once it ends without an object, and what an object held once it is deleted: names and
// blocks of addresses. A tenant's name stays taken for ever.
func (t *tx) freeNames(r models.Request) error {
	gone := r.Kind.Effect() == models.Destroys && r.State == models.Succeeded
	if !r.State.Effects().FreesName && !gone {
		return nil
	}
	if gone {
		if err := t.closeOthers(r); err != nil {
			return err
		}
	}
	living := `NOT EXISTS (SELECT FROM tenants t WHERE t.id = o.object_id)`
	for _, table := range []string{"networks", "services", "environments", "connections", "pipelines"} {
		living += ` AND NOT EXISTS (SELECT FROM ` + table + ` x WHERE x.id = o.object_id AND x.state <> 'deleted')`
	}
	for _, table := range []string{"names", "cidr_blocks"} {
		err := t.db.Exec(`UPDATE `+table+` o SET freed_at = ? WHERE o.freed_at IS NULL AND (o.request_id = ? OR ? AND o.object_id = ?) AND `+living,
			t.now(), r.ID, gone, r.ObjectID).Error
		if err != nil {
			return fmt.Errorf("free the %s of %s: %w", table, r.ID, err)
		}
	}
	return nil
}

// closeOthers ends what failed on an object before it was deleted: nothing is left to retry.
func (t *tx) closeOthers(r models.Request) error {
	ids, err := many[string](t.db, `SELECT id::text FROM requests WHERE object_id = ? AND id <> ? AND state = ? ORDER BY id`, r.ObjectID, r.ID, models.Failed)
	if err != nil {
		return fmt.Errorf("find failed requests on %s: %w", r.ObjectID, err)
	}
	for _, id := range ids {
		other, err := t.loadRequest(id)
		if err != nil {
			return err
		}
		if other.State != models.Failed {
			continue
		}
		if err := t.move(engine(r), &other, models.Abandoned, models.ByEngine, fmt.Sprintf("REQ-%d has deleted the %s.", r.Number, r.ObjectType)); err != nil {
			return err
		}
	}
	return nil
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
