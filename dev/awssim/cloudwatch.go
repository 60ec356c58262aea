package awssim

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

const (
	cwAlarm     = "AWS::CloudWatch::Alarm"
	cwComposite = "AWS::CloudWatch::CompositeAlarm"

	alarmLearns = 3 * time.Minute // until the first periods of a new alarm are over
)

func cloudwatchOperations() []operation {
	return []operation{handle("cloudwatch", "DescribeAlarms", describeAlarms)}
}

// alarmState is the state an alarm is in.
type alarmState struct {
	Value  cwtypes.StateValue
	Reason string
	Since  time.Time
}

// alarmStates are the states of all alarms of the call's account and region, by name.
func (c *Call) alarmStates(ctx context.Context) (map[string]alarmState, []*thing, []*thing, error) {
	metrics, err := c.own(ctx, cwAlarm)
	if err != nil {
		return nil, nil, nil, err
	}
	composites, err := c.own(ctx, cwComposite)
	if err != nil {
		return nil, nil, nil, err
	}
	states := map[string]alarmState{}
	for _, t := range metrics {
		if states[t.Physical], err = c.metricState(ctx, t); err != nil {
			return nil, nil, nil, err
		}
	}
	for range len(composites) + 1 { // one may stand on another
		for _, t := range composites {
			states[t.Physical] = compositeState(t, states)
		}
	}
	return states, metrics, composites, nil
}

// forced is the state a person gave an alarm on the simulator's page.
func forced(t *thing) (alarmState, bool) {
	value := textOf(t.State["alarm"])
	since, err := time.Parse(time.RFC3339Nano, textOf(t.State["alarm_since"]))
	if value == "" || err != nil {
		return alarmState{}, false
	}
	return alarmState{cwtypes.StateValue(value), "Set by hand on the simulator's page.", since}, true
}

// metricState derives the state of an alarm from the world: a service or a target group in
// trouble is seen by the alarms on it, everything else is well.
func (c *Call) metricState(ctx context.Context, t *thing) (alarmState, error) {
	if s, ok := forced(t); ok {
		return s, nil
	}
	since := t.Made.Add(c.Sim.scaled(alarmLearns))
	if c.Now.Before(since) {
		return alarmState{cwtypes.StateValueInsufficientData, "Unchecked: Initial alarm creation", t.Made}, nil
	}
	metrics := []map[string]any{t.Properties}
	for _, m := range listOf(t.Properties["Metrics"]) {
		metrics = append(metrics, mapOf(mapOf(m["MetricStat"])["Metric"]))
	}
	for _, m := range metrics {
		trouble, at, err := c.metricTrouble(ctx, m)
		if err != nil {
			return alarmState{}, err
		}
		if trouble != "" {
			return alarmState{cwtypes.StateValueAlarm, "Threshold Crossed: " + trouble, at}, nil
		}
	}
	return alarmState{cwtypes.StateValueOk, "Threshold Crossed: no datapoints were beyond the threshold.", since}, nil
}

// metricTrouble is what is wrong with what a metric measures, and since when.
func (c *Call) metricTrouble(ctx context.Context, metric map[string]any) (string, time.Time, error) {
	services, err := c.own(ctx, ecsService)
	if err != nil {
		return "", c.Now, err
	}
	of, err := c.balancersOf(ctx)
	if err != nil {
		return "", c.Now, err
	}
	for _, s := range services {
		if !measures(metric, s, of) {
			continue
		}
		now, err := c.runs(ctx, s, c.Now)
		if err != nil {
			return "", c.Now, err
		}
		if now.desired > 0 && now.running == 0 && now.trouble != "" {
			return textOf(metric["MetricName"]) + ": " + now.trouble, now.since, nil
		}
	}
	return "", c.Now, nil
}

// measures says whether a metric would show that a service has no task; of are the load
// balancers of each target group.
func measures(metric map[string]any, service *thing, of map[string][]string) bool {
	dimensions := map[string]string{}
	for _, d := range listOf(metric["Dimensions"]) {
		dimensions[textOf(d["Name"])] = textOf(d["Value"])
	}
	name := textOf(metric["MetricName"])
	switch textOf(metric["Namespace"]) {
	case "AWS/ECS", "ECS/ContainerInsights":
		return strings.Contains(name, "TaskCount") && dimensions["ServiceName"] == textOf(service.Attributes["Name"]) && dimensions["ClusterName"] == clusterName(textOf(service.Properties["Cluster"]))
	case "AWS/ApplicationELB":
		if !slices.Contains([]string{"UnHealthyHostCount", "HealthyHostCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"}, name) {
			return false
		}
		for _, b := range listOf(service.Properties["LoadBalancers"]) {
			group := textOf(b["TargetGroupArn"])
			if dimensions["TargetGroup"] != "" && !strings.HasSuffix(group, ":"+dimensions["TargetGroup"]) {
				continue
			}
			if slices.ContainsFunc(of[group], func(a string) bool { return strings.HasSuffix(a, ":loadbalancer/"+dimensions["LoadBalancer"]) }) {
				return true
			}
		}
	}
	return false
}

// compositeState evaluates an alarm on alarms.
func compositeState(t *thing, states map[string]alarmState) alarmState {
	if s, ok := forced(t); ok {
		return s
	}
	rule := &alarmRule{text: textOf(t.Properties["AlarmRule"]), states: states}
	value, ok := rule.either()
	if rule.space(); !ok || rule.text != "" {
		return alarmState{cwtypes.StateValueInsufficientData, "The rule could not be evaluated.", t.Made}
	}
	out := alarmState{cwtypes.StateValueOk, t.ARN + " transitioned to OK", t.Made}
	if value {
		out.Value, out.Reason = cwtypes.StateValueAlarm, t.ARN+" transitioned to ALARM"
	}
	for _, name := range rule.names {
		if s := states[name]; s.Since.After(out.Since) {
			out.Since = s.Since
		}
	}
	return out
}

func describeAlarms(ctx context.Context, c *Call, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	if err := c.may(ctx, arn("cloudwatch", c.Region, c.Account, "alarm:*"), nil); err != nil {
		return nil, err
	}
	if in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil || in.ActionPrefix != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidParameterValue", "The simulator plays no ChildrenOfAlarmName, ParentsOfAlarmName and ActionPrefix.")
	}
	if len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil {
		return nil, refuse(http.StatusBadRequest, "ValidationError", "AlarmNamePrefix and AlarmNames cannot be specified at the same time")
	}
	states, metrics, composites, err := c.alarmStates(ctx)
	if err != nil {
		return nil, err
	}
	var all []*thing
	if len(in.AlarmTypes) == 0 || slices.Contains(in.AlarmTypes, cwtypes.AlarmTypeMetricAlarm) {
		all = append(all, metrics...)
	}
	if slices.Contains(in.AlarmTypes, cwtypes.AlarmTypeCompositeAlarm) {
		all = append(all, composites...)
	}
	all = slices.DeleteFunc(all, func(t *thing) bool {
		return (len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, t.Physical)) || !strings.HasPrefix(t.Physical, aws.ToString(in.AlarmNamePrefix)) || (in.StateValue != "" && states[t.Physical].Value != in.StateValue)
	})
	slices.SortFunc(all, func(a, b *thing) int { return strings.Compare(a.Physical, b.Physical) })
	most := in.MaxRecords
	if most == nil {
		most = aws.Int32(50)
	}
	some, next, err := page(all, in.NextToken, most, 100)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidNextToken", "The next token is not valid.")
	}
	out := &cloudwatch.DescribeAlarmsOutput{NextToken: next, MetricAlarms: []cwtypes.MetricAlarm{}, CompositeAlarms: []cwtypes.CompositeAlarm{}}
	for _, t := range some {
		if t.Type == cwComposite {
			out.CompositeAlarms = append(out.CompositeAlarms, compositeOut(t, states[t.Physical]))
		} else {
			out.MetricAlarms = append(out.MetricAlarms, metricOut(t, states[t.Physical]))
		}
	}
	return out, nil
}

func metricOut(t *thing, s alarmState) cwtypes.MetricAlarm {
	p := t.Properties
	out := cwtypes.MetricAlarm{AlarmName: &t.Physical, AlarmArn: &t.ARN, AlarmDescription: optional(textOf(p["AlarmDescription"])), Namespace: optional(textOf(p["Namespace"])), MetricName: optional(textOf(p["MetricName"])),
		StateValue: s.Value, StateReason: &s.Reason, StateUpdatedTimestamp: &s.Since, StateTransitionedTimestamp: &s.Since, AlarmConfigurationUpdatedTimestamp: &t.Made,
		ComparisonOperator: cwtypes.ComparisonOperator(textOf(p["ComparisonOperator"])), Statistic: cwtypes.Statistic(textOf(p["Statistic"])), ExtendedStatistic: optional(textOf(p["ExtendedStatistic"])),
		TreatMissingData: optional(textOf(p["TreatMissingData"])), AlarmActions: texts(p["AlarmActions"]), OKActions: texts(p["OKActions"]), InsufficientDataActions: texts(p["InsufficientDataActions"]),
		ActionsEnabled: aws.Bool(p["ActionsEnabled"] == nil || yes(p["ActionsEnabled"])), EvaluationPeriods: aws.Int32(int32(numberOf(p["EvaluationPeriods"], 1)))}
	if p["Threshold"] != nil {
		out.Threshold = aws.Float64(numberOf(p["Threshold"], 0))
	}
	if p["Period"] != nil {
		out.Period = aws.Int32(int32(numberOf(p["Period"], 60)))
	}
	for _, d := range listOf(p["Dimensions"]) {
		out.Dimensions = append(out.Dimensions, cwtypes.Dimension{Name: aws.String(textOf(d["Name"])), Value: aws.String(textOf(d["Value"]))})
	}
	return out
}

func compositeOut(t *thing, s alarmState) cwtypes.CompositeAlarm {
	p := t.Properties
	return cwtypes.CompositeAlarm{AlarmName: &t.Physical, AlarmArn: &t.ARN, AlarmDescription: optional(textOf(p["AlarmDescription"])), AlarmRule: optional(textOf(p["AlarmRule"])), StateValue: s.Value, StateReason: &s.Reason,
		StateUpdatedTimestamp: &s.Since, StateTransitionedTimestamp: &s.Since, AlarmConfigurationUpdatedTimestamp: &t.Made, AlarmActions: texts(p["AlarmActions"]), OKActions: texts(p["OKActions"]),
		ActionsEnabled: aws.Bool(p["ActionsEnabled"] == nil || yes(p["ActionsEnabled"]))}
}
