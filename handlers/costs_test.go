package handlers

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/views"
)

func costDate(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func cost(s string) *decimal.Decimal { d := decimal.RequireFromString(s); return &d }

// costPageOf is a page with two months of days, the 5th of November not read.
func costPageOf(tenant *models.Tenant) models.CostPage {
	p := models.CostPage{Query: models.CostQuery{Month: costDate("2026-11-01"), By: models.GroupService}, Wall: costDate("2026-11-11").Add(6 * time.Hour), Tenant: tenant, SeesAll: tenant == nil}
	for day := costDate("2026-10-01"); day.Before(models.DayOf(p.Wall)); day = day.AddDate(0, 0, 1) {
		d := models.CostDay{Day: day, Read: day != costDate("2026-11-05"), Estimated: day.Month() == time.November, ReadAt: p.Wall.Add(-time.Hour)}
		if d.Read {
			d.Amounts.Add(models.Usage, *cost("10.005"), *cost("20"))
			d.Amounts.Add(models.Tax, *cost("1"), *cost("1"))
		}
		p.Days = append(p.Days, d)
	}
	line := models.CostItem{Key: "Amazon ECS"}
	line.Now.Add(models.Usage, *cost("90.045"), *cost("180"))
	line.Now.Add(models.Tax, *cost("9"), *cost("9"))
	p.Lines = []models.CostItem{line}
	return p
}

func costHTML(t *testing.T, v costView) string {
	t.Helper()
	v.with = func(pairs ...string) string { return "/costs?" + strings.Join(pairs, "=") }
	var b bytes.Buffer
	if err := views.CostsContent(v.view()).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestCostPageSaysWhatIsKnown holds that the page's figures are those of the days, that a day without data is said, and that nothing is
// compared with it.
func TestCostPageSaysWhatIsKnown(t *testing.T) {
	admin := models.Actor{Roles: []models.PlatformRole{models.PlatformAdmin}}
	html := costHTML(t, costView{page: costPageOf(nil), basis: models.Effective, actor: admin})
	for _, want := range []string{"The organization has cost $90.05 so far in November", "10 Nov", "month not final", "1 day</b> without data", "not all of those days were read", ">no data<", "$9.00"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if html := costHTML(t, costView{page: costPageOf(nil), basis: models.Billed, actor: admin}); !strings.Contains(html, "$180.00") || strings.Contains(html, "$90.05") {
		t.Error("billed and effective are mixed")
	}
}

// TestCostChartHasTheTablesFigures compares the last figure of the month's picture with its table and the page's title.
func TestCostChartHasTheTablesFigures(t *testing.T) {
	html := costHTML(t, costView{page: costPageOf(nil), basis: models.Billed})
	rows := regexp.MustCompile(`<th scope="row">10 Nov 2026</th>\s*<td class="s-num">([^<]+)</td>`).FindStringSubmatch(html)
	if len(rows) != 2 || rows[1] != "$180.00" || !strings.Contains(html, `aria-label="billed usage of November 2026, added up: $180.00 by 10 November.`) {
		t.Errorf("the table says %v", rows)
	}
	if !regexp.MustCompile(`<th scope="row">5 Nov 2026</th>\s*<td class="s-num">no data</td>`).MatchString(html) {
		t.Error("a day that was not read has a figure")
	}
}

// TestCostStates says denied, capped, silent, late and never read each in its own words.
func TestCostStates(t *testing.T) {
	read := costDate("2026-11-10").Add(6 * time.Hour)
	for name, tc := range map[string]struct {
		status models.CollectStatus
		want   []string
	}{
		"denied": {models.CollectStatus{State: models.CollectDenied, ReadAt: read, Gaps: []models.ReadGap{{Kind: models.GapDenied, Permission: "ce:GetCostAndUsage"}}}, []string{"may not read costs", "ce:GetCostAndUsage", "10 November"}},
		"capped": {models.CollectStatus{State: models.CollectPartial, ReadAt: read, Gaps: []models.ReadGap{{Kind: models.GapCapped}}}, []string{"daily cap", "10 November, 06:00 UTC", "tomorrow"}},
		"silent": {models.CollectStatus{State: models.CollectFailed, ReadAt: read, Gaps: []models.ReadGap{{Kind: models.GapUnavailable}}}, []string{"AWS did not answer for costs"}},
		"skewed": {models.CollectStatus{State: models.CollectDenied, ReadAt: read, Gaps: []models.ReadGap{{Kind: models.GapSkewed, Words: "Its clock is off."}}}, []string{"refuses Slipway&#39;s clock", "Its clock is off."}},
		"late":   {models.CollectStatus{State: models.CollectOK, ReadAt: costDate("2026-11-02")}, []string{"older than they should be", "2 November"}},
		"part":   {models.CollectStatus{State: models.CollectPartial, ReadAt: read, Gaps: []models.ReadGap{{What: "environments of 3 Nov", Kind: models.GapAbsent, Words: "Less than by service."}, {}}}, []string{"Cannot read environments of 3 Nov", "1 more could not be read"}},
		"never":  {models.CollectStatus{State: models.CollectDenied, Gaps: []models.ReadGap{{Kind: models.GapDenied}}}, []string{"Nothing was read before"}},
	} {
		p := costPageOf(nil)
		p.Costs = []models.CollectStatus{tc.status}
		html := costHTML(t, costView{page: p, basis: models.Effective})
		for _, want := range tc.want {
			if !strings.Contains(html, want) {
				t.Errorf("%s: the page does not say %q", name, want)
			}
		}
	}
	p := costPageOf(nil)
	p.Costs = []models.CollectStatus{{State: models.CollectOK, ReadAt: read}}
	if html := costHTML(t, costView{page: p, basis: models.Effective}); strings.Contains(html, "s-call ") {
		t.Error("all is well, and the page says something is not")
	}
}

// TestCostEmpty says why there is nothing, to each what they can do.
func TestCostEmpty(t *testing.T) {
	p := costPageOf(nil)
	for i := range p.Days {
		p.Days[i].Read = false
	}
	meter := &models.CostMeter{Cap: *cost("2")}
	off := &models.CostMeter{}
	for name, tc := range map[string]struct {
		see   bool
		meter *models.CostMeter
		want  string
	}{"an admin": {true, meter, "/admin/collectors"}, "switched off": {true, off, "SLIPWAY_COST_DAILY_CAP"}, "without a tenant": {false, nil, "As soon as you belong to one"}} {
		p.SeesAll, p.Meter = tc.see, tc.meter
		if html := costHTML(t, costView{page: p, basis: models.Effective}); !strings.Contains(html, tc.want) {
			t.Errorf("%s: the page does not say %q", name, tc.want)
		}
	}
}

// TestBudgetWords draws what was spent solid and what is expected hatched, and tells four kinds of nothing apart.
func TestBudgetWords(t *testing.T) {
	budget := *cost("1000")
	for name, tc := range map[string]struct {
		spend models.Spend
		segs  int
		tone  string
		words string
	}{
		"within":      {models.Spend{State: models.BudgetOK, Actual: cost("100"), Forecast: cost("400")}, 2, "1", "$100.00 of $1,000, $400.00 expected"},
		"no forecast": {models.Spend{State: models.BudgetOK, Actual: cost("850")}, 1, "warn", "$850.00 of $1,000"},
		"passed":      {models.Spend{State: models.BudgetOK, Actual: cost("1200"), Forecast: cost("1300")}, 2, "fail", "$1,200.00 of $1,000, $1,300.00 expected"},
		"zero":        {models.Spend{State: models.BudgetOK, Actual: cost("0")}, 1, "1", "$0.00 of $1,000"},
		"never read":  {models.Spend{}, 0, "", "not read yet"},
		"absent":      {models.Spend{State: models.BudgetAbsent}, 0, "", "AWS has no budget"},
		"foreign":     {models.Spend{State: models.BudgetForeign}, 0, "", "AWS's budget is not monthly in USD"},
		"no figures":  {models.Spend{State: models.BudgetOK}, 0, "", "AWS has not computed it"},
	} {
		tc.spend.Budget = budget
		bar, words := budgetBarOf("payments", tc.spend)
		if words != tc.words || (bar == nil) != (tc.segs == 0) || bar != nil && (len(bar.Segs) != tc.segs || bar.Segs[0].Tone != tc.tone) {
			t.Errorf("%s: %+v %q", name, bar, words)
		}
	}
}

// TestCostQuery refuses what AWS does not tell, by name.
func TestCostQuery(t *testing.T) {
	for name, tc := range map[string]struct {
		in     costsParams
		tenant bool
		bad    string
	}{
		"usual":                            {costsParams{}, false, ""},
		"a month":                          {costsParams{Month: "2026-02", Basis: "billed", By: "account", Only: "unallocated"}, false, ""},
		"no month":                         {costsParams{Month: "2026-2-30"}, false, "month"},
		"no basis":                         {costsParams{Basis: "net"}, false, "basis"},
		"a tenant by tenant":               {costsParams{By: "tenant"}, true, "by"},
		"a service in an environment":      {costsParams{Service: "x", By: "environment"}, true, "service"},
		"an environment by service":        {costsParams{Environment: "x", By: "service"}, true, "environment"},
		"an environment of nobody":         {costsParams{Environment: "x", By: "account"}, false, "environment"},
		"something else than unallocated":  {costsParams{Only: "x"}, false, "only"},
		"an environment on a tenant's own": {costsParams{Environment: "x", By: "account"}, true, ""},
	} {
		_, _, err := tc.in.query(tc.tenant)
		if bad := models.Fields(err); tc.bad == "" && err != nil || tc.bad != "" && bad[tc.bad] == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
