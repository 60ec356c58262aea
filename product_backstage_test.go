//go:build dev

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"slipway/handlers/backstage"
	"slipway/views/urls"
)

var shownToken = regexp.MustCompile(`id="catalog-token">(slwcat_[A-Za-z0-9_-]{43})<`)

// catalogToken has the admin make a token.
func (m *matrix) catalogToken(name string) string {
	m.t.Helper()
	a := m.post("admin", urls.AddCatalogToken, url.Values{"name": {name}})
	token := shownToken.FindStringSubmatch(a.text)
	if a.StatusCode != http.StatusCreated || token == nil {
		m.t.Fatalf("make a token: %s\n%.400s", a.Status, a.text)
	}
	return token[1]
}

// fetch asks as Backstage does: any type, no cookie.
func (m *matrix) fetch(path string, header ...string) answer {
	m.t.Helper()
	return m.send("anonymous", http.MethodGet, path, nil, append([]string{"Accept", "*/*", "User-Agent", "node"}, header...)...)
}

type readEntity struct {
	Kind     string
	Metadata struct {
		Name        string
		Annotations map[string]string
	}
	Spec struct {
		Type      string
		Targets   []string
		DependsOn []string `yaml:"dependsOn"`
	}
}

func documents(t *testing.T, a answer) []readEntity {
	t.Helper()
	if a.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %.200s", a.Request.URL.Path, a.Status, a.text)
	}
	var all []readEntity
	for d := yaml.NewDecoder(strings.NewReader(a.text)); ; {
		var e readEntity
		if err := d.Decode(&e); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
}

func refs(all []readEntity) []string {
	var names []string
	for _, e := range all {
		if e.Kind != "Location" {
			names = append(names, e.Kind+" "+e.Metadata.Name)
		}
	}
	slices.Sort(names)
	return names
}

// TestCatalogFeed reads the whole catalogue in both forms and by both ways to show a token; they say the same.
func TestCatalogFeed(t *testing.T) {
	m := newMatrix(t, unlimited)
	token := m.catalogToken("production")
	root := m.fetch(urls.CatalogBy(token))
	if strings.Contains(root.text, token) {
		t.Error("the token is in the document")
	}
	all := documents(t, root)
	for _, location := range all {
		for _, target := range location.Spec.Targets {
			all = append(all, documents(t, m.fetch("/backstage/t/"+token+strings.TrimPrefix(target, ".")))...)
		}
	}
	for _, want := range []string{"System payments", "System storefront", "Group payments-owners", "Group slipway-platform-admins", "Resource payments.account.nonprod", "Resource payments.network.nonprod-eu-west-1",
		"Resource payments.env.orders-dev", "Component payments.orders", "Resource payments.pipeline.orders", "Resource storefront.pipeline.orders"} {
		if !slices.Contains(refs(all), want) {
			t.Errorf("no %s in %v", want, refs(all))
		}
	}
	bearer := []string{"Authorization", "Bearer " + token}
	if a := m.fetch(urls.Catalog, bearer...); a.text != root.text {
		t.Errorf("by header: %s, %.200s", a.Status, a.text)
	}
	for _, limit := range []int{1, 3, 1000} {
		var paged []readEntity
		path, pages := fmt.Sprintf("%s?limit=%d", urls.CatalogEntities, limit), 0
		for after := ""; pages == 0 || after != ""; pages++ {
			a := m.fetch(path+after, bearer...)
			var page struct {
				Entities []readEntity
				Next     *string
			}
			if err := json.Unmarshal([]byte(a.text), &page); err != nil || a.StatusCode != http.StatusOK || len(page.Entities) > limit || pages > 100 {
				t.Fatalf("page %d: %s %v %.200s", pages, a.Status, err, a.text)
			}
			if after = ""; page.Next != nil {
				after = "&after=" + *page.Next
			}
			if page.Next != nil && len(page.Entities) != limit {
				t.Errorf("page %d has %d entities of %d", pages, len(page.Entities), limit)
			}
			paged = append(paged, page.Entities...)
		}
		if !slices.Equal(refs(paged), refs(all)) {
			t.Errorf("in pages of %d:\n%v\nin documents:\n%v", limit, refs(paged), refs(all))
		}
	}
	m.exec(`UPDATE environments SET state = 'deleted' WHERE name = 'orders-dev'`)
	if a := m.fetch("/backstage/tenants/payments.yaml", bearer...); a.StatusCode != http.StatusOK || strings.Contains(a.text, "orders-dev") {
		t.Errorf("what was deleted is still there: %s", a.Status)
	}
}

// TestCatalogAnswersOnce: with the tag of what it has, a reader gets nothing again until something changes.
func TestCatalogAnswersOnce(t *testing.T) {
	m := newMatrix(t, unlimited)
	bearer := []string{"Authorization", "Bearer " + m.catalogToken("production")}
	for _, path := range []string{urls.Catalog, "/backstage/groups.yaml", "/backstage/tenants/payments.yaml", urls.CatalogEntities, urls.CatalogEntities + "?limit=2"} {
		first := m.fetch(path, bearer...)
		tag := first.Header.Get("ETag")
		again := m.fetch(path, append(bearer, "If-None-Match", `"x", W/`+tag)...)
		if tag == "" || again.StatusCode != http.StatusNotModified || again.text != "" || again.Header.Get("ETag") != tag {
			t.Errorf("%s with the tag %s: %s", path, tag, again.Status)
		}
		if a := m.fetch(path, append(bearer, "If-None-Match", `"x"`)...); a.text != first.text {
			t.Errorf("%s with another tag: %s", path, a.Status)
		}
	}
	before := m.fetch("/backstage/tenants/payments.yaml", bearer...).Header.Get("ETag")
	m.exec(`UPDATE tenants SET display_name = 'Paying' WHERE slug = 'payments'`)
	if a := m.fetch("/backstage/tenants/payments.yaml", append(bearer, "If-None-Match", before)...); a.StatusCode != http.StatusOK || !strings.Contains(a.text, "Paying") {
		t.Errorf("after a change: %s", a.Status)
	}
}

// TestCatalogStrangers asks without, with a foreign, a malformed and a revoked token: plain words, audited once a minute, and the token in
// no log, page, metric or table.
func TestCatalogStrangers(t *testing.T) {
	log := &lockedBuffer{}
	m := newMatrix(t, unlimited, func(m *matrix) { m.log = log })
	good, gone := m.catalogToken("production"), m.catalogToken("laptop")
	foreign := backstage.TokenPrefix + "NoSuchTokenWasEverMadeByAnybody" + strings.Repeat("z", 12)
	id := ""
	if err := m.owner.QueryRow(t.Context(), `SELECT id::text FROM catalog_tokens WHERE name = 'laptop'`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	if a := m.fetch(urls.CatalogBy(gone)); a.StatusCode != http.StatusOK {
		t.Fatalf("before it is revoked: %s", a.Status)
	}
	if a := m.post("admin", urls.RevokeCatalogToken, url.Values{"id": {id}}); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("revoke: %s", a.Status)
	}
	m.exec(`DELETE FROM audit_denied`)
	before := m.number(`SELECT count(*) FROM audit_entries WHERE action = 'access.denied'`)
	for _, path := range []string{"/catalog-info.yaml", "/groups.yaml", "/entities", "/tenants/payments.yaml", "/people/a.yaml"} {
		for name, header := range map[string]string{"no token": "", "a foreign token": "Bearer " + foreign, "a revoked token": "Bearer " + gone, "no scheme": good, "another scheme": "Basic " + good, "a short one": "Bearer x",
			"a long one": "Bearer " + strings.Repeat("x", 9000)} {
			a := m.fetch("/backstage"+path, "Authorization", header)
			plainly(t, path+" with "+name, a, http.StatusUnauthorized)
		}
		for name, token := range map[string]string{"a foreign token": foreign, "a revoked token": gone, "a cut token": good[:20], "nonsense": "%00%ff", "a longer one": good + "x"} {
			plainly(t, path+" by "+name, m.fetch("/backstage/t/"+token+path), http.StatusNotFound)
		}
		if a := m.send("admin", http.MethodGet, "/backstage"+path, nil); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s with an admin's session: %s", path, a.Status)
		}
	}
	if n := m.number(`SELECT count(*) FROM audit_entries WHERE action = 'access.denied'`) - before; n != 10 {
		t.Errorf("%d audit entries of denials, want one for each of 10 routes", n)
	}
	for _, path := range []string{"/backstage/t/" + good + "/nothing", "/backstage/t/" + good, "/backstage//t/" + good + "/entities", "/Backstage/T/" + good, "/" + good, "/backstage/t/%73lwcat_" + good[7:] + "/entities", "/backstage/entities/" + good} {
		if a := m.fetch(path); a.StatusCode < 400 || a.StatusCode > 499 {
			t.Errorf("%s: %s", path, a.Status)
		}
	}
	for _, path := range []string{"/backstage/tenants/nothing-here.yaml", "/backstage/tenants/payments", "/backstage/tenants/..%2fx.yaml", "/backstage/people/z.yaml", "/backstage/people/.yaml"} {
		plainly(t, path, m.fetch(path, "Authorization", "Bearer "+good), http.StatusNotFound)
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "after=x", "after=" + strings.Repeat("A", 4000), "after=eyJzIjo5OX0", "after=eyJzIjoxLCJrIjoieCJ9", "kind=x", "after=eyJzIjotMX0", "after=eyJzIjoyLCJrIjoiXHUwMDAwIn0"} {
		if a := m.fetch(urls.CatalogEntities+"?"+query, "Authorization", "Bearer "+good); a.StatusCode < 400 || a.StatusCode > 499 {
			t.Errorf("%s: %s", query, a.Status)
		}
	}
	looked := everything(t, m.owner.Config().ConnString())
	looked["the log"] = log.b.String()
	if !strings.Contains(looked["the log"], "/backstage/t/-/entities") || !strings.Contains(looked["catalog_tokens"], "production") {
		t.Error("the test saw too little")
	}
	for place, content := range looked {
		for _, secret := range []string{good[7:], gone[7:], foreign[7:]} {
			if strings.Contains(content, secret) {
				i := strings.Index(content, secret)
				t.Errorf("a token is in %s: %s", place, content[max(0, i-300):min(len(content), i+300)])
			}
		}
	}
}

func plainly(t *testing.T, what string, a answer, status int) {
	t.Helper()
	if a.StatusCode != status || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") || a.text == "" || strings.Contains(a.text, "<") {
		t.Errorf("%s: %s, %s %.200q, want %d in plain text", what, a.Status, a.Header.Get("Content-Type"), a.text, status)
	}
}

// TestCatalogOutage: without the database there is no document, and nothing that could be taken for one.
func TestCatalogOutage(t *testing.T) {
	var c *cable
	m := newMatrix(t, unlimited, func(m *matrix) { c = lay(t, m) })
	token := m.catalogToken("production")
	paths := []string{"/catalog-info.yaml", "/groups.yaml", "/entities", "/tenants/payments.yaml"}
	for _, broken := range []string{`ALTER TABLE tenants RENAME TO elsewhere`, `ALTER TABLE elsewhere RENAME TO tenants`} {
		m.exec(broken)
		for _, path := range paths {
			a := m.fetch("/backstage/t/" + token + path)
			if want := strings.HasSuffix(broken, "TO tenants"); (a.StatusCode == http.StatusOK) != want || !want && (a.StatusCode < 500 || a.text == "") {
				t.Errorf("%s after %s: %s", path, broken, a.Status)
			}
		}
	}
	c.pull(true)
	for _, path := range paths {
		plainly(t, path+" without the database", m.fetch("/backstage/t/"+token+path), http.StatusServiceUnavailable)
	}
}

// TestCatalogOfNothing: an installation without a tenant has a root, and a group.
func TestCatalogOfNothing(t *testing.T) {
	m := newMatrix(t, unlimited)
	token := m.catalogToken("production")
	m.exec(`UPDATE tenants SET state = 'deleted'`)
	for _, path := range []string{"/catalog-info.yaml", "/groups.yaml"} {
		if len(documents(t, m.fetch("/backstage/t/"+token+path))) == 0 {
			t.Errorf("%s is empty", path)
		}
	}
	if a := m.fetch("/backstage/t/" + token + "/entities"); a.StatusCode != http.StatusOK || !strings.Contains(a.text, "slipway-platform-admins") || strings.Contains(a.text, "payments") {
		t.Errorf("entities: %s %.200s", a.Status, a.text)
	}
}

// TestCatalogQueries: what a document asks of the database does not grow with what is in it.
func TestCatalogQueries(t *testing.T) {
	q := &queryLog{}
	m := newMatrix(t, func(m *matrix) { m.tracer = q })
	token := m.catalogToken("production")
	rows, err := os.ReadFile(filepath.Join("testdata", "rows.sql"))
	if err != nil {
		t.Fatal(err)
	}
	m.fetch(urls.CatalogBy(token)) // notes the first use
	for _, n := range []int{1, 300} {
		m.exec(`SELECT set_config('slipway.from', $1, false), set_config('slipway.to', $2, false)`, fmt.Sprint(n), fmt.Sprint(2*n-1))
		m.exec(string(rows))
		for path, most := range map[string]int{"/catalog-info.yaml": 3, "/groups.yaml": 2, "/tenants/payments.yaml": 7, "/entities?limit=1000": 9, "/entities?limit=20": 9} {
			q.take()
			a := m.fetch("/backstage/t/" + token + path)
			if sql := q.take(); a.StatusCode != http.StatusOK || len(sql) > most {
				t.Errorf("%s with %d rows: %s, %d queries, at most %d:\n%s", path, n, a.Status, len(sql), most, strings.Join(sql, "\n"))
			}
		}
	}
}

// TestCatalogTokensAreShownOnce: the page that makes a token shows it, no later one does; names are taken once; the last use is noted.
func TestCatalogTokensAreShownOnce(t *testing.T) {
	m := newMatrix(t, unlimited)
	token := m.catalogToken("production")
	page := m.send("admin", http.MethodGet, urls.AdminBackstage, nil)
	if page.StatusCode != http.StatusOK || strings.Contains(page.text, token) || !strings.Contains(page.text, "never used") {
		t.Errorf("the page afterwards: %s", page.Status)
	}
	m.fetch(urls.CatalogBy(token))
	first := m.number(`SELECT extract(epoch FROM used_at)::int FROM catalog_tokens`)
	m.fetch(urls.CatalogBy(token))
	if again := m.number(`SELECT extract(epoch FROM used_at)::int FROM catalog_tokens`); again != first {
		t.Errorf("the last use was written twice within a minute: %d, %d", first, again)
	}
	if page = m.send("auditor", http.MethodGet, urls.AdminBackstage, nil); !strings.Contains(page.text, "last used") || strings.Contains(page.text, "Make a token") {
		t.Error("the auditor does not see the use, or could make a token")
	}
	for name, wrong := range map[string]url.Values{"a name that is taken": {"name": {"production"}}, "no name": {"name": {" "}}, "a long name": {"name": {strings.Repeat("n", 61)}}, "two lines": {"name": {"a\nb"}}, "a scope": {"name": {"x"}, "scope": {"all"}}} {
		refusal(t, name, m.post("admin", urls.AddCatalogToken, wrong))
	}
	for action, want := range map[string]int{"catalog_token.add": 1, "catalog_token.revoke": 0} {
		if n := m.number(`SELECT count(*) FROM audit_entries WHERE action = $1`, action); n != want {
			t.Errorf("%d entries %s", n, action)
		}
	}
	if bytes.Contains([]byte(page.text), backstage.Hash(token)) {
		t.Error("the hash is on the page")
	}
}
