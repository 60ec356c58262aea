package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"slipway/models"
)

// rulesSetting is the rules file that was last in force.
const rulesSetting = "rules_in_force"

type rulesInForce struct {
	Digest string `json:"digest"`
	Origin string `json:"origin"`
}

// RulesInForce audits that other rules count from now on, once, however many processes read the file. Rules decide who must approve, so
// a change of them is a change of rights.
func (s *Store) RulesInForce(ctx context.Context, digest, origin string) error {
	now := rulesInForce{Digest: digest, Origin: origin}
	return s.tx(ctx, func(t *tx) error {
		var before rulesInForce
		err := t.setting(rulesSetting, &before)
		if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
			return err
		}
		if err == nil && before.Digest == now.Digest {
			return nil
		}
		if err := t.setSetting(rulesSetting, now); err != nil {
			return err
		}
		return t.audit(models.System("rules", ""), "rules.change", about{Type: "setting", ID: rulesSetting, Name: "SLIPWAY_RULES_FILE"}, before, now)
	})
}
