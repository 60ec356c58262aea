package awssim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func ecsOperations() []operation {
	return []operation{
		handle("ecs", "ListClusters", listClusters),
		handle("ecs", "DescribeClusters", describeClusters),
		handle("ecs", "ListServices", listServices),
		handle("ecs", "DescribeServices", describeServices),
		handle("ecs", "ListTasks", listTasks),
		handle("ecs", "DescribeTasks", describeTasks),
		handle("ecs", "DescribeTaskDefinition", describeTaskDefinition),
	}
}

func ecsParameter(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidParameterException", format, args...)
}

func (t *thing) ecsTags() []ecstypes.Tag {
	var out []ecstypes.Tag
	for _, k := range sortedKeys(t.Tags) {
		out = append(out, ecstypes.Tag{Key: aws.String(k), Value: aws.String(t.Tags[k])})
	}
	return out
}

// servicesIn are the services of a cluster of the caller.
func (c *Call) servicesIn(ctx context.Context, cluster string) ([]*thing, error) {
	all, err := c.own(ctx, ecsService)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(t *thing) bool { return clusterName(textOf(t.Properties["Cluster"])) != cluster }), nil
}

// cluster finds a cluster, after asking for the call on what belongs to it.
func (c *Call) cluster(ctx context.Context, given *string, resource string) (*thing, error) {
	name := clusterName(aws.ToString(given))
	k := keys{"ecs:cluster": one(arn("ecs", c.Region, c.Account, "cluster/"+name))}
	if err := c.may(ctx, strings.ReplaceAll(resource, "CLUSTER", name), k); err != nil {
		return nil, err
	}
	t, err := c.thing(ctx, c.Account, c.Region, ecsCluster, name)
	if err == nil && t == nil {
		err = refuse(http.StatusBadRequest, "ClusterNotFoundException", "Cluster not found.")
	}
	return t, err
}

func listClusters(ctx context.Context, c *Call, in *ecs.ListClustersInput) (*ecs.ListClustersOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, ecsCluster)
	if err != nil {
		return nil, err
	}
	some, next, err := page(arns(all), in.NextToken, in.MaxResults, 100)
	return &ecs.ListClustersOutput{ClusterArns: some, NextToken: next}, orInvalid(err)
}

func orInvalid(err error) error {
	if err != nil {
		return ecsParameter("Invalid token.")
	}
	return nil
}

func arns(list []*thing) []string {
	out := []string{}
	for _, t := range list {
		out = append(out, t.ARN)
	}
	return out
}

func describeClusters(ctx context.Context, c *Call, in *ecs.DescribeClustersInput) (*ecs.DescribeClustersOutput, error) {
	names := in.Clusters
	if len(names) == 0 {
		names = []string{"default"}
	}
	out := &ecs.DescribeClustersOutput{Clusters: []ecstypes.Cluster{}, Failures: []ecstypes.Failure{}}
	for _, given := range names {
		t, err := c.cluster(ctx, &given, arn("ecs", c.Region, c.Account, "cluster/CLUSTER"))
		if refused, ok := err.(*APIError); ok && refused.Code == "ClusterNotFoundException" {
			out.Failures = append(out.Failures, ecstypes.Failure{Arn: aws.String(arn("ecs", c.Region, c.Account, "cluster/"+clusterName(given))), Reason: aws.String("MISSING")})
			continue
		}
		if err != nil {
			return nil, err
		}
		services, err := c.servicesIn(ctx, t.Physical)
		if err != nil {
			return nil, err
		}
		one := ecstypes.Cluster{ClusterName: &t.Physical, ClusterArn: &t.ARN, Status: aws.String("ACTIVE"), ActiveServicesCount: int32(len(services)), Tags: t.ecsTags()}
		for _, s := range services {
			now, err := c.runs(ctx, s, c.Now)
			if err != nil {
				return nil, err
			}
			one.RunningTasksCount += int32(now.running)
			one.PendingTasksCount += int32(now.pending())
		}
		out.Clusters = append(out.Clusters, one)
	}
	return out, nil
}

func listServices(ctx context.Context, c *Call, in *ecs.ListServicesInput) (*ecs.ListServicesOutput, error) {
	cluster, err := c.cluster(ctx, in.Cluster, arn("ecs", c.Region, c.Account, "service/CLUSTER/*"))
	if err != nil {
		return nil, err
	}
	all, err := c.servicesIn(ctx, cluster.Physical)
	if err != nil {
		return nil, err
	}
	most := in.MaxResults
	if most == nil {
		most = aws.Int32(10)
	}
	some, next, err := page(arns(all), in.NextToken, most, 100)
	return &ecs.ListServicesOutput{ServiceArns: some, NextToken: next}, orInvalid(err)
}

func describeServices(ctx context.Context, c *Call, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
	if len(in.Services) == 0 || len(in.Services) > 10 {
		c.open()
		return nil, ecsParameter("Services should contain between 1 and 10 items.")
	}
	cluster, err := c.cluster(ctx, in.Cluster, arn("ecs", c.Region, c.Account, "service/CLUSTER/"+clusterName(in.Services[0])))
	if err != nil {
		return nil, err
	}
	out := &ecs.DescribeServicesOutput{Services: []ecstypes.Service{}, Failures: []ecstypes.Failure{}}
	for _, given := range in.Services {
		a := arn("ecs", c.Region, c.Account, "service/"+cluster.Physical+"/"+clusterName(given))
		t, err := c.thing(ctx, c.Account, c.Region, ecsService, a)
		if err != nil {
			return nil, err
		}
		if t == nil {
			out.Failures = append(out.Failures, ecstypes.Failure{Arn: &a, Reason: aws.String("MISSING")})
			continue
		}
		one, err := c.serviceOut(ctx, cluster, t)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(in.Include, ecstypes.ServiceFieldTags) {
			one.Tags = nil
		}
		out.Services = append(out.Services, one)
	}
	return out, nil
}

// pending are the tasks that are starting.
func (r running) pending() int {
	if r.crash || r.running >= r.desired {
		return 0
	}
	return r.desired - r.running
}

func (c *Call) serviceOut(ctx context.Context, cluster, t *thing) (ecstypes.Service, error) {
	now, err := c.runs(ctx, t, c.Now)
	if err != nil {
		return ecstypes.Service{}, err
	}
	p := t.Properties
	out := ecstypes.Service{ServiceArn: &t.ARN, ServiceName: aws.String(textOf(t.Attributes["Name"])), ClusterArn: &cluster.ARN, Status: aws.String("ACTIVE"), DesiredCount: int32(now.desired),
		RunningCount: int32(now.running), PendingCount: int32(now.pending()), TaskDefinition: &now.definition, CreatedAt: &t.Made, LaunchType: ecstypes.LaunchTypeFargate, PlatformVersion: aws.String("LATEST"),
		PlatformFamily: aws.String("Linux"), SchedulingStrategy: ecstypes.SchedulingStrategyReplica, Tags: t.ecsTags(), PropagateTags: ecstypes.PropagateTags(textOf(p["PropagateTags"])),
		HealthCheckGracePeriodSeconds: aws.Int32(int32(numberOf(p["HealthCheckGracePeriodSeconds"], 0)))}
	for _, b := range listOf(p["LoadBalancers"]) {
		out.LoadBalancers = append(out.LoadBalancers, ecstypes.LoadBalancer{TargetGroupArn: optional(textOf(b["TargetGroupArn"])), ContainerName: optional(textOf(b["ContainerName"])), ContainerPort: aws.Int32(int32(numberOf(b["ContainerPort"], 0)))})
	}
	configuration := mapOf(p["DeploymentConfiguration"])
	breaker := mapOf(configuration["DeploymentCircuitBreaker"])
	out.DeploymentConfiguration = &ecstypes.DeploymentConfiguration{MaximumPercent: aws.Int32(int32(numberOf(configuration["MaximumPercent"], 200))), MinimumHealthyPercent: aws.Int32(int32(numberOf(configuration["MinimumHealthyPercent"], 100))),
		DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: yes(breaker["Enable"]), Rollback: yes(breaker["Rollback"])}}
	out.Deployments, out.Events = c.deployments(t, now), c.serviceEvents(t, now)
	return out, nil
}

func (c *Call) deployments(t *thing, now running) []ecstypes.Deployment {
	deployment := func(definition, status string, at time.Time, running int) ecstypes.Deployment {
		id := "ecs-svc/" + fmt.Sprintf("%019d", random(t.Physical, definition).Uint64()>>1)
		return ecstypes.Deployment{Id: &id, Status: &status, TaskDefinition: aws.String(definition), DesiredCount: int32(now.desired), RunningCount: int32(running), CreatedAt: &at, UpdatedAt: &at, LaunchType: ecstypes.LaunchTypeFargate,
			RolloutState: ecstypes.DeploymentRolloutStateCompleted, RolloutStateReason: aws.String("ECS deployment " + id + " completed.")}
	}
	newest := deployment(now.definition, "PRIMARY", now.deployed, now.running)
	if !now.steadyState() {
		if now.previous != "" {
			newest.RunningCount = 0
		}
		newest.RolloutState, newest.RolloutStateReason, newest.FailedTasks = ecstypes.DeploymentRolloutStateInProgress, aws.String("ECS deployment "+*newest.Id+" in progress."), int32(now.failed)
		newest.PendingCount = int32(now.desired) - newest.RunningCount
	}
	out := []ecstypes.Deployment{newest}
	if now.previous != "" {
		out = append(out, deployment(now.previous, "ACTIVE", t.Made, now.running))
	}
	return out
}

// serviceEvents are the last lines of a service, newest first.
func (c *Call) serviceEvents(t *thing, now running) []ecstypes.ServiceEvent {
	name := "(service " + textOf(t.Attributes["Name"]) + ")"
	event := func(at time.Time, text string) ecstypes.ServiceEvent {
		return ecstypes.ServiceEvent{Id: aws.String(uuidOf(random(t.Physical, text))), CreatedAt: &at, Message: aws.String(text)}
	}
	var out []ecstypes.ServiceEvent
	for i := min(now.failed, 5); i > 0; i-- {
		out = append(out, event(c.Now, fmt.Sprintf("%s was unable to run task %s consistently: %s", name, c.taskID(t, now.definition, i), now.trouble)))
	}
	if now.steadyState() {
		out = append(out, event(now.deployed.Add(c.Sim.scaled(taskStart)), name+" has reached a steady state."))
	}
	if now.desired > 0 {
		out = append(out, event(now.deployed, fmt.Sprintf("%s has started %d tasks.", name, now.desired)))
	}
	return out
}
