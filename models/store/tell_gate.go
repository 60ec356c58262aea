package store

import (
	"fmt"

	"slipway/models"
)

// tellGate tells once that a promotion fails a gate. One that only waits, for a scan or for evidence, is nobody's news.
func (t *tx) tellGate(p models.Promotion, blocking []models.GateResult) error {
	for _, g := range blocking {
		if g.State != models.GateFail {
			continue
		}
		res := t.db.Exec(`UPDATE promotions SET told = true WHERE id = ? AND NOT told`, p.ID)
		if res.Error != nil {
			return fmt.Errorf("note that the gate of promotion %s was told: %w", p.ID, res.Error)
		}
		if res.RowsAffected == 0 {
			return nil
		}
		return t.tell(models.GateEvent(p, g))
	}
	return nil
}
