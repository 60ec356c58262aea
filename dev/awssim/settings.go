package awssim

import (
	"context"
	"encoding/json"
	"fmt"
)

// setting reads what an account is set to; ok is false when nobody set it. Region is
// empty for what holds everywhere.
func (c *Call) setting(ctx context.Context, account, region, name string, into any) (ok bool, err error) {
	var raw []byte
	err = c.Tx.QueryRow(ctx, `SELECT value FROM settings WHERE account = $1 AND region = $2 AND name = $3`, account, region, name).Scan(&raw)
	if isNoRows(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read setting %s: %w", name, err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return false, fmt.Errorf("read setting %s: %w", name, err)
	}
	return true, nil
}

func (c *Call) set(ctx context.Context, account, region, name string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("store setting %s: %w", name, err)
	}
	if _, err := c.Tx.Exec(ctx, `INSERT INTO settings (account, region, name, value) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, region, name) DO UPDATE SET value = EXCLUDED.value`, account, region, name, raw); err != nil {
		return fmt.Errorf("store setting %s: %w", name, err)
	}
	return nil
}

// unset removes a setting and says whether it was there.
func (c *Call) unset(ctx context.Context, account, region, name string) (bool, error) {
	tag, err := c.Tx.Exec(ctx, `DELETE FROM settings WHERE account = $1 AND region = $2 AND name = $3`, account, region, name)
	if err != nil {
		return false, fmt.Errorf("remove setting %s: %w", name, err)
	}
	return tag.RowsAffected() > 0, nil
}
