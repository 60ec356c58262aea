package store

import "time"

// sweepCosts removes the oldest days: their rows first, then, once none is left, their sums and the note that they were read.
func sweepCosts(t *tx, before time.Time, batch int) (int64, bool, error) {
	rows, err := t.pgx.Exec(t.ctx, `DELETE FROM cost_days WHERE (source, cut, day, account, category, service, environment) IN
		(SELECT source, cut, day, account, category, service, environment FROM cost_days WHERE day < $1::timestamptz LIMIT $2 FOR UPDATE SKIP LOCKED)`, before, batch)
	if err != nil {
		return 0, false, err
	}
	n := rows.RowsAffected()
	if n == int64(batch) {
		return n, true, nil
	}
	for _, statement := range []string{
		`DELETE FROM cost_reads r WHERE r.day < $1::timestamptz AND NOT EXISTS (SELECT FROM cost_days d WHERE d.source = r.source AND d.cut IN ('service', 'environment') AND d.day = r.day)`,
		`DELETE FROM cost_rollups c WHERE c.day < $1::timestamptz AND NOT EXISTS (SELECT FROM cost_reads r WHERE r.day = c.day)`,
		`DELETE FROM cost_records c WHERE c.month < date_trunc('month', $1::timestamptz) AND NOT EXISTS (SELECT FROM cost_reads r WHERE date_trunc('month', r.day)::date = c.month)`,
	} {
		if _, err := t.pgx.Exec(t.ctx, statement, before); err != nil {
			return 0, false, err
		}
	}
	return n, false, nil
}

// sweepSpends removes old months of budgets with what was told of them.
func sweepSpends(t *tx, before time.Time, batch int) (int64, bool, error) {
	if _, err := t.pgx.Exec(t.ctx, `DELETE FROM tenant_spend_alerts WHERE month < $1::timestamptz`, before); err != nil {
		return 0, false, err
	}
	tag, err := t.pgx.Exec(t.ctx, `DELETE FROM tenant_spends WHERE (tenant_id, month) IN (SELECT tenant_id, month FROM tenant_spends WHERE month < $1::timestamptz ORDER BY month LIMIT $2 FOR UPDATE SKIP LOCKED)`, before, batch)
	return tag.RowsAffected(), tag.RowsAffected() == int64(batch), err
}
