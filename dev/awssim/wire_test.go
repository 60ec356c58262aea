package awssim

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/organizations"
)

func TestHandlerRefusesNonsense(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	const auth = "AWS4-HMAC-SHA256 Credential=AKIASIMMGMTADMIN0001/%D/eu-west-1/%S/aws4_request, SignedHeaders=host, Signature=0000000000000000000000000000000000000000000000000000000000000000"
	now := time.Now().UTC()
	for name, tc := range map[string]struct {
		service, contentType, target, body string
		age                                time.Duration
		status                             int
		want                               string
	}{
		"unknown form member": {"sts", "application/x-www-form-urlencoded", "", "Action=AssumeRole&RoleArm=x", 0, 400, "ValidationError"},
		"repeated member":     {"sts", "application/x-www-form-urlencoded", "", "Action=GetCallerIdentity&Action=AssumeRole", 0, 400, "ValidationError"},
		"no action":           {"sts", "application/x-www-form-urlencoded", "", "", 0, 400, "MissingAction"},
		"unknown action":      {"iam", "application/x-www-form-urlencoded", "", "Action=MakeCoffee", 0, 400, "InvalidAction"},
		"unknown parameter":   {"ec2", "application/x-www-form-urlencoded", "", "Action=DescribeRegions&Colour=red", 0, 400, "UnknownParameter"},
		"broken JSON":         {"organizations", "application/x-amz-json-1.1", "AWSOrganizationsV20161128.ListRoots", "{", 0, 400, "SerializationException"},
		"unknown JSON member": {"organizations", "application/x-amz-json-1.1", "AWSOrganizationsV20161128.ListRoots", `{"Colour":1}`, 0, 400, "ValidationException"},
		"wrong type":          {"organizations", "application/x-amz-json-1.1", "AWSOrganizationsV20161128.ListRoots", `{"MaxResults":"many"}`, 0, 400, "SerializationException"},
		"outside the enum":    {"organizations", "application/x-amz-json-1.1", "AWSOrganizationsV20161128.ListPolicies", `{"Filter":"CARE"}`, 0, 400, "SerializationException"},
		"another target":      {"organizations", "application/x-amz-json-1.1", "AWSBudgetServiceGateway.CreateBudget", `{}`, 0, 400, "UnknownOperationException"},
		"too large":           {"organizations", "application/x-amz-json-1.1", "AWSOrganizationsV20161128.ListRoots", strings.Repeat(" ", bodyLimit+1), 0, 413, "RequestEntityTooLarge"},
		"unknown service":     {"coffee", "application/x-amz-json-1.1", "Coffee.Make", `{}`, 0, 404, "UnknownOperationException"},
		"too old":             {"sts", "application/x-www-form-urlencoded", "", "Action=GetCallerIdentity", 16 * time.Minute, 403, "SignatureDoesNotMatch"},
		"too old, ec2":        {"ec2", "application/x-www-form-urlencoded", "", "Action=DescribeRegions", 16 * time.Minute, 400, "RequestExpired"},
		"from the future":     {"organizations", "application/x-amz-json-1.1", "AWSOrganizationsV20161128.ListRoots", `{}`, -16 * time.Minute, 400, "InvalidSignatureException"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/", strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		at := now.Add(-tc.age)
		req.Header.Set("Authorization", strings.NewReplacer("%D", at.Format("20060102"), "%S", tc.service).Replace(auth))
		req.Header.Set("X-Amz-Date", at.Format("20060102T150405Z"))
		req.Header.Set("Content-Type", tc.contentType)
		if tc.target != "" {
			req.Header.Set("X-Amz-Target", tc.target)
		}
		res, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != tc.status || !strings.Contains(string(body), tc.want) {
			t.Errorf("%s: %d %s, want %d %s", name, res.StatusCode, body, tc.status, tc.want)
		}
	}
	res, err := http.Post(w.url+"/", "application/x-www-form-urlencoded", strings.NewReader("Action=GetCallerIdentity"))
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("unsigned: %d, %v", res.StatusCode, err)
	}
}

// BenchmarkCall is one small call through the wire, the policies, the transaction and the log.
func BenchmarkCall(b *testing.B) {
	w := newWorld(b, 1)
	org := organizations.NewFromConfig(w.as(asAdmin))
	for b.Loop() {
		if _, err := org.ListRoots(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
}
