package blueprint

import (
	"strings"
	"testing"
)

// TestWorkloadRules finds what AWS refuses only while it builds, and what a golden path does not do.
func TestWorkloadRules(t *testing.T) {
	task := func(properties string) string {
		return "Task: {Type: AWS::ECS::TaskDefinition, Properties: {RequiresCompatibilities: [FARGATE], " + properties + "}}"
	}
	const sizes = "Mappings: {Sizes: {S: {Cpu: 256, Memory: 512}, L: {Cpu: 1024, Memory: 1024}}}\n"
	const target = "Target: {Type: AWS::ApplicationAutoScaling::ScalableTarget, Properties: {MaxCapacity: 2, MinCapacity: 1, ResourceId: x, ScalableDimension: 'ecs:service:DesiredCount', ServiceNamespace: ecs}}"
	role := func(action string) string {
		return "Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}, Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, Action: '" + action + "', Resource: 'arn:x'}]}}]}}"
	}
	for name, tc := range map[string]struct{ head, resources, want string }{
		"a pair that is":          {"", task("Cpu: 256, Memory: 2048"), ""},
		"a pair that is not":      {"", task("Cpu: '256', Memory: '4096'"), "fargate-size"},
		"between the steps":       {"", task("Cpu: 256, Memory: 1536"), "fargate-size"},
		"a row that is not":       {sizes, task("Cpu: !FindInMap [Sizes, !Ref AWS::Region, Cpu], Memory: !FindInMap [Sizes, !Ref AWS::Region, Memory]"), "fargate-size"},
		"no memory":               {"", task("Cpu: 256"), "fargate-size"},
		"latest":                  {"", task("Cpu: 256, Memory: 512, ContainerDefinitions: [{Name: a, Image: 'public.ecr.aws/x/y:latest'}]"), "image-tag"},
		"no tag":                  {"", task("Cpu: 256, Memory: 512, ContainerDefinitions: [{Name: a, Image: 'public.ecr.aws/x/y'}]"), "image-tag"},
		"a port is no tag":        {"", task("Cpu: 256, Memory: 512, ContainerDefinitions: [{Name: a, Image: 'host:5000/x/y'}]"), "image-tag"},
		"a tag":                   {"", task("Cpu: 256, Memory: 512, ContainerDefinitions: [{Name: a, Image: 'public.ecr.aws/x/y:v1.2'}]"), ""},
		"a parameter":             {"", task("Cpu: 256, Memory: 512, ContainerDefinitions: [{Name: a, Image: !Ref AWS::StackName}]"), ""},
		"a count while it scales": {"", target + ", Service: {Type: AWS::ECS::Service, Properties: {DesiredCount: 2}}", "desired-count"},
		"a count or none":         {"Conditions: {C: !Equals [a, b]}\n", target + ", Service: {Type: AWS::ECS::Service, Properties: {DesiredCount: !If [C, 0, !Ref AWS::NoValue]}}", ""},
		"a count":                 {"", "Service: {Type: AWS::ECS::Service, Properties: {DesiredCount: 2}}", ""},
		"public task":             {"", "Service: {Type: AWS::ECS::Service, Properties: {NetworkConfiguration: {AwsvpcConfiguration: {AssignPublicIp: ENABLED, Subnets: [a]}}}}", "public-task"},
		"instances":               {"", task("Cpu: 256, Memory: 512") + ", Group: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {TargetType: instance}}", "target-type"},
		"service-wide":            {"", role("s3:*"), "service-wide"},
		"everything":              {"", role("*"), "service-wide"},
		"part of a service":       {"", role("s3:Get*"), ""},
		"excused":                 {"", strings.Replace(role("s3:*"), "Properties", "Metadata: {Slipway: {Accept: {service-wide: it is a test}}}, Properties", 1), ""},
		"a key logs cannot use":   {"", "Key: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Statement: []}}}, Log: {Type: AWS::Logs::LogGroup, Properties: {KmsKeyId: !GetAtt Key.Arn}}", "log-key"},
		"a key logs can use":      {"", "Key: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Statement: [{Principal: {Service: !Sub 'logs.${AWS::Region}.amazonaws.com'}}]}}}, Log: {Type: AWS::Logs::LogGroup, Properties: {KmsKeyId: !GetAtt Key.Arn}}", ""},
		"firewall log":            {"", "Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: x}}, Logging: {Type: AWS::WAFv2::LoggingConfiguration, Properties: {LogDestinationConfigs: [!GetAtt Log.Arn]}}", "firewall-log"},
		"firewall log by name":    {"", "Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub 'aws-waf-logs-${AWS::StackName}'}}, Logging: {Type: AWS::WAFv2::LoggingConfiguration, Properties: {LogDestinationConfigs: [!GetAtt Log.Arn]}}", ""},
	} {
		tpl, err := Parse([]byte(tc.head + "Resources: {" + tc.resources + "}"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c := &checker{t: tpl}
		for _, rule := range workloadRules {
			rule.check(c)
		}
		got := ""
		for _, p := range c.problems {
			got = p.Rule
			if p.Line == 0 {
				t.Errorf("%s: no line in %s", name, p)
			}
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

func TestOpenToTheWorld(t *testing.T) {
	tpl := mustParse(t, "Resources: {A: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: x, SecurityGroupIngress: [{IpProtocol: -1, CidrIp: 0.0.0.0/0}]}}}")
	if got := tpl.Check(); len(got) != 1 || got[0].Rule != "open-port" {
		t.Errorf("every port open to the world: %v", got)
	}
}

const testSpoke = `Resources:
  ExecRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {}
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: ["sns:*", "ec2:Create*", "ec2:D?lete*"], Resource: "*", Condition: {StringEquals: {aws:RequestedRegion: eu-west-1}}}
              - {Effect: Allow, Action: "route53:*", Resource: "*", Condition: {StringEquals: {aws:RequestedRegion: eu-west-1}}}
              - {Effect: Allow, Action: iam:PassRole, Resource: "*", Condition: {StringEquals: {iam:PassedToService: ecs-tasks.amazonaws.com}}}
              - {Effect: Allow, Action: ["iam:Create*", "iam:Delete*", "iam:Get*", "iam:Put*", "iam:List*", "iam:?etach*", "iam:Attach*", "iam:Update*", "iam:*ag*", "ecs:*"], Resource: "*"}
              - {Effect: Deny, Action: "sns:DeleteTopic", Resource: "*"}
`

// TestGrants names the action that CloudFormation lacks, at the resource that needs it.
func TestGrants(t *testing.T) {
	g, err := ReadGrants([]byte(testSpoke))
	if err != nil {
		t.Fatal(err)
	}
	const roleOf = "arn:aws:iam::1:policy/slipway/platform/slipway-boundary"
	for src, want := range map[string]string{
		"{Type: AWS::ECS::Cluster}":                                      "",
		"{Type: AWS::SNS::Topic}":                                        "sns:DeleteTopic",
		"{Type: AWS::EC2::VPC}":                                          "ec2:DescribeVpcs",
		"{Type: AWS::EC2::InternetGateway}":                              "ec2:DescribeInternetGateways",
		"{Type: AWS::Route53::HostedZone}":                               "route53:CreateHostedZone", // a service without regions is not granted by region
		"{Type: AWS::Lambda::Function, Properties: {Role: x}}":           "lambda:CreateFunction",
		"{Type: AWS::Lambda::Function, Properties: {Role:  x}}":          "hand a role to lambda.amazonaws.com",
		"{Type: AWS::ECS::TaskDefinition, Properties: {TaskRoleArn: x}}": "",
		"{Type: AWS::IAM::Role, Properties: {Path: /slipway/workload/, PermissionsBoundary: '" + roleOf + "'}}": "",
		"{Type: AWS::IAM::Role, Properties: {Path: /, PermissionsBoundary: '" + roleOf + "'}}":                  "must begin with /slipway/workload/",
		"{Type: AWS::IAM::Role, Properties: {Path: /slipway/workload/}}":                                        "must be the platform's boundary",
	} {
		tpl := mustParse(t, "Resources: {A: "+src+"}")
		problems := g.Check(tpl)
		found := want == "" && len(problems) == 0
		for _, p := range problems {
			found = found || want != "" && strings.Contains(p.Message, want) && strings.HasPrefix(p.Path, "Resources.A")
		}
		if !found {
			t.Errorf("%s: want %q among %v", src, want, problems)
		}
	}
	for _, bad := range []string{"Resources: {}", "Resources: {A: {Type: AWS::SNS::Topic}}", "Resources: {ExecRole: {Type: AWS::IAM::Role}}"} {
		if _, err := ReadGrants([]byte(bad)); err == nil {
			t.Errorf("%s was read as grants", bad)
		}
	}
}

func TestLikeAction(t *testing.T) {
	for _, tc := range []struct {
		pattern, action string
		want            bool
	}{
		{"ec2:*", "ec2:CreateVpc", true}, {"EC2:create*", "ec2:CreateVpc", true}, {"ec2:Create?pc", "ec2:CreateVpc", true}, {"eks:*PodIdentityAssociation", "eks:CreatePodIdentityAssociation", true},
		{"*", "s3:GetObject", true}, {"s3:Get*Tag*", "s3:GetObjectTagging", true}, {"s3:Get*X", "s3:GetObject", false}, {"s3:GetObject", "s3:GetObjectAcl", false}, {"", "s3:GetObject", false},
	} {
		if got := likeAction(tc.pattern, tc.action); got != tc.want {
			t.Errorf("%s matches %s: %t", tc.pattern, tc.action, got)
		}
	}
}
