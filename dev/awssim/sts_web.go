package awssim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// webIdentity is a token that its issuer signed, or who stands in for it.
type webIdentity struct {
	issuer, subject string
	audience        []string
	claims          map[string]any
}

// issuerPatience is how long an issuer may take to tell its keys.
const issuerPatience = 5 * time.Second

// issuerClient keeps no connections: an issuer is asked now and then.
var issuerClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: issuerPatience}

func signatureAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512}
}

func badIdentity(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidIdentityToken", format, args...)
}

// readWebIdentity verifies a token with the keys that its issuer publishes. An issuer is asked
// only when some account has it as a provider. Nothing is locked meanwhile.
func (s *Sim) readWebIdentity(ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput) (*webIdentity, error) {
	token := aws.ToString(in.WebIdentityToken)
	parsed, err := jwt.ParseSigned(token, signatureAlgorithms())
	if err != nil {
		return nil, badIdentity("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	var first jwt.Claims
	if err := parsed.UnsafeClaimsWithoutVerification(&first); err != nil || first.Issuer == "" || first.Subject == "" {
		return nil, badIdentity("Missing a required claim: iss or sub")
	}
	account, _, _, _ := splitRoleARN(aws.ToString(in.RoleArn))
	var issuer string
	err = s.pool.QueryRow(ctx, `SELECT properties->>'Url' FROM things WHERE account = $1 AND type = $2 AND properties->>'Url' = ANY ($3) ORDER BY properties->>'Url' = $4 DESC LIMIT 1`,
		account, oidcProvider, []string{first.Issuer, s.opts.StandsIn[first.Issuer]}, first.Issuer).Scan(&issuer)
	if isNoRows(err) {
		return nil, badIdentity("No OpenIDConnect provider found in your account for %s", first.Issuer)
	}
	if err != nil {
		return nil, fmt.Errorf("look for the provider: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, issuerPatience)
	defer cancel()
	ctx = oidc.ClientContext(ctx, issuerClient)
	provider, err := oidc.NewProvider(ctx, first.Issuer)
	if err != nil {
		s.log.Warn("ask an issuer for its keys", "issuer", first.Issuer, "err", err)
		return nil, badIdentity("Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
	}
	verified, err := provider.Verifier(&oidc.Config{SkipClientIDCheck: true}).Verify(ctx, token)
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(err, &expired):
		return nil, refuse(http.StatusBadRequest, "ExpiredTokenException", "Token expired: current date/time %d must be before the expiration date/time %d", time.Now().Unix(), expired.Expiry.Unix())
	case err != nil:
		s.log.Warn("a token was refused", "issuer", first.Issuer, "err", err)
		return nil, badIdentity("The token's signature could not be verified, or it is not valid now")
	}
	out := &webIdentity{issuer: issuer, subject: verified.Subject, audience: verified.Audience}
	if err := verified.Claims(&out.claims); err != nil {
		return nil, badIdentity("The token's claims could not be read")
	}
	return out, nil
}

// claimKeys are the claims beside sub and aud that STS makes condition keys of.
func claimKeys() []string {
	return []string{"actor", "actor_id", "job_workflow_ref", "repository", "repository_id", "workflow", "ref", "environment", "enterprise_id"}
}

// assumeRoleWithWebIdentity opens a session for who brings a token of a provider that the role's
// account has, for one of its audiences, as the role's trust policy says.
func assumeRoleWithWebIdentity(ctx context.Context, c *Call, in *sts.AssumeRoleWithWebIdentityInput) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	c.open() // the role's trust policy decides alone
	a, err := checkAssume(c, &sts.AssumeRoleInput{RoleArn: in.RoleArn, RoleSessionName: in.RoleSessionName, DurationSeconds: in.DurationSeconds, Policy: in.Policy, PolicyArns: in.PolicyArns})
	if err != nil {
		return nil, err
	}
	if c.webErr != nil {
		return nil, c.webErr
	}
	target, no := aws.ToString(in.RoleArn), denied("sts", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	if err := a.find(ctx, c, target); err != nil {
		var refused *APIError
		if errors.As(err, &refused) && refused.Code == "AccessDenied" {
			return nil, no
		}
		return nil, err
	}
	if a.duration > time.Duration(a.role.MaxSession)*time.Second {
		return nil, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	name := issuerName(c.web.issuer)
	provider, err := c.byARN(ctx, oidcProvider, arn("iam", "", a.role.Account, "oidc-provider/"+name))
	if err != nil || provider == nil {
		return nil, orElse(err, badIdentity("No OpenIDConnect provider found in your account for %s", c.web.issuer))
	}
	clients := texts(provider.Properties["ClientIdList"])
	i := slices.IndexFunc(c.web.audience, func(one string) bool { return slices.Contains(clients, one) })
	if i < 0 {
		return nil, badIdentity("Incorrect token audience")
	}
	k := keys{name + ":sub": {c.web.subject}, name + ":aud": {c.web.audience[i]}, "aws:FederatedProvider": {provider.ARN}, "sts:RoleSessionName": {a.session}}
	for _, claim := range claimKeys() {
		if text, ok := c.web.claims[claim].(string); ok {
			k[name+":"+claim] = []string{text}
		}
	}
	trust, err := parsePolicy(a.role.TrustPolicy)
	if err != nil {
		return nil, fmt.Errorf("trust policy of %s: %w", target, err)
	}
	if says, _ := trust.trust(c.question(Principal{Federated: provider.ARN}, "sts:AssumeRoleWithWebIdentity", target, k)); says != allows {
		return nil, no
	}
	opened, err := a.open(ctx, c)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleWithWebIdentityOutput{AssumedRoleUser: opened.AssumedRoleUser, Credentials: opened.Credentials, Audience: &c.web.audience[i], Provider: &provider.ARN, SubjectFromWebIdentityToken: &c.web.subject}, nil
}

func getOIDCProvider(ctx context.Context, c *Call, in *iam.GetOpenIDConnectProviderInput) (*iam.GetOpenIDConnectProviderOutput, error) {
	a := aws.ToString(in.OpenIDConnectProviderArn)
	if err := c.may(ctx, a, nil); err != nil {
		return nil, err
	}
	t, err := c.byARN(ctx, oidcProvider, a)
	if err != nil || t == nil || t.Account != c.Account {
		return nil, orElse(err, refuse(http.StatusNotFound, "NoSuchEntity", "OpenIDConnect Provider not found for arn %s", a))
	}
	return &iam.GetOpenIDConnectProviderOutput{Url: aws.String(issuerName(textOf(t.Properties["Url"]))), ClientIDList: texts(t.Properties["ClientIdList"]), ThumbprintList: texts(t.Properties["ThumbprintList"]), CreateDate: &t.Made, Tags: iamTags(t.Tags)}, nil
}

func listOIDCProviders(ctx context.Context, c *Call, _ *iam.ListOpenIDConnectProvidersInput) (*iam.ListOpenIDConnectProvidersOutput, error) {
	if err := c.may(ctx, arn("iam", "", c.Account, "oidc-provider/*"), nil); err != nil {
		return nil, err
	}
	all, err := c.things(ctx, `account = $1 AND type = $2`, c.Account, oidcProvider)
	if err != nil {
		return nil, err
	}
	out := &iam.ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: []iamtypes.OpenIDConnectProviderListEntry{}}
	for _, t := range all {
		out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, iamtypes.OpenIDConnectProviderListEntry{Arn: &t.ARN})
	}
	return out, nil
}
