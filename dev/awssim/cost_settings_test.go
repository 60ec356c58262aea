package awssim

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/shopspring/decimal"

	"slipway/models/price"
)

func (w *world) setCost(t *testing.T, s costSetting) int64 {
	t.Helper()
	var made costSetting
	if got := w.admin(t, "POST", "/cost-settings", s, &made); got != 201 {
		t.Fatalf("%+v: %d", s, got)
	}
	return made.ID
}

// TestCostSettings: what is told to differ differs by exactly that, and only there.
func TestCostSettings(t *testing.T) {
	t.Parallel()
	w := costWorld(t)
	last := monthOf(time.Now().UTC()).AddDate(0, -1, 0)
	end := last.AddDate(0, 1, 0)
	cost := func(filter *cetypes.Expression) decimal.Decimal { return w.costOf(t, last, filter) }
	estimate := monthlyEstimate(t)
	list, err := price.Load(price.Default())
	if err != nil {
		t.Fatal(err)
	}
	gateway, _ := list.Line("nat.gateway", "us-east-1", decimal.NewFromInt(1))
	var used decimal.Decimal
	for key, n := range map[string]string{"alb.lcu": "730", "nat.data": "20", "data.out": "10", "ecr.storage": "3", "kms.requests": "1"} {
		for _, r := range list.Rows {
			if r.Key == key {
				used = used.Add(r.Price.Mul(decimal.RequireFromString(n)))
			}
		}
	}
	two := decimal.NewFromInt(2)
	id := w.setCost(t, costSetting{Kind: driftSetting, Environment: "web", Amount: two, From: last})
	if got := cost(ofEnvironment("web")); !got.Equal(estimate.Add(used)) {
		t.Errorf("twice the use: %s, want %s", got, estimate.Add(used))
	}
	if got := w.admin(t, "DELETE", fmt.Sprintf("/cost-settings/%d", id), nil, nil); got != 204 || !cost(ofEnvironment("web")).Equal(estimate) {
		t.Errorf("taken back: %d, %s", got, cost(ofEnvironment("web")))
	}
	w.setCost(t, costSetting{Kind: driftSetting, Environment: "other", Amount: two, From: last})
	if got := cost(ofEnvironment("web")); !got.Equal(estimate) {
		t.Errorf("drift of another: %s", got)
	}
	half := last.AddDate(0, 0, 15)
	days := decimal.NewFromInt(int64(end.Sub(last) / (24 * time.Hour)))
	id = w.setCost(t, costSetting{Kind: priceSetting, Price: "nat.gateway", Environment: "web", Amount: two, From: last, To: &half})
	want := estimate.Add(gateway.Mul(decimal.NewFromInt(15)).Div(days))
	if got := cost(ofEnvironment("web")); !got.Round(8).Equal(want.Round(8)) {
		t.Errorf("dearer for half a month: %s, want %s", got, want)
	}
	w.admin(t, "DELETE", fmt.Sprintf("/cost-settings/%d", id), nil, nil)
}

// costOf is what a month cost.
func (w *world) costOf(t *testing.T, month time.Time, filter *cetypes.Expression) decimal.Decimal {
	t.Helper()
	return amount(t, ask(t, w, costexplorer.GetCostAndUsageInput{TimePeriod: period(month, month.AddDate(0, 1, 0)), Granularity: cetypes.GranularityMonthly, Metrics: []string{"UnblendedCost"}, Filter: filter})[0].Total["UnblendedCost"])
}

// TestLeaksCreditsAndTaxes: they are beside all stacks, and each is itself.
func TestLeaksCreditsAndTaxes(t *testing.T) {
	t.Parallel()
	w := costWorld(t)
	last := monthOf(time.Now().UTC()).AddDate(0, -1, 0)
	end, two := last.AddDate(0, 1, 0), decimal.NewFromInt(2)
	cost := func(filter *cetypes.Expression) decimal.Decimal { return w.costOf(t, last, filter) }
	untaxed := &cetypes.Expression{Not: &cetypes.Expression{Dimensions: &cetypes.DimensionValues{Key: cetypes.DimensionRecordType, Values: []string{taxRecord}}}}
	before, env := cost(untaxed), cost(ofEnvironment("web"))
	w.setCost(t, costSetting{Kind: leakSetting, Account: demoAudit, Amount: decimal.NewFromInt(3), From: end.AddDate(0, 0, -4)})
	if got := cost(untaxed).Sub(before); !got.Equal(decimal.NewFromInt(3 + 6 + 9 + 12)) {
		t.Errorf("a leak of four days: %s", got)
	}
	if got := cost(ofEnvironment("web")); !got.Equal(env) {
		t.Errorf("the leak is in the environment: %s", got)
	}
	before = cost(untaxed)
	w.setCost(t, costSetting{Kind: creditSetting, Account: demoAudit, Amount: decimal.NewFromInt(10), From: last})
	if got := cost(untaxed).Sub(before); !got.Equal(decimal.NewFromInt(-10)) {
		t.Errorf("credit: %s", got)
	}
	taxed, net := cost(nil), cost(untaxed)
	if got := taxed.Sub(net); got.LessThan(net.Mul(decimal.NewFromFloat(0.189))) {
		t.Errorf("tax %s on %s", got, net)
	}
	for _, bad := range []costSetting{{Kind: "free"}, {Kind: leakSetting, Amount: two}, {Kind: historySetting, Amount: two}, {Kind: historySetting, Tenant: "shop", Amount: decimal.NewFromInt(99)}, {Kind: driftSetting, Amount: decimal.NewFromInt(-1)}, {Kind: taxSetting, Amount: decimal.NewFromInt(101)}, {Kind: driftSetting, Amount: two, From: end, To: &last}} {
		if got := w.admin(t, "POST", "/cost-settings", bad, nil); got != 400 {
			t.Errorf("%+v: %d", bad, got)
		}
	}
}

// TestBillsFollowStacks: what a stack cost stays when it is gone, and stops growing.
func TestBillsFollowStacks(t *testing.T) {
	t.Parallel()
	w := costWorld(t)
	s := newStackTest(t, w)
	if n := count(t, w, `SELECT count(*) FROM bills WHERE stack LIKE '%slw-web%' AND to_at IS NULL`); n != 1 {
		t.Fatalf("%d open bills", n)
	}
	s.update("slw-web", "second", webStack, "Image", s.push("111111111111.dkr.ecr."+homeRegion+".amazonaws.com/web/api", "1.0"))
	s.want("slw-web", "UPDATE_COMPLETE")
	if n := count(t, w, `SELECT count(*) FROM bills WHERE stack LIKE '%slw-web%' AND (to_at IS NULL) = (lines::text LIKE '%fargate%')`); n != 2 {
		t.Errorf("%d bills: the first without tasks, the second with them", n)
	}
	if n := count(t, w, `SELECT count(*) FROM bills WHERE account = '`+demoHub+`' AND to_at IS NULL`); n == 0 {
		t.Error("the stacks of the demo organization are not billed")
	}
}
