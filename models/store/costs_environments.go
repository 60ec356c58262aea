package store

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"
	"gorm.io/gorm"

	"slipway/models"
)

// changesCost are the requests after which an environment costs something else.
var changesCost = texts{string(models.UpdateEnvironment), string(models.UpgradeEnvironment), string(models.DeployEnvironment), string(models.HibernateEnvironment), string(models.WakeEnvironment)}

type environmentCostRow struct {
	ID         string
	TenantSlug string
	Name       string
	Stage      models.Stage
	Blueprint  string
	Version    string
	Hibernated bool
	Estimated  bool
	Monthly    decimal.Decimal
	FromDay    time.Time
	Sum        decimal.Decimal
}

// environmentCosts measures every living environment of the scope over the last days that were read, from the day after it began, or was
// last changed, or another of its name in the same account was last there.
func environmentCosts(db *gorm.DB, scope costScope, days []models.CostDay) ([]models.EnvironmentCost, error) {
	c := conditions{}
	switch {
	case scope.tenant != "":
		c.add(`e.tenant_id = ?`, scope.tenant)
	case scope.tenants != nil:
		c.add(`e.tenant_id = ANY (?::uuid[])`, scope.tenants)
	}
	return measure(db, c, days)
}

func measure(db *gorm.DB, c conditions, days []models.CostDay) ([]models.EnvironmentCost, error) {
	last := time.Time{}
	for _, d := range days {
		if d.Read {
			last = d.Day
		}
	}
	if last.IsZero() {
		return nil, nil
	}
	first := last.AddDate(0, 0, 1-models.MeasureDays)
	c.add(`e.state NOT IN ('creating', 'deleted')`)
	const statement = `WITH seen AS (
			SELECT c.tenant_id, c.account, c.environment, c.day, sum(c.effective) AS effective FROM ` + recordDays + `
				WHERE c.cut = 'environment' AND c.environment <> '' AND c.day BETWEEN ? AND ? AND c.tenant_id IS NOT NULL GROUP BY 1, 2, 3, 4),
		begun AS (SELECT tenant_id, account, environment, min(day) AS day FROM seen GROUP BY 1, 2, 3),
		measured AS (
			SELECT e.id, e.tenant_id, e.name, a.aws_id, GREATEST(?::date,
				COALESCE((SELECT max(r.ended_at AT TIME ZONE 'UTC')::date + 1 FROM requests r WHERE r.object_id = e.id AND r.state = 'succeeded' AND r.kind = ANY (?::text[])), '-infinity'),
				COALESCE((SELECT max(o.updated_at AT TIME ZONE 'UTC')::date + 1 FROM environments o WHERE o.tenant_id = e.tenant_id AND o.name = e.name AND o.account_id = e.account_id AND o.state = 'deleted'), '-infinity'),
				LEAST((e.created_at AT TIME ZONE 'UTC')::date + 1, COALESCE(CASE WHEN b.day > ?::date THEN b.day + 1 ELSE b.day END, 'infinity'))) AS from_day
			FROM environments e JOIN accounts a ON a.id = e.account_id LEFT JOIN begun b ON b.tenant_id = e.tenant_id AND b.account = a.aws_id AND b.environment = e.name WHERE `
	const rest = `)
		SELECT e.id, t.slug AS tenant_slug, e.name, e.stage, e.blueprint, COALESCE(k.version, '') AS version, e.hibernated, e.estimate IS NOT NULL AS estimated, e.monthly, m.from_day,
			COALESCE(sum(s.effective), 0) AS sum
		FROM measured m JOIN environments e ON e.id = m.id JOIN tenants t ON t.id = e.tenant_id LEFT JOIN stacks k ON k.object_id = e.id
		LEFT JOIN seen s ON s.tenant_id = m.tenant_id AND s.account = m.aws_id AND s.environment = m.name AND s.day >= m.from_day
		GROUP BY e.id, t.slug, k.version, m.from_day ORDER BY t.slug, e.name, e.id`
	rows, err := many[environmentCostRow](db, statement+c.sql()+rest, append([]any{first, last, first, changesCost, first}, c.args...)...)
	if err != nil {
		return nil, err
	}
	all := make([]models.EnvironmentCost, 0, len(rows))
	for _, r := range rows {
		e := models.EnvironmentCost{TenantSlug: r.TenantSlug, Name: r.Name, Stage: r.Stage, Blueprint: r.Blueprint, Version: r.Version, Hibernated: r.Hibernated, From: models.DayOf(r.FromDay), Sum: r.Sum}
		if r.Estimated {
			e.Estimate = &r.Monthly
		}
		for _, d := range days {
			if d.Read && !d.Day.Before(e.From) {
				e.Days++
			}
		}
		all = append(all, e)
	}
	return all, nil
}

// EnvironmentCosts reads what the panel of an environment's page shows: its days, its estimate and how both compare.
func (s *Store) EnvironmentCosts(ctx context.Context, actor models.Actor, tenantSlug, name string) (models.CostPage, error) {
	env, err := s.livingEnvironment(ctx, actor, tenantSlug, name)
	if err != nil {
		return models.CostPage{}, err
	}
	wall := s.clock.Wall()
	scope := costScope{query: models.CostQuery{Month: models.MonthOf(wall), By: models.GroupEnvironment, Environment: env.Name}, tenant: env.TenantID}
	p := models.CostPage{Query: scope.query, Wall: wall}
	db := s.read(ctx)
	if p.Days, p.Source, err = costDays(db, scope, wall); err != nil {
		return p, translate(fmt.Errorf("read the costs of %s: %w", name, err))
	}
	c := conditions{}
	c.add(`e.id = ?`, env.ID)
	if p.Environments, err = measure(db, c, p.Days); err != nil {
		return p, translate(fmt.Errorf("measure what %s costs: %w", name, err))
	}
	p.Costs, err = s.CollectStates(ctx, actor, models.CostCollector, tenantSlug)
	return p, err
}
