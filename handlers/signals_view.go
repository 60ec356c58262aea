package handlers

import (
	"fmt"
	"strings"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/chart"
	"slipway/views/ui"
	"slipway/views/urls"
)

func chartMark(at time.Time, title string) chart.Mark {
	return chart.Mark{At: at, Title: title + ", " + at.UTC().Format("15:04 MST")}
}

// drawn is one signal: which series it is made of, and how its figures are written.
type drawn struct {
	id, title string
	series    []drawnSeries
	unit      func(float64) string
	none      string // what is said when nothing measures it
}

type drawnSeries struct {
	kind   models.SignalKind
	name   string
	tone   chart.Tone
	stroke chart.Stroke
}

func drawnSignals() []drawn {
	return []drawn{
		{"sig-requests", "Requests", []drawnSeries{{models.SignalRequests, "requests a minute", chart.First, chart.Filled}}, perMinute, "It has no load balancer that would count requests."},
		{"sig-errors", "Errors", []drawnSeries{{models.SignalErrors, "answers of 500 and above, a minute", chart.Bad, chart.Line}}, perMinute, "It has no load balancer that would count errors."},
		{"sig-latency", "Latency", []drawnSeries{{models.SignalP50, "p50", chart.First, chart.Line}, {models.SignalP95, "p95", chart.Second, chart.Line}, {models.SignalP99, "p99", chart.Third, chart.Line}},
			seconds, "It has no load balancer that would time answers."},
		{"sig-load", "Saturation", []drawnSeries{{models.SignalCPU, "CPU", chart.First, chart.Line}, {models.SignalMemory, "memory", chart.Second, chart.Line}}, ofHundred, "It has no service whose tasks could be measured."},
	}
}

// signalsView turns what was read into charts. A series without a single figure is said in words, and a missing figure is a gap.
func signalsView(clock models.Clock, env models.Environment, s models.Signals) views.Signals {
	d := views.Signals{Tenant: env.TenantSlug, Name: env.Name, Stage: env.Stage, Read: ui.Ago(clock.Wall(), s.ReadAt), Charged: s.Metered}
	if s.Gap != nil {
		d.Gap = &views.SignalGap{Title: "Slipway cannot read the signals of this environment", Text: s.Gap.Words, Permission: s.Gap.Permission}
		if s.Gap.Kind == models.GapDenied {
			d.Gap.Account = urls.Account(env.TenantSlug, string(env.Stage.Class()))
		}
		return d
	}
	for _, x := range drawnSignals() {
		d.Charts = append(d.Charts, x.chart(env, s))
	}
	return d
}

func (x drawn) chart(env models.Environment, s models.Signals) views.SignalChart {
	c := chart.Chart{ID: x.id, Caption: x.title + " of " + env.TenantSlug + " / " + env.Name, From: s.From, To: s.To, Scale: chart.Clock, Unit: x.unit}
	if s.To.Sub(s.From) > 48*time.Hour {
		c.Scale = chart.Days
	}
	out := views.SignalChart{ID: x.id, Title: x.title}
	known, gaps := false, false
	var now []string
	for _, one := range x.series {
		points, ok := s.Series[one.kind]
		if !ok {
			continue
		}
		line := chart.Series{Name: one.name, Tone: one.tone, Stroke: one.stroke}
		last := ""
		for _, p := range points {
			if p.Value == nil {
				line.Points, gaps = append(line.Points, chart.Gap(p.At)), true
				continue
			}
			line.Points, last, known = append(line.Points, chart.Known(p.At, *p.Value, "")), x.unit(*p.Value), true
		}
		if last != "" {
			now = append(now, nowWords(x, one, last))
		}
		c.Series = append(c.Series, line)
	}
	switch {
	case len(c.Series) == 0:
		out.None = x.none
	case !known:
		out.None = "CloudWatch has no figure of it in this time. That is not zero: " + noFigure(env)
	default:
		out.Now, c.Label = strings.Join(now, ", "), x.title+" from "+s.From.Format("2 Jan 15:04")+" to "+s.To.Format("2 Jan 15:04 MST")+", now "+strings.Join(now, ", ")
		if gaps {
			c.Note = "Where the line has a gap, CloudWatch has no figure."
		}
		out.Chart = c
	}
	return out
}

// noFigure says what may lie behind it.
func noFigure(env models.Environment) string {
	switch {
	case env.Hibernated:
		return "the environment hibernates."
	case env.ServiceID != "" && env.Image == "":
		return "the environment waits for its first image."
	}
	return "nothing has come to it, or it is too new."
}

func nowWords(x drawn, one drawnSeries, last string) string {
	if len(x.series) == 1 {
		return last
	}
	return one.name + " " + last
}

func perMinute(v float64) string { return compact(v) + "/min" }

func ofHundred(v float64) string { return compact(v) + " %" }

// seconds writes a time as short as it can be read.
func seconds(v float64) string {
	if v < 1 {
		return compact(v*1000) + " ms"
	}
	return compact(v) + " s"
}

// compact writes a figure with as many digits as mean something.
func compact(v float64) string {
	switch {
	case v >= 1e6:
		return trim(fmt.Sprintf("%.1f", v/1e6)) + "M"
	case v >= 1e4:
		return trim(fmt.Sprintf("%.1f", v/1e3)) + "k"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return trim(fmt.Sprintf("%.1f", v))
	}
	return trim(fmt.Sprintf("%.2f", v))
}

func trim(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
