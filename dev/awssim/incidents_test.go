package awssim

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// start starts an incident that began some time ago.
func (m measured) start(t *testing.T, i incident, ago time.Duration) int64 {
	t.Helper()
	i.From = time.Now().Add(-ago)
	var made incident
	if got := m.w.admin(t, "POST", "/incidents", i, &made); got != 201 {
		t.Fatalf("incident %+v: %d", i, got)
	}
	return made.ID
}

// TestIncidentsInSeries: what somebody lets happen is in the series from then on, until it ends.
func TestIncidentsInSeries(t *testing.T) {
	t.Parallel()
	m := newMeasured(t)
	ask := func() map[string]cwtypes.MetricDataResult {
		return m.ask(t, last(40*time.Minute, m.ofBalancer("p95", "TargetResponseTime", "p95", 60), m.ofBalancer("requests", "RequestCount", "Sum", 60), m.ofBalancer("errors", "HTTPCode_Target_5XX_Count", "Sum", 60)))
	}
	before := ask()
	slow := m.start(t, incident{Kind: latencyIncident, Account: demoManagement, Target: "slw-web"}, 20*time.Minute)
	m.start(t, incident{Kind: errorsIncident, Account: demoManagement, Target: m.out["Service"]}, 20*time.Minute)
	during := ask()
	n := len(during["p95"].Values)
	if during["p95"].Values[0] > 1 || during["p95"].Values[n-1] < 1 || during["p95"].Values[n-1] < 5*before["p95"].Values[n-1] {
		t.Errorf("latency %v", during["p95"].Values)
	}
	if was, is := sum(before["errors"].Values), sum(during["errors"].Values); is < 10*was+100 || is > sum(during["requests"].Values) {
		t.Errorf("%g errors before, %g during it", was, is)
	}
	if got := m.w.admin(t, "DELETE", fmt.Sprintf("/incidents/%d", slow), nil, nil); got != 204 {
		t.Errorf("end: %d", got)
	}
	if after := ask(); after["p95"].Values[n-1] < 1 || after["p95"].Values[0] > 1 {
		t.Errorf("the past changed when the incident ended: %v", after["p95"].Values)
	}
	gap := m.start(t, incident{Kind: gapIncident, Account: demoManagement, Target: "RequestCount"}, 10*time.Minute)
	if got := ask(); len(got["requests"].Values) > 32 || len(got["p95"].Values) < 37 {
		t.Errorf("gap: %d requests, %d latencies", len(got["requests"].Values), len(got["p95"].Values))
	}
	m.start(t, incident{Kind: missingIncident, Account: demoManagement, Target: "TargetResponseTime"}, time.Minute)
	if got := ask(); len(got["p95"].Values) != 0 {
		t.Errorf("missing: %v", got["p95"].Values)
	}
	m.w.admin(t, "DELETE", fmt.Sprintf("/incidents/%d", gap), nil, nil)
	var open, all []incident
	m.w.admin(t, "GET", "/incidents", nil, &open)
	m.w.admin(t, "GET", "/incidents?all=1", nil, &all)
	if len(open) != 2 || len(all) != 4 {
		t.Errorf("%d of %d incidents go on", len(open), len(all))
	}
}

// TestAlarmsFollowSeries: a service in a crash is seen by tasks, targets, metrics, alarms and their
// history alike, and so is its end.
func TestAlarmsFollowSeries(t *testing.T) {
	t.Parallel()
	m := newMeasured(t)
	if a := m.state(t, "RunningTaskCount"); a.StateValue != cwtypes.StateValueOk {
		t.Errorf("before: %s", asText(a))
	}
	id := m.start(t, incident{Kind: crashIncident, Target: m.out["Service"]}, 10*time.Minute)
	a := m.state(t, "RunningTaskCount")
	got := m.ask(t, last(30*time.Minute, query("running", "AWS/ECS", "RunningTaskCount", "Average", 60, "ClusterName", "web", "ServiceName", "api"),
		query("sick", "AWS/ApplicationELB", "UnHealthyHostCount", "Maximum", 60, "LoadBalancer", m.balancer, "TargetGroup", m.group), m.ofBalancer("own", "HTTPCode_ELB_5XX_Count", "Sum", 60)))
	running := got["running"]
	first := -1
	for i, v := range running.Values {
		if v < 1 && first < 0 {
			first = i
		}
	}
	if a.StateValue != cwtypes.StateValueAlarm || first < 0 || !running.Timestamps[first].Add(time.Minute).Equal(*a.StateUpdatedTimestamp) || running.Values[len(running.Values)-1] != 0 {
		t.Errorf("alarm %s since %s, series %s", a.StateValue, a.StateUpdatedTimestamp, asText(running))
	}
	if n := len(got["sick"].Values); got["sick"].Values[n-1] != 2 || len(got["own"].Values) == 0 {
		t.Errorf("sick %v, errors %v", got["sick"].Values, got["own"].Values)
	}
	health, err := elb.NewFromConfig(m.w.as(asAdmin)).DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(m.out["Targets"])})
	if err != nil || len(health.TargetHealthDescriptions) != 2 || health.TargetHealthDescriptions[0].TargetHealth.State != "unhealthy" {
		t.Errorf("targets %s, %v", asText(health), err)
	}
	history, err := m.api.DescribeAlarmHistory(t.Context(), &cloudwatch.DescribeAlarmHistoryInput{AlarmName: a.AlarmName, HistoryItemType: cwtypes.HistoryItemTypeStateUpdate})
	if err != nil || len(history.AlarmHistoryItems) != 2 || *history.AlarmHistoryItems[0].HistorySummary != "Alarm updated from OK to ALARM" || !history.AlarmHistoryItems[0].Timestamp.Equal(*a.StateUpdatedTimestamp) {
		t.Errorf("history %s, %v", asText(history), err)
	}
	both, err := m.api.DescribeAlarmHistory(t.Context(), &cloudwatch.DescribeAlarmHistoryInput{AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeCompositeAlarm}, MaxRecords: aws.Int32(1)})
	if err != nil || len(both.AlarmHistoryItems) != 1 || *both.AlarmHistoryItems[0].AlarmName != "all" || both.NextToken == nil {
		t.Errorf("history of the composite %s, %v", asText(both), err)
	}
	if m.w.admin(t, "DELETE", fmt.Sprintf("/incidents/%d", id), nil, nil) != 204 {
		t.Error("the crash does not end")
	}
	services, err := ecs.NewFromConfig(m.w.as(asAdmin)).DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("web"), Services: []string{"api"}})
	if err != nil || services.Services[0].Deployments[0].RolloutState != "IN_PROGRESS" {
		t.Errorf("service %s, %v", asText(services), err)
	}
}

// TestIncidentsOfAccounts: each way in which an account cannot be read looks as in AWS, and ends.
func TestIncidentsOfAccounts(t *testing.T) {
	t.Parallel()
	m := newMeasured(t)
	read := func() error {
		// A new client each time: one that met a clock that is off corrects its own.
		_, err := cloudwatch.NewFromConfig(m.w.as(asAdmin)).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
		return err
	}
	for _, tc := range []struct {
		incident incident
		want     string
	}{
		{incident{Kind: deniedIncident, Account: demoManagement}, "AccessDenied"},
		{incident{Kind: throttleIncident, Account: demoManagement, Target: "cloudwatch"}, "Throttling"},
		{incident{Kind: throttleIncident, Account: demoManagement, Target: "ce"}, ""},
		{incident{Kind: regionIncident, Region: homeRegion}, "ServiceUnavailable"},
		{incident{Kind: regionIncident, Region: "us-west-2"}, ""},
		{incident{Kind: clockIncident, Account: demoManagement}, "SignatureDoesNotMatch"},
		{incident{Kind: clockIncident, Account: demoHub}, ""},
	} {
		id := m.start(t, tc.incident, 0)
		wantCode(t, tc.incident.Kind+" "+tc.incident.Target, read(), tc.want)
		if got := m.w.admin(t, "DELETE", fmt.Sprintf("/incidents/%d", id), nil, nil); got != 204 {
			t.Errorf("end %s: %d", tc.incident.Kind, got)
		}
		wantCode(t, "after "+tc.incident.Kind, read(), "")
	}
	m.start(t, incident{Kind: clockIncident, Account: demoManagement, Amount: 600}, 0) // within what AWS takes
	in := last(10*time.Minute, m.ofBalancer("a", "RequestCount", "Sum", 60))
	in.EndTime = aws.Time(time.Now().Add(time.Hour))
	at := m.ask(t, in)["a"].Timestamps
	if !at[len(at)-1].After(time.Now()) {
		t.Errorf("a clock ahead reports nothing of the future: %s", at[len(at)-1])
	}
	for _, bad := range []incident{{Kind: "explode"}, {Kind: deniedIncident}, {Kind: regionIncident}, {Kind: errorsIncident, Amount: 2}, {Kind: crashIncident, Target: "web"}, {Kind: deniedIncident, Account: demoHub, Target: "sts"}} {
		if got := m.w.admin(t, "POST", "/incidents", bad, nil); got != 400 {
			t.Errorf("%+v: %d", bad, got)
		}
	}
}

// send sends a form of the simulator's page and answers what the browser sees then.
func (w *world) send(t *testing.T, path string, form url.Values) string {
	t.Helper()
	res, err := http.PostForm(w.url+"/_slipway"+path, form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTroubleAndSpendingPages: what the API does can be done by hand, and is seen.
func TestTroubleAndSpendingPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	has := func(what, text string, words ...string) {
		t.Helper()
		for _, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("%s lacks %q", what, word)
			}
		}
	}
	has("the page after the start", w.send(t, "/trouble", url.Values{"kind": {"denied"}, "account": {demoHub}, "target": {"ecs"}, "ago": {"5"}}), "1: denied", demoHub, "End incident 1")
	res, err := http.Get(w.url + "/_slipway/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	first, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	has("the first page", string(first), "denied in "+demoHub, "Ends with incident 1")
	has("the page after the end", w.send(t, "/trouble", url.Values{"end": {"1"}}), "None: everything is as it should be", "1: denied")
	has("the page after a mistake", w.send(t, "/trouble", url.Values{"kind": {"errors"}, "amount": {"many"}}), "amount is a number")
	has("the page after another", w.send(t, "/trouble", url.Values{"kind": {"region_down"}}), "region_down needs a region")
	has("the costs", w.send(t, "/spending", url.Values{"kind": {"leak"}, "account": {demoAudit}, "amount": {"7.5"}, "ago": {"3"}}), ": leak", "7.5", demoAudit)
	has("the costs after a mistake", w.send(t, "/spending", url.Values{"kind": {"leak"}, "amount": {"7.5"}}), "leak needs an account")
	has("the costs after another", w.send(t, "/spending", url.Values{"kind": {"tax"}, "amount": {"x"}}), "amount is a number")
}
