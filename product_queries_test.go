//go:build dev

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"slipway/web"
)

// queryLog is every statement that the whole request sends, whoever sends it.
type queryLog struct {
	mu  sync.Mutex
	sql []string
}

// TraceQueryStart implements pgx.QueryTracer.
func (q *queryLog) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if slices.Contains(d.Args, any("clock_offset")) { // the development clock is asked for in the background, and in no other build
		return ctx
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sql = append(q.sql, d.SQL)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (q *queryLog) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (q *queryLog) take() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	sql := q.sql
	q.sql = nil
	return sql
}

// mostQueries is what a page may ask of the database, the session and the navigation included: a list 4, an object 10, and 15 or
// more what is several lists: home, and a tenant's page with all it holds and how that runs, its end, and who gets
// into its accounts.
func mostQueries(r web.Route) int {
	switch {
	case r.Path == "/":
		return 15
	case r.Path == "/tenants/:tenant":
		return 23
	case r.Path == "/tenants/:tenant/environments/:env": // what it is, what it costs, how it runs, and what delivers to it
		return 21
	case r.Path == "/health" || r.Path == "/pipelines": // a list, and how all stand, or what runs in their stages
		return 5
	case r.Path == "/tenants/:tenant/pipelines/:pipeline": // what it is, what goes through it, and what runs in its stages
		return 19
	case r.Path == "/tenants/:tenant/services/:service": // what it is, its images, and where each runs
		return 15
	case r.Path == "/pipelines/new" || r.Path == "/tenants/:tenant/pipelines/:pipeline/update": // all that a pipeline can stand on, and the catalogue
		return 16
	case r.Path == "/tenants/:tenant/close": // all that goes with it
		return 13
	case strings.HasSuffix(r.Path, "/promote"): // the pipeline, what runs in its stages, and the images there are
		return 12
	case r.Path == "/environments/new": // all that an order can stand on, the catalogue, and what the rules ask
		return 26
	case r.Path == "/costs" || r.Path == "/tenants/:tenant/costs": // days, table, budgets, measured environments, and how both collectors stand
		return 14
	case r.Path == "/admin/platform": // what the organization must have, and how the work goes: queue, workers, calls, runs
		return 8
	case r.Path == "/admin/notifications": // the log beside destinations, webhooks and networks
		return 7
	case r.Kind == web.Frame && strings.HasSuffix(r.Path, "/environments/:env"): // its costs and its health beside it
		return 16
	case strings.HasPrefix(r.Path, "/blueprints"): // the catalogue is three tables
		return 9
	case len(objectsOf(r)) > 1:
		return 10
	}
	return 4
}

// absent tells whether the matrix has no such page for a good reason: one for admins only, the workflow of a pipeline that has none, the
// log of a build that never ran, or the change of a pipeline whose tenant is not ready.
func absent(r web.Route, status int) bool {
	switch status {
	case http.StatusNotFound:
		return strings.HasPrefix(r.Path, "/admin") || strings.HasSuffix(r.Path, "/workflow") || strings.Contains(r.Path, "/:number/log")
	case http.StatusConflict:
		return strings.HasSuffix(r.Path, "/pipelines/:pipeline/update")
	}
	return false
}

// TestQueriesPerPage asks for every page of the route table with 1, 50 and 500 rows of whatever it shows.
func TestQueriesPerPage(t *testing.T) {
	q := &queryLog{}
	m := newMatrix(t, func(m *matrix) { m.tracer = q })
	rows, err := os.ReadFile(filepath.Join("testdata", "rows.sql"))
	if err != nil {
		t.Fatal(err)
	}
	seen, have := map[string]int{}, 0
	for _, n := range []int{1, 50, 500} {
		m.exec(`SELECT set_config('slipway.from', $1, false), set_config('slipway.to', $2, false)`, fmt.Sprint(have+1), fmt.Sprint(n))
		m.exec(string(rows))
		have = n
		for _, r := range m.routes {
			if r.Method != http.MethodGet || r.Kind != web.Page && r.Kind != web.Fragment && r.Kind != web.Frame {
				continue
			}
			m.exec(`UPDATE requests SET state = 'changes_requested' WHERE id = $1`, m.ids["own"]["/requests/:id"])
			for _, person := range []string{"admin", "developer"} { // the developer asked for request one, and is a member of one tenant
				name := r.Pattern() + " as " + person
				q.take()
				status, size := m.count(r, person)
				sql := q.take()
				if status == http.StatusForbidden || absent(r, status) {
					continue
				}
				if status != http.StatusOK {
					t.Errorf("%s with %d rows: %d", name, n, status)
				}
				if len(sql) > mostQueries(r) || len(sql) == 0 {
					t.Errorf("%s with %d rows: %d queries, at most %d:\n%s", name, n, len(sql), mostQueries(r), strings.Join(sql, "\n"))
				}
				if before, ok := seen[name]; ok && before != len(sql) {
					t.Errorf("%s: %d queries with %d rows, %d with fewer:\n%s", name, len(sql), n, before, strings.Join(sql, "\n"))
				}
				seen[name] = len(sql)
				t.Logf("%s with %d rows: %d queries, %d bytes", name, n, len(sql), size)
			}
		}
	}
	if len(seen) < 25 {
		t.Errorf("only %d pages were asked for", len(seen))
	}
}

// count asks for the page of tenant one, or the fragment as htmx would.
func (m *matrix) count(r web.Route, person string) (status, size int) {
	req, err := http.NewRequestWithContext(m.t.Context(), r.Method, m.url+m.path(r, "own"), nil)
	if err != nil {
		m.t.Fatal(err)
	}
	if r.Kind == web.Fragment {
		req.Header.Set("HX-Request", "true")
	}
	res, err := m.people[person].Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return res.StatusCode, len(body)
}
