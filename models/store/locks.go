package store

import (
	"cmp"
	"fmt"
	"slices"

	"slipway/models"
)

// lock takes all locks of a request or none, in one order for everybody, so that two requests never wait for each other. What it
// returns is why it has to wait; nil when the locks are held. Locks that the request holds already stay, with their fence.
func (t *tx) lock(req models.Request, locks []models.Lock) (*models.WaitingOn, error) {
	locks = slices.Clone(locks)
	slices.SortFunc(locks, func(a, b models.Lock) int {
		return cmp.Or(cmp.Compare(a.ObjectType, b.ObjectType), cmp.Compare(a.ObjectID, b.ObjectID))
	})
	for _, l := range locks {
		_, err := t.pgx.Exec(t.ctx, `SELECT pg_advisory_xact_lock(hashtextextended('lock:' || $1 || ':' || $2, 0))`, string(l.ObjectType), l.ObjectID)
		if err != nil {
			return nil, fmt.Errorf("queue for lock on %s %s: %w", l.ObjectType, l.ObjectID, err)
		}
	}
	for _, l := range locks {
		wait, err := t.lockedBy(req, l)
		if err != nil || wait != nil {
			return wait, err
		}
	}
	for _, l := range locks {
		_, err := t.pgx.Exec(t.ctx, `INSERT INTO locks (object_type, object_id, request_id, exclusive, taken_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (object_type, object_id, request_id) DO UPDATE SET exclusive = locks.exclusive OR EXCLUDED.exclusive`,
			string(l.ObjectType), l.ObjectID, req.ID, l.Exclusive, t.now())
		if err != nil {
			return nil, fmt.Errorf("lock %s %s: %w", l.ObjectType, l.ObjectID, err)
		}
	}
	return nil, nil
}

// unlock gives the locks of a request back while it waits for others that may need them.
func (t *tx) unlock(req models.Request) error {
	if err := t.db.Exec(`DELETE FROM locks WHERE request_id = ?`, req.ID).Error; err != nil {
		return fmt.Errorf("release the locks of %s: %w", req.ID, err)
	}
	return nil
}

// passedBy tells which deletion of the same object goes first: it was approved and waits for the object, too.
func (t *tx) passedBy(req models.Request) (*models.WaitingOn, error) {
	if req.Kind.Effect() == models.Destroys {
		return nil, nil
	}
	var deletions []models.RequestKind
	for _, k := range models.RequestKinds() {
		if k.Effect() == models.Destroys {
			deletions = append(deletions, k)
		}
	}
	type first struct {
		ID     string
		Number int64
		Title  string
	}
	ahead, err := many[first](t.db, `SELECT id, number, title FROM requests WHERE object_id = ? AND id <> ? AND state = ? AND kind IN ? ORDER BY number LIMIT 1`,
		req.ObjectID, req.ID, models.Approved, deletions)
	if err != nil || len(ahead) == 0 {
		return nil, err
	}
	return &models.WaitingOn{For: "another request", Ref: ahead[0].ID, Since: t.now(),
		Words: fmt.Sprintf("REQ-%d (%s) is approved and goes first.", ahead[0].Number, ahead[0].Title)}, nil
}

// lockedBy tells which other request stands in the way of a lock.
func (t *tx) lockedBy(req models.Request, l models.Lock) (*models.WaitingOn, error) {
	type holder struct {
		ID     string
		Number int64
		Title  string
	}
	held, err := many[holder](t.db, `SELECT r.id, r.number, r.title FROM locks k JOIN requests r ON r.id = k.request_id
		WHERE k.object_type = ? AND k.object_id = ? AND k.request_id <> ? AND (k.exclusive OR ?) ORDER BY k.fence LIMIT 1`,
		l.ObjectType, l.ObjectID, req.ID, l.Exclusive)
	if err != nil || len(held) == 0 {
		return nil, err
	}
	return &models.WaitingOn{For: "another request", Ref: held[0].ID, Since: t.now(),
		Words: fmt.Sprintf("REQ-%d (%s) works on the same %s; this one goes on when it has ended.", held[0].Number, held[0].Title, l.ObjectType)}, nil
}

// wait writes down what a live request waits for, and keeps since when; nil clears it.
func (t *tx) wait(req models.Request, waiting *models.WaitingOn) error {
	if waiting == nil && req.Waiting == nil {
		return nil
	}
	if waiting != nil && req.Waiting != nil {
		if same := *req.Waiting; same.For == waiting.For && same.Ref == waiting.Ref {
			if same.Words == waiting.Words {
				return nil
			}
			waiting.Since = same.Since
		}
	}
	var doc any
	if waiting != nil {
		d, err := document(waiting)
		if err != nil {
			return err
		}
		doc = d
	}
	if err := t.db.Exec(`UPDATE requests SET waiting = ? WHERE id = ?`, doc, req.ID).Error; err != nil {
		return fmt.Errorf("write what %s waits for: %w", req.ID, err)
	}
	if waiting.Blocks() && (req.Waiting == nil || req.Waiting.For != waiting.For) {
		if err := t.tellBlocked(req, *waiting); err != nil {
			return err
		}
	}
	return t.wakeRequest(req)
}

// overtake has every other frozen plan on an object that the request holds exclusively computed again: the world it was made for is
// no more. Called while the locks still exist.
func (t *tx) overtake(actor models.Actor, req models.Request) error {
	ids, err := many[string](t.db, `SELECT r.id FROM requests r JOIN locks k ON k.object_type = r.object_type AND k.object_id = r.object_id
		WHERE k.request_id = ? AND k.exclusive AND r.id <> k.request_id AND r.state IN (?, ?) ORDER BY r.id`,
		req.ID, models.AwaitingApproval, models.Approved)
	if err != nil {
		return fmt.Errorf("find plans that %s overtakes: %w", req.ID, err)
	}
	for _, id := range ids {
		other, err := t.loadRequest(id)
		if err != nil {
			return err
		}
		reason := fmt.Sprintf("REQ-%d has changed the same %s since, so this is planned again.", req.Number, req.ObjectType)
		if err := t.replan(actor, &other, reason); err != nil {
			return err
		}
	}
	return nil
}

// replan sends a request back to planning on the engine's account; one that has moved on by itself meanwhile is left alone.
func (t *tx) replan(actor models.Actor, req *models.Request, reason string) error {
	if req.State != models.AwaitingApproval && req.State != models.Approved && req.State != models.Running {
		return nil
	}
	if err := t.move(actor, req, models.Planning, models.ByEngine, reason); err != nil {
		return err
	}
	return t.enqueue(models.PlanWork, req.ID, 0)
}
