package store

import (
	"context"
	"fmt"
	"time"

	"slipway/models"
)

const (
	watchRows  = 5
	watchAhead = 7 * 24 * time.Hour // how long before its end an environment is on the home page
)

// WatchEnvironments reads what the home page says of environments, in three queries and one that counts. Each list names how many
// more there are.
func (s *Store) WatchEnvironments(ctx context.Context, actor models.Actor) (w models.EnvironmentWatch, err error) {
	now := s.clock.Now()
	for _, part := range []struct {
		where string
		args  []any
		sort  string
		rows  *[]models.EnvironmentRow
		all   *int
	}{
		{`e.state = 'broken'`, nil, "-updated", &w.Broken, &w.BrokenAll},
		{`e.state <> 'deleted' AND NOT e.hibernated AND e.expires_at > ? AND e.expires_at <= ?`, []any{now, now.Add(watchAhead)}, "expires", &w.Expiring, &w.ExpiringAll},
		{`e.state <> 'deleted' AND e.drift = 'drifted' AND NOT EXISTS (SELECT FROM drifts d WHERE d.object_id = e.id AND d.accepted_until > ?)`, []any{now}, "-updated", &w.Drifted, &w.DriftedAll},
	} {
		c := conditions{}
		seen, args := tenantScope(actor, `e.tenant_id`)
		c.add(seen, args...)
		c.add(part.where, part.args...)
		if *part.rows, err = s.firstEnvironments(ctx, c, part.sort, watchRows); err != nil {
			return w, err
		}
		*part.all = len(*part.rows)
		if len(*part.rows) < watchRows {
			continue
		}
		if *part.all, err = one[int](s.read(ctx), fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 FROM environments e WHERE %s LIMIT %d) f`, c.sql(), maxCount+1), c.args...); err != nil {
			return w, translate(fmt.Errorf("count environments to watch: %w", err))
		}
	}
	return w, nil
}
