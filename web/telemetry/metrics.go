package telemetry

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Registry holds every metric of the process: main passes it to whoever measures. Labels are bounded: routes, kinds and
// states, never ids or names.
func Registry(version string) *prometheus.Registry {
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "slipway_build_info", Help: "Always 1; the labels tell the build."}, []string{"version", "go"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build)
	return registry
}
