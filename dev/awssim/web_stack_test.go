package awssim

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
)

// webStack is a service behind a load balancer in a network of its own, in small.
const webStack = `
Parameters:
  Image: {Type: String, Default: ""}
Conditions:
  Runs: !Not [!Equals [!Ref Image, ""]]
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.1.0.0/20, Tags: [{Key: Name, Value: web}]}}
  One: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.1.0.0/24, AvailabilityZone: !Select [0, !GetAZs ""]}}
  Two: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.1.1.0/24, AvailabilityZone: !Select [1, !GetAZs ""]}}
  Gateway: {Type: "AWS::EC2::InternetGateway"}
  Attached: {Type: "AWS::EC2::VPCGatewayAttachment", Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}}
  Table: {Type: "AWS::EC2::RouteTable", Properties: {VpcId: !Ref Vpc}}
  Out: {Type: "AWS::EC2::Route", DependsOn: Attached, Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}}
  OneOut: {Type: "AWS::EC2::SubnetRouteTableAssociation", Properties: {RouteTableId: !Ref Table, SubnetId: !Ref One}}
  Address: {Type: "AWS::EC2::EIP", DependsOn: Attached, Properties: {Domain: vpc}}
  Nat: {Type: "AWS::EC2::NatGateway", Properties: {SubnetId: !Ref One, AllocationId: !GetAtt Address.AllocationId}}
  Group: {Type: "AWS::EC2::SecurityGroup", Properties: {GroupDescription: tasks, VpcId: !Ref Vpc}}
  Key:
    Type: AWS::KMS::Key
    Properties: {PendingWindowInDays: 7, KeyPolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "kms:*", Resource: "*"}]}}
  Images: {Type: "AWS::ECR::Repository", Properties: {RepositoryName: web/api, ImageTagMutability: IMMUTABLE}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: "sts:AssumeRole"}]}
      Policies: [{PolicyName: pull, PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Resource: !GetAtt Images.Arn}]}}]
  Balancer: {Type: "AWS::ElasticLoadBalancingV2::LoadBalancer", Properties: {Subnets: [!Ref One, !Ref Two], SecurityGroups: [!Ref Group]}}
  Targets: {Type: "AWS::ElasticLoadBalancingV2::TargetGroup", Properties: {VpcId: !Ref Vpc, Port: 8080, Protocol: HTTP, TargetType: ip}}
  Listener: {Type: "AWS::ElasticLoadBalancingV2::Listener", Properties: {LoadBalancerArn: !Ref Balancer, Port: 80, Protocol: HTTP, DefaultActions: [{Type: forward, TargetGroupArn: !Ref Targets}]}}
  Cluster: {Type: "AWS::ECS::Cluster", Properties: {ClusterName: web}}
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: web
      Cpu: "256"
      Memory: "512"
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      ExecutionRoleArn: !GetAtt Role.Arn
      ContainerDefinitions: [{Name: app, Image: !If [Runs, !Ref Image, !Sub "${Images.RepositoryUri}:none"], PortMappings: [{ContainerPort: 8080}]}]
  Service:
    Type: AWS::ECS::Service
    DependsOn: Listener
    Properties:
      Cluster: !Ref Cluster
      ServiceName: api
      TaskDefinition: !Ref Definition
      DesiredCount: !If [Runs, !Ref "AWS::NoValue", 0]
      DeploymentConfiguration: {DeploymentCircuitBreaker: {Enable: true, Rollback: true}}
      NetworkConfiguration: {AwsvpcConfiguration: {Subnets: [!Ref One, !Ref Two], SecurityGroups: [!Ref Group]}}
      LoadBalancers: [{ContainerName: app, ContainerPort: 8080, TargetGroupArn: !Ref Targets}]
  Scaling:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Condition: Runs
    Properties: {ServiceNamespace: ecs, ScalableDimension: "ecs:service:DesiredCount", ResourceId: !Sub "service/${Cluster}/${Service.Name}", MinCapacity: 2, MaxCapacity: 4}
  Missing:
    Type: AWS::CloudWatch::Alarm
    Properties: {Namespace: AWS/ECS, MetricName: RunningTaskCount, ComparisonOperator: LessThanThreshold, EvaluationPeriods: 1, Threshold: 1, Dimensions: [{Name: ClusterName, Value: !Ref Cluster}, {Name: ServiceName, Value: !GetAtt Service.Name}]}
  All: {Type: "AWS::CloudWatch::CompositeAlarm", Properties: {AlarmName: all, AlarmRule: !Sub 'ALARM("${Missing}") OR (ALARM(other) AND NOT OK(other))'}}
Outputs:
  Host: {Value: !GetAtt Balancer.DNSName}
  Zone: {Value: !GetAtt Balancer.CanonicalHostedZoneID}
  Service: {Value: !Ref Service}
  Definition: {Value: !Ref Definition}
  Targets: {Value: !Ref Targets}
  Repository: {Value: !GetAtt Images.RepositoryUri}
  Key: {Value: !Ref Key}
  Vpc: {Value: !Ref Vpc}
`

func outputs(s cfntypes.Stack) map[string]string {
	out := map[string]string{}
	for _, o := range s.Outputs {
		out[*o.OutputKey] = *o.OutputValue
	}
	return out
}

// update carries a change of the stack's one parameter out.
func (t *stackTest) update(stack, name, template string, parameters ...string) {
	t.Helper()
	if set := t.changeSet(stack, name, template, cfntypes.ChangeSetTypeUpdate, parameters...); set.Status != cfntypes.ChangeSetStatusCreateComplete {
		t.Fatalf("change set %s is %s: %s", name, set.Status, aws.ToString(set.StatusReason))
	}
	t.execute(stack, name)
}

func (t *stackTest) service() ecstypes.Service {
	t.Helper()
	out, err := ecs.NewFromConfig(t.w.as(asAdmin)).DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("web"), Services: []string{"api"}, Include: []ecstypes.ServiceField{ecstypes.ServiceFieldTags}})
	if err != nil || len(out.Services) != 1 {
		t.Fatalf("services %+v, %v", out, err)
	}
	return out.Services[0]
}

func (t *stackTest) alarm(name string) cwtypes.StateValue {
	t.Helper()
	out, err := cloudwatch.NewFromConfig(t.w.as(asAdmin)).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range out.MetricAlarms {
		if strings.Contains(*a.AlarmName, name) {
			return a.StateValue
		}
	}
	for _, a := range out.CompositeAlarms {
		if strings.Contains(*a.AlarmName, name) {
			return a.StateValue
		}
	}
	t.Fatalf("no alarm %s in %+v", name, out)
	return ""
}

// TestWebStack walks a web service's stack through its life: without an image, with one, with
// one that cannot be pulled, in a crash, and to its end.
func TestWebStack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	s.changeSet("slw-web", "first", webStack, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-web", "first")
	out := outputs(s.want("slw-web", "CREATE_COMPLETE"))
	if !strings.HasSuffix(out["Host"], ".eu-west-1.elb.amazonaws.com") || out["Zone"] != "Z32O12XQLNTSW2" || out["Repository"] != "111111111111.dkr.ecr.eu-west-1.amazonaws.com/web/api" ||
		out["Service"] != "arn:aws:ecs:eu-west-1:111111111111:service/web/api" || !strings.HasSuffix(out["Definition"], ":task-definition/web:1") {
		t.Errorf("outputs %v", out)
	}
	if now := s.service(); now.DesiredCount != 0 || now.RunningCount != 0 || len(now.Events) == 0 || len(now.Tags) == 0 {
		t.Errorf("without an image: %+v", now)
	}
	s.network(out["Vpc"])
	image := s.push(out["Repository"], "1.0")
	s.update("slw-web", "second", webStack, "Image", image)
	out = outputs(s.want("slw-web", "UPDATE_COMPLETE"))
	if !strings.HasSuffix(out["Definition"], "/web:2") {
		t.Errorf("second revision %s", out["Definition"])
	}
	eventually(t, "two tasks", func() bool { return s.service().RunningCount == 2 })
	s.healthy(out["Targets"], 2)
	eventually(t, "alarms are well", func() bool { return s.alarm("Missing") == "OK" && s.alarm("all") == "OK" })

	s.update("slw-web", "third", webStack, "Image", out["Repository"]+"@sha256:"+strings.Repeat("0", 64))
	s.want("slw-web", "UPDATE_ROLLBACK_COMPLETE")
	s.happened("slw-web", `Service UPDATE_FAILED: Resource handler returned message: "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.`)
	eventually(t, "the old tasks again", func() bool { return s.service().RunningCount == 2 })

	w.do(t, crashing(out["Service"], true))
	eventually(t, "no task stays", func() bool { return s.service().RunningCount == 0 && s.alarm("all") == "ALARM" })
	s.stopped("Essential container in task exited")
	w.do(t, crashing(out["Service"], false))
	eventually(t, "tasks again", func() bool { return s.service().RunningCount == 2 })
	s.end(out, image)
}

// network asks EC2 for what the stack made.
func (t *stackTest) network(vpc string) {
	t.Helper()
	api := ec2.NewFromConfig(t.w.as(asAdmin))
	of := []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}
	vpcs, err := api.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{vpc}})
	if err != nil || len(vpcs.Vpcs) != 1 || *vpcs.Vpcs[0].CidrBlock != "10.1.0.0/20" || len(vpcs.Vpcs[0].Tags) != 5 || *vpcs.Vpcs[0].CidrBlockAssociationSet[0].CidrBlock != "10.1.0.0/20" {
		t.Errorf("VPC %s, %v", asText(vpcs), err)
	}
	subnets, err := api.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{Filters: of})
	if err != nil || len(subnets.Subnets) != 2 || *subnets.Subnets[0].AvailabilityZone == *subnets.Subnets[1].AvailabilityZone || *subnets.Subnets[0].AvailableIpAddressCount > 250 {
		t.Errorf("subnets %s, %v", asText(subnets), err)
	}
	tables, err := api.DescribeRouteTables(t.Context(), &ec2.DescribeRouteTablesInput{Filters: of})
	if err != nil || len(tables.RouteTables) != 2 || len(tables.RouteTables[1].Routes) != 2 || len(tables.RouteTables[1].Associations) != 1 {
		t.Errorf("route tables %s, %v", asText(tables), err)
	}
	nats, err := api.DescribeNatGateways(t.Context(), &ec2.DescribeNatGatewaysInput{Filter: of})
	if err != nil || len(nats.NatGateways) != 1 || nats.NatGateways[0].State != "available" || len(nats.NatGateways[0].NatGatewayAddresses) != 1 {
		t.Errorf("NAT gateways %s, %v", asText(nats), err)
	}
	faces, err := api.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{Filters: of})
	if err != nil || len(faces.NetworkInterfaces) != 3 { // two of the balancer, one of the gateway
		t.Errorf("interfaces %s, %v", asText(faces), err)
	}
	zones, err := api.DescribeAvailabilityZones(t.Context(), nil)
	if err != nil || len(zones.AvailabilityZones) != 3 || *zones.AvailabilityZones[0].ZoneId != "euw1-az1" || zones.AvailabilityZones[0].State != "available" {
		t.Errorf("zones %s, %v", asText(zones), err)
	}
	_, err = api.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-0000"}})
	wantCode(t.T, "a VPC that is not there", err, "InvalidVpcID.NotFound")
}

// push puts an image into the repository and answers its name by digest.
func (t *stackTest) push(uri, tag string) string {
	t.Helper()
	api := ecr.NewFromConfig(t.w.as(asAdmin))
	in := &ecr.PutImageInput{RepositoryName: aws.String("web/api"), ImageManifest: aws.String(`{"schemaVersion":2,"tag":"` + tag + `"}`), ImageTag: &tag}
	out, err := api.PutImage(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	_, err = api.PutImage(t.Context(), in)
	wantCode(t.T, "the same image again", err, "ImageAlreadyExistsException")
	in.ImageManifest = aws.String(`{"schemaVersion":2}`)
	_, err = api.PutImage(t.Context(), in)
	wantCode(t.T, "moving an immutable tag", err, "ImageTagAlreadyExistsException")
	found, err := api.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("web/api"), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: &tag}}})
	if err != nil || len(found.ImageDetails) != 1 || *found.ImageDetails[0].ImageDigest != *out.Image.ImageId.ImageDigest {
		t.Errorf("image %s, %v", asText(found), err)
	}
	return uri + "@" + *out.Image.ImageId.ImageDigest
}

func (t *stackTest) healthy(group string, want int) {
	t.Helper()
	api := elb.NewFromConfig(t.w.as(asAdmin))
	health, err := api.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &group})
	if err != nil || len(health.TargetHealthDescriptions) != want || health.TargetHealthDescriptions[0].TargetHealth.State != "healthy" || !strings.HasPrefix(*health.TargetHealthDescriptions[0].Target.Id, "10.1.") {
		t.Errorf("targets %s, %v", asText(health), err)
	}
	groups, err := api.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{group}})
	if err != nil || len(groups.TargetGroups) != 1 || len(groups.TargetGroups[0].LoadBalancerArns) != 1 {
		t.Fatalf("target group %s, %v", asText(groups), err)
	}
	balancers, err := api.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{LoadBalancerArns: groups.TargetGroups[0].LoadBalancerArns})
	if err != nil || balancers.LoadBalancers[0].State.Code != "active" || len(balancers.LoadBalancers[0].AvailabilityZones) != 2 {
		t.Errorf("balancer %s, %v", asText(balancers), err)
	}
	listeners, err := api.DescribeListeners(t.Context(), &elb.DescribeListenersInput{LoadBalancerArn: balancers.LoadBalancers[0].LoadBalancerArn})
	if err != nil || len(listeners.Listeners) != 1 || *listeners.Listeners[0].DefaultActions[0].TargetGroupArn != group {
		t.Errorf("listeners %s, %v", asText(listeners), err)
	}
}

// stopped asks for the tasks that ended, and why.
func (t *stackTest) stopped(why string) {
	t.Helper()
	api := ecs.NewFromConfig(t.w.as(asAdmin))
	var list *ecs.ListTasksOutput
	eventually(t.T, "a task that ended", func() bool {
		var err error
		list, err = api.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("web"), ServiceName: aws.String("api"), DesiredStatus: ecstypes.DesiredStatusStopped})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.TaskArns) > 0
	})
	tasks, err := api.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("web"), Tasks: list.TaskArns[len(list.TaskArns)-1:]})
	if err != nil || len(tasks.Tasks)+len(tasks.Failures) != 1 {
		t.Fatalf("tasks %s, %v", asText(tasks), err)
	}
	if len(tasks.Tasks) == 1 && (*tasks.Tasks[0].StoppedReason != why || *tasks.Tasks[0].Containers[0].ExitCode != 1) {
		t.Errorf("task %s", asText(tasks))
	}
}

// end takes the stack down: its repository refuses while it holds an image, and its key stays
// for a week.
func (t *stackTest) end(out map[string]string, image string) {
	t.Helper()
	owned := func() []string {
		t.Helper()
		var found []string
		p := tagging.NewGetResourcesPaginator(tagging.NewFromConfig(t.w.as(asAdmin)), &tagging.GetResourcesInput{ResourcesPerPage: aws.Int32(3), TagFilters: []tagtypes.TagFilter{
			{Key: aws.String("team"), Values: []string{"payments"}}, {Key: aws.String("aws:cloudformation:stack-name"), Values: []string{"slw-web"}}}})
		for p.HasMorePages() {
			page, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.ResourceTagMappingList {
				found = append(found, *m.ResourceARN)
			}
		}
		return found
	}
	if n := len(owned()); n < 12 {
		t.Errorf("%d resources have the stack's tags: %v", n, owned())
	}
	id := *t.stack("slw-web").StackId
	remove := func() {
		t.Helper()
		if _, err := t.cfn.DeleteStack(t.Context(), &cfn.DeleteStackInput{StackName: &id}); err != nil {
			t.Fatal(err)
		}
	}
	remove()
	t.want(id, "DELETE_FAILED")
	t.happened(id, `Images DELETE_FAILED: Resource handler returned message: "The repository with name 'web/api' in registry with id '111111111111' cannot be deleted because it still contains images`)
	_, digest, _ := strings.Cut(image, "@")
	gone, err := ecr.NewFromConfig(t.w.as(asAdmin)).BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String("web/api"), ImageIds: []ecrtypes.ImageIdentifier{{ImageDigest: &digest}, {ImageTag: aws.String("none")}}})
	if err != nil || len(gone.ImageIds) != 1 || len(gone.Failures) != 1 || gone.Failures[0].FailureCode != "ImageNotFound" {
		t.Errorf("deleting images: %s, %v", asText(gone), err)
	}
	remove()
	t.want(id, "DELETE_COMPLETE")
	if left := owned(); len(left) != 1 || !strings.HasSuffix(left[0], ":key/"+out["Key"]) {
		t.Errorf("left after deletion: %v", left)
	}
	key, err := kms.NewFromConfig(t.w.as(asAdmin)).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: aws.String(out["Key"])})
	if err != nil || key.KeyMetadata.KeyState != "PendingDeletion" || time.Until(*key.KeyMetadata.DeletionDate) > 7*24*time.Hour {
		t.Errorf("key %s, %v", asText(key), err)
	}
}
