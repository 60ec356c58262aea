package awssim

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

// forecast is what comes between two days on top of what billing knows of them: what stands now
// goes on as it is.
func (b *costBook) forecast(filter costFilter, m costMetric, from, to time.Time) (sum money, known bool) {
	first, last := max(b.day(from), 0), min(b.day(to), b.days)
	for k, r := range b.rows {
		if !filter(k) {
			continue
		}
		for d := 0; d < last; d++ {
			known = known || m.of(r, false)[d] != 0
			if d >= first {
				sum += m.of(r, true)[d]
			}
		}
	}
	return sum, known
}

// getForecast forecasts what comes: for the days from the start on, whole.
func getForecast(ctx context.Context, c *Call, in *costexplorer.GetCostForecastInput) (*costexplorer.GetCostForecastOutput, error) {
	if err := c.payer(ctx); err != nil {
		return nil, err
	}
	start, end, err := costDays(in.TimePeriod)
	if err != nil {
		return nil, err
	}
	switch {
	case start.Before(dayOf(c.Now)):
		return nil, badCosts("Start date cannot be before the current date.")
	case end.After(monthOf(c.Now).AddDate(0, monthsAhead, 0)), in.Granularity == cetypes.GranularityDaily && end.After(dayOf(c.Now).AddDate(0, 3, 1)):
		return nil, badCosts("The end date is too far in the future for this granularity.")
	case in.PredictionIntervalLevel != nil && (*in.PredictionIntervalLevel < 51 || *in.PredictionIntervalLevel > 99):
		return nil, badCosts("PredictionIntervalLevel must be between 51 and 99.")
	}
	m, err := metricOf(string(in.Metric))
	if err != nil {
		return nil, err
	}
	periods, err := costPeriods(start, end, in.Granularity)
	if err != nil {
		return nil, err
	}
	active, err := c.costTagsOf(ctx)
	if err != nil {
		return nil, err
	}
	filter, err := filterOf(in.Filter, active)
	if err != nil {
		return nil, err
	}
	book, err := c.costs(ctx)
	if err != nil {
		return nil, err
	}
	out := &costexplorer.GetCostForecastOutput{}
	var total money
	for _, p := range periods {
		mean, known := book.forecast(filter, m, p[0], p[1])
		if !known {
			return nil, refuse(http.StatusBadRequest, "DataUnavailableException", "Insufficient amount of historical data to generate forecast.")
		}
		total += mean
		one := cetypes.ForecastResult{TimePeriod: interval(p), MeanValue: aws.String(shortMoney(mean))}
		if in.PredictionIntervalLevel != nil { // surer is wider
			wide := money(*in.PredictionIntervalLevel) * mean / 1000
			one.PredictionIntervalLowerBound, one.PredictionIntervalUpperBound = aws.String(shortMoney(mean-wide)), aws.String(shortMoney(mean+wide))
		}
		out.ForecastResultsByTime = append(out.ForecastResultsByTime, one)
	}
	out.Total = &cetypes.MetricValue{Amount: aws.String(shortMoney(total)), Unit: aws.String("USD")}
	return out, nil
}
