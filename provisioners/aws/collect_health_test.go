package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"slipway/models"
)

// serving is a service behind a load balancer, with the alarms that tell how it runs.
const serving = `
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.1.0.0/20}}
  One: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.1.0.0/24, AvailabilityZone: !Select [0, !GetAZs ""]}}
  Two: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.1.1.0/24, AvailabilityZone: !Select [1, !GetAZs ""]}}
  Balancer: {Type: "AWS::ElasticLoadBalancingV2::LoadBalancer", Properties: {Scheme: internal, Subnets: [!Ref One, !Ref Two]}}
  Targets: {Type: "AWS::ElasticLoadBalancingV2::TargetGroup", Properties: {VpcId: !Ref Vpc, Port: 8080, Protocol: HTTP, TargetType: ip}}
  Green: {Type: "AWS::ElasticLoadBalancingV2::TargetGroup", Properties: {VpcId: !Ref Vpc, Port: 8080, Protocol: HTTP, TargetType: ip}}
  Listener: {Type: "AWS::ElasticLoadBalancingV2::Listener", Properties: {LoadBalancerArn: !Ref Balancer, Port: 80, Protocol: HTTP, DefaultActions: [{Type: forward, TargetGroupArn: !Ref Targets}]}}
  Cluster: {Type: "AWS::ECS::Cluster", Properties: {ClusterName: slw-payments-shop}}
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: slw-payments-shop
      Cpu: "256"
      Memory: "512"
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      ContainerDefinitions: [{Name: app, Image: "public.ecr.aws/shop/shop:1", PortMappings: [{ContainerPort: 8080}]}]
  Service:
    Type: AWS::ECS::Service
    DependsOn: Listener
    Properties:
      Cluster: !Ref Cluster
      ServiceName: shop
      TaskDefinition: !Ref Definition
      DesiredCount: 2
      NetworkConfiguration: {AwsvpcConfiguration: {Subnets: [!Ref One, !Ref Two]}}
      LoadBalancers: [{ContainerName: app, ContainerPort: 8080, TargetGroupArn: !Ref Targets}]
  ErrorRate:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: slw-shop-errors, AlarmDescription: Too many requests fail, Namespace: AWS/Billing, MetricName: HTTPCode_Target_5XX_Count, ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, Threshold: 1, TreatMissingData: notBreaching}
  Latency:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: slw-shop-latency, AlarmDescription: Requests take long, Namespace: AWS/Billing, MetricName: TargetResponseTime, ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, Threshold: 1, TreatMissingData: notBreaching}
  Wrong: {Type: "AWS::CloudWatch::CompositeAlarm", Properties: {AlarmName: slw-shop-wrong, AlarmDescription: Something is wrong, AlarmRule: !Sub 'ALARM("${ErrorRate}") OR ALARM("${Latency}")'}}
`

// shopCertificate is one of the shop's, as if its stack had made it: there is no zone here that would prove one.
const shopCertificate = "arn:aws:acm:eu-west-1:" + accountID + ":certificate/shop"

// put is a deed in the account of the tests.
func (e *estate) put(path string, body map[string]any) {
	e.t.Helper()
	body["account"], body["region"] = accountID, "eu-west-1"
	raw, err := json.Marshal(body)
	if err != nil {
		e.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodPut, e.w.url+"/_slipway/"+path, bytes.NewReader(raw))
	if err != nil {
		e.t.Fatal(err)
	}
	res, err := browser.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		e.t.Fatalf("%s %s: %s", path, raw, res.Status)
	}
}

func shopTarget() models.CollectTarget {
	return models.CollectTarget{ID: models.NewID(), Collector: models.CollectHealth, AccountID: accountRow, AWSID: accountID, TenantID: tenantID, TenantSlug: "payments", Class: models.NonProd, Region: "eu-west-1"}
}

// looks collects a whole round and gives what was found, by environment.
func (e *estate) looks() (map[string]models.EnvironmentReading, []models.Reading) {
	e.t.Helper()
	health, target := NewHealth(e.clients, e.store.SignalBook()), shopTarget()
	found, all := map[string]models.EnvironmentReading{}, []models.Reading{}
	for {
		r, err := health.Collect(e.t.Context(), target)
		if err != nil {
			e.t.Fatal(err)
		}
		for _, x := range r.Environments {
			found[x.EnvironmentID] = x
		}
		all = append(all, r)
		if target.Cursor = r.Next; r.Next == nil {
			return found, all
		}
	}
}

// vital is the first of a kind.
func vital(r models.EnvironmentReading, kind models.VitalKind) models.Vital {
	for _, v := range r.Vitals {
		if v.Kind == kind {
			return v
		}
	}
	return models.Vital{}
}

func (e *estate) shop() models.Stack {
	e.t.Helper()
	st := e.own(models.EnvironmentObject, "shop", serving, nil)
	e.w.exec(`INSERT INTO things (account, region, type, physical, arn, properties, state, made_at) VALUES ('` + accountID + `', 'eu-west-1', 'AWS::CertificateManager::Certificate', '` + shopCertificate + `', '` + shopCertificate + `',
		'{"DomainName": "shop.example.com", "ValidationMethod": "DNS"}', '{"status": "ISSUED", "issued": "` + time.Now().UTC().Format(time.RFC3339Nano) + `"}', now())`)
	e.exec(`UPDATE stacks SET resources = resources || jsonb_build_object('logical_id', 'Certificate', 'type', 'AWS::CertificateManager::Certificate', 'physical_id', $2::text) WHERE object_id = $1`, st.ObjectID, shopCertificate)
	e.w.until("healthy targets", func() bool {
		found, _ := e.looks()
		v := vital(found[st.ObjectID], models.VitalTargets)
		return v.Want == 2 && v.Have == 2
	})
	return st
}

// TestHealthIsWhatAWSSays goes through what can be wrong with an environment, each by itself.
func TestHealthIsWhatAWSSays(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.shop()
	e.w.until("quiet alarms", func() bool {
		found, _ := e.looks()
		a := models.Assess(found[st.ObjectID].Vitals)
		return a.State == models.Healthy && a.Reason == "2 of 2 tasks run, 2 of 2 targets are healthy, all 2 alarms are quiet"
	})
	service := ""
	for _, r := range st.Resources {
		if r.Type == "AWS::ECS::Service" {
			service = r.PhysicalID
		}
	}
	for _, tc := range []struct {
		name         string
		break_, mend func()
		state        models.Condition
		reason       string
	}{
		{"a slow one", func() { e.put("alarms", map[string]any{"name": "slw-shop-latency", "value": "ALARM"}) }, func() { e.put("alarms", map[string]any{"name": "slw-shop-latency", "value": "OK"}) },
			models.Degraded, "Requests take long"},
		{"one with errors", func() { e.put("alarms", map[string]any{"name": "slw-shop-errors", "value": "ALARM"}) }, func() { e.put("alarms", map[string]any{"name": "slw-shop-errors", "value": "OK"}) },
			models.Failing, "Too many requests fail"},
		{"only the alarm on alarms", func() { e.put("alarms", map[string]any{"name": "slw-shop-wrong", "value": "ALARM"}) }, func() { e.put("alarms", map[string]any{"name": "slw-shop-wrong", "value": "OK"}) },
			models.Degraded, "Something is wrong"},
		{"a crash loop", func() { e.put("services", map[string]any{"name": service, "on": true}) }, func() { e.put("services", map[string]any{"name": service, "on": false}) },
			models.Failing, "0 of 2 tasks run"},
	} {
		tc.break_()
		e.w.until(tc.name, func() bool {
			found, _ := e.looks()
			a := models.Assess(found[st.ObjectID].Vitals)
			return a.State == tc.state && strings.HasPrefix(a.Reason, tc.reason)
		})
		tc.mend()
		e.w.until("the end of "+tc.name, func() bool {
			found, _ := e.looks()
			return models.Assess(found[st.ObjectID].Vitals).State == models.Healthy
		})
	}
}

// TestWhatCannotBeReadIsAGapOfItsPart: each service of AWS denied, throttled and down, and each leaves the others as they are.
func TestWhatCannotBeReadIsAGapOfItsPart(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.shop()
	parts := map[string]struct {
		kind       models.VitalKind
		permission string
	}{
		"DescribeStacks": {models.VitalStack, "cloudformation:DescribeStacks"}, "DescribeServices": {models.VitalTasks, "ecs:DescribeServices"},
		"DescribeTargetHealth": {models.VitalTargets, "elasticloadbalancing:DescribeTargetHealth"}, "DescribeAlarms": {models.VitalAlarm, "cloudwatch:DescribeAlarms"},
		"DescribeCertificate": {models.VitalCertificate, "acm:DescribeCertificate"},
	}
	for op, part := range parts {
		for action, kind := range map[string]models.GapKind{"access_denied": models.GapDenied, "throttle": models.GapThrottled, "error500": models.GapUnavailable} {
			e.w.fault(map[string]any{"op": op, "action": action})
			found, rounds := e.looks()
			e.w.mend()
			for _, v := range found[st.ObjectID].Vitals {
				switch {
				case v.Kind != part.kind && v.Gap != nil:
					t.Errorf("%s %s: a gap of %s, too: %+v", op, action, v.Kind, v.Gap)
				case v.Kind == part.kind && (v.Gap == nil || v.Gap.Kind != kind || v.State != models.Unread):
					t.Errorf("%s %s: %+v", op, action, v)
				case v.Kind == part.kind && kind == models.GapDenied && v.Gap.Permission != part.permission:
					t.Errorf("%s: the missing permission is %q", op, v.Gap.Permission)
				}
			}
			if vital(found[st.ObjectID], part.kind).Gap == nil || len(rounds[0].Gaps) != 1 || rounds[0].At.IsZero() {
				t.Errorf("%s %s: gaps %+v, read at %s", op, action, rounds[0].Gaps, rounds[0].At)
			}
		}
	}
}

// TestADeniedAccountCostsFewCalls: where everything is refused, nothing is read, each kind of call is made once, and every part says why.
func TestADeniedAccountCostsFewCalls(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.shop()
	e.w.fault(map[string]any{"account": accountID, "action": "access_denied"})
	before := e.w.count(`SELECT count(*) FROM calls`)
	found, rounds := e.looks()
	if made := e.w.count(`SELECT count(*) FROM calls`) - before; made > 12 {
		t.Errorf("%d calls were made", made)
	}
	if !rounds[0].At.IsZero() || len(rounds[0].Gaps) < 4 {
		t.Errorf("%+v", rounds[0])
	}
	if r := found[st.ObjectID]; r.Read() || len(r.Vitals) != 5 || models.Assess(r.Vitals).State != models.Unread {
		t.Errorf("%+v", r.Vitals)
	}
}

// TestARoundGoesThroughAllEnvironments, a few at a call, and reads those that are gone as gone.
func TestARoundGoesThroughAllEnvironments(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	for i := range 2*healthAtOnce + 1 {
		st := models.Stack{ObjectID: models.NewID(), ObjectType: models.EnvironmentObject, TenantID: tenantID, AccountID: accountRow, Account: accountID, Region: "eu-west-1", Name: "slw-none",
			StackID: "arn:aws:cloudformation:eu-west-1:" + accountID + ":stack/slw-none/" + models.NewID()}
		request := e.insert(models.CreateEnvironment, models.EnvironmentObject, st.ObjectID, "env-"+string(rune('a'+i)), models.EnvironmentInputs{Name: "env-" + string(rune('a'+i)), Stage: models.Dev, Region: st.Region, AccountID: accountRow}, models.Succeeded)
		st.Blueprint, st.Version, st.ObjectName = "test-path", "1.0.0", "env-"+string(rune('a'+i))
		if err := e.store.Registry().EnsureObject(t.Context(), models.System("test", ""), request, st); err != nil {
			t.Fatal(err)
		}
		e.exec(`UPDATE environments SET state = 'ready' WHERE id = $1`, st.ObjectID)
		e.exec(`UPDATE stacks SET stack_id = $2 WHERE object_id = $1`, st.ObjectID, st.StackID)
	}
	found, rounds := e.looks()
	if len(found) != 2*healthAtOnce+1 || len(rounds) != 3 {
		t.Errorf("%d environments in %d calls", len(found), len(rounds))
	}
	for _, r := range found {
		if a := models.Assess(r.Vitals); a.State != models.Failing || a.Reason != "The stack is gone" {
			t.Errorf("%+v", a)
		}
	}
}

func TestCountTargets(t *testing.T) {
	t.Parallel()
	var list []elbtypes.TargetHealthDescription
	for _, s := range []elbtypes.TargetHealthStateEnum{"healthy", "healthy", "unhealthy", "initial", "draining", "unused", "unavailable"} {
		list = append(list, elbtypes.TargetHealthDescription{TargetHealth: &elbtypes.TargetHealth{State: s}})
	}
	if healthy, all, starting := countTargets(append(list, elbtypes.TargetHealthDescription{})); healthy != 2 || all != 5 || starting != 1 {
		t.Errorf("%d of %d, %d start", healthy, all, starting)
	}
}

func TestChangesOfAlarmsAreRead(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for data, want := range map[string]models.AlarmChange{
		`{"newState": {"stateValue": "ALARM", "stateReason": "Threshold Crossed"}}`: {Alarm: "Latency", At: at, State: "ALARM", Reason: "Threshold Crossed"},
		`not JSON`: {Alarm: "Latency", At: at, State: "OK", Reason: "Alarm updated from ALARM to OK"},
	} {
		got := alarmChangeOf("Latency", cwtypes.AlarmHistoryItem{Timestamp: &at, HistoryData: &data, HistorySummary: sdk.String("Alarm updated from ALARM to OK")})
		if got != want {
			t.Errorf("got %+v", got)
		}
	}
	for physical, want := range map[string]string{"slw-a": "slw-a", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:slw-a": "slw-a", "odd:alarm:name": "odd:alarm:name"} {
		if got := alarmName(physical); got != want {
			t.Errorf("%s is called %s", physical, got)
		}
	}
	if !watchesErrors(cwtypes.MetricAlarm{Metrics: []cwtypes.MetricDataQuery{{}, {MetricStat: &cwtypes.MetricStat{Metric: &cwtypes.Metric{MetricName: sdk.String("HTTPCode_ELB_5XX_Count")}}}}}) || watchesErrors(cwtypes.MetricAlarm{MetricName: sdk.String("CPUUtilization")}) {
		t.Error("which alarms watch for errors is not told by their metrics")
	}
}

// TestCertificatesAreAskedForSeldom: what is known of a certificate is not asked for again within half a day, but is judged anew.
func TestCertificatesAreAskedForSeldom(t *testing.T) {
	t.Parallel()
	c := (&world{t: t, url: "http://127.0.0.1:1"}).clients(asWorker, nil)
	now := c.Clock.Wall()
	was := models.JudgeCertificate("Certificate", "arn:c", "ISSUED", now.AddDate(0, 0, 31), now.Add(-11*time.Hour))
	h := NewHealth(c, watchedBy{{ID: models.NewID(), Stack: models.Stack{Resources: []models.StackResource{{LogicalID: "Certificate", PhysicalID: "arn:c", Type: "AWS::CertificateManager::Certificate"}}}, Vitals: []models.Vital{was}}})
	l, err := h.Collect(t.Context(), shopTarget())
	if err != nil {
		t.Fatal(err)
	}
	got := vital(l.Environments[0], models.VitalCertificate)
	if got.Gap != nil || !got.ReadAt.Equal(was.ReadAt) || !got.Expires.Equal(was.Expires) {
		t.Errorf("%+v", got)
	}
}

// watchedBy is a book of environments that nobody keeps.
type watchedBy []models.WatchedEnvironment

func (w watchedBy) Watched(context.Context, models.CollectTarget, string, int) ([]models.WatchedEnvironment, error) {
	return slices.Clone(w), nil
}
