package awssim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

// byHandAPI does something through the simulator's own API.
func (w *world) byHandAPI(t *testing.T, method, path string, d deed) (int, map[string]any) {
	t.Helper()
	body, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.url+"/_slipway"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, out
}

const handStack = `
Resources:
  Images: {Type: "AWS::ECR::Repository", Properties: {RepositoryName: hand/api}}
  Alarm: {Type: "AWS::CloudWatch::Alarm", Properties: {AlarmName: hand, Namespace: X, MetricName: Y, ComparisonOperator: LessThanThreshold, EvaluationPeriods: 1, Threshold: 1}}
`

// TestByHand does what the page offers, by its API and by its forms.
func TestByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	s.changeSet("slw-hand", "one", handStack, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-hand", "one")
	s.want("slw-hand", "CREATE_COMPLETE")
	status, out := w.byHandAPI(t, "PUT", "/vpcs", deed{Account: demoManagement, Name: "10.9.0.0/20", Count: 3})
	if status != http.StatusCreated {
		t.Fatalf("a VPC by hand: %d %v", status, out)
	}
	subnets, err := ec2.NewFromConfig(w.as(asAdmin)).DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{out["vpc"].(string)}}}})
	if err != nil || len(subnets.Subnets) != 6 || !strings.Contains(out["private"].(string), ",") {
		t.Errorf("its subnets %s, %v", asText(subnets), err)
	}
	for name, tc := range map[string]struct {
		method, path string
		d            deed
		status       int
	}{
		"no such account":    {"POST", "/images", deed{Account: "999999999999", Name: "hand/api"}, 404},
		"no such repository": {"POST", "/images", deed{Account: demoManagement, Name: "none"}, 404},
		"a bad tag":          {"POST", "/images", deed{Account: demoManagement, Name: "hand/api", Key: "<b>"}, 400},
		"no such bucket":     {"POST", "/objects", deed{Account: demoManagement, Name: "slipway-artifacts-222222222222-eu-west-1", Key: "x"}, 404},
		"no such secret":     {"PUT", "/secrets", deed{Account: demoManagement, Name: "none", Value: "x"}, 404},
		"no such service":    {"PUT", "/services", deed{Account: demoManagement, Name: "none", On: true}, 404},
		"no such state":      {"PUT", "/alarms", deed{Account: demoManagement, Name: "hand", Value: "RED"}, 400},
		"no block":           {"PUT", "/vpcs", deed{Account: demoManagement, Name: "10.0.0.1/20", Count: 1}, 400},
		"an alarm":           {"PUT", "/alarms", deed{Account: demoManagement, Name: "hand", Value: "ALARM"}, 201},
		"an object":          {"POST", "/objects", deed{Account: demoHub, Name: "slipway-artifacts-222222222222-eu-west-1", Key: "x", Value: "y"}, 201},
	} {
		if status, out := w.byHandAPI(t, tc.method, tc.path, tc.d); status != tc.status {
			t.Errorf("%s: %d %v, want %d", name, status, out, tc.status)
		}
	}
	alarms, err := cloudwatch.NewFromConfig(w.as(asAdmin)).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{StateValue: "ALARM"})
	if err != nil || len(alarms.MetricAlarms) != 1 || *alarms.MetricAlarms[0].AlarmName != "hand" {
		t.Errorf("alarms %s, %v", asText(alarms), err)
	}
	w.pushByForm(t)
}

// pushByForm pushes an image on the page, which shows its digest to copy.
func (w *world) pushByForm(t *testing.T) {
	t.Helper()
	page := w.url + "/_slipway/things?account=" + demoManagement + "&region=" + homeRegion
	res, err := browser.PostForm(page, url.Values{"do": {"POST /images"}, "name": {"hand/api"}, "key": {"1.0"}})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	list, err := ecr.NewFromConfig(w.as(asAdmin)).ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: aws.String("hand/api")})
	if err != nil || len(list.ImageIds) != 1 || *list.ImageIds[0].ImageTag != "1.0" {
		t.Fatalf("images %s, %v", asText(list), err)
	}
	if res.StatusCode != http.StatusOK || strings.Count(string(body), *list.ImageIds[0].ImageDigest) < 2 { // told once, listed once
		t.Errorf("the page after the push, %d: %s", res.StatusCode, body)
	}
	res, err = browser.PostForm(page, url.Values{"do": {"POST /images"}, "name": {"none"}})
	if err != nil || res.StatusCode != http.StatusNotFound {
		t.Errorf("a push to no repository: %v, %v", res, err)
	}
}
