package store

import (
	"fmt"

	"slipway/models"
)

// dependency is a request that another one waits for.
type dependency struct {
	ID     string
	Number int64
	Title  string
	State  models.RequestState
	Reason string
}

// depends tells what a request in planning waits for: others that make what it stands on. failed says why it cannot be planned at all.
// What it stands on is looked for anew each time, because the one it was submitted for may have ended, and another may have come.
func (t *tx) depends(req *models.Request) (waiting *models.WaitingOn, failed string, err error) {
	switch req.Kind {
	case models.CreateEnvironment:
		failed, err = t.standAgain(req)
	case models.CreatePipeline, models.UpdatePipeline:
		failed, err = t.standPipelineAgain(req)
	}
	if err != nil || failed != "" {
		return nil, failed, err
	}
	others, err := many[dependency](t.db, `SELECT r.id, r.number, r.title, r.state, r.reason FROM request_dependencies d JOIN requests r ON r.id = d.on_request_id
		WHERE d.request_id = ? ORDER BY r.number`, req.ID)
	if err != nil {
		return nil, "", fmt.Errorf("read what %s waits for: %w", req.ID, err)
	}
	for _, d := range others {
		switch {
		case d.State == models.Succeeded || d.State == models.NoChange:
		case d.State.Final():
			return nil, fmt.Sprintf("REQ-%d (%s), which this one needs, is %s. %s Ask for it again, then plan this one again.", d.Number, d.Title, d.State.Words(), d.Reason), nil
		case waiting == nil:
			waiting = &models.WaitingOn{For: "another request", Ref: d.ID, Since: t.now(), Words: fmt.Sprintf("REQ-%d (%s) comes first; it is %s. This one goes on by itself.",
				d.Number, d.Title, d.State.Words())}
		}
	}
	return waiting, "", nil
}

// waitFor writes down which requests must succeed before this one is planned, instead of those from before.
func (t *tx) waitFor(requestID string, on []string) error {
	if err := t.db.Exec(`DELETE FROM request_dependencies WHERE request_id = ?`, requestID).Error; err != nil {
		return fmt.Errorf("forget what %s waited for: %w", requestID, err)
	}
	for _, id := range on {
		err := t.db.Exec(`INSERT INTO request_dependencies (request_id, on_request_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, requestID, id).Error
		if err != nil {
			return fmt.Errorf("have %s wait for %s: %w", requestID, id, err)
		}
	}
	return nil
}

// wakeDependents has the planner look again at what waits for a request that has ended, or that stands still.
func (t *tx) wakeDependents(r models.Request) error {
	if !r.State.Final() && r.State != models.Failed {
		return nil
	}
	ids, err := many[string](t.db, `SELECT r.id::text FROM request_dependencies d JOIN requests r ON r.id = d.request_id WHERE d.on_request_id = ? AND r.state = ? ORDER BY r.id`,
		r.ID, models.Planning)
	if err != nil {
		return fmt.Errorf("find what waits for %s: %w", r.ID, err)
	}
	for _, id := range ids {
		if err := t.nudge(models.PlanWork, id); err != nil {
			return err
		}
	}
	return nil
}
