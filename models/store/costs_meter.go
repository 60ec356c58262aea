package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"slipway/models"
)

// CostBook is what the collector of costs asks: which days are known, and whether one more call may be paid for.
type CostBook struct {
	s   *Store
	cap decimal.Decimal // USD per UTC day
}

// CostBook gives the collector its memory. limit is what may be paid per UTC day, in USD.
func (s *Store) CostBook(limit decimal.Decimal) *CostBook { return &CostBook{s, limit} }

// KnownDays lists the days that a source has read.
func (b *CostBook) KnownDays(ctx context.Context, source models.CostSource) ([]models.CostDayKnown, error) {
	rows, err := many[models.CostDayKnown](b.s.read(ctx), `SELECT day, estimated, read_at FROM cost_reads WHERE source = ? AND day >= ? AND NOT again`, source, models.FirstCostDay(b.s.clock.Wall()))
	return rows, translate(err)
}

// TakeCall counts one call before it is made, if the day's cap leaves room: what is counted and then not made is paid for by nobody, and
// a crash never lets more through. false: the cap is reached.
func (b *CostBook) TakeCall(ctx context.Context) (taken bool, err error) {
	err = b.s.tx(ctx, func(t *tx) error {
		wall := b.s.clock.Wall()
		var calls int
		err := t.pgx.QueryRow(t.ctx, `INSERT INTO metered_calls AS m (day, api, calls, spent) SELECT $1, 'cost_explorer', 1, $2::numeric WHERE $2::numeric <= $3::numeric
			ON CONFLICT (day, api) DO UPDATE SET calls = m.calls + 1, spent = m.spent + $2::numeric WHERE m.spent + $2::numeric <= $3::numeric RETURNING calls`,
			models.DayOf(wall), models.CostCallPrice.String(), b.cap.String()).Scan(&calls)
		taken = err == nil
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		_, err = t.pgx.Exec(t.ctx, `INSERT INTO metered_calls AS m (day, api, refused_at) VALUES ($1, 'cost_explorer', $2)
			ON CONFLICT (day, api) DO UPDATE SET refused_at = COALESCE(m.refused_at, excluded.refused_at)`, models.DayOf(wall), wall)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("count a call that costs money: %w", err)
	}
	return taken, nil
}

// ReadCostsAgain has every day of the last thirteen months read anew, final or not: for when AWS has filled in tags afterwards. It costs as
// much as the first reading did. What is there stays until it is replaced. Budgets are read along with them.
func (s *Store) ReadCostsAgain(ctx context.Context, actor models.Actor) error {
	switch {
	case !actor.SeesAll():
		return models.Errorf(models.NotFound, "There is no page at this address.")
	case !actor.Has(models.PlatformAdmin):
		return models.Errorf(models.Forbidden, "Only platform admins can ask for that.")
	}
	return s.tx(ctx, func(t *tx) error {
		if _, err := t.pgx.Exec(t.ctx, `UPDATE cost_reads SET again = true WHERE source = $1 AND day >= $2`, models.CostExplorer, models.FirstCostDay(s.clock.Wall())); err != nil {
			return fmt.Errorf("have costs read again: %w", err)
		}
		ids, err := many[string](t.db, `SELECT id FROM collect_targets WHERE collector IN (?, ?) ORDER BY id`, models.CostCollector, models.BudgetCollector)
		if err != nil {
			return fmt.Errorf("find the collector of costs: %w", err)
		}
		for _, id := range ids {
			if err := t.startRound(id, actor.Name()); err != nil {
				return err
			}
		}
		return t.audit(actor, "costs.read-again", about{Type: "collector", ID: string(models.CostCollector), Name: string(models.CostCollector)}, nil, nil)
	})
}

// CostMeter reads what was paid today for asking what things cost. Admins and auditors read it.
func (s *Store) CostMeter(ctx context.Context, actor models.Actor, limit decimal.Decimal) (models.CostMeter, error) {
	if !actor.SeesAll() {
		return models.CostMeter{}, models.Errorf(models.NotFound, "There is no page at this address.")
	}
	m := models.CostMeter{Day: models.DayOf(s.clock.Wall()), Cap: limit}
	rows, err := many[meterRow](s.read(ctx), `SELECT calls, spent, refused_at FROM metered_calls WHERE day = ? AND api = 'cost_explorer'`, m.Day)
	for _, r := range rows {
		m.Calls, m.Spent, m.Refused = r.Calls, r.Spent, value(r.RefusedAt)
	}
	return m, translate(err)
}

type meterRow struct {
	Calls     int
	Spent     decimal.Decimal
	RefusedAt *time.Time
}
