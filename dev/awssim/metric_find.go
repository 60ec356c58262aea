package awssim

import (
	"math"
	"slices"
	"strings"
	"time"
)

func math0(v float64) float64 { return math.Max(math.Round(v), 0) }

// dimensions of a metric, by name.
type dimensions map[string]string

func (d dimensions) are(names ...string) bool {
	return len(d) == len(names) && !slices.ContainsFunc(names, func(n string) bool { return d[n] == "" })
}

// find is the series of a metric; nil when there is none.
func (sc *scene) find(namespace, metric string, d dimensions) *series {
	if sc.hidden(missingIncident, metric, sc.now) {
		return nil
	}
	var s *series
	switch namespace {
	case "AWS/ApplicationELB":
		s = sc.balancerSeries(metric, d)
	case "AWS/ECS", "ECS/ContainerInsights":
		s = sc.serviceSeries(namespace, metric, d)
	default:
		s = sc.otherSeries(namespace, metric, d)
	}
	if s == nil {
		return nil
	}
	at := s.at
	s.at = func(t time.Time) (sample, bool) {
		if sc.hidden(gapIncident, metric, t) {
			return sample{}, false
		}
		return at(t)
	}
	return s
}

func (sc *scene) balancerSeries(metric string, d dimensions) *series {
	var a *actor
	switch {
	case d.are("LoadBalancer"):
		a = sc.balancers[d["LoadBalancer"]]
	case d.are("LoadBalancer", "TargetGroup"):
		if t := sc.others[elbGroup+" "+d["TargetGroup"]]; t == nil {
			return nil
		}
		if a = sc.groups[d["TargetGroup"]]; a == nil || sc.fronts[d["TargetGroup"]] != d["LoadBalancer"] {
			return nil
		}
	}
	if a == nil {
		return nil
	}
	return a.traffic(metric, d["TargetGroup"] != "")
}

// traffic is what a load balancer reports of requests and targets.
func (a *actor) traffic(metric string, ofGroup bool) *series {
	count := func(unit string, at func(time.Time) (float64, bool)) *series {
		return &series{from: a.from, unit: unit, at: func(t time.Time) (sample, bool) { return events(at(t)) }}
	}
	switch {
	case metric == "RequestCount":
		return count("Count", func(t time.Time) (float64, bool) { n, _ := a.served(t); return n, true })
	case metric == "HTTPCode_Target_5XX_Count":
		return count("Count", func(t time.Time) (float64, bool) { _, n := a.served(t); return n, false })
	case metric == "HTTPCode_Target_4XX_Count":
		return count("Count", func(t time.Time) (float64, bool) {
			n, _ := a.served(t)
			return n * 0.02 * wobble(a.seed+clientNoise, t, 1), false
		})
	case metric == "HTTPCode_Target_2XX_Count":
		return count("Count", func(t time.Time) (float64, bool) {
			n, failed := a.served(t)
			return n - failed - math0(n*0.02*wobble(a.seed+clientNoise, t, 1)), false
		})
	case metric == "HTTPCode_ELB_5XX_Count" && !ofGroup: // nobody is there to answer
		return count("Count", func(t time.Time) (float64, bool) {
			if a.tasks(t) > 0 {
				return 0, false
			}
			return a.demand(t), false
		})
	case metric == "TargetResponseTime":
		return &series{from: a.from, unit: "Seconds", at: func(t time.Time) (sample, bool) {
			n, _ := a.served(t)
			median := a.latency(t)
			const spread = 0.5
			return sample{n: n, sum: n * median * math.Exp(spread*spread/2), low: median / 6, high: median * 7, median: median, spread: spread}, n > 0
		}}
	case metric == "HealthyHostCount" && ofGroup:
		return &series{from: a.from, unit: "Count", at: func(t time.Time) (sample, bool) {
			s, _ := gauge(float64(a.tasks(t)))
			return s, a.desired > 0
		}}
	case metric == "UnHealthyHostCount" && ofGroup:
		return &series{from: a.from, unit: "Count", at: func(t time.Time) (sample, bool) {
			sick := 0.0
			if w, down := within(a.down, t); down && w.fails {
				sick = float64(a.desired)
			}
			s, _ := gauge(sick)
			return s, a.desired > 0
		}}
	}
	return nil
}

func (sc *scene) serviceSeries(namespace, metric string, d dimensions) *series {
	if !d.are("ClusterName", "ServiceName") {
		return nil
	}
	a := sc.services[d["ClusterName"]+"/"+d["ServiceName"]]
	if a == nil {
		return nil
	}
	number := func(unit string, of func(time.Time) float64, always bool) *series {
		return &series{from: a.from, unit: unit, at: func(t time.Time) (sample, bool) {
			s, _ := gauge(of(t))
			return s, always || a.tasks(t) > 0
		}}
	}
	switch {
	case metric == "CPUUtilization" && namespace == "AWS/ECS":
		return spread(number("Percent", a.load, false), 1.3)
	case metric == "MemoryUtilization" && namespace == "AWS/ECS":
		return spread(number("Percent", func(t time.Time) float64 {
			return between(38, 62, a.seed+memoryNoise) * (0.95 + 0.1*dayShape(t)) * wobble(a.seed+memoryNoise, t, 0.03)
		}, false), 1.05)
	case metric == "RunningTaskCount":
		return number("Count", func(t time.Time) float64 { return float64(a.tasks(t)) }, true)
	case metric == "DesiredTaskCount":
		return number("Count", func(time.Time) float64 { return float64(a.desired) }, true)
	case metric == "PendingTaskCount":
		return number("Count", func(t time.Time) float64 { return 0 }, true)
	case metric == "DeploymentCount":
		return number("Count", func(t time.Time) float64 { return 1 }, true)
	}
	return nil
}

// spread lets tasks differ: the busiest has so many times the average.
func spread(s *series, by float64) *series {
	at := s.at
	s.at = func(t time.Time) (sample, bool) {
		one, ok := at(t)
		one.low, one.high = one.sum/by, min(one.sum*by, 100)
		return one, ok
	}
	return s
}

// otherKinds are the things of other namespaces: their type, the dimension that names one, and all that a metric needs.
var otherKinds = map[string]struct {
	typ, dimension string
	names          []string
}{
	"AWS/SQS":        {"AWS::SQS::Queue", "QueueName", []string{"QueueName"}},
	"AWS/Scheduler":  {"AWS::Scheduler::ScheduleGroup", "ScheduleGroup", []string{"ScheduleGroup"}},
	"AWS/NATGateway": {"AWS::EC2::NatGateway", "NatGatewayId", []string{"NatGatewayId"}},
	"AWS/WAFV2":      {"AWS::WAFv2::WebACL", "WebACL", []string{"WebACL", "Region", "Rule"}},
	"AWS/CloudFront": {"AWS::CloudFront::Distribution", "DistributionId", []string{"DistributionId", "Region"}},
	"AWS/S3":         {"AWS::S3::Bucket", "BucketName", []string{"BucketName", "StorageType"}},
}

// otherSeries are those of queues, schedules, gateways, firewalls, the edge and buckets.
func (sc *scene) otherSeries(namespace, metric string, d dimensions) *series {
	of := otherKinds[namespace]
	t := sc.others[of.typ+" "+d[of.dimension]]
	if t == nil || !d.are(of.names...) {
		return nil
	}
	seed, from := seedOf(t.ARN+metric), sc.began[t]
	rate := func(low, high float64, zeroToo bool) *series {
		base := between(low, high, seed)
		return &series{from: from, unit: "Count", at: func(t time.Time) (sample, bool) {
			return events(base*dayShape(t)*wobble(seed, t, 0.3), zeroToo)
		}}
	}
	level := func(unit string, v func(time.Time) float64) *series {
		return &series{from: from, unit: unit, at: func(t time.Time) (sample, bool) { return gauge(v(t)) }}
	}
	none := func(time.Time) float64 { return 0 }
	switch namespace + " " + metric {
	case "AWS/SQS NumberOfMessagesSent", "AWS/Scheduler TargetErrorCount":
		return &series{from: from, unit: "Count", at: func(at time.Time) (sample, bool) {
			return events(sc.failures(t, at), strings.HasPrefix(namespace, "AWS/SQS"))
		}}
	case "AWS/SQS ApproximateNumberOfMessagesVisible", "AWS/SQS ApproximateAgeOfOldestMessage", "AWS/NATGateway ErrorPortAllocation", "AWS/NATGateway PacketsDropCount":
		return level("Count", none)
	case "AWS/Scheduler InvocationAttemptCount":
		return &series{from: from, unit: "Count", at: func(t time.Time) (sample, bool) {
			return events(map[bool]float64{true: 1}[t.Minute() == int(noiseOf(seed, 0)*60)], false)
		}}
	case "AWS/NATGateway ActiveConnectionCount":
		return level("Count", func(t time.Time) float64 {
			return math0(between(20, 90, seed) * dayShape(t) * wobble(seed, t, 0.2))
		})
	case "AWS/NATGateway BytesOutToDestination":
		return rate(2e6, 9e6, true)
	case "AWS/WAFV2 AllowedRequests":
		return rate(90, 420, false)
	case "AWS/WAFV2 BlockedRequests":
		return rate(1, 6, false)
	case "AWS/CloudFront Requests":
		return rate(30, 160, false)
	case "AWS/CloudFront BytesDownloaded":
		return rate(1e6, 9e6, false)
	case "AWS/CloudFront 4xxErrorRate":
		return level("Percent", func(t time.Time) float64 { return 1.5 * noiseOf(seed, t.Unix()/60) })
	case "AWS/CloudFront 5xxErrorRate":
		return level("Percent", func(at time.Time) float64 { return 100 * sc.failing(t, at) })
	case "AWS/S3 BucketSizeBytes":
		s := level("Bytes", func(t time.Time) float64 {
			return math0(between(2e6, 8e8, seed) * (1 + t.Sub(from).Hours()/24*0.01))
		})
		s.daily = true
		return s
	}
	return nil
}

// failures are the runs of a job that fail in a minute: one every five while it has errors.
func (sc *scene) failures(t *thing, at time.Time) float64 {
	if sc.failing(t, at) > 0 && at.Minute()%5 == 0 {
		return 1
	}
	return 0
}

// failing is the share of what a thing does that fails.
func (sc *scene) failing(t *thing, at time.Time) float64 {
	for _, i := range sc.incidents {
		if i.Kind == errorsIncident && i.about(t) && (window{from: i.From, to: i.until(sc.now.Add(time.Hour))}).holds(at) {
			return i.Amount
		}
	}
	return 0
}
