package aws

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// maxAccountLabels bounds how many accounts the metrics tell apart; the rest counts as "other".
const maxAccountLabels = 200

// metrics count attempts of calls. AWS's own throttle counters cannot be read, so these are the only ones.
type metrics struct {
	calls     *prometheus.CounterVec
	throttles *prometheus.CounterVec
	seconds   *prometheus.HistogramVec

	mu       sync.Mutex
	accounts map[string]bool
}

func newMetrics(r prometheus.Registerer) *metrics {
	if r == nil {
		return nil
	}
	m := &metrics{accounts: map[string]bool{},
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "slipway_aws_calls_total", Help: "Attempts of AWS calls by how they ended."},
			[]string{"service", "operation", "outcome"}),
		throttles: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "slipway_aws_throttles_total", Help: "Attempts that AWS throttled."},
			[]string{"account", "service", "operation"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "slipway_aws_call_seconds", Help: "How long AWS took to answer.", Buckets: []float64{.05, .2, .5, 1, 3, 10}},
			[]string{"service"}),
	}
	r.MustRegister(m.calls, m.throttles, m.seconds)
	return m
}

func (m *metrics) called(service, op, account, outcome string, took time.Duration) {
	if m == nil {
		return
	}
	m.calls.WithLabelValues(service, op, outcome).Inc()
	m.seconds.WithLabelValues(service).Observe(took.Seconds())
	if outcome == "throttled" {
		m.throttles.WithLabelValues(m.label(account), service, op).Inc()
	}
}

func (m *metrics) label(account string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.accounts[account] && len(m.accounts) >= maxAccountLabels {
		return "other"
	}
	m.accounts[account] = true
	return account
}
