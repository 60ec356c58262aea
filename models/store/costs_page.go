package store

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"
	"gorm.io/gorm"

	"slipway/models"
)

// costScope says whose costs are read, and which of them.
type costScope struct {
	query   models.CostQuery
	tenants texts  // the only ones; nil: all, and what is nobody's
	tenant  string // the one tenant of the page; empty: the organization's
}

// of is the condition over cost_days c or cost_rollups c, without the days.
func (s costScope) of() (c conditions) {
	switch {
	case s.tenant != "":
		c.add(`c.tenant_id = ?`, s.tenant)
	case s.tenants != nil:
		c.add(`c.tenant_id = ANY (?::uuid[])`, s.tenants)
	}
	if s.query.Unallocated {
		c.add(`c.tenant_id IS NULL`)
	}
	return c
}

// rows is the condition over cost_days c.
func (s costScope) rows() conditions {
	c := s.of()
	c.add(`c.cut = ?`, s.query.Cut())
	if s.query.Service != "" {
		c.add(`c.service = ?`, clip(s.query.Service))
	}
	if s.query.Environment != "" {
		c.add(`c.environment = ?`, clip(s.query.Environment))
	}
	return c
}

// recordDays joins what is the record of its month.
const recordDays = `cost_days c JOIN cost_records cr ON cr.month = date_trunc('month', c.day)::date AND cr.source = c.source`

// OrganizationCosts reads all that the organization's page of costs shows. Members read the sum of their tenants; what is nobody's, and the
// organization's sums, only those who see all.
func (s *Store) OrganizationCosts(ctx context.Context, actor models.Actor, q models.CostQuery) (models.CostPage, error) {
	scope := costScope{query: q}
	if !actor.SeesAll() {
		scope.tenants = tenantIDs(actor)
		scope.query.Unallocated = false
	}
	return s.costs(ctx, actor, scope, nil)
}

// TenantCosts reads all that a tenant's page of costs shows.
func (s *Store) TenantCosts(ctx context.Context, actor models.Actor, slug string, q models.CostQuery) (models.CostPage, error) {
	seen, args := tenantScope(actor, `t.id`)
	row, err := one[tenantRow](s.read(ctx), `SELECT `+tenantColumns+` FROM tenants t WHERE t.slug = ? AND `+seen, append([]any{clip(slug)}, args...)...)
	if err != nil {
		return models.CostPage{}, s.unseen(ctx, actor, string(models.TenantObject), slug, err)
	}
	tenant := row.model()
	q.Unallocated = false
	return s.costs(ctx, actor, costScope{query: q, tenant: tenant.ID}, &tenant)
}

// costs reads a page in eight queries, nine for one tenant's, however much there is.
func (s *Store) costs(ctx context.Context, actor models.Actor, scope costScope, tenant *models.Tenant) (p models.CostPage, err error) {
	wall := s.clock.Wall()
	if scope.query.Month.IsZero() {
		scope.query.Month = models.MonthOf(wall)
	}
	db := s.read(ctx)
	p = models.CostPage{Query: scope.query, Wall: wall, Tenant: tenant, SeesAll: actor.SeesAll()}
	if p.Days, p.Source, err = costDays(db, scope, wall); err != nil {
		return p, translate(fmt.Errorf("read costs by day: %w", err))
	}
	slug := ""
	if tenant != nil {
		slug = tenant.Slug
	}
	if p.Spends, err = spends(db, scope); err != nil {
		return p, translate(fmt.Errorf("read what tenants spend: %w", err))
	}
	if p.Lines, err = costItems(db, scope, p); err != nil {
		return p, translate(fmt.Errorf("read costs by %s: %w", scope.query.By, err))
	}
	if p.Unallocated, err = unallocated(db, scope); err != nil {
		return p, translate(fmt.Errorf("read what is unallocated: %w", err))
	}
	if p.Environments, err = environmentCosts(db, scope, p.Days); err != nil {
		return p, translate(fmt.Errorf("measure what environments cost: %w", err))
	}
	if p.Costs, err = s.CollectStates(ctx, actor, models.CostCollector, slug); err != nil {
		return p, err
	}
	p.Budgets, err = s.CollectStates(ctx, actor, models.BudgetCollector, slug)
	return p, err
}

type chargeRow struct {
	Day       time.Time
	Category  models.ChargeCategory
	Effective decimal.Decimal
	Billed    decimal.Decimal
}

// costDays reads the sums of every day of the last thirteen months up to yesterday, and which of them were read.
func costDays(db *gorm.DB, scope costScope, wall time.Time) ([]models.CostDay, models.CostSource, error) {
	first, today := models.FirstCostDay(wall), models.DayOf(wall)
	type read struct {
		Day       time.Time
		Estimated bool
		ReadAt    time.Time
		Source    models.CostSource
	}
	reads, err := many[read](db, `SELECT c.day, c.estimated, c.read_at, c.source FROM cost_reads c JOIN cost_records cr ON cr.month = date_trunc('month', c.day)::date AND cr.source = c.source
		WHERE c.day >= ? AND c.day < ? ORDER BY c.day`, first, today)
	if err != nil {
		return nil, "", err
	}
	at := map[time.Time]int{}
	var days []models.CostDay
	for day := first; day.Before(today); day = day.AddDate(0, 0, 1) {
		at[day] = len(days)
		days = append(days, models.CostDay{Day: day})
	}
	source := models.CostExplorer
	for _, r := range reads {
		d := &days[at[models.DayOf(r.Day)]]
		d.Read, d.Estimated, d.ReadAt, source = true, r.Estimated, r.ReadAt, r.Source
	}
	from, c := `cost_rollups c`, scope.of()
	switch {
	case scope.query.Narrow():
		from, c = recordDays, scope.rows()
	case scope.tenant == "" && scope.tenants == nil:
		c.add(`c.scope = 'service'`)
	default:
		c.add(`c.scope = 'tenant'`)
	}
	c.add(`c.day >= ? AND c.day < ?`, first, today)
	rows, err := many[chargeRow](db, `SELECT c.day, c.category, sum(c.effective) AS effective, sum(c.billed) AS billed FROM `+from+` WHERE `+c.sql()+` GROUP BY c.day, c.category`, c.args...)
	for _, r := range rows {
		days[at[models.DayOf(r.Day)]].Amounts.Add(r.Category, r.Effective, r.Billed)
	}
	return days, source, err
}

// unallocated reads the month's share that nobody had, or on a tenant's page, that carries no environment.
func unallocated(db *gorm.DB, scope costScope) (sum models.Amounts, err error) {
	month := scope.query.Month
	query, args := `SELECT c.category, sum(c.effective) AS effective, sum(c.billed) AS billed FROM cost_rollups c WHERE c.scope = 'tenant' AND c.tenant_id IS NULL AND c.day >= ? AND c.day < ? GROUP BY c.category`,
		[]any{month, month.AddDate(0, 1, 0)}
	if scope.tenant != "" {
		query = `SELECT c.category, sum(c.effective) AS effective, sum(c.billed) AS billed FROM ` + recordDays + ` WHERE c.cut = 'environment' AND c.environment = '' AND c.day >= ? AND c.day < ? AND c.tenant_id = ? GROUP BY c.category`
		args = append(args, scope.tenant)
	} else if scope.tenants != nil {
		return sum, nil
	}
	rows, err := many[chargeRow](db, query, args...)
	for _, r := range rows {
		sum.Add(r.Category, r.Effective, r.Billed)
	}
	return sum, err
}

// EachCost exports all lines of a page of costs, audited. The slug is empty for the organization's.
func (s *Store) EachCost(ctx context.Context, actor models.Actor, slug string, q models.CostQuery, fn func(models.CostPage, models.CostItem) error) error {
	var p models.CostPage
	var err error
	if slug == "" {
		p, err = s.OrganizationCosts(ctx, actor, q)
	} else {
		p, err = s.TenantCosts(ctx, actor, slug, q)
	}
	if err != nil {
		return err
	}
	what := about{Type: "list", ID: "costs"}
	if p.Tenant != nil {
		what.TenantID = p.Tenant.ID
	}
	err = s.tx(ctx, func(t *tx) error {
		return t.audit(actor, "export.costs", what, nil, map[string]any{"tenant": slug, "month": p.Query.Month.Format("2006-01"), "by": q.By, "service": q.Service, "environment": q.Environment, "unallocated": q.Unallocated})
	})
	if err != nil {
		return err
	}
	for i, l := range p.Lines {
		if i == maxExport {
			break
		}
		if err := fn(p, l); err != nil {
			return err
		}
	}
	return nil
}
