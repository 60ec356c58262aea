package awssim

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// An ECS service here has no task of its own in the database: what runs follows from how many
// are wanted, since when, and whether their image can be run.

const (
	ecsService    = "AWS::ECS::Service"
	ecsCluster    = "AWS::ECS::Cluster"
	ecsDefinition = "AWS::ECS::TaskDefinition"

	taskStart   = 40 * time.Second // until a new task runs and its target is healthy
	taskFailure = 45 * time.Second // from one failed start to the next
)

// serviceEffect keeps how many tasks are wanted: a template without DesiredCount leaves it to
// whoever scales the service.
func serviceEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, at time.Time) error {
	t, err := c.thing(ctx, s.Account, s.Region, r.Type, r.Physical)
	if err != nil {
		return err
	}
	if verb == "delete" {
		return c.endService(ctx, t, at)
	}
	cluster := clusterName(textOf(r.Properties["Cluster"]))
	if known, err := c.thing(ctx, s.Account, s.Region, ecsCluster, cluster); err != nil || known == nil {
		return orElse(err, refuse(http.StatusBadRequest, "ClusterNotFoundException", "Cluster not found."))
	}
	if t == nil {
		t = &thing{Account: s.Account, Region: s.Region, Type: r.Type, Physical: r.Physical, Made: at, State: map[string]any{"desired": 1.0}}
	}
	if n, given := r.Properties["DesiredCount"]; given {
		t.State["desired"] = numberOf(n, 1)
	}
	definition := textOf(r.Properties["TaskDefinition"])
	if was := textOf(t.State["definition"]); was != definition {
		t.State["previous"], t.State["definition"], t.State["deployed"] = was, definition, at.Format(time.RFC3339Nano)
	}
	return c.putThing(ctx, t)
}

// endService leaves the tasks' interfaces behind for a while.
func (c *Call) endService(ctx context.Context, t *thing, at time.Time) error {
	if t == nil {
		return nil
	}
	list, err := c.taskInterfaces(ctx, t, at)
	if err != nil {
		return err
	}
	return c.linger(ctx, t, list, tasksLinger, at)
}

func clusterEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	if verb != "delete" {
		return nil
	}
	all, err := c.things(ctx, `account = $1 AND region = $2 AND type = $3`, s.Account, s.Region, ecsService)
	if err != nil {
		return err
	}
	for _, t := range all {
		if clusterName(textOf(t.Properties["Cluster"])) == r.Physical {
			return refuse(http.StatusBadRequest, "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
		}
	}
	return nil
}

// targetEffect is what a scalable target does at once: it brings the service between its ends.
func targetEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	parts := strings.Split(textOf(r.Properties["ResourceId"]), "/")
	if verb == "delete" || len(parts) != 3 || parts[0] != "service" {
		return nil
	}
	t, err := c.thing(ctx, s.Account, s.Region, ecsService, arn("ecs", s.Region, s.Account, "service/"+parts[1]+"/"+parts[2]))
	if err != nil {
		return err
	}
	if t == nil {
		return refuse(http.StatusBadRequest, "ValidationException", "ECS service doesn't exist: %s", textOf(r.Properties["ResourceId"]))
	}
	least, most := numberOf(r.Properties["MinCapacity"], 0), numberOf(r.Properties["MaxCapacity"], 1)
	t.State["desired"] = min(max(numberOf(t.State["desired"], 0), least), most)
	return c.know(ctx, t)
}

// running is what a service does at this moment.
type running struct {
	desired, running int
	definition       string // what its newest deployment runs
	deployed         time.Time
	since            time.Time // when its newest tasks began, or began to end
	previous         string    // what ran before, while the newest has not taken over
	trouble          string    // why its newest tasks do not stay
	failed           int       // how many tasks of the newest deployment have ended
	crash            bool      // they start and end again
}

// steadyState says that the newest deployment has what it wants.
func (r running) steadyState() bool {
	return r.trouble == "" && r.running == r.desired && r.previous == ""
}

func (c *Call) runs(ctx context.Context, t *thing, at time.Time) (running, error) {
	out := running{desired: int(numberOf(t.State["desired"], 0)), definition: textOf(t.State["definition"]), crash: t.State["crash"] == true, deployed: t.Made}
	if d, err := time.Parse(time.RFC3339Nano, textOf(t.State["deployed"])); err == nil {
		out.deployed = d
	}
	if out.desired == 0 {
		return out, nil
	}
	var err error
	if out.trouble, err = c.unusable(ctx, t, out.definition); err != nil {
		return out, err
	}
	if out.crash && out.trouble == "" {
		out.trouble = "Essential container in task exited"
	}
	out.since = out.deployed
	if crashed, err := time.Parse(time.RFC3339Nano, textOf(t.State["crashed"])); err == nil && out.crash && crashed.After(out.deployed) {
		out.since = crashed
	}
	since := at.Sub(out.since)
	started := since >= c.Sim.scaled(taskStart)
	switch {
	case out.trouble == "" && started:
		out.running = out.desired
	case out.trouble != "":
		out.failed = max(int(since/max(c.Sim.scaled(taskFailure), time.Microsecond)), 0) * min(out.desired, 10)
	}
	if !started || out.trouble != "" {
		if previous := textOf(t.State["previous"]); previous != "" && out.since.Equal(out.deployed) {
			why, err := c.unusable(ctx, t, previous)
			if err != nil {
				return out, err
			}
			if out.previous = previous; why == "" { // the old tasks stay until new ones are there
				out.running = out.desired
			}
		}
	}
	return out, nil
}

// steady holds a service's stack back until its tasks run. A deployment circuit breaker ends
// the wait when too many of them have ended.
func steady(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _, at time.Time) (string, error) {
	if verb == "delete" {
		return "", nil
	}
	t, err := c.thing(ctx, s.Account, s.Region, r.Type, r.Physical)
	if err != nil || t == nil {
		return "", err
	}
	now, err := c.runs(ctx, t, at)
	if err != nil || now.steadyState() {
		return "", err
	}
	breaker := mapOf(mapOf(r.Properties["DeploymentConfiguration"])["DeploymentCircuitBreaker"])
	if threshold := min(max((now.desired+1)/2, 3), 200); yes(breaker["Enable"]) && now.failed >= threshold {
		return "", refuse(http.StatusBadRequest, "GeneralServiceException", "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.")
	}
	if now.trouble != "" {
		return "service " + textOf(t.Attributes["Name"]) + " has not reached a steady state: " + now.trouble, nil
	}
	return "service " + textOf(t.Attributes["Name"]) + " has not reached a steady state", nil
}

// unusable says why the tasks of a definition cannot start; empty when they can.
func (c *Call) unusable(ctx context.Context, service *thing, definition string) (string, error) {
	d, err := c.thing(ctx, service.Account, service.Region, ecsDefinition, definition)
	if err != nil {
		return "", err
	}
	if d == nil {
		return "Unable to describe task definition " + definition, nil
	}
	for _, container := range listOf(d.Properties["ContainerDefinitions"]) {
		why, err := c.pull(ctx, d, textOf(container["Image"]))
		if err != nil || why != "" {
			return why, err
		}
		for _, secret := range listOf(container["Secrets"]) {
			if why, err = c.handOver(ctx, d, textOf(secret["ValueFrom"])); err != nil || why != "" {
				return why, err
			}
		}
	}
	return "", nil
}
