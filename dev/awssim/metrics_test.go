package awssim

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// measured is a world with a web service that has run for long, at the speed of the real one.
type measured struct {
	*stackTest
	api      *cloudwatch.Client
	out      map[string]string
	balancer string
	group    string
}

func newMeasured(t *testing.T) measured {
	t.Helper()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	s.changeSet("slw-web", "first", webStack, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-web", "first")
	out := outputs(s.want("slw-web", "CREATE_COMPLETE"))
	s.update("slw-web", "second", webStack, "Image", s.push(out["Repository"], "1.0"))
	out = outputs(s.want("slw-web", "UPDATE_COMPLETE"))
	eventually(t, "tasks", func() bool { return s.service().RunningCount == 2 })
	w.speed = 1 // from here on time passes as it does in AWS
	ctx := t.Context()
	if _, err := w.pool.Exec(ctx, `UPDATE things SET made_at = made_at - interval '20 days', state = jsonb_set(state, '{deployed}', to_jsonb(to_char(now() - interval '19 days', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))) - 'previous' WHERE stack_name = 'slw-web'`); err != nil {
		t.Fatal(err)
	}
	groups, err := elb.NewFromConfig(w.as(asAdmin)).DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{out["Targets"]}})
	if err != nil {
		t.Fatal(err)
	}
	return measured{s, cloudwatch.NewFromConfig(w.as(asAdmin)), out, fullName(groups.TargetGroups[0].LoadBalancerArns[0]), fullName(out["Targets"])}
}

func query(id, namespace, metric, stat string, period int32, d ...string) cwtypes.MetricDataQuery {
	m := &cwtypes.Metric{Namespace: &namespace, MetricName: &metric}
	for i := 0; i < len(d); i += 2 {
		m.Dimensions = append(m.Dimensions, cwtypes.Dimension{Name: &d[i], Value: &d[i+1]})
	}
	return cwtypes.MetricDataQuery{Id: &id, MetricStat: &cwtypes.MetricStat{Metric: m, Period: &period, Stat: &stat}}
}

func (m measured) ofBalancer(id, metric, stat string, period int32) cwtypes.MetricDataQuery {
	return query(id, "AWS/ApplicationELB", metric, stat, period, "LoadBalancer", m.balancer)
}

func (m measured) ask(t *testing.T, in *cloudwatch.GetMetricDataInput) map[string]cwtypes.MetricDataResult {
	t.Helper()
	out, err := m.api.GetMetricData(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]cwtypes.MetricDataResult{}
	for _, r := range out.MetricDataResults {
		all[*r.Id] = r
	}
	return all
}

func last(d time.Duration, queries ...cwtypes.MetricDataQuery) *cloudwatch.GetMetricDataInput {
	now := time.Now()
	return &cloudwatch.GetMetricDataInput{StartTime: aws.Time(now.Add(-d)), EndTime: &now, MetricDataQueries: queries, ScanBy: cwtypes.ScanByTimestampAscending}
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

func TestMetricData(t *testing.T) {
	t.Parallel()
	m := newMeasured(t)
	in := last(3*time.Hour, m.ofBalancer("requests", "RequestCount", "Sum", 300), m.ofBalancer("p50", "TargetResponseTime", "p50", 300), m.ofBalancer("p95", "TargetResponseTime", "p95", 300),
		m.ofBalancer("p99", "TargetResponseTime", "p99", 300), m.ofBalancer("slowest", "TargetResponseTime", "Maximum", 300), m.ofBalancer("unknown", "NoSuchMetric", "Sum", 300),
		query("healthy", "AWS/ApplicationELB", "HealthyHostCount", "Minimum", 60, "LoadBalancer", m.balancer, "TargetGroup", m.group),
		query("cpu", "AWS/ECS", "CPUUtilization", "Average", 300, "ClusterName", "web", "ServiceName", "api"),
		query("memory", "AWS/ECS", "MemoryUtilization", "Maximum", 300, "ClusterName", "web", "ServiceName", "api"),
		query("nobody", "AWS/ECS", "CPUUtilization", "Average", 300, "ClusterName", "web", "ServiceName", "other"))
	in.MetricDataQueries = append(in.MetricDataQueries, cwtypes.MetricDataQuery{Id: aws.String("share"), Expression: aws.String("100 * IF(requests > 0, p50 / p99, 0)")})
	got := m.ask(t, in)
	n := len(got["requests"].Values)
	if n < 35 || n > 37 || got["requests"].StatusCode != cwtypes.StatusCodeComplete || *got["requests"].Label != "RequestCount" {
		t.Fatalf("%d points: %s", n, asText(got["requests"]))
	}
	for i := range n {
		if at := got["requests"].Timestamps[i]; at.Unix()%300 != 0 || got["requests"].Values[i] < 50 {
			t.Errorf("requests %v at %s", got["requests"].Values[i], at)
		}
		p50, p95, p99, most := got["p50"].Values[i], got["p95"].Values[i], got["p99"].Values[i], got["slowest"].Values[i]
		if !(0.01 < p50 && p50 < p95 && p95 < p99 && p99 <= most && p95 < 1) {
			t.Errorf("latency %g %g %g %g", p50, p95, p99, most)
		}
		if cpu := got["cpu"].Values[i]; cpu < 3 || cpu > 80 {
			t.Errorf("processors %g", cpu)
		}
		if share := got["share"].Values[i]; math.Abs(share-100*p50/p99) > 1e-9 {
			t.Errorf("expression %g", share)
		}
	}
	for _, none := range []string{"unknown", "nobody"} {
		if r, there := got[none]; !there || len(r.Values) != 0 || r.StatusCode != cwtypes.StatusCodeComplete {
			t.Errorf("%s: %s", none, asText(r))
		}
	}
	if v := got["healthy"].Values; len(v) < 175 || v[0] != 2 {
		t.Errorf("healthy %v", v)
	}
	if again := m.ask(t, in); fmt.Sprint(again["requests"].Values[:30]) != fmt.Sprint(got["requests"].Values[:30]) {
		t.Error("the same question has another answer")
	}
	hours := m.ask(t, last(3*time.Hour, m.ofBalancer("minutes", "RequestCount", "Sum", 60), m.ofBalancer("all", "RequestCount", "Sum", 3600)))
	at := hours["all"].Timestamps[1]
	var minutes float64
	for i, one := range hours["minutes"].Timestamps {
		if !one.Before(at) && one.Before(at.Add(time.Hour)) {
			minutes += hours["minutes"].Values[i]
		}
	}
	if minutes != hours["all"].Values[1] {
		t.Errorf("minutes come to %g, the hour to %g", minutes, hours["all"].Values[1])
	}
}

func TestMetricPagesAndRefusals(t *testing.T) {
	t.Parallel()
	m := newMeasured(t)
	in := last(time.Hour, m.ofBalancer("a", "RequestCount", "Sum", 60), m.ofBalancer("b", "RequestCount", "Sum", 60), m.ofBalancer("c", "NoSuchMetric", "Sum", 60))
	whole := m.ask(t, in)
	in.MaxDatapoints = aws.Int32(50)
	got, partial, pages := map[string][]float64{}, 0, 0
	for {
		out, err := m.api.GetMetricData(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, r := range out.MetricDataResults {
			got[*r.Id] = append(got[*r.Id], r.Values...)
			if r.StatusCode == cwtypes.StatusCodePartialData {
				partial++
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if pages != 3 || partial != 2 || fmt.Sprint(got["a"]) != fmt.Sprint(whole["a"].Values) || fmt.Sprint(got["b"]) != fmt.Sprint(whole["b"].Values) {
		t.Errorf("%d pages, %d partial, %v", pages, partial, got)
	}
	in.MaxDatapoints, in.ScanBy = nil, ""
	if first := m.ask(t, in)["a"].Timestamps; !first[0].After(first[1]) {
		t.Error("unasked, the newest comes first")
	}
	many := last(time.Hour)
	for i := range 501 {
		many.MetricDataQueries = append(many.MetricDataQueries, m.ofBalancer(fmt.Sprintf("q%d", i), "RequestCount", "Sum", 300))
	}
	for name, in := range map[string]*cloudwatch.GetMetricDataInput{
		"501 queries": many, "twice the same": last(time.Hour, m.ofBalancer("a", "RequestCount", "Sum", 60), m.ofBalancer("a", "RequestCount", "Sum", 60)), "an id with a capital": last(time.Hour, m.ofBalancer("A", "RequestCount", "Sum", 60)),
		"a period of 61": last(time.Hour, m.ofBalancer("a", "RequestCount", "Sum", 61)), "no such statistic": last(time.Hour, m.ofBalancer("a", "RequestCount", "Median", 60)), "backwards": last(-time.Hour, m.ofBalancer("a", "RequestCount", "Sum", 60)),
		"a broken expression": last(time.Hour, cwtypes.MetricDataQuery{Id: aws.String("e"), Expression: aws.String("1 +")}),
	} {
		_, err := m.api.GetMetricData(t.Context(), in)
		wantCode(t, name, err, "ValidationError")
	}
	many.MetricDataQueries = many.MetricDataQueries[:500]
	many.StartTime = aws.Time(time.Now().Add(-3 * time.Hour))
	m.ask(t, many)
	start := time.Now()
	m.ask(t, many)
	t.Logf("500 queries over three hours took %s", time.Since(start))
}

// alarmAndSeries asks whether an alarm is on, and what it looks at.
func (m measured) state(t *testing.T, name string) cwtypes.MetricAlarm {
	t.Helper()
	out, err := m.api.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range out.MetricAlarms {
		if aws.ToString(a.MetricName) == name {
			return a
		}
	}
	t.Fatalf("no alarm on %s: %s", name, asText(out))
	return cwtypes.MetricAlarm{}
}
