package store

import (
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

type cellRow struct {
	EnvironmentID string
	Environment   string
	Stage         models.Stage
	State         models.ObjectState
	Image         string
	Tag           *string
	CommitID      *string
	Since         *time.Time
	Waiting       bool
	Blocked       bool
	Frozen        bool
}

// stageCells says what runs in environments now, by their ids, in one query. The build is found by the image's digest, so that an image that
// came past every pipeline is named, too; since when it runs is known once Slipway deployed it.
func (s *Store) stageCells(db *gorm.DB, environmentIDs []string) (map[string]models.StageCell, error) {
	rows, err := many[cellRow](db, `SELECT e.id AS environment_id, e.name AS environment, e.stage, e.state, e.image, b.tag, b.commit_id, d.ended_at AS since,
			COALESCE(o.waiting, false) AS waiting, COALESCE(o.blocked, false) AS blocked, EXISTS (SELECT FROM stage_freezes f WHERE f.environment_id = e.id AND f.lifted_at IS NULL AND f.until > ?) AS frozen
		FROM environments e
		LEFT JOIN deployments d ON d.environment_id = e.id AND d.succeeded AND d.replaced_at IS NULL AND d.image = e.image
		LEFT JOIN LATERAL (SELECT tag, commit_id FROM builds b WHERE b.service_id = e.service_id AND b.digest = split_part(e.image, '@', 2) ORDER BY b.id = d.build_id DESC NULLS LAST, b.registered_at DESC LIMIT 1) b
			ON e.image <> ''
		LEFT JOIN LATERAL (SELECT true AS waiting, bool_or(state IN ('blocked', 'held')) AS blocked FROM promotions o WHERE o.environment_id = e.id AND o.ended_at IS NULL HAVING count(*) > 0) o ON true
		WHERE e.id = ANY (?::uuid[])`, s.clock.Now(), texts(environmentIDs))
	if err != nil {
		return nil, fmt.Errorf("read what runs in environments: %w", err)
	}
	cells := make(map[string]models.StageCell, len(rows))
	for _, r := range rows {
		cells[r.EnvironmentID] = models.StageCell{EnvironmentID: r.EnvironmentID, Environment: r.Environment, Stage: r.Stage, State: r.State, Image: r.Image, Tag: value(r.Tag), Commit: value(r.CommitID),
			Since: value(r.Since), Waiting: r.Waiting, Blocked: r.Blocked, Frozen: r.Frozen}
	}
	return cells, nil
}
