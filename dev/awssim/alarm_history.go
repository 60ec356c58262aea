package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// describeAlarmHistory tells when alarms were made and when their states changed, in the last
// thirty days. Actions are not told of: the simulator carries none out.
func describeAlarmHistory(ctx context.Context, c *Call, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	name := aws.ToString(in.AlarmName)
	resource := arn("cloudwatch", c.Region, c.Account, "alarm:*")
	if name != "" {
		resource = arn("cloudwatch", c.Region, c.Account, "alarm:"+name)
	}
	if err := c.may(ctx, resource, nil); err != nil {
		return nil, err
	}
	if in.StartDate != nil && in.EndDate != nil && in.StartDate.After(*in.EndDate) {
		return nil, refuse(http.StatusBadRequest, "ValidationError", "StartDate must be before EndDate.")
	}
	turns, metrics, composites, err := c.alarmTurns(ctx)
	if err != nil {
		return nil, err
	}
	all := alarmsOf(in.AlarmTypes, metrics, composites)
	items := []cwtypes.AlarmHistoryItem{}
	for _, t := range all {
		if name == "" || name == t.Physical {
			items = append(items, historyOf(t, turns[t.Physical])...)
		}
	}
	begin, end := later(aws.ToTime(in.StartDate), c.Now.Add(-alarmHistory)), c.Now
	if in.EndDate != nil {
		end = *in.EndDate
	}
	items = slices.DeleteFunc(items, func(i cwtypes.AlarmHistoryItem) bool {
		return i.Timestamp.Before(begin) || i.Timestamp.After(end) || in.HistoryItemType != "" && i.HistoryItemType != in.HistoryItemType
	})
	slices.SortStableFunc(items, func(a, b cwtypes.AlarmHistoryItem) int {
		if in.ScanBy != cwtypes.ScanByTimestampAscending {
			a, b = b, a
		}
		if n := a.Timestamp.Compare(*b.Timestamp); n != 0 {
			return n
		}
		return strings.Compare(*a.AlarmName, *b.AlarmName)
	})
	most := in.MaxRecords
	if most == nil {
		most = aws.Int32(50)
	}
	some, next, err := page(items, in.NextToken, most, 100)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidNextToken", "The next token is not valid.")
	}
	return &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: some, NextToken: next}, nil
}

func historyOf(t *thing, turns []alarmState) []cwtypes.AlarmHistoryItem {
	kind := cwtypes.AlarmTypeMetricAlarm
	if t.Type == cwComposite {
		kind = cwtypes.AlarmTypeCompositeAlarm
	}
	item := func(at time.Time, typ cwtypes.HistoryItemType, summary, data string) cwtypes.AlarmHistoryItem {
		return cwtypes.AlarmHistoryItem{AlarmName: &t.Physical, AlarmType: kind, Timestamp: &at, HistoryItemType: typ, HistorySummary: &summary, HistoryData: &data}
	}
	out := []cwtypes.AlarmHistoryItem{item(t.Made, cwtypes.HistoryItemTypeConfigurationUpdate, fmt.Sprintf("Alarm %q created", t.Physical), `{"type":"Create","version":"1.0"}`)}
	for i := 1; i < len(turns); i++ {
		was, is := turns[i-1], turns[i]
		out = append(out, item(is.Since, cwtypes.HistoryItemTypeStateUpdate, fmt.Sprintf("Alarm updated from %s to %s", was.Value, is.Value), stateData(was, is)))
	}
	return out
}

func stateData(was, is alarmState) string {
	side := func(s alarmState) map[string]any {
		return map[string]any{"stateValue": s.Value, "stateReason": s.Reason}
	}
	b, err := json.Marshal(map[string]any{"version": "1.0", "oldState": side(was), "newState": side(is)})
	if err != nil {
		return "{}" // text and names always encode
	}
	return string(b)
}
