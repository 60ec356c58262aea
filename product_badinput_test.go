//go:build dev

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"slipway/models"
	"slipway/web"
)

// answer is what the product said, read to its end.
type answer struct {
	*http.Response
	text string
}

// send asks as a person; header pairs are set, an empty value takes one away.
func (m *matrix) send(person, method, path string, body io.Reader, header ...string) answer {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), method, m.url+"/", body)
	if err != nil {
		m.t.Fatal(err)
	}
	path, req.URL.RawQuery, _ = strings.Cut(path, "?")
	req.URL.Opaque = path // as it stands, wrong escapes too
	req.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", formType)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	res, err := m.people[person].Do(req)
	if err != nil {
		m.t.Fatalf("%s %.100s: %.300s", method, path, err.Error())
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		m.t.Fatalf("%s %.100s: %.300s", method, path, err.Error())
	}
	return answer{res, string(b)}
}

const formType = "application/x-www-form-urlencoded"

// post sends fields with the person's token.
func (m *matrix) post(person, path string, fields url.Values, header ...string) answer {
	m.t.Helper()
	sent := url.Values{"_csrf": {m.tokens[person]}}
	for name, all := range fields {
		sent[name] = all
	}
	return m.send(person, http.MethodPost, path, strings.NewReader(sent.Encode()), header...)
}

// refusal holds an answer to what every refused request is promised: a 4xx page that names the request.
func refusal(t *testing.T, what string, a answer, words ...string) {
	t.Helper()
	if a.StatusCode < 400 || a.StatusCode > 499 {
		t.Errorf("%s: %s\n%.300s", what, a.Status, a.text)
		return
	}
	id := a.Header.Get("X-Request-Id")
	if !models.ValidID(id) {
		t.Errorf("%s: %d without a request id", what, a.StatusCode)
	}
	if !strings.Contains(a.text, "<html") || a.StatusCode != http.StatusUnprocessableEntity && !strings.Contains(a.text, id) {
		t.Errorf("%s: %d is no page that names the request\n%.300s", what, a.StatusCode, a.text)
	}
	for _, w := range words {
		if !strings.Contains(a.text, w) {
			t.Errorf("%s: %d does not say %q", what, a.StatusCode, w)
		}
	}
}

// goodTenant is a form that could be sent.
func goodTenant() url.Values {
	return url.Values{"slug": {"billing"}, "display_name": {"Billing & co"}, "description": {"Sends invoices"}, "owner_group": {"billing-owners"}, "developer_group": {"billing-developers"},
		"viewer_group": {"billing-viewers"}, "cost_centre": {"CC-7"}, "budget": {"2500"}, "classes": {"nonprod", "prod"}, "_key": {models.NewID()}}
}

// TestBadTenantForms sends the form wrong in each field: the message stands beside it, and what was typed is still there.
func TestBadTenantForms(t *testing.T) {
	m := newMatrix(t, unlimited)
	for name, tc := range map[string]struct {
		field  string
		values []string
		kept   bool // the other fields come back
	}{
		"no slug": {"slug", []string{""}, true}, "slug in capitals": {"slug", []string{"Billing"}, true}, "long slug": {"slug", []string{strings.Repeat("a", 5000)}, true},
		"taken slug": {"slug", []string{"payments"}, true}, "slug of another script": {"slug", []string{"bılling"}, true}, "path as slug": {"slug", []string{"../x"}, true},
		"no name": {"display_name", []string{" "}, true}, "long name": {"display_name", []string{strings.Repeat("n", 5000)}, true},
		"long description": {"description", []string{strings.Repeat("d", 60_000)}, true}, "group of a wrong pattern": {"owner_group", []string{"Owners!"}, true},
		"budget in words": {"budget", []string{"a lot"}, true}, "negative budget": {"budget", []string{"-1"}, true}, "exponent": {"budget", []string{"1e999999999"}, true},
		"budget of many digits": {"budget", []string{strings.Repeat("9", 4000)}, true}, "not a number": {"budget", []string{"NaN"}, true}, "too exact": {"budget", []string{"1.000001"}, true},
		"unknown class": {"classes", []string{"staging"}, true}, "class twice": {"classes", []string{"prod", "prod"}, true}, "no class": {"classes", nil, true},
		"slug twice": {"slug", []string{"billing", "other"}, true}, "unknown field": {"is_admin", []string{"true"}, true}, "key twice": {"_key", []string{"a", "b"}, false},
		"NUL": {"description", []string{"a\x00b"}, false}, "invalid UTF-8": {"display_name", []string{"\xff\xfe"}, false}, "value of 100 kB": {"description", []string{strings.Repeat("d", 100_000)}, false},
		"long field name": {strings.Repeat("x", 3000), []string{"y"}, false},
	} {
		fields := goodTenant()
		fields[tc.field] = tc.values
		a := m.post("developer", "/tenants/new", fields)
		refusal(t, name, a)
		if !tc.kept {
			continue
		}
		if tc.field != "display_name" && !strings.Contains(a.text, `value="Billing &amp; co"`) {
			t.Errorf("%s: what was typed is gone", name)
		}
		if a.StatusCode != http.StatusUnprocessableEntity || tc.field != "is_admin" && !strings.Contains(a.text, `aria-invalid="true"`) && tc.field != "classes" {
			t.Errorf("%s: %d, no field is marked", name, a.StatusCode)
		}
	}
	if n := m.number(`SELECT count(*) FROM requests`); n != 3 {
		t.Errorf("%d requests, want the 3 from before", n)
	}
	if a := m.post("developer", "/tenants/new", goodTenant()); a.StatusCode != http.StatusSeeOther { // the form was good but for what was wrong
		t.Errorf("a good form: %s", a.Status)
	}
}

// TestBadBodies sends what is no form to every form of the table.
func TestBadBodies(t *testing.T) {
	m := newMatrix(t, unlimited)
	token := "_csrf=" + url.QueryEscape(m.tokens["developer"])
	for name, tc := range map[string]struct{ contentType, body string }{
		"JSON": {"application/json", `{"slug":"x"}`}, "JSON said to be a form": {formType, `{"_csrf":"x"}`}, "text": {"text/plain", token}, "no type": {"", token},
		"broken escape": {formType, token + "&x=%zz"}, "semicolons": {formType, token + ";x=1"}, "multipart without a boundary": {"multipart/form-data", token},
		"cut multipart": {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"_csrf\"\r\n\r\nhel"}, "file": {"multipart/form-data; boundary=b",
			"--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nhello\r\n--b--\r\n"},
		"a thousand fields": {formType, token + strings.Repeat("&a=1", 1000)}, "token twice": {formType, token + "&" + token}, "2 MB": {formType, token + "&description=" + strings.Repeat("x", 2<<20)},
		"unknown field": {formType, token + "&is_admin=true"}, "invalid UTF-8": {formType, token + "&x=%ff"}, "NUL": {formType, token + "&x=%00"},
	} {
		for _, r := range m.routes {
			if r.Kind != web.Form || r.Path == "/auth/logout" {
				continue
			}
			if name == "2 MB" && r.Path != "/tenants/new" && r.Path != "/theme" {
				continue
			}
			a := m.send("developer", r.Method, m.path(r, "own"), strings.NewReader(tc.body), "Content-Type", tc.contentType)
			refusal(t, name+" to "+r.Path, a)
			if name == "2 MB" && a.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s to %s: %s", name, r.Path, a.Status)
			}
			if (name == "JSON" || name == "token twice") && a.StatusCode == http.StatusUnprocessableEntity {
				t.Errorf("%s to %s: %s", name, r.Path, a.Status)
			}
		}
	}
}

// TestBadAddresses asks lists, objects and files with addresses that make no sense.
func TestBadAddresses(t *testing.T) {
	m := newMatrix(t, unlimited)
	for _, list := range []string{"/tenants", "/requests", "/runs", "/approvals", "/audit"} {
		for _, query := range []string{"after=garbage", "after=" + strings.Repeat("A", 4000), "before=%7B%7D", "after=eyJ2IjoxfQ", "sort=x", "sort=--name", "sort=name%3Bdrop+table", "format=x", "q=a&q=b",
			"colour=red", "state=lost&state=found", "q=%ff", "q=%00", "q=%zz", "format=csv&sort=x", "format=csv&after=garbage", "_csrf=x", "%00=x"} {
			refusal(t, list+"?"+query, m.send("owner", http.MethodGet, list+"?"+query, nil))
		}
		if a := m.send("owner", http.MethodGet, list+"?q="+strings.Repeat("x", 64<<10), nil); a.StatusCode != http.StatusRequestHeaderFieldsTooLarge && a.StatusCode != http.StatusRequestURITooLong {
			t.Errorf("%s with a query of 64 kB: %s", list, a.Status)
		}
	}
	for _, query := range []string{"from=yesterday", "from=2026-13-45", "to=9999999-01-01", "state=x", "tenant=" + strings.Repeat("t", 300)} {
		refusal(t, query, m.send("owner", http.MethodGet, "/audit?"+query, nil))
	}
	bad := []string{"1", "0190b9a0", "%00", "%ff", "..%2f..%2fetc", strings.Repeat("a", 3000), "0190b9a0-0000-7000-8000-aa0000000099", "'%20or%201=1--", "%f0%9f%9a%a2", "null", "-1", "%zz"}
	for _, r := range m.routes {
		for _, id := range bad {
			if len(objectsOf(r)) == 1 {
				break
			}
			path := strings.NewReplacer(":id", id, ":tenant", id).Replace(r.Path)
			var body io.Reader
			if r.Method == http.MethodPost {
				body = strings.NewReader(url.Values{"_csrf": {m.tokens["owner"]}}.Encode())
			}
			if a := m.send("owner", r.Method, path, body); (a.StatusCode != http.StatusSeeOther || r.Path != "/drafts/:id/delete" || !models.ValidID(id)) && a.StatusCode < 400 || a.StatusCode > 499 {
				t.Errorf("%s %.80s: %s", r.Method, path, a.Status)
			}
		}
	}
	for name, header := range map[string][]string{
		"header of 20 kB": {"X-Big", strings.Repeat("x", 20<<10)}, "cookie of 20 kB": {"Cookie", "a=" + strings.Repeat("x", 20<<10)},
	} {
		if a := m.send("owner", http.MethodGet, "/tenants", nil, header...); a.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: %s", name, a.Status)
		}
	}
	for _, header := range [][]string{{"Accept", strings.Repeat("text/csv;q=0,", 900)}, {"HX-Current-URL", "javascript:alert(1)"}, {"HX-Request", "maybe"}, {"X-Forwarded-For", "'; drop table people"},
		{"Range", "bytes=0-1,2-3,4-5,-"}, {"If-Modified-Since", "never"}, {"Accept-Language", "\xff"}, {"Cookie", "slipway_session=" + strings.Repeat("Z", 43)}, {"Cookie", "slipway_session=%00; slipway_theme=<script>"}} {
		if a := m.send("owner", http.MethodGet, "/tenants", nil, header...); a.StatusCode >= 500 || strings.Contains(a.text, "<script>") {
			t.Errorf("%.60q: %s", header, a.Status)
		}
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW", "OPTIONS"} {
		if a := m.send("owner", method, "/tenants", nil); a.StatusCode < 400 || a.StatusCode > 499 {
			t.Errorf("%s /tenants: %s", method, a.Status)
		}
	}
}

// unlimited lets a table of bad input be as long as it is.
func unlimited(m *matrix) {
	m.limits = map[web.Limit]web.Rate{}
	for name := range web.DefaultLimits() {
		m.limits[name] = web.Rate{Every: time.Millisecond, Burst: 1 << 20}
	}
}

func (m *matrix) number(sql string, args ...any) (n int) {
	m.t.Helper()
	if err := m.owner.QueryRow(m.t.Context(), sql, args...).Scan(&n); err != nil {
		m.t.Fatal(fmt.Errorf("%s: %w", sql, err))
	}
	return n
}
