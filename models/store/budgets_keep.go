package store

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
)

// keepBudgets writes what AWS Budgets says of every tenant's month, and tells the owners what share of a budget was passed: once per month,
// figure and share. A round names all budgets, so a tenant that is not among them has none in AWS.
func (t *tx) keepBudgets(_ models.CollectTarget, r models.Reading) error {
	if r.Budgets == nil {
		return nil
	}
	tenants, err := many[tenantRow](t.db, `SELECT `+tenantColumns+` FROM tenants t WHERE t.state NOT IN ('creating', 'deleted') ORDER BY t.id`)
	if err != nil {
		return fmt.Errorf("read whose budgets are: %w", err)
	}
	said := map[string]models.BudgetReading{}
	for _, b := range r.Budgets {
		said[b.TenantSlug] = b
	}
	for _, row := range tenants {
		b, there := said[row.Slug]
		if !there {
			b = models.BudgetReading{State: models.BudgetAbsent}
		}
		if err := t.keepBudget(row.model(), b, r.At); err != nil {
			return err
		}
	}
	return nil
}

// keepBudget writes one tenant's.
func (t *tx) keepBudget(tenant models.Tenant, b models.BudgetReading, at time.Time) error {
	s := models.Spend{Month: models.MonthOf(at), State: b.State, Budget: tenant.Budget, Limit: b.Limit, ReadAt: at}
	var limit *decimal.Decimal
	if b.State == models.BudgetOK {
		s.Actual, s.Forecast, limit = b.Actual, b.Forecast, &s.Limit
		var err error
		if s.Month, err = t.spendMonth(tenant, b, at); err != nil {
			return err
		}
	}
	err := t.db.Exec(`INSERT INTO tenant_spends (tenant_id, month, state, limit_usd, actual, forecast, read_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant_id, month) DO UPDATE SET state = excluded.state, limit_usd = excluded.limit_usd, actual = excluded.actual, forecast = excluded.forecast,
			read_at = excluded.read_at`, tenant.ID, s.Month, s.State, limit, s.Actual, s.Forecast, s.ReadAt).Error
	if err != nil {
		return fmt.Errorf("write what %s spends: %w", tenant.Slug, err)
	}
	told, err := many[models.SpendAlert](t.db, `SELECT basis, percent, figure FROM tenant_spend_alerts WHERE tenant_id = ? AND month = ?`, tenant.ID, s.Month)
	if err != nil {
		return fmt.Errorf("read what was told of the budget of %s: %w", tenant.Slug, err)
	}
	return t.tellSpend(tenant, s, s.Passed(told))
}

// tellSpend notes all that was passed, and tells of each figure the highest share only.
func (t *tx) tellSpend(tenant models.Tenant, s models.Spend, passed []models.SpendAlert) error {
	for i, a := range passed {
		err := t.db.Exec(`INSERT INTO tenant_spend_alerts (tenant_id, month, basis, percent, figure, budget, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			tenant.ID, s.Month, a.Basis, a.Percent, a.Figure, s.Budget, t.now()).Error
		if err != nil {
			return fmt.Errorf("note that %s passed %d %%: %w", tenant.Slug, a.Percent, err)
		}
		if slices.ContainsFunc(passed[i+1:], func(b models.SpendAlert) bool { return b.Basis == a.Basis }) {
			continue
		}
		if err := t.tell(models.BudgetEvent(tenant, s, a)); err != nil {
			return err
		}
	}
	return nil
}

// spendMonth is the month whose figures AWS gives. It computes budgets a few times a day and says not when, so on the first of a month they
// may still be the last month's: they are while they are no less than that month came to.
func (t *tx) spendMonth(tenant models.Tenant, b models.BudgetReading, at time.Time) (time.Time, error) {
	month := models.MonthOf(at)
	if at.UTC().Day() > 1 || b.Actual == nil {
		return month, nil
	}
	last := month.AddDate(0, -1, 0)
	before, err := many[decimal.Decimal](t.db, `SELECT actual FROM tenant_spends WHERE tenant_id = ? AND month = ? AND actual > 0`, tenant.ID, last)
	if err != nil {
		return month, fmt.Errorf("read what %s spent last month: %w", tenant.Slug, err)
	}
	if len(before) > 0 && b.Actual.GreaterThanOrEqual(before[0]) {
		return last, nil
	}
	return month, nil
}
