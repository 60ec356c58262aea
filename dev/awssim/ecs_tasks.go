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

// task is one of a service's tasks at a moment.
type task struct {
	id, definition string
	service        *thing
	status         string // PENDING, RUNNING or STOPPED
	reason         string
	at             time.Time
	face           netInterface
}

func (c *Call) taskID(service *thing, definition string, number int) string {
	rnd := random(service.Physical, service.Made.String(), definition, fmt.Sprint(number))
	return fmt.Sprintf("%016x%016x", rnd.Uint64(), rnd.Uint64())
}

// tasks are those a service has now, and the last ones that ended.
func (c *Call) tasks(ctx context.Context, t *thing, at time.Time) ([]task, error) {
	now, err := c.runs(ctx, t, at)
	if err != nil {
		return nil, err
	}
	network := mapOf(mapOf(t.Properties["NetworkConfiguration"])["AwsvpcConfiguration"])
	subnets := texts(network["Subnets"])
	var out []task
	add := func(definition, status, reason string, number int) error {
		one := task{id: c.taskID(t, definition, number), definition: definition, service: t, status: status, reason: reason, at: now.deployed}
		if len(subnets) > 0 && status != "STOPPED" {
			if one.face, err = c.inSubnet(ctx, t.Account, t.Region, subnets[number%len(subnets)], one.id); err != nil {
				return err
			}
			one.face.Groups, one.face.Requester = texts(network["SecurityGroups"]), "ecs-tasks"
			one.face.Description = "arn:aws:ecs:" + t.Region + ":" + t.Account + ":attachment/" + uuidOf(random(one.id))
		}
		out = append(out, one)
		return nil
	}
	current := now.definition
	if now.previous != "" {
		current = now.previous
	}
	for i := range now.running {
		if err := add(current, "RUNNING", "", i); err != nil {
			return nil, err
		}
	}
	if now.trouble == "" {
		for i := now.running; i < now.desired; i++ {
			if err := add(now.definition, "PENDING", "", i); err != nil {
				return nil, err
			}
		}
	}
	for i := max(now.failed-5, 0); i < now.failed; i++ {
		if err := add(now.definition, "STOPPED", now.trouble, 1000+i); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *Call) taskInterfaces(ctx context.Context, t *thing, at time.Time) ([]netInterface, error) {
	all, err := c.tasks(ctx, t, at)
	if err != nil {
		return nil, err
	}
	var out []netInterface
	for _, one := range all {
		if one.face.ID != "" {
			out = append(out, one.face)
		}
	}
	return out, nil
}

// clusterTasks are the tasks of a cluster's services.
func (c *Call) clusterTasks(ctx context.Context, cluster *thing) ([]task, error) {
	services, err := c.servicesIn(ctx, cluster.Physical)
	if err != nil {
		return nil, err
	}
	var out []task
	for _, s := range services {
		some, err := c.tasks(ctx, s, c.Now)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

func (c *Call) taskARN(cluster *thing, id string) string {
	return arn("ecs", c.Region, c.Account, "task/"+cluster.Physical+"/"+id)
}

func listTasks(ctx context.Context, c *Call, in *ecs.ListTasksInput) (*ecs.ListTasksOutput, error) {
	cluster, err := c.cluster(ctx, in.Cluster, arn("ecs", c.Region, c.Account, "container-instance/CLUSTER/*"))
	if err != nil {
		return nil, err
	}
	all, err := c.clusterTasks(ctx, cluster)
	if err != nil {
		return nil, err
	}
	if in.ServiceName != nil && !slices.ContainsFunc(all, func(t task) bool { return textOf(t.service.Attributes["Name"]) == clusterName(*in.ServiceName) }) {
		s, err := c.thing(ctx, c.Account, c.Region, ecsService, arn("ecs", c.Region, c.Account, "service/"+cluster.Physical+"/"+clusterName(*in.ServiceName)))
		if err != nil {
			return nil, err
		}
		if s == nil {
			return nil, refuse(http.StatusBadRequest, "ServiceNotFoundException", "Service not found.")
		}
	}
	found := []string{}
	for _, t := range all {
		stopped := t.status == "STOPPED"
		family, _, _ := cutLast(clusterName(t.definition), ":")
		if (in.ServiceName == nil || textOf(t.service.Attributes["Name"]) == clusterName(*in.ServiceName)) && (in.Family == nil || *in.Family == family) &&
			stopped == (in.DesiredStatus == ecstypes.DesiredStatusStopped) {
			found = append(found, c.taskARN(cluster, t.id))
		}
	}
	some, next, err := page(found, in.NextToken, in.MaxResults, 100)
	return &ecs.ListTasksOutput{TaskArns: some, NextToken: next}, orInvalid(err)
}

func describeTasks(ctx context.Context, c *Call, in *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
	if len(in.Tasks) == 0 || len(in.Tasks) > 100 {
		c.open()
		return nil, ecsParameter("Tasks should contain between 1 and 100 items.")
	}
	cluster, err := c.cluster(ctx, in.Cluster, arn("ecs", c.Region, c.Account, "task/CLUSTER/"+clusterName(in.Tasks[0])))
	if err != nil {
		return nil, err
	}
	all, err := c.clusterTasks(ctx, cluster)
	if err != nil {
		return nil, err
	}
	out := &ecs.DescribeTasksOutput{Tasks: []ecstypes.Task{}, Failures: []ecstypes.Failure{}}
	for _, given := range in.Tasks {
		id := clusterName(given)
		n := slices.IndexFunc(all, func(t task) bool { return t.id == id })
		if n < 0 {
			out.Failures = append(out.Failures, ecstypes.Failure{Arn: aws.String(c.taskARN(cluster, id)), Reason: aws.String("MISSING")})
			continue
		}
		one, err := c.taskOut(ctx, cluster, all[n])
		if err != nil {
			return nil, err
		}
		out.Tasks = append(out.Tasks, one)
	}
	return out, nil
}

func (c *Call) taskOut(ctx context.Context, cluster *thing, t task) (ecstypes.Task, error) {
	out := ecstypes.Task{TaskArn: aws.String(c.taskARN(cluster, t.id)), ClusterArn: &cluster.ARN, TaskDefinitionArn: aws.String(t.definition), LastStatus: aws.String(t.status), DesiredStatus: aws.String("RUNNING"),
		LaunchType: ecstypes.LaunchTypeFargate, CreatedAt: &t.at, Group: aws.String("service:" + textOf(t.service.Attributes["Name"])), HealthStatus: ecstypes.HealthStatusUnknown}
	subnet, err := c.thing(ctx, c.Account, c.Region, "AWS::EC2::Subnet", t.face.Subnet)
	if err != nil {
		return out, err
	}
	if subnet != nil {
		out.AvailabilityZone = aws.String(textOf(subnet.Attributes["AvailabilityZone"]))
	}
	switch t.status {
	case "RUNNING":
		started := t.at.Add(c.Sim.scaled(taskStart))
		out.StartedAt, out.HealthStatus = &started, ecstypes.HealthStatusHealthy
	case "STOPPED":
		out.DesiredStatus, out.StoppedReason, out.StoppedAt = aws.String("STOPPED"), aws.String(t.reason), &c.Now
		out.StopCode = ecstypes.TaskStopCodeTaskFailedToStart
		if strings.HasPrefix(t.reason, "Essential") {
			out.StopCode = ecstypes.TaskStopCodeEssentialContainerExited
		}
	}
	d, err := c.thing(ctx, c.Account, c.Region, ecsDefinition, t.definition)
	if err != nil || d == nil {
		return out, err
	}
	for _, container := range listOf(d.Properties["ContainerDefinitions"]) {
		one := ecstypes.Container{Name: optional(textOf(container["Name"])), Image: optional(textOf(container["Image"])), LastStatus: aws.String(t.status), TaskArn: out.TaskArn}
		if _, digest, ok := strings.Cut(textOf(container["Image"]), "@"); ok {
			one.ImageDigest = &digest
		}
		if t.status == "STOPPED" {
			if one.Reason = optional(t.reason); out.StopCode == ecstypes.TaskStopCodeEssentialContainerExited {
				one.ExitCode, one.Reason = aws.Int32(1), nil
			}
		}
		if t.face.IP != "" {
			one.NetworkInterfaces = []ecstypes.NetworkInterface{{PrivateIpv4Address: aws.String(t.face.IP)}}
		}
		out.Containers = append(out.Containers, one)
	}
	return out, nil
}

func describeTaskDefinition(ctx context.Context, c *Call, in *ecs.DescribeTaskDefinitionInput) (*ecs.DescribeTaskDefinitionOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil { // this one knows no resource
		return nil, err
	}
	all, err := c.own(ctx, ecsDefinition)
	if err != nil {
		return nil, err
	}
	given := clusterName(aws.ToString(in.TaskDefinition))
	slices.Reverse(all)
	n := slices.IndexFunc(all, func(t *thing) bool {
		family, _, _ := cutLast(clusterName(t.Physical), ":")
		return given == family || given == clusterName(t.Physical)
	})
	if n < 0 {
		return nil, refuse(http.StatusBadRequest, "ClientException", "Unable to describe task definition.")
	}
	t := all[n]
	family, revision, _ := cutLast(clusterName(t.Physical), ":")
	d, err := taskDefinition(t.Properties)
	if err != nil {
		return nil, err
	}
	d.Family, d.TaskDefinitionArn, d.Revision, d.Status, d.RegisteredAt = &family, &t.Physical, int32(numberOf(revision, 1)), ecstypes.TaskDefinitionStatusActive, &t.Made
	out := &ecs.DescribeTaskDefinitionOutput{TaskDefinition: d}
	if slices.Contains(in.Include, ecstypes.TaskDefinitionFieldTags) {
		out.Tags = t.ecsTags()
	}
	return out, nil
}

// taskDefinition reads what pages show of a definition.
func taskDefinition(p map[string]any) (*ecstypes.TaskDefinition, error) {
	out := &ecstypes.TaskDefinition{Cpu: optional(fmt.Sprint(orEmpty(p["Cpu"]))), Memory: optional(fmt.Sprint(orEmpty(p["Memory"]))), NetworkMode: ecstypes.NetworkMode(textOf(p["NetworkMode"])),
		ExecutionRoleArn: optional(textOf(p["ExecutionRoleArn"])), TaskRoleArn: optional(textOf(p["TaskRoleArn"]))}
	for _, r := range texts(p["RequiresCompatibilities"]) {
		out.RequiresCompatibilities = append(out.RequiresCompatibilities, ecstypes.Compatibility(r))
	}
	for _, container := range listOf(p["ContainerDefinitions"]) {
		one := ecstypes.ContainerDefinition{Name: optional(textOf(container["Name"])), Image: optional(textOf(container["Image"])), Cpu: int32(numberOf(container["Cpu"], 0)), Essential: aws.Bool(container["Essential"] == nil || yes(container["Essential"]))}
		for _, m := range listOf(container["PortMappings"]) {
			one.PortMappings = append(one.PortMappings, ecstypes.PortMapping{ContainerPort: aws.Int32(int32(numberOf(m["ContainerPort"], 0)))})
		}
		var err error
		if one.Environment, err = decoded[[]ecstypes.KeyValuePair](container["Environment"]); err != nil {
			return nil, err
		}
		if one.Secrets, err = decoded[[]ecstypes.Secret](container["Secrets"]); err != nil {
			return nil, err
		}
		out.ContainerDefinitions = append(out.ContainerDefinitions, one)
	}
	return out, nil
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}
