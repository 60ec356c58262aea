//go:build dev

package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"slipway/web"
)

// FuzzForms sends whatever to every form of the table: never a 5xx, and nothing without a request id.
// go test -tags dev -run '^$' -fuzz FuzzForms -fuzztime 30s -parallel 1 .
func FuzzForms(f *testing.F) {
	m := newMatrix(f, unlimited)
	var forms []web.Route
	for _, r := range m.routes {
		if r.Kind == web.Form && r.Path != "/auth/logout" {
			forms = append(forms, r)
		}
	}
	for i := range forms {
		for _, seed := range [][2]string{
			{formType, goodTenant().Encode()}, {formType, "plan_hash=" + strings.Repeat("a", 64) + "&reason=because&seen=on"}, {formType, "body=hello&_key=k"}, {formType, "group=g&role=platform-admin"},
			{formType, "theme=dark&back=//evil.example.com"}, {formType, "id=0190b9a0-0000-7000-8000-dd0000000001"}, {formType, "slug=%ff&budget=1e9&classes=x&classes=y"}, {formType, "&&==;%"},
			{formType, "slug=a&_draft=0190b9a0-0000-7000-8000-cc0000000001&do=draft"}, {"application/json", `{"slug":1}`}, {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"slug\"\r\n\r\nx\r\n--b--\r\n"},
		} {
			f.Add(uint8(i), i%2 == 0, seed[0], seed[1])
		}
	}
	f.Fuzz(func(t *testing.T, route uint8, admin bool, contentType, body string) {
		person := "developer"
		if admin {
			person = "admin"
		}
		unsendable := func(c rune) bool { return c < ' ' || c > '~' } // Go's client refuses it in a header
		if strings.ContainsFunc(contentType, unsendable) || len(body) > 1<<16 {
			return
		}
		r := forms[int(route)%len(forms)]
		if strings.HasPrefix(contentType, formType) {
			body = "_csrf=" + url.QueryEscape(m.tokens[person]) + "&" + body
		}
		here := *m
		here.t = t
		a := here.send(person, http.MethodPost, m.path(r, "own"), strings.NewReader(body), "Content-Type", contentType, "X-Csrf-Token", m.tokens[person])
		if a.StatusCode >= 500 || a.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s with %q %q: %s", r.Pattern(), contentType, body, a.Status)
		}
	})
}
