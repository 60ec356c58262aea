package chart

import (
	"context"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
)

func day(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }

func unit(v float64) string { return "$" + strconv.FormatFloat(v, 'f', -1, 64) }

func drawn(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNice(t *testing.T) {
	for name, tc := range map[string]struct {
		low, high float64
		steps     int
		want      []float64
	}{
		"budget":        {0, 600, 3, []float64{0, 200, 400, 600}},
		"just above":    {0, 601, 3, []float64{0, 250, 500, 750}},
		"nothing":       {0, 0, 2, []float64{0, 0.5, 1}},
		"below zero":    {-120, 300, 3, []float64{-200, 0, 200, 400}},
		"only below":    {-3, -1, 2, []float64{-3, -2, -1, 0}},
		"small":         {0, 0.013, 2, []float64{0, 0.005, 0.01, 0.015}},
		"a round top":   {0, 1000, 2, []float64{0, 500, 1000}},
		"large numbers": {0, 48212.4, 3, []float64{0, 20000, 40000, 60000}},
	} {
		if got := Nice(tc.low, tc.high, tc.steps); !slices.EqualFunc(got, tc.want, func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

// TestGapIsNoZero holds that what nobody knows is neither drawn nor written as a figure.
func TestGapIsNoZero(t *testing.T) {
	c := Chart{ID: "c", Caption: "Cost", Label: "Cost by day", From: day(1), To: day(5), Scale: Days, Unit: unit, Series: []Series{{Name: "actual", Tone: First,
		Points: []Point{Known(day(1), 10, ""), Known(day(2), 0, ""), Gap(day(3)), Known(day(4), 10, ""), Gap(day(5))}}}}
	if got, want := c.path(c.Series[0]), "M0 0L250 100M750 0h0"; got != want {
		t.Errorf("path %q, want %q", got, want)
	}
	html := drawn(t, Of(c))
	for _, want := range []string{">$10<", ">$0<", ">no data<", "3 Nov 2026"} {
		if !strings.Contains(html, want) {
			t.Errorf("the table lacks %q", want)
		}
	}
	if n := strings.Count(html, ">"+Missing+"<"); n != 2 {
		t.Errorf("%d cells without a figure, want 2", n)
	}
}

// TestTableHasThePicturesFigures reads the columns' tips and the table, and compares.
func TestTableHasThePicturesFigures(t *testing.T) {
	var s Series
	s.Name, s.Tone, s.Stroke = "billed", First, Columns
	for i := range 13 {
		s.Points = append(s.Points, Known(day(1).AddDate(0, i-12, 0), float64(i*100), "$"+strconv.Itoa(i*100)+".00"))
	}
	s.Points[12].Planned = true
	html := drawn(t, Of(Chart{ID: "m", Caption: "Months", From: s.Points[0].At, To: s.Points[12].At, Scale: Months, Unit: unit, Series: []Series{s}}))
	tips := regexp.MustCompile(`<title>(\w+ \d+): ([^<]+)</title>`).FindAllStringSubmatch(html, -1)
	rows := regexp.MustCompile(`<th scope="row">([^<]+)</th><td class="s-num">([^<]+)</td>`).FindAllStringSubmatch(html, -1)
	if len(tips) != 13 || len(rows) != 13 {
		t.Fatalf("%d columns and %d rows, want 13 each", len(tips), len(rows))
	}
	for i := range tips {
		if tips[i][1] != rows[i][1] || tips[i][2] != rows[i][2] {
			t.Errorf("column %v, row %v", tips[i][1:], rows[i][1:])
		}
	}
	if !strings.Contains(html, `fill="url(#h-1)"`) {
		t.Error("the month that goes on is not hatched")
	}
}

func TestTicks(t *testing.T) {
	words := func(c Chart) (all []string) {
		for _, k := range c.ticks() {
			all = append(all, k.word)
		}
		return all
	}
	for name, tc := range map[string]struct {
		chart Chart
		want  []string
	}{
		"month":     {Chart{Scale: Days, From: day(1), To: day(30)}, []string{"1 Nov", "8", "15", "22", "29 Nov"}},
		"six hours": {Chart{Scale: Clock, From: day(1).Add(3*time.Hour + 7*time.Minute), To: day(1).Add(9*time.Hour + 7*time.Minute)}, []string{"04:00", "06:00", "08:00"}},
		"no time":   {Chart{Scale: Clock, From: day(1), To: day(1)}, nil},
	} {
		if got := words(tc.chart); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// TestLevelsAndMarks holds that a limit above all figures stays in the picture, and marks are where their moment is.
func TestLevelsAndMarks(t *testing.T) {
	c := Chart{ID: "c", From: day(1), To: day(11), Scale: Days, Unit: unit, Levels: []Level{{Name: "budget", Tone: Bad, Value: 600}}, Marks: []Mark{{day(6), "deploy"}},
		Series: []Series{{Name: "actual", Tone: First, Stroke: Filled, Points: []Point{Known(day(1), 0, ""), Known(day(11), 300, "")}}}}
	html := drawn(t, Of(c))
	for _, want := range []string{`x1="50%"`, `y1="0" y2="0"`, `d="M0 100L1000 50L1000 100L0 100Z"`, `<title>deploy</title>`} {
		if !strings.Contains(html, want) {
			t.Errorf("the picture lacks %s:\n%s", want, html)
		}
	}
}

// TestNiceAlwaysHolds tries many sizes: the axis holds both ends and zero, and is never more than half empty.
func TestNiceAlwaysHolds(t *testing.T) {
	for exp := -6.0; exp < 12; exp += 0.137 {
		for _, down := range []float64{0, 0.03, 0.5, 1, 7} {
			high := math.Pow(10, exp)
			low := -high * down
			axis := Nice(low, high, 3)
			if n := len(axis); n < 3 || n > 5 || axis[0] > low+high*1e-9 || axis[n-1] < high-high*1e-9 || !slices.ContainsFunc(axis, func(v float64) bool { return math.Abs(v) < high*1e-9 }) {
				t.Fatalf("Nice(%g, %g) = %v", low, high, axis)
			}
			if span := axis[len(axis)-1] - axis[0]; span > 2.2*(high-low) {
				t.Fatalf("Nice(%g, %g) = %v is mostly empty", low, high, axis)
			}
		}
	}
}
