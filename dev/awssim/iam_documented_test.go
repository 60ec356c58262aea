package awssim

import (
	"context"
	"testing"
)

// TestDocumentedEvaluation holds the evaluator against the cases with which the IAM User Guide explains how requests are decided
// ("Policy evaluation logic", "Permissions boundaries", "Session policies", "Conditions with multiple keys or values",
// "Policy elements: NotAction", "Variables", "Null", "IfExists"), told in words of our own.
func TestDocumentedEvaluation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	const bucket = "arn:aws:s3:::carlossalazar-logs"
	allow := func(action, resource string) string {
		return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
	}
	for name, tc := range map[string]struct {
		identity, boundary, session, scp string // statements; an empty boundary, session policy or SCP is not set
		action, resource                 string
		tags                             map[string]string
		ctx                              keys
		allowed                          bool
	}{
		// Evaluation logic: nothing is allowed until a policy says so, and a deny anywhere is final.
		"no policy speaks: implicitly denied":                        {identity: allow("ec2:*", "*"), action: "s3:ListBucket", resource: bucket},
		"one policy allows":                                          {identity: allow("s3:*", "*"), action: "s3:ListBucket", resource: bucket, allowed: true},
		"a bucket's logs are denied to who may do all in S3":         {identity: allow("s3:*", "*") + `,{"Effect":"Deny","Action":"s3:*","Resource":["arn:aws:s3:::*logs*"]}`, action: "s3:GetObject", resource: bucket + "/1"},
		"the same person reads another bucket":                       {identity: allow("s3:*", "*") + `,{"Effect":"Deny","Action":"s3:*","Resource":["arn:aws:s3:::*logs*"]}`, action: "s3:GetObject", resource: "arn:aws:s3:::other/1", allowed: true},
		"the order of statements does not matter":                    {identity: `{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"},` + allow("s3:*", "*"), action: "s3:DeleteObject", resource: bucket + "/1"},
		"a broad action and a narrow resource":                       {identity: allow("s3:*", bucket+"/*"), action: "s3:PutObject", resource: bucket + "/x/y", allowed: true},
		"objects of a bucket are not the bucket":                     {identity: allow("s3:*", bucket+"/*"), action: "s3:ListBucket", resource: bucket},
		"a boundary alone grants nothing":                            {identity: allow("ec2:*", "*"), boundary: allow("s3:*", "*"), action: "s3:ListBucket", resource: bucket},
		"beyond the boundary a policy grants nothing":                {identity: allow("iam:CreateUser", "*"), boundary: allow("s3:*", "*") + "," + allow("cloudwatch:*", "*"), action: "iam:CreateUser", resource: "*"},
		"within policy and boundary":                                 {identity: allow("s3:*", "*"), boundary: allow("s3:*", "*") + "," + allow("cloudwatch:*", "*"), action: "s3:ListBucket", resource: bucket, allowed: true},
		"a boundary's deny is final":                                 {identity: allow("*", "*"), boundary: allow("*", "*") + `,{"Effect":"Deny","Action":"iam:*","Resource":"*"}`, action: "iam:GetRole", resource: "*"},
		"a session has no more than its role":                        {identity: allow("s3:*", "*"), session: allow("*", "*"), action: "ec2:DescribeVpcs", resource: "*"},
		"a session has no more than its policy":                      {identity: allow("*", "*"), session: allow("s3:GetObject", "*"), action: "s3:PutObject", resource: bucket + "/1"},
		"a session within both":                                      {identity: allow("*", "*"), session: allow("s3:GetObject", "*"), action: "s3:GetObject", resource: bucket + "/1", allowed: true},
		"role, boundary and session must all allow":                  {identity: allow("*", "*"), boundary: allow("s3:Get*", "*"), session: allow("s3:*", "*"), action: "s3:PutObject", resource: bucket + "/1"},
		"an organization's deny is final for administrators":         {identity: allow("*", "*"), scp: `{"Effect":"Deny","Action":"cloudtrail:StopLogging","Resource":"*"}`, action: "cloudtrail:StopLogging", resource: "*"},
		"an organization's policy grants nothing":                    {identity: allow("ec2:*", "*"), scp: allow("*", "*"), action: "s3:ListBucket", resource: bucket},
		"not this action, allowed: all but IAM":                      {identity: `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, action: "s3:ListBucket", resource: bucket, allowed: true},
		"not this action, allowed: IAM itself stays denied":          {identity: `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, action: "iam:CreateUser", resource: "*"},
		"not this action, denied: all but the named in other places": {identity: allow("*", "*") + `,{"Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}`, action: "ec2:RunInstances", resource: "*", ctx: keys{"aws:RequestedRegion": {"us-west-2"}}},
		"not this action, denied: IAM is in no region":               {identity: allow("*", "*") + `,{"Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}`, action: "iam:GetRole", resource: "*", allowed: true},

		// Variables: each person their own folder.
		"a variable names the caller's own folder":          {identity: allow("s3:GetObject", bucket+"/${aws:PrincipalTag/team}/*"), action: "s3:GetObject", resource: bucket + "/red/1", tags: map[string]string{"team": "red"}, allowed: true},
		"and nobody else's":                                 {identity: allow("s3:GetObject", bucket+"/${aws:PrincipalTag/team}/*"), action: "s3:GetObject", resource: bucket + "/blue/1", tags: map[string]string{"team": "red"}},
		"a variable without a value fits nothing":           {identity: allow("s3:GetObject", bucket+"/${aws:PrincipalTag/team}/*"), action: "s3:GetObject", resource: bucket + "/red/1"},
		"a condition compares with a variable":              {identity: `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"${aws:PrincipalTag/team}"}}}`, action: "s3:ListBucket", resource: bucket, tags: map[string]string{"team": "red"}, ctx: keys{"s3:prefix": {"red"}}, allowed: true},
		"several keys of a condition must all hold":         {identity: `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red","s3:prefix":"x"}}}`, action: "s3:ListBucket", resource: bucket, tags: map[string]string{"team": "red"}},
		"one of several values of a key is enough":          {identity: `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":["blue","red"]}}}`, action: "s3:ListBucket", resource: bucket, tags: map[string]string{"team": "red"}, allowed: true},
		"several operators must all hold":                   {identity: `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"},"Bool":{"aws:SecureTransport":"false"}}}`, action: "s3:ListBucket", resource: bucket, tags: map[string]string{"team": "red"}},
		"a negated operator names what may not be":          {identity: `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalTag/team":["blue","red"]}}}`, action: "s3:ListBucket", resource: bucket, tags: map[string]string{"team": "red"}},
		"if exists: the key is there and fits":              {identity: `{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"StringLikeIfExists":{"ec2:InstanceType":["t2.*"]}}}`, action: "ec2:RunInstances", resource: "*", ctx: keys{"ec2:InstanceType": {"t2.micro"}}, allowed: true},
		"if exists: the key is there and does not fit":      {identity: `{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"StringLikeIfExists":{"ec2:InstanceType":["t2.*"]}}}`, action: "ec2:RunInstances", resource: "*", ctx: keys{"ec2:InstanceType": {"m5.large"}}},
		"if exists: a call without the key":                 {identity: `{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"StringLikeIfExists":{"ec2:InstanceType":["t2.*"]}}}`, action: "ec2:DescribeVpcs", resource: "*", allowed: true},
		"null true: no key may be there":                    {identity: `{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"Null":{"aws:TokenIssueTime":"true"}}}`, action: "ec2:DescribeVpcs", resource: "*", ctx: keys{"aws:TokenIssueTime": {"2026-01-01T00:00:00Z"}}},
		"null false: the key must be there":                 {identity: `{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"Null":{"aws:TokenIssueTime":"false"}}}`, action: "ec2:DescribeVpcs", resource: "*", ctx: keys{"aws:TokenIssueTime": {"2026-01-01T00:00:00Z"}}, allowed: true},
		"all values: each tag of the request is an allowed": {identity: `{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["environment","cost-center"]}}}`, action: "ec2:CreateTags", resource: "*", ctx: keys{"aws:TagKeys": {"environment", "cost-center"}}, allowed: true},
		"all values: one tag more is too much":              {identity: `{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["environment","cost-center"]}}}`, action: "ec2:CreateTags", resource: "*", ctx: keys{"aws:TagKeys": {"environment", "owner"}}},
		"all values: it also holds where no key is there":   {identity: `{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["environment"]}}}`, action: "ec2:CreateTags", resource: "*", allowed: true},
		"any value: one of the tags is enough":              {identity: `{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["environment"]}}}`, action: "ec2:CreateTags", resource: "*", ctx: keys{"aws:TagKeys": {"owner", "environment"}}, allowed: true},
		"any value: it never holds where no key is there":   {identity: `{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["environment"]}}}`, action: "ec2:CreateTags", resource: "*"},
		"an ARN is compared part by part":                   {identity: `{"Effect":"Allow","Action":"sns:*","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:examplebucket"}}}`, action: "sns:Publish", resource: "*", ctx: keys{"aws:SourceArn": {"arn:aws:s3:::examplebucket"}}, allowed: true},
		"a bool is written as text":                         {identity: `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`, action: "s3:GetObject", resource: bucket + "/1", ctx: keys{"aws:SecureTransport": {"false"}}},
	} {
		w.do(t, func(ctx context.Context, c *Call) error {
			return c.documented(ctx, t, name, tc.identity, tc.boundary, tc.session, tc.scp, tc.tags, question{action: tc.action, resource: tc.resource, ctx: tc.ctx}, tc.allowed)
		})
	}
}

// documented makes the role, asks, and takes it all away again.
func (c *Call) documented(ctx context.Context, t *testing.T, name, identity, boundary, session, scp string, tags map[string]string, q question, allowed bool) error {
	r := Role{Account: demoAudit, Name: "documented", Path: "/", TrustPolicy: policyText(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`), Inline: map[string]string{"p": policyText(identity)}}
	if boundary != "" {
		p, err := c.putPolicy(ctx, Policy{Account: demoAudit, Name: "bound", Document: policyText(boundary)})
		if err != nil {
			return err
		}
		r.Boundary = p.ARN()
	}
	if _, err := c.putRole(ctx, r); err != nil {
		return err
	}
	if scp != "" {
		if _, err := c.Tx.Exec(ctx, `INSERT INTO org_policies (id, type, name, description, content, aws_managed) VALUES ('p-documented', 'SERVICE_CONTROL_POLICY', 'documented', '', $1, false)
			ON CONFLICT (id) DO UPDATE SET content = EXCLUDED.content`, policyText(scp)); err != nil {
			return err
		}
		if err := c.attach(ctx, "p-documented", demoAudit); err != nil {
			return err
		}
	}
	p := asRole(demoAudit, "/", "documented", "session", "")
	p.Tags = tags
	if session != "" {
		p.SessionPolicy = policyText(session)
	}
	why, err := c.refusalOf(ctx, c.question(p, q.action, q.resource, q.ctx))
	if (why == "") != allowed {
		t.Errorf("%s: %q", name, why)
	}
	if err == nil && scp != "" {
		_, err = c.Tx.Exec(ctx, `DELETE FROM org_attachments WHERE policy = 'p-documented'`)
	}
	return err
}
