package awssim

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	budgettypes "github.com/aws/aws-sdk-go-v2/service/budgets/types"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

// spend works out what a budget's costs are in its present period, and are going to be by its
// end, from the same book that Cost Explorer answers from.
func (c *Call) spend(ctx context.Context, b *budgettypes.Budget) error {
	if b.BudgetType != budgettypes.BudgetTypeCost {
		return nil
	}
	active, err := c.costTagsOf(ctx)
	if err != nil {
		return err
	}
	filter, err := budgetFilter(b, active)
	if err != nil {
		return err
	}
	if c.Account != demoManagement {
		all, own := filter, c.Account
		filter = func(k costKey) bool { return k.account == own && all(k) }
	}
	m := costMetric{"UnblendedCost", false}
	if len(b.Metrics) > 0 {
		if m, err = metricOf(string(b.Metrics[0])); err != nil {
			return err
		}
	}
	book, err := c.costs(ctx)
	if err != nil {
		return err
	}
	from, to := budgetPeriod(b.TimeUnit, c.Now)
	q := costQuery{metrics: []costMetric{m}, filter: filter}
	var actual money
	for _, g := range q.grouped(book) {
		sums, _ := q.sums(book, g.rows, [2]time.Time{from, to})
		actual += sums[0]
	}
	unit := aws.String("USD")
	b.CalculatedSpend = &budgettypes.CalculatedSpend{ActualSpend: &budgettypes.Spend{Amount: aws.String(thousandths(actual)), Unit: unit}}
	if whole, known := book.forecast(filter, m, from, to); known {
		b.CalculatedSpend.ForecastedSpend = &budgettypes.Spend{Amount: aws.String(thousandths(whole)), Unit: unit}
	}
	updated := billedUntil(c.Now).Add(billingLag)
	b.LastUpdatedTime = &updated
	return nil
}

// thousandths is an amount as budgets write it.
func thousandths(m money) string {
	return strconv.FormatFloat(math.Round(float64(m)/float64(dollar)*1000)/1000, 'f', -1, 64)
}

func budgetPeriod(unit budgettypes.TimeUnit, now time.Time) (from, to time.Time) {
	month := monthOf(now.UTC())
	switch unit {
	case budgettypes.TimeUnitDaily:
		return dayOf(now), dayOf(now).AddDate(0, 0, 1)
	case budgettypes.TimeUnitQuarterly:
		from = month.AddDate(0, -(int(month.Month())-1)%3, 0)
		return from, from.AddDate(0, 3, 0)
	case budgettypes.TimeUnitAnnually:
		from = time.Date(month.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(1, 0, 0)
	}
	return month, month.AddDate(0, 1, 0)
}

// budgetFilter reads a budget's expression, or the filters that budgets had before.
func budgetFilter(b *budgettypes.Budget, active map[string]bool) (costFilter, error) {
	if b.FilterExpression != nil {
		e, err := decoded[*cetypes.Expression](b.FilterExpression) // the same members under the same names
		if err != nil {
			return nil, err
		}
		return filterOf(e, active)
	}
	filter := costFilter(everyCost)
	//lint:ignore SA1019 AWS still takes the old filters
	for name, values := range b.CostFilters {
		before := filter
		filter = func(k costKey) bool { return before(k) && oldFilter(k, name, values, active) }
	}
	return filter, nil
}

func oldFilter(k costKey, name string, values []string, active map[string]bool) bool {
	for _, v := range values {
		switch name {
		case "LinkedAccount":
			if k.account == v {
				return true
			}
		case "Service":
			if k.service == v {
				return true
			}
		case "Region":
			if k.region == v {
				return true
			}
		case "TagKeyValue":
			key, value, _ := strings.Cut(strings.TrimPrefix(v, "user:"), "$")
			if k.tag(key, active) == value {
				return true
			}
		}
	}
	return false
}
