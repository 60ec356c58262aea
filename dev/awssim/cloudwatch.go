package awssim

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

const (
	cwAlarm     = "AWS::CloudWatch::Alarm"
	cwComposite = "AWS::CloudWatch::CompositeAlarm"
)

func cloudwatchOperations() []operation {
	return []operation{
		handle("cloudwatch", "DescribeAlarms", describeAlarms),
		handle("cloudwatch", "DescribeAlarmHistory", describeAlarmHistory),
		handle("cloudwatch", "GetMetricData", getMetricData),
	}
}

// alarmTurns are the states that all alarms of the call's account and region have been in, by name.
func (c *Call) alarmTurns(ctx context.Context) (map[string][]alarmState, []*thing, []*thing, error) {
	sc, err := c.sceneOf(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	metrics, err := c.own(ctx, cwAlarm)
	if err != nil {
		return nil, nil, nil, err
	}
	composites, err := c.own(ctx, cwComposite)
	if err != nil {
		return nil, nil, nil, err
	}
	turns := map[string][]alarmState{}
	for _, t := range metrics {
		turns[t.Physical] = sc.turns(t)
	}
	for range len(composites) + 1 { // one may stand on another
		for _, t := range composites {
			turns[t.Physical] = compositeTurns(t, turns)
		}
	}
	return turns, metrics, composites, nil
}

// alarmStates are the states they are in now.
func (c *Call) alarmStates(ctx context.Context) (map[string]alarmState, []*thing, []*thing, error) {
	turns, metrics, composites, err := c.alarmTurns(ctx)
	states := map[string]alarmState{}
	for name, all := range turns {
		states[name] = all[len(all)-1]
	}
	return states, metrics, composites, err
}

// compositeState evaluates an alarm on alarms.
func compositeState(t *thing, states map[string]alarmState) alarmState {
	rule := &alarmRule{text: textOf(t.Properties["AlarmRule"]), states: states}
	value, ok := rule.either()
	if rule.space(); !ok || rule.text != "" {
		return alarmState{cwtypes.StateValueInsufficientData, "The rule could not be evaluated.", t.Made}
	}
	out := alarmState{cwtypes.StateValueOk, t.ARN + " transitioned to OK", t.Made}
	if value {
		out.Value, out.Reason = cwtypes.StateValueAlarm, t.ARN+" transitioned to ALARM"
	}
	return out
}

// alarmsOf are the alarms of some types; as in AWS, those on metrics when none is named.
func alarmsOf(types []cwtypes.AlarmType, metrics, composites []*thing) (all []*thing) {
	if len(types) == 0 || slices.Contains(types, cwtypes.AlarmTypeMetricAlarm) {
		all = append(all, metrics...)
	}
	if slices.Contains(types, cwtypes.AlarmTypeCompositeAlarm) {
		all = append(all, composites...)
	}
	return all
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
	all := alarmsOf(in.AlarmTypes, metrics, composites)
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
