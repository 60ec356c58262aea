package models

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

func onDay(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func amount(s string) *decimal.Decimal {
	d := decimal.RequireFromString(s)
	return &d
}

func TestCostPieces(t *testing.T) {
	wall := onDay("2026-11-26").Add(6 * time.Hour)
	known := func(estimated func(time.Time) bool, age func(time.Time) time.Duration) (all []CostDayKnown) {
		for day := FirstCostDay(wall); day.Before(DayOf(wall)); day = day.AddDate(0, 0, 1) {
			all = append(all, CostDayKnown{Day: day, Estimated: estimated(day), ReadAt: wall.Add(-age(day))})
		}
		return all
	}
	thisMonth := func(d time.Time) bool { return !d.Before(onDay("2026-11-01")) }
	always := func(age time.Duration) func(time.Time) time.Duration {
		return func(time.Time) time.Duration { return age }
	}
	for name, tc := range map[string]struct {
		known []CostDayKnown
		want  string
	}{
		"the day after":            {known(thisMonth, always(24*time.Hour)), "[2026-11-22 to 2026-11-26]"},
		"right after":              {known(thisMonth, always(time.Minute)), "[]"},
		"all is final":             {known(func(time.Time) bool { return false }, always(30*24*time.Hour)), "[]"},
		"the open month, weekly":   {known(thisMonth, always(8*24*time.Hour)), "[2026-11-01 to 2026-11-26]"},
		"an ended one, not final":  {known(func(d time.Time) bool { return !d.Before(onDay("2026-10-30")) }, always(4*24*time.Hour)), "[2026-11-22 to 2026-11-26 2026-10-30 to 2026-11-01]"},
		"not that one again today": {known(func(d time.Time) bool { return !d.Before(onDay("2026-10-30")) }, always(24*time.Hour)), "[2026-11-22 to 2026-11-26]"},
	} {
		if got := words(CostPieces(wall, tc.known)); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
	first := CostPieces(wall, nil)
	if len(first) != CostMonths || !first[0].To.Equal(DayOf(wall)) || !first[12].From.Equal(onDay("2025-11-01")) {
		t.Errorf("the first round reads %s", words(first))
	}
	for _, p := range first {
		if !MonthOf(p.From).Equal(MonthOf(p.To.AddDate(0, 0, -1))) {
			t.Errorf("%s is in two months", words([]CostPiece{p}))
		}
	}
	if got := words(CostPieces(onDay("2026-12-01").Add(time.Hour), slices.Concat(known(thisMonth, always(2*24*time.Hour))))); got != "[2026-11-01 to 2026-12-01]" {
		t.Errorf("on the first of a month it reads %s", got)
	}
}

func words(pieces []CostPiece) string {
	var all []string
	for _, p := range pieces {
		all = append(all, p.From.Format(time.DateOnly)+" to "+p.To.Format(time.DateOnly))
	}
	return fmt.Sprint(all)
}

func TestSplit(t *testing.T) {
	older, newer, ok := CostPiece{onDay("2026-11-01"), onDay("2026-12-01")}.Split()
	if !ok || words([]CostPiece{newer, older}) != "[2026-11-16 to 2026-12-01 2026-11-01 to 2026-11-16]" {
		t.Errorf("%v %v %v", older, newer, ok)
	}
	if _, _, ok := (CostPiece{onDay("2026-11-01"), onDay("2026-11-02")}).Split(); ok {
		t.Error("a day was split")
	}
}

func TestPassed(t *testing.T) {
	s := Spend{State: BudgetOK, Budget: decimal.NewFromInt(100)}
	for name, tc := range map[string]struct {
		actual, forecast *decimal.Decimal
		told             []SpendAlert
		want             string
	}{
		"under":              {amount("79.999"), amount("79"), nil, ""},
		"eighty exactly":     {amount("80"), nil, nil, "actual 80 "},
		"all of it":          {amount("100"), amount("120"), nil, "actual 80 actual 100 forecast 80 forecast 100 "},
		"the rest":           {amount("100"), nil, []SpendAlert{{Basis: SpendActual, Percent: 80}}, "actual 100 "},
		"nothing is known":   {nil, nil, nil, ""},
		"a figure below nil": {amount("-5"), nil, nil, ""},
	} {
		s.Actual, s.Forecast = tc.actual, tc.forecast
		got := ""
		for _, a := range s.Passed(tc.told) {
			got += fmt.Sprintf("%s %d ", a.Basis, a.Percent)
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
	s.State, s.Actual = BudgetForeign, amount("500")
	if len(s.Passed(nil)) > 0 {
		t.Error("a budget that is not Slipway's passes")
	}
}

func TestSpendKnown(t *testing.T) {
	wall := onDay("2026-11-26").Add(6 * time.Hour)
	good := Spend{State: BudgetOK, Month: onDay("2026-11-01"), Actual: amount("1"), ReadAt: wall.Add(-time.Hour)}
	old, last, none, absent := good, good, good, good
	old.ReadAt, last.Month, none.Actual, absent.State = wall.Add(-37*time.Hour), onDay("2026-10-01"), nil, BudgetAbsent
	if !good.Known(wall) || old.Known(wall) || last.Known(wall) || none.Known(wall) || absent.Known(wall) {
		t.Error("known is what is recent, of this month, and said")
	}
}

func TestSameDay(t *testing.T) {
	for day, want := range map[string]string{"2026-11-25": "2026-10-25", "2026-11-30": "2026-10-31", "2026-03-30": "2026-02-28", "2026-03-31": "2026-02-28", "2026-01-15": "2025-12-15"} {
		if same, _ := SameDay(onDay(day)); same.Format(time.DateOnly) != want {
			t.Errorf("%s: got %s, want %s", day, same.Format(time.DateOnly), want)
		}
	}
}

func TestPace(t *testing.T) {
	if got := Pace(decimal.NewFromInt(1000), onDay("2026-11-15")); !got.Equal(decimal.NewFromInt(500)) {
		t.Errorf("the middle of November: %s", got)
	}
	if got := Pace(decimal.NewFromInt(1000), onDay("2026-02-28")); !got.Equal(decimal.NewFromInt(1000)) {
		t.Errorf("the last day of February: %s", got)
	}
}

func TestBlueprintErrors(t *testing.T) {
	env := func(blueprint string, days int, estimate, sum string) EnvironmentCost {
		e := EnvironmentCost{Blueprint: blueprint, Days: days, Sum: decimal.RequireFromString(sum)}
		if estimate != "" {
			e.Estimate = amount(estimate)
		}
		return e
	}
	got := BlueprintErrors([]EnvironmentCost{env("web", 30, "73", "72"), env("web", 30, "73", "79.2"), env("web", 2, "73", "9"), env("web", 30, "", "9"), env("site", 10, "0", "1"), env("job", 3, "7.3", "1.2")})
	if len(got) != 3 || got[0].Blueprint != "job" || got[1].Blueprint != "web" || got[2].Error() != nil {
		t.Fatalf("%+v", got)
	}
	if e := got[0].Error(); !e.Equal(*amount("66.7")) {
		t.Errorf("job is off by %s", e)
	}
	web := got[1]
	if web.Measured != 2 || web.Others != 2 || !web.Low.Equal(decimal.Zero) || !web.High.Equal(decimal.NewFromInt(10)) || !web.Error().Equal(decimal.NewFromInt(5)) {
		t.Errorf("web: %+v, off by %s", web, web.Error())
	}
}

// TestNoDataIsNoZero holds that a month with a day that was not read is compared with nothing.
func TestNoDataIsNoZero(t *testing.T) {
	p := CostPage{Query: CostQuery{Month: onDay("2026-11-01")}}
	for day := onDay("2026-10-01"); day.Before(onDay("2026-11-11")); day = day.AddDate(0, 0, 1) {
		d := CostDay{Day: day, Read: true}
		d.Amounts.Add(Usage, decimal.NewFromInt(2), decimal.NewFromInt(3))
		p.Days = append(p.Days, d)
	}
	now, before, ok := p.Same()
	if !ok || !now.Effective.Usage.Equal(decimal.NewFromInt(20)) || !before.Billed.Usage.Equal(decimal.NewFromInt(30)) {
		t.Errorf("%v %v %v", now, before, ok)
	}
	p.Days[4].Read = false
	if _, _, ok := p.Same(); ok {
		t.Error("it is compared although a day of October was not read")
	}
	if m := p.Of(onDay("2026-11-01")); m.Complete() || m.Read != 10 || !m.Straight(Effective).Equal(decimal.NewFromInt(60)) {
		t.Errorf("%+v", m)
	}
	if m := p.Of(onDay("2026-09-01")); m.Straight(Billed) != nil {
		t.Error("a month without data has a forecast")
	}
}
