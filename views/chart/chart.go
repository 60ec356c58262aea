// Package chart draws figures over time as SVG that a server renders, with the same figures in a table beside it. What is real is solid, what
// is planned or forecast is dashed or hatched; what nobody knows is a gap, and never a zero.
package chart

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tone is a series' colour.
type Tone string

// The tones. A series takes one of the first three; the others mean something.
const (
	First  Tone = "1"
	Second Tone = "2"
	Third  Tone = "3"
	Quiet  Tone = "idle" // what others are compared with
	Bad    Tone = "fail" // a limit, or errors
)

// Stroke says how a series is drawn.
type Stroke string

// The strokes.
const (
	Line    Stroke = ""        // solid: it happened
	Filled  Stroke = "filled"  // solid, with its area
	Dashed  Stroke = "c-dash"  // planned or forecast
	Dotted  Stroke = "c-dot"   // what it is compared with
	Columns Stroke = "columns" // one column for each point; for months and other things that are counted in whole
)

// Point is one figure. Value is nil where nobody knows it: the line has a gap there, and the table says so.
type Point struct {
	At      time.Time
	Value   *float64
	Text    string // the figure as the table writes it; empty: Chart.Unit writes Value
	Planned bool   // of a column: hatched
}

// Series is a row of figures.
type Series struct {
	Name   string
	Tone   Tone
	Stroke Stroke
	Points []Point
	Hidden bool // of the table: it is there for the eye only, as a line that leads on from another
}

// Level is a line at one height, such as a budget or an objective.
type Level struct {
	Name   string
	Tone   Tone
	Stroke Stroke // Line or Dashed
	Value  float64
	Text   string // as the legend writes it; empty: not written
}

// Mark is a moment: a deployment, an incident.
type Mark struct {
	At    time.Time
	Title string // for the tip
}

// Scale says how times are written.
type Scale string

// The scales.
const (
	Clock  Scale = "clock"
	Days   Scale = "days"
	Months Scale = "months"
)

// Chart is one picture with its table.
type Chart struct {
	ID       string // unique on the page
	Caption  string // of the table
	Label    string // what the picture shows, in a sentence: it is read out in its place
	From, To time.Time
	Scale    Scale
	Tall     bool
	Unit     func(float64) string // writes a figure for the axis and, without a text of its own, the table
	Series   []Series
	Levels   []Level
	Marks    []Mark
	Note     string // under the picture, at the right of the legend
	Open     bool   // the table is open
}

// Known makes a point of a figure.
func Known(at time.Time, v float64, text string) Point { return Point{At: at, Value: &v, Text: text} }

// Gap is a point that nobody knows.
func Gap(at time.Time) Point { return Point{At: at} }

// Missing is what the table writes where a figure is not known.
const Missing = "no data"

// Heights of the plot, without the times below it, in CSS pixels.
const (
	lowPlot   = 112
	tallPlot  = 150
	belowPlot = 18
	wide      = 1000.0 // of the stretched picture inside
	high      = 100.0
)

func (c Chart) plot() int {
	if c.Tall {
		return tallPlot
	}
	return lowPlot
}

// extent is the lowest and highest figure of all; zero is always in.
func (c Chart) extent() (low, high float64) {
	see := func(v float64) { low, high = min(low, v), max(high, v) }
	for _, s := range c.Series {
		for _, p := range s.Points {
			if p.Value != nil {
				see(*p.Value)
			}
		}
	}
	for _, l := range c.Levels {
		see(l.Value)
	}
	return low, high
}

// axis is where the horizontal lines are, lowest first.
func (c Chart) axis() []float64 {
	low, high := c.extent()
	steps := 2
	if c.Tall {
		steps = 3
	}
	return Nice(low, high, steps)
}

// heights are the axis' labels, highest first, as they stand beside the picture.
func (c Chart) heights() []string {
	var words []string
	for _, v := range slices.Backward(c.axis()) {
		words = append(words, c.Unit(v))
	}
	return words
}

func (c Chart) x(at time.Time) float64 {
	span := c.To.Sub(c.From)
	if span <= 0 {
		return 0
	}
	return min(max(float64(at.Sub(c.From))/float64(span), 0), 1)
}

// y is a figure's height from the top, from 0 to 1.
func (c Chart) y(v float64) float64 {
	axis := c.axis()
	low, top := axis[0], axis[len(axis)-1]
	return 1 - min(max((v-low)/(top-low), 0), 1)
}

func (c Chart) px(v float64) string { return short(c.y(v) * float64(c.plot())) }

func (c Chart) percent(at time.Time) string { return short(c.x(at)*100) + "%" }

// stretches are the points between gaps, each long enough to draw.
func stretches(points []Point) (all [][]Point) {
	var open []Point
	for _, p := range points {
		if p.Value != nil {
			open = append(open, p)
			continue
		}
		if len(open) > 0 {
			all, open = append(all, open), nil
		}
	}
	if len(open) > 0 {
		all = append(all, open)
	}
	return all
}

// path is a series' line. A point between two gaps is a dot.
func (c Chart) path(s Series) string {
	var b strings.Builder
	for _, part := range stretches(s.Points) {
		c.trace(&b, part)
		if len(part) == 1 {
			b.WriteString("h0")
		}
	}
	return b.String()
}

// area is what is under a series' line.
func (c Chart) area(s Series) string {
	var b strings.Builder
	for _, part := range stretches(s.Points) {
		c.trace(&b, part)
		zero := short(c.y(0) * high)
		fmt.Fprintf(&b, "L%s %sL%s %sZ", short(c.x(part[len(part)-1].At)*wide), zero, short(c.x(part[0].At)*wide), zero)
	}
	return b.String()
}

func (c Chart) trace(b *strings.Builder, part []Point) {
	for i, p := range part {
		step := "L"
		if i == 0 {
			step = "M"
		}
		b.WriteString(step + short(c.x(p.At)*wide) + " " + short(c.y(*p.Value)*high))
	}
}

// column is one column's place.
type column struct{ x, width, y, height, fill, class, tip string }

// columns are a series' columns, side by side over the whole width.
func (c Chart) columns(s Series) (all []column) {
	n := float64(len(s.Points))
	for i, p := range s.Points {
		if p.Value == nil {
			continue
		}
		top, foot := min(c.y(*p.Value), c.y(0)), max(c.y(*p.Value), c.y(0))
		col := column{x: short((float64(i)+0.14)/n*100) + "%", width: short(0.72/n*100) + "%", y: short(top * float64(c.plot())),
			height: short(max((foot-top)*float64(c.plot()), 0.5)), tip: c.stamp(p.At) + ": " + c.text(p)}
		if p.Planned {
			col.fill = "url(#h-" + string(s.Tone) + ")"
		} else {
			col.class = "f-" + string(s.Tone)
		}
		all = append(all, col)
	}
	return all
}

// text is a figure as the table writes it.
func (c Chart) text(p Point) string {
	switch {
	case p.Value == nil && p.Text == "":
		return Missing
	case p.Text != "":
		return p.Text
	}
	return c.Unit(*p.Value)
}

// short writes a coordinate with one digit at most.
func short(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") }

func (s Series) dash() string {
	if s.Stroke == Dashed || s.Stroke == Dotted {
		return string(s.Stroke)
	}
	return ""
}
