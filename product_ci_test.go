//go:build dev

package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"slipway/dev/idp"
	"slipway/models"
	"slipway/views/urls"
)

func claim(name string, value any) func(map[string]any) {
	return func(c map[string]any) { c[name] = value }
}

// signedBy makes a token under the issuer's key's name.
func (s source) signedBy(alg jose.SignatureAlgorithm, key any, claims map[string]any, extra map[jose.HeaderKey]any) string {
	s.t.Helper()
	o := (&jose.SignerOptions{}).WithType("JWT")
	for k, v := range extra {
		o.WithHeader(k, v)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: s.key.KeyID}}, o)
	if err != nil {
		s.t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// hostileToken is a token that must leave nothing but an audit entry.
type hostileToken struct {
	which  string // pipeline; empty: payments/flow
	claim  func(map[string]any)
	sign   func(s source, c map[string]any) string // nil: as the issuer does
	status int
	code   string
	once   bool // each makes Slipway read the issuer's keys, which it does only so often
}

func hostileTokens() map[string]hostileToken {
	later := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	unsigned := func(_ source, c map[string]any) string {
		claims, _ := json.Marshal(c)
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims) + "."
	}
	own := func(s source, c map[string]any, extra map[jose.HeaderKey]any) string {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			s.t.Fatal(err)
		}
		if extra != nil {
			extra["jwk"] = jose.JSONWebKey{Key: &key.PublicKey}
		}
		return s.signedBy(jose.RS256, key, c, extra)
	}
	return map[string]hostileToken{
		"none at all": {sign: func(source, map[string]any) string { return "" }, status: 401, code: "form"},
		"alg none":    {sign: unsigned, status: 401, code: "form"},
		"HS256, public key": {sign: func(s source, c map[string]any) string {
			return s.signedBy(jose.HS256, x509.MarshalPKCS1PublicKey(s.key.Key.(*rsa.PublicKey)), c, nil)
		}, status: 401, code: "form"},
		"another's key":    {sign: func(s source, c map[string]any) string { return own(s, c, nil) }, status: 401, code: "signature"},
		"a key of its own": {sign: func(s source, c map[string]any) string { return own(s, c, map[jose.HeaderKey]any{}) }, status: 401, code: "form"},
		"an unknown key": {sign: func(s source, c map[string]any) string {
			other, err := idp.NewWorkflows(s.url, "", "")
			if err != nil {
				s.t.Fatal(err)
			}
			token, err := other.Sign(c)
			if err != nil {
				s.t.Fatal(err)
			}
			return token
		}, status: 401, code: "signature", once: true},
		"another issuer":          {claim: claim("iss", models.GitHubIssuer), status: 401, code: "issuer"},
		"another audience":        {claim: claim("aud", "sts.amazonaws.com"), status: 401, code: "audience"},
		"a list of audiences":     {claim: func(c map[string]any) { c["aud"] = []any{c["aud"], "sts.amazonaws.com"} }, status: 401, code: "audience"},
		"expired":                 {claim: claim("exp", later(-2*time.Minute)), status: 401, code: "expired"},
		"good for a year":         {claim: claim("exp", later(8760*time.Hour)), status: 401, code: "expired"},
		"not good yet":            {claim: claim("nbf", later(3*time.Minute)), status: 401, code: "early"},
		"no jti":                  {claim: func(c map[string]any) { delete(c, "jti") }, status: 401, code: "claims"},
		"a number as a number":    {claim: claim("repository_id", 700100200), status: 401, code: "claims"},
		"an owner as an object":   {claim: claim("repository_owner_id", map[string]any{"id": "900100"}), status: 401, code: "claims"},
		"oversized":               {claim: claim("filler", strings.Repeat("x", 9000)), status: 401, code: "form"},
		"another repository":      {claim: func(c map[string]any) { c["repository"], c["repository_id"] = "acme/else", "5" }, status: 403, code: "no_pipeline"},
		"names registered again":  {claim: func(c map[string]any) { c["repository_id"], c["repository_owner_id"] = "5", "6" }, status: 403, code: "other_number"},
		"another owner":           {claim: claim("repository_owner_id", "6"), status: 403, code: "other_number"},
		"another branch":          {claim: claim("ref", "refs/heads/feature"), status: 403, code: "branch"},
		"a tag":                   {claim: func(c map[string]any) { c["ref"], c["ref_type"] = "refs/tags/main", "tag" }, status: 403, code: "branch"},
		"a pull request":          {claim: func(c map[string]any) { c["ref"], c["event_name"] = "refs/pull/7/merge", "pull_request" }, status: 403, code: "event"},
		"a pull request's target": {claim: claim("event_name", "pull_request_target"), status: 403, code: "event"},
		"another tenant's":        {which: "storefront/theirs", status: 403, code: "no_pipeline"},
		"a paused one":            {which: "payments/paused", status: 403, code: "paused"},
		"a deleted one":           {which: "payments/ended", status: 403, code: "no_pipeline"},
	}
}

// TestHostileTokens sends each of them for all that a token can be sent for: 401 or 403, an entry in the audit log, and nothing else.
func TestHostileTokens(t *testing.T) {
	s := newSource(t)
	run := idp.DemoRun()
	run.Environment = "orders-dev"
	honest := idp.Workflow{Slipway: s.url, Tokens: s.tokens, Run: idp.DemoRun()} // its key is known from then on
	if a, err := honest.Call(t.Context(), urls.CIBuilds, "", map[string]any{"pipeline": "payments/flow", "digest": madeUp("f")}); err != nil || a.Status != http.StatusCreated {
		t.Fatal(a, err)
	}
	before := s.kept()
	all := hostileTokens()
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int { // before others' keys have used up how often the issuer's are read
		return cmp.Or(cmp.Compare(map[bool]int{false: 1}[all[a].once], map[bool]int{false: 1}[all[b].once]), cmp.Compare(a, b))
	})
	for _, name := range names {
		h := all[name]
		s.exec(`DELETE FROM audit_denied`) // each refusal is the first of its minute
		entries := s.number(`SELECT count(*) FROM audit_entries WHERE action = 'ci.refused'`)
		which := h.which
		if which == "" {
			which = "payments/flow"
		}
		calls := map[string]any{
			urls.CIBuilds:     map[string]any{"pipeline": which, "digest": madeUp("a")},
			urls.CIEvidence:   map[string]any{"pipeline": which, "digest": madeUp("a"), "gate": "static-analysis", "result": "pass"},
			urls.CIPromotions: map[string]any{"pipeline": which, "digest": madeUp("a"), "environment": "orders-dev"},
		}
		if h.once {
			calls = map[string]any{urls.CIBuilds: calls[urls.CIBuilds]}
		}
		for path, body := range calls {
			c := run.Claims(s.url)
			token := s.forge(h, c)
			a, err := idp.Send(t.Context(), s.url+path, token, body)
			if err != nil || a.Status != h.status || a.Text("error") == "" || a.Text("requestId") == "" {
				t.Errorf("%s, %s: %d %v, %v; want %d", name, path, a.Status, a.Body, err, h.status)
			}
		}
		if n := s.number(`SELECT count(*) FROM audit_entries WHERE action = 'ci.refused'`) - entries; n != len(calls) {
			t.Errorf("%s: %d audit entries, want %d", name, n, len(calls))
		}
		if n := s.number(`SELECT count(*) FROM (SELECT after->>'code' AS code FROM audit_entries WHERE action = 'ci.refused' ORDER BY at DESC, id DESC LIMIT ` + fmt.Sprint(len(calls)) + `) x WHERE code = '` + h.code + `'`); n != len(calls) {
			t.Errorf("%s: not audited as %s", name, h.code)
		}
		if after := s.kept(); after != before {
			t.Errorf("%s: it left %d rows", name, after-before)
		}
	}
	if n := s.number(`SELECT count(*) FROM audit_entries WHERE action = 'ci.refused' AND object_name = 'payments/flow' AND tenant_id <> '' AND after->>'reason' LIKE '%registered again by somebody else%'`); n == 0 {
		t.Error("the tenant's audit log does not say that the name was registered again")
	}
}

func (s source) forge(h hostileToken, c map[string]any) string {
	s.t.Helper()
	c["iss"] = s.app.config.CI.GitHubIssuer
	if h.claim != nil {
		h.claim(c)
	}
	if h.sign != nil {
		return h.sign(s, c)
	}
	token, err := s.tokens.Sign(c)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

func madeUp(of string) string { return "sha256:" + strings.Repeat(of, 64)[:64] }

// TestAWorkflowOfGitHub goes the whole way, as the generated file does.
func TestAWorkflowOfGitHub(t *testing.T) {
	s := newSource(t)
	w := idp.Workflow{Slipway: s.url, Tokens: s.tokens, Run: idp.DemoRun()}
	call := func(path, environment string, body any) idp.Answer {
		t.Helper()
		a, err := w.Call(t.Context(), path, environment, body)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	build := map[string]any{"pipeline": "payments/flow", "digest": madeUp("a"), "tag": "1", "message": "Add a thing", "author": "Ada", "committed_at": "2026-11-26T10:00:00Z"}
	for _, want := range []int{201, 200, 200} {
		if a := call(urls.CIBuilds, "", build); a.Status != want || a.Text("digest") != madeUp("a") {
			t.Errorf("build: %d %v, want %d", a.Status, a.Body, want)
		}
	}
	if n := s.number(`SELECT count(*) FROM builds`); n != 1 {
		t.Errorf("%d builds", n)
	}
	evidence := func(size int) map[string]any {
		return map[string]any{"pipeline": "payments/flow", "digest": madeUp("a"), "gate": "sbom", "result": "pass", "words": "214 packages", "url": "https://ci.example.test/1",
			"file": map[string]any{"name": "sbom.json", "type": "application/json", "content": bytes.Repeat([]byte{'x'}, size)}}
	}
	for size, want := range map[int]int{models.MaxEvidence: 201, models.MaxEvidence + 1: 422, 2 * models.MaxEvidence: 413} {
		if a := call(urls.CIEvidence, "", evidence(size)); a.Status != want {
			t.Errorf("evidence of %d bytes: %d %.300v, want %d", size, a.Status, a.Body, want)
		}
	}
	other := evidence(1)
	other["digest"] = madeUp("b")
	if a := call(urls.CIEvidence, "", other); a.Status != 422 || !strings.Contains(fmt.Sprint(a.Body["fields"]), "not counted") {
		t.Errorf("evidence of another image: %d %v", a.Status, a.Body)
	}
	for field, body := range map[string]map[string]any{"digets": {"digets": "x"}, "digest": {"digest": 7}, "environment": {"pipeline": "payments/flow", "digest": madeUp("a"), "environment": "prod!"}} {
		if a := call(urls.CIPromotions, "prod!", body); a.Status != 422 || a.Body["fields"].(map[string]any)[field] == nil {
			t.Errorf("%s: %d %v", field, a.Status, a.Body)
		}
	}
	a := call(urls.CIPromotions, "orders-dev", map[string]any{"pipeline": "payments/flow", "digest": madeUp("a"), "environment": "orders-dev"})
	page := s.url + "/tenants/payments/promotions/" + a.Text("id")
	if a.Status != 202 || a.Text("address") != page || a.Text("state") == "" || a.Body["ended"] != false || a.Body["gates"] == nil {
		t.Fatalf("promotion: %d %v", a.Status, a.Body)
	}
	if again := call(urls.CIPromotion(a.Text("id")), "", nil); again.Status != 200 || again.Text("id") != a.Text("id") || again.Text("address") != page {
		t.Errorf("asked after: %d %v", again.Status, again.Body)
	}
	w.Run.RepositoryID = "5"
	if stranger := call(urls.CIPromotion(a.Text("id")), "", nil); stranger.Status != 404 {
		t.Errorf("another repository asks after it: %d %v", stranger.Status, stranger.Body)
	}
	claims := idp.DemoRun().Claims(s.url)
	token, err := s.tokens.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{200, 401} {
		if a, err := idp.Send(t.Context(), s.url+urls.CIBuilds, token, build); err != nil || a.Status != want {
			t.Errorf("one token, twice: %d %v, %v", a.Status, a.Body, err)
		}
	}
	for _, cookie := range []string{"owner", "admin"} { // a session is no token
		if a := s.send(cookie, http.MethodPost, urls.CIBuilds, nil, "Content-Type", "application/json"); a.StatusCode != http.StatusUnauthorized || a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %s", cookie, a.Status)
		}
	}
}
