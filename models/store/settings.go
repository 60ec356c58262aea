package store

import (
	"fmt"
)

// Names of settings that outlive a process. They are stored: never rename a shipped one.
const adminGroupsSetting = "admin_groups" // break-glass groups as last seen at a start

// setting reads a setting into v and keeps others from changing it until the transaction ends; gorm.ErrRecordNotFound when
// it was never written.
func (t *tx) setting(name string, v any) error {
	if err := t.db.Exec(`SELECT pg_advisory_xact_lock(hashtextextended('setting:' || ?, 0))`, name).Error; err != nil {
		return fmt.Errorf("lock setting %s: %w", name, err)
	}
	type row struct{ Value jsonb }
	r, err := one[row](t.db, `SELECT value FROM settings WHERE name = ?`, name)
	if err != nil {
		return fmt.Errorf("read setting %s: %w", name, err)
	}
	return r.Value.decode(v)
}

// setSetting writes a setting.
func (t *tx) setSetting(name string, v any) error {
	doc, err := document(v)
	if err != nil {
		return err
	}
	if doc == nil {
		doc = jsonb("null")
	}
	err = t.db.Exec(`INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`, name, doc, t.now()).Error
	if err != nil {
		return fmt.Errorf("write setting %s: %w", name, err)
	}
	return nil
}
