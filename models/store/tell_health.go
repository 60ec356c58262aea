package store

import (
	"fmt"

	"slipway/models"
)

// tellLost tells that Slipway cannot do all its work any more, in an account or in the organization.
func (t *tx) tellLost(objectID string, before, after models.HealthState, found healthResult) error {
	missing := models.RoleHealth{Roles: found.Roles}.Missing()
	e, ok := models.LostEvent(before, after, missing, nil, "")
	if !ok {
		return nil
	}
	if objectID != models.PlatformHealthID {
		row, err := one[accountRecord](t.db, `SELECT `+accountColumns+` FROM accounts a WHERE a.id = ?`, objectID)
		if err != nil {
			return fmt.Errorf("read account %s: %w", objectID, err)
		}
		account := models.Account{ID: row.ID, Name: row.Name, Class: row.Class}
		e, _ = models.LostEvent(before, after, missing, &account, row.TenantID)
	}
	return t.tell(e)
}
