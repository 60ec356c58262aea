package awssim

import (
	"context"
	"testing"
)

// TestGoldenPathPolicies asks what the spoke's roles may do for golden paths: make them, look
// at them, empty what an approved deletion names, and never touch the value of a secret.
func TestGoldenPathPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	id := vend(t, w, "payments-nonprod", demoNonprod)
	approved := map[string]string{"slipway:approved": "true"}
	bucket, secret := "arn:aws:s3:::slw-payments-env-web-content-1a2b", "arn:aws:secretsmanager:eu-west-1:"+id+":secret:slw-payments-env-web-app"
	repository, key := "arn:aws:ecr:eu-west-1:"+id+":repository/slw-payments/web", "arn:aws:kms:eu-west-1:"+id+":key/1"
	workload := "arn:aws:iam::" + id + ":role/slipway/workload/web"
	linked := "arn:aws:iam::" + id + ":role/aws-service-role/x.amazonaws.com/X"
	for name, tc := range map[string]struct {
		role     string
		tags     map[string]string
		action   string
		resource string
		ctx      keys
		allowed  bool
	}{
		"exec schedules":                     {"slipway-cfn-exec", nil, "scheduler:CreateSchedule", "*", nil, true},
		"exec distributes":                   {"slipway-cfn-exec", nil, "cloudfront:CreateDistribution", "*", keys{"aws:RequestedRegion": {"us-east-1"}}, true},
		"exec protects in the region":        {"slipway-cfn-exec", nil, "wafv2:CreateWebACL", "*", nil, true},
		"exec protects nowhere else":         {"slipway-cfn-exec", nil, "wafv2:CreateWebACL", "*", keys{"aws:RequestedRegion": {"ap-southeast-2"}}, false},
		"exec queues":                        {"slipway-cfn-exec", nil, "sqs:CreateQueue", "*", nil, true},
		"exec runs no machines":              {"slipway-cfn-exec", nil, "ec2:RunInstances", "*", nil, false},
		"exec starts no tasks":               {"slipway-cfn-exec", nil, "ecs:RunTask", "*", nil, false},
		"exec reads no logs":                 {"slipway-cfn-exec", nil, "logs:GetLogEvents", "*", nil, false},
		"exec reads no objects":              {"slipway-cfn-exec", nil, "s3:GetObject", bucket + "/x", nil, false},
		"exec makes secrets":                 {"slipway-cfn-exec", nil, "secretsmanager:CreateSecret", secret, nil, true},
		"exec reads no secret":               {"slipway-cfn-exec", nil, "secretsmanager:GetSecretValue", secret, nil, false},
		"exec writes no secret":              {"slipway-cfn-exec", nil, "secretsmanager:PutSecretValue", secret, nil, false},
		"exec changes no secret":             {"slipway-cfn-exec", nil, "secretsmanager:UpdateSecret", secret, nil, false},
		"exec decrypts for secrets":          {"slipway-cfn-exec", nil, "kms:GenerateDataKey", key, keys{"kms:ViaService": {"secretsmanager.eu-west-1.amazonaws.com"}}, true},
		"exec decrypts nothing itself":       {"slipway-cfn-exec", nil, "kms:Decrypt", key, nil, false},
		"exec grants to services":            {"slipway-cfn-exec", nil, "kms:CreateGrant", key, keys{"kms:GrantIsForAWSResource": {"true"}}, true},
		"exec grants to nobody":              {"slipway-cfn-exec", nil, "kms:CreateGrant", key, nil, false},
		"exec passes roles to the scheduler": {"slipway-cfn-exec", nil, "iam:PassRole", workload, keys{"iam:PassedToService": {"scheduler.amazonaws.com"}}, true},
		"exec passes roles to no machine":    {"slipway-cfn-exec", nil, "iam:PassRole", workload, keys{"iam:PassedToService": {"ec2.amazonaws.com"}}, false},
		"exec links the role of ECS":         {"slipway-cfn-exec", nil, "iam:CreateServiceLinkedRole", linked, keys{"iam:AWSServiceName": {"ecs.amazonaws.com"}}, true},
		"exec links no other role":           {"slipway-cfn-exec", nil, "iam:CreateServiceLinkedRole", linked, keys{"iam:AWSServiceName": {"support.amazonaws.com"}}, false},
		"reader sees that a secret is there": {"slipway-read", nil, "secretsmanager:DescribeSecret", secret, nil, true},
		"reader sees no secret":              {"slipway-read", nil, "secretsmanager:GetSecretValue", secret, nil, false},
		"reader sees no batch of secrets":    {"slipway-read", nil, "secretsmanager:BatchGetSecretValue", "*", nil, false},
		"reader finds what is left":          {"slipway-read", nil, "tag:GetResources", "*", nil, true},
		"reader looks into buckets":          {"slipway-read", nil, "s3:ListBucketVersions", bucket, nil, true},
		"deploy empties an approved bucket":  {"slipway-deploy", approved, "s3:DeleteObjectVersion", bucket + "/x", nil, true},
		"deploy empties no other":            {"slipway-deploy", approved, "s3:DeleteObjectVersion", "arn:aws:s3:::ledger/x", nil, false},
		"deploy empties none unasked":        {"slipway-deploy", nil, "s3:DeleteObjectVersion", bucket + "/x", nil, false},
		"deploy aborts approved uploads":     {"slipway-deploy", approved, "s3:AbortMultipartUpload", bucket + "/x", nil, true},
		"deploy writes no objects":           {"slipway-deploy", approved, "s3:PutObject", bucket + "/x", nil, false},
		"deploy deletes approved images":     {"slipway-deploy", approved, "ecr:BatchDeleteImage", repository, nil, true},
		"deploy deletes none unasked":        {"slipway-deploy", nil, "ecr:BatchDeleteImage", repository, nil, false},
		"deploy sees no secret":              {"slipway-deploy", approved, "secretsmanager:GetSecretValue", secret, nil, false},
	} {
		w.do(t, func(ctx context.Context, c *Call) error {
			p := asRole(id, "/slipway/platform/", tc.role, "test", "")
			p.Tags = tc.tags
			why, err := c.refusalOf(ctx, c.question(p, tc.action, tc.resource, tc.ctx))
			if (why == "") != tc.allowed {
				t.Errorf("%s: %q", name, why)
			}
			return err
		})
	}
}
