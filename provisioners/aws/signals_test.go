package aws

import (
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"slipway/models"
)

func span(name string) models.SignalRange {
	r, _ := models.SignalRangeOf(name)
	return r
}

// TestSignalsAreLaidOut: a point per period, a gap where CloudWatch has none, and no errors where there were requests and no figure of them.
func TestSignalsAreLaidOut(t *testing.T) {
	t.Parallel()
	resources := []models.StackResource{{Type: "AWS::ElasticLoadBalancingV2::LoadBalancer", PhysicalID: "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/shop/50dc"},
		{Type: "AWS::ECS::Service", PhysicalID: "arn:aws:ecs:eu-west-1:1:service/slw-payments-shop/shop"}}
	queries, none := metricsOf(resources, 300)
	if len(queries) != 8 || len(none) != 0 || *queries[0].MetricStat.Metric.Dimensions[0].Value != "app/shop/50dc" || *queries[6].MetricStat.Metric.Dimensions[1].Value != "shop" {
		t.Fatalf("asks for %+v, not for %v", queries, none)
	}
	from := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	w := models.Signals{From: from, To: from.Add(20 * time.Minute), Period: 5 * time.Minute}
	second, third := from.Add(5*time.Minute), from.Add(10*time.Minute)
	got := seriesOf(queries, map[string]map[time.Time]float64{"requests": {from: 600, second: 300}, targetErrors: {second: 10}, ownErrors: {third: 5}, "p95": {from: 0.5}}, w)
	for kind, want := range map[models.SignalKind][]any{models.SignalRequests: {120.0, 60.0, nil, nil}, models.SignalErrors: {0.0, 2.0, 1.0, nil}, models.SignalP95: {0.5, nil, nil, nil}, models.SignalCPU: {nil, nil, nil, nil}} {
		if len(got[kind]) != 4 {
			t.Fatalf("%s has %d points", kind, len(got[kind]))
		}
		for i, v := range want {
			p := got[kind][i]
			if (v == nil) != (p.Value == nil) || v != nil && *p.Value != v.(float64) || !p.At.Equal(from.Add(time.Duration(i)*5*time.Minute)) {
				t.Errorf("%s at %s: %v, want %v", kind, p.At, sdk.ToFloat64(p.Value), v)
			}
		}
	}
	if queries, none := metricsOf(nil, 60); len(queries) != 0 || len(none) != 4 {
		t.Errorf("a stack that measures nothing: %d, %v", len(queries), none)
	}
}

// TestSignalsAreReadOnce for all who look within a minute, and anew soon after what could not be read.
func TestSignalsAreReadOnce(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.shop()
	signals := NewSignals(e.clients)
	reads := func() int { return e.w.count(`SELECT count(*) FROM calls WHERE op = 'GetMetricData'`) }
	e.w.fault(map[string]any{"op": "GetMetricData", "action": "access_denied", "times": 1})
	if got := signals.Signals(t.Context(), st, span("1h")); got.Gap == nil || got.Gap.Kind != models.GapDenied || got.Gap.Permission != "cloudwatch:GetMetricData" || got.Metered != 0 {
		t.Errorf("denied: %+v", got.Gap)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Add(1)
		go func() {
			defer all.Done()
			got := signals.Signals(t.Context(), st, span("3h"))
			if got.Gap != nil || got.Metered != 8 || len(got.Series[models.SignalRequests]) != 180 {
				t.Errorf("%+v, %d metrics, %d points", got.Gap, got.Metered, len(got.Series[models.SignalRequests]))
			}
		}()
	}
	all.Wait()
	if n := reads(); n != 2 {
		t.Errorf("%d reads, want one that was denied and one for all", n)
	}
}
