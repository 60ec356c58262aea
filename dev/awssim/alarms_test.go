package awssim

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func TestMetricMath(t *testing.T) {
	t.Parallel()
	values := map[string]float64{"requests": 200, "errors": 30, "none": math.NaN()}
	for expression, want := range map[string]float64{
		"errors / requests * 100": 15, "IF(requests >= 10, 100 * (FILL(none, 0) + FILL(errors, 0)) / requests, 0)": 15, "IF(requests < 10, 1, 2 - -3)": 5,
		"MAX(errors, requests)": 200, "errors == 30": 1, "errors != 30": 0, "(1 + 2) * 3 - 4 / 2": 7, "none + 1": math.NaN(), "errors / 0": math.NaN(), "none > 1": math.NaN(),
	} {
		got, err := evaluate(expression, values)
		if err != nil || got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%s = %g, %v; want %g", expression, got, err, want)
		}
	}
	for _, bad := range []string{"", "1 +", "(1", "1)", "unknown", "SEARCH(errors)", "IF(1)", "1 2", strings.Repeat("(", 5000)} {
		if got, err := evaluate(bad, values); err == nil {
			t.Errorf("%q = %g", bad, got)
		}
	}
}

// alarms puts the alarms of a web service beside its stack: one on an expression, one on a percentile.
func (m measured) alarms(t *testing.T) {
	t.Helper()
	dimensions := []any{map[string]any{"Name": "LoadBalancer", "Value": m.balancer}}
	metric := func(id, name string) map[string]any {
		return map[string]any{"Id": id, "ReturnData": false, "MetricStat": map[string]any{"Stat": "Sum", "Period": 60.0, "Metric": map[string]any{"Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": dimensions}}}
	}
	m.w.do(t, func(ctx context.Context, c *Call) error {
		for name, p := range map[string]map[string]any{
			"error-rate": {"EvaluationPeriods": 5.0, "DatapointsToAlarm": 3.0, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching", "Metrics": []any{
				map[string]any{"Id": "rate", "Expression": "IF(requests >= 10, 100 * (FILL(target, 0) + FILL(own, 0)) / requests, 0)", "ReturnData": true},
				metric("requests", "RequestCount"), metric("target", "HTTPCode_Target_5XX_Count"), metric("own", "HTTPCode_ELB_5XX_Count")}},
			"latency": {"Namespace": "AWS/ApplicationELB", "MetricName": "TargetResponseTime", "Dimensions": dimensions, "ExtendedStatistic": "p95", "Period": 60.0, "EvaluationPeriods": 5.0,
				"Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching"},
			"nothing": {"Namespace": "AWS/Events", "MetricName": "FailedInvocations", "Statistic": "Sum", "Period": 300.0, "EvaluationPeriods": 1.0, "Threshold": 1.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold"},
		} {
			if err := c.putThing(ctx, &thing{Account: c.Account, Region: c.Region, Type: cwAlarm, Physical: name, ARN: arn("cloudwatch", c.Region, c.Account, "alarm:"+name), Properties: p, Made: c.Now.AddDate(0, 0, -10)}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m measured) alarmed(t *testing.T) map[string]cwtypes.StateValue {
	t.Helper()
	out, err := m.api.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]cwtypes.StateValue{}
	for _, a := range out.MetricAlarms {
		states[*a.AlarmName] = a.StateValue
	}
	return states
}

// TestAlarmsOnExpressions: alarms as blueprints have them go on with an incident, each with its own,
// and off after it; one without any data has none.
func TestAlarmsOnExpressions(t *testing.T) {
	t.Parallel()
	m := newMeasured(t)
	m.alarms(t)
	want := func(when string, errors, latency cwtypes.StateValue) {
		t.Helper()
		if got := m.alarmed(t); got["error-rate"] != errors || got["latency"] != latency || got["nothing"] != cwtypes.StateValueInsufficientData {
			t.Errorf("%s: %v", when, got)
		}
	}
	want("before", cwtypes.StateValueOk, cwtypes.StateValueOk)
	m.start(t, incident{Kind: errorsIncident, Account: demoManagement, Target: "slw-web", Amount: 0.4}, 15*time.Minute)
	want("errors", cwtypes.StateValueAlarm, cwtypes.StateValueOk)
	m.start(t, incident{Kind: latencyIncident, Account: demoManagement}, 15*time.Minute)
	want("both", cwtypes.StateValueAlarm, cwtypes.StateValueAlarm)
	if _, err := m.w.pool.Exec(t.Context(), `UPDATE incidents SET ended_at = now() - interval '8 minutes'`); err != nil {
		t.Fatal(err)
	}
	want("after", cwtypes.StateValueOk, cwtypes.StateValueOk)
	history, err := m.api.DescribeAlarmHistory(t.Context(), &cloudwatch.DescribeAlarmHistoryInput{AlarmName: aws.String("latency"), HistoryItemType: cwtypes.HistoryItemTypeStateUpdate, ScanBy: cwtypes.ScanByTimestampAscending})
	if err != nil || len(history.AlarmHistoryItems) != 3 || !strings.Contains(*history.AlarmHistoryItems[1].HistoryData, `"stateValue":"ALARM"`) {
		t.Errorf("history %s, %v", asText(history), err)
	}
}

// TestOtherSeries: what jobs, sites, gateways and buckets report.
func TestOtherSeries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.do(t, func(ctx context.Context, c *Call) error {
		for _, one := range []thing{
			{Type: "AWS::SQS::Queue", Physical: "https://queue/failures", Attributes: map[string]any{"QueueName": "failures"}}, {Type: "AWS::Scheduler::ScheduleGroup", Physical: "nightly"},
			{Type: "AWS::EC2::NatGateway", Physical: "nat-1"}, {Type: "AWS::CloudFront::Distribution", Physical: "E1"}, {Type: "AWS::S3::Bucket", Physical: "pages"},
		} {
			one.Account, one.Region, one.ARN, one.Made = c.Account, "us-east-1", "arn:of:"+one.Physical, c.Now.AddDate(0, 0, -20)
			one.Tags = map[string]string{"slipway:environment": "job"}
			if err := c.putThing(ctx, &one); err != nil {
				return err
			}
		}
		return nil
	})
	cfg := w.as(asAdmin)
	cfg.Region = "us-east-1"
	m := measured{api: cloudwatch.NewFromConfig(cfg)}
	ask := func() map[string]cwtypes.MetricDataResult {
		day := m.ask(t, last(26*time.Hour, query("bytes", "AWS/S3", "BucketSizeBytes", "Average", 86400, "BucketName", "pages", "StorageType", "StandardStorage")))
		got := m.ask(t, last(2*time.Hour, query("failed", "AWS/SQS", "NumberOfMessagesSent", "Sum", 300, "QueueName", "failures"), query("runs", "AWS/Scheduler", "InvocationAttemptCount", "Sum", 3600, "ScheduleGroup", "nightly"),
			query("ports", "AWS/NATGateway", "ErrorPortAllocation", "Sum", 300, "NatGatewayId", "nat-1"), query("requests", "AWS/CloudFront", "Requests", "Sum", 300, "DistributionId", "E1", "Region", "Global"),
			query("errors", "AWS/CloudFront", "5xxErrorRate", "Average", 300, "DistributionId", "E1", "Region", "Global"), query("other", "AWS/CloudFront", "Requests", "Sum", 300, "DistributionId", "E2", "Region", "Global")))
		got["bytes"] = day["bytes"]
		return got
	}
	got := ask()
	for _, name := range []string{"failed", "ports", "errors"} {
		if len(got[name].Values) < 23 || sum(got[name].Values) != 0 {
			t.Errorf("%s: %v", name, got[name].Values)
		}
	}
	if sum(got["requests"].Values) < 500 || len(got["other"].Values) != 0 || len(got["bytes"].Values) == 0 || got["bytes"].Values[0] < 1e6 || sum(got["runs"].Values) == 0 {
		t.Errorf("requests %v, of none %v, bytes %v, runs %v", got["requests"].Values, got["other"].Values, got["bytes"].Values, got["runs"].Values)
	}
	(measured{stackTest: &stackTest{t, w, nil}}).start(t, incident{Kind: errorsIncident, Target: "job"}, time.Hour)
	if got = ask(); sum(got["failed"].Values) < 8 || sum(got["errors"].Values) < 100 {
		t.Errorf("with errors: %v, %v", got["failed"].Values, got["errors"].Values)
	}
}
