package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// Lists of figures end here, so that the page stays a page.
const (
	mostProcesses = 100
	mostAccounts  = 100
)

// WorkFigures reads whether work gets done, for platform admins and auditors: five queries, however much there is.
func (s *Store) WorkFigures(ctx context.Context, actor models.Actor) (f models.WorkFigures, err error) {
	if !actor.SeesAll() {
		return f, models.Errorf(models.Forbidden, "Only platform admins and auditors see how Slipway itself is doing.")
	}
	db, wall := s.read(ctx), s.clock.Wall()
	if f.Queue, err = queueFigures(db); err != nil {
		return f, translate(fmt.Errorf("count the queue: %w", err))
	}
	type process struct {
		Owner, Role, Version string
		StartedAt, SeenAt    time.Time
	}
	seen, err := many[process](db, `SELECT owner, role, version, started_at, seen_at FROM processes WHERE seen_at >= ? ORDER BY seen_at DESC, owner LIMIT ?`,
		wall.Add(-models.ProcessWindow), mostProcesses)
	if err != nil {
		return f, translate(fmt.Errorf("read the processes: %w", err))
	}
	for _, p := range seen {
		f.Processes = append(f.Processes, models.Process{Owner: p.Owner, Role: p.Role, Version: p.Version, Started: p.StartedAt, Seen: p.SeenAt})
	}
	f.Accounts, err = many[models.AccountCalls](db, `SELECT c.account, COALESCE(t.slug, '') AS tenant, COALESCE(a.name, '') AS name, c.calls, c.throttles
		FROM (SELECT account, sum(calls)::bigint AS calls, sum(throttles)::bigint AS throttles FROM aws_calls WHERE hour > ? GROUP BY account) c
		LEFT JOIN accounts a ON a.aws_id = c.account LEFT JOIN tenants t ON t.id = a.tenant_id ORDER BY c.throttles DESC, c.calls DESC, c.account LIMIT ?`,
		wall.Add(-models.CallsWindow), mostAccounts)
	if err != nil {
		return f, translate(fmt.Errorf("sum AWS calls: %w", err))
	}
	if f.Runs, err = runFigures(db, s.clock.Now().Add(-models.RunsWindow)); err != nil {
		return f, translate(fmt.Errorf("count how runs ended: %w", err))
	}
	f.Sweep, err = sweepReport(db)
	return f, translate(err)
}

// queueFigures count the open rows of the journal; times are compared by the database's clock, as leases are.
func queueFigures(db *gorm.DB) ([]models.QueueFigure, error) {
	type row struct {
		Kind                         models.JournalKind
		Due, Leased, Lapsed, Waiting int
		Late                         float64 // seconds
	}
	rows, err := many[row](db, `SELECT kind, count(*) FILTER (WHERE lease_until IS NULL AND next_at <= at) AS due, count(*) FILTER (WHERE lease_until >= at) AS leased,
			count(*) FILTER (WHERE lease_until < at) AS lapsed, count(*) FILTER (WHERE lease_until IS NULL AND next_at > at) AS waiting,
			COALESCE(extract(epoch FROM max(at - LEAST(next_at, at)) FILTER (WHERE lease_until IS NULL OR lease_until < at)), 0)::float8 AS late
		FROM journal, (SELECT clock_timestamp() AS at) c WHERE NOT done GROUP BY kind ORDER BY kind`)
	figures := make([]models.QueueFigure, 0, len(rows))
	for _, r := range rows {
		figures = append(figures, models.QueueFigure{Kind: r.Kind, Due: r.Due, Leased: r.Leased, Lapsed: r.Lapsed, Waiting: r.Waiting, Oldest: time.Duration(r.Late * float64(time.Second))})
	}
	return figures, err
}

// runFigures count runs that began since and are over. How long they took is of first attempts: a run that waited days for somebody to retry it
// says nothing about AWS.
func runFigures(db *gorm.DB, since time.Time) ([]models.RunFigure, error) {
	type row struct {
		Kind              models.RequestKind
		Succeeded, Failed int
		Median            *float64 // milliseconds
		High              *float64
	}
	rows, err := many[row](db, `SELECT r.kind, count(*) FILTER (WHERE n.state = 'succeeded') AS succeeded, count(*) FILTER (WHERE n.state <> 'succeeded') AS failed,
			percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE n.state = 'succeeded' AND n.attempt = 1) AS median,
			percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) FILTER (WHERE n.state = 'succeeded' AND n.attempt = 1) AS high
		FROM (SELECT request_id, state, attempt, (extract(epoch FROM ended_at - started_at) * 1000)::float8 AS ms FROM runs
			WHERE started_at >= ? AND state IN ('succeeded', 'failed', 'undone', 'abandoned')) n
		JOIN requests r ON r.id = n.request_id GROUP BY r.kind ORDER BY r.kind`, since)
	figures := make([]models.RunFigure, 0, len(rows))
	for _, r := range rows {
		figures = append(figures, models.RunFigure{Kind: r.Kind, Succeeded: r.Succeeded, Failed: r.Failed, Median: models.Duration(value(r.Median)), P95: models.Duration(value(r.High))})
	}
	return figures, err
}

func sweepReport(db *gorm.DB) (models.SweepReport, error) {
	type row struct {
		DueAt     time.Time
		StartedAt *time.Time
		EndedAt   *time.Time
		Removed   jsonb
	}
	rows, err := many[row](db, `SELECT due_at, started_at, ended_at, removed FROM sweeps WHERE name = ?`, retentionSweep)
	if err != nil || len(rows) == 0 {
		return models.SweepReport{}, err
	}
	r := models.SweepReport{Due: rows[0].DueAt, Started: value(rows[0].StartedAt), Ended: value(rows[0].EndedAt)}
	return r, rows[0].Removed.decode(&r.Removed)
}

// CountCalls adds a process's counts of AWS calls to those of the hour.
func (s *Store) CountCalls(ctx context.Context, counts []models.AccountCalls) error {
	if len(counts) == 0 {
		return nil
	}
	accounts, calls, throttles := make([]string, len(counts)), make([]int64, len(counts)), make([]int64, len(counts))
	for i, c := range counts {
		accounts[i], calls[i], throttles[i] = c.Account, c.Calls, c.Throttles
	}
	return s.tx(ctx, func(t *tx) error {
		_, err := t.pgx.Exec(t.ctx, `INSERT INTO aws_calls (hour, account, calls, throttles) SELECT $1, account, sum(calls), sum(throttles)
			FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS n (account, calls, throttles) GROUP BY account ORDER BY account
			ON CONFLICT (hour, account) DO UPDATE SET calls = aws_calls.calls + excluded.calls, throttles = aws_calls.throttles + excluded.throttles`,
			s.clock.Wall().Truncate(time.Hour), accounts, calls, throttles)
		return err
	})
}

// SeenProcess writes a process's sign of life.
func (s *Store) SeenProcess(ctx context.Context, p models.Process) error {
	return s.tx(ctx, func(t *tx) error {
		_, err := t.pgx.Exec(t.ctx, `INSERT INTO processes (owner, role, version, started_at, seen_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (owner) DO UPDATE SET seen_at = excluded.seen_at`, p.Owner, p.Role, p.Version, p.Started, s.clock.Wall())
		return err
	})
}

// GoneProcess removes a process that ended as it should.
func (s *Store) GoneProcess(ctx context.Context, owner string) error {
	return s.tx(ctx, func(t *tx) error {
		_, err := t.pgx.Exec(t.ctx, `DELETE FROM processes WHERE owner = $1`, owner)
		return err
	})
}
