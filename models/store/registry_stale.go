package store

import (
	"context"
	"fmt"
	"time"

	"slipway/models"
)

// StaleAccounts lists accounts whose state AWS was last asked for before a moment of wall time, the longest ago first.
func (g *Registry) StaleAccounts(ctx context.Context, before time.Time, limit int) ([]models.Account, error) {
	rows, err := many[accountRecord](g.s.read(ctx), `SELECT `+accountColumns+` FROM accounts a WHERE aws_id IS NOT NULL AND (aws_state_at IS NULL OR aws_state_at < ?)
		ORDER BY aws_state_at NULLS FIRST, id LIMIT ?`, before, limit)
	if err != nil {
		return nil, translate(fmt.Errorf("list accounts to ask AWS for: %w", err))
	}
	accounts := make([]models.Account, len(rows))
	for i, r := range rows {
		accounts[i] = r.model()
	}
	return accounts, nil
}
