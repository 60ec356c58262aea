//go:build dev

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/dev/idp"
	"slipway/dev/postgres/pgtest"
	"slipway/models"
	"slipway/models/store"
	"slipway/web"
	"slipway/web/config"
	"slipway/web/telemetry"
)

var updateMatrix = flag.Bool("update-matrix", false, "write testdata/matrix.txt anew; read the difference before committing it")

const matrixFile = "testdata/matrix.txt"

// matrixPeople are the columns: nobody signed in, nobody's role, a requester without a tenant, the three roles of tenant one,
// an owner of tenant two, the auditor and an admin.
var matrixPeople = []string{"anonymous", "nobody", "fresh", "viewer", "developer", "owner", "outsider", "auditor", "admin"}

// TestIsolation asks every route of the table as every person, about their own tenant, another one and a request without a tenant,
// and holds the answers against a table that people have read. A route without a row fails.
func TestIsolation(t *testing.T) {
	m := newMatrix(t)
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
	ids    map[string]map[string]string // object to route parameter to value
	owner  *pgx.Conn

	vars   map[string]string // over the usual configuration
	tracer pgx.QueryTracer
	limits map[web.Limit]web.Rate
	log    io.Writer
	app    *running
	face   *web.App
	issuer string
	inside bool // the provider is mounted into the pages, as in slipway dev
}

// asked is the state the requests are put into before a route is asked, so that a right is not hidden by a state; failed elsewhere.
var asked = map[string]models.RequestState{
	"/requests/:id/edit": models.ChangesRequested, "/requests/:id/approve": models.AwaitingApproval, "/requests/:id/reject": models.AwaitingApproval,
	"/requests/:id/changes": models.AwaitingApproval, "/requests/:id/replan": models.AwaitingApproval, "/requests/:id/cancel": models.AwaitingApproval,
	"/runs/:id/stop": models.Running,
}

func newMatrix(t testing.TB, change ...func(*matrix)) *matrix {
	t.Helper()
	owner, app := pgtest.Database(t, store.Migrate)
	m := &matrix{t: t, people: map[string]*http.Client{}, tokens: map[string]string{}, vars: map[string]string{"SLIPWAY_DATABASE_URL": app}, log: io.Discard}
	for _, c := range change {
		c(m)
	}
	m.serve()
	for _, name := range matrixPeople {
		m.signIn(name)
	}
	m.fill(owner)
	return m
}

func (m *matrix) serve() {
	pages, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		m.t.Fatal(err)
	}
	provider, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		m.t.Fatal(err)
	}
	m.url = fmt.Sprintf("http://localhost:%d", pages.Addr().(*net.TCPAddr).Port)
	issuer := "http://" + provider.Addr().String() + "/dev/idp"
	people := append(idp.Demo(), idp.Person{Name: "fresh", FullName: "Fresh Face", Groups: []string{"engineers"}})
	if m.inside {
		issuer = m.url + "/dev/idp"
	}
	m.issuer = issuer
	handler, err := idp.New(idp.Config{Issuer: issuer, People: people, Clients: []idp.Client{idp.Slipway(m.url, "secret")}})
	if err != nil {
		m.t.Fatal(err)
	}
	idpServer := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	go func() { _ = idpServer.Serve(provider) }()
	m.t.Cleanup(func() { _ = idpServer.Close() })
	vars := map[string]string{"SLIPWAY_PUBLIC_URL": m.url, "SLIPWAY_OIDC_ISSUER": issuer, "SLIPWAY_OIDC_CLIENT_ID": "slipway",
		"SLIPWAY_OIDC_CLIENT_SECRET": "secret", "SLIPWAY_ADMIN_GROUPS": "platform-admins", "SLIPWAY_AWS_REGION": "eu-west-1", "SLIPWAY_AWS_REGIONS": "eu-west-1",
		"SLIPWAY_EXTERNAL_ID": "external", "SLIPWAY_SECRET_KEYS": strings.Repeat("A", 43) + "=", "SLIPWAY_DRAIN_DELAY": "0s"}
	maps.Copy(vars, m.vars)
	c, err := config.Load(vars, "web")
	if err != nil {
		m.t.Fatal(err)
	}
	r := &running{process: process{config: c, vars: vars, web: true, log: telemetry.Logger(m.log, telemetry.LogOptions{JSON: true, Level: "debug", Secrets: c.Secrets()}), page: pages, tracer: m.tracer, limits: m.limits}, clock: &models.ShiftedClock{},
		metrics: telemetry.Registry("test"), started: make(chan struct{})}
	if m.inside {
		r.extra = mount("/dev/idp", handler)
	}
	if err := r.open(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	f, err := r.face(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	go r.begin(m.t.Context())
	go func() { _ = f.Serve(pages) }()
	m.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := f.Shutdown(ctx); err != nil {
			m.t.Error(err)
		}
		r.store.Close()
	})
	m.app, m.face = r, f.(*web.App)
	m.routes = m.face.Routes()
	<-r.started
}

var (
	tokenField = regexp.MustCompile(`name="_csrf" value="([^"]+)"`)
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]+)"`)
	hiddenID   = regexp.MustCompile(`name="id" value="([^"]+)"`)
)

func (m *matrix) signIn(name string) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		m.t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	m.people[name] = c
	if name == "anonymous" {
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		return
	}
	page, _ := m.enter(name, name, "/auth/login")
	token := tokenField.FindStringSubmatch(page)
	if token == nil {
		m.t.Fatalf("sign in %s: no token\n%.500s", name, page)
	}
	m.tokens[name] = token[1]
}

// enter opens a path that leads to the provider, signs in there and says where that ended.
func (m *matrix) enter(browser, name, path string) (string, *url.URL) {
	c := m.people[browser]
	c.CheckRedirect = nil
	defer func() {
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}()
	login, address := m.read(c, m.url+path)
	values := url.Values{"username": {name}, "password": {name}}
	if id := hiddenID.FindStringSubmatch(login); id != nil {
		values.Set("id", id[1])
	}
	if a := formAction.FindStringSubmatch(login); a != nil {
		var err error
		if address, err = address.Parse(strings.ReplaceAll(a[1], "&amp;", "&")); err != nil {
			m.t.Fatal(err)
		}
	}
	res, err := c.PostForm(address.String(), values)
	if err != nil {
		m.t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(page), res.Request.URL
}

func (m *matrix) read(c *http.Client, address string) (string, *url.URL) {
	res, err := c.Get(address)
	if err != nil {
		m.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b), res.Request.URL
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
		"own":       {":tenant": "payments", "/requests/:id": id("aa", 1), "/runs/:id": id("bb", 1), "/drafts/:id": id("cc", 1)},
		"other":     {":tenant": "storefront", "/requests/:id": id("aa", 2), "/runs/:id": id("bb", 2), "/drafts/:id": id("cc", 2)},
		"no tenant": {":tenant": "not-there", "/requests/:id": id("aa", 3), "/runs/:id": id("bb", 9), "/drafts/:id": id("cc", 9)},
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
	path := strings.ReplaceAll(r.Path, "/static/:name", "/static/app.css")
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
	ctx, cancel := context.WithTimeout(m.t.Context(), 20*time.Second)
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
