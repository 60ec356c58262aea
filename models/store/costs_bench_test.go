package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/models"
)

const benchSpenders = 1000

// BenchmarkCosts reads the pages of costs over thirteen months of a thousand tenants, and beside each the same figures by statements that
// are written by hand over the same sums.
func BenchmarkCosts(b *testing.B) {
	s, ownerURL := open(b, func(o *Options) { o.Connections, o.StatementTimeout = 2, 10*time.Minute })
	wall := s.clock.Wall()
	fillCosts(b, s, wall)
	owner, err := pgx.Connect(b.Context(), ownerURL)
	if err != nil {
		b.Fatal(err)
	}
	defer owner.Close(context.Background())
	if _, err := owner.Exec(b.Context(), `ANALYZE`); err != nil { // autovacuum does it in time
		b.Fatal(err)
	}
	admin, _ := signIn(b, s, "someone", "platform-admins")
	month := models.MonthOf(wall).AddDate(0, -1, 0)
	last := month.AddDate(0, 1, -1)
	for _, page := range []struct {
		name string
		read func(context.Context) error
		hand []string
	}{
		{"organization by tenant", func(ctx context.Context) error {
			_, err := s.OrganizationCosts(ctx, admin, models.CostQuery{By: models.GroupTenant, Month: month})
			return err
		}, []string{`SELECT day, category, sum(effective), sum(billed) FROM cost_rollups WHERE scope = 'service' AND day >= $1::date - interval '12 months' GROUP BY 1, 2`,
			`SELECT t.slug, c.category, sum(c.effective) FILTER (WHERE c.day >= $1), sum(c.effective) FILTER (WHERE c.day < $1) FROM cost_rollups c LEFT JOIN tenants t ON t.id = c.tenant_id
				WHERE c.scope = 'tenant' AND c.day BETWEEN $1::date - interval '1 month' AND $2 GROUP BY 1, 2`}},
		{"organization by service", func(ctx context.Context) error {
			_, err := s.OrganizationCosts(ctx, admin, models.CostQuery{By: models.GroupService, Month: month})
			return err
		}, []string{`SELECT day, category, sum(effective), sum(billed) FROM cost_rollups WHERE scope = 'service' AND day >= $1::date - interval '12 months' GROUP BY 1, 2`,
			`SELECT service, category, sum(effective) FILTER (WHERE day >= $1), sum(effective) FILTER (WHERE day < $1) FROM cost_rollups
				WHERE scope = 'service' AND day BETWEEN $1::date - interval '1 month' AND $2 GROUP BY 1, 2`}},
		{"one tenant", func(ctx context.Context) error {
			_, err := s.TenantCosts(ctx, admin, "spend-7", models.CostQuery{By: models.GroupService, Month: month})
			return err
		}, []string{`SELECT day, category, sum(effective), sum(billed) FROM cost_rollups WHERE scope = 'tenant' AND tenant_id = (SELECT id FROM tenants WHERE slug = 'spend-7') AND day >= $1::date - interval '12 months' GROUP BY 1, 2`,
			`SELECT service, category, sum(effective) FILTER (WHERE day >= $1), sum(effective) FILTER (WHERE day < $1) FROM cost_days WHERE cut = 'service'
				AND tenant_id = (SELECT id FROM tenants WHERE slug = 'spend-7') AND day BETWEEN $1::date - interval '1 month' AND $2 GROUP BY 1, 2`}},
	} {
		b.Run(page.name, func(b *testing.B) {
			for b.Loop() {
				if err := page.read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(page.name+", by hand", func(b *testing.B) {
			for b.Loop() {
				for _, sql := range page.hand {
					args := []any{month, last}
					if sql == page.hand[0] {
						args = args[:1]
					}
					rows, err := s.pool.Query(b.Context(), sql, args...)
					if err != nil {
						b.Fatal(err)
					}
					for rows.Next() {
					}
					if rows.Err() != nil {
						b.Fatal(rows.Err())
					}
				}
			}
		})
	}
}

// fillCosts gives a thousand tenants an account each, with three services and two environments a day.
func fillCosts(b *testing.B, s *Store, wall time.Time) {
	b.Helper()
	spender(b, s, "spend-0", "700000000000", false, wall)
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO tenants (id, slug, display_name, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), 'spend-' || n, 'Team ' || n, 'o' || n, 'd' || n, 'v' || n, 'CC-1', 1000, 'ready', t.request_id, t.created_at, t.created_at FROM generate_series(1, %d) n, tenants t WHERE t.slug = 'spend-0'`, benchSpenders-1),
		`INSERT INTO accounts (id, tenant_id, class, name, email, aws_id, state, created_at) SELECT gen_random_uuid(), id, 'nonprod', slug, slug, '7' || lpad(substr(slug, 7), 11, '0'), 'ready', created_at FROM tenants WHERE slug <> 'spend-0'`,
		`INSERT INTO cost_records SELECT DISTINCT date_trunc('month', d)::date, 'cost_explorer' FROM generate_series($1::date, $2::date - 1, '1 day') d`,
		`INSERT INTO cost_reads (source, day, estimated, read_at) SELECT 'cost_explorer', d, false, $2 FROM generate_series($1::date, $2::date - 1, '1 day') d`,
		`INSERT INTO cost_days (source, cut, day, account, category, service, environment, billed, effective, tenant_id)
			SELECT 'cost_explorer', x.cut, d, a.aws_id, 'usage', x.service, x.environment, 1.25, 1.2, a.tenant_id FROM generate_series($1::date, $2::date - 1, '1 day') d, accounts a,
				(VALUES ('service', 'Amazon ECS', ''), ('service', 'Amazon VPC', ''), ('service', 'AWS WAF', ''), ('environment', '', 'shop-dev'), ('environment', '', '')) x (cut, service, environment)`,
		`INSERT INTO cost_rollups (day, scope, tenant_id, category, billed, effective) SELECT day, 'tenant', tenant_id, category, sum(billed), sum(effective) FROM cost_days WHERE cut = 'service' AND $1::date <= $2::date GROUP BY 1, 3, 4`,
		`INSERT INTO cost_rollups (day, scope, service, category, billed, effective) SELECT day, 'service', service, category, sum(billed), sum(effective) FROM cost_days WHERE cut = 'service' AND $1::date <= $2::date GROUP BY 1, 3, 4`,
	} {
		var args []any
		if sql[:len("INSERT INTO cost")] == "INSERT INTO cost" {
			args = []any{models.FirstCostDay(wall), models.DayOf(wall)}
		}
		exec(b, s, sql, args...)
	}
}
