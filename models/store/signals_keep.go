package store

import (
	"fmt"
	"time"

	"slipway/models"
)

// maxAlarmChanges bounds what one round writes of one environment.
const maxAlarmChanges = 200

// courseRow is an environment with what is known of its health before a round.
type courseRow struct {
	ID         string
	TenantID   string
	TenantSlug string
	Name       string
	Stage      models.Stage
	Health     models.Condition
	HealthRank int
	Reason     *string
	Since      *time.Time
	Turned     *time.Time
	Seen       *string
	SeenAt     *time.Time
	Rounds     *int
	Told       *string
}

func (r courseRow) course() models.Course {
	if r.Since == nil {
		return models.Course{}
	}
	return models.Course{State: r.Health, Reason: value(r.Reason), Since: value(r.Since), Turned: value(r.Turned), Seen: models.Condition(value(r.Seen)), SeenAt: value(r.SeenAt), Rounds: value(r.Rounds),
		Told: models.Condition(value(r.Told))}
}

// keptHealth is a row of environment_health as a round writes it.
type keptHealth struct {
	EnvironmentID string         `json:"environment_id"`
	TenantID      string         `json:"tenant_id"`
	Reason        string         `json:"reason"`
	Since         time.Time      `json:"since"`
	ReadAt        *time.Time     `json:"read_at"`
	Parts         []models.Vital `json:"parts"`
	Seen          string         `json:"seen"`
	SeenAt        *time.Time     `json:"seen_at"`
	Rounds        int            `json:"rounds"`
	Told          string         `json:"told"`
	TurnedAt      *time.Time     `json:"turned_at"`
}

// keptAlarm is a row of alarm_changes.
type keptAlarm struct {
	EnvironmentID string `json:"environment_id"`
	models.AlarmChange
}

// keepEnvironments writes what a round found of environments: how each runs now, what changed, and who is to be told. An environment that
// was deleted meanwhile, or is not one of the target's, is passed over.
func (t *tx) keepEnvironments(target models.CollectTarget, r models.Reading) error {
	if len(r.Environments) == 0 {
		return nil
	}
	at := r.At
	if at.IsZero() { // nothing could be read, which is known since now
		at = t.s.clock.Wall()
	}
	before, err := t.courses(target, r.Environments)
	if err != nil {
		return err
	}
	var rows []keptHealth
	var alarms []keptAlarm
	healthy := texts{}
	for _, found := range r.Environments {
		row, ok := before[found.EnvironmentID]
		if !ok {
			continue
		}
		assessed := models.Assess(found.Vitals)
		course, turned, tale := row.course().After(assessed, at)
		if err := t.turnHealth(row, course, at, turned, tale); err != nil {
			return err
		}
		if assessed.State == models.Healthy {
			healthy = append(healthy, row.ID)
		}
		kept := keptHealth{EnvironmentID: row.ID, TenantID: row.TenantID, Reason: clipped(course.Reason, 500), Since: course.Since, Parts: assessed.Vitals, Seen: string(course.Seen), SeenAt: timeOrNull(course.SeenAt),
			Rounds: course.Rounds, Told: string(course.Told), TurnedAt: timeOrNull(course.Turned)}
		if found.Read() {
			kept.ReadAt = &at
		}
		rows = append(rows, kept)
		for _, c := range found.Changes[:min(len(found.Changes), maxAlarmChanges)] {
			c.Alarm, c.Reason = clipped(c.Alarm, 255), clipped(c.Reason, 1000)
			alarms = append(alarms, keptAlarm{row.ID, c})
		}
	}
	if err := t.seenHealthy(healthy, at); err != nil {
		return err
	}
	return t.writeHealth(at, rows, alarms)
}

// courses reads the environments of a reading that are the target's and live, by id.
func (t *tx) courses(target models.CollectTarget, found []models.EnvironmentReading) (map[string]courseRow, error) {
	ids := texts{}
	for _, e := range found {
		ids = append(ids, e.EnvironmentID)
	}
	rows, err := many[courseRow](t.db, `SELECT e.id, e.tenant_id, t.slug AS tenant_slug, e.name, e.stage, e.health, e.health_rank, h.reason, h.since, h.turned_at AS turned, h.seen, h.seen_at, h.rounds, h.told
		FROM environments e JOIN tenants t ON t.id = e.tenant_id LEFT JOIN environment_health h ON h.environment_id = e.id
		WHERE e.id = ANY (?::uuid[]) AND e.account_id = ? AND e.region = ? AND e.state <> 'deleted'`, ids, target.AccountID, target.Region)
	if err != nil {
		return nil, fmt.Errorf("read the health of environments before a round: %w", err)
	}
	byID := map[string]courseRow{}
	for _, r := range rows {
		byID[r.ID] = r
	}
	return byID, nil
}

// turnHealth writes a change of an environment's health where lists and its history show it, and tells of it.
func (t *tx) turnHealth(row courseRow, c models.Course, at time.Time, turned bool, tale models.Tale) error {
	if rank := c.State.Rank(row.Stage); c.State != row.Health || rank != row.HealthRank {
		if err := t.db.Exec(`UPDATE environments SET health = ?, health_rank = ? WHERE id = ?`, c.State, rank, row.ID).Error; err != nil {
			return fmt.Errorf("write the health of %s: %w", row.Name, err)
		}
	}
	if !turned {
		return nil
	}
	err := t.db.Exec(`INSERT INTO health_changes (id, environment_id, tenant_id, at, was, state, reason) VALUES (?, ?, ?, ?, ?, ?, ?)`, models.NewID(), row.ID, row.TenantID, at, row.Health, c.State,
		clipped(c.Reason, 500)).Error
	if err != nil {
		return fmt.Errorf("note that the health of %s changed: %w", row.Name, err)
	}
	if err := t.notify("object:" + row.ID); err != nil {
		return err
	}
	if tale == models.TaleNone {
		return nil
	}
	return t.tell(models.HealthEvent(models.Environment{ID: row.ID, TenantID: row.TenantID, TenantSlug: row.TenantSlug, Name: row.Name}, c, tale))
}

// writeHealth writes all rows of a round in two statements.
func (t *tx) writeHealth(at time.Time, rows []keptHealth, alarms []keptAlarm) error {
	if len(rows) > 0 {
		doc, err := document(rows)
		if err != nil {
			return err
		}
		_, err = t.pgx.Exec(t.ctx, `INSERT INTO environment_health (environment_id, tenant_id, reason, since, tried_at, read_at, parts, seen, seen_at, rounds, told, turned_at)
			SELECT r.environment_id, r.tenant_id, r.reason, r.since, $2, r.read_at, r.parts, r.seen, r.seen_at, r.rounds, r.told, r.turned_at
			FROM jsonb_to_recordset($1::jsonb) AS r(environment_id uuid, tenant_id uuid, reason text, since timestamptz, read_at timestamptz, parts jsonb, seen text, seen_at timestamptz, rounds integer, told text, turned_at timestamptz)
			ON CONFLICT (environment_id) DO UPDATE SET reason = EXCLUDED.reason, since = EXCLUDED.since, tried_at = EXCLUDED.tried_at, read_at = COALESCE(EXCLUDED.read_at, environment_health.read_at),
				parts = EXCLUDED.parts, seen = EXCLUDED.seen, seen_at = EXCLUDED.seen_at, rounds = EXCLUDED.rounds, told = EXCLUDED.told, turned_at = EXCLUDED.turned_at`, string(doc), at)
		if err != nil {
			return fmt.Errorf("write the health of environments: %w", err)
		}
	}
	if len(alarms) == 0 {
		return nil
	}
	doc, err := document(alarms)
	if err != nil {
		return err
	}
	_, err = t.pgx.Exec(t.ctx, `INSERT INTO alarm_changes (environment_id, alarm, at, state, reason)
		SELECT r.environment_id, r.alarm, r.at, r.state, r.reason FROM jsonb_to_recordset($1::jsonb) AS r(environment_id uuid, alarm text, at timestamptz, state text, reason text)
		ON CONFLICT DO NOTHING`, string(doc))
	if err != nil {
		return fmt.Errorf("write the changes of alarms: %w", err)
	}
	return nil
}
