package provisioners

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"slipway/models"
)

// Metrics are the engine's numbers. Labels are bounded: kinds, states and the first part of step names, never an id or a tenant.
type Metrics struct {
	steps   *prometheus.HistogramVec
	queue   *prometheus.GaugeVec
	late    prometheus.Gauge
	runs    *prometheus.GaugeVec
	swept   prometheus.Counter
	sweeps  *prometheus.CounterVec
	sealing prometheus.Gauge
}

// NewMetrics registers the engine's numbers.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "slipway_step_seconds", Help: "Time from a step's first look to its end.",
			Buckets: []float64{1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600}}, []string{"step", "outcome"}),
		queue:   prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "slipway_journal_open", Help: "Open journal rows."}, []string{"kind"}),
		late:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "slipway_journal_late_seconds", Help: "How far the most overdue journal row is past due."}),
		runs:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "slipway_runs", Help: "Runs that are not over, by state."}, []string{"state"}),
		swept:   prometheus.NewCounter(prometheus.CounterOpts{Name: "slipway_journal_swept_total", Help: "Journal rows taken back from lost or late workers."}),
		sweeps:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "slipway_sweep_errors_total", Help: "Sweeps that ended in an error."}, []string{"sweep"}),
		sealing: prometheus.NewGauge(prometheus.GaugeOpts{Name: "slipway_audit_unsealed", Help: "Audit entries not sealed yet."}),
	}
	reg.MustRegister(m.steps, m.queue, m.late, m.runs, m.swept, m.sweeps, m.sealing)
	return m
}

func (m *Metrics) step(d *doing, out Outcome, now time.Time) {
	if m == nil || out.Step == nil {
		return
	}
	switch out.Step.State {
	case models.StepDone, models.StepSkipped, models.StepFailed:
		m.steps.WithLabelValues(stepLabel(d.row.Name), string(out.Step.State)).Observe(now.Sub(d.mem.Since).Seconds())
	}
}

// stepLabel keeps the first two parts of a step's name: account.ebs.prod.eu-west-1 is account.ebs.
func stepLabel(name string) string {
	dots := 0
	for i, r := range name {
		if r == '.' {
			if dots++; dots == 2 {
				return name[:i]
			}
		}
	}
	return name
}

func (m *Metrics) set(g models.Gauges) {
	if m == nil {
		return
	}
	for _, k := range []models.JournalKind{models.PlanWork, models.RunWork, models.UndoWork, models.VendWork} {
		m.queue.WithLabelValues(string(k)).Set(float64(g.Queue[k]))
	}
	for _, s := range []models.RequestState{models.Running, models.Stopping, models.Undoing, models.Failed} {
		m.runs.WithLabelValues(string(s)).Set(float64(g.Runs[s]))
	}
	m.late.Set(g.Late.Seconds())
	m.sealing.Set(float64(g.Tail))
}

func (m *Metrics) sweptRows(n int) {
	if m != nil {
		m.swept.Add(float64(n))
	}
}

func (m *Metrics) sweepFailed(name string) {
	if m != nil {
		m.sweeps.WithLabelValues(name).Inc()
	}
}
