package awssim

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

// TestWatchingIsQuick keeps ten times the aim of 100 ms: 500 metrics over three hours, and thirteen
// months of costs, the best of five each.
func TestWatchingIsQuick(t *testing.T) {
	t.Parallel()
	m := newMeasured(t)
	in := last(3 * time.Hour)
	for i := range mostQueries {
		in.MetricDataQueries = append(in.MetricDataQueries, m.ofBalancer(fmt.Sprintf("q%d", i), []string{"RequestCount", "TargetResponseTime"}[i%2], []string{"Sum", "p95"}[i%2], 300))
	}
	month := monthOf(time.Now().UTC())
	costs := costexplorer.GetCostAndUsageInput{TimePeriod: period(month.AddDate(0, -13, 0), month.AddDate(0, 1, 0)), Granularity: cetypes.GranularityMonthly, Metrics: []string{"UnblendedCost", "AmortizedCost"},
		GroupBy: []cetypes.GroupDefinition{byDimension("LINKED_ACCOUNT"), byDimension("SERVICE")}}
	for name, do := range map[string]func(){"500 metrics": func() { m.ask(t, in) }, "13 months": func() { ask(t, m.w, costs) }} {
		best := time.Hour
		for range 5 {
			begin := time.Now()
			do()
			best = min(best, time.Since(begin))
		}
		if t.Logf("%s: %s", name, best); best > time.Second {
			t.Errorf("%s took %s", name, best)
		}
	}
}
