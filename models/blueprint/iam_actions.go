package blueprint

import (
	"cmp"
	"slices"
	"strings"
)

// Need is one permission that CloudFormation needs for a resource.
type Need struct {
	Action   string // "ec2:CreateVpc"
	Resource string // the first logical id that needs it
	Global   bool   // the service has no region
	PassedTo string // of iam:PassRole: the service that gets the role
}

// IAMActions are what CloudFormation must be allowed to make, change, look at and delete what a template declares. What a
// type needs stands in a table; of a type that is not in it the generic verbs are asked, which is a guess on the safe side.
func IAMActions(t *Template) []Need {
	seen := map[string]bool{}
	var out []Need
	add := func(n Need) {
		if key := n.Action + " " + n.PassedTo; !seen[key] {
			seen[key] = true
			out = append(out, n)
		}
	}
	for _, r := range t.Resources {
		for _, action := range actionsOf(r) {
			service, _, _ := strings.Cut(action, ":")
			add(Need{Action: action, Resource: r.ID, Global: slices.Contains(globalServices, service)})
		}
		for _, service := range passedTo(r) {
			add(Need{Action: "iam:PassRole", Resource: r.ID, PassedTo: service})
		}
	}
	slices.SortStableFunc(out, func(a, b Need) int { return cmp.Compare(a.Action, b.Action) })
	return out
}

var globalServices = []string{"cloudfront", "iam", "route53"}

func actionsOf(r Resource) []string {
	words, known := actionTable[r.Type]
	if !known {
		return guessedActions(r.Type)
	}
	for _, more := range actionsWith[r.Type] {
		if mentionsProperty(r.properties, strings.Split(more.path, ".")) {
			words += " " + more.words
		}
	}
	var out []string
	service := ""
	for _, word := range strings.Fields(words) {
		s, verb, named := strings.Cut(word, ":")
		if named {
			service = s
		} else {
			verb = s
		}
		out = append(out, service+":"+verb)
	}
	return out
}

// servicePrefixes are those that differ from the type's own word for the service.
var servicePrefixes = map[string]string{
	"ApplicationAutoScaling": "application-autoscaling", "ApplicationSignals": "application-signals", "AccessAnalyzer": "access-analyzer",
	"CertificateManager": "acm", "CodeStarConnections": "codestar-connections", "EFS": "elasticfilesystem", "ElasticLoadBalancing": "elasticloadbalancing",
	"ElasticLoadBalancingV2": "elasticloadbalancing", "EMR": "elasticmapreduce", "OpenSearchService": "es", "StepFunctions": "states", "Elasticsearch": "es",
	"AutoScalingPlans": "autoscaling-plans", "DocDB": "rds", "Neptune": "rds", "KinesisFirehose": "firehose", "MSK": "kafka", "AmazonMQ": "mq",
}

func guessedActions(typ string) []string {
	parts := strings.Split(typ, "::")
	if len(parts) != 3 || parts[0] != "AWS" {
		return nil // Check tells that there is no such type
	}
	service := servicePrefixes[parts[1]]
	if service == "" {
		service = strings.ToLower(parts[1])
	}
	var out []string
	for _, verb := range []string{"Create", "Delete", "Update"} {
		out = append(out, service+":"+verb+parts[2])
	}
	return out
}

// passedTo are the services that get a role from a resource.
func passedTo(r Resource) []string {
	var out []string
	for _, p := range passing[r.Type] {
		if mentionsProperty(r.properties, strings.Split(p.path, ".")) {
			out = append(out, p.service)
		}
	}
	return out
}

// passing are the properties that hand a role to a service. A star steps through a list.
var passing = map[string][]struct{ path, service string }{
	"AWS::ECS::TaskDefinition":         {{"TaskRoleArn", "ecs-tasks.amazonaws.com"}, {"ExecutionRoleArn", "ecs-tasks.amazonaws.com"}},
	"AWS::ECS::Service":                {{"LoadBalancers.*.AdvancedConfiguration.RoleArn", "ecs.amazonaws.com"}},
	"AWS::Scheduler::Schedule":         {{"Target.RoleArn", "scheduler.amazonaws.com"}},
	"AWS::EC2::FlowLog":                {{"DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"}},
	"AWS::Events::Rule":                {{"RoleArn", "events.amazonaws.com"}, {"Targets.*.RoleArn", "events.amazonaws.com"}},
	"AWS::CodeBuild::Project":          {{"ServiceRole", "codebuild.amazonaws.com"}},
	"AWS::CodePipeline::Pipeline":      {{"RoleArn", "codepipeline.amazonaws.com"}},
	"AWS::EKS::PodIdentityAssociation": {{"RoleArn", "pods.eks.amazonaws.com"}},
	"AWS::Lambda::Function":            {{"Role", "lambda.amazonaws.com"}},
	"AWS::SNS::Topic":                  {{"DeliveryStatusLogging.*.SuccessFeedbackRoleArn", "sns.amazonaws.com"}},
	"AWS::S3::Bucket":                  {{"ReplicationConfiguration.Role", "s3.amazonaws.com"}},
}

func mentionsProperty(v any, path []string) bool {
	if len(path) == 0 {
		return v != nil
	}
	switch x := v.(type) {
	case map[string]any:
		return mentionsProperty(x[path[0]], path[1:])
	case []any:
		return path[0] == "*" && slices.ContainsFunc(x, func(item any) bool { return mentionsProperty(item, path[1:]) })
	case call: // a branch of If, say
		if args, ok := x.arg.([]any); ok {
			return slices.ContainsFunc(args, func(a any) bool {
				if _, leaf := a.(string); leaf {
					return false
				}
				return mentionsProperty(a, path)
			})
		}
	}
	return false
}
