package price

import (
	"math"
	"strings"
	"testing"

	"slipway/models/blueprint"
)

// armTask is a Fargate task definition of 0.5 vCPU and 1 GB on ARM.
const armTask = `
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties: {Cpu: "512", Memory: "1024", RequiresCompatibilities: [FARGATE], RuntimePlatform: {CpuArchitecture: ARM64}}
`

// TestTypes holds each type against amounts worked out by hand from the rows of the price file.
func TestTypes(t *testing.T) {
	for name, tc := range map[string]struct {
		resources, usage string
		lines            string // item = amount, each on a line
		left             string // what each is not estimated, each on a line
		notes            string
	}{
		"NAT gateways and their addresses": {`
  Ip: {Type: AWS::EC2::EIP}
  Net: {Type: AWS::EC2::VPC}
  A: {Type: AWS::EC2::NatGateway, Properties: {AllocationId: !GetAtt Ip.AllocationId, SubnetId: x}}
  B: {Type: AWS::EC2::NatGateway, Properties: {ConnectivityType: private, SubnetId: x}}`, "nat_data_gb=100",
			"NAT gateways, 2 = 65.7\nPublic IPv4 address = 3.65\nData through NAT gateways, 100 GB = 4.5", "Data between zones", ""},
		"regional NAT gateway": {`
  A: {Type: AWS::EC2::NatGateway, Properties: {AvailabilityMode: regional}}`, "",
			"", "A: a regional NAT gateway is billed for each zone it grows into", ""},
		"endpoints": {`
  Net: {Type: AWS::EC2::VPC}
  One: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Net}}
  Two: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Net}}
  Bucket: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: !Ref Net, ServiceName: s3}}
  Keys: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: !Ref Net, ServiceName: kms, VpcEndpointType: Interface, SubnetIds: [!Ref One, !Ref Two]}}
  Logs: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: !Ref Net, ServiceName: logs, VpcEndpointType: Interface, SubnetIds: [!Ref One]}}`, "endpoint_data_gb=50",
			"Interface endpoints by zone, 3 = 21.9\nData through interface endpoints, 50 GB = 0.5", "", ""},
		"flow logs": {`
  Group: {Type: AWS::Logs::LogGroup}
  Flow: {Type: AWS::EC2::FlowLog, Properties: {LogGroupName: !Ref Group}}`, "flow_logs_gb=10 logs_stored_gb=4",
			"Flow logs written, 10 GB = 5\nLogs kept, 4 GB = 0.12", "", ""},
		"flow logs to a bucket": {`
  Flow: {Type: AWS::EC2::FlowLog, Properties: {LogDestinationType: s3, LogDestination: "arn:aws:s3:::b"}}`, "flow_logs_gb=10",
			"", "Flow logs delivered to a bucket, 10 GB: the price file has no price flowlogs.s3", ""},
		"load balancer": {`
  Lb: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Subnets: [a, b, c]}}`, "load_balancer_lcu=1.5 data_out_gb=200",
			"Public IPv4 addresses, 3 = 10.95\nLoad balancer = 16.425\nLoad balancer capacity, 1.5 LCU on average = 8.76\nData to the internet, 200 GB = 18", "Data between zones", ""},
		"load balancer inside": {`
  Lb: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Scheme: internal, Subnets: [a, b]}}`, "load_balancer_lcu=0",
			"Load balancer = 16.425\nLoad balancer capacity, 0 LCU on average = 0", "Data between zones", ""},
		"network load balancer": {`
  Lb: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Type: network}}`, "",
			"", "Lb: only application load balancers are estimated", ""},
		"tasks of a service": {armTask + `
  Service: {Type: AWS::ECS::Service, Properties: {TaskDefinition: !Ref Task, DesiredCount: 2, LaunchType: FARGATE}}`, "",
			"Fargate processors, ARM, 1 vCPU = 23.6374\nFargate memory, ARM, 2 GB = 5.1976", "", ""},
		"tasks on x86 with storage and an address": {`
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties: {Cpu: .25 vCPU, Memory: 0.5 GB, RequiresCompatibilities: [FARGATE], EphemeralStorage: {SizeInGiB: 30}}
  Service:
    Type: AWS::ECS::Service
    Properties: {TaskDefinition: !Ref Task, NetworkConfiguration: {AwsvpcConfiguration: {Subnets: [a], AssignPublicIp: ENABLED}}}`, "",
			"Public IPv4 address = 3.65\nFargate processors, x86, 0.25 vCPU = 7.3876\nFargate memory, x86, 0.5 GB = 1.622425\nFargate storage beyond 20 GB a task, 10 GB = 0.8103", "", ""},
		"tasks that scale": {armTask + `
  Cluster: {Type: AWS::ECS::Cluster, Properties: {ClusterSettings: [{Name: containerInsights, Value: enhanced}]}}
  Service: {Type: AWS::ECS::Service, Properties: {Cluster: !Ref Cluster, TaskDefinition: !Ref Task, LaunchType: FARGATE, DeploymentConfiguration: {Strategy: BLUE_GREEN}}}
  Policy: {Type: AWS::ApplicationAutoScaling::ScalingPolicy, Properties: {PolicyType: TargetTrackingScaling, ScalingTargetId: !Ref Target}}
  Target: {Type: AWS::ApplicationAutoScaling::ScalableTarget, Properties: {MinCapacity: 3, MaxCapacity: 6, ResourceId: !Sub "service/${Cluster}/${Service.Name}"}}`, "",
			"Fargate processors, ARM, 1.5 vCPU = 35.4561\nFargate memory, ARM, 3 GB = 7.7964",
			"Alarms that scaling makes for itself\nContainer Insights of Cluster\nTasks that scaling adds to Service: 3 run at least, 6 at most\nThe second set of tasks while a blue/green deployment runs", ""},
		"no tasks": {armTask + `
  Service: {Type: AWS::ECS::Service, Properties: {TaskDefinition: !Ref Task, DesiredCount: 0, LaunchType: FARGATE}}`, "",
			"", "", "No tasks of Service run, so none are in the estimate."},
		"tasks on spot": {armTask + `
  Service: {Type: AWS::ECS::Service, Properties: {TaskDefinition: !Ref Task, DesiredCount: 1, CapacityProviderStrategy: [{CapacityProvider: FARGATE_SPOT}]}}`, "",
			"", "Tasks of Service: the price of Fargate Spot moves with its market; it is below that of Fargate", ""},
		"tasks on machines": {armTask + `
  Service: {Type: AWS::ECS::Service, Properties: {TaskDefinition: !Ref Task, DesiredCount: 1, LaunchType: EC2}}`, "",
			"", "Tasks of Service: only tasks on Fargate are estimated", ""},
		"tasks from elsewhere": {`
  Service: {Type: AWS::ECS::Service, Properties: {TaskDefinition: "other:1", LaunchType: FARGATE}}`, "",
			"", "Tasks of Service: its task definition is not part of the template", ""},
		"windows": {`
  Task: {Type: AWS::ECS::TaskDefinition, Properties: {Cpu: "512", Memory: "1024", RuntimePlatform: {OperatingSystemFamily: WINDOWS_SERVER_2022_CORE}}}
  Service: {Type: AWS::ECS::Service, Properties: {TaskDefinition: !Ref Task, LaunchType: FARGATE}}`, "",
			"", "Tasks of Service: only Linux tasks are estimated", ""},
		"scheduled tasks": {armTask + `
  Nightly: {Type: AWS::Scheduler::Schedule, Properties: {Target: {Arn: x, EcsParameters: {TaskDefinitionArn: !Ref Task, LaunchType: FARGATE}}}}`, "job_task_hours=20",
			"Scheduled tasks, processors, ARM, 20 task hours = 0.3238\nScheduled tasks, memory, ARM, 20 task hours = 0.0712", "Invocations by EventBridge Scheduler", ""},
		"a schedule that is off": {armTask + `
  Nightly: {Type: AWS::Scheduler::Schedule, Properties: {State: DISABLED, Target: {Arn: x, EcsParameters: {TaskDefinitionArn: !Ref Task}}}}`, "job_task_hours=20",
			"", "", "Nightly is off, so what it starts is not in the estimate."},
		"schedules of two sizes": {armTask + `
  Big: {Type: AWS::ECS::TaskDefinition, Properties: {Cpu: "1024", Memory: "2048"}}
  Nightly: {Type: AWS::Scheduler::Schedule, Properties: {Target: {Arn: x, EcsParameters: {TaskDefinitionArn: !Ref Task}}}}
  Weekly: {Type: AWS::Scheduler::Schedule, Properties: {Target: {Arn: x, EcsParameters: {TaskDefinitionArn: !Ref Big}}}}`, "job_task_hours=20",
			"", "Invocations by EventBridge Scheduler\nTasks that schedules start: they differ in size, and nothing says how many hours each runs", ""},
		"keys and secrets": {`
  Key: {Type: AWS::KMS::Key, Properties: {EnableKeyRotation: true}}
  Alias: {Type: AWS::KMS::Alias, Properties: {TargetKeyId: !Ref Key}}
  One: {Type: AWS::SecretsManager::Secret}
  Two: {Type: AWS::SecretsManager::Secret}`, "kms_requests_10k=10 secret_requests_10k=2",
			"KMS key = 1\nSecrets, 2 = 0.8\nUses of keys, 10 × 10,000 = 0.3\nReads of secrets, 2 × 10,000 = 0.1", "Rotations of KMS keys: each of a key's first two makes it dearer", ""},
		"firewall": {`
  Acl:
    Type: AWS::WAFv2::WebACL
    Properties:
      Rules:
        - {Name: a, Statement: {ManagedRuleGroupStatement: {VendorName: AWS, Name: AWSManagedRulesCommonRuleSet}}}
        - {Name: b, Statement: {RateBasedStatement: {Limit: 2000}}}
        - {Name: c, Statement: {ManagedRuleGroupStatement: {VendorName: AWS, Name: AWSManagedRulesBotControlRuleSet}}}`, "waf_requests_million=2.5",
			"Web firewall = 5\nFirewall rules, 3 = 3\nRequests the firewall looks at, 2.5 million = 1.5", "Rule group AWSManagedRulesBotControlRuleSet of Acl: it has a price of its own", ""},
		"alarms": {`
  Plain: {Type: AWS::CloudWatch::Alarm, Properties: {Period: 300}}
  Fast: {Type: AWS::CloudWatch::Alarm, Properties: {Period: 10}}
  Rate: {Type: AWS::CloudWatch::Alarm, Properties: {Metrics: [{Id: e, Expression: a/b}, {Id: a, MetricStat: {Period: 60}}, {Id: b, MetricStat: {Period: 60}}]}}
  Band: {Type: AWS::CloudWatch::Alarm, Properties: {Metrics: [{Id: e, Expression: "ANOMALY_DETECTION_BAND(a, 2)"}, {Id: a, MetricStat: {Period: 60}}]}}
  FastBand: {Type: AWS::CloudWatch::Alarm, Properties: {Metrics: [{Id: e, Expression: "ANOMALY_DETECTION_BAND(a, 2)"}, {Id: a, MetricStat: {Period: 30}}]}}
  Query: {Type: AWS::CloudWatch::Alarm, Properties: {Metrics: [{Id: q, Expression: "SELECT MAX(x) FROM y"}]}}
  All: {Type: AWS::CloudWatch::CompositeAlarm}
  Board: {Type: AWS::CloudWatch::Dashboard}`, "",
			"Alarm metrics, 6 = 0.6\nHigh-resolution alarm metrics, 4 = 1.2\nDashboard = 3", "Query: how many metrics its query finds is known only later\nComposite alarm: the price file has no price cloudwatch.alarm.composite", ""},
		"logs": {`
  Group: {Type: AWS::Logs::LogGroup}
  Rare: {Type: AWS::Logs::LogGroup, Properties: {LogGroupClass: INFREQUENT_ACCESS}}`, "logs_ingested_gb=5 logs_stored_gb=10",
			"Logs written, 5 GB = 2.5\nLogs kept, 10 GB = 0.3", "Rare: only log groups of the class STANDARD are estimated", ""},
		"storage": {`
  Bucket: {Type: AWS::S3::Bucket}
  Images: {Type: AWS::ECR::Repository}`, "object_storage_gb=100 object_requests_thousand=40 image_storage_gb=12",
			"Images kept, 12 GB = 1.2\nObjects kept, 100 GB = 2.3\nWrites to buckets, 40 thousand = 0.2", "Reads from buckets", ""},
		"site": {`
  Site: {Type: AWS::CloudFront::Distribution}
  Rewrite: {Type: AWS::CloudFront::Function}`, "cdn_data_gb=50 cdn_requests_million=1",
			"Data from the CDN, 50 GB = 4.25", "Runs of the CloudFront function Rewrite\nRequests to the CDN, 1 million: the price file has no price cloudfront.requests", ""},
		"names, queues, topics, traces": {`
  Zone: {Type: AWS::Route53::HostedZone}
  Dead: {Type: AWS::SQS::Queue}
  Alerts: {Type: AWS::SNS::Topic}
  Sampled: {Type: AWS::XRay::SamplingRule}`, "alarms_sent_thousand=5 traces_million=1",
			"Hosted zone = 0.5\nMails about alarms, 5 thousand = 0.1", "Name look-ups: no amount is assumed\nRequests to SQS queues\nTraces recorded, 1 million: the price file has no price xray.traces", ""},
		"tasks that are traced": {`
  Traced: {Type: AWS::ECS::TaskDefinition, Properties: {ContainerDefinitions: [{Name: app}, {Name: collector, Environment: [{Name: CONFIG, Value: "exporters: awsxray"}]}]}}
  Plain: {Type: AWS::ECS::TaskDefinition, Properties: {ContainerDefinitions: [{Name: app, Image: a}]}}`, "traces_million=0.5",
			"", "Traces recorded, 0.5 million: the price file has no price xray.traces", ""},
		"rules on events": {`
  Own: {Type: AWS::Events::Rule}
  Foreign: {Type: AWS::Events::Rule, Properties: {EventBusName: partners}}`, "", "", "Events on the bus of Foreign", ""},
		"types it does not know": {`
  One: {Type: AWS::RDS::DBInstance}
  Two: {Type: AWS::RDS::DBInstance}
  Role: {Type: AWS::IAM::Role}`, "",
			"", "AWS::RDS::DBInstance (One, Two): what this type costs is not known to Slipway", ""},
	} {
		e := shippedList(t).EstimateTemplate("Account", "us-east-1", resolved(t, "Resources:"+tc.resources, nil), usage(t, tc.usage))
		var lines []string
		for _, l := range e.Lines {
			lines = append(lines, l.Item+" = "+l.Planned.String())
			if !l.Planned.Equal(l.Quantity.Mul(l.UnitPrice)) || l.Part != "Account" || l.Source == "" || l.Day == "" || len(l.Resources) == 0 || !l.Now.IsZero() {
				t.Errorf("%s: a line does not say where it comes from: %+v", name, l)
			}
		}
		if got := strings.Join(lines, "\n"); got != tc.lines {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, tc.lines)
		}
		if got := sortedLines(e.NotEstimated); got != sortedLines(strings.Split(tc.left, "\n")) {
			t.Errorf("%s: not estimated:\n%s\nwant\n%s", name, got, tc.left)
		}
		if got := strings.Join(e.Notes, "\n"); got != tc.notes {
			t.Errorf("%s: notes %q", name, got)
		}
		if missing := strings.Contains(tc.left, "the price file has no price"); e.Unpriced != missing {
			t.Errorf("%s: unpriced is %v", name, e.Unpriced)
		}
	}
}

// TestStrangeValues gives every property that is read every kind of value: nothing panics, and nothing costs less than nothing.
func TestStrangeValues(t *testing.T) {
	later := blueprint.Unknown("Other.Value")
	deep := map[string]any{"Cpu": "-1", "CpuArchitecture": 3, "EcsParameters": []any{"x"}, "AwsvpcConfiguration": "x", "SizeInGiB": math.Inf(1), "Statement": nil, "MetricStat": "x", "Name": later, "Value": later, "CapacityProvider": later}
	values := []any{nil, "", "x", later, true, int64(-1), int64(math.MaxInt64), math.NaN(), math.Inf(1), -0.5, []any{}, []any{later}, []any{nil, "x", deep, []any{deep}}, map[string]any{}, deep,
		map[string]any{"EcsParameters": deep, "SizeInGiB": "1e9", "CpuArchitecture": "ARM64", "AwsvpcConfiguration": deep}}
	properties := []string{"AvailabilityMode", "VpcEndpointType", "SubnetIds", "LogDestinationType", "Type", "Scheme", "Subnets", "SubnetMappings", "IpAddressType", "Rules", "LogGroupClass", "Metrics", "Period", "ClusterSettings",
		"ReplicaRegions", "EnableKeyRotation", "Cpu", "Memory", "RuntimePlatform", "EphemeralStorage", "RequiresCompatibilities", "DesiredCount", "MinCapacity", "MaxCapacity", "LaunchType", "CapacityProviderStrategy",
		"NetworkConfiguration", "DeploymentConfiguration", "State", "Target", "ContainerDefinitions", "PolicyType", "CertificateExport", "DefaultCapacityProviderStrategy"}
	u := Usage{}
	for _, k := range UsageKeys() {
		u[k.Key] = whole(1)
	}
	l := shippedList(t)
	for _, v := range values {
		r := &blueprint.Resolved{}
		for typ := range types {
			res := blueprint.ResolvedResource{ID: strings.ReplaceAll(typ, ":", ""), Type: typ, Properties: map[string]any{}, References: map[string][]blueprint.Reference{}}
			for _, p := range properties {
				res.Properties[p] = v
			}
			for _, p := range []string{"TaskDefinition", "Target", "Cluster", "ResourceId"} {
				res.References[p] = []blueprint.Reference{{Resource: "AWSECSTaskDefinition"}, {Resource: "AWSECSCluster"}, {Resource: "AWSECSService"}, {Resource: "Nowhere"}}
			}
			r.Resources = append(r.Resources, res)
		}
		for _, line := range l.EstimateTemplate("p", "us-east-1", r, u).Lines {
			if line.Planned.IsNegative() {
				t.Errorf("%v: %s costs %s", v, line.Item, line.Planned)
			}
		}
	}
}
