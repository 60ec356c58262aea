package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"slipway/dev/postgres/pgtest"
	"slipway/models"
)

// open gives a store on a database of its own, and the owner's address of that database.
func open(t testing.TB, change ...func(*Options)) (*Store, string) {
	t.Helper()
	ownerURL, appURL := pgtest.Database(t, Migrate)
	return openAt(t, appURL, change...), ownerURL
}

func openAt(t testing.TB, url string, change ...func(*Options)) *Store {
	t.Helper()
	opt := Options{
		URL: url, Connections: 10, Clock: &models.ShiftedClock{}, GroupPattern: regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,62}$`),
		AdminGroups: []string{"platform-admins"}, AccountEmail: "aws+{tenant}-{class}-{n}@example.com",
	}
	for _, c := range change {
		c(&opt)
	}
	s, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

var visitor = models.Actor{System: "sign-in", RequestID: "req-1", Address: "192.0.2.7"}

// signIn signs a person in with groups and gives them with their rights of now, and their session's token hash.
func signIn(t testing.TB, s *Store, name string, groups ...string) (models.Actor, []byte) {
	t.Helper()
	wall := s.clock.Wall()
	hash := sha256.Sum256([]byte(models.NewID()))
	who, err := s.SignIn(t.Context(), visitor, models.Person{Issuer: "https://idp.test", Subject: name, Name: name, Email: name + "@example.com", Groups: groups, GroupsSeenAt: s.clock.Now()},
		models.Session{TokenHash: hash[:], CSRFSecret: []byte("csrf"), SID: "sid", IDToken: []byte("sealed"), CreatedAt: wall, LastSeenAt: wall, ExpiresAt: wall.Add(8 * time.Hour)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return who, hash[:]
}

// count reads one number.
func count(t testing.TB, s *Store, query string, args ...any) int {
	t.Helper()
	var n int
	if err := s.pool.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// queries counts what a store asks of the database.
type queries struct{ n atomic.Int64 }

func (q *queries) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	q.n.Add(1)
	return ctx
}

func (q *queries) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// inputs are a valid tenant's.
func inputs(slug string) models.TenantInputs {
	return models.TenantInputs{Slug: slug, DisplayName: "Team " + slug, OwnerGroup: slug + "-owners", DeveloperGroup: slug + "-developers", ViewerGroup: slug + "-viewers",
		CostCentre: "CC-4100", Budget: decimal.NewFromInt(4000), Classes: models.Classes()}
}

// cast is who acts in a test: the requester, and admins who may decide.
type cast struct{ dev, admin, admin2, auditor, outsider models.Actor }

func players(t testing.TB, s *Store) cast {
	t.Helper()
	setup := models.System("test", "")
	for group, role := range map[string]models.PlatformRole{"engineers": models.Requester, "auditors": models.Auditor} {
		if _, err := s.AddRoleMapping(t.Context(), setup, group, role); err != nil {
			t.Fatal(err)
		}
	}
	var c cast
	c.dev, _ = signIn(t, s, "dev", "engineers", "payments-developers")
	c.admin, _ = signIn(t, s, "admin", "platform-admins", "engineers")
	c.admin2, _ = signIn(t, s, "approver", "platform-admins")
	c.auditor, _ = signIn(t, s, "auditor", "auditors")
	c.outsider, _ = signIn(t, s, "outsider", "engineers")
	return c
}

func submit(t testing.TB, s *Store, who models.Actor, slug string) models.Request {
	t.Helper()
	r, err := s.RequestTenant(t.Context(), who, "key-"+slug, inputs(slug), "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// planned gives a request in planning a plan with the demands, as the planner does, and the plan's hash.
func planned(t testing.TB, s *Store, id string, mark string, demands ...models.Demand) string {
	t.Helper()
	if demands == nil {
		demands = []models.Demand{{Role: string(models.PlatformAdmin), Count: 1}}
	}
	hash := fmt.Sprintf("%064x", []byte(mark))[:64]
	content := models.PlanContent{Kind: models.CreateTenant, ObjectType: models.TenantObject,
		Parts: []models.PlanPart{{Name: "Organization", Changes: []models.Change{{Step: "account.create.nonprod", LogicalID: "account", Action: models.Add}}}},
		Cost:  []models.CostLine{{Item: "Config", Planned: decimal.RequireFromString("12.5")}}}
	err := s.tx(t.Context(), func(w *tx) error {
		r, err := w.loadRequest(id)
		if err != nil {
			return err
		}
		p := models.Planned{Content: content, Canonical: []byte(mark), Hash: hash, Notes: models.PlanNotes{Demands: demands}, Verdict: models.Verdict{Demands: demands}}
		return w.finishPlan(r, p)
	})
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func state(t testing.TB, s *Store, id string) models.RequestState {
	t.Helper()
	r, err := s.Request(t.Context(), models.System("test", ""), id)
	if err != nil {
		t.Fatal(err)
	}
	return r.State
}
