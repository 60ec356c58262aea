package awssim

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/budgets"
	budgettypes "github.com/aws/aws-sdk-go-v2/service/budgets/types"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/price"
)

// webUse is what the stack of a web service is assumed to use.
var webUse = map[string]string{"load_balancer_lcu": "1", "nat_data_gb": "20", "data_out_gb": "10", "image_storage_gb": "3", "kms_requests_10k": "1"}

// costWorld has a web service's environment that is taken to have stood for three months.
func costWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, fast)
	w.opts.Usage = func(name, template, size string) map[string]string { return webUse }
	s := newStackTest(t, w)
	s.changeSet("slw-web", "first", webStack, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-web", "first")
	s.want("slw-web", "CREATE_COMPLETE")
	w.do(t, func(ctx context.Context, c *Call) error {
		_, err := c.Tx.Exec(ctx, `UPDATE bills SET tags = $1 WHERE stack LIKE '%slw-web%'`, jsonText(map[string]string{models.TagTenant: "shop", models.TagEnvironment: "web"}))
		return err
	})
	if status := w.admin(t, "POST", "/cost-settings", map[string]any{"kind": "history", "tenant": "shop", "environment": "web", "amount": "3"}, nil); status != 201 {
		t.Fatalf("history: %d", status)
	}
	return w
}

func monthlyEstimate(t *testing.T) decimal.Decimal {
	t.Helper()
	template, err := blueprint.Parse([]byte(webStack))
	if err != nil {
		t.Fatal(err)
	}
	r, err := template.Resolve(blueprint.Inputs{Region: "us-east-1", StackName: "slw-web", Account: demoManagement})
	if err != nil {
		t.Fatal(err)
	}
	list, err := price.Load(price.Default())
	if err != nil {
		t.Fatal(err)
	}
	u, problems := price.ParseUsage(webUse)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return list.EstimateTemplate("", "us-east-1", r, u).Monthly()
}

// ask collects all pages of a question for costs.
func ask(t *testing.T, w *world, in costexplorer.GetCostAndUsageInput) []cetypes.ResultByTime {
	t.Helper()
	var all []cetypes.ResultByTime
	for {
		out, err := costexplorer.NewFromConfig(w.as(asAdmin)).GetCostAndUsage(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, out.ResultsByTime...); out.NextPageToken == nil {
			return all
		}
		in.NextPageToken = out.NextPageToken
	}
}

func amount(t *testing.T, v cetypes.MetricValue) decimal.Decimal {
	t.Helper()
	d, err := decimal.NewFromString(aws.ToString(v.Amount))
	if err != nil || aws.ToString(v.Unit) != "USD" {
		t.Fatalf("amount %v: %v", v, err)
	}
	return d
}

func period(from, to time.Time) *cetypes.DateInterval { return interval([2]time.Time{from, to}) }

func byTag(key string) cetypes.GroupDefinition {
	return cetypes.GroupDefinition{Type: cetypes.GroupDefinitionTypeTag, Key: &key}
}

func byDimension(key string) cetypes.GroupDefinition {
	return cetypes.GroupDefinition{Type: cetypes.GroupDefinitionTypeDimension, Key: &key}
}

func ofEnvironment(name string) *cetypes.Expression {
	return &cetypes.Expression{Tags: &cetypes.TagValues{Key: aws.String(models.TagEnvironment), Values: []string{name}}}
}

// TestCostsAgreeWithTheEstimate: a whole month of an environment costs what its estimate says, by
// month and by day, to the cent.
func TestCostsAgreeWithTheEstimate(t *testing.T) {
	t.Parallel()
	w := costWorld(t)
	last := monthOf(time.Now().UTC()).AddDate(0, -1, 0)
	want := monthlyEstimate(t)
	if want.LessThan(decimal.NewFromInt(50)) {
		t.Fatalf("the estimate is only %s", want)
	}
	month := ask(t, w, costexplorer.GetCostAndUsageInput{TimePeriod: period(last, last.AddDate(0, 1, 0)), Granularity: cetypes.GranularityMonthly, Metrics: []string{"UnblendedCost", "AmortizedCost"}, Filter: ofEnvironment("web")})
	if len(month) != 1 || !amount(t, month[0].Total["UnblendedCost"]).Equal(want) || !amount(t, month[0].Total["AmortizedCost"]).Equal(want) {
		t.Errorf("month %s, want %s", asText(month), want)
	}
	var sum decimal.Decimal
	days := ask(t, w, costexplorer.GetCostAndUsageInput{TimePeriod: period(last, last.AddDate(0, 1, 0)), Granularity: cetypes.GranularityDaily, Metrics: []string{"UnblendedCost"},
		Filter: ofEnvironment("web"), GroupBy: []cetypes.GroupDefinition{byDimension("SERVICE"), byTag(models.TagEnvironment)}})
	for _, d := range days {
		for _, g := range d.Groups {
			if g.Keys[1] != models.TagEnvironment+"$web" {
				t.Errorf("keys %v", g.Keys)
			}
			sum = sum.Add(amount(t, g.Metrics["UnblendedCost"]))
		}
	}
	if len(days) < 28 || !sum.Equal(want) {
		t.Errorf("%d days come to %s, want %s", len(days), sum, want)
	}
}

// TestCostsReconcile: however they are grouped, days and groups come to the same total.
func TestCostsReconcile(t *testing.T) {
	t.Parallel()
	w := costWorld(t)
	now := time.Now().UTC()
	from, to := monthOf(now).AddDate(0, -13, 0), monthOf(now).AddDate(0, 1, 0)
	total := ask(t, w, costexplorer.GetCostAndUsageInput{TimePeriod: period(from, to), Granularity: cetypes.GranularityMonthly, Metrics: []string{"UnblendedCost", "NetAmortizedCost"}})
	want := map[string]decimal.Decimal{}
	for i, m := range total {
		want[*m.TimePeriod.Start] = amount(t, m.Total["UnblendedCost"])
		if final := i < 12 || now.Day() > 6 && i == 12; !m.Estimated != final {
			t.Errorf("%s is estimated: %t", *m.TimePeriod.Start, m.Estimated)
		}
	}
	start := time.Now()
	days := ask(t, w, costexplorer.GetCostAndUsageInput{TimePeriod: period(from, to), Granularity: cetypes.GranularityDaily, Metrics: []string{"UnblendedCost"}, GroupBy: []cetypes.GroupDefinition{byDimension("LINKED_ACCOUNT"), byDimension("SERVICE")}})
	t.Logf("13 months by day, account and service took %s", time.Since(start))
	got := map[string]decimal.Decimal{}
	for _, d := range days {
		for _, g := range d.Groups {
			month := (*d.TimePeriod.Start)[:8] + "01"
			got[month] = got[month].Add(amount(t, g.Metrics["UnblendedCost"]))
		}
	}
	for month, sum := range want {
		if !got[month].Equal(sum) {
			t.Errorf("%s: days come to %s, the month to %s", month, got[month], sum)
		}
	}
	if len(want) != 14 || !want[from.Format(time.DateOnly)].LessThan(want[monthOf(now).AddDate(0, -1, 0).Format(time.DateOnly)]) {
		t.Errorf("the past does not grow: %v", want)
	}
	records := map[string]bool{}
	for _, m := range ask(t, w, costexplorer.GetCostAndUsageInput{TimePeriod: period(from, to), Granularity: cetypes.GranularityMonthly, Metrics: []string{"UNBLENDED_COST"}, GroupBy: []cetypes.GroupDefinition{byDimension("RECORD_TYPE")}}) {
		for _, g := range m.Groups {
			records[g.Keys[0]] = true
			if a := amount(t, g.Metrics["UNBLENDED_COST"]); (g.Keys[0] == creditRecord) != a.IsNegative() && g.Keys[0] != discountedRecord {
				t.Errorf("%s in %s: %s", g.Keys[0], *m.TimePeriod.Start, a)
			}
		}
	}
	for _, want := range []string{usageRecord, creditRecord, taxRecord, feeRecord, discountedRecord} {
		if !records[want] {
			t.Errorf("no record of the type %s: %v", want, records)
		}
	}
}

func TestCostQuestionsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	now := dayOf(time.Now())
	good := func() *costexplorer.GetCostAndUsageInput {
		return &costexplorer.GetCostAndUsageInput{TimePeriod: period(now.AddDate(0, -1, 0), now), Granularity: cetypes.GranularityDaily, Metrics: []string{"UnblendedCost"}}
	}
	for name, tc := range map[string]struct {
		change func(*costexplorer.GetCostAndUsageInput)
		want   string
	}{
		"as it should be": {func(*costexplorer.GetCostAndUsageInput) {}, ""},
		"too long ago":    {func(in *costexplorer.GetCostAndUsageInput) { in.TimePeriod = period(now.AddDate(0, -14, -1), now) }, "DataUnavailableException"},
		"too late":        {func(in *costexplorer.GetCostAndUsageInput) { in.TimePeriod = period(now, now.AddDate(0, 2, 0)) }, "ValidationException"},
		"backwards":       {func(in *costexplorer.GetCostAndUsageInput) { in.TimePeriod = period(now, now) }, "ValidationException"},
		"no such metric":  {func(in *costexplorer.GetCostAndUsageInput) { in.Metrics = []string{"Cheap"} }, "ValidationException"},
		"three groups": {func(in *costexplorer.GetCostAndUsageInput) {
			in.GroupBy = []cetypes.GroupDefinition{byDimension("SERVICE"), byDimension("REGION"), byDimension("RECORD_TYPE")}
		}, "ValidationException"},
		"two roots": {func(in *costexplorer.GetCostAndUsageInput) {
			in.Filter = ofEnvironment("web")
			in.Filter.Not = ofEnvironment("web")
		}, "ValidationException"},
		"token of another": {func(in *costexplorer.GetCostAndUsageInput) { in.NextPageToken = aws.String("bm8") }, "InvalidNextTokenException"},
		"hours":            {func(in *costexplorer.GetCostAndUsageInput) { in.Granularity = cetypes.GranularityHourly }, "ValidationException"},
	} {
		in := good()
		tc.change(in)
		_, err := costexplorer.NewFromConfig(w.as(asAdmin)).GetCostAndUsage(t.Context(), in)
		wantCode(t, name, err, tc.want)
	}
	_, err := costexplorer.NewFromConfig(w.as(asHubAdmin)).GetCostAndUsage(t.Context(), good())
	wantCode(t, "from a member", err, "AccessDeniedException")
	w.admin(t, "POST", "/rules", rule{Service: "ce", Action: throttle, Times: 1}, nil)
	_, err = costexplorer.NewFromConfig(w.as(asAdmin)).GetCostAndUsage(t.Context(), good())
	wantCode(t, "too fast", err, "ThrottlingException")
}

// TestTagsNotActivated: until a key is activated, billing knows it of nothing.
func TestTagsNotActivated(t *testing.T) {
	t.Parallel()
	w := costWorld(t)
	w.do(t, func(ctx context.Context, c *Call) error {
		return c.set(ctx, demoManagement, "", costTags, map[string]bool{models.TagTenant: true, models.TagEnvironment: false})
	})
	last := monthOf(time.Now().UTC()).AddDate(0, -1, 0)
	all := ask(t, w, costexplorer.GetCostAndUsageInput{TimePeriod: period(last, last.AddDate(0, 1, 0)), Granularity: cetypes.GranularityMonthly, Metrics: []string{"UnblendedCost"}, GroupBy: []cetypes.GroupDefinition{byTag(models.TagEnvironment), byTag(models.TagTenant)}})
	for _, g := range all[0].Groups {
		if g.Keys[0] != models.TagEnvironment+"$" {
			t.Errorf("group %v", g.Keys)
		}
	}
	if len(all[0].Groups) != 2 {
		t.Errorf("groups %s", asText(all))
	}
}

// TestBudgetsAgreeWithCosts: a budget's spend is that of Cost Explorer for the same accounts, and
// its forecast what has been plus what is forecast.
func TestBudgetsAgreeWithCosts(t *testing.T) {
	t.Parallel()
	w := costWorld(t)
	api := budgets.NewFromConfig(w.as(asAdmin))
	in := budgetInput("slw-shop", "500")
	in.Budget.FilterExpression.Dimensions.Values = []string{demoManagement, demoLegacyShop}
	if _, err := api.CreateBudget(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	got, err := api.DescribeBudget(t.Context(), &budgets.DescribeBudgetInput{AccountId: aws.String(demoManagement), BudgetName: aws.String("slw-shop")})
	if err != nil {
		t.Fatal(err)
	}
	month := monthOf(time.Now().UTC())
	end := month.AddDate(0, 1, 0)
	filter := &cetypes.Expression{Dimensions: &cetypes.DimensionValues{Key: cetypes.DimensionLinkedAccount, Values: []string{demoManagement, demoLegacyShop}}}
	total := ask(t, w, costexplorer.GetCostAndUsageInput{TimePeriod: period(month, end), Granularity: cetypes.GranularityMonthly, Metrics: []string{"UnblendedCost"}, Filter: filter})
	spent := func(s *budgettypes.Spend) float64 {
		n, err := strconv.ParseFloat(*s.Amount, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	actual, forecast := spent(got.Budget.CalculatedSpend.ActualSpend), spent(got.Budget.CalculatedSpend.ForecastedSpend)
	if want := amount(t, total[0].Total["UnblendedCost"]).Round(3).InexactFloat64(); actual != want {
		t.Errorf("spent %g, want %g", actual, want)
	}
	if forecast < actual || forecast < 100 {
		t.Errorf("forecast %g after %g", forecast, actual)
	}
	list, err := api.DescribeBudgets(t.Context(), &budgets.DescribeBudgetsInput{AccountId: aws.String(demoManagement)})
	if err != nil || *list.Budgets[0].CalculatedSpend.ActualSpend.Amount != *got.Budget.CalculatedSpend.ActualSpend.Amount {
		t.Errorf("list %s, %v", asText(list), err)
	}
	next := end.AddDate(0, 1, 0)
	f, err := costexplorer.NewFromConfig(w.as(asAdmin)).GetCostForecast(t.Context(), &costexplorer.GetCostForecastInput{TimePeriod: period(end, next), Granularity: cetypes.GranularityMonthly, Metric: cetypes.MetricUnblendedCost, Filter: ofEnvironment("web"), PredictionIntervalLevel: aws.Int32(80)})
	if err != nil || !amount(t, *f.Total).Equal(monthlyEstimate(t)) || f.ForecastResultsByTime[0].PredictionIntervalLowerBound == nil {
		t.Errorf("forecast %s, %v", asText(f), err)
	}
	_, err = costexplorer.NewFromConfig(w.as(asAdmin)).GetCostForecast(t.Context(), &costexplorer.GetCostForecastInput{TimePeriod: period(end, next), Granularity: cetypes.GranularityMonthly, Metric: cetypes.MetricUnblendedCost, Filter: ofEnvironment("nothing")})
	wantCode(t, "forecast of nothing", err, "DataUnavailableException")
}
