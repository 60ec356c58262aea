package awssim

import (
	"strings"
	"time"
)

// computeBehaviours are the types that run containers and bring requests to them.
func computeBehaviours() map[string]behaviour {
	cluster := quick(15*time.Second, func(n namer) (string, string, map[string]any) {
		name := n.name("ClusterName", 255)
		return name, n.arn("ecs", "cluster/"+name), nil
	})
	cluster.effect = clusterEffect
	definition := quick(5*time.Second, func(n namer) (string, string, map[string]any) {
		a := n.arn("ecs", "task-definition/"+n.name("Family", 255)+":1")
		return a, a, map[string]any{"TaskDefinitionArn": a}
	})
	definition.actions = [3]string{"RegisterTaskDefinition", "TagResource", "DeregisterTaskDefinition"}
	service := quick(30*time.Second, serviceIdentity)
	service.update, service.remove, service.effect, service.ready = 30*time.Second, 60*time.Second, serviceEffect, steady
	balancer := quick(120*time.Second, balancerIdentity)
	balancer.update, balancer.remove, balancer.effect, balancer.actions = 5*time.Second, 20*time.Second, balancerEffect, [3]string{"CreateLoadBalancer", "ModifyLoadBalancerAttributes", "DeleteLoadBalancer"}
	group := quick(16*time.Second, func(n namer) (string, string, map[string]any) {
		name := n.name("Name", 32)
		full := "targetgroup/" + name + "/" + n.hex(16)
		a := n.arn("elasticloadbalancing", full)
		return a, a, map[string]any{"TargetGroupArn": a, "TargetGroupFullName": full, "TargetGroupName": name, "LoadBalancerArns": []any{}}
	})
	listener := quick(5*time.Second, func(n namer) (string, string, map[string]any) {
		a := strings.Replace(n.text("LoadBalancerArn"), ":loadbalancer/", ":listener/", 1) + "/" + n.hex(16)
		return a, a, map[string]any{"ListenerArn": a}
	})
	listener.effect = listenerEffect
	repository := quick(5*time.Second, func(n namer) (string, string, map[string]any) {
		name := lower(n.name("RepositoryName", 256))
		return name, n.arn("ecr", "repository/"+name), map[string]any{"RepositoryUri": registry(n.s.Account, n.s.Region) + "/" + name}
	})
	repository.effect, repository.actions = repositoryEffect, [3]string{"CreateRepository", "PutLifecyclePolicy", "DeleteRepository"}
	target := quick(5*time.Second, func(n namer) (string, string, map[string]any) {
		id := n.text("ResourceId") + "|" + n.text("ScalableDimension") + "|" + n.text("ServiceNamespace")
		return id, n.arn("application-autoscaling", "scalable-target/0"+n.hex(35)), map[string]any{"Id": id}
	})
	target.effect, target.actions = targetEffect, [3]string{"RegisterScalableTarget", "RegisterScalableTarget", "DeregisterScalableTarget"}
	return map[string]behaviour{
		"AWS::ECS::Cluster":                         cluster,
		"AWS::ECS::TaskDefinition":                  definition,
		"AWS::ECS::Service":                         service,
		"AWS::ElasticLoadBalancingV2::LoadBalancer": balancer,
		"AWS::ElasticLoadBalancingV2::TargetGroup":  group,
		"AWS::ElasticLoadBalancingV2::Listener":     listener,
		"AWS::ElasticLoadBalancingV2::ListenerRule": {create: 5 * time.Second, actions: [3]string{"CreateRule", "ModifyRule", "DeleteRule"}, identify: by(func(n namer) (string, string, map[string]any) {
			a := strings.Replace(n.text("ListenerArn"), ":listener/", ":listener-rule/", 1) + "/" + n.hex(16)
			return a, a, map[string]any{"RuleArn": a, "IsDefault": false}
		})},
		"AWS::ECR::Repository":                        repository,
		"AWS::ApplicationAutoScaling::ScalableTarget": target,
		"AWS::ApplicationAutoScaling::ScalingPolicy": {create: 5 * time.Second, actions: [3]string{"PutScalingPolicy", "PutScalingPolicy", "DeleteScalingPolicy"},
			identify: by(func(n namer) (string, string, map[string]any) {
				of, _, _ := strings.Cut(n.text("ScalingTargetId"), "|")
				if of == "" {
					of = n.text("ResourceId")
				}
				a := n.arn("autoscaling", "scalingPolicy:"+uuidOf(n.rnd)+":resource/ecs/"+of+":policyName/"+n.text("PolicyName"))
				return a, a, map[string]any{"Arn": a}
			})},
	}
}

func serviceIdentity(n namer) (string, string, map[string]any) {
	name := n.name("ServiceName", 255)
	cluster := clusterName(n.text("Cluster"))
	a := n.arn("ecs", "service/"+cluster+"/"+name)
	return a, a, map[string]any{"ServiceArn": a, "Name": name}
}

// clusterName takes the name out of what may be an ARN; without one it is the default cluster.
func clusterName(given string) string {
	if i := strings.LastIndexByte(given, '/'); i >= 0 {
		given = given[i+1:]
	}
	if given == "" {
		return "default"
	}
	return given
}

// nextRevision names the task definition that replaces another one of the same family.
func nextRevision(was, now string) string {
	family, old, ok := cutLast(was, ":")
	if fresh, _, _ := cutLast(now, ":"); !ok || fresh != family {
		return now
	}
	return family + ":" + itoa(int(numberOf(old, 1))+1)
}

func balancerIdentity(n namer) (string, string, map[string]any) {
	name := n.name("Name", 32)
	kind, zone := "app", balancerZones()[n.s.Region]
	if n.text("Type") == "network" {
		kind = "net"
	}
	full := kind + "/" + name + "/" + n.hex(16)
	a := n.arn("elasticloadbalancing", "loadbalancer/"+full)
	host := lower(name) + "-" + itoa(int(n.rnd.Uint32()>>2)) + "." + n.s.Region + ".elb.amazonaws.com"
	if n.text("Scheme") == "internal" {
		host = "internal-" + host
	}
	return a, a, map[string]any{"LoadBalancerArn": a, "LoadBalancerFullName": full, "LoadBalancerName": name, "DNSName": host, "CanonicalHostedZoneID": zone, "SecurityGroups": n.r.Properties["SecurityGroups"]}
}

// balancerZones are the hosted zones of load balancers' names, by region; AWS publishes them.
func balancerZones() map[string]string {
	return map[string]string{"eu-west-1": "Z32O12XQLNTSW2", "eu-central-1": "Z215JYRZR1TBD5", "eu-north-1": "Z23TAZ6LKFMNIO", "eu-west-2": "ZHURV8PSTC4K8", "eu-west-3": "Z3Q77PNBQS71R4",
		"us-east-1": "Z35SXDOTRQ7X7K", "us-east-2": "Z3AADJGX6KTTL2", "us-west-1": "Z368ELLRRE2KJ0", "us-west-2": "Z1H1FL5HABSF5", "ap-northeast-1": "Z14GRHDCWA56QT", "ap-south-1": "ZP97RAFLXTNZK",
		"ap-southeast-1": "Z1LMS91P8CMLE5", "ap-southeast-2": "Z1GM3OXH4ZPM65", "ca-central-1": "ZQSVJUPU6J1EY", "sa-east-1": "Z2P70J7HTTTPLU"}
}

// succeed gives a replacement the id that follows the one it replaces, where a service counts.
func (r *cfnResource) succeed(old *cfnResource) {
	if r.Type == "AWS::ECS::TaskDefinition" {
		r.Physical = nextRevision(old.Physical, r.Physical)
		r.Attributes["Arn"], r.Attributes["TaskDefinitionArn"] = r.Physical, r.Physical
	}
}
