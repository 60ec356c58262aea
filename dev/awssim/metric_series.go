package awssim

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// A series here is no data that is kept: what a metric was at a minute follows from the name of
// what it measures, the time of the day, the day of the week, and what somebody let happen then.

// sample is what a minute holds.
type sample struct {
	n, sum, low, high float64
	median, spread    float64 // of a distribution: log-normal about its median; zero without one
}

// series is one metric of one thing.
type series struct {
	from  time.Time // nothing before
	unit  string
	daily bool // one value a day, at midnight
	at    func(time.Time) (sample, bool)
}

// gauge is a value that was looked at once.
func gauge(v float64) (sample, bool) { return sample{n: 1, sum: v, low: v, high: v}, true }

// events is a number of things that happened; zero is reported only where AWS does.
func events(n float64, zeroToo bool) (sample, bool) {
	n = math.Round(n)
	return sample{n: n, sum: n, low: min(n, 1), high: min(n, 1)}, n > 0 || zeroToo
}

// merge is what two spans hold together.
func (a sample) merge(b sample) sample {
	if a.n == 0 && a.sum == 0 {
		return b
	}
	if b.n == 0 && b.sum == 0 {
		return a
	}
	out := sample{n: a.n + b.n, sum: a.sum + b.sum, low: min(a.low, b.low), high: max(a.high, b.high)}
	if out.n > 0 {
		out.median = (a.median*a.n + b.median*b.n) / out.n
		out.spread = (a.spread*a.n + b.spread*b.n) / out.n
	}
	return out
}

// statistic takes one number out of a sample; ok is false for one that CloudWatch does not have.
func (a sample) statistic(name string) (v float64, ok bool) {
	mean := 0.0
	if a.n > 0 {
		mean = a.sum / a.n
	}
	switch name {
	case "SampleCount":
		return a.n, true
	case "Sum":
		return a.sum, true
	case "Average":
		return mean, true
	case "Minimum":
		return a.low, true
	case "Maximum":
		return a.high, true
	}
	p, ok := percentile(name)
	switch {
	case !ok:
		return 0, false
	case a.median == 0:
		return a.low + (a.high-a.low)*p, true
	}
	return min(max(a.median*math.Exp(a.spread*math.Sqrt2*math.Erfinv(2*p-1)), a.low), a.high), true
}

// percentile reads p95 and p99.9.
func percentile(name string) (float64, bool) {
	digits, ok := strings.CutPrefix(name, "p")
	v, err := strconv.ParseFloat(digits, 64)
	return v / 100, ok && err == nil && v >= 0 && v <= 100 && len(digits) <= 13
}

const minute = time.Minute

// dayShape is how busy users are, from a quarter to one.
func dayShape(t time.Time) float64 { return dayShapes[t.Weekday()][t.Hour()*60+t.Minute()] }

func shapeOf(t time.Time) float64 {
	hour := float64(t.Hour()) + float64(t.Minute())/60
	shape := 0.625 - 0.375*math.Cos(2*math.Pi*(hour-3)/24)
	switch t.Weekday() {
	case time.Saturday:
		shape *= 0.6
	case time.Sunday:
		shape *= 0.55
	}
	return shape
}

// wobble is noise about one, of the minute and of the hour.
func wobble(seed uint64, t time.Time, by float64) float64 {
	return 1 + by*(noiseOf(seed, t.Unix()/60)-0.5) + by/2*(noiseOf(seed, t.Unix()/3600)-0.5)
}

// between is a constant of a seed.
func between(low, high float64, seed uint64) float64 { return low + (high-low)*noiseOf(seed, -1) }

// dayShapes are the minutes of a week, for metrics are asked for by the thousand.
var dayShapes = func() (all [7][24 * 60]float64) {
	begin := time.Date(2025, 1, 5, 0, 0, 0, 0, time.UTC) // a Sunday
	for day := range all {
		for n := range all[day] {
			all[day][n] = shapeOf(begin.AddDate(0, 0, day).Add(time.Duration(n) * minute))
		}
	}
	return all
}()

// window is a time with a beginning and an end.
type window struct {
	from, to time.Time
	amount   float64
	fails    bool // its tasks start and end again
}

func (w window) holds(t time.Time) bool { return !t.Before(w.from) && t.Before(w.to) }

// within is the last window that holds a time.
func within(all []window, t time.Time) (window, bool) {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].holds(t) {
			return all[i], true
		}
	}
	return window{}, false
}

// span collects a series over a time; ok is false without data.
func (s *series) span(from, to time.Time) (sample, bool) {
	var out sample
	any := false
	if s.daily {
		if day := dayOf(to.Add(-time.Nanosecond)); !day.Before(from) && !day.Before(s.from) {
			return s.at(day)
		}
		return out, false
	}
	for t := later(from, s.from.Truncate(minute)); t.Before(to); t = t.Add(minute) {
		if one, ok := s.at(t); ok {
			out, any = out.merge(one), true
		}
	}
	return out, any
}
