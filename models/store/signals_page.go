package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// How much of its past an environment's health shows.
const (
	pageHealth   = 20
	pageAlarms   = 50
	deployedMost = 50 // runs that signals show
)

// ownAccess is the name of the permission set that lets somebody with a role in the tenant into the account of environment e; empty: none does.
const ownAccess = `COALESCE((SELECT x.set_name FROM account_access x WHERE x.account_id = e.account_id AND x.role = ? AND x.state = 'assigned' AND x.set_name <> '' LIMIT 1), '')`

// itsPast are the newest changes of environment e's health and of its alarms, as documents.
const itsPast = `(SELECT jsonb_agg(c) FROM (SELECT c.at, c.was, c.state, c.reason FROM health_changes c WHERE c.environment_id = e.id ORDER BY c.at DESC, c.id DESC LIMIT ?) c) AS changes,
	(SELECT jsonb_agg(c) FROM (SELECT c.alarm, c.at, c.state, c.reason FROM alarm_changes c WHERE c.environment_id = e.id ORDER BY c.at DESC, c.alarm LIMIT ?) c) AS alarms`

// EnvironmentHealth reads how an environment runs that the actor may see, in one query.
func (s *Store) EnvironmentHealth(ctx context.Context, actor models.Actor, env models.Environment) (h models.EnvironmentHealth, err error) {
	seen, args := tenantScope(actor, `e.tenant_id`)
	type row struct {
		Row     healthListRow `gorm:"embedded"`
		Parts   jsonb
		Access  string
		Changes jsonb
		Alarms  jsonb
	}
	r, err := one[row](s.read(ctx), `SELECT `+healthColumnsOf+`, h.parts, `+ownAccess+` AS access, `+itsPast+` FROM environments e JOIN tenants t ON t.id = e.tenant_id `+healthJoined+` WHERE e.id = ? AND `+seen,
		append([]any{actor.TenantRole(env.TenantID), pageHealth, pageAlarms, env.ID}, args...)...)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return h, models.Errorf(models.NotFound, "There is no such environment.")
	}
	if err != nil {
		return h, translate(fmt.Errorf("read the health of %s: %w", env.ID, err))
	}
	h.HealthRow, h.Access = r.Row.model(), r.Access
	return h, errors.Join(r.Parts.decode(&h.Vitals), r.Changes.decode(&h.Changes), r.Alarms.decode(&h.Alarms))
}

// SignalSource reads what the signals of an environment are read from, and what was deployed within a range.
func (s *Store) SignalSource(ctx context.Context, actor models.Actor, tenantSlug, name string, back models.SignalRange) (src models.SignalSource, err error) {
	if src.Environment, err = s.livingEnvironment(ctx, actor, tenantSlug, name); err != nil {
		return src, err
	}
	if src.Environment.State == models.Deleted {
		return src, models.Errorf(models.NotFound, "The environment %s is deleted.", name)
	}
	type row struct {
		RunID   string
		Number  int64
		Title   string
		State   models.RequestState
		Started time.Time
		Ended   *time.Time
	}
	rows, err := many[row](s.read(ctx), `SELECT n.id AS run_id, r.number, r.title, n.state, n.started_at AS started, n.ended_at AS ended FROM requests r JOIN runs n ON n.request_id = r.id
		WHERE r.object_id = ? AND (n.ended_at IS NULL OR n.ended_at >= ?) ORDER BY n.started_at DESC LIMIT ?`, src.Environment.ID, s.clock.Now().Add(-back.Length), deployedMost)
	if err != nil {
		return src, translate(fmt.Errorf("read what was deployed to %s: %w", name, err))
	}
	for i := len(rows) - 1; i >= 0; i-- {
		r := rows[i]
		src.Deployed = append(src.Deployed, models.Deployed{RunID: r.RunID, Number: r.Number, Title: r.Title, State: r.State, Started: r.Started, Ended: value(r.Ended)})
	}
	src.Access, err = one[string](s.read(ctx), `SELECT `+ownAccess+` FROM environments e WHERE e.id = ?`, actor.TenantRole(src.Environment.TenantID), src.Environment.ID)
	return src, translate(err)
}
