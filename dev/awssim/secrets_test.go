package awssim

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const secretStack = `
Resources:
  Empty: {Type: "AWS::SecretsManager::Secret", Properties: {Name: pay/app}}
  Random: {Type: "AWS::SecretsManager::Secret", Properties: {GenerateSecretString: {PasswordLength: 20, SecretStringTemplate: '{"user":"app"}', GenerateStringKey: password}}}
Outputs:
  Empty: {Value: !Ref Empty}
  Random: {Value: !Ref Random}
`

// TestSecrets: a secret made without a value has no version until somebody puts one.
func TestSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	ctx := t.Context()
	s.changeSet("slw-secrets", "one", secretStack, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-secrets", "one")
	out := outputs(s.want("slw-secrets", "CREATE_COMPLETE"))
	api := secretsmanager.NewFromConfig(w.as(asAdmin))
	d, err := api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String("pay/app")})
	if err != nil || len(d.VersionIdsToStages) != 0 || *d.ARN != out["Empty"] || len(*d.ARN) != len("arn:aws:secretsmanager:eu-west-1:111111111111:secret:pay/app-123456") {
		t.Errorf("empty secret %s, %v", asText(d), err)
	}
	_, err = api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(out["Empty"])})
	wantCode(t, "the value of an empty secret", err, "ResourceNotFoundException")
	put := &secretsmanager.PutSecretValueInput{SecretId: aws.String(out["Empty"]), SecretString: aws.String("s3cret"), ClientRequestToken: aws.String("11111111-1111-4111-a111-111111111111")}
	for range 2 { // once more with the same token: no second version
		if _, err := api.PutSecretValue(ctx, put); err != nil {
			t.Fatal(err)
		}
	}
	put.SecretString = aws.String("other")
	_, err = api.PutSecretValue(ctx, put)
	wantCode(t, "the token of another value", err, "ResourceExistsException")
	got, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(out["Empty"])})
	if err != nil || *got.SecretString != "s3cret" {
		t.Errorf("value %s, %v", asText(got), err)
	}
	d, err = api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(out["Empty"])})
	if err != nil || len(d.VersionIdsToStages) != 1 || d.VersionIdsToStages["11111111-1111-4111-a111-111111111111"][0] != "AWSCURRENT" {
		t.Errorf("secret with a value %s, %v", asText(d), err)
	}
	list, err := api.ListSecrets(ctx, &secretsmanager.ListSecretsInput{Filters: []smtypes.Filter{{Key: "tag-value", Values: []string{"payments"}}}})
	if err != nil || len(list.SecretList) != 2 {
		t.Errorf("secrets %s, %v", asText(list), err)
	}
	random, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(out["Random"])})
	if err != nil || len(*random.SecretString) != len(`{"user":"app","password":""}`)+20 {
		t.Errorf("random secret %s, %v", asText(random), err)
	}
}

// TestSlipwayReadsNoSecret: the roles of deploy/aws see that a secret is there, and not what
// it holds.
func TestSlipwayReadsNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	id := vend(t, w, "payments-nonprod", demoNonprod)
	for _, role := range []string{"slipway-read", "slipway-deploy"} {
		cfg, err := assume(t, w.as(asWorker), &sts.AssumeRoleInput{RoleArn: aws.String(roleARN(id, "/slipway/platform/", role)), RoleSessionName: aws.String("slw-test"), SourceIdentity: aws.String("developer"),
			ExternalId: aws.String("slipway-demo-external-id"), Tags: []ststypes.Tag{{Key: aws.String("slipway:account"), Value: &id}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = secretsmanager.NewFromConfig(cfg).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("pay/app")})
		wantCode(t, role+" reads a value", err, "AccessDeniedException")
		_, err = secretsmanager.NewFromConfig(cfg).PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("pay/app"), SecretString: aws.String("x")})
		wantCode(t, role+" writes a value", err, "AccessDeniedException")
	}
}
