package awssim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// An alarm has no state that is kept: what it was when follows from the series it looks at. At a
// speed above one its periods are shorter, as all durations are.

// alarmState is the state an alarm is in, or was in since some time.
type alarmState struct {
	Value  cwtypes.StateValue
	Reason string
	Since  time.Time
}

const (
	alarmLearns  = 3 * time.Minute // until the first periods of a new alarm are over
	alarmHistory = 30 * 24 * time.Hour
	alarmLooks   = 180 // periods of the nearest past in which a state may change by itself
)

// watched is one metric of an alarm.
type watched struct {
	series *series
	stat   string
}

// watch is an alarm made ready for being evaluated.
type watch struct {
	t          *thing
	metrics    map[string]watched
	expression string // over the metrics; the only one is m
	period     time.Duration
	step       time.Duration // the period, divided by the speed
	n, m       int
	threshold  float64
	compare    string
	missing    string
	seen       map[time.Time]float64
}

func (sc *scene) watch(t *thing) *watch {
	p := t.Properties
	w := &watch{t: t, metrics: map[string]watched{}, expression: "m", period: time.Duration(numberOf(p["Period"], 60)) * time.Second, n: int(numberOf(p["EvaluationPeriods"], 1)),
		threshold: numberOf(p["Threshold"], 0), compare: textOf(p["ComparisonOperator"]), missing: textOf(p["TreatMissingData"]), seen: map[time.Time]float64{}}
	w.m = int(numberOf(p["DatapointsToAlarm"], float64(w.n)))
	if p["MetricName"] != nil {
		w.metrics["m"] = sc.watched(p, cmp.Or(textOf(p["ExtendedStatistic"]), textOf(p["Statistic"]), "Average"))
	}
	for _, q := range listOf(p["Metrics"]) {
		id := textOf(q["Id"])
		if stat := mapOf(q["MetricStat"]); stat != nil {
			w.metrics[id] = sc.watched(mapOf(stat["Metric"]), textOf(stat["Stat"]))
			w.period = time.Duration(numberOf(stat["Period"], 60)) * time.Second
		}
		if q["ReturnData"] == nil || yes(q["ReturnData"]) {
			w.expression = cmp.Or(textOf(q["Expression"]), id)
		}
	}
	w.period = max(w.period, minute)
	w.step = max(time.Duration(float64(w.period)/sc.speed), time.Millisecond)
	return w
}

func (sc *scene) watched(metric map[string]any, stat string) watched {
	d := dimensions{}
	for _, one := range listOf(metric["Dimensions"]) {
		d[textOf(one["Name"])] = textOf(one["Value"])
	}
	return watched{sc.find(textOf(metric["Namespace"]), textOf(metric["MetricName"]), d), stat}
}

// value is what the alarm looks at in the period that begins at a time; not a number without data.
func (w *watch) value(at time.Time) float64 {
	if v, known := w.seen[at]; known {
		return v
	}
	values := map[string]float64{}
	for id, m := range w.metrics {
		values[id] = math.NaN()
		if m.series == nil {
			continue
		}
		one, ok := m.series.span(at, at.Add(w.period))
		if w.step < w.period { // one moment stands for a period
			if one, ok = m.series.at(at); ok && m.series.unit == "Count" {
				one.n, one.sum = one.n*w.period.Minutes(), one.sum*w.period.Minutes()
			}
			ok = ok && !at.Before(m.series.from)
		}
		if ok {
			values[id], _ = one.statistic(m.stat)
		}
	}
	v, err := evaluate(w.expression, values)
	if err != nil { // an expression that is not played shows nothing
		v = math.NaN()
	}
	w.seen[at] = v
	return v
}

func (w *watch) breaches(v float64) bool {
	switch w.compare {
	case "GreaterThanThreshold":
		return v > w.threshold
	case "GreaterThanOrEqualToThreshold":
		return v >= w.threshold
	case "LessThanThreshold":
		return v < w.threshold
	case "LessThanOrEqualToThreshold":
		return v <= w.threshold
	}
	return false
}

// judge evaluates the periods that were over at a time. A state of nothing is no change.
func (w *watch) judge(end time.Time) alarmState {
	over, missing, shown := 0, 0, []string{}
	for k := w.n; k > 0; k-- {
		at := end.Add(-time.Duration(k) * w.step)
		v := w.value(at)
		switch {
		case !math.IsNaN(v):
			shown = append(shown, fmt.Sprintf("%.4g (%s)", v, at.Format("02/01/06 15:04:05")))
			if w.breaches(v) {
				over++
			}
		default:
			if missing++; w.missing == "breaching" {
				over++
			}
		}
	}
	words := "no datapoints were received for " + fmt.Sprint(w.n) + " period(s) and missing data was treated as [" + map[string]string{"breaching": "Breaching", "notBreaching": "NonBreaching"}[w.missing] + "]."
	if missing == w.n && w.missing != "breaching" && w.missing != "notBreaching" {
		if w.missing == "ignore" {
			return alarmState{}
		}
		return alarmState{Value: cwtypes.StateValueInsufficientData, Reason: fmt.Sprintf("Insufficient Data: %d datapoints were unknown.", w.n)}
	}
	if missing < w.n {
		was := "were not"
		if over >= w.m {
			was = "were"
		}
		words = fmt.Sprintf("%d out of the last %d datapoints [%s] %s %s the threshold (%g) (minimum %d datapoint(s) for OK -> ALARM transition).",
			map[bool]int{true: over, false: w.n - over}[over >= w.m], w.n, strings.Join(shown, ", "), was, comparisonWords(w.compare), w.threshold, w.m)
	}
	if over >= w.m {
		return alarmState{Value: cwtypes.StateValueAlarm, Reason: "Threshold Crossed: " + words}
	}
	return alarmState{Value: cwtypes.StateValueOk, Reason: "Threshold Crossed: " + words}
}

func comparisonWords(operator string) string {
	return map[string]string{"GreaterThanThreshold": "greater than", "GreaterThanOrEqualToThreshold": "greater than or equal to", "LessThanThreshold": "less than", "LessThanOrEqualToThreshold": "less than or equal to"}[operator]
}

// turns are the states a metric alarm has been in, oldest first.
func (sc *scene) turns(t *thing) []alarmState {
	w := sc.watch(t)
	learnt := t.Made.Add(time.Duration(float64(alarmLearns) / sc.speed))
	out := []alarmState{{cwtypes.StateValueInsufficientData, "Unchecked: Initial alarm creation", t.Made}}
	if !sc.now.Before(learnt) {
		for _, at := range sc.moments(w, learnt) {
			now := w.judge(at)
			if now.Since = later(at, learnt); now.Value != "" && now.Value != out[len(out)-1].Value {
				if len(out) == 1 {
					now.Since = learnt
				}
				out = append(out, now)
			}
		}
	}
	return withForced(t, out)
}

// moments are when the state may have changed: shortly after something did, and lately.
func (sc *scene) moments(w *watch, from time.Time) []time.Time {
	from = later(from, sc.now.Add(-alarmHistory))
	known := sc.now.Add(-time.Duration(float64(minute) / sc.speed)).Truncate(w.step)
	seen := map[time.Time]bool{}
	look := func(begin, end time.Time) {
		for at := later(begin, from.Add(-w.step)).Truncate(w.step).Add(w.step); !at.After(known) && !at.After(end); at = at.Add(w.step) {
			seen[at] = true
		}
	}
	long := time.Duration(w.n+3) * w.step
	for _, b := range sc.boundaries() {
		look(b.Add(-w.step), b.Add(long))
	}
	look(known.Add(-alarmLooks*w.step), known)
	look(from, from.Add(w.step))
	seen[known] = true
	out := make([]time.Time, 0, len(seen))
	for at := range seen {
		out = append(out, at)
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// boundaries are when something began or ended.
func (sc *scene) boundaries() []time.Time {
	var out []time.Time
	for _, i := range sc.incidents {
		out = append(out, i.From.UTC(), i.until(sc.now))
	}
	for _, a := range sc.services {
		for _, w := range a.down {
			out = append(out, w.from)
		}
	}
	return out
}

// withForced ends with the state that somebody set by hand.
func withForced(t *thing, all []alarmState) []alarmState {
	value := textOf(t.State["alarm"])
	since, err := time.Parse(time.RFC3339Nano, textOf(t.State["alarm_since"]))
	if value == "" || err != nil {
		return all
	}
	all = slices.DeleteFunc(all, func(s alarmState) bool { return s.Since.After(since) })
	return append(all, alarmState{cwtypes.StateValue(value), "Set by hand on the simulator's page.", since})
}

// stateAt is the state that an alarm had at a time.
func stateAt(all []alarmState, at time.Time) alarmState {
	for i := len(all) - 1; i >= 0; i-- {
		if !all[i].Since.After(at) {
			return all[i]
		}
	}
	return alarmState{Value: cwtypes.StateValueInsufficientData}
}

// compositeTurns are the states of an alarm on alarms: it may change when one of them does.
func compositeTurns(t *thing, of map[string][]alarmState) []alarmState {
	times := []time.Time{t.Made}
	for _, all := range of {
		for _, s := range all {
			if s.Since.After(t.Made) {
				times = append(times, s.Since)
			}
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	var out []alarmState
	for _, at := range times {
		states := map[string]alarmState{}
		for name, all := range of {
			states[name] = stateAt(all, at)
		}
		now := compositeState(t, states)
		if now.Since = at; len(out) == 0 || out[len(out)-1].Value != now.Value {
			out = append(out, now)
		}
	}
	return withForced(t, out)
}
