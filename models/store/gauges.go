package store

import (
	"context"
	"fmt"
	"time"

	"slipway/models"
)

// Gauges counts what the metrics show: open journal rows, how late they are, runs that are not over, the unsealed tail.
func (s *Store) Gauges(ctx context.Context) (models.Gauges, error) {
	g := models.Gauges{Queue: map[models.JournalKind]int{}, Runs: map[models.RequestState]int{}}
	type open struct {
		Kind models.JournalKind
		N    int
		Late float64 // seconds
	}
	rows, err := many[open](s.read(ctx), `SELECT kind, count(*) AS n, GREATEST(0, extract(epoch FROM clock_timestamp() - min(next_at) FILTER (WHERE lease_owner IS NULL)))::float8 AS late
		FROM journal WHERE NOT done GROUP BY kind`)
	if err != nil {
		return g, translate(fmt.Errorf("count journal rows: %w", err))
	}
	for _, r := range rows {
		g.Queue[r.Kind] = r.N
		g.Late = max(g.Late, time.Duration(r.Late*float64(time.Second)))
	}
	type state struct {
		State models.RequestState
		N     int
	}
	states, err := many[state](s.read(ctx), `SELECT state, count(*) AS n FROM runs WHERE state IN ('running', 'stopping', 'undoing', 'failed') GROUP BY state`)
	if err != nil {
		return g, translate(fmt.Errorf("count runs: %w", err))
	}
	for _, r := range states {
		g.Runs[r.State] = r.N
	}
	type counted struct{ N int }
	tail, err := one[counted](s.read(ctx), `SELECT count(*) AS n FROM audit_entries e WHERE e.id >= ?::uuid AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id)`,
		idFrom(s.clock.Wall().Add(-10*time.Minute)))
	g.Tail = tail.N
	return g, translate(err)
}
