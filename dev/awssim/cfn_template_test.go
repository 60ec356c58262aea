package awssim

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/models/blueprint"
)

func TestTemplateAddresses(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]string{
		"https://own-bucket.s3.eu-west-1.amazonaws.com/a/b%20c.yaml":  "own-bucket a/b c.yaml",
		"https://own.bucket.s3.amazonaws.com/a":                       "own.bucket a",
		"https://s3.eu-west-1.amazonaws.com/own-bucket/a/b.yaml":      "own-bucket a/b.yaml",
		"https://s3-eu-west-1.amazonaws.com/own-bucket/a":             "own-bucket a",
		"http://127.0.0.1:4577/own-bucket/a/b.yaml":                   "own-bucket a/b.yaml",
		"http://own-bucket.s3.eu-west-1.amazonaws.com/a":              "", // not encrypted
		"https://own-bucket.s3.eu-west-1.amazonaws.com/":              "",
		"https://own-bucket.s3.eu-west-1.amazonaws.com.example.com/a": "",
		"https://example.com/own-bucket/a":                            "",
		"https://user@s3.eu-west-1.amazonaws.com/own-bucket/a":        "",
		"file:///etc/passwd":                                          "",
		"://":                                                         "",
	} {
		bucket, key, ok := inS3(link)
		if got := strings.TrimSpace(bucket + " " + key); (want != "") != ok || (ok && got != want) {
			t.Errorf("%s: %q %v, want %q", link, got, ok, want)
		}
	}
}

// put keeps an object in a bucket of the management account.
func (w *world) put(t *testing.T, bucket, key, body string) {
	t.Helper()
	api := s3.NewFromConfig(w.as(asAdmin), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := api.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}); err != nil {
		t.Fatal(err)
	}
}

// TestTemplateFromS3 reads templates as a role that may read some of the bucket, from some
// of its addresses.
func TestTemplateFromS3(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	w.role(t, Role{Account: demoManagement, Name: "maker", Path: "/", TrustPolicy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sts:AssumeRole"}]}`,
		Inline: map[string]string{"p": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::templates-1/open/*"},{"Effect":"Allow","Action":"sns:*","Resource":"*"},
			{"Effect":"Allow","Action":"cloudformation:DescribeChangeSet","Resource":"*"},
			{"Effect":"Allow","Action":"cloudformation:CreateChangeSet","Resource":"*","Condition":{"StringLike":{"cloudformation:TemplateUrl":"https://templates-*.s3.*.amazonaws.com/*"}}}]}`}})
	cfg, err := assume(t, w.as(asAdmin), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111111111111:role/maker"), RoleSessionName: aws.String("maker")})
	if err != nil {
		t.Fatal(err)
	}
	s := &stackTest{t, w, cfn.NewFromConfig(cfg)}
	w.do(t, func(ctx context.Context, c *Call) error {
		return c.putBucket(ctx, demoManagement, homeRegion, "templates-1")
	})
	big := "Resources: {Topic: {Type: AWS::SNS::Topic}}\n# " + strings.Repeat("x", 60000)
	w.put(t, "templates-1", "open/a b.yaml", big)
	w.put(t, "templates-1", "shut/a.yaml", big)
	w.put(t, "templates-1", "open/huge.yaml", "# "+strings.Repeat("x", blueprint.MaxBytes))
	const host = "https://templates-1.s3.eu-west-1.amazonaws.com"
	ask := func(stack string, change func(*cfn.CreateChangeSetInput)) error {
		in := &cfn.CreateChangeSetInput{StackName: &stack, ChangeSetName: aws.String("cs"), ChangeSetType: cfntypes.ChangeSetTypeCreate}
		change(in)
		_, err := s.cfn.CreateChangeSet(t.Context(), in)
		return err
	}
	at := func(link string) func(*cfn.CreateChangeSetInput) {
		return func(in *cfn.CreateChangeSetInput) { in.TemplateURL = &link }
	}
	if err := ask("slw-s3", at(host+"/open/a%20b.yaml")); err != nil {
		t.Fatal(err)
	}
	if got := s.described("slw-s3", "cs"); got.Status != "CREATE_COMPLETE" || len(got.Changes) != 1 {
		t.Errorf("the change set: %s", asText(got))
	}
	for name, tc := range map[string]struct {
		change      func(*cfn.CreateChangeSetInput)
		code, words string
	}{
		"no permission":   {at(host + "/shut/a.yaml"), "ValidationError", "S3 error: Access Denied"},
		"not there":       {at(host + "/open/none.yaml"), "ValidationError", "S3 error: The specified key does not exist."},
		"no such bucket":  {at("https://templates-2.s3.eu-west-1.amazonaws.com/open/a"), "ValidationError", "S3 error: Access Denied"},
		"more than 1 MB":  {at(host + "/open/huge.yaml"), "ValidationError", "Template may not exceed 1048576 bytes in size."},
		"another address": {at("https://s3.eu-west-1.amazonaws.com/templates-1/open/a%20b.yaml"), "AccessDenied", "CreateChangeSet"},
		"no address":      {func(in *cfn.CreateChangeSetInput) { in.TemplateBody = &big }, "AccessDenied", "CreateChangeSet"},
		"body and address": {func(in *cfn.CreateChangeSetInput) {
			at(host + "/open/a%20b.yaml")(in)
			in.TemplateBody = aws.String("x")
		}, "ValidationError", "only one of"},
	} {
		err := ask("slw-refused", tc.change)
		wantCode(t, name, err, tc.code)
		if err != nil && !strings.Contains(err.Error(), tc.words) {
			t.Errorf("%s: %v, want %q in it", name, err, tc.words)
		}
	}
}

func TestTemplateLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	many := func(n int, line string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, line, i)
		}
		return b.String()
	}
	const one = "Resources: {T: {Type: AWS::SNS::Topic}}\n"
	for name, tc := range map[string]struct{ template, words string }{
		"501 resources":  {"Resources:\n" + many(501, "  R%d: {Type: AWS::SNS::Topic}\n"), "500"},
		"201 parameters": {one + "Parameters:\n" + many(201, "  P%d: {Type: String, Default: x}\n"), "200"},
		"201 outputs":    {one + "Outputs:\n" + many(201, "  O%d: {Value: x}\n"), "200"},
		"a circle":       {"Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}, B: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref A}}}", "Circular dependency between resources: [A, B]"},
		"a bomb":         {"a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n" + one, "Template format error"},
		"inline":         {"# " + strings.Repeat("x", 51200), "less than or equal to 51200"},
	} {
		_, err := s.cfn.CreateChangeSet(t.Context(), &cfn.CreateChangeSetInput{StackName: aws.String("slw-limit"), ChangeSetName: aws.String("cs"), ChangeSetType: cfntypes.ChangeSetTypeCreate, TemplateBody: aws.String(tc.template)})
		wantCode(t, name, err, "ValidationError")
		if err != nil && !strings.Contains(err.Error(), tc.words) {
			t.Errorf("%s: %v, want %q in it", name, err, tc.words)
		}
	}
}

// TestLargeChangeSet has as many changes as there can be, on many pages.
func TestLargeChangeSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100000)
	s := newStackTest(t, w)
	stack := s.created("slw-large", largeTemplate(500, "a"))
	list := cfn.NewListStackResourcesPaginator(s.cfn, &cfn.ListStackResourcesInput{StackName: stack.StackId})
	resources := 0
	for list.HasMorePages() {
		page, err := list.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		resources += len(page.StackResourceSummaries)
	}
	cs := s.changeSet("slw-large", "two", largeTemplate(500, "b"), cfntypes.ChangeSetTypeUpdate)
	if len(cs.Changes) != 500 || resources != 500 || *cs.Changes[499].ResourceChange.Details[0].Target.AfterValue != "b" {
		t.Errorf("%d changes, %d resources", len(cs.Changes), resources)
	}
	if n := len(s.history(*stack.StackId)); n != 500*3+3 {
		t.Errorf("%d events", n)
	}
}
