package awssim

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

const (
	mostQueries    = 500
	mostDatapoints = 100_800
)

func badMetric(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "ValidationError", format, args...)
}

var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]{0,254}$`)

// points are a query's answer, oldest first.
type points struct {
	at     []time.Time
	values []float64
}

func getMetricData(ctx context.Context, c *Call, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	if err := c.checkQueries(in); err != nil {
		return nil, err
	}
	most := mostDatapoints
	if in.MaxDatapoints != nil {
		most = int(*in.MaxDatapoints)
	}
	from, err := metricToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	sc, err := c.sceneOf(ctx)
	if err != nil {
		return nil, err
	}
	got := map[string]points{}
	for _, q := range in.MetricDataQueries {
		if q.MetricStat != nil {
			if got[*q.Id], err = sc.points(q.MetricStat, in.StartTime.UTC(), in.EndTime.UTC()); err != nil {
				return nil, err
			}
		}
	}
	for _, q := range in.MetricDataQueries {
		if q.Expression != nil {
			if got[*q.Id], err = computed(*q.Expression, got); err != nil {
				return nil, badMetric("Error in expression '%s': %v", *q.Id, err)
			}
		}
	}
	return metricPage(in, got, from, most), nil
}

func (c *Call) checkQueries(in *cloudwatch.GetMetricDataInput) error {
	switch {
	case len(in.MetricDataQueries) == 0:
		return badMetric("The parameter MetricDataQueries is required.")
	case len(in.MetricDataQueries) > mostQueries:
		return badMetric("The collection MetricDataQueries must not have a size greater than %d.", mostQueries)
	case in.StartTime == nil || in.EndTime == nil || !in.StartTime.Before(*in.EndTime):
		return badMetric("The parameter StartTime must be less than the parameter EndTime.")
	case in.MaxDatapoints != nil && (*in.MaxDatapoints < 1 || *in.MaxDatapoints > mostDatapoints):
		return badMetric("The parameter MaxDatapoints must be between 1 and %d.", mostDatapoints)
	}
	seen := map[string]bool{}
	for _, q := range in.MetricDataQueries {
		id := aws.ToString(q.Id)
		switch {
		case !queryID.MatchString(id):
			return badMetric("The value '%s' for parameter Id is not matching the expected pattern.", id)
		case seen[id]:
			return badMetric("The values for parameter Id are not unique: %s.", id)
		case (q.MetricStat == nil) == (q.Expression == nil):
			return badMetric("The query %s needs either a MetricStat or an Expression.", id)
		case q.AccountId != nil && *q.AccountId != c.Account:
			return badMetric("The simulator has no links between accounts; ask account %s itself.", *q.AccountId)
		}
		seen[id] = true
		if m := q.MetricStat; m != nil {
			if p := aws.ToInt32(m.Period); !slices.Contains([]int32{1, 5, 10, 30}, p) && (p < 60 || p%60 != 0) {
				return badMetric("The parameter MetricDataQueries.member.MetricStat.Period must be 1, 5, 10, 30 or a multiple of 60.")
			}
			if m.Metric == nil || aws.ToString(m.Metric.Namespace) == "" || aws.ToString(m.Metric.MetricName) == "" {
				return badMetric("The query %s needs the namespace and the name of its metric.", id)
			}
			if _, ok := (sample{}).statistic(aws.ToString(m.Stat)); !ok {
				return badMetric("The value %s for parameter Stat is not supported.", aws.ToString(m.Stat))
			}
		}
	}
	return nil
}

// keptFor is how long points of a period are kept.
func keptFor(period time.Duration) time.Duration {
	const day = 24 * time.Hour
	switch {
	case period%time.Hour == 0:
		return 455 * day
	case period%(5*minute) == 0:
		return 63 * day
	case period%minute == 0:
		return 15 * day
	}
	return 3 * time.Hour
}

// points are the values of a metric between two times, as far as they are known and kept.
func (sc *scene) points(m *cwtypes.MetricStat, start, end time.Time) (points, error) {
	var out points
	d := dimensions{}
	for _, one := range m.Metric.Dimensions {
		d[aws.ToString(one.Name)] = aws.ToString(one.Value)
	}
	s := sc.find(*m.Metric.Namespace, *m.Metric.MetricName, d)
	period := time.Duration(*m.Period) * time.Second
	if s == nil || m.Unit != "" && string(m.Unit) != s.unit || period < minute { // nothing here reports more often
		return out, nil
	}
	known := sc.now.Add(-minute).Truncate(minute) // the last minute is still being collected
	shift := sc.skew()
	start = later(start.Add(-shift), sc.now.Add(-keptFor(period))).Truncate(period)
	for at := later(start, s.from.Truncate(period)); at.Before(end.Add(-shift)); at = at.Add(period) {
		to := earlier(at.Add(period), known)
		if !at.Before(to) {
			break
		}
		if one, ok := s.span(at, to); ok {
			v, _ := one.statistic(*m.Stat)
			out.at, out.values = append(out.at, at.Add(shift)), append(out.values, v)
		}
	}
	return out, nil
}

// computed is an expression over other queries, at each of their times.
func computed(expression string, got map[string]points) (points, error) {
	all := map[time.Time]map[string]float64{}
	for id, p := range got {
		if !strings.Contains(expression, id) {
			continue
		}
		for i, at := range p.at {
			if all[at] == nil {
				all[at] = map[string]float64{}
			}
			all[at][id] = p.values[i]
		}
	}
	unknown := map[string]float64{}
	for id := range got {
		unknown[id] = math.NaN()
	}
	if _, err := evaluate(expression, unknown); err != nil {
		return points{}, err
	}
	times := make([]time.Time, 0, len(all))
	for at := range all {
		times = append(times, at)
	}
	slices.SortFunc(times, time.Time.Compare)
	var out points
	for _, at := range times {
		for id := range got {
			if _, there := all[at][id]; !there {
				all[at][id] = math.NaN()
			}
		}
		v, err := evaluate(expression, all[at])
		if err != nil {
			return out, err
		}
		if !math.IsNaN(v) {
			out.at, out.values = append(out.at, at), append(out.values, v)
		}
	}
	return out, nil
}

func metricToken(token *string) (int, error) {
	if token == nil {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*token)
	n := 0
	if err == nil {
		n, err = strconv.Atoi(strings.TrimPrefix(string(raw), "point:"))
	}
	if err != nil || n < 1 {
		return 0, refuse(http.StatusBadRequest, "InvalidNextToken", "The next token is not valid.")
	}
	return n, nil
}

// metricPage cuts so many points out of all: a query whose points go on in the next page is not complete.
func metricPage(in *cloudwatch.GetMetricDataInput, got map[string]points, from, most int) *cloudwatch.GetMetricDataOutput {
	out := &cloudwatch.GetMetricDataOutput{MetricDataResults: []cwtypes.MetricDataResult{}, Messages: []cwtypes.MessageData{}}
	passed, to := 0, from+most
	for _, q := range in.MetricDataQueries {
		if q.ReturnData != nil && !*q.ReturnData {
			continue
		}
		p := got[*q.Id]
		first, last := passed, passed+len(p.at)
		passed = last
		if first >= to && len(p.at) > 0 || last <= from && (from > 0 || len(p.at) > 0) {
			continue
		}
		r := cwtypes.MetricDataResult{Id: q.Id, Label: labelOf(q), StatusCode: cwtypes.StatusCodeComplete, Timestamps: slices.Clone(p.at), Values: slices.Clone(p.values)}
		if in.ScanBy != cwtypes.ScanByTimestampAscending { // newest first unless asked otherwise
			slices.Reverse(r.Timestamps)
			slices.Reverse(r.Values)
		}
		low, high := max(from-first, 0), max(min(to-first, len(p.at)), 0)
		if r.Timestamps, r.Values = r.Timestamps[low:high], r.Values[low:high]; high < len(p.at) {
			r.StatusCode = cwtypes.StatusCodePartialData
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
	}
	if passed > to {
		token := base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf("point:%d", to)))
		out.NextToken = &token
	}
	return out
}

func labelOf(q cwtypes.MetricDataQuery) *string {
	switch {
	case q.Label != nil:
		return q.Label
	case q.MetricStat != nil:
		return q.MetricStat.Metric.MetricName
	}
	return q.Id
}
