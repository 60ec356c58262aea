package chart

import (
	"math"
	"slices"
	"time"
)

// Nice gives the heights of an axis that holds low and high, zero among them, in so many steps or one more, of a round size (1, 2, 2.5 or 5
// times a power of ten): those that leave the least room unused.
func Nice(low, high float64, steps int) []float64 {
	low, high = min(low, 0), max(high, 0)
	if low == 0 && high == 0 {
		high = 1
	}
	power := math.Pow(10, math.Floor(math.Log10(high-low))-1)
	var best []float64
	for _, m := range []float64{1, 2, 2.5, 5, 10, 20, 25, 50} {
		step := m * power
		first, last := math.Floor(low/step+1e-9), math.Ceil(high/step-1e-9)
		n := int(last - first)
		if n < steps || n > steps+1 || best != nil && best[len(best)-1]-best[0] <= (last-first)*step {
			continue
		}
		best = best[:0:0]
		for i := first; i <= last; i++ {
			best = append(best, i*step)
		}
	}
	if best == nil { // both sides of zero need a step each, and no round size gives so few
		best = []float64{low, 0, high}
	}
	return best
}

// tick is one written time under the picture.
type tick struct{ x, anchor, word string }

// The distances between written times, of which the smallest that leaves room is taken.
var distances = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 2 * 24 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 28 * 24 * time.Hour}

const mostTicks = 5

// ticks are the times under the picture.
func (c Chart) ticks() []tick {
	if c.Scale == Months {
		return c.monthTicks()
	}
	span := c.To.Sub(c.From)
	if span <= 0 {
		return nil
	}
	i := slices.IndexFunc(distances, func(d time.Duration) bool { return span/d < mostTicks })
	distance := distances[len(distances)-1]
	if i >= 0 {
		distance = distances[i]
	}
	first := c.From
	if distance < 24*time.Hour {
		first = c.From.Truncate(distance)
		if first.Before(c.From) {
			first = first.Add(distance)
		}
	}
	var all []tick
	for at := first; !at.After(c.To); at = at.Add(distance) {
		t := tick{x: c.percent(at), anchor: anchor(c.x(at)), word: at.UTC().Format("15:04")}
		if distance >= 24*time.Hour {
			t.word = at.UTC().Format("2")
			if len(all) == 0 || at.UTC().Day() <= int(distance/(24*time.Hour)) || at.Add(distance).After(c.To) {
				t.word = at.UTC().Format("2 Jan")
			}
		}
		all = append(all, t)
	}
	return all
}

// monthTicks stand under columns; every third is written, counted from the last.
func (c Chart) monthTicks() (all []tick) {
	for _, s := range c.Series {
		n := len(s.Points)
		for i, p := range s.Points {
			if (n-1-i)%3 != 0 {
				continue
			}
			word := p.At.UTC().Format("Jan")
			if i == 0 || i == n-1 {
				word = p.At.UTC().Format("Jan 2006")
			}
			x := (float64(i) + 0.5) / float64(n)
			t := tick{x: short(x*100) + "%", anchor: anchor(x), word: word}
			if t.anchor == "start" {
				t.x = "0"
			} else if t.anchor == "end" {
				t.x = "100%"
			}
			all = append(all, t)
		}
		if n > 0 {
			return all
		}
	}
	return nil
}

func anchor(x float64) string {
	switch {
	case x < 0.05:
		return "start"
	case x > 0.95:
		return "end"
	}
	return "middle"
}

// stamp writes a time for the table.
func (c Chart) stamp(at time.Time) string {
	switch at = at.UTC(); c.Scale {
	case Months:
		return at.Format("Jan 2006")
	case Days:
		return at.Format("2 Jan 2006")
	}
	if c.To.Sub(c.From) > 24*time.Hour {
		return at.Format("2 Jan 15:04")
	}
	return at.Format("15:04")
}

// head is the table's first column.
func (c Chart) head() string {
	switch c.Scale {
	case Months:
		return "Month"
	case Days:
		return "Day"
	}
	return "UTC"
}

// line is one row of the table.
type line struct {
	when  string
	cells []string
}

// shown are the series that the table has.
func (c Chart) shown() (all []Series) {
	for _, s := range c.Series {
		if !s.Hidden {
			all = append(all, s)
		}
	}
	return all
}

// lines are the table's rows: every time that any series has, once.
func (c Chart) lines() []line {
	var times []time.Time
	at := map[time.Time][]string{}
	shown := c.shown()
	for i, s := range shown {
		for _, p := range s.Points {
			when := p.At.UTC()
			if at[when] == nil {
				times = append(times, when)
				at[when] = make([]string, len(shown))
			}
			at[when][i] = c.text(p)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	all := make([]line, len(times))
	for i, when := range times {
		all[i] = line{c.stamp(when), at[when]}
	}
	return all
}
