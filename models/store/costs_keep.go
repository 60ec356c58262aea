package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"slipway/models"
)

// keepCosts replaces the days that a reading names, whole: rows, their sums and the note that they were read. The same reading twice leaves
// what one leaves.
func (t *tx) keepCosts(_ models.CollectTarget, r models.Reading) error {
	if r.Costs == nil || len(r.Costs.Days) == 0 {
		return nil
	}
	c := *r.Costs
	owners, err := t.bindings(t.s.clock.Wall())
	if err != nil {
		return err
	}
	rows, err := owners.rows(c)
	if err != nil {
		return err
	}
	days := make([]time.Time, len(c.Days))
	for i, d := range c.Days {
		days[i] = d.Day
	}
	if err := t.keepCostReads(c, days, r.At); err != nil {
		return err
	}
	if _, err := t.pgx.CopyFrom(t.ctx, pgx.Identifier{"cost_days"}, []string{"source", "cut", "day", "account", "category", "service", "environment", "billed", "effective", "tenant_id"},
		pgx.CopyFromRows(rows)); err != nil {
		return fmt.Errorf("write costs: %w", err)
	}
	return t.sumCosts(days)
}

// keepCostReads notes which days were read, and takes away what was known of them. A source that is the first to read a month is its
// record until somebody decides otherwise.
func (t *tx) keepCostReads(c models.CostReading, days []time.Time, at time.Time) error {
	for _, statement := range []string{
		`INSERT INTO cost_records (month, source) SELECT DISTINCT date_trunc('month', d)::date, $1 FROM unnest($2::date[]) d ON CONFLICT (month) DO NOTHING`,
		`DELETE FROM cost_days WHERE source = $1 AND cut IN ('service', 'environment') AND day = ANY ($2::date[])`,
	} {
		if _, err := t.pgx.Exec(t.ctx, statement, c.Source, days); err != nil {
			return fmt.Errorf("replace the costs of %d days: %w", len(days), err)
		}
	}
	estimated := make([]bool, len(c.Days))
	for i, d := range c.Days {
		estimated[i] = d.Estimated
	}
	_, err := t.pgx.Exec(t.ctx, `INSERT INTO cost_reads (source, day, estimated, read_at) SELECT $1, d, e, $4 FROM unnest($2::date[], $3::boolean[]) AS u (d, e)
		ON CONFLICT (source, day) DO UPDATE SET estimated = excluded.estimated, read_at = excluded.read_at, again = false`, c.Source, days, estimated, at)
	if err != nil {
		return fmt.Errorf("note that costs were read: %w", err)
	}
	return nil
}

// sumCosts adds up days of the record anew.
func (t *tx) sumCosts(days []time.Time) error {
	const record = ` FROM cost_days c JOIN cost_records r ON r.source = c.source AND r.month = date_trunc('month', c.day)::date
		WHERE c.cut = 'service' AND c.source IN ('cost_explorer', 'focus') AND c.day = ANY ($1::date[])`
	for _, statement := range []string{
		`DELETE FROM cost_rollups WHERE scope IN ('tenant', 'service') AND day = ANY ($1::date[])`,
		`INSERT INTO cost_rollups (day, scope, tenant_id, category, billed, effective)
			SELECT c.day, 'tenant', c.tenant_id, c.category, sum(c.billed), sum(c.effective)` + record + ` GROUP BY c.day, c.tenant_id, c.category`,
		`INSERT INTO cost_rollups (day, scope, service, category, billed, effective)
			SELECT c.day, 'service', c.service, c.category, sum(c.billed), sum(c.effective)` + record + ` GROUP BY c.day, c.service, c.category`,
	} {
		if _, err := t.pgx.Exec(t.ctx, statement, days); err != nil {
			return fmt.Errorf("add up the costs of %d days: %w", len(days), err)
		}
	}
	return nil
}

// owners says whose an account was on a day.
type owners map[string][]binding

type binding struct {
	AWSID    string
	TenantID string
	FromDay  time.Time
	UntilDay *time.Time
}

// bindings notes accounts that came or went since, and reads whose each was when. An account that was there before it was enrolled belongs
// to its tenant from that day, one that Slipway had made from its first; one that was closed or released, until then.
func (t *tx) bindings(wall time.Time) (owners, error) {
	today := models.DayOf(wall)
	for _, statement := range []string{
		`INSERT INTO account_bindings (account_id, aws_id, tenant_id, from_day)
			SELECT id, aws_id, tenant_id, CASE WHEN enrolled THEN LEAST((created_at AT TIME ZONE 'UTC')::date, $1::date) ELSE '2000-01-01' END
			FROM accounts WHERE aws_id IS NOT NULL ON CONFLICT (account_id) DO NOTHING`,
		`UPDATE account_bindings b SET until_day = GREATEST(b.from_day, LEAST($1::date, (COALESCE(a.closed_at,
				(SELECT max(r.ended_at) FROM requests r WHERE r.tenant_id = a.tenant_id AND r.kind = 'tenant.close'), $1::date) AT TIME ZONE 'UTC')::date))
			FROM accounts a WHERE a.id = b.account_id AND a.state = 'deleted' AND b.until_day IS NULL`,
	} {
		if _, err := t.pgx.Exec(t.ctx, statement, today); err != nil {
			return nil, fmt.Errorf("note whose accounts are: %w", err)
		}
	}
	all, err := many[binding](t.db, `SELECT aws_id, tenant_id, from_day, until_day FROM account_bindings ORDER BY from_day, account_id`)
	if err != nil {
		return nil, fmt.Errorf("read whose accounts are: %w", err)
	}
	o := owners{}
	for _, b := range all {
		o[b.AWSID] = append(o[b.AWSID], b)
	}
	return o, nil
}

// of is the tenant that had an account on a day, the newest if two had; nil: nobody's.
func (o owners) of(account string, day time.Time) *string {
	var tenant *string
	for _, b := range o[account] {
		if !day.Before(b.FromDay) && (b.UntilDay == nil || !day.After(*b.UntilDay)) {
			tenant = &b.TenantID
		}
	}
	return tenant
}

// rows are a reading's, each key once and none that is nothing, as they are copied.
func (o owners) rows(c models.CostReading) ([][]any, error) {
	read := map[time.Time]bool{}
	for _, d := range c.Days {
		if !d.Day.Equal(models.DayOf(d.Day)) {
			return nil, fmt.Errorf("costs of %s: no day", d.Day)
		}
		read[d.Day] = true
	}
	sums, order := map[models.CostRow]models.CostRow{}, []models.CostRow{}
	for _, r := range c.Rows {
		if !read[r.Day] {
			return nil, fmt.Errorf("costs of %s: the reading does not name that day", r.Day.Format(time.DateOnly))
		}
		key := r
		key.Billed, key.Effective = decimal.Decimal{}, decimal.Decimal{}
		sum, known := sums[key]
		if !known {
			order = append(order, key)
			sum = key
		}
		sum.Billed, sum.Effective = sum.Billed.Add(r.Billed), sum.Effective.Add(r.Effective)
		sums[key] = sum
	}
	var rows [][]any
	for _, key := range order {
		r := sums[key]
		if r.Billed.IsZero() && r.Effective.IsZero() {
			continue
		}
		rows = append(rows, []any{string(c.Source), string(r.Cut), r.Day, r.Account, string(r.Category), plainText(r.Service), plainText(r.Environment), numeric(r.Billed), numeric(r.Effective), o.of(r.Account, r.Day)})
	}
	return rows, nil
}

// plainText keeps what PostgreSQL can: AWS allows in tag values what it does not.
func plainText(s string) string { return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "?") }

func numeric(d decimal.Decimal) pgtype.Numeric {
	return pgtype.Numeric{Int: d.Coefficient(), Exp: d.Exponent(), Valid: true}
}
