package auth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/models"
	"slipway/web/auth"
	"slipway/web/auth/authtest"
)

const ciAudience = "https://slipway.example.com"

func ciChecker(p *authtest.Provider) *auth.CI {
	return auth.NewCI(p.URL, ciAudience, models.GitHubTokens(), &models.ShiftedClock{}, slog.New(slog.DiscardHandler))
}

func with(name string, value any) func(map[string]any) {
	return func(c map[string]any) {
		if value == nil {
			delete(c, name)
			return
		}
		c[name] = value
	}
}

func ago(d time.Duration) int64 { return time.Now().Add(-d).Unix() }

// forgeries are tokens that nobody may get in with: what is claimed, how it is signed, and the code that it is refused with.
var forgeries = map[string]struct {
	claim func(map[string]any)
	sign  func(p *authtest.Provider, c map[string]any) string
	code  string
}{
	"nothing":                   {nil, func(*authtest.Provider, map[string]any) string { return "" }, "form"},
	"not a token":               {nil, func(*authtest.Provider, map[string]any) string { return "a.b" }, "form"},
	"five parts":                {nil, func(*authtest.Provider, map[string]any) string { return "e30.e30.e30.e30.e30" }, "form"},
	"a JSON serialization":      {nil, func(*authtest.Provider, map[string]any) string { return `{"payload":"e30","signatures":[]}` }, "form"},
	"alg none":                  {nil, (*authtest.Provider).SignNone, "form"},
	"HS256 with the public key": {nil, (*authtest.Provider).SignHS256, "form"},
	"another algorithm's name": {nil, func(p *authtest.Provider, c map[string]any) string {
		return p.SignAs(map[string]any{"alg": "RS512"}, c)
	}, "form"},
	"a key that was never published": {nil, (*authtest.Provider).SignOther, "signature"},
	"an unknown key's name":          {nil, func(p *authtest.Provider, c map[string]any) string { return p.SignAs(map[string]any{"kid": "evil"}, c) }, "signature"},
	"no key's name":                  {nil, func(p *authtest.Provider, c map[string]any) string { return p.SignAs(map[string]any{"kid": ""}, c) }, "form"},
	"a key of its own": {nil, func(p *authtest.Provider, c map[string]any) string {
		return p.SignAs(map[string]any{"jwk": map[string]any{"kty": "RSA", "n": "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXboIRROSBigeC5yjU1hGzHHyXss8UDprecbAYxknTcQkhslANGRUZmdTOQ5qTRsLAt6BTYuyvVRdhS8exSZEy_c4gs_7svlJJQ4H9_NxsiIoLwAEk7-Q3UXERGYw_75IDrGA84-lA_-Ct4eTlXHBIY2EaV7t7LjJaynVJCpkv4LKjTTAumiGUIuQhrNhZLuF_RJLqHpM2kgWFLU7-VTdL1VbC2tejvcI2BlMkEpk1BzBZI0KQB0GaDWFLN-aEAw3vRw", "e": "AQAB"}}, c)
	}, "form"},
	"an address of keys": {nil, func(p *authtest.Provider, c map[string]any) string {
		return p.SignAs(map[string]any{"jku": "https://evil.example.com/keys"}, c)
	}, "form"},
	"a certificate's address": {nil, func(p *authtest.Provider, c map[string]any) string {
		return p.SignAs(map[string]any{"x5u": "https://evil.example.com/c"}, c)
	}, "form"},
	"a logout token": {nil, func(p *authtest.Provider, c map[string]any) string {
		return p.SignAs(map[string]any{"typ": "logout+jwt"}, c)
	}, "form"},
	"a demand that it be known": {nil, func(p *authtest.Provider, c map[string]any) string {
		return p.SignAs(map[string]any{"crit": []string{"exp"}}, c)
	}, "signature"},
	"changed after signing": {nil, func(p *authtest.Provider, c map[string]any) string {
		parts := strings.Split(p.SignRS256(c), ".")
		c["repository_id"] = "1"
		return parts[0] + "." + strings.Split(p.SignRS256(c), ".")[1] + "." + parts[2]
	}, "signature"},
	"oversized":                     {with("filler", strings.Repeat("x", 13<<10)), nil, "form"},
	"another issuer":                {with("iss", "https://evil.example.com"), nil, "issuer"},
	"GitHub's own issuer":           {with("iss", models.GitHubIssuer), nil, "issuer"},
	"issuer with a slash more":      {func(c map[string]any) { c["iss"] = c["iss"].(string) + "/" }, nil, "issuer"},
	"another audience":              {with("aud", "sts.amazonaws.com"), nil, "audience"},
	"a list of audiences":           {with("aud", []string{ciAudience, "sts.amazonaws.com"}), nil, "audience"},
	"no audience":                   {with("aud", nil), nil, "audience"},
	"audience as an object":         {with("aud", map[string]any{"a": 1}), nil, "form"},
	"expired":                       {with("exp", ago(2*time.Minute)), nil, "expired"},
	"no expiry":                     {with("exp", nil), nil, "expired"},
	"expiry as text":                {with("exp", "9999999999"), nil, "form"},
	"good for ever":                 {with("exp", ago(-100*24*time.Hour)), nil, "expired"},
	"expiry beyond every calendar":  {with("exp", 1e300), nil, "expired"},
	"not good yet":                  {with("nbf", ago(-2*time.Minute)), nil, "early"},
	"issued in the future":          {with("iat", ago(-2*time.Minute)), nil, "early"},
	"no time of issue":              {with("iat", nil), nil, "expired"},
	"no jti":                        {with("jti", nil), nil, "claims"},
	"jti as a number":               {with("jti", 12345678), nil, "claims"},
	"an oversized jti":              {with("jti", strings.Repeat("j", 300)), nil, "claims"},
	"no repository number":          {with("repository_id", nil), nil, "claims"},
	"repository number as a number": {with("repository_id", 700100200), nil, "claims"},
	"repository number as a list":   {with("repository_id", []string{"700100200"}), nil, "claims"},
	"owner number as an object":     {with("repository_owner_id", map[string]any{"id": "900100"}), nil, "claims"},
	"owner number with a sign":      {with("repository_owner_id", "+900100"), nil, "claims"},
	"a number with a nought before": {with("repository_id", "0700100200"), nil, "claims"},
	"ref as an object":              {with("ref", map[string]any{}), nil, "claims"},
	"ref with a control":            {with("ref", "refs/heads/main\x00"), nil, "claims"},
	"a tag that is called a branch": {func(c map[string]any) { c["ref_type"] = "tag" }, nil, "claims"},
	"no run":                        {with("run_id", nil), nil, "claims"},
	"a commit that is none":         {with("sha", "main"), nil, "claims"},
	"a person's ID token": {func(c map[string]any) {
		for _, name := range []string{"repository", "repository_id", "repository_owner_id", "ref", "sha", "run_id", "run_attempt"} {
			delete(c, name)
		}
	}, nil, "claims"},
}

func TestForgedWorkflows(t *testing.T) {
	for name, f := range forgeries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := authtest.NewProvider(t)
			c := p.CIClaims(ciAudience, "jti-"+models.NewID())
			if f.claim != nil {
				f.claim(c)
			}
			sign := f.sign
			if sign == nil {
				sign = (*authtest.Provider).SignRS256
			}
			token, err := ciChecker(p).Check(t.Context(), sign(p, c))
			var refused *models.CIRefused
			if !errors.As(err, &refused) || refused.Code != f.code || models.KindOf(err) != models.Unauthenticated || token != (models.CIToken{}) {
				t.Errorf("%+v, %v; want %s", token, err, f.code)
			}
			if strings.Contains(fmt.Sprint(models.Message(err)), "eyJ") {
				t.Errorf("the answer quotes the token: %v", err)
			}
		})
	}
}

func TestAnHonestWorkflow(t *testing.T) {
	p := authtest.NewProvider(t)
	v := ciChecker(p)
	for _, change := range []func(map[string]any){
		func(map[string]any) {}, with("aud", []string{ciAudience}), with("environment", "shop-dev"), with("exp", ago(30*time.Second)), with("nbf", ago(-30*time.Second)), with("ref_type", nil),
	} {
		c := p.CIClaims(ciAudience, "jti-12345678")
		change(c)
		token, err := v.Check(t.Context(), p.SignAs(map[string]any{"x5t": "abc"}, c))
		if err != nil || token.RepositoryID != "700100200" || token.OwnerID != "900100" || token.Ref != "refs/heads/main" || token.Run() != "4711.1" || !token.Pushed || token.Kind != models.GitHubActions ||
			token.ID != "jti-12345678" || token.ExpiresAt.IsZero() || token.Link != "" {
			t.Errorf("%+v, %v", token, err)
		}
	}
	if n := p.KeyReads.Load(); n != 1 {
		t.Errorf("the keys were read %d times", n)
	}
	for _, event := range []string{"pull_request", "pull_request_target", "workflow_run", "issue_comment", ""} {
		token, err := v.Check(t.Context(), p.SignRS256(func() map[string]any { c := p.CIClaims(ciAudience, "jti-12345678"); c["event_name"] = event; return c }()))
		if err != nil || token.Pushed {
			t.Errorf("%q: %+v, %v", event, token, err)
		}
	}
	p.Rotate(t)
	if _, err := v.Check(t.Context(), p.SignRS256(p.CIClaims(ciAudience, "jti-12345678"))); err != nil {
		t.Errorf("after the keys were replaced: %v", err)
	}
}

// TestForgeriesCostTheIssuerLittle: each names a key that it made up. They make us read the keys a few times, and an honest token gets in.
func TestForgeriesCostTheIssuerLittle(t *testing.T) {
	p := authtest.NewProvider(t)
	v := ciChecker(p)
	honest := func() error {
		_, err := v.Check(t.Context(), p.SignRS256(p.CIClaims(ciAudience, "jti-12345678")))
		return err
	}
	if err := honest(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			c := p.CIClaims(ciAudience, "jti-12345678")
			_, err := v.Check(t.Context(), p.SignAs(map[string]any{"kid": fmt.Sprint("evil", i)}, c))
			if kind := models.KindOf(err); kind != models.Unauthenticated && kind != models.Unavailable {
				t.Errorf("made-up key: %v", err)
			}
			if _, err = v.Check(t.Context(), p.SignOther(c)); models.KindOf(err) != models.Unauthenticated {
				t.Errorf("forged under a known key's name: %v", err)
			}
		})
	}
	all.Wait()
	if n := p.KeyReads.Load(); n > 5 {
		t.Errorf("the keys were read %d times", n)
	}
	if err := honest(); err != nil {
		t.Errorf("an honest token after the forged ones: %v", err)
	}
}

func TestAnIssuerThatCannotBeReached(t *testing.T) {
	for name, break_ := range map[string]func(*authtest.Provider){
		"gone": func(p *authtest.Provider) { p.Close() },
		"keys answer 500": func(p *authtest.Provider) {
			p.Keys = func(w http.ResponseWriter) bool { w.WriteHeader(500); return true }
		},
	} {
		p := authtest.NewProvider(t)
		token := p.SignRS256(p.CIClaims(ciAudience, "jti-12345678"))
		break_(p)
		if _, err := ciChecker(p).Check(t.Context(), token); models.KindOf(err) != models.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	off := auth.NewCI("", ciAudience, models.GitHubTokens(), &models.ShiftedClock{}, slog.New(slog.DiscardHandler))
	if _, err := off.Check(t.Context(), "x"); models.KindOf(err) != models.NotFound || !strings.Contains(models.Message(err), "SLIPWAY_GITHUB_ISSUER") {
		t.Errorf("switched off: %v", err)
	}
}

func FuzzCIToken(f *testing.F) {
	f.Add(`{"alg":"RS256","kid":"k"}`, `{"iss":"x","aud":["y"],"exp":1}`)
	p := authtest.NewProvider(f)
	v := ciChecker(p)
	f.Fuzz(func(t *testing.T, header, claims string) {
		var h, c map[string]any
		if json.Unmarshal([]byte(header), &h) != nil || json.Unmarshal([]byte(claims), &c) != nil {
			return
		}
		_, err := v.Check(t.Context(), p.SignAs(h, c))
		if kind := models.KindOf(err); err != nil && kind != models.Unauthenticated && kind != models.Unavailable {
			t.Errorf("%s %s: %v", header, claims, err)
		}
	})
}
