package awssim

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const spoke = "555555555555"

// withSpoke adds an account whose role trusts the hub's worker as deploy/aws does.
func withSpoke(t *testing.T, w *world) {
	t.Helper()
	w.do(t, func(ctx context.Context, c *Call) error {
		return c.addAccount(ctx, Account{ID: spoke, Name: "payments-nonprod", Email: "spoke@example.com", State: "ACTIVE", Parent: demoNonprod,
			Joined: c.Now.Add(-time.Hour), UsableAfter: c.Now.Add(-time.Hour), ListedAfter: c.Now.Add(-time.Hour)})
	})
	w.role(t, Role{Account: demoHub, Path: "/slipway/platform/", Name: "slipway-worker", TrustPolicy: policyText(`{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}`),
		Inline: map[string]string{"spokes": policyText(`{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Resource":"arn:aws:iam::*:role/slipway/platform/slipway-*"}`)}})
	w.role(t, Role{Account: spoke, Path: "/slipway/platform/", Name: "slipway-deploy", TrustPolicy: policyText(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/slipway/platform/slipway-worker"},
		"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],
		"Condition":{"StringEquals":{"sts:ExternalId":"slipway-demo-external-id","aws:PrincipalOrgID":"o-demo123456","aws:RequestTag/slipway:account":"555555555555"},"StringLike":{"sts:SourceIdentity":"?*"}}}`),
		Inline: map[string]string{"deploy": policyText(`{"Effect":"Allow","Action":["iam:GetRole","iam:ListRoles","sts:AssumeRole"],"Resource":"*"},
			{"Effect":"Deny","Action":"iam:GetRole","Resource":"arn:aws:iam::*:role/*","Condition":{"StringNotEquals":{"aws:PrincipalTag/slipway:account":"${aws:PrincipalAccount}"}}}`)}})
}

func policyText(statements string) string {
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

func deployInput(change func(*sts.AssumeRoleInput)) *sts.AssumeRoleInput {
	in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + spoke + ":role/slipway/platform/slipway-deploy"), RoleSessionName: aws.String("slw-run-1"),
		ExternalId: aws.String("slipway-demo-external-id"), SourceIdentity: aws.String("developer"), DurationSeconds: aws.Int32(900),
		Tags: []ststypes.Tag{{Key: aws.String("slipway:account"), Value: aws.String(spoke)}}}
	if change != nil {
		change(in)
	}
	return in
}

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	withSpoke(t, w)
	hub := w.as(asWorker)
	for name, tc := range map[string]struct {
		change func(*sts.AssumeRoleInput)
		want   string
	}{
		"as the trust policy asks": {nil, ""},
		"no external id":           {func(in *sts.AssumeRoleInput) { in.ExternalId = nil }, "AccessDenied"},
		"wrong external id":        {func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("slipway-other") }, "AccessDenied"},
		"no source identity":       {func(in *sts.AssumeRoleInput) { in.SourceIdentity = nil }, "AccessDenied"},
		"no session tag":           {func(in *sts.AssumeRoleInput) { in.Tags = nil }, "AccessDenied"},
		"tag of another account":   {func(in *sts.AssumeRoleInput) { in.Tags[0].Value = aws.String("666666666666") }, "AccessDenied"},
		"no such role":             {func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String(*in.RoleArn + "x") }, "AccessDenied"},
		"wrong path": {func(in *sts.AssumeRoleInput) {
			in.RoleArn = aws.String("arn:aws:iam::" + spoke + ":role/slipway-deploy")
		}, "AccessDenied"},
		"no such account": {func(in *sts.AssumeRoleInput) {
			in.RoleArn = aws.String(strings.ReplaceAll(*in.RoleArn, spoke, "999999999999"))
		}, "AccessDenied"},
		"longer than chaining lets": {func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, "ValidationError"},
		"too short":                 {func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(60) }, "ValidationError"},
		"session name":              {func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("not a name") }, "ValidationError"},
		"session policy too long":   {func(in *sts.AssumeRoleInput) { in.Policy = aws.String(strings.Repeat(" ", 2049)) }, "ValidationError"},
		"session policy malformed":  {func(in *sts.AssumeRoleInput) { in.Policy = aws.String(policyText(`{"Effect":"Perhaps"}`)) }, "MalformedPolicyDocument"},
		"unknown condition": {func(in *sts.AssumeRoleInput) {
			in.Policy = aws.String(policyText(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringSounds":{"a":"b"}}}`))
		}, "MalformedPolicyDocument"},
		"transitive key without its tag": {func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"other"} }, "InvalidParameterValue"},
	} {
		_, err := assume(t, hub, deployInput(tc.change))
		wantCode(t, name, err, tc.want)
	}
	_, err := assume(t, w.as(asWeb), deployInput(nil))
	wantCode(t, "another role of the hub", err, "AccessDenied")
	_, err = assume(t, w.as(asAdmin), deployInput(nil))
	wantCode(t, "the management account", err, "AccessDenied")
}

func TestSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	withSpoke(t, w)
	ctx := t.Context()
	cfg, err := assume(t, w.as(asWorker), deployInput(func(in *sts.AssumeRoleInput) {
		in.Policy = aws.String(policyText(`{"Effect":"Allow","Action":["iam:GetRole","sts:*"],"Resource":"*"}`))
	}))
	if err != nil {
		t.Fatal(err)
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil || *who.Account != spoke || *who.Arn != "arn:aws:sts::"+spoke+":assumed-role/slipway-deploy/slw-run-1" {
		t.Errorf("identity %+v, %v", who, err)
	}
	api := iam.NewFromConfig(cfg)
	role, err := api.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("slipway-deploy")})
	if err != nil || !strings.Contains(*role.Role.AssumeRolePolicyDocument, "%20") && !strings.Contains(*role.Role.AssumeRolePolicyDocument, "%7B") {
		t.Errorf("role %+v, %v", role, err)
	}
	_, err = api.ListRoles(ctx, nil)
	if code(err) != "AccessDenied" || !strings.Contains(err.Error(), "because no session policy allows the iam:ListRoles action") {
		t.Errorf("beyond the session policy: %v", err)
	}
	_, err = assume(t, cfg, deployInput(func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("somebody-else") }))
	wantCode(t, "source identity changed by chaining", err, "AccessDenied")

	w.do(t, func(ctx context.Context, c *Call) error {
		_, err := c.Tx.Exec(ctx, `UPDATE sessions SET expires_at = now()`)
		return err
	})
	_, err = api.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("slipway-deploy")})
	wantCode(t, "expired", err, "ExpiredToken")
	broken := w.as("ASIA" + spoke + "ABCDEFGH")
	_, err = sts.NewFromConfig(broken).GetCallerIdentity(ctx, nil)
	wantCode(t, "forged key", err, "InvalidClientTokenId")
}

func TestNewRoleIsUnusable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	withSpoke(t, w)
	w.do(t, func(ctx context.Context, c *Call) error {
		_, err := c.putRole(ctx, Role{Account: demoManagement, Name: "fresh", TrustPolicy: policyText(fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"sts:AssumeRole"}`, demoManagement))})
		return err
	})
	in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111111111111:role/fresh"), RoleSessionName: aws.String("early")}
	_, err := assume(t, w.as(asAdmin), in)
	wantCode(t, "at once", err, "AccessDenied")
	eventually(t, "the role is known everywhere", func() bool { _, err := assume(t, w.as(asAdmin), in); return err == nil })
}

func TestControlPolicyDenies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	withSpoke(t, w)
	cfg, err := assume(t, w.as(asWorker), deployInput(nil))
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, c *Call) error {
		_, err := c.Tx.Exec(ctx, `UPDATE accounts SET parent = $1 WHERE id = $2`, demoSuspended, spoke)
		return err
	})
	_, err = iam.NewFromConfig(cfg).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("slipway-deploy")})
	if code(err) != "AccessDenied" || !strings.Contains(err.Error(), "with an explicit deny in a service control policy") {
		t.Errorf("in the suspended unit: %v", err)
	}
}
