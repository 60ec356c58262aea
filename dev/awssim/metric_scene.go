package awssim

import (
	"context"
	"slices"
	"strings"
	"time"

	"slipway/models"
)

// scene is what the metrics of an account and region follow from at one moment.
type scene struct {
	account, region string
	now             time.Time
	speed           float64
	services        map[string]*actor // "cluster/service"
	balancers       map[string]*actor // by the load balancer's full name
	groups          map[string]*actor // target groups, by their full name: the services behind them
	fronts          map[string]string // target group to load balancer
	others          map[string]*thing // type and the value of the dimension that names it
	began           map[*thing]time.Time
	incidents       []incident
}

// actor is a service with its traffic.
type actor struct {
	seed    uint64
	from    time.Time
	desired int
	running int
	down    []window // without any task
	slow    []window
	errors  []window
}

// What tells the noises of one actor apart.
const (
	errorNoise = iota + 1
	latencyNoise
	cpuNoise
	memoryNoise
	clientNoise
)

// sceneOf looks at everything that is measured.
func (c *Call) sceneOf(ctx context.Context) (*scene, error) {
	sc := &scene{account: c.Account, region: c.Region, now: c.Now, speed: c.Sim.speed, services: map[string]*actor{}, balancers: map[string]*actor{}, groups: map[string]*actor{}, fronts: map[string]string{}, others: map[string]*thing{}, began: map[*thing]time.Time{}}
	var err error
	if sc.incidents, err = c.incidentsOf(ctx, c.Account, c.Region); err != nil {
		return nil, err
	}
	settings, err := c.costSettings(ctx)
	if err != nil {
		return nil, err
	}
	measured := []string{ecsService, elbBalancer, elbGroup, "AWS::SQS::Queue", "AWS::Scheduler::ScheduleGroup", "AWS::EC2::NatGateway", "AWS::WAFv2::WebACL", "AWS::S3::Bucket"}
	all, err := c.things(ctx, `account = $1 AND (region = $2 AND type = ANY ($3) OR $2 = 'us-east-1' AND type = 'AWS::CloudFront::Distribution')`, c.Account, c.Region, measured)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		sc.began[t] = since(billRow{Account: t.Account, Tags: t.Tags, From: t.Made}, settings)
		sc.others[t.Type+" "+dimensionValue(t)] = t
	}
	of, err := c.balancersOf(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.Type == ecsService {
			if err := sc.play(ctx, c, t, of); err != nil {
				return nil, err
			}
		}
	}
	for _, t := range all {
		if name := dimensionValue(t); t.Type == elbBalancer && sc.balancers[name] == nil {
			sc.balancers[name] = &actor{seed: seedOf(name), from: sc.began[t]}
		}
	}
	return sc, nil
}

// dimensionValue is by what a thing's metrics name it.
func dimensionValue(t *thing) string {
	switch t.Type {
	case elbBalancer:
		return textOf(t.Attributes["LoadBalancerFullName"])
	case elbGroup:
		return fullName(t.ARN)
	case "AWS::SQS::Queue":
		return textOf(t.Attributes["QueueName"])
	case "AWS::WAFv2::WebACL":
		return textOf(t.Properties["Name"])
	}
	return t.Physical
}

// fullName is what follows the account in the ARN of a balancer or target group, as metrics have it.
func fullName(a string) string {
	parts := strings.SplitN(a, ":", 6)
	return strings.TrimPrefix(parts[len(parts)-1], "loadbalancer/")
}

// play brings a service on, with the balancers that send to it.
func (sc *scene) play(ctx context.Context, c *Call, t *thing, of map[string][]string) error {
	now, err := c.runs(ctx, t, c.Now)
	if err != nil {
		return err
	}
	a := &actor{seed: seedOf(t.ARN), from: sc.began[t], desired: now.desired, running: now.running}
	cluster, service := clusterName(textOf(t.Properties["Cluster"])), textOf(t.Attributes["Name"])
	sc.services[cluster+"/"+service] = a
	for _, i := range sc.incidents {
		w := window{i.From, i.until(c.Now), i.Amount, i.Kind == crashIncident}
		if !i.about(t) {
			continue
		}
		switch i.Kind {
		case crashIncident:
			a.down = append(a.down, w)
		case latencyIncident:
			a.slow = append(a.slow, w)
		case errorsIncident:
			a.errors = append(a.errors, w)
		}
	}
	if now.desired > 0 && now.running == 0 {
		a.down = append(a.down, window{from: now.since, to: c.Now.Add(time.Hour), fails: now.crash})
	}
	for _, b := range listOf(t.Properties["LoadBalancers"]) {
		group := textOf(b["TargetGroupArn"])
		sc.groups[fullName(group)] = a
		for _, balancer := range of[group] {
			sc.balancers[fullName(balancer)] = a
			sc.fronts[fullName(group)] = fullName(balancer)
		}
	}
	return nil
}

// demand is how many requests a minute users make.
func (a *actor) demand(t time.Time) float64 {
	if a.desired == 0 {
		return 0
	}
	return between(90, 420, a.seed) * dayShape(t) * wobble(a.seed, t, 0.22)
}

// tasks is how many run at a time.
func (a *actor) tasks(t time.Time) int {
	if _, down := within(a.down, t); down {
		return 0
	}
	return a.desired
}

// served are the requests that a task answered, and how many of them with an error.
func (a *actor) served(t time.Time) (all, failed float64) {
	if a.tasks(t) == 0 {
		return 0, 0
	}
	all = math0(a.demand(t))
	share := 0.002 * noiseOf(a.seed+errorNoise, t.Unix()/60)
	if w, on := within(a.errors, t); on {
		share = w.amount * (0.9 + 0.2*noiseOf(a.seed+errorNoise, t.Unix()/60))
	}
	return all, min(math0(all*share), all)
}

// latency is how long a request takes half of the time, in seconds.
func (a *actor) latency(t time.Time) float64 {
	median := between(0.08, 0.16, a.seed+latencyNoise) * (0.85 + 0.3*dayShape(t)) * wobble(a.seed+latencyNoise, t, 0.12)
	if w, on := within(a.slow, t); on {
		median *= w.amount
	}
	return median
}

// load is the share of their processors that tasks use.
func (a *actor) load(t time.Time) float64 {
	v := between(14, 26, a.seed+cpuNoise) * (0.55 + dayShape(t)) * wobble(a.seed+cpuNoise, t, 0.14)
	if _, on := within(a.slow, t); on {
		v = min(v*2+20, 88)
	}
	return v
}

// hidden says whether a metric is missing now, or was at a time.
func (sc *scene) hidden(kind, metric string, t time.Time) bool {
	return slices.ContainsFunc(sc.incidents, func(i incident) bool {
		return i.Kind == kind && (i.Target == "" || i.Target == metric) && !t.Before(i.From) && t.Before(i.until(sc.now.Add(time.Hour)))
	})
}

// tagged says whether a thing belongs to what somebody named: by its environment, stack, ARN or name.
func tagged(t *thing, name string) bool {
	return name == "" || slices.Contains([]string{t.ARN, t.Physical, t.StackName, t.Tags[models.TagEnvironment], textOf(t.Attributes["Name"])}, name)
}
