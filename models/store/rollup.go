package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// soonest is within how long a new target's first round comes, so that many at once do not come together.
const soonest = time.Minute

// CollectBook is where rounds of collectors are kept.
type CollectBook struct{ s *Store }

// CollectBook gives collectors and their sweep the rounds.
func (s *Store) CollectBook() *CollectBook { return &CollectBook{s} }

// StartDue starts the rounds whose turn it is, and puts each target's next turn off by what its collector says. Targets come and go with
// what there is to read.
func (b *CollectBook) StartDue(ctx context.Context, collectors []models.CollectorInfo, limit int) (int, error) {
	started := 0
	err := b.s.tx(ctx, func(t *tx) error {
		started = 0
		every := map[models.CollectorName]time.Duration{}
		names := texts{}
		for _, c := range collectors {
			every[c.Name] = c.Every
			names = append(names, string(c.Name))
			if err := t.findTargets(c); err != nil {
				return fmt.Errorf("find what collector %s reads: %w", c.Name, err)
			}
		}
		type due struct {
			ID        string
			Collector models.CollectorName
			Due       time.Time
		}
		rows, err := many[due](t.db, `SELECT id, collector, due FROM collect_targets WHERE due <= ? AND collector = ANY(?) ORDER BY due LIMIT ? FOR UPDATE SKIP LOCKED`, t.now(), names, limit)
		if err != nil {
			return fmt.Errorf("find collectors' rounds that are due: %w", err)
		}
		for _, r := range rows {
			if err := t.startRound(r.ID, ""); err != nil {
				return err
			}
			next := r.Due.Add(every[r.Collector])
			if !next.After(t.now()) { // turns were missed: they are not made up for
				next = t.now().Add(every[r.Collector])
			}
			if err := t.db.Exec(`UPDATE collect_targets SET due = ? WHERE id = ?`, next, r.ID).Error; err != nil {
				return fmt.Errorf("put off the next round of %s: %w", r.ID, err)
			}
		}
		started = len(rows)
		return nil
	})
	return started, err
}

// findTargets makes the rows of what a collector reads, and removes those of what is not there any more.
func (t *tx) findTargets(c models.CollectorInfo) error {
	if c.Scope == models.OverOrganization {
		_, err := t.pgx.Exec(t.ctx, `INSERT INTO collect_targets (id, collector, due) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, models.NewID(), c.Name, t.now())
		return err
	}
	const there = `SELECT DISTINCT e.account_id, e.region FROM environments e JOIN accounts a ON a.id = e.account_id
		WHERE e.state NOT IN ('creating', 'deleted') AND a.state IN ('ready', 'changing', 'broken') AND a.aws_id IS NOT NULL`
	_, err := t.pgx.Exec(t.ctx, `INSERT INTO collect_targets (id, collector, account_id, region, due)
		SELECT gen_random_uuid(), $1, n.account_id, n.region, $2::timestamptz + make_interval(secs => abs(hashtext(n.account_id::text || n.region)::bigint) % $3)
		FROM (`+there+`) n WHERE NOT EXISTS (SELECT FROM collect_targets c WHERE c.collector = $1 AND c.account_id = n.account_id AND c.region = n.region)
		ON CONFLICT DO NOTHING`, c.Name, t.now(), int64(soonest.Seconds()))
	if err != nil {
		return err
	}
	_, err = t.pgx.Exec(t.ctx, `DELETE FROM collect_targets c WHERE c.collector = $1 AND NOT EXISTS (SELECT FROM (`+there+`) n WHERE n.account_id = c.account_id AND n.region = c.region)`, c.Name)
	return err
}

// startRound wakes a target's round; one that is open goes on. Of the rounds that are over only the last keeps its journal row: there
// would be millions.
func (t *tx) startRound(id, by string) error {
	begun := t.db.Exec(`UPDATE collect_targets SET working = true, asked_by = ? WHERE id = ? AND NOT EXISTS (SELECT FROM journal WHERE kind = ? AND object_id = ? AND NOT done)`,
		by, id, models.CollectWork, id)
	if begun.Error != nil {
		return fmt.Errorf("begin a round of %s: %w", id, begun.Error)
	}
	if begun.RowsAffected == 0 {
		return nil
	}
	if err := t.db.Exec(`DELETE FROM journal WHERE kind = ? AND object_id = ? AND done`, models.CollectWork, id).Error; err != nil {
		return fmt.Errorf("forget the rounds of %s that are over: %w", id, err)
	}
	return t.enqueue(models.CollectWork, id, 0)
}

// Target reads what a round reads; NotFound when it is not there any more.
func (b *CollectBook) Target(ctx context.Context, job models.Job) (models.CollectTarget, error) {
	type row struct {
		ID                                     string
		Collector                              models.CollectorName
		AccountID, AWSID, TenantID, TenantSlug string
		Class                                  models.Class
		Region                                 string
		ReadAt                                 *time.Time
	}
	r, err := one[row](b.s.read(ctx), `SELECT c.id, c.collector, COALESCE(a.id::text, '') AS account_id, COALESCE(a.aws_id, '') AS aws_id, COALESCE(a.tenant_id::text, '') AS tenant_id,
			COALESCE(n.slug, '') AS tenant_slug, COALESCE(a.class, '') AS class, c.region, c.read_at
		FROM collect_targets c LEFT JOIN accounts a ON a.id = c.account_id LEFT JOIN tenants n ON n.id = a.tenant_id WHERE c.id = ?`, job.ObjectID)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return models.CollectTarget{}, models.Errorf(models.NotFound, "It is not read any more.")
	}
	if err != nil {
		return models.CollectTarget{}, translate(fmt.Errorf("read collector's target %s: %w", job.ObjectID, err))
	}
	return models.CollectTarget{ID: r.ID, Collector: r.Collector, AccountID: r.AccountID, AWSID: r.AWSID, TenantID: r.TenantID, TenantSlug: r.TenantSlug, Class: r.Class,
		Region: r.Region, ReadAt: value(r.ReadAt)}, nil
}

// Keep writes what one call of a round has brought, in one transaction with how the round goes on: nothing is doubled or half-written,
// wherever a worker dies.
func (b *CollectBook) Keep(ctx context.Context, job models.Job, target models.CollectTarget, reading models.Reading, round models.CollectRound, next models.NextCall) error {
	return b.s.tx(ctx, func(t *tx) error {
		if err := t.fence(job); err != nil {
			return err
		}
		if target.ID == "" { // there is nothing to read any more
			return t.endJob(job, next)
		}
		if err := t.keepReading(target, reading); err != nil {
			return fmt.Errorf("keep what collector %s has read: %w", target.Collector, err)
		}
		if !reading.At.IsZero() {
			if err := t.db.Exec(`UPDATE collect_targets SET read_at = ? WHERE id = ?`, reading.At, target.ID).Error; err != nil {
				return fmt.Errorf("note when %s was read: %w", target.ID, err)
			}
		}
		if next.Done {
			if err := t.endRound(target, round); err != nil {
				return err
			}
		}
		next.State = round
		return t.endJob(job, next)
	})
}

// keepReading writes the samples of a reading, each kind in its own tables.
func (t *tx) keepReading(target models.CollectTarget, r models.Reading) error {
	if err := t.keepCosts(target, r); err != nil {
		return err
	}
	if err := t.keepBudgets(target, r); err != nil {
		return err
	}
	return t.keepEnvironments(target, r)
}

// endRound writes how a round ended.
func (t *tx) endRound(target models.CollectTarget, round models.CollectRound) error {
	gaps, err := document(append([]models.ReadGap{}, round.Gaps...))
	if err != nil {
		return err
	}
	wall := t.s.clock.Wall()
	state := round.State()
	err = t.db.Exec(`UPDATE collect_targets SET since = CASE WHEN state = ? THEN since ELSE ? END, state = ?, ended_at = ?, gaps = ?, took_ms = ?, calls = ?, throttles = ?, metered = ?, working = false
		WHERE id = ?`, state, wall, state, wall, gaps, max(0, wall.Sub(round.Began).Milliseconds()), round.Calls, round.Throttles, round.Metered, target.ID).Error
	if err != nil {
		return fmt.Errorf("end the round of %s: %w", target.ID, err)
	}
	return nil
}
