package notify

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"slipway/models"
)

// Metrics are the courier's numbers. Labels are bounded: channels and outcomes, never a person or an address.
type Metrics struct {
	sent   *prometheus.CounterVec
	took   *prometheus.HistogramVec
	events prometheus.Counter
}

// NewMetrics registers the courier's numbers.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "slipway_notification_attempts_total", Help: "Attempts to deliver a notification, by channel and outcome."}, []string{"channel", "outcome"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "slipway_notification_seconds", Help: "Time of one attempt to deliver a notification.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20}}, []string{"channel"}),
		events: prometheus.NewCounter(prometheus.CounterOpts{Name: "slipway_notification_events_total", Help: "Events whose recipients were found."}),
	}
	reg.MustRegister(m.sent, m.took, m.events)
	return m
}

func (m *Metrics) spread(n int) {
	if m != nil {
		m.events.Add(float64(n))
	}
}

func (m *Metrics) delivered(c models.Channel, r models.Result, took time.Duration) {
	if m == nil {
		return
	}
	outcome := "retry"
	switch {
	case r.OK:
		outcome = "sent"
	case r.Unset:
		outcome = "not_configured"
	case r.Permanent:
		outcome = "refused"
	}
	m.sent.WithLabelValues(string(c), outcome).Inc()
	m.took.WithLabelValues(string(c)).Observe(took.Seconds())
}
