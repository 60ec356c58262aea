package awssim

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// issuer signs tokens as GitHub's does.
type issuer struct {
	url    string
	signer jose.Signer
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{}
	mux := http.NewServeMux()
	answer := func(path string, value func() any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			if err := json.NewEncoder(w).Encode(value()); err != nil {
				t.Error(err)
			}
		})
	}
	answer("/.well-known/openid-configuration", func() any {
		return map[string]any{"issuer": i.url, "jwks_uri": i.url + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}}
	})
	answer("/keys", func() any {
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one", Algorithm: "RS256", Use: "sig"}}}
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	i.url = srv.URL
	if i.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil); err != nil {
		t.Fatal(err)
	}
	return i
}

// token is a good one but for what is changed in it.
func (i *issuer) token(t *testing.T, change map[string]any) string {
	t.Helper()
	now := time.Now()
	claims := map[string]any{"iss": i.url, "sub": "repo:shop/web:environment:dev", "aud": "sts.amazonaws.com", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "repository_id": "4711", "repository": "shop/web"}
	for name, value := range change {
		claims[name] = value
	}
	text, err := jwt.Signed(i.signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const providerStack = `
Parameters:
  Issuer: {Type: String}
Resources:
  Provider:
    Type: AWS::IAM::OIDCProvider
    Properties: {Url: !Ref Issuer, ClientIdList: [sts.amazonaws.com]}
Outputs:
  Arn: {Value: !Ref Provider}
`

func TestWebIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	i, other := newIssuer(t), newIssuer(t)
	d := newStackTest(t, w)
	d.changeSet("one", "make", providerStack, cfntypes.ChangeSetTypeCreate, "Issuer", i.url)
	d.execute("one", "make")
	provider := *d.want("one", cfntypes.StackStatusCreateComplete).Outputs[0].OutputValue
	name := strings.TrimPrefix(i.url, "http://")
	if provider != "arn:aws:iam::"+demoManagement+":oidc-provider/"+name {
		t.Errorf("the provider is %s", provider)
	}
	if again := d.changeSet("two", "make", providerStack, cfntypes.ChangeSetTypeCreate, "Issuer", i.url); again.Status != cfntypes.ChangeSetStatusFailed {
		t.Errorf("a second provider of one issuer: %s", asText(again))
	}
	got, err := iam.NewFromConfig(w.as(asAdmin)).GetOpenIDConnectProvider(t.Context(), &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: &provider})
	if err != nil || *got.Url != name || got.ClientIDList[0] != "sts.amazonaws.com" {
		t.Errorf("the provider: %s, %v", asText(got), err)
	}
	w.role(t, Role{Account: demoManagement, Name: "ci", Path: "/", TrustPolicy: policyText(`{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity",
		"Condition":{"StringEquals":{"` + name + `:sub":"repo:shop/web:environment:dev","` + name + `:aud":"sts.amazonaws.com","` + name + `:repository_id":"4711"}}}`),
		Inline: map[string]string{"p": policyText(`{"Effect":"Allow","Action":"iam:GetRole","Resource":"*"}`)}})
	anonymous := sts.NewFromConfig(aws.Config{Region: homeRegion, BaseEndpoint: &w.url, RetryMaxAttempts: 1, HTTPClient: browser})
	role := "arn:aws:iam::" + demoManagement + ":role/ci"
	take := func(role, token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		return anonymous.AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: aws.String("run-1"), WebIdentityToken: &token})
	}
	out, err := take(role, i.token(t, nil))
	if err != nil || *out.Provider != provider || *out.Audience != "sts.amazonaws.com" || *out.SubjectFromWebIdentityToken != "repo:shop/web:environment:dev" {
		t.Fatalf("a good token: %s, %v", asText(out), err)
	}
	cfg := w.as(asAdmin)
	cfg.Credentials = sessionOf(out.Credentials)
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Arn != "arn:aws:sts::"+demoManagement+":assumed-role/ci/run-1" {
		t.Errorf("the session is %s, %v", asText(who), err)
	}
	good := i.token(t, nil)
	for name, tc := range map[string]struct{ role, token, want string }{
		"another branch":       {role, i.token(t, map[string]any{"sub": "repo:shop/web:ref:refs/heads/main"}), "AccessDenied"},
		"the same name, newly": {role, i.token(t, map[string]any{"repository_id": "4712"}), "AccessDenied"},
		"another audience":     {role, i.token(t, map[string]any{"aud": "api.slipway.example"}), "InvalidIdentityToken"},
		"expired":              {role, i.token(t, map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), "ExpiredTokenException"},
		"not signed by it":     {role, good[:len(good)-8] + "AAAAAAAA", "InvalidIdentityToken"},
		"another issuer":       {role, other.token(t, nil), "InvalidIdentityToken"},
		"in another's name":    {role, other.token(t, map[string]any{"iss": i.url}), "InvalidIdentityToken"},
		"no token":             {role, "none", "InvalidIdentityToken"},
		"no such role":         {role + "x", good, "AccessDenied"},
	} {
		_, err := take(tc.role, tc.token)
		wantCode(t, name, err, tc.want)
	}
	_, err = sts.NewFromConfig(w.as(asAdmin)).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("by-hand")})
	wantCode(t, "without a token", err, "AccessDenied")
	w.do(t, func(ctx context.Context, c *Call) error {
		var n int
		err := c.Tx.QueryRow(ctx, `SELECT count(*) FROM calls WHERE op = 'AssumeRoleWithWebIdentity' AND error_code = ''`).Scan(&n)
		if err == nil && n != 1 {
			t.Errorf("%d tokens were taken, want one", n)
		}
		return err
	})
}

// TestStandIn takes tokens of who plays GitHub's issuer for roles that trust GitHub's.
func TestStandIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	i := newIssuer(t)
	d := newStackTest(t, w)
	d.changeSet("one", "make", providerStack, cfntypes.ChangeSetTypeCreate, "Issuer", "https://"+githubIssuer)
	d.execute("one", "make")
	provider := *d.want("one", cfntypes.StackStatusCreateComplete).Outputs[0].OutputValue
	w.role(t, Role{Account: demoManagement, Name: "ci", Path: "/", TrustPolicy: policyText(`{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity",
		"Condition":{"StringEquals":{"` + githubIssuer + `:sub":"repo:shop/web:environment:dev","` + githubIssuer + `:repository_id":"4711"}}}`)})
	anonymous := sts.NewFromConfig(aws.Config{Region: homeRegion, BaseEndpoint: &w.url, RetryMaxAttempts: 1, HTTPClient: browser})
	in := &sts.AssumeRoleWithWebIdentityInput{RoleArn: aws.String("arn:aws:iam::" + demoManagement + ":role/ci"), RoleSessionName: aws.String("run-1"), WebIdentityToken: aws.String(i.token(t, nil))}
	_, err := anonymous.AssumeRoleWithWebIdentity(t.Context(), in)
	wantCode(t, "before it stands in", err, "InvalidIdentityToken")
	w.opts.StandsIn = map[string]string{i.url: "https://" + githubIssuer}
	out, err := anonymous.AssumeRoleWithWebIdentity(t.Context(), in)
	if err != nil || *out.Provider != provider {
		t.Errorf("as GitHub's: %s, %v", asText(out), err)
	}
}

func TestTrustInGitHubNamesSomebody(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		condition string
		taken     bool
	}{
		"nobody":          {`{}`, false},
		"everybody":       {`{"StringLike":{"` + githubIssuer + `:sub":"*"}}`, false},
		"all but one":     {`{"StringNotEquals":{"` + githubIssuer + `:sub":"repo:a/b:ref:refs/heads/main"}}`, false},
		"an audience":     {`{"StringEquals":{"` + githubIssuer + `:aud":"sts.amazonaws.com"}}`, false},
		"one environment": {`{"StringEquals":{"` + githubIssuer + `:sub":"repo:a/b:environment:dev"}}`, true},
	} {
		d, err := parsePolicy(policyText(`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/` + githubIssuer + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":` + tc.condition + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.checkFederated(); (err == nil) != tc.taken {
			t.Errorf("%s: %v", name, err)
		}
	}
}
