package awssim

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// vend makes an account the way Slipway does and waits until the platform's roles are in it.
func vend(t *testing.T, w *world, name, unit string) string {
	t.Helper()
	ctx := t.Context()
	org := organizations.NewFromConfig(w.as(asAdmin))
	made, err := org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: &name, Email: aws.String("aws+" + name + "@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	id := waitForAccount(t, org, *made.CreateAccountStatus.Id)
	if _, err := org.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: &id, SourceParentId: aws.String(demoRoot), DestinationParentId: &unit}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the StackSet delivers the spoke's roles", func() bool {
		return count(t, w, `SELECT count(*) FROM roles WHERE account = $1 AND path = '/slipway/platform/'`, id) == 3
	})
	return id
}

// TestPlatformPolicies asks what the roles of deploy/aws may do, once these very files have
// been deployed. It is a list of promises: change it only with the files.
func TestPlatformPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	id := vend(t, w, "payments-nonprod", demoNonprod)
	role := func(name string) string { return "arn:aws:iam::" + id + ":role/slipway/platform/" + name }
	stack := "arn:aws:cloudformation:eu-west-1:" + id + ":stack/slw-payments-baseline/1"
	exec := keys{"cloudformation:RoleArn": {role("slipway-cfn-exec")}}
	bounded := keys{"iam:PermissionsBoundary": {"arn:aws:iam::" + id + ":policy/slipway/platform/slipway-boundary"}}
	workload := "arn:aws:iam::" + id + ":role/slipway/workload/api"
	for name, tc := range map[string]struct {
		account, role string
		tags          map[string]string
		action        string
		resource      string
		ctx           keys
		allowed       bool
	}{
		"web reads spokes":                        {demoHub, "slipway-web", nil, "sts:AssumeRole", role("slipway-read"), nil, true},
		"web does not deploy":                     {demoHub, "slipway-web", nil, "sts:AssumeRole", role("slipway-deploy"), nil, false},
		"worker deploys":                          {demoHub, "slipway-worker", nil, "sts:AssumeRole", role("slipway-deploy"), nil, true},
		"worker is nobody else":                   {demoHub, "slipway-worker", nil, "sts:AssumeRole", "arn:aws:iam::" + id + ":role/OrganizationAccountAccessRole", nil, false},
		"organization role creates":               {demoManagement, "slipway-org", nil, "organizations:CreateAccount", "*", nil, true},
		"organization role closes its own":        {demoManagement, "slipway-org", map[string]string{"slipway:approved": "true"}, "organizations:CloseAccount", accountARN(id), keys{"aws:ResourceTag/slipway:request": {"q1"}}, true},
		"organization role closes no other":       {demoManagement, "slipway-org", map[string]string{"slipway:approved": "true"}, "organizations:CloseAccount", accountARN(id), keys{"aws:ResourceTag/slipway:account": {"a1"}}, false},
		"organization role closes when approved":  {demoManagement, "slipway-org", nil, "organizations:CloseAccount", accountARN(id), keys{"aws:ResourceTag/slipway:request": {"q1"}}, false},
		"organization role moves to prod":         {demoManagement, "slipway-org", nil, "organizations:MoveAccount", nodeARN(demoProd), nil, true},
		"organization role moves out of the way":  {demoManagement, "slipway-org", nil, "organizations:MoveAccount", nodeARN(demoSuspended), nil, true},
		"organization role moves nowhere else":    {demoManagement, "slipway-org", nil, "organizations:MoveAccount", nodeARN("ou-demo-other001"), nil, false},
		"organization role enrols what it may":    {demoManagement, "slipway-org", map[string]string{"slipway:approved": "true"}, "organizations:MoveAccount", nodeARN("ou-demo-other001"), nil, true},
		"organization role releases its tags":     {demoManagement, "slipway-org", nil, "organizations:UntagResource", accountARN(id), keys{"aws:TagKeys": {"slipway:tenant"}}, true},
		"organization role removes no other tag":  {demoManagement, "slipway-org", nil, "organizations:UntagResource", accountARN(id), keys{"aws:TagKeys": {"team"}}, false},
		"organization role writes no policy":      {demoManagement, "slipway-org", nil, "organizations:CreatePolicy", "*", nil, false},
		"reader reads no objects":                 {id, "slipway-read", nil, "s3:GetObject", "arn:aws:s3:::x/y", nil, false},
		"reader changes nothing":                  {id, "slipway-read", nil, "cloudformation:ExecuteChangeSet", stack, nil, false},
		"deploy plans with the exec role":         {id, "slipway-deploy", nil, "cloudformation:CreateChangeSet", stack, exec, true},
		"deploy never plans without it":           {id, "slipway-deploy", nil, "cloudformation:CreateChangeSet", stack, nil, false},
		"deploy plans nobody else's stack":        {id, "slipway-deploy", nil, "cloudformation:CreateChangeSet", strings.Replace(stack, "slw-", "StackSet-", 1), exec, false},
		"deploy never creates without a plan":     {id, "slipway-deploy", nil, "cloudformation:CreateStack", stack, exec, false},
		"deploy deletes what was approved":        {id, "slipway-deploy", map[string]string{"slipway:approved": "true"}, "cloudformation:DeleteStack", stack, exec, true},
		"deploy deletes nothing else":             {id, "slipway-deploy", nil, "cloudformation:DeleteStack", stack, exec, false},
		"deploy passes the exec role":             {id, "slipway-deploy", nil, "iam:PassRole", role("slipway-cfn-exec"), keys{"iam:PassedToService": {"cloudformation.amazonaws.com"}}, true},
		"deploy passes it to CloudFormation only": {id, "slipway-deploy", nil, "iam:PassRole", role("slipway-cfn-exec"), keys{"iam:PassedToService": {"ec2.amazonaws.com"}}, false},
		"deploy makes no roles":                   {id, "slipway-deploy", nil, "iam:CreateRole", workload, bounded, false},
		"exec makes bounded roles":                {id, "slipway-cfn-exec", nil, "iam:CreateRole", workload, bounded, true},
		"exec makes no unbounded role":            {id, "slipway-cfn-exec", nil, "iam:CreateRole", workload, nil, false},
		"exec leaves the platform alone":          {id, "slipway-cfn-exec", nil, "iam:CreateRole", role("slipway-read"), bounded, false},
	} {
		w.do(t, func(ctx context.Context, c *Call) error {
			p := asRole(tc.account, "/slipway/platform/", tc.role, "test", "")
			p.Tags = tc.tags
			why, err := c.refusalOf(ctx, c.question(p, tc.action, tc.resource, tc.ctx))
			if (why == "") != tc.allowed {
				t.Errorf("%s: %q", name, why)
			}
			return err
		})
	}
}

// TestPlatformTrust opens sessions in a delivered account as the hub's roles do.
func TestPlatformTrust(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	id := vend(t, w, "storefront-prod", demoProd)
	in := func(role, account string) *sts.AssumeRoleInput {
		return &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + id + ":role/slipway/platform/" + role), RoleSessionName: aws.String("slw-1"), SourceIdentity: aws.String("owner"),
			ExternalId: aws.String("slipway-demo-external-id"), Tags: []ststypes.Tag{{Key: aws.String("slipway:account"), Value: &account}}}
	}
	eventually(t, "the new account is known everywhere", func() bool { _, err := assume(t, w.as(asWorker), in("slipway-deploy", id)); return err == nil })
	for name, tc := range map[string]struct {
		key, role, account, want string
	}{
		"worker reads":               {asWorker, "slipway-read", id, ""},
		"web reads":                  {asWeb, "slipway-read", id, ""},
		"web deploys":                {asWeb, "slipway-deploy", id, "AccessDenied"},
		"tag of another account":     {asWorker, "slipway-deploy", demoHub, "AccessDenied"},
		"nobody but CloudFormation":  {asWorker, "slipway-cfn-exec", id, "AccessDenied"},
		"the hub's administrator":    {asHubAdmin, "slipway-deploy", id, "AccessDenied"},
		"the management account":     {asAdmin, "slipway-deploy", id, "AccessDenied"},
		"a role that is not in here": {asWorker, "slipway-org", id, "AccessDenied"},
	} {
		_, err := assume(t, w.as(tc.key), in(tc.role, tc.account))
		wantCode(t, name, err, tc.want)
	}
}

// TestArtifacts reads a template across accounts, as the hub's bucket policy lets exactly one role do.
func TestArtifacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	id := vend(t, w, "payments-nonprod", demoNonprod)
	client := func(cfg aws.Config) *s3.Client {
		return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	}
	bucket, key := aws.String("slipway-artifacts-"+demoHub+"-"+homeRegion), aws.String("templates/1.yaml")
	if _, err := client(w.as(asWorker)).PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("Resources: {}")}); err != nil {
		t.Fatal(err)
	}
	_, err := client(w.as(asWeb)).GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
	wantCode(t, "web reads", err, "AccessDenied")
	_, err = client(w.as(asAdmin)).GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
	wantCode(t, "the management account reads", err, "AccessDenied")
	in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + id + ":role/slipway/platform/slipway-deploy"), RoleSessionName: aws.String("slw-1"), SourceIdentity: aws.String("owner"),
		ExternalId: aws.String("slipway-demo-external-id"), Tags: []ststypes.Tag{{Key: aws.String("slipway:account"), Value: &id}}}
	var deploy aws.Config
	eventually(t, "the deploy role can be assumed", func() bool { deploy, err = assume(t, w.as(asWorker), in); return err == nil })
	if _, err := client(deploy).GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key}); err != nil {
		t.Errorf("the deploy role reads: %v", err)
	}
}
