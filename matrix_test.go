//go:build dev

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/dev/idp"
	"slipway/models"
	"slipway/web"
)

var updateMatrix = flag.Bool("update-matrix", false, "write testdata/matrix.txt anew; read the difference before committing it")

const matrixFile = "testdata/matrix.txt"

// matrixPeople are the columns: nobody signed in, nobody's role, a requester without a tenant, the three roles of tenant one,
// an owner of tenant two, the auditor and an admin.
var matrixPeople = []string{"anonymous", "nobody", "fresh", "viewer", "developer", "owner", "outsider", "auditor", "admin"}

// TestIsolation asks every route of the table as every person, about their own tenant, another one and a request without a tenant,
// and holds the answers against a table that people have read. A route without a row fails.
func TestIsolation(t *testing.T) {
	m := newMatrix(t, unlimited)
	var got []string
	for _, r := range m.routes {
		for _, object := range objectsOf(r) {
			got = append(got, m.row(r, object))
		}
	}
	table := "route | object | " + strings.Join(matrixPeople, " | ") + "\n" + strings.Join(got, "\n") + "\n"
	if *updateMatrix {
		if err := os.WriteFile(matrixFile, []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(strings.TrimSpace(string(want)), "\n")
	for _, line := range strings.Split(strings.TrimSpace(table), "\n") {
		if !slices.Contains(known, line) {
			t.Errorf("not in %s:\n%s", matrixFile, line)
		}
	}
	if len(known) != len(got)+1 {
		t.Errorf("%s has %d lines, the route table gives %d", matrixFile, len(known), len(got)+1)
	}
}

// TestNobodySeesAnotherTenant reads the table itself: whatever a member of tenant one gets for tenant two is 404, and the other way round.
func TestNobodySeesAnotherTenant(t *testing.T) {
	table, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(table)), "\n")
	for _, line := range rows[1:] {
		cells := strings.Split(line, " | ")
		for i, person := range matrixPeople {
			if strings.HasPrefix(cells[0], "POST /drafts") { // a draft is its person's own, not the tenant's
				continue
			}
			foreign := cells[1] == "other" && slices.Contains([]string{"fresh", "viewer", "developer", "owner"}, person) ||
				cells[1] == "own" && slices.Contains([]string{"fresh", "outsider"}, person) ||
				cells[1] == "no tenant" && slices.Contains([]string{"viewer", "developer", "owner", "outsider"}, person)
			if foreign && cells[i+2] != "404" {
				t.Errorf("%s answers %s about %s to %s, want 404", cells[0], cells[i+2], cells[1], person)
			}
			if person == "nobody" && cells[1] != "-" && cells[i+2] != "403" {
				t.Errorf("%s answers %s to somebody without a role, want 403", cells[0], cells[i+2])
			}
		}
	}
}

// matrix is the product in this process, with two tenants that were made by hand.
type matrix struct {
	t      testing.TB
	url    string
	routes []web.Route
	people map[string]*http.Client
	tokens map[string]string
	frames map[string]string            // the cookie that a person's frame has
	ids    map[string]map[string]string // object to route parameter to value
	owner  *pgx.Conn

	vars        map[string]string // over the usual configuration
	tracer      pgx.QueryTracer
	limits      map[web.Limit]web.Rate
	log         io.Writer
	app         *running
	face        *web.App
	issuer      string
	provider    *idp.Provider
	endProvider func()
	inside      bool // the provider is mounted into the pages, as in slipway dev
}

// asked is the state the requests are put into before a route is asked, so that a right is not hidden by a state; failed elsewhere.
var asked = map[string]models.RequestState{
	"/requests/:id/edit": models.ChangesRequested, "/requests/:id/approve": models.AwaitingApproval, "/requests/:id/reject": models.AwaitingApproval,
	"/requests/:id/changes": models.AwaitingApproval, "/requests/:id/replan": models.AwaitingApproval, "/requests/:id/cancel": models.AwaitingApproval,
	"/runs/:id/stop": models.Running,
}

// fill makes the objects: tenant one (payments) and two (storefront), each with a request that ran, and a request without a tenant.
func (m *matrix) fill(owner string) {
	sql, err := os.ReadFile(filepath.Join("testdata", "matrix.sql"))
	if err != nil {
		m.t.Fatal(err)
	}
	db, err := pgx.Connect(m.t.Context(), owner)
	if err != nil {
		m.t.Fatal(err)
	}
	m.owner = db
	m.t.Cleanup(func() { _ = db.Close(context.Background()) })
	m.exec(string(sql))
	id := func(kind string, n int) string { return fmt.Sprintf("0190b9a0-0000-7000-8000-%s00000000%02d", kind, n) }
	m.ids = map[string]map[string]string{
		"own":       {":tenant": "payments", ":env": "orders-dev", ":service": "orders", ":network": "nonprod-eu-west-1", ":class": "nonprod", "/requests/:id": id("aa", 1), "/runs/:id": id("bb", 1), "/promotions/:id": id("b3", 1), "/evidence/:id": id("b4", 1), "/waivers/:id": id("b5", 1), "/freezes/:id": id("b6", 1), ":pipeline": "orders", ":connection": "github", ":number": "1", "/drafts/:id": id("cc", 1)},
		"other":     {":tenant": "storefront", ":env": "orders-dev", ":service": "orders", ":network": "nonprod-eu-west-1", ":class": "nonprod", "/requests/:id": id("aa", 2), "/runs/:id": id("bb", 2), "/promotions/:id": id("b3", 2), "/evidence/:id": id("b4", 2), "/waivers/:id": id("b5", 2), "/freezes/:id": id("b6", 2), ":pipeline": "orders", ":connection": "github", ":number": "1", "/drafts/:id": id("cc", 2)},
		"no tenant": {":tenant": "not-there", ":env": "orders-dev", ":service": "orders", ":network": "nonprod-eu-west-1", ":class": "nonprod", "/requests/:id": id("aa", 3), "/runs/:id": id("bb", 9), "/promotions/:id": id("b3", 9), "/evidence/:id": id("b4", 9), "/waivers/:id": id("b5", 9), "/freezes/:id": id("b6", 9), ":pipeline": "orders", ":connection": "github", ":number": "1", "/drafts/:id": id("cc", 9)},
		"-":         {},
	}
}

func (m *matrix) exec(sql string, args ...any) {
	m.t.Helper()
	if _, err := m.owner.Exec(m.t.Context(), sql, args...); err != nil {
		m.t.Fatal(err)
	}
}

// reset undoes what the last answer changed.
func (m *matrix) reset(path string) {
	state, ok := asked[path]
	if !ok {
		state = models.Failed
	}
	m.exec(`DELETE FROM journal`)
	m.exec(`DELETE FROM locks`)
	m.exec(`UPDATE requests SET state = $1, ended_at = NULL, waiting = NULL, reason = ''`, string(state))
	m.exec(`DELETE FROM pipeline_orders`)
	m.exec(`UPDATE gate_waivers SET ended_at = NULL, ended_by = NULL`)
	m.exec(`UPDATE stage_freezes SET lifted_at = NULL, lifted_by = NULL`)
	m.exec(`INSERT INTO saved_forms SELECT * FROM kept_forms ON CONFLICT DO NOTHING`)
}

func objectsOf(r web.Route) []string {
	if strings.Contains(r.Path, "/:tenant") || strings.Contains(r.Path, "/:id") {
		return []string{"own", "other", "no tenant"}
	}
	return []string{"-"}
}

// path is the route's address for an object.
func (m *matrix) path(r web.Route, object string) string {
	path := strings.NewReplacer("/static/:name", "/static/app.css", "/blueprints/:name", "/blueprints/ecs-web-service").Replace(r.Path)
	for name, value := range m.ids[object] {
		if prefix, ok := strings.CutSuffix(name, ":id"); ok {
			path = strings.ReplaceAll(path, name, prefix+value)
		} else {
			path = strings.ReplaceAll(path, name, value)
		}
	}
	return path
}

func (m *matrix) row(r web.Route, object string) string {
	path := m.path(r, object)
	cells := []string{r.Pattern(), object}
	for _, person := range matrixPeople {
		if r.Path == "/auth/logout" { // would end the session that the other rows need
			cells = append(cells, "own test")
			continue
		}
		if object != "-" {
			m.reset(r.Path)
		}
		cells = append(cells, m.ask(r, path, person))
	}
	return strings.Join(cells, " | ")
}

// ask sends the request with the person's token and no other field, so that what is allowed fails late, on the form itself.
func (m *matrix) ask(r web.Route, path, person string) string {
	var body io.Reader
	if r.Method == http.MethodPost {
		body = strings.NewReader(url.Values{"_csrf": {m.tokens[person]}}.Encode())
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, m.url+path, body)
	if err != nil {
		m.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", m.url)
	}
	res, err := m.people[person].Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer res.Body.Close()
	return fmt.Sprint(res.StatusCode)
}
