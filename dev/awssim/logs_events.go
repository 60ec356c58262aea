package awssim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

func logsOperations() []operation {
	return []operation{
		handle("logs", "GetLogEvents", getLogEvents),
		handle("logs", "FilterLogEvents", filterLogEvents),
		handle("logs", "DescribeLogStreams", describeLogStreams),
	}
}

// What one answer holds at most.
const (
	mostEvents     = 10000
	mostEventBytes = 1 << 20
	eventOverhead  = 26
)

func logsParameter(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidParameterException", format, args...)
}

func noLog(what string) error {
	return refuse(http.StatusBadRequest, "ResourceNotFoundException", "The specified log %s does not exist.", what)
}

// logStream is a stream of a group: only builds write any here.
type logStream struct {
	name  string
	lines []logLine
}

// groupName is the group that a call names by its name or ARN.
func groupName(name, identifier *string) (string, error) {
	if (name == nil) == (identifier == nil) {
		return "", logsParameter("Exactly one of logGroupName and logGroupIdentifier is needed")
	}
	if name != nil {
		return *name, nil
	}
	if _, rest, ok := strings.Cut(*identifier, ":log-group:"); ok {
		return strings.TrimSuffix(rest, ":*"), nil
	}
	return *identifier, nil
}

// streams are those of a group that have something in them, the oldest first. A build makes its
// group when there is none.
func (c *Call) streams(ctx context.Context, group string) ([]logStream, error) {
	all, err := c.builds(ctx, `account = $1 AND region = $2 AND body->>'Group' = $3 ORDER BY seq`, c.Account, c.Region, group)
	if err != nil {
		return nil, err
	}
	var out []logStream
	for _, b := range all {
		if lines := b.lines(c.Now); len(lines) > 0 {
			out = append(out, logStream{b.Stream, lines})
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	t, err := c.thing(ctx, c.Account, c.Region, "AWS::Logs::LogGroup", group)
	if err == nil && t == nil {
		err = noLog("group")
	}
	return nil, err
}

func streamARN(c *Call, group, stream string) string {
	return arn("logs", c.Region, c.Account, "log-group:"+group+":log-stream:"+stream)
}

// getLogEvents reads a stream forward or back. The tokens say where; at an end the same token
// comes back again, and more may follow it later.
func getLogEvents(ctx context.Context, c *Call, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.LogStreamName)
	if err := c.may(ctx, streamARN(c, group, name), nil); err != nil {
		return nil, err
	}
	all, err := c.builds(ctx, `account = $1 AND region = $2 AND body->>'Group' = $3 AND body->>'Stream' = $4`, c.Account, c.Region, group, name)
	if err != nil {
		return nil, err
	}
	var lines []logLine
	if len(all) > 0 {
		lines = all[0].lines(c.Now)
	}
	if len(lines) == 0 {
		if _, err := c.streams(ctx, group); err != nil {
			return nil, err
		}
		return nil, noLog("stream")
	}
	limit := mostEvents
	if in.Limit != nil {
		if limit = int(*in.Limit); limit < 1 || limit > mostEvents {
			return nil, logsParameter("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and %d", limit, mostEvents)
		}
	}
	at, back := len(lines), !aws.ToBool(in.StartFromHead)
	if !back {
		at = 0
	}
	if token := aws.ToString(in.NextToken); token != "" {
		if at, back, err = readLogToken(token, len(lines)); err != nil {
			return nil, err
		}
	}
	from, to := logPage(lines, at, limit, back)
	out := &cloudwatchlogs.GetLogEventsOutput{Events: []logstypes.OutputLogEvent{}, NextForwardToken: logToken("f", to), NextBackwardToken: logToken("b", from)}
	for _, l := range lines[from:to] {
		if inTime(l, in.StartTime, in.EndTime) {
			ms := l.at.UnixMilli()
			out.Events = append(out.Events, logstypes.OutputLogEvent{Message: aws.String(l.text), Timestamp: &ms, IngestionTime: aws.Int64(ms + 200)})
		}
	}
	return out, nil
}

// logPage is the part of a stream that goes into one answer, beginning or ending at a place.
func logPage(lines []logLine, at, limit int, back bool) (from, to int) {
	from, to = at, at
	for size := 0; to-from < limit; {
		next := to
		if back {
			next = from - 1
		}
		if next < 0 || next >= len(lines) {
			break
		}
		if size += len(lines[next].text) + eventOverhead; size > mostEventBytes {
			break
		}
		if back {
			from--
		} else {
			to++
		}
	}
	return from, to
}

func logToken(way string, at int) *string { return aws.String(fmt.Sprintf("%s/%056d/s", way, at)) }

func readLogToken(token string, most int) (at int, back bool, err error) {
	parts := strings.Split(token, "/")
	if len(parts) == 3 && (parts[0] == "f" || parts[0] == "b") {
		at, err = strconv.Atoi(strings.TrimLeft(parts[1], "0") + "0")
		at /= 10
		if err == nil && at >= 0 && at <= most {
			return at, parts[0] == "b", nil
		}
	}
	return 0, false, logsParameter("The specified nextToken is invalid.")
}

// inTime says whether a line is of a time: the beginning counts, the end does not.
func inTime(l logLine, start, end *int64) bool {
	ms := l.at.UnixMilli()
	return (start == nil || ms >= *start) && (end == nil || ms < *end)
}

func describeLogStreams(ctx context.Context, c *Call, in *cloudwatchlogs.DescribeLogStreamsInput) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if err := c.may(ctx, streamARN(c, group, ""), nil); err != nil {
		return nil, err
	}
	if in.OrderBy == logstypes.OrderByLastEventTime && in.LogStreamNamePrefix != nil {
		return nil, logsParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	all, err := c.streams(ctx, group)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s logStream) bool { return !strings.HasPrefix(s.name, aws.ToString(in.LogStreamNamePrefix)) })
	slices.SortStableFunc(all, func(a, b logStream) int {
		if in.OrderBy == logstypes.OrderByLastEventTime {
			return lastLine(a).Compare(lastLine(b))
		}
		return strings.Compare(a.name, b.name)
	})
	if aws.ToBool(in.Descending) {
		slices.Reverse(all)
	}
	some, next, err := page(all, in.NextToken, in.Limit, 50)
	if err != nil {
		return nil, logsParameter("The specified nextToken or limit is invalid.")
	}
	out := &cloudwatchlogs.DescribeLogStreamsOutput{NextToken: next, LogStreams: []logstypes.LogStream{}}
	for _, s := range some {
		first, ends := s.lines[0].at.UnixMilli(), lastLine(s).UnixMilli()
		out.LogStreams = append(out.LogStreams, logstypes.LogStream{LogStreamName: aws.String(s.name), Arn: aws.String(streamARN(c, group, s.name)), CreationTime: &first, FirstEventTimestamp: &first,
			LastEventTimestamp: &ends, LastIngestionTime: aws.Int64(ends + 200)})
	}
	return out, nil
}

func lastLine(s logStream) time.Time { return s.lines[len(s.lines)-1].at }

// filterLogEvents looks through a group, by words: all of them, none of those after a minus sign,
// one of those after a question mark.
func filterLogEvents(ctx context.Context, c *Call, in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if err := c.may(ctx, streamARN(c, group, ""), nil); err != nil {
		return nil, err
	}
	pattern, err := readPattern(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, err
	}
	all, err := c.streams(ctx, group)
	if err != nil {
		return nil, err
	}
	var events []logstypes.FilteredLogEvent
	for _, s := range all {
		if (len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, s.name)) || !strings.HasPrefix(s.name, aws.ToString(in.LogStreamNamePrefix)) {
			continue
		}
		for i, l := range s.lines {
			if ms := l.at.UnixMilli(); inTime(l, in.StartTime, in.EndTime) && pattern.fits(l.text) {
				events = append(events, logstypes.FilteredLogEvent{EventId: aws.String(fmt.Sprintf("%040d%s%06d", ms, s.name[len(s.name)-min(8, len(s.name)):], i)), LogStreamName: aws.String(s.name), Message: aws.String(l.text), Timestamp: &ms, IngestionTime: aws.Int64(ms + 200)})
			}
		}
	}
	slices.SortStableFunc(events, func(a, b logstypes.FilteredLogEvent) int { return int(*a.Timestamp - *b.Timestamp) })
	some, next, err := page(events, in.NextToken, in.Limit, mostEvents)
	if err != nil {
		return nil, logsParameter("The specified nextToken or limit is invalid.")
	}
	size := 0
	for i, e := range some {
		if size += len(*e.Message) + eventOverhead; size > mostEventBytes && i > 0 { // the rest is on the next page
			return filterLogEvents(ctx, c, shorter(in, i))
		}
	}
	return &cloudwatchlogs.FilterLogEventsOutput{NextToken: next, Events: append([]logstypes.FilteredLogEvent{}, some...), SearchedLogStreams: []logstypes.SearchedLogStream{}}, nil
}

func shorter(in *cloudwatchlogs.FilterLogEventsInput, limit int) *cloudwatchlogs.FilterLogEventsInput {
	again := *in
	again.Limit = aws.Int32(int32(limit))
	return &again
}
