package awssim

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

const (
	costPage   = 3000 // groups in one answer; each answer is paid for
	finalAfter = 5    // days of the next month until a month is final
)

// payer lets in who may see what all accounts cost.
func (c *Call) payer(ctx context.Context) error {
	if err := c.may(ctx, "*", nil); err != nil {
		return err
	}
	if c.Account != demoManagement {
		return denied("ce", "User: "+c.Principal.ARN+" is not authorized to perform: ce:"+c.Op+": Linked account doesn't have access to cost data.")
	}
	return nil
}

// costMetric is one of the ways to count costs. Nothing is discounted here, so net is as before.
type costMetric struct {
	name      string
	effective bool
}

func metricOf(name string) (costMetric, error) {
	switch strings.ToUpper(strings.ReplaceAll(name, "_", "")) {
	case "UNBLENDEDCOST", "NETUNBLENDEDCOST", "BLENDEDCOST":
		return costMetric{name, false}, nil
	case "AMORTIZEDCOST", "NETAMORTIZEDCOST":
		return costMetric{name, true}, nil
	case "USAGEQUANTITY", "NORMALIZEDUSAGEAMOUNT":
		return costMetric{}, badCosts("The simulator counts money only, not %s.", name)
	}
	return costMetric{}, badCosts("Invalid metric: %s", name)
}

func (m costMetric) of(r *costRow, whole bool) []money {
	from := r.known
	if whole {
		from = r.whole
	}
	if m.effective {
		return from.effective
	}
	return from.billed
}

func getCosts(ctx context.Context, c *Call, in *costexplorer.GetCostAndUsageInput) (*costexplorer.GetCostAndUsageOutput, error) {
	if err := c.payer(ctx); err != nil {
		return nil, err
	}
	q, err := c.costQuery(ctx, in)
	if err != nil {
		return nil, err
	}
	from, err := costToken(in.NextPageToken, len(q.periods))
	if err != nil {
		return nil, err
	}
	book, err := c.costs(ctx)
	if err != nil {
		return nil, err
	}
	out := &costexplorer.GetCostAndUsageOutput{GroupDefinitions: in.GroupBy, ResultsByTime: []cetypes.ResultByTime{}, DimensionValueAttributes: []cetypes.DimensionValuesWithAttributes{}}
	groups, seen := q.grouped(book), 0
	accounts := map[string]bool{}
	for n := from; n < len(q.periods); n++ {
		r := q.result(book, groups, q.periods[n], c.Now, accounts)
		if seen += len(r.Groups); seen > costPage && n > from {
			token := base64.RawURLEncoding.EncodeToString([]byte("period:" + strconv.Itoa(n)))
			out.NextPageToken = &token
			break
		}
		out.ResultsByTime = append(out.ResultsByTime, r)
	}
	return out, c.nameAccounts(ctx, out, accounts)
}

func costToken(token *string, most int) (int, error) {
	if token == nil {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*token)
	n := -1
	if rest, ok := strings.CutPrefix(string(raw), "period:"); err == nil && ok {
		n, err = strconv.Atoi(rest)
	}
	if err != nil || n < 1 || n >= most {
		return 0, refuse(http.StatusBadRequest, "InvalidNextTokenException", "The pagination token is invalid.")
	}
	return n, nil
}

// costQuery is a question for costs, understood.
type costQuery struct {
	periods [][2]time.Time
	metrics []costMetric
	filter  costFilter
	groupBy []func(costKey) string
	byWhom  int // which of the groups is the account; -1: none
}

func (c *Call) costQuery(ctx context.Context, in *costexplorer.GetCostAndUsageInput) (q costQuery, err error) {
	start, end, err := costDays(in.TimePeriod)
	if err != nil {
		return q, err
	}
	switch {
	case start.Before(dayOf(c.Now).AddDate(0, -14, 0)):
		return q, refuse(http.StatusBadRequest, "DataUnavailableException", "Data for the requested time period is not available: it begins more than 14 months ago.")
	case end.After(monthOf(c.Now).AddDate(0, 1, 0)):
		return q, badCosts("end date past the beginning of next month")
	case len(in.Metrics) == 0:
		return q, badCosts("Metrics is a required parameter.")
	case len(in.GroupBy) > 2:
		return q, badCosts("Number of GroupBy dimensions should be between 0 and 2.")
	}
	if q.periods, err = costPeriods(start, end, in.Granularity); err != nil {
		return q, err
	}
	for _, name := range in.Metrics {
		m, err := metricOf(name)
		if err != nil {
			return q, err
		}
		q.metrics = append(q.metrics, m)
	}
	active, err := c.costTagsOf(ctx)
	if err != nil {
		return q, err
	}
	if q.filter, err = filterOf(in.Filter, active); err != nil {
		return q, err
	}
	q.byWhom = -1
	for i, g := range in.GroupBy {
		name := aws.ToString(g.Key)
		switch {
		case g.Type == cetypes.GroupDefinitionTypeTag:
			q.groupBy = append(q.groupBy, func(k costKey) string { return name + "$" + k.tag(name, active) })
		case g.Type == cetypes.GroupDefinitionTypeDimension:
			if _, known := (costKey{}).dimension(name); !known {
				return q, badCosts("The simulator does not tell costs apart by %s.", name)
			}
			if name == "LINKED_ACCOUNT" {
				q.byWhom = i
			}
			q.groupBy = append(q.groupBy, func(k costKey) string { v, _ := k.dimension(name); return v })
		default:
			return q, badCosts("Groups are of the type DIMENSION or TAG.")
		}
	}
	return q, nil
}

// costGroup is what belongs to one group of an answer.
type costGroup struct {
	keys []string
	rows []*costRow
}

// grouped sorts the costs that the filter lets through into groups, by their keys.
func (q costQuery) grouped(b *costBook) []costGroup {
	all := map[string]*costGroup{}
	for k, r := range b.rows {
		if !q.filter(k) {
			continue
		}
		keys := make([]string, len(q.groupBy))
		for i, by := range q.groupBy {
			keys[i] = by(k)
		}
		name := strings.Join(keys, "\x00")
		if all[name] == nil {
			all[name] = &costGroup{keys: keys}
		}
		all[name].rows = append(all[name].rows, r)
	}
	var out []costGroup
	for _, name := range sortedKeys(all) {
		out = append(out, *all[name])
	}
	return out
}

// sums adds each metric up over a period; there is false when nothing was recorded in it.
func (q costQuery) sums(b *costBook, rows []*costRow, period [2]time.Time) (sums []money, there bool) {
	first, last := max(b.day(period[0]), 0), min(b.day(period[1]), b.days)
	sums = make([]money, len(q.metrics))
	for _, r := range rows {
		for d := first; d < last; d++ {
			there = there || r.known.billed[d] != 0 || r.known.effective[d] != 0
		}
		for i, m := range q.metrics {
			for _, one := range m.of(r, false)[first:last] {
				sums[i] += one
			}
		}
	}
	return sums, there
}

func (q costQuery) result(b *costBook, groups []costGroup, period [2]time.Time, now time.Time, accounts map[string]bool) cetypes.ResultByTime {
	final := monthOf(period[1].AddDate(0, 0, -1)).AddDate(0, 1, finalAfter)
	out := cetypes.ResultByTime{TimePeriod: interval(period), Estimated: now.Before(final), Groups: []cetypes.Group{}, Total: map[string]cetypes.MetricValue{}}
	if len(q.groupBy) == 0 {
		var rows []*costRow
		for _, g := range groups {
			rows = append(rows, g.rows...)
		}
		sums, _ := q.sums(b, rows, period)
		out.Total = q.values(sums)
		return out
	}
	for _, g := range groups {
		sums, there := q.sums(b, g.rows, period)
		if !there {
			continue
		}
		out.Groups = append(out.Groups, cetypes.Group{Keys: slices.Clone(g.keys), Metrics: q.values(sums)})
		if q.byWhom >= 0 {
			accounts[g.keys[q.byWhom]] = true
		}
	}
	return out
}

func (q costQuery) values(sums []money) map[string]cetypes.MetricValue {
	out := map[string]cetypes.MetricValue{}
	for i, m := range q.metrics {
		out[m.name] = cetypes.MetricValue{Amount: aws.String(shortMoney(sums[i])), Unit: aws.String("USD")}
	}
	return out
}

// shortMoney leaves zeros at the end away, as Cost Explorer does.
func shortMoney(m money) string {
	s := strings.TrimRight(m.String(), "0")
	return strings.TrimSuffix(s, ".")
}

// nameAccounts says what the accounts of an answer are called.
func (c *Call) nameAccounts(ctx context.Context, out *costexplorer.GetCostAndUsageOutput, ids map[string]bool) error {
	for _, id := range sortedKeys(ids) {
		a, ok, err := c.account(ctx, id)
		if err != nil {
			return err
		}
		if ok {
			out.DimensionValueAttributes = append(out.DimensionValueAttributes, cetypes.DimensionValuesWithAttributes{Value: &id, Attributes: map[string]string{"description": a.Name}})
		}
	}
	return nil
}
