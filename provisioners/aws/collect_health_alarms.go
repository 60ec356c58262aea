package aws

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"slipway/models"
)

const (
	alarmsAtOnce  = 100            // of one call
	historiesMost = 10             // alarms whose history one look reads; what is left is read in the next round
	historyBack   = 24 * time.Hour // of an alarm that was not known before
)

// ofAlarm is an alarm of an environment.
type ofAlarm struct {
	of            *looked
	name, logical string
}

// alarmName is the name in what CloudFormation calls an alarm: composite ones it calls by their ARN.
func alarmName(physical string) string {
	if _, name, ok := strings.Cut(physical, ":alarm:"); ok && strings.HasPrefix(physical, "arn:") {
		return name
	}
	return physical
}

// alarms reads the state of all alarms, up to a hundred in one call, and how those have changed that did since the last round.
func (l *look) alarms(ctx context.Context) error {
	var all []ofAlarm
	for _, e := range l.all {
		for _, kind := range []string{"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"} {
			for _, r := range e.resources(kind) {
				all = append(all, ofAlarm{e, alarmName(r.PhysicalID), r.LogicalID})
			}
		}
	}
	api := cloudwatch.NewFromConfig(l.config)
	states := map[string]models.Alarm{}
	missed := map[*looked]*models.ReadGap{}
	for rest := all; len(rest) > 0; rest = rest[min(len(rest), alarmsAtOnce):] {
		some := rest[:min(len(rest), alarmsAtOnce)]
		g, err := l.ask("DescribeAlarms", "its alarms", func() error { return describeAlarms(ctx, api, some, states) })
		if err != nil {
			return err
		}
		if g != nil {
			for _, a := range some {
				missed[a.of] = g
			}
		}
	}
	for _, e := range l.all {
		if g := missed[e]; g != nil {
			e.found(models.GapVital(models.VitalAlarm, "alarms", "", *g))
		}
	}
	rings := map[*looked]bool{}
	for _, a := range all {
		if s := states[a.name]; s.State == "ALARM" && !s.Composite {
			rings[a.of] = true
		}
	}
	asked := 0
	for _, a := range all {
		if missed[a.of] != nil {
			continue
		}
		if err := l.alarm(ctx, api, a, states, rings[a.of], &asked); err != nil {
			return err
		}
	}
	return nil
}

// alarm judges one alarm. One on other alarms counts only when none of them rings: it says nothing more than they do.
func (l *look) alarm(ctx context.Context, api *cloudwatch.Client, a ofAlarm, states map[string]models.Alarm, rings bool, asked *int) error {
	s, ok := states[a.name]
	if !ok {
		a.of.found(models.GapVital(models.VitalAlarm, a.logical, a.name, models.ReadGap{What: "the alarm " + a.logical, Kind: models.GapAbsent, Words: "CloudWatch knows no alarm " + a.name + "."}))
		return nil
	}
	s.Logical = a.logical
	if s.Composite && (s.State != "ALARM" || rings) {
		return nil
	}
	v := models.JudgeAlarm(s)
	was, known := a.of.was(models.VitalAlarm, a.name)
	known = known && was.Gap == nil
	changed := known && (was.Owed || s.Since.After(was.Since)) || !known && s.State == "ALARM"
	if changed && !s.Composite {
		from := l.now.Add(-historyBack)
		if known && was.Since.After(from) {
			from = was.Since
		}
		read, err := l.history(ctx, api, a, from, asked)
		if err != nil {
			return err
		}
		v.Owed = !read
	}
	a.of.found(v)
	return nil
}

// history reads how an alarm has changed. It is false while it is still to be read.
func (l *look) history(ctx context.Context, api *cloudwatch.Client, a ofAlarm, from time.Time, asked *int) (bool, error) {
	if *asked >= historiesMost {
		return false, nil
	}
	*asked++
	g, err := l.ask("DescribeAlarmHistory", "how its alarms changed", func() error {
		out, err := api.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{AlarmName: &a.name, HistoryItemType: cwtypes.HistoryItemTypeStateUpdate, StartDate: &from, EndDate: &l.now,
			MaxRecords: sdk.Int32(100), ScanBy: cwtypes.ScanByTimestampDescending})
		if err != nil {
			return err
		}
		for _, item := range out.AlarmHistoryItems {
			a.of.changes = append(a.of.changes, alarmChangeOf(a.logical, item))
		}
		return nil
	})
	if g != nil && !hasVital(a.of.vitals, models.VitalHistory) {
		a.of.found(models.GapVital(models.VitalHistory, "history", "", *g))
	}
	return g == nil && err == nil, err
}

func hasVital(all []models.Vital, kind models.VitalKind) bool {
	for _, v := range all {
		if v.Kind == kind {
			return true
		}
	}
	return false
}

// alarmChangeOf reads what CloudWatch writes into its history as JSON; the summary says the state in words where that cannot be read.
func alarmChangeOf(logical string, item cwtypes.AlarmHistoryItem) models.AlarmChange {
	c := models.AlarmChange{Alarm: logical, At: sdk.ToTime(item.Timestamp), Reason: clip(sdk.ToString(item.HistorySummary), 400)}
	var data struct {
		NewState struct {
			StateValue  string `json:"stateValue"`
			StateReason string `json:"stateReason"`
		} `json:"newState"`
	}
	if json.Unmarshal([]byte(sdk.ToString(item.HistoryData)), &data) == nil && data.NewState.StateValue != "" {
		c.State = data.NewState.StateValue
		if data.NewState.StateReason != "" {
			c.Reason = clip(data.NewState.StateReason, 400)
		}
		return c
	}
	if words := strings.Fields(c.Reason); len(words) > 0 { // Alarm updated from OK to ALARM
		c.State = words[len(words)-1]
	}
	return c
}

// describeAlarms reads alarms by name into states.
func describeAlarms(ctx context.Context, api *cloudwatch.Client, some []ofAlarm, states map[string]models.Alarm) error {
	in := &cloudwatch.DescribeAlarmsInput{AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm}, MaxRecords: sdk.Int32(alarmsAtOnce)}
	for _, a := range some {
		in.AlarmNames = append(in.AlarmNames, a.name)
	}
	for range 10 { // a hundred names fill one page
		out, err := api.DescribeAlarms(ctx, in)
		if err != nil {
			return err
		}
		for _, a := range out.MetricAlarms {
			states[sdk.ToString(a.AlarmName)] = models.Alarm{Name: sdk.ToString(a.AlarmName), Words: clip(sdk.ToString(a.AlarmDescription), 300), State: string(a.StateValue), Reason: clip(sdk.ToString(a.StateReason), 300),
				Since: sinceOf(a.StateTransitionedTimestamp, a.StateUpdatedTimestamp), Errors: watchesErrors(a)}
		}
		for _, a := range out.CompositeAlarms {
			states[sdk.ToString(a.AlarmName)] = models.Alarm{Name: sdk.ToString(a.AlarmName), Words: clip(sdk.ToString(a.AlarmDescription), 300), State: string(a.StateValue), Reason: clip(sdk.ToString(a.StateReason), 300),
				Since: sinceOf(a.StateTransitionedTimestamp, a.StateUpdatedTimestamp), Composite: true}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return nil
		}
	}
	return nil
}

func sinceOf(turned, updated *time.Time) time.Time {
	if turned != nil {
		return *turned
	}
	return sdk.ToTime(updated)
}

// watchesErrors tells an alarm on server errors by what it measures.
func watchesErrors(a cwtypes.MetricAlarm) bool {
	names := []string{sdk.ToString(a.MetricName)}
	for _, m := range a.Metrics {
		if m.MetricStat != nil && m.MetricStat.Metric != nil {
			names = append(names, sdk.ToString(m.MetricStat.Metric.MetricName))
		}
	}
	for _, n := range names {
		if strings.Contains(strings.ToUpper(n), "5XX") {
			return true
		}
	}
	return false
}
