package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"golang.org/x/sync/singleflight"

	"slipway/models"
)

// Metrics are charged by the metric and call, so signals are read when somebody looks and kept for a minute: a page that many look at costs
// what one look costs.
const (
	signalsKept  = time.Minute
	signalsAgain = 10 * time.Second // what could not be read is asked for again after this
	signalsMost  = 1000             // environments and ranges that are kept at once
	signalsTime  = 6 * time.Second
	signalPages  = 3
	signalPeriod = 60.0 // seconds, of "per minute"
)

// lookAtSignals is what pages may do of what slipway-read may, to draw signals.
var lookAtSignals = policy(statement{Action: []string{"cloudwatch:GetMetricData"}})

// Signals reads the four golden signals of environments.
type Signals struct {
	clients *Clients
	flights singleflight.Group
	mu      sync.Mutex
	kept    map[string]keptSignals
}

type keptSignals struct {
	models.Signals
	until time.Time
}

// NewSignals makes the reader.
func NewSignals(c *Clients) *Signals { return &Signals{clients: c, kept: map[string]keptSignals{}} }

// Signals are those of a stack over a range that ends now. What could not be read is a gap in them, never an error: a page shows what
// there is. Whoever asks has been found to be allowed to see the stack.
func (s *Signals) Signals(ctx context.Context, st models.Stack, r models.SignalRange) models.Signals {
	now := s.clients.Clock.Wall()
	key := st.ObjectID + " " + r.Name
	s.mu.Lock()
	have, ok := s.kept[key]
	s.mu.Unlock()
	if ok && now.Before(have.until) {
		return have.Signals
	}
	out, err, _ := s.flights.Do(key, func() (any, error) { // who asks first may leave: the others still want it
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signalsTime)
		defer cancel()
		got := s.read(ctx, st, r, now)
		s.keep(key, got, now)
		return got, nil
	})
	got, ok := out.(models.Signals)
	if err != nil || !ok { // neither can be: the function above gives signals and no error
		return models.Signals{Gap: &models.ReadGap{What: "its signals", Kind: models.GapUnavailable, Words: fmt.Sprint(err)}}
	}
	return got
}

func (s *Signals) keep(key string, got models.Signals, now time.Time) {
	until := now.Add(signalsKept)
	if got.Gap != nil {
		until = now.Add(signalsAgain)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) >= signalsMost {
		for k, v := range s.kept {
			if !now.Before(v.until) {
				delete(s.kept, k)
			}
		}
	}
	if len(s.kept) >= signalsMost {
		clear(s.kept)
	}
	s.kept[key] = keptSignals{got, until}
}

func (s *Signals) read(ctx context.Context, st models.Stack, r models.SignalRange, now time.Time) models.Signals {
	out := models.Signals{Period: r.Period, ReadAt: now, Series: map[models.SignalKind][]models.SignalPoint{}}
	out.From, out.To = r.Window(now)
	queries, none := metricsOf(st.Resources, int32(r.Period.Seconds()))
	out.None = none
	if len(queries) == 0 {
		return out
	}
	api := cloudwatch.NewFromConfig(s.clients.spoke(st.Account, st.Region, "read", lookAtSignals, who{job: pageJob}))
	found := map[string]map[time.Time]float64{}
	in := &cloudwatch.GetMetricDataInput{MetricDataQueries: queries, StartTime: &out.From, EndTime: &out.To, ScanBy: cwtypes.ScanByTimestampAscending}
	for range signalPages {
		got, err := api.GetMetricData(ctx, in)
		if err != nil {
			out.Gap = signalGap(err)
			return out
		}
		out.Metered += len(queries)
		for _, m := range got.MetricDataResults {
			if m.StatusCode == cwtypes.StatusCodeForbidden {
				out.Gap = &models.ReadGap{What: "its signals", Kind: models.GapDenied, Permission: "cloudwatch:GetMetricData", Words: "CloudWatch refuses the metric " + sdk.ToString(m.Label) + "."}
				return out
			}
			id := sdk.ToString(m.Id)
			if found[id] == nil {
				found[id] = map[time.Time]float64{}
			}
			for i, at := range m.Timestamps[:min(len(m.Timestamps), len(m.Values))] {
				found[id][at.UTC().Truncate(r.Period)] = m.Values[i]
			}
		}
		if in.NextToken = got.NextToken; in.NextToken == nil {
			break
		}
	}
	out.Series = seriesOf(queries, found, out)
	return out
}

// signalGap says why nothing could be read. What AWS has no part in is said as what it is.
func signalGap(err error) *models.ReadGap {
	if g, ok := gap("its signals", err); ok {
		return &g
	}
	words := "It could not be read: " + err.Error()
	if errors.Is(err, context.DeadlineExceeded) {
		words = "CloudWatch did not answer within " + signalsTime.String() + "."
	}
	return &models.ReadGap{What: "its signals", Kind: models.GapUnavailable, Words: words}
}

// The ids of queries whose series are put together from two.
const targetErrors, ownErrors = "errors_target", "errors_own"

// metricsOf asks for what the resources of a stack measure, and names the series that nothing of it measures.
func metricsOf(resources []models.StackResource, period int32) (queries []cwtypes.MetricDataQuery, none []models.SignalKind) {
	add := func(id, namespace, name, stat string, dimensions ...string) {
		m := cwtypes.Metric{Namespace: &namespace, MetricName: &name}
		for i := 0; i+1 < len(dimensions); i += 2 {
			m.Dimensions = append(m.Dimensions, cwtypes.Dimension{Name: &dimensions[i], Value: &dimensions[i+1]})
		}
		queries = append(queries, cwtypes.MetricDataQuery{Id: &id, MetricStat: &cwtypes.MetricStat{Metric: &m, Period: &period, Stat: &stat}})
	}
	balancer, cluster, service := "", "", ""
	for _, r := range resources {
		switch r.Type {
		case "AWS::ElasticLoadBalancingV2::LoadBalancer":
			_, balancer, _ = strings.Cut(r.PhysicalID, ":loadbalancer/")
		case "AWS::ECS::Service":
			if parts := strings.Split(r.PhysicalID, "/"); len(parts) == 3 {
				cluster, service = parts[1], parts[2]
			}
		}
	}
	if balancer == "" {
		none = append(none, models.SignalRequests, models.SignalErrors, models.SignalP50)
	} else {
		const elb = "AWS/ApplicationELB"
		add(string(models.SignalRequests), elb, "RequestCount", "Sum", "LoadBalancer", balancer)
		add(targetErrors, elb, "HTTPCode_Target_5XX_Count", "Sum", "LoadBalancer", balancer)
		add(ownErrors, elb, "HTTPCode_ELB_5XX_Count", "Sum", "LoadBalancer", balancer)
		for _, p := range []models.SignalKind{models.SignalP50, models.SignalP95, models.SignalP99} {
			add(string(p), elb, "TargetResponseTime", string(p), "LoadBalancer", balancer)
		}
	}
	if service == "" {
		none = append(none, models.SignalCPU)
	} else {
		add(string(models.SignalCPU), "AWS/ECS", "CPUUtilization", "Average", "ClusterName", cluster, "ServiceName", service)
		add(string(models.SignalMemory), "AWS/ECS", "MemoryUtilization", "Average", "ClusterName", cluster, "ServiceName", service)
	}
	return queries, none
}

// seriesOf lays what was found out over the window: one point per period, nil where CloudWatch has none. A load balancer writes no figure of
// errors when there were none, so a period with requests and without such a figure had zero.
func seriesOf(queries []cwtypes.MetricDataQuery, found map[string]map[time.Time]float64, w models.Signals) map[models.SignalKind][]models.SignalPoint {
	perMinute := signalPeriod / w.Period.Seconds()
	all := map[models.SignalKind][]models.SignalPoint{}
	lay := func(kind models.SignalKind, at func(time.Time) *float64) {
		for t := w.From; t.Before(w.To); t = t.Add(w.Period) {
			all[kind] = append(all[kind], models.SignalPoint{At: t, Value: at(t)})
		}
	}
	value := func(id string, t time.Time, times float64) *float64 {
		v, ok := found[id][t]
		if !ok {
			return nil
		}
		v *= times
		return &v
	}
	for _, q := range queries {
		switch id := sdk.ToString(q.Id); id {
		case targetErrors:
			lay(models.SignalErrors, func(t time.Time) *float64 {
				a, b := value(targetErrors, t, perMinute), value(ownErrors, t, perMinute)
				if a == nil && b == nil && value(string(models.SignalRequests), t, 1) == nil {
					return nil
				}
				sum := 0.0
				for _, part := range []*float64{a, b} {
					if part != nil {
						sum += *part
					}
				}
				return &sum
			})
		case ownErrors:
		case string(models.SignalRequests):
			lay(models.SignalRequests, func(t time.Time) *float64 { return value(id, t, perMinute) })
		default:
			lay(models.SignalKind(id), func(t time.Time) *float64 { return value(id, t, 1) })
		}
	}
	return all
}
