package store

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/models"
)

// BenchmarkPages reads the heaviest pages with 10,000 tenants and 100,000 audit entries.
func BenchmarkPages(b *testing.B) {
	s, ownerURL := open(b, func(o *Options) { o.Connections = 1; o.StatementTimeout = 5 * time.Minute })
	c := players(b, s)
	seed(b, s, c.dev, 10_000)
	_, err := s.pool.Exec(b.Context(), `INSERT INTO audit_entries (id, at, actor, role, action, object_type, object_id, tenant_id)
		SELECT gen_random_uuid(), e.at + g * interval '1 second', 'engine', 'system', 'run.step', 'run', e.object_id, e.tenant_id
		FROM audit_entries e, generate_series(1, 9) g WHERE e.tenant_id <> ''`)
	if err != nil {
		b.Fatal(err)
	}
	owner, err := pgx.Connect(b.Context(), ownerURL)
	if err != nil {
		b.Fatal(err)
	}
	defer owner.Close(context.Background())
	if _, err := owner.Exec(b.Context(), `ANALYZE`); err != nil { // autovacuum does it in time
		b.Fatal(err)
	}
	admin, hash := signIn(b, s, "someone", "platform-admins")
	pages := map[string]func(context.Context) error{
		"Session":    func(ctx context.Context) error { _, _, err := s.Session(ctx, visitor, hash); return err },
		"NavCounts":  func(ctx context.Context) error { _, err := s.NavCounts(ctx, admin); return err },
		"Tenants":    func(ctx context.Context) error { _, err := s.Tenants(ctx, admin, models.ListQuery{}); return err },
		"Requests":   func(ctx context.Context) error { _, err := s.Requests(ctx, admin, models.ListQuery{}); return err },
		"Queue":      func(ctx context.Context) error { _, err := s.Queue(ctx, admin, models.ListQuery{}); return err },
		"Runs":       func(ctx context.Context) error { _, err := s.Runs(ctx, admin, models.ListQuery{}); return err },
		"Audit":      func(ctx context.Context) error { _, err := s.AuditEntries(ctx, admin, models.ListQuery{}); return err },
		"TenantPage": func(ctx context.Context) error { _, err := s.TenantPage(ctx, admin, "payments"); return err },
		"Home":       func(ctx context.Context) error { _, err := s.Home(ctx, admin); return err },
	}
	for name, page := range pages {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := page(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
