package store

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"
	"gorm.io/gorm"

	"slipway/models"
)

type costLineRow struct {
	Key        string
	TenantSlug string
	Name       string
	Nobody     bool
	Category   models.ChargeCategory
	Effective  decimal.Decimal
	Billed     decimal.Decimal
	EffectiveB decimal.Decimal
	BilledB    decimal.Decimal
}

// costItems reads the table of a page: each group's charges of the month and of the same days of the month before.
func costItems(db *gorm.DB, scope costScope, p models.CostPage) ([]models.CostItem, error) {
	month := scope.query.Month
	last := p.LastDay()
	if last.IsZero() {
		return nil, nil
	}
	same, _ := models.SameDay(last)
	query, args := lineQuery(scope)
	rows, err := many[costLineRow](db, query, append([]any{month, month, month, month}, append(args, month.AddDate(0, -1, 0), same, month, last)...)...)
	if err != nil {
		return nil, err
	}
	return linesOf(rows, p.Spends, scope.query.By), nil
}

// lineQuery is the statement of a group. Its arguments begin with four times the month and end with the two stretches of days.
func lineQuery(scope costScope) (string, []any) {
	const sums = `c.category, COALESCE(sum(c.effective) FILTER (WHERE c.day >= ?), 0) AS effective, COALESCE(sum(c.billed) FILTER (WHERE c.day >= ?), 0) AS billed,
		COALESCE(sum(c.effective) FILTER (WHERE c.day < ?), 0) AS effective_b, COALESCE(sum(c.billed) FILTER (WHERE c.day < ?), 0) AS billed_b FROM `
	const days = ` AND (c.day BETWEEN ? AND ? OR c.day BETWEEN ? AND ?) GROUP BY `
	rolled := scope.of()
	sized := scope.rows()
	switch by := scope.query.By; {
	case by == models.GroupService && !scope.query.Narrow() && scope.tenant == "" && scope.tenants == nil:
		rolled.add(`c.scope = 'service'`)
		return `SELECT c.service AS key, ` + sums + `cost_rollups c WHERE ` + rolled.sql() + days + `1, c.category`, rolled.args
	case by == models.GroupService:
		return `SELECT c.service AS key, ` + sums + recordDays + ` WHERE ` + sized.sql() + days + `1, c.category`, sized.args
	case by == models.GroupEnvironment:
		return `SELECT c.environment AS key, COALESCE(t.slug, '') AS tenant_slug, c.tenant_id IS NULL AS nobody, ` + sums + recordDays + ` LEFT JOIN tenants t ON t.id = c.tenant_id WHERE ` + sized.sql() + days + `1, 2, 3, c.category`, sized.args
	case by == models.GroupAccount:
		return `SELECT c.account AS key, COALESCE(t.slug, '') AS tenant_slug, COALESCE(max(a.name), '') AS name, c.tenant_id IS NULL AS nobody, ` + sums + recordDays + ` LEFT JOIN tenants t ON t.id = c.tenant_id
			LEFT JOIN accounts a ON a.aws_id = c.account AND a.tenant_id = c.tenant_id AND a.state <> 'deleted' WHERE ` + sized.sql() + days + `1, 2, 4, c.category`, sized.args
	case scope.query.Narrow():
		return `SELECT COALESCE(t.slug, '') AS key, COALESCE(t.slug, '') AS tenant_slug, COALESCE(t.display_name, '') AS name, c.tenant_id IS NULL AS nobody, ` + sums + recordDays + ` LEFT JOIN tenants t ON t.id = c.tenant_id WHERE ` + sized.sql() + days + `1, 2, 3, 4, c.category`, sized.args
	}
	rolled.add(`c.scope = 'tenant'`)
	return `SELECT COALESCE(t.slug, '') AS key, COALESCE(t.slug, '') AS tenant_slug, COALESCE(t.display_name, '') AS name, c.tenant_id IS NULL AS nobody, ` + sums + `cost_rollups c LEFT JOIN tenants t ON t.id = c.tenant_id WHERE ` + rolled.sql() + days + `1, 2, 3, 4, c.category`, rolled.args
}

// linesOf gathers categories into lines, the dearest first. A tenant without costs has its line, too: that it costs nothing is worth knowing.
func linesOf(rows []costLineRow, spends []models.TenantSpend, by models.CostGroup) []models.CostItem {
	type key struct{ key, tenant string }
	at := map[key]int{}
	var lines []models.CostItem
	line := func(k key, name string, nobody bool) *models.CostItem {
		i, known := at[k]
		if !known {
			i = len(lines)
			at[k] = i
			lines = append(lines, models.CostItem{Key: k.key, TenantSlug: k.tenant, Name: name, Unallocated: nobody})
		}
		return &lines[i]
	}
	for _, r := range rows {
		l := line(key{r.Key, r.TenantSlug}, r.Name, r.Nobody)
		l.Now.Add(r.Category, r.Effective, r.Billed)
		l.Before.Add(r.Category, r.EffectiveB, r.BilledB)
	}
	if by == models.GroupTenant {
		for i := range spends {
			t := spends[i].Tenant
			_, costs := at[key{t.Slug, t.Slug}]
			if costs || t.State != models.Deleted {
				line(key{t.Slug, t.Slug}, t.DisplayName, false).Spend = &spends[i].Spend
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b models.CostItem) int {
		return cmp.Or(b.Now.Effective.Usage.Cmp(a.Now.Effective.Usage), cmp.Compare(a.TenantSlug, b.TenantSlug), cmp.Compare(a.Key, b.Key))
	})
	return lines
}

type spendRow struct {
	Tenant   tenantRow `gorm:"embedded"`
	Said     *models.BudgetState
	LimitUSD *decimal.Decimal
	Actual   *decimal.Decimal
	Forecast *decimal.Decimal
	ReadAt   *time.Time
}

// spends reads how tenants' months stand, by slug. A tenant that was never read has no state.
func spends(db *gorm.DB, scope costScope) ([]models.TenantSpend, error) {
	c := conditions{}
	c.add(`(t.state <> 'deleted' OR s.tenant_id IS NOT NULL)`)
	switch {
	case scope.tenant != "":
		c.add(`t.id = ?`, scope.tenant)
	case scope.tenants != nil:
		c.add(`t.id = ANY (?::uuid[])`, scope.tenants)
	}
	return readSpends(db, c, scope.query.Month)
}

func readSpends(db *gorm.DB, c conditions, month time.Time) ([]models.TenantSpend, error) {
	rows, err := many[spendRow](db, `SELECT `+tenantColumns+`, s.state AS said, s.limit_usd, s.actual, s.forecast, s.read_at FROM tenants t
		LEFT JOIN tenant_spends s ON s.tenant_id = t.id AND s.month = ? WHERE `+c.sql()+` ORDER BY t.slug`, append([]any{month}, c.args...)...)
	all := make([]models.TenantSpend, 0, len(rows))
	for _, r := range rows {
		t := r.Tenant.model()
		all = append(all, models.TenantSpend{Tenant: t, Spend: models.Spend{Month: month, State: value(r.Said), Budget: t.Budget, Limit: value(r.LimitUSD), Actual: r.Actual, Forecast: r.Forecast, ReadAt: value(r.ReadAt)}})
	}
	return all, err
}

// spendNow is how a tenant's month stands; nil when nothing is known of it, or only what is too old to count.
func spendNow(db *gorm.DB, tenant models.Tenant, wall time.Time) (*models.Spend, error) {
	c := conditions{}
	c.add(`t.id = ?`, tenant.ID)
	rows, err := readSpends(db, c, models.MonthOf(wall))
	if err != nil || len(rows) == 0 || !rows[0].Spend.Known(wall) {
		return nil, err
	}
	return &rows[0].Spend, nil
}
